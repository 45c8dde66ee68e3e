import type { Tx } from '../../platform/db.ts'
import type { PriceListBody } from './prices.part.ts'

/** A price list in one version. */
export interface PriceListFacts {
  readonly key: string
  readonly version: number
  readonly body: PriceListBody
}

/** What an article costs a member. Amounts in minor units. */
export interface MemberPrice {
  readonly sku: string
  readonly currency: string
  readonly minor: bigint
  /** What everybody pays; null: no list of everybody has the article. */
  readonly regular: bigint | null
  /** The lowest of the 30 days before this price began; null: there was none. */
  readonly prior: bigint | null
  readonly since: Date
  readonly changesAt: Date | null
  readonly isForMembers: boolean
  readonly list: PriceListFacts
}

/** Which prices are asked for. */
export interface Asked {
  /** A uuid; null: somebody who is no member. */
  readonly member: string | null
  readonly skus: readonly string[]
  readonly currency: string
  /** Now when null. */
  readonly at: Date | null
}

/** What articles cost a member, in the order asked for; those without a price are left out. One statement. */
export async function readPrices(tx: Tx, { member, skus, currency, at }: Asked): Promise<MemberPrice[]> {
  const rows = await tx.query<Omit<MemberPrice, 'currency' | 'list'> & PriceListFacts>({
    name: 'prices_for',
    text: `select p.sku, p.minor, p.regular, p.prior, p.since, p.changes_at as "changesAt",
        p.is_for_members as "isForMembers", p.key, p.version, d.body - 'prices' as body
      from prices_for($1, array(select s from json_array_elements_text($2) s), $3,
                      coalesce($4, tenant_now((select app_tenant())))) p
      join definition d on own(d) and d.kind = 'priceList' and d.key = p.key and d.version = p.version`,
    values: [member, JSON.stringify(skus), currency, at],
  })
  const bySku = new Map(rows.map((row) => [row.sku, row]))
  return [...new Set(skus)].flatMap((sku) => {
    const row = bySku.get(sku)
    if (!row) return []
    const { key, version, body, ...price } = row
    return [{ ...price, currency, list: { key, version, body } }]
  })
}

/** The price list in force under a key; null when there is none. */
export async function readListInForce(tx: Tx, key: string): Promise<PriceListFacts | null> {
  const [row] = await tx.query<PriceListFacts>({
    name: 'price_list_in_force',
    text: `select d.key, d.version, d.body from definition d
      where own(d) and d.kind = 'priceList' and d.key = $1 and d.is_live`,
    values: [key],
  })
  return row ?? null
}
