import { DomainError } from './failure.ts'

/** The member has left, was removed, or the membership ran out. */
export class MembershipEndedError extends DomainError {
  readonly code = 'MEMBERSHIP_ENDED'
  readonly endedAt: Date
  constructor(endedAt: Date) {
    super(`The membership ended at ${endedAt.toISOString()}.`)
    this.endedAt = endedAt
  }
}

/** The move is not one that staff may make by hand. All three speak of stage keys. */
export class TransitionNotAllowedError extends DomainError {
  readonly code = 'TRANSITION_NOT_ALLOWED'
  readonly from: string
  readonly to: string
  readonly allowed: readonly string[]
  constructor(from: string, to: string, allowed: readonly string[]) {
    const choice =
      allowed.length > 0 ? `allowed from there: ${allowed.join(', ')}` : 'no move is allowed from there'
    super(`A member cannot be moved from ${from} to ${to} by hand; ${choice}.`)
    this.from = from
    this.to = to
    this.allowed = allowed
  }
}

/** The member answered too late, or what was to be confirmed was withdrawn or removed meanwhile. */
export class ConfirmationExpiredError extends DomainError {
  readonly code = 'CONFIRMATION_EXPIRED'
  readonly expiredAt: Date
  constructor(expiredAt: Date) {
    super(`This confirmation expired at ${expiredAt.toISOString()}. Ask for a new one.`)
    this.expiredAt = expiredAt
  }
}
