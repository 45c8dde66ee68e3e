import type { Ledger } from './ledger.ts'
import type { Lot, WalletModel } from './model.ts'

/** All that the database holds of one member's wallet, and what it says is true now, as plain rows. */
export interface Sight {
  /** [debt, lost, version]; null when there is no wallet. */
  readonly wallet: readonly number[] | null
  readonly lots: readonly (string | number | null)[][]
  readonly holds: readonly (string | number)[][]
  readonly bases: readonly (string | number)[][]
  /** [kind, at, points] of each transaction, in order; in a full look. */
  readonly journal: readonly (string | number)[][] | null
  /** [available, pending, held, debt] as they are now, booked or not. */
  readonly now: readonly number[] | null
  /** [instant, points]; in a full look. */
  readonly expiring: readonly number[][] | null
}

/** Looks at a member's wallet; also its id. */
export async function see(
  ledger: Ledger,
  member: string,
  isFull: boolean,
): Promise<{ wallet: string | null; sight: Sight }> {
  const { rows } = await ledger.owner.query({ name: 'see', text: SEE, values: [member, isFull] })
  return rows[0]
}

/** What there should be to see. Lots of the model take their ids from the rows of the database. */
export function expectedSight(model: WalletModel, now: number, { wallet, lots, journal }: Sight): Sight {
  const ids = new Map(lots.map(([transaction, id]) => [transaction, String(id)]))
  const keyOf = ({ transaction, parent }: Lot) => (parent ? `${transaction} ${parent.id}` : transaction)
  for (const lot of model.lots) if (lot.id.startsWith('~')) lot.id = ids.get(keyOf(lot)) ?? lot.id
  const settled = model.settledCopy(now)
  return {
    wallet: wallet && [Number(model.debt), Number(model.lost), model.journal.length],
    lots: inOrder(model.lots).map((lot) => [
      keyOf(lot),
      lot.id,
      ...[lot.granted, lot.pending, lot.available, lot.held, lot.spent, lot.expired, lot.revoked].map(Number),
      lot.expiresAt,
      lot.availableAt,
      lot.awaits,
    ]),
    holds: model.holds
      .map((hold) => [hold.id, hold.state, Number(hold.captured), Number(hold.released), hold.expiresAt])
      .sort(byFirst),
    bases: [...model.bases]
      .map(([source, basis]) => [
        source,
        ...[basis.refunded, basis.revoked, basis.expiredCounted].map(Number),
      ])
      .sort(byFirst),
    journal: journal && model.journal.map(([kind, at, points]) => [kind, at, Number(points)]),
    now: wallet && [
      ...(['available', 'pending', 'held'] as const).map((bucket) =>
        settled.lots.reduce((all, lot) => all + Number(lot[bucket]), 0),
      ),
      Number(settled.debt),
    ],
    expiring:
      journal &&
      settled
        .expiring()
        .map(([at, points]) => [at, Number(points)])
        .slice(0, 50),
  }
}

const byFirst = ([a]: readonly (string | number)[], [b]: readonly (string | number)[]) =>
  String(a) < String(b) ? -1 : 1

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`

const rows = (columns: string, from: string, order: string) =>
  `(select coalesce(json_agg(json_build_array(${columns}) order by ${order}), '[]') from ${from})`

const SEE = `
  with w as (select * from wallet where member_id = $1::uuid)
  select (select id from w) as wallet, json_build_object(
    'wallet', (select json_build_array(debt, coalesce((
      select sum(amount) from debt_posting where wallet_id = w.id and kind = 'LOST'), 0), version) from w),
    'lots', ${rows(
      `concat_ws(' ', l.transaction_id, l.parent_lot_id), l.id, l.granted, l.pending, l.available, l.held, l.spent, l.expired, l.revoked, ${ms('l.expires_at')}, ${ms('l.available_at')}, l.awaits`,
      'lot l join w on w.id = l.wallet_id',
      'l.wallet_version, l.parent_lot_id',
    )},
    'holds', ${rows(
      `h.id, h.state, h.captured, h.released, ${ms('h.expires_at')}`,
      'hold h join w on w.id = h.wallet_id',
      'h.id',
    )},
    'bases', ${rows(
      'b.source_id, b.refunded_minor, b.revoked, b.expired_counted',
      'earn_basis b join w on w.id = b.wallet_id',
      'b.source_id collate "C"',
    )},
    'journal', case when $2::boolean then ${rows(
      `o.kind, ${ms('o.at')}, o.points`,
      'op o join w on w.id = o.wallet_id',
      'o.wallet_version',
    )} end,
    'now', (select json_build_array(n.available, n.pending, n.held, n.debt) from wallets_now(array(select id from w)) n),
    'expiring', case when $2::boolean then ${rows(
      `${ms('e.expires_at')}, e.points`,
      "wallet_expiring(array(select id from w), '100 years') e",
      'e.expires_at',
    )} end
  ) as sight
`

/** Lots as they were born; those of one transfer by the lots they came from. */
function inOrder(lots: readonly Lot[]): Lot[] {
  return lots
    .map((lot, i) => ({
      lot,
      first: lots.findIndex(({ transaction }) => transaction === lot.transaction),
      i,
    }))
    .sort((a, b) => a.first - b.first || ((a.lot.parent?.id ?? '') < (b.lot.parent?.id ?? '') ? -1 : 1))
    .map(({ lot }) => lot)
}
