import { DomainError } from './failure.ts'

/** What is wrong with one place of a document. */
export interface Problem {
  /** As in `document.offers.spring.reward`. */
  readonly path: string
  /** What would be right. */
  readonly message: string
}

/** A program that cannot be published, with everything that is wrong with it. */
export class ProgramInvalidError extends DomainError {
  readonly code = 'PROGRAM_INVALID'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    const [first] = problems
    const more = problems.length > 1 ? ` There are ${problems.length - 1} problems more.` : ''
    super(`The program cannot be published: ${first?.message ?? 'it is wrong.'}${more}`)
    this.problems = problems
  }
}

/** Somebody published meanwhile. */
export class ProgramChangedError extends DomainError {
  readonly code = 'PROGRAM_CHANGED'
  readonly expected: number
  /** The version in force. */
  readonly version: number
  constructor(expected: number, version: number) {
    super(`Version ${version} of the program is in force, not ${expected}.`)
    this.expected = expected
    this.version = version
  }
}
