import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { connectionOf } from '../../graph/relay.ts'
import { PointsTransaction, Wallet } from './graphql.ts'
import { Bucket, type BucketName } from './postings.graphql.ts'
import { type Proof, type ProofDebt, type ProofLine, proofsOf } from './statement.store.ts'

const StatementLine = builder.objectRef<ProofLine>('StatementLine').implement({
  description: 'A posting, as it is hashed: `seq lot from to points`.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'Its place in the transaction.' }),
    lot: t.exposeString('lot', { description: 'The lot, as the text names it.' }),
    from: t.field({
      type: Bucket,
      description: 'Where the points were.',
      resolve: ({ from }) => from as BucketName, // an enum of the database
    }),
    to: t.field({
      type: Bucket,
      description: 'Where they went.',
      resolve: ({ to }) => to as BucketName, // likewise
    }),
    points: t.expose('points', { type: 'Points', description: 'How many.' }),
  }),
})

const StatementDebt = builder.objectRef<ProofDebt>('StatementDebt').implement({
  description: 'A change of what is owed, as it is hashed: `debt seq kind points`.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'Its place in the transaction.' }),
    kind: t.exposeString('kind', { description: 'RAISED, REPAID or LOST.' }),
    points: t.expose('points', { type: 'Points', description: 'How many.' }),
  }),
})

const PointsProof = builder.objectRef<Proof>('PointsProof').implement({
  description:
    "What proves a transaction: its hash is SHA-256 over the hash of the wallet's transaction before it (nothing for the first) and a text of lines: `version transaction kind instant`, then the lines, then the debts. `docs/verify-statement.mjs` does it.",
  fields: (t) => ({
    version: t.expose('version', { type: 'Points', description: 'Its number in the wallet, from 1.' }),
    transaction: t.exposeString('transaction', { description: 'The transaction, as the text names it.' }),
    kind: t.exposeString('kind', { description: 'Its kind, as the text names it.' }),
    instant: t.string({
      description: 'When it happened: microseconds since 1970 in UTC.',
      resolve: ({ micros }) => micros,
    }),
    lines: t.field({
      type: [StatementLine],
      description: 'Its postings in order. At most 100,000.',
      resolve: ({ lines }) => [...lines],
    }),
    debts: t.field({
      type: [StatementDebt],
      description: 'What it changed of what is owed, in order. At most 2.',
      resolve: ({ debts }) => [...debts],
    }),
    hash: t.exposeString('hash', { description: 'Its hash in hexadecimal.' }),
  }),
})

const proofOf = loader<string, Proof>(async (ids, { db }) => {
  const proofs = await proofsOf(db, ids)
  return ids.map((id) => proofs.get(id) ?? new TypeError(`no transaction ${id}`))
})

builder.prismaObjectField(PointsTransaction, 'proof', (t) =>
  t.field({
    type: PointsProof,
    description: 'What proves that nothing of it was changed afterwards.',
    select: { transactionId: true },
    resolve: ({ transactionId }, _args, context) => proofOf(context, transactionId),
  }),
)

const PointsTransactionConnection = connectionOf(PointsTransaction, 'PointsTransaction')

builder.prismaObjectField(Wallet, 'statement', (t) =>
  t.relatedConnection(
    'transactions',
    {
      type: PointsTransaction,
      description:
        'Everything that ever happened in this wallet, oldest first: to be checked from its proofs.',
      nullable: true,
      cursor: 'tenantId_transactionId',
      extensions: { cursorColumns: ['tenantId', 'transactionId'] },
      query: { orderBy: { walletVersion: 'asc' } },
    },
    PointsTransactionConnection,
  ),
)

builder.prismaObjectField(Wallet, 'version', (t) =>
  t.expose('version', { type: 'Points', description: 'How many transactions have been booked in it.' }),
)

builder.prismaObjectField(Wallet, 'hash', (t) =>
  t.string({
    nullable: true,
    description: 'The hash of the last transaction, which covers all before it; null while there is none.',
    select: { headHash: true },
    resolve: ({ headHash }) => headHash && Buffer.from(headHash).toString('hex'),
  }),
)
