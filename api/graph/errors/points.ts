import {
  AlreadyDecidedError,
  CODES,
  DuplicateOrderError,
  DuplicateReferenceError,
  HoldExpiredError,
  HoldResolvedError,
  InsufficientPointsError,
  OperatorLimitReachedError,
  OwnRequestError,
  RefundExceedsPurchaseError,
} from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'
import { ErrorInterface } from './failure.ts'

builder.objectType(InsufficientPointsError, {
  name: 'InsufficientPointsError',
  description: CODES.INSUFFICIENT_POINTS.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    available: t.expose('available', { type: 'Points', description: 'What the wallet can spend now.' }),
    required: t.expose('required', { type: 'Points', description: 'What was asked for.' }),
  }),
})

builder.objectType(OperatorLimitReachedError, {
  name: 'OperatorLimitReachedError',
  description: CODES.OPERATOR_LIMIT_REACHED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    limit: t.expose('limit', { type: 'Points', description: 'What the operator may move in the period.' }),
    left: t.expose('left', { type: 'Points', description: 'What is left of it.' }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', description: 'When the next period begins.' }),
  }),
})

builder.objectType(OwnRequestError, {
  name: 'OwnRequestError',
  description: CODES.OWN_REQUEST.when,
  interfaces: [ErrorInterface],
})

// The points room adds `state`: it owns that type.
builder.objectType(AlreadyDecidedError, {
  name: 'AlreadyDecidedError',
  description: CODES.ALREADY_DECIDED.when,
  interfaces: [ErrorInterface],
})

// The purchases room adds `purchase`, the points room `state`: they own those types.
builder.objectType(DuplicateOrderError, {
  name: 'DuplicateOrderError',
  description: CODES.DUPLICATE_ORDER.when,
  interfaces: [ErrorInterface],
})

builder.objectType(DuplicateReferenceError, {
  name: 'DuplicateReferenceError',
  description: CODES.DUPLICATE_REFERENCE.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reference: t.exposeString('reference', { description: "The partner's number." }),
  }),
})

builder.objectType(HoldResolvedError, {
  name: 'HoldResolvedError',
  description: CODES.HOLD_RESOLVED.when,
  interfaces: [ErrorInterface],
})

builder.objectType(HoldExpiredError, {
  name: 'HoldExpiredError',
  description: CODES.HOLD_EXPIRED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expiredAt: t.expose('expiredAt', { type: 'DateTime', description: 'When the hold expired.' }),
  }),
})

builder.objectType(RefundExceedsPurchaseError, {
  name: 'RefundExceedsPurchaseError',
  description: CODES.REFUND_EXCEEDS_PURCHASE.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    refundable: t.expose('refundable', {
      type: 'Minor',
      description: 'What can still be given back: minor units of the purchase, or points of the spend.',
    }),
  }),
})
