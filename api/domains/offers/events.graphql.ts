import type { Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import {
  offerClaimed,
  offerCompleted,
  offerExpired,
  offerIssued,
  offerReversed,
  offerStockChanged,
  offerUsed,
  offerViewed,
} from './events.ts'
import { OfferReceipt } from './receipts.graphql.ts'

const ofReceipt = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) => ({
  offer: t.string({ description: 'The key of the offer.', resolve: (event) => factOf(event, 'offer') }),
  receipt: t.prismaField({
    type: OfferReceipt,
    nullable: true,
    description: 'The receipt, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).offerReceipt.findFirst({ ...query, where: { id: factOf(event, 'receipt') } }),
  }),
})

eventType(offerIssued, ofReceipt)
eventType(offerClaimed, ofReceipt)
eventType(offerViewed, ofReceipt)
eventType(offerCompleted, ofReceipt)
eventType(offerUsed, ofReceipt)
eventType(offerExpired, ofReceipt)
eventType(offerReversed, ofReceipt)

eventType(offerStockChanged, (t) => ({
  offer: t.string({ description: 'The key of the offer.', resolve: (event) => factOf(event, 'offer') }),
  remaining: t.int({
    description: 'How many were left then.',
    resolve: (event) => Number(factOf(event, 'remaining')),
  }),
}))
