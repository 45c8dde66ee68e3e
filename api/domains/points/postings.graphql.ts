import { builder } from '../../graph/builder.ts'
import { ownOnly } from '../../graph/own.ts'
import { connectionOf } from '../../graph/relay.ts'
import { type Cuts, causeOf, multipliersOf, PostingCause } from './earnings.graphql.ts'
import { PointsTransaction, Wallet } from './graphql.ts'
import { type Move, moveSentence } from './sentence.ts'

/** Where points of a lot can be. */
export const Bucket = builder.enumType('Bucket', {
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
/** The name of one. */
export type BucketName = typeof Bucket.$inferType

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
      description: "The move in a sentence in the member's language, which may be shown to the member.",
      select: {
        amount: true,
        fromBucket: true,
        toBucket: true,
        transaction: { select: { reason: true } },
        wallet: { select: { member: { select: { locale: true } } } },
        lot: {
          select: {
            rule: true,
            ruleVersion: true,
            expiresAt: true,
            earning: { select: { multipliers: true, points: true, cutCap: true, cutBudget: true } },
          },
        },
      },
      resolve: explain,
    }),
    cause: t.field({
      type: PostingCause,
      nullable: true,
      description: 'The rule that the points came from, and why not more; null for points of no rule.',
      select: {
        lot: {
          select: {
            sourceType: true,
            rule: true,
            ruleVersion: true,
            granted: true,
            earnBasis: { select: { baseMinor: true } },
            earning: { select: { multipliers: true, points: true, cutCap: true, cutBudget: true } },
          },
        },
      },
      resolve: ({ lot }) => causeOf(lot),
    }),
  }),
})

interface Explained {
  readonly amount: bigint
  readonly fromBucket: string
  readonly toBucket: string
  readonly transaction: { readonly reason: string | null }
  readonly wallet: { readonly member: { readonly locale: string } }
  readonly lot: {
    readonly rule: string
    readonly ruleVersion: number | null
    readonly expiresAt: Date | null
    readonly earning: (Cuts & { readonly multipliers: unknown }) | null
  }
}

function explain({ amount, fromBucket, toBucket, transaction, wallet, lot }: Explained): string {
  const isIssue = fromBucket.toUpperCase() === 'ISSUE'
  const { rule, ruleVersion, earning } = lot
  const isCut = earning !== null && earning.cutCap + earning.cutBudget > 0n
  const move: Move = {
    amount,
    from: fromBucket,
    to: toBucket,
    reason: transaction.reason,
    rule: rule && isIssue ? { key: rule, version: ruleVersion ?? 1 } : null,
    cuts:
      isIssue && isCut ? { points: earning.points, cap: earning.cutCap, budget: earning.cutBudget } : null,
    multipliers: isIssue ? multipliersOf(earning) : [],
    expiresAt: toBucket.toUpperCase() === 'AVAILABLE' ? lot.expiresAt : null,
  }
  return moveSentence(move, wallet.member.locale)
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
