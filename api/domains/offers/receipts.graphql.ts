import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { Offer, OfferWay, offerByVersion } from './graphql.ts'
import { progressOf, type Reached } from './store.ts'

const OfferState = builder.enumType('OfferState', {
  description: 'How a receipt stands.',
  values: {
    ISSUED: { description: 'The member has it.' },
    VIEWED: { description: 'The member has seen it.' },
    COMPLETED: { description: 'A purchase completed it.' },
    USED: { description: 'What it was worth has been used.' },
    EXPIRED: { description: 'It ended before it was completed.' },
    REVERSED: { description: 'It was completed, and what completed it was given back.' },
  },
})

interface Progress extends Reached {
  readonly needed: bigint
}

const OfferProgress = builder.objectRef<Progress>('OfferProgress').implement({
  description: 'How far a receipt has come, in one currency.',
  fields: (t) => ({
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'Of both amounts.' }),
    reached: t.expose('reached', {
      type: 'Minor',
      description: 'What was bought for so far, or the largest single purchase.',
    }),
    needed: t.expose('needed', { type: 'Minor', description: 'What is enough.' }),
    missing: t.field({
      type: 'Minor',
      description: 'What is still missing; 0 when it is enough.',
      resolve: ({ reached, needed }) => (needed > reached ? needed - reached : 0n),
    }),
  }),
})

const reachedOf = loader<string, readonly Reached[]>(async (ids, { db }) => {
  const found = await progressOf(db, ids)
  return ids.map((id) => found.get(id) ?? [])
})

const completionOf = loader<string, Date | null>(async (ids, { db }) => {
  const rows = await read(db).offerCompletion.findMany({
    select: { receiptId: true, at: true },
    where: { receiptId: { in: [...ids] }, reversedAt: null },
  })
  const found = new Map(rows.map(({ receiptId, at }) => [receiptId, at]))
  return ids.map((id) => found.get(id) ?? null)
})

/** An offer that a member has. */
export const OfferReceipt = builder.prismaNode('OfferReceipt', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'offers:read' },
  select: { id: true },
  fields: (t) => ({
    offer: t.field({
      type: Offer,
      description: 'The offer, in the version that counts for this receipt.',
      select: { offer: true, version: true },
      resolve: ({ offer, version }, _args, context) => offerByVersion(context, `${version} ${offer}`),
    }),
    key: t.exposeString('key'),
    way: t.field({
      type: OfferWay,
      description: 'How the member came by it.',
      select: { way: true },
      resolve: ({ way }) => way as typeof OfferWay.$inferType, // a check constraint holds it, and the next
    }),
    state: t.field({
      type: OfferState,
      description: 'How it stands now.',
      select: { state: true, dueAt: true },
      resolve: async ({ state, dueAt }, _args, context) =>
        // What is over is over, whether or not a job has booked it.
        dueAt !== null && dueAt <= (await context.now())
          ? 'EXPIRED'
          : (state as typeof OfferState.$inferType),
    }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime' }),
    endsAt: t.expose('endsAt', { type: 'DateTime', nullable: true }),
    viewedAt: t.expose('viewedAt', { type: 'DateTime', nullable: true }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the purchase was that completed it; null while none has.',
      select: { id: true, state: true },
      resolve: ({ id, state }, _args, context) =>
        state === 'COMPLETED' || state === 'USED' ? completionOf(context, id) : null,
    }),
    usedAt: t.expose('usedAt', { type: 'DateTime', nullable: true }),
    progress: t.field({
      type: [OfferProgress],
      description:
        'How far it has come, in each currency that counts, the furthest first. At most 20; empty for offers without a threshold.',
      select: { id: true, offer: true, version: true },
      resolve: ({ id, offer, version }, _args, context) => progressFor(id, `${version} ${offer}`, context),
    }),
  }),
})

async function progressFor(receipt: string, offer: string, context: Context): Promise<Progress[]> {
  const [{ threshold, isAbove, currency }, reached] = await Promise.all([
    offerByVersion(context, offer),
    reachedOf(context, receipt),
  ])
  if (threshold === null) return []
  const needed = isAbove ? threshold + 1n : threshold
  const begun = reached.slice(0, 20).map((each) => ({ ...each, needed }))
  // Nothing bought yet: all of it is missing, where it is known in which currency.
  return begun.length === 0 && currency !== null ? [{ currency, reached: 0n, needed }] : begun
}

/** Receipts by their ids, with every column; one statement. */
export const receiptById = loader<string, ReceiptRow | null>(async (ids, { db }) => {
  const rows = await read(db).offerReceipt.findMany({ where: { id: { in: [...ids] } } })
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id) ?? null)
})

/** A receipt as the reader gives it. */
export type ReceiptRow = Awaited<ReturnType<ReturnType<typeof read>['offerReceipt']['findFirstOrThrow']>>

const OfferReceiptConnection = connectionOf(OfferReceipt, 'OfferReceipt')

builder.prismaObjectFields(Member, (t) => ({
  offerReceipts: t.relatedConnection(
    'offerReceipts',
    {
      type: OfferReceipt,
      description:
        'Every offer that the member was given or took, the last first. For the member itself and who may read offers.',
      nullable: true,
      authScopes: { reads: 'offers:read' },
      cursor: 'tenantId_id',
      query: { orderBy: { id: 'desc' } },
    },
    OfferReceiptConnection,
  ),
}))
