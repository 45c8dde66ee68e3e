import { RequestError } from './failure.ts'

/** No token where one is needed, or a token that is not accepted. Sign-in throws subclasses. */
export class UnauthenticatedError extends RequestError {
  readonly code = 'UNAUTHENTICATED'
  constructor(message = 'This needs a token: send `Authorization: Bearer <token>`.') {
    super(message)
  }
}

/** The token is good, but its kind or scopes do not allow this. */
export class ForbiddenError extends RequestError {
  readonly code = 'FORBIDDEN'
  constructor(message = 'This token does not allow that.') {
    super(message)
  }
}

/** A wrong value. `field` is a path such as `input.lines.0.quantity`; the message says what would be right. */
export class BadInputError extends RequestError {
  readonly code = 'BAD_INPUT'
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** Too large for one operation, or too soon. `retryAfter` is in seconds; absent when waiting cannot help. */
export class TooCostlyError extends RequestError {
  readonly code = 'TOO_COSTLY'
  readonly retryAfter?: number
  constructor(message: string, retryAfter?: number) {
    super(message)
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }
}

/** A part of the service is away. `retryAfter` is in seconds. */
export class UnavailableError extends RequestError {
  readonly code = 'UNAVAILABLE'
  readonly retryAfter: number
  constructor(message = 'The service is not available for the moment. Try again shortly.', retryAfter = 1) {
    super(message)
    this.retryAfter = retryAfter
  }
}
