import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** What came of a movement: its id, the member's, and the points transaction; null when no points moved. */
export interface PartnerMoved {
  readonly is: 'done'
  readonly movement: string
  readonly member: string
  readonly transaction: string | null
}

/** Something bought at a partner; the total in minor units. */
export interface PartnerPurchase {
  readonly member: MemberBy
  readonly partner: string
  /** The partner's own number for it: it earns once. */
  readonly reference: string
  readonly at?: Date | null | undefined
  readonly currency: string
  readonly total: bigint
}

/** Points spent at a partner. */
export interface PartnerSpend {
  readonly member: MemberBy
  readonly partner: string
  readonly reference: string
  readonly points: bigint
}

/**
 * Earns for something bought at a partner. Refusals: bad_input, not_found, key_reused, duplicate_reference,
 * membership_ended.
 */
export async function earnAtPartner(tx: Tx, bought: PartnerPurchase, op: Operation): Promise<PartnerMoved> {
  if (bought.total < 0n) throw new BadInputError('total', 'A total is zero or more.')
  return raise(
    await call<Outcome<PartnerMoved>>(
      tx,
      'select partner_earn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as outcome',
      [
        op.key,
        op.hash,
        ...namesOf(bought.member),
        bought.partner,
        bought.reference,
        bought.at ?? null,
        bought.currency,
        bought.total,
        op.actor,
      ],
    ),
  )
}

/**
 * Spends points at a partner. Refusals: not_found, key_reused, duplicate_reference, membership_ended,
 * insufficient_points.
 */
export async function burnAtPartner(tx: Tx, spend: PartnerSpend, op: Operation): Promise<PartnerMoved> {
  return raise(
    await call<Outcome<PartnerMoved>>(tx, 'select partner_burn($1, $2, $3, $4, $5, $6, $7, $8) as outcome', [
      op.key,
      op.hash,
      ...namesOf(spend.member),
      spend.partner,
      spend.reference,
      spend.points,
      op.actor,
    ]),
  )
}

/**
 * Gives back what was bought (an amount in minor units) or spent (points) at a partner; without an amount, the rest.
 * Refusals: not_found, key_reused, refund_exceeds_purchase.
 */
export async function giveBackAtPartner(
  tx: Tx,
  back: {
    readonly partner: string
    readonly reference: string
    readonly amount?: bigint | null | undefined
    readonly reason: string
  },
  op: Operation,
): Promise<PartnerMoved> {
  return raise(
    await call<Outcome<PartnerMoved>>(tx, 'select partner_give_back($1, $2, $3, $4, $5, $6, $7) as outcome', [
      op.key,
      op.hash,
      back.partner,
      back.reference,
      back.amount ?? null,
      back.reason,
      op.actor,
    ]),
  )
}

/** What two owe one another for a time, in one currency of money. */
export interface PartnerSettlementFacts {
  readonly money: string
  readonly issued: bigint
  readonly issued_returned: bigint
  readonly burned: bigint
  readonly burned_returned: bigint
  readonly owed_by_partner: bigint
  readonly owed_to_partner: bigint
}

/** What a partner and the tenant owe one another for [from, until), one entry a currency of money. */
export function partnerSettlement(
  tx: Tx,
  { partner, from, until }: { readonly partner: string; readonly from: Date; readonly until: Date },
): Promise<PartnerSettlementFacts[]> {
  if (until <= from) throw new BadInputError('until', 'until must be later than from.')
  return tx.query({
    name: 'partner_settlement',
    text: 'select * from partner_settlement($1, $2, $3)',
    values: [partner, from, until],
  })
}
