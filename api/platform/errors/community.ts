import { DomainError } from './failure.ts'

/** Why something that is seen may not be acted upon. */
export const DENIALS = {
  NOT_ENABLED: 'The space is switched off.',
  NOT_JOINED: 'One has to join this space first.',
  NOT_INVITED: 'This space is entered by invitation alone.',
  NOT_MODERATOR: 'This is for moderators of the space.',
  NOT_AUTHOR: 'This is for whoever wrote it.',
  OWN: 'This is for others than whoever wrote it.',
  AUDIENCE: 'This is for members whom a rule names.',
  LOCKED: 'It was closed or taken away.',
  RETIRED: 'It takes in nobody any more.',
  NOT_READY: 'The space lacks something that it needs before anybody comes.',
  NOT_COVERED: 'Nobody is there now; the space opens again in so many seconds.',
  NO_PERMISSION: 'Whoever wrote it has not agreed to that.',
  IDEA_CLOSED: 'The idea was decided: it takes no votes any more.',
  VOTES_USED_UP: 'The member has not so many votes left in this space.',
  POLL_CLOSED: 'The poll is over.',
  GATHERING_OVER: 'The gathering is over.',
  RESEARCH_CLOSED: 'The panel or test sale is closed.',
  SOLD_OUT: 'There are not so many left.',
  LIMIT_REACHED: 'The member may not have so many.',
  NOT_TAKEN: 'This is for those who took something.',
  TOO_OFTEN: 'One did this too often; wait before the next.',
  REPEATED: 'One wrote the very same just now.',
  WATCHED_WORD: 'A word is in it that is not wanted here.',
  SUSPENDED: 'The membership rests, and only staff can end that.',
  MEMBERSHIP: 'The membership opens nothing now.',
  NO_MESSAGES: 'This member takes no messages from the one who writes.',
  TOO_MANY: 'There were too many in a short time.',
  WIDER_READERS: 'Some would read it who may not read what it comes from; say that this is right.',
} as const

/** The name of such a reason. */
export type Denial = keyof typeof DENIALS

/** What is seen may not be acted upon like this. */
export class AccessDeniedError extends DomainError {
  readonly code = 'ACCESS_DENIED'
  readonly reason: Denial
  /** The audience rule that would open it, as AudienceInput writes it; null when no rule decides. */
  readonly unlock: unknown
  /** In how many seconds it may be tried again; null when waiting does not help. */
  readonly retryAfter: number | null
  constructor(reason: Denial, unlock: unknown, retryAfter: number | null = null) {
    super(DENIALS[reason])
    this.reason = reason
    this.unlock = unlock
    this.retryAfter = retryAfter
  }
}

/** Somebody else decided the case, or more came to it, meanwhile. */
export class CaseChangedError extends DomainError {
  readonly code = 'CASE_CHANGED'
  /** The version of the case now. */
  readonly version: number
  constructor(version: number) {
    super(`The case is in version ${version} by now. Look at it again.`)
    this.version = version
  }
}

/** Why a file cannot become part of something. */
export type AssetUnfitness = keyof typeof ASSET_UNFIT

const ASSET_UNFIT = {
  NOT_UPLOADED: 'its bytes have not come',
  NOT_AS_ANNOUNCED: 'its bytes are not of the type or the size that was announced',
  TAKEN: 'it is part of something else, or not there',
  TOO_MANY: 'there are 20 files already',
} as const

/** The file cannot become part of this. */
export class AssetUnfitError extends DomainError {
  readonly code = 'ASSET_UNFIT'
  readonly reason: AssetUnfitness
  constructor(reason: AssetUnfitness) {
    super(`This file cannot be attached: ${ASSET_UNFIT[reason]}.`)
    this.reason = reason
  }
}

/** The lesson is not open to the member. `opensAt` is null when it does not open by itself. */
export class LessonLockedError extends DomainError {
  readonly code = 'LESSON_LOCKED'
  readonly isEnrolled: boolean
  readonly opensAt: Date | null
  constructor(isEnrolled: boolean, opensAt: Date | null) {
    super(
      !isEnrolled
        ? 'One has to enrol in the course of this lesson first.'
        : opensAt
          ? `This lesson opens at ${opensAt.toISOString()}.`
          : 'This lesson opens after something that the member has not done yet.',
    )
    this.isEnrolled = isEnrolled
    this.opensAt = opensAt
  }
}

/** The space is switched off. */
export class SpaceNotEnabledError extends DomainError {
  readonly code = 'SPACE_NOT_ENABLED'
  /** The key of the space. */
  readonly key: string
  constructor(key: string) {
    super(`The space ${key} is switched off.`)
    this.key = key
  }
}

/** Another answer is accepted than the caller believed. */
export class AcceptedAnswerChangedError extends DomainError {
  readonly code = 'ACCEPTED_ANSWER_CHANGED'
  /** Id (uuid) of the answer that is accepted; null: none is. */
  readonly answer: string | null
  constructor(answer: string | null) {
    super(answer === null ? 'No answer is accepted any more.' : 'Another answer was accepted meanwhile.')
    this.answer = answer
  }
}
