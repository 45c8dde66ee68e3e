import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { positive, text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  HoldExpiredError,
  HoldResolvedError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  MembershipEndedError,
  RefundExceedsPurchaseError,
  raise,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { transactionOf, Wallet, walletOf } from './graphql.ts'
import { HoldState, holdOf } from './holds.graphql.ts'
import {
  captureHold,
  grantPoints,
  holdPoints,
  refundSpend,
  spendPoints,
  verify,
  voidHold,
} from './service.ts'

const REASON = 'Why, in words for the member; 1 to 200 characters.'
const CURRENCY = "Which points; the tenant's usual ones when left out."

mutation('grantPoints', {
  description: 'Gives points to a member. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who gets them.' }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: CURRENCY }),
    reason: t.string({ required: true, description: REASON }),
    availableAt: t.field({
      type: 'DateTime',
      description: 'When they become spendable; at once when left out.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'From when on they cannot be spent; never when left out.',
    }),
  }),
  resolve: async ({ member, points, reason, ...grant }, { db }, operation) =>
    raise(
      await grantPoints(
        db,
        {
          ...grant,
          member: memberRef(member, 'input.member'),
          points: positive(points, 'input.points'),
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ wallet: walletOf(t), transaction: transactionOf(t) }),
})

mutation('spendPoints', {
  description: 'Takes points from a wallet, in burn order. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, InsufficientPointsError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: CURRENCY }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, points, currency, reason }, { db }, operation) =>
    raise(
      await spendPoints(
        db,
        {
          member: memberRef(member, 'input.member'),
          points: positive(points, 'input.points'),
          currency,
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ wallet: walletOf(t), transaction: transactionOf(t) }),
})

mutation('refundSpend', {
  description:
    'Gives spent points back to the lots they came from; what is past its date dies at once. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, RefundExceedsPurchaseError],
  input: (t) => ({
    transaction: t.id({ required: true, description: 'The spend, or the capture of a hold.' }),
    points: t.field({ type: 'Points', description: 'How many; all that are left when left out.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ transaction, points, reason }, { db }, operation) =>
    raise(
      await refundSpend(
        db,
        {
          transaction: idOf('PointsTransaction', transaction, 'input.transaction'),
          points: points == null ? null : positive(points, 'input.points'),
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ wallet: walletOf(t), transaction: transactionOf(t) }),
})

mutation('holdPoints', {
  description:
    'Reserves points for a time, or fails now. Needs: `points:write`. Emits: `points.held`, `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, InsufficientPointsError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: CURRENCY }),
    expiresIn: t.field({ type: 'Duration', required: true, description: 'For how long, as in PT15M.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, points, currency, expiresIn, reason }, { db }, operation) =>
    raise(
      await holdPoints(
        db,
        {
          member: memberRef(member, 'input.member'),
          points: positive(points, 'input.points'),
          currency,
          expiresIn,
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ hold: holdOf(t), wallet: walletOf(t) }),
})

mutation('captureHold', {
  description:
    'Spends what a hold reserves, or less of it, and gives the rest back. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, HoldResolvedError, HoldExpiredError],
  input: (t) => ({
    hold: t.id({ required: true, description: 'The hold.' }),
    points: t.field({ type: 'Points', description: 'How many; all of them when left out.' }),
  }),
  resolve: async ({ hold, points }, { db }, operation) =>
    raise(
      await captureHold(
        db,
        {
          hold: idOf('Hold', hold, 'input.hold'),
          points: points == null ? null : positive(points, 'input.points'),
        },
        operation,
      ),
    ),
  payload: (t) => ({ hold: holdOf(t), wallet: walletOf(t), transaction: transactionOf(t) }),
})

mutation('voidHold', {
  description: 'Lets a hold go; its points go back. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, HoldResolvedError, HoldExpiredError],
  input: (t) => ({ hold: t.id({ required: true, description: 'The hold.' }) }),
  resolve: async ({ hold }, { db }, operation) =>
    raise(await voidHold(db, idOf('Hold', hold, 'input.hold'), operation)),
  payload: (t) => ({ hold: holdOf(t), wallet: walletOf(t) }),
})

builder.objectField(HoldResolvedError, 'state', (t) =>
  t.field({ type: HoldState, description: 'What became of the hold.', resolve: ({ state }) => state }),
)

type Check = Awaited<ReturnType<typeof verify>>

const LedgerDifference = builder.objectRef<Check['differences'][number]>('LedgerDifference').implement({
  description: 'A figure of a wallet that is not what its postings say.',
  fields: (t) => ({
    wallet: t.prismaField({
      type: Wallet,
      nullable: true,
      description: 'The wallet.',
      resolve: (query, { wallet }, _args, { db }) =>
        read(db).wallet.findFirst({ ...query, where: { id: wallet } }),
    }),
    expected: t.exposeString('expected', { description: 'What the postings say.' }),
    found: t.exposeString('found', { description: 'What stands there.' }),
  }),
})

const LedgerCheck = builder.objectRef<Check>('LedgerCheck').implement({
  description: 'What a recomputation of every wallet from its postings found.',
  fields: (t) => ({
    wallets: t.exposeInt('wallets', { description: 'How many wallets were checked.' }),
    differences: t.field({
      type: [LedgerDifference],
      description: 'Where they differ. Empty when the books are right. At most 100.',
      resolve: ({ differences }) => differences.slice(0, 100),
    }),
  }),
})

builder.queryField('ledgerCheck', (t) =>
  t.field({
    type: LedgerCheck,
    nullable: true,
    description: 'Recomputes every wallet of the tenant; slow on purpose. For staff.',
    authScopes: { staff: 'points:read' },
    resolve: (_root, _args, { db }) => verify(db),
  }),
)
