import type { Code } from './codes.ts'

/** An expected failure: the caller gets it as typed data, with its facts. */
export abstract class DomainError extends Error {
  abstract readonly code: Code
}

/** A well-formed id of nothing, or of somebody else's thing. */
export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND'
  /** The kind of thing, as in "member", "hold". */
  readonly what: string
  constructor(what: string) {
    super(`There is no such ${what}.`)
    this.what = what
  }
}

/** The idempotency key came with another mutation or another input before. */
export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED'
  constructor() {
    super('This idempotency key was used for another request. Use a new key for a new request.')
  }
}

/** Refuses a whole request, or one field of it: a top-level error with this code. */
export abstract class RequestError extends Error {
  abstract readonly code: Code
}
