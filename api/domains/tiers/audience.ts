/** What the audience language can ask of tiers. */
import { definePredicate, listOf, sql, word } from '../audiences/index.ts'

/**
 * `{ "tier": ["silver", "gold"] }`: the member holds one of these tiers now. A tier of another ladder than `default` is
 * written with it, as in `partner:gold`.
 */
export const tierPredicate = definePredicate({
  name: 'tier',
  scope: 'members:read',
  parse: (value, field) => listOf(value, field, word),
  compile: (tiers) => sql`exists (
    select from tier_standing s join tier_ladder l on l.tenant_id = s.tenant_id and l.key = s.ladder and l.is_live
    where s.tenant_id = m.tenant_id and s.member_id = m.id
      and s.ladder || ':' || s.tier = any(${tiers.map((tier) => (tier.includes(':') ? tier : `default:${tier}`))}::text[]))`,
})
