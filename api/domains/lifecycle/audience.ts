/** What the audience language can ask of a member's place in the lifecycle. */
import { definePredicate, listOf, now, oneOf, sql, word } from '../audiences/index.ts'
import { BANDS } from './freshness.ts'

/** `{ "stage": ["customer", "repeat"] }`: the member stands in one of these stages now, by the tenant's clock. */
export const stagePredicate = definePredicate({
  name: 'stage',
  scope: 'members:read',
  parse: (value, field) => listOf(value, field, word),
  compile: (stages) => sql`exists (
    select from lifecycle_state s where s.tenant_id = m.tenant_id and s.member_id = m.id
      and case when s.silent_at < ${now} then s.silent_stage else s.stage end = any(${stages}::text[]))`,
})

/** `{ "freshnessBand": ["STALE", "COLD"] }`: the band is one of these now, whether its crossing is booked or not. */
export const freshnessBandPredicate = definePredicate({
  name: 'freshnessBand',
  scope: 'members:read',
  parse: (value, field) => listOf(value, field, oneOf(BANDS)),
  compile: (bands) => sql`exists (
    select from lifecycle_state s where s.tenant_id = m.tenant_id and s.member_id = m.id
      and case when s.next_band_at <= ${now} then freshness_band_at(s.last_at, s.rhythm_a, s.rhythm_b, s.rhythm_k,
                 (select f.edges from freshness_model f where f.tenant_id = m.tenant_id), ${now})
               else s.band end = any(${bands}::text[]))`,
})
