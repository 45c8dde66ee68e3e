import {
  CODES,
  ConfirmationExpiredError,
  MembershipEndedError,
  TransitionNotAllowedError,
} from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'
import { ErrorInterface } from './failure.ts'

builder.objectType(MembershipEndedError, {
  name: 'MembershipEndedError',
  description: CODES.MEMBERSHIP_ENDED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    endedAt: t.expose('endedAt', { type: 'DateTime', description: 'When the membership ended.' }),
  }),
})

builder.objectType(TransitionNotAllowedError, {
  name: 'TransitionNotAllowedError',
  description: CODES.TRANSITION_NOT_ALLOWED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The key of the stage where the member stands.' }),
    to: t.exposeString('to', { description: 'The key of the stage that was asked for.' }),
    allowed: t.stringList({
      description: 'The keys of the stages that it may be moved to by hand. At most 50.',
      resolve: ({ allowed }) => [...allowed],
    }),
  }),
})

builder.objectType(ConfirmationExpiredError, {
  name: 'ConfirmationExpiredError',
  description: CODES.CONFIRMATION_EXPIRED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expiredAt: t.expose('expiredAt', { type: 'DateTime', description: 'Until when it could be answered.' }),
  }),
})
