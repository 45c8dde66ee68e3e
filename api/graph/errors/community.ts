import {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AssetUnfitError,
  CaseChangedError,
  CODES,
  DENIALS,
  type Denial,
  LessonLockedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'
import { ErrorInterface } from './failure.ts'

/** Why something that is seen may not be acted upon, or why something may not be read. */
export const DenialReason = builder.enumType('DenialReason', {
  description: 'Why something that is seen may not be acted upon.',
  values: Object.fromEntries(
    Object.entries(DENIALS).map(([reason, description]) => [reason, { description }]),
  ) as Record<Denial, { description: string }>, // the table's own keys
})

builder.objectType(AccessDeniedError, {
  name: 'AccessDeniedError',
  description: CODES.ACCESS_DENIED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reason: t.expose('reason', { type: DenialReason, description: 'Why.' }),
    unlock: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The audience rule that would open it, as AudienceInput writes it; null when no rule decides.',
      resolve: ({ unlock }) => unlock,
    }),
    retryAfter: t.exposeInt('retryAfter', {
      nullable: true,
      description: 'In how many seconds it may be tried again; null when waiting does not help.',
    }),
  }),
})

builder.objectType(CaseChangedError, {
  name: 'CaseChangedError',
  description: CODES.CASE_CHANGED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The version of the case now.' }),
  }),
})

// The content room adds `assetReason`.
builder.objectType(AssetUnfitError, {
  name: 'AssetUnfitError',
  description: CODES.ASSET_UNFIT.when,
  interfaces: [ErrorInterface],
})

builder.objectType(LessonLockedError, {
  name: 'LessonLockedError',
  description: CODES.LESSON_LOCKED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    isEnrolled: t.exposeBoolean('isEnrolled', { description: 'Whether the member is in the course at all.' }),
    opensAt: t.expose('opensAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it opens to the member; null: not by itself.',
    }),
  }),
})

builder.objectType(SpaceNotEnabledError, {
  name: 'SpaceNotEnabledError',
  description: CODES.SPACE_NOT_ENABLED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key of the space.' }),
  }),
})

// The questions room adds `answer`.
builder.objectType(AcceptedAnswerChangedError, {
  name: 'AcceptedAnswerChangedError',
  description: CODES.ACCEPTED_ANSWER_CHANGED.when,
  interfaces: [ErrorInterface],
})
