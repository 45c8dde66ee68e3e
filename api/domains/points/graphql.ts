import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { type ExpiringPoints, expiringWithin, type WalletNow, walletsNow } from './wallets.store.ts'

const Bucket = builder.enumType('Bucket', {
  description: 'Where points of a lot can be.',
  values: {
    ISSUE: { description: 'Outside the lot: where points come from.' },
    PENDING: { description: 'Granted, and spendable later.' },
    AVAILABLE: { description: 'Spendable.' },
    HELD: { description: 'Reserved by a hold.' },
    SPENT: { description: 'Spent.' },
    EXPIRED: { description: 'Past their date.' },
    REVOKED: { description: 'Taken back, or used to repay a debt.' },
  },
})
type BucketName = typeof Bucket.$inferType

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

/** What became of a hold. */
export const HoldState = builder.enumType('HoldState', {
  description: 'What became of a hold.',
  values: {
    OPEN: { description: 'It reserves its points.' },
    CAPTURED: { description: 'Its points were spent, as far as asked; the rest went back.' },
    VOIDED: { description: 'It was let go; its points went back.' },
    EXPIRED: { description: 'Its time ran out; its points went back.' },
  },
})
type HoldStateName = typeof HoldState.$inferType

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

/** One move inside a lot. */
export const Posting = builder.prismaNode('Posting', {
  nullable: true,
  id: { resolve: ({ transactionId, seq }) => `${transactionId}.${seq}` },
  findUnique: (id, context) => {
    const [transactionId = '', seq = '0'] = id.split('.')
    return {
      tenantId_transactionId_seq: { tenantId: context.db.tenantId, transactionId, seq: Number(seq) },
      AND: ownOnly(context, (memberId) => ({ wallet: { memberId } })),
    }
  },
  authScopes: { reads: 'points:read' },
  select: { transactionId: true, seq: true },
  fields: (t) => ({
    transaction: t.relation('transaction', {
      type: PointsTransaction,
      description: 'The operation it is part of.',
    }),
    from: t.field({
      type: Bucket,
      description: 'Where the points were.',
      select: { fromBucket: true },
      resolve: ({ fromBucket }) => fromBucket.toUpperCase() as BucketName, // an enum of the database
    }),
    to: t.field({
      type: Bucket,
      description: 'Where they went.',
      select: { toBucket: true },
      resolve: ({ toBucket }) => toBucket.toUpperCase() as BucketName, // likewise
    }),
    points: t.expose('amount', { type: 'Points', description: 'How many points moved.' }),
    at: t.field({
      type: 'DateTime',
      description: 'When it happened.',
      select: { transaction: { select: { at: true } } },
      resolve: ({ transaction }) => transaction.at,
    }),
    bookedAt: t.field({
      type: 'DateTime',
      description: 'When it was written.',
      select: { transaction: { select: { bookedAt: true } } },
      resolve: ({ transaction }) => transaction.bookedAt,
    }),
    explanation: t.string({
      description: 'The move in a sentence that may be shown to the member.',
      select: {
        amount: true,
        fromBucket: true,
        toBucket: true,
        transaction: { select: { reason: true, kind: true } },
        lot: { select: { sourceType: true, rule: true, ruleVersion: true, expiresAt: true } },
      },
      resolve: explain,
    }),
  }),
})

interface Explained {
  readonly amount: bigint
  readonly fromBucket: string
  readonly toBucket: string
  readonly transaction: { readonly reason: string | null; readonly kind: string }
  readonly lot: {
    readonly sourceType: string
    readonly rule: string
    readonly ruleVersion: number | null
    readonly expiresAt: Date | null
  }
}

function explain({ amount, fromBucket, toBucket, transaction, lot }: Explained): string {
  const why = transaction.reason ? `: ${transaction.reason}` : ''
  const rule =
    lot.rule && fromBucket.toUpperCase() === 'ISSUE'
      ? `, by the rule ${lot.rule} (version ${lot.ruleVersion ?? 1})`
      : ''
  const until =
    lot.expiresAt && toBucket.toUpperCase() === 'AVAILABLE'
      ? `, good until ${lot.expiresAt.toISOString().slice(0, 10)}`
      : ''
  return `${amount} points ${fromBucket.toLowerCase()} → ${toBucket.toLowerCase()}${why}${rule}${until}.`
}

const PostingConnection = connectionOf(Posting, 'Posting')

builder.prismaObjectField(Wallet, 'postings', (t) =>
  t.relatedConnection(
    'postings',
    {
      description: 'Every move of points of this wallet, newest first.',
      nullable: true,
      cursor: 'tenantId_transactionId_seq',
      query: { orderBy: [{ walletVersion: 'desc' }, { seq: 'desc' }] },
    },
    PostingConnection,
  ),
)

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

/** Points that a member has reserved. */
export const Hold = builder.prismaNode('Hold', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ wallet: { memberId } })),
  }),
  authScopes: { reads: 'points:read' },
  select: { id: true },
  fields: (t) => ({
    points: t.expose('amount', { type: 'Points', description: 'How many points were reserved.' }),
    state: t.field({
      type: HoldState,
      description: 'What became of it, by the clock too.',
      select: { state: true, expiresAt: true },
      resolve: ({ state, expiresAt }, _args, context) =>
        completeValue(
          context.now(),
          (now) => (state === 'OPEN' && expiresAt <= now ? 'EXPIRED' : state) as HoldStateName, // a check holds it
        ),
    }),
    captured: t.expose('captured', { type: 'Points', description: 'How many of them were spent.' }),
    released: t.field({
      type: 'Points',
      description: 'How many of them went back.',
      select: { state: true, expiresAt: true, released: true, amount: true },
      resolve: ({ state, expiresAt, released, amount }, _args, context) =>
        completeValue(context.now(), (now) => (state === 'OPEN' && expiresAt <= now ? amount : released)),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it lets go by itself.' }),
  }),
})

type PayloadFields<Payload extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>

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

/** The field `hold` of a payload that knows which it changed. */
export const holdOf = <Payload extends { readonly hold: string }>(t: PayloadFields<Payload>) =>
  t.prismaField({
    type: Hold,
    nullable: true,
    description: 'The hold, as it is now.',
    resolve: (query, { hold }, _args, { db }) => read(db).hold.findFirst({ ...query, where: { id: hold } }),
  })
