import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { Member } from '../members/index.ts'
import { type ExpiringPoints, expiringWithin, type WalletNow, walletsNow } from './wallets.store.ts'

const PointsTransactionKind = builder.enumType('PointsTransactionKind', {
  description: 'What a points transaction is.',
  values: {
    EARN: { description: 'Points earned by a rule.' },
    GRANT: { description: 'Points given by hand or by a program.' },
    SPEND: { description: 'Points spent.' },
    HOLD: { description: 'Points reserved.' },
    CAPTURE: { description: 'A hold turned into a spend.' },
    VOID: { description: 'A hold let go.' },
    REFUND_EARN: { description: 'Points taken back because a purchase was.' },
    REFUND_SPEND: { description: 'Spent points given back.' },
    EXPIRE: { description: 'Points past their date.' },
    ACTIVATE: { description: 'Pending points that became spendable.' },
    ADJUST: { description: 'A correction by staff.' },
    TRANSFER: { description: 'Points moved to another member.' },
  },
})
type Kind = typeof PointsTransactionKind.$inferType

/** One move of points: everything that one operation did to one wallet. */
export const PointsTransaction = builder.prismaNode('Op', {
  nullable: true,
  variant: 'PointsTransaction',
  description: 'Everything that one operation did to one wallet.',
  id: { resolve: ({ transactionId }) => transactionId },
  findUnique: (id, context) => ({
    tenantId_transactionId: { tenantId: context.db.tenantId, transactionId: id },
    walletId: { not: null },
    AND: ownOnly(context, (memberId) => ({ wallet: { memberId } })),
  }),
  authScopes: { reads: 'points:read' },
  select: { transactionId: true },
  fields: (t) => ({
    kind: t.field({
      type: PointsTransactionKind,
      description: 'What it is.',
      select: { kind: true },
      resolve: ({ kind }) => kind as Kind, // the ledger's functions write these
    }),
    points: t.field({
      type: 'Points',
      description: 'How many points it is about; never negative.',
      select: { points: true },
      resolve: ({ points }) => points ?? 0n,
    }),
    reason: t.string({
      description: 'Why, in words for the member.',
      select: { reason: true },
      resolve: ({ reason }) => reason ?? '',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    bookedAt: t.expose('bookedAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
})

const nowOf = loader<string, WalletNow>(async (ids, { db }) => {
  const wallets = await walletsNow(db, ids)
  return ids.map((id) => wallets.get(id) ?? new TypeError(`no wallet ${id}`))
})

/** By wallet and duration, `<wallet> <duration>`: one statement for each duration that is asked for. */
const expiringOf = loader<string, readonly ExpiringPoints[]>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [wallet: string, within: string]) // as `expiring` makes them
  const byWithin = Map.groupBy(asked, ([, within]) => within)
  const answers = new Map(
    await Promise.all(
      [...byWithin].map(
        async ([within, pairs]) =>
          [
            within,
            await expiringWithin(
              db,
              within,
              pairs.map(([wallet]) => wallet),
            ),
          ] as const,
      ),
    ),
  )
  return asked.map(([wallet, within]) => answers.get(within)?.get(wallet) ?? [])
})

const ExpiringPointsType = builder.objectRef<ExpiringPoints>('ExpiringPoints').implement({
  description: 'Points that die at one instant.',
  fields: (t) => ({
    points: t.expose('points', { type: 'Points', description: 'How many.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'From when on they cannot be spent.' }),
  }),
})

/** A member's points of one currency. Its figures are true now, whether or not a job has booked what is due. */
export const Wallet = builder.prismaNode('Wallet', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'points:read' },
  select: { id: true },
  fields: (t) => ({
    currency: t.exposeString('currency'),
    available: t.field({
      type: 'Points',
      description: 'What can be spent now.',
      select: { id: true, dueAt: true, available: true },
      resolve: (wallet, _args, context) => amountOf('available', wallet, context),
    }),
    pending: t.field({
      type: 'Points',
      description: 'What becomes spendable later.',
      select: { id: true, dueAt: true, pending: true },
      resolve: (wallet, _args, context) => amountOf('pending', wallet, context),
    }),
    held: t.field({
      type: 'Points',
      description: 'What holds reserve.',
      select: { id: true, dueAt: true, held: true },
      resolve: (wallet, _args, context) => amountOf('held', wallet, context),
    }),
    debt: t.field({
      type: 'Points',
      description: 'What is owed after points already spent were taken back; new earnings repay it first.',
      select: { id: true, dueAt: true, debt: true },
      resolve: (wallet, _args, context) => amountOf('debt', wallet, context),
    }),
    expiring: t.field({
      type: [ExpiringPointsType],
      description: 'The points that die within a time, soonest first. At most 50.',
      args: {
        within: t.arg({
          type: 'Duration',
          required: true,
          description: 'How far to look ahead, as in P30D.',
        }),
      },
      select: { id: true },
      resolve: ({ id }, { within }, context) => expiringOf(context, `${id} ${within}`),
    }),
  }),
})

/** An amount as it is now: the booked one until the next instant at which the clock changes it. */
function amountOf<Amount extends keyof WalletNow>(
  amount: Amount,
  wallet: { readonly id: string; readonly dueAt: Date | null } & Pick<WalletNow, Amount>,
  context: Context,
): bigint | Promise<bigint> {
  const { dueAt } = wallet
  if (dueAt === null) return wallet[amount]
  return completeValue(context.now(), (now) =>
    dueAt > now ? wallet[amount] : nowOf(context, wallet.id).then((present) => present[amount]),
  )
}

builder.prismaObjectField(Member, 'wallet', (t) =>
  t.field({
    type: Wallet,
    nullable: true,
    description: "The member's points of one currency; null when there never were any.",
    authScopes: { reads: 'points:read' },
    args: { currency: t.arg.string({ description: "Which points; the tenant's usual ones when left out." }) },
    select: (
      args: { currency?: string | null },
      _context: unknown,
      nested: (selection: object) => object,
    ) => ({
      wallets: nested({ where: { currency: args.currency ?? 'POINTS' }, take: 1 }),
    }),
    resolve: ({ wallets }: { wallets: (typeof Wallet.$inferType)[] }) => wallets[0] ?? null,
  }),
)

/** The fields of a payload of this shape. */
export type PayloadFields<Payload extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>

/** The field `wallet` of a payload that knows which it changed. */
export const walletOf = <Payload extends { readonly wallet: string }>(t: PayloadFields<Payload>) =>
  t.prismaField({
    type: Wallet,
    nullable: true,
    description: 'The wallet, as it is now.',
    resolve: (query, { wallet }, _args, { db }) =>
      read(db).wallet.findFirst({ ...query, where: { id: wallet } }),
  })

/** The field `transaction` of a payload that knows it; null when no points moved. */
export const transactionOf = <Payload extends { readonly transaction: string | null }>(
  t: PayloadFields<Payload>,
) =>
  t.prismaField({
    type: PointsTransaction,
    nullable: true,
    description: 'The points transaction; null when no points moved.',
    resolve: async (query, { transaction }, _args, { db }) =>
      transaction === null
        ? null
        : read(db).op.findFirst({ ...query, where: { transactionId: transaction, walletId: { not: null } } }),
  })
