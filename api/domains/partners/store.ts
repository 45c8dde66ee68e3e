import type { Tx } from '../../platform/db.ts'

/** A partner in force, as the API tells it. */
export interface PartnerFacts {
  readonly key: string
  /** Texts by language. */
  readonly name: unknown
  readonly currency: string
  readonly canBurn: boolean
  readonly earnMinor: bigint | null
  readonly earnPoints: bigint | null
  readonly earnMoney: string | null
}

/** The partners in force, by their keys; at most 100. */
export function readPartners(tx: Tx): Promise<PartnerFacts[]> {
  return tx.query({
    name: 'partners',
    text: `select p.key, p.name, p.currency, p.can_burn as "canBurn", p.earn_minor as "earnMinor",
                  p.earn_points as "earnPoints", p.earn_money as "earnMoney"
           from definition d
           join partner p on own(p) and (p.kind, p.key, p.version) = (d.kind, d.key, d.version)
           where own(d) and d.kind = 'partner' and d.is_live
           order by p.key limit 100`,
    values: [],
  })
}
