import type { Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Adjustment } from './byhand.graphql.ts'
import {
  adjustmentDecided,
  adjustmentRequested,
  pointsExpired,
  pointsExtended,
  pointsHeld,
  pointsPosted,
  pointsTransferred,
} from './events.ts'
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

const walletOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Wallet,
    nullable: true,
    description: 'The wallet, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).wallet.findFirst({ ...query, where: { id: factOf(event, 'wallet') } }),
  })

const adjustmentOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Adjustment,
    nullable: true,
    description: 'The adjustment, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).adjustment.findFirst({ ...query, where: { id: factOf(event, 'adjustment') } }),
  })

eventType(pointsPosted, (t) => ({ transaction: transactionOf(t), wallet: walletOf(t) }))

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

eventType(pointsTransferred, (t) => ({ transaction: transactionOf(t) }))

eventType(pointsExtended, (t) => ({
  wallet: walletOf(t),
  points: t.field({
    type: 'Points',
    description: 'How many points live longer.',
    resolve: (event) => BigInt(factOf(event, 'points')),
  }),
}))

eventType(adjustmentRequested, (t) => ({ adjustment: adjustmentOf(t) }))

eventType(adjustmentDecided, (t) => ({ adjustment: adjustmentOf(t) }))
