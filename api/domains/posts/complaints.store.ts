import type { Tx } from '../../platform/db.ts'

/** How often members stumbled over a feature. */
export interface Heat {
  readonly feature: string
  readonly count: number
  readonly members: number
  /** When last. */
  readonly at: Date
}

/** Where most members stumbled within a length of time (ISO 8601), the hottest first; at most 100. */
export function stumblesSince(tx: Tx, within: string): Promise<Heat[]> {
  return tx.query<Heat>({
    name: 'stumbles',
    text: `
      select s.feature, count(*)::int as count, count(distinct s.member_id)::int as members, max(s.at) as at
      from stumble s
      where own(s) and s.at > tenant_now(current_tenant()) - $1::interval
      group by s.feature order by members desc, count desc, s.feature limit 100`,
    values: [within],
  })
}
