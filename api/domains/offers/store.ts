import type { Tx } from '../../platform/db.ts'
import type { OfferRefusal } from '../../platform/errors/index.ts'

/** How far a receipt has come in one currency: a total, or the largest single purchase. Minor units. */
export interface Reached {
  readonly currency: string
  readonly reached: bigint
}

/** How far receipts have come, by their ids; one statement. */
export async function progressOf(
  tx: Tx,
  receipts: readonly string[],
): Promise<ReadonlyMap<string, readonly Reached[]>> {
  const rows = await tx.query<{ receipt_id: string; currency: string; reached: bigint }>({
    name: 'offers_progress',
    text: 'select receipt_id, currency, reached from offers_progress($1) order by receipt_id, reached desc, currency',
    values: [receipts],
  })
  return Map.groupBy(rows, ({ receipt_id }) => receipt_id)
}

/** How many are left of the offers that have a stock, by their keys; one statement. */
export async function remainingOf(tx: Tx, offers: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ key: string; remaining: number }>({
    name: 'offers_remaining',
    text: 'select s.key, s.stock - s.taken as remaining from offer_stock s where own(s) and s.key = any($1)',
    values: [offers],
  })
  return new Map(rows.map(({ key, remaining }) => [key, remaining]))
}

/** An offer as it stands for a member: which version, and why it cannot be taken now; null: it can. */
export interface Standing {
  readonly member: string
  readonly offer: string
  readonly refusal: OfferRefusal | null
}

/** The live offers that members have or may take, by member and key of the offer; one statement. At most 100 each. */
export async function standingsOf(
  tx: Tx,
  members: readonly string[],
): Promise<ReadonlyMap<string, readonly Standing[]>> {
  const rows = await tx.query<{ member_id: string; offer_id: string; refusal: OfferRefusal | null }>({
    name: 'offers_for',
    text: 'select f.member_id, f.offer_id, f.refusal from offers_for($1) f order by f.member_id, f.key',
    values: [members],
  })
  const standings = rows.map(({ member_id: member, offer_id: offer, refusal }) => ({
    member,
    offer,
    refusal,
  }))
  return Map.groupBy(standings, ({ member }) => member)
}

/** Ids of the last 10 receipts of each offer that a member has, the newest first; one statement. */
export async function heldBy(
  tx: Tx,
  members: readonly string[],
): Promise<ReadonlyMap<string, readonly { readonly offer: string; readonly id: string }[]>> {
  const rows = await tx.query<{ member_id: string; offer: string; id: string }>({
    name: 'offers_held',
    text: `select x.member_id, x.offer, x.id from (
             select r.member_id, r.offer, r.id, r.received_at,
                    row_number() over (partition by r.member_id, r.offer order by r.received_at desc, r.nth desc) as place
             from offer_receipt r where own(r) and r.member_id = any($1)) x
           where x.place <= 10 order by x.member_id, x.offer, x.place`,
    values: [members],
  })
  return Map.groupBy(rows, ({ member_id }) => member_id)
}
