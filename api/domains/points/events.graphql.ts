import type { Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { pointsExpired, pointsHeld, pointsPosted } from './events.ts'
import { PointsTransaction, Wallet } from './graphql.ts'
import { Hold } from './holds.graphql.ts'

const transactionOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: PointsTransaction,
    nullable: true,
    description: 'What happened.',
    resolve: (query, event, _args, { db }) =>
      read(db).op.findFirst({ ...query, where: { transactionId: factOf(event, 'transaction') } }),
  })

eventType(pointsPosted, (t) => ({
  transaction: transactionOf(t),
  wallet: t.prismaField({
    type: Wallet,
    nullable: true,
    description: 'The wallet, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).wallet.findFirst({ ...query, where: { id: factOf(event, 'wallet') } }),
  }),
}))

eventType(pointsHeld, (t) => ({
  hold: t.prismaField({
    type: Hold,
    nullable: true,
    description: 'The hold, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).hold.findFirst({ ...query, where: { id: factOf(event, 'hold') } }),
  }),
}))

eventType(pointsExpired, (t) => ({ transaction: transactionOf(t) }))
