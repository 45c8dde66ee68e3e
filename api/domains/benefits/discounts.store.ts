import type { Tx } from '../../platform/db.ts'
import type { Discount, StackRules } from './stack.ts'
import { PURCHASE, type StackingBody, stackRules } from './stacking.part.ts'

/** The most discounts that are looked at for one purchase. */
export const MOST_DISCOUNTS = 30

/** Which discounts of a member (a uuid) are asked for; all that are open when `benefits` (uuids) is null. */
export interface AskedDiscounts {
  readonly member: string
  readonly currency: string
  readonly benefits: readonly string[] | null
}

/**
 * What a member has open that is off a purchase in this currency, the oldest first, with the rules to stack it by. A
 * discount is of the category that its source is named by, else of `benefit`. One statement.
 */
export async function readDiscounts(
  tx: Tx,
  { member, currency, benefits }: AskedDiscounts,
): Promise<{ readonly discounts: readonly Discount[]; readonly rules: StackRules }> {
  const [row] = await tx.query<{ body: StackingBody | null; open: readonly Open[] }>({
    name: 'discounts_open',
    text: `select
        (select d.body from definition d where own(d) and d.kind = 'stacking' and d.key = $5 and d.is_live) as body,
        (select coalesce(json_agg(g), '[]') from (
          select g.id, g.source_type as source, g.minor::text as minor, g.basis_points as "basisPoints"
          from benefit_grant g
          where own(g) and g.member_id = $1 and g.state = 'GIVEN' and g.kind in ('MONEY', 'PERCENT')
            and coalesce(g.currency, $2) = $2
            and (g.expires_at is null or g.expires_at > tenant_now((select app_tenant())))
            -- An offer that was used is used, whatever was said of what it gave.
            and not (g.source_type = 'offer' and exists (
              select from offer_receipt r join offer_completion c on own(c) and c.receipt_id = r.id
              where own(r) and r.member_id = $1 and r.state = 'USED' and g.source_id like c.id || '.%'))
            and ($3::json is null or g.id in (select b::uuid from json_array_elements_text($3) b))
          order by g.id limit $4
        ) g) as open`,
    values: [member, currency, benefits && JSON.stringify(benefits), MOST_DISCOUNTS, PURCHASE],
  })
  const rules = stackRules(row?.body ?? undefined)
  const known = new Set(rules.categories.map(({ key }) => key))
  const discounts = (row?.open ?? []).map(({ id, source, minor, basisPoints }) => ({
    key: id,
    category: known.has(source) ? source : 'benefit',
    off: basisPoints === null ? { minor: BigInt(minor ?? 0) } : { basisPoints },
  }))
  return { discounts, rules }
}

interface Open {
  readonly id: string
  readonly source: string
  readonly minor: string | null
  readonly basisPoints: number | null
}
