import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { positive, text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  AlreadyDecidedError,
  BadInputError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  MembershipEndedError,
  OperatorLimitReachedError,
  OwnRequestError,
  raise,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { adjustPoints, decideAdjustment, extendPoints, transferPoints } from './byhand.ts'
import { type PayloadFields, PointsTransaction, transactionOf, Wallet, walletOf } from './graphql.ts'

const REASON = 'Why, in words for the member; 1 to 200 characters.'
const CURRENCY = "Which points; the tenant's usual ones when left out."

mutation('transferPoints', {
  description:
    'Moves points from one member to another, in burn order. They keep their dates. Needs: `points:write`. Emits: `points.transferred`, `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, InsufficientPointsError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    to: t.field({ type: MemberByInput, required: true, description: 'Who gets them; another member.' }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: CURRENCY }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, to, points, currency, reason }, { db }, operation) =>
    raise(
      await transferPoints(
        db,
        {
          member: memberRef(member, 'input.member'),
          to: memberRef(to, 'input.to'),
          points: positive(points, 'input.points'),
          currency,
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({
    wallet: walletOf(t),
    transaction: transactionOf(t),
    toWallet: t.prismaField({
      type: Wallet,
      nullable: true,
      description: 'The wallet that got them, as it is now.',
      resolve: (query, { to_wallet: id }, _args, { db }) =>
        read(db).wallet.findFirst({ ...query, where: { id } }),
    }),
    toTransaction: t.prismaField({
      type: PointsTransaction,
      nullable: true,
      description: 'The points transaction of that wallet.',
      resolve: (query, { to_transaction: transactionId }, _args, { db }) =>
        read(db).op.findFirst({ ...query, where: { transactionId } }),
    }),
  }),
})

mutation('extendPoints', {
  description:
    'Lets points of a member live longer that would die soon. Needs: `points:write`. Emits: `points.extended`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    currency: t.string({ description: CURRENCY }),
    within: t.field({
      type: 'Duration',
      required: true,
      description: 'Those that die within this time from now, as in P30D.',
    }),
    by: t.field({ type: 'Duration', required: true, description: 'How much longer they live, as in P90D.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, reason, ...extension }, { db }, operation) =>
    raise(
      await extendPoints(
        db,
        {
          ...extension,
          member: memberRef(member, 'input.member'),
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({
    wallet: walletOf(t),
    points: t.expose('points', { type: 'Points', description: 'How many points live longer.' }),
  }),
})

const AdjustmentKind = builder.enumType('AdjustmentKind', {
  description: 'Why points were moved by hand.',
  values: {
    ADJUSTMENT: { description: 'To put something right.' },
    DELIGHT: { description: 'To delight somebody, out of the budget of the operator.' },
  },
})

const AdjustmentState = builder.enumType('AdjustmentState', {
  description: 'What became of a move by hand.',
  values: {
    DONE: { description: 'Done at once.' },
    REQUESTED: { description: 'Waits for another operator.' },
    APPROVED: { description: 'Another operator approved it, and it was done.' },
    REJECTED: { description: 'Another operator rejected it; nothing was moved.' },
  },
})

/** A move of points by hand. For staff and integrations. */
export const Adjustment = builder.prismaNode('Adjustment', {
  nullable: true,
  description: 'A move of points by hand, and who answers for it.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'points:read' },
  select: { id: true },
  fields: (t) => ({
    // Check constraints hold these two.
    kind: t.field({
      type: AdjustmentKind,
      description: 'Why.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof AdjustmentKind.$inferType,
    }),
    state: t.field({
      type: AdjustmentState,
      description: 'What became of it.',
      select: { state: true },
      resolve: ({ state }) => state as typeof AdjustmentState.$inferType,
    }),
    member: t.relation('member', { description: 'Whose points.' }),
    currency: t.exposeString('currency', { description: 'Which points.' }),
    points: t.expose('points', {
      type: 'Points',
      description: 'How many points; below zero when they are taken away.',
    }),
    reason: t.exposeString('reason', { description: 'Why, in words for the member.' }),
    requestedBy: t.exposeString('requestedBy', { description: 'Who asked for it, as in staff:anna.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
    decidedBy: t.exposeString('decidedBy', {
      nullable: true,
      description: 'Who decided it; null when nobody has, or had to.',
    }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was decided.',
    }),
    note: t.exposeString('note', { nullable: true, description: 'What whoever decided it had to say.' }),
  }),
})

const AdjustmentConnection = connectionOf(Adjustment, 'Adjustment')

builder.queryField('adjustments', (t) =>
  t.prismaConnection(
    {
      type: Adjustment,
      nullable: true,
      description: 'Moves of points by hand, newest first: the audit of staff.',
      authScopes: { lists: 'points:read' },
      cursor: 'tenantId_id',
      args: {
        state: t.arg({ type: AdjustmentState, description: 'Only those; all when left out.' }),
        operator: t.arg.string({
          description: "Only those that this operator asked for; everybody's when left out.",
        }),
      },
      resolve: (query, _root, { state, operator }, { db }) =>
        read(db).adjustment.findMany({
          ...query,
          where: { ...(state != null && { state }), ...(operator != null && { requestedBy: operator }) },
          orderBy: [{ requestedAt: 'desc' }, { id: 'desc' }],
        }),
    },
    AdjustmentConnection,
  ),
)

const adjustmentOf = <Payload extends { readonly adjustment: string }>(t: PayloadFields<Payload>) =>
  t.prismaField({
    type: Adjustment,
    nullable: true,
    description: 'The adjustment, as it is now.',
    resolve: (query, { adjustment: id }, _args, { db }) =>
      read(db).adjustment.findFirst({ ...query, where: { id } }),
  })

mutation('adjustPoints', {
  description:
    'Adds points by hand, or takes them away. More than the limit of the program is only asked for: another operator has to approve it. Needs: `points:write`. Emits: `points.posted`, `points.adjustment_requested`.',
  scopes: { writes: 'points:write' },
  errors: [
    IdempotencyKeyReusedError,
    InsufficientPointsError,
    MembershipEndedError,
    OperatorLimitReachedError,
  ],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    points: t.field({
      type: 'Points',
      required: true,
      description: 'How many are added; below zero to take away. Not zero.',
    }),
    currency: t.string({ description: CURRENCY }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, points, currency, reason }, { db }, operation) =>
    raise(
      await adjustPoints(
        db,
        {
          kind: 'ADJUSTMENT',
          member: memberRef(member, 'input.member'),
          points: notZero(points, 'input.points'),
          currency,
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ adjustment: adjustmentOf(t), transaction: transactionOf(t) }),
})

mutation('grantDelight', {
  description:
    'Gives points outside all rules to delight somebody, out of the budget that the operator has for a month. Needs: `points:write`. Emits: `points.posted`.',
  scopes: { writes: 'points:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError, OperatorLimitReachedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who is to be delighted.' }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: CURRENCY }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, points, currency, reason }, { db }, operation) =>
    raise(
      await adjustPoints(
        db,
        {
          kind: 'DELIGHT',
          member: memberRef(member, 'input.member'),
          points: positive(points, 'input.points'),
          currency,
          reason: text(reason, 'input.reason', 200),
        },
        operation,
      ),
    ),
  payload: (t) => ({ adjustment: adjustmentOf(t), transaction: transactionOf(t) }),
})

mutation('approveAdjustment', {
  description:
    'Approves what another operator asked for, and does it. Needs: `points:approve`. Emits: `points.adjustment_decided`, `points.posted`.',
  scopes: { writes: 'points:approve' },
  errors: [
    IdempotencyKeyReusedError,
    OwnRequestError,
    AlreadyDecidedError,
    InsufficientPointsError,
    MembershipEndedError,
  ],
  input: (t) => ({
    adjustment: t.id({ required: true, description: 'The adjustment.' }),
    note: t.string({ description: 'A word on it, for staff; 1 to 500 characters.' }),
  }),
  resolve: async ({ adjustment, note }, { db }, operation) =>
    raise(await decideAdjustment(db, decision(adjustment, note, true), operation)),
  payload: (t) => ({ adjustment: adjustmentOf(t), transaction: transactionOf(t) }),
})

mutation('rejectAdjustment', {
  description:
    'Rejects what another operator asked for; nothing is moved. Needs: `points:approve`. Emits: `points.adjustment_decided`.',
  scopes: { writes: 'points:approve' },
  errors: [IdempotencyKeyReusedError, OwnRequestError, AlreadyDecidedError],
  input: (t) => ({
    adjustment: t.id({ required: true, description: 'The adjustment.' }),
    note: t.string({ description: 'A word on it, for staff; 1 to 500 characters.' }),
  }),
  resolve: async ({ adjustment, note }, { db }, operation) =>
    raise(await decideAdjustment(db, decision(adjustment, note, false), operation)),
  payload: (t) => ({ adjustment: adjustmentOf(t) }),
})

builder.objectField(AlreadyDecidedError, 'state', (t) =>
  t.field({ type: AdjustmentState, description: 'What became of it.', resolve: ({ state }) => state }),
)

function decision(adjustment: string, note: string | null | undefined, approves: boolean) {
  return {
    adjustment: idOf('Adjustment', adjustment, 'input.adjustment'),
    note: note == null ? null : text(note, 'input.note', 500),
    approves,
  }
}

function notZero(points: bigint, field: string): bigint {
  if (points !== 0n) return points
  throw new BadInputError(field, `${field} must not be zero.`)
}
