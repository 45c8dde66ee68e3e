import { builder } from '../../graph/builder.ts'
import { ownOnly } from '../../graph/own.ts'
import { connectionOf } from '../../graph/relay.ts'
import { PointsTransaction, Wallet } from './graphql.ts'

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
