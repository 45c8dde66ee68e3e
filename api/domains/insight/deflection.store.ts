import type { Tx } from '../../platform/db.ts'
import type { Stay } from './stickiness.store.ts'

/** What came of sessions of writing a question that began in a span and are over. */
export interface DeflectionFacts {
  readonly sessions: number
  readonly opened: number
  readonly deflected: number
}

/** The same by entry of the FAQ. */
export interface EntryDeflectionFacts {
  /** A uuid. */
  readonly entry: string
  readonly opened: number
  readonly deflected: number
}

/** Sessions that are over: something was asked, or nothing was noted for an hour. */
const OVER = `select s.*, exists (
    select from composer_opening o where own(o) and o.member_id = s.member_id and o.session = s.session) as has_opened
  from composer_session s
  where own(s) and s.began_at >= $1 and s.began_at < $2 and ($3::uuid is null or s.space_id = $3)
    and (s.question_id is not null or s.noted_at < tenant_now((select app_tenant())) - interval '1 hour')`

/** How many sessions there were, in how many a suggestion was opened, and after how many of these nothing was asked. */
export async function readDeflection(tx: Tx, { from, until, space }: Stay): Promise<DeflectionFacts> {
  const [row] = await tx.query<DeflectionFacts>({
    name: 'community_deflection',
    text: `select count(*)::int as sessions, (count(*) filter (where x.has_opened))::int as opened,
             (count(*) filter (where x.has_opened and x.question_id is null))::int as deflected
           from (${OVER}) x`,
    values: [from, until, space],
  })
  if (!row) throw new TypeError('an aggregate answers one row')
  return row
}

/** The same for each entry of the FAQ that was opened; the 20 that were opened most. */
export function readEntryDeflection(tx: Tx, { from, until, space }: Stay): Promise<EntryDeflectionFacts[]> {
  return tx.query({
    name: 'community_deflection_entries',
    text: `select c.id as entry, count(*)::int as opened,
             (count(*) filter (where x.question_id is null))::int as deflected
           from (${OVER}) x
           join composer_opening o on own(o) and o.member_id = x.member_id and o.session = x.session
           join contribution c on own(c) and c.id = o.contribution_id and c.kind = 'FAQ'
           group by c.id order by count(*) desc, c.id limit 20`,
    values: [from, until, space],
  })
}
