import type { Tx } from '../../platform/db.ts'
import type { Stay } from './stickiness.store.ts'

/** How often teasers were looked at, and how many pages elsewhere spoke of the tenant. */
export interface ReachFacts {
  readonly teaserViews: number
  readonly mentions: number
}

/** Both over a span: looks on the days of the tenant's that begin in it, for one space or all; mentions by their instant. */
export async function readReach(tx: Tx, { from, until, space }: Stay): Promise<ReachFacts> {
  const [row] = await tx.query<ReachFacts>({
    name: 'community_reach',
    text: `select coalesce(sum(v.views), 0)::float8 as "teaserViews",
        (select count(*)::int from outside_mention o where own(o) and o.at >= $1 and o.at < $2) as mentions
      from teaser_view v
      join contribution c on c.tenant_id = v.tenant_id and c.id = v.contribution_id
      join tenant t on t.id = v.tenant_id
      where own(v) and v.day between ($1::timestamptz at time zone 'UTC')::date - 1 and ($2::timestamptz at time zone 'UTC')::date + 1
        and v.day::timestamp at time zone t.time_zone >= $1 and v.day::timestamp at time zone t.time_zone < $2
        and ($3::uuid is null or c.space_id = $3)`,
    values: [from, until, space],
  })
  if (!row) throw new TypeError('an aggregate answers one row')
  return row
}
