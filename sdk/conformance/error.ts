/**
 * A channel breaks a law. The message names the law and says what was expected, what was seen, and what to change.
 *
 * @example
 * ```ts
 * import { ConformanceError } from '@engawa/sdk/conformance'
 *
 * const error = new ConformanceError(
 *   { number: 9, name: 'an abort is heeded within 100 ms' },
 *   { expected: 'an end within 100 ms', seen: 'none', change: 'Pass ctx.signal on.' },
 * )
 * console.assert(error.law === 9 && error.message.includes('Pass ctx.signal on.'))
 * ```
 */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
  /** The number of the law. */
  readonly law: number
  readonly expected: string
  readonly seen: string
  readonly change: string

  constructor(law: { readonly number: number; readonly name: string }, finding: Finding) {
    const { expected, seen, change, isUnclear } = finding
    const verdict = isUnclear ? 'cannot be judged' : 'is broken'
    super(
      `Law ${law.number} ${verdict}: ${law.name}.\n  expected: ${expected}\n  seen:     ${seen}\n  change:   ${change}`,
    )
    this.law = law.number
    this.expected = expected
    this.seen = seen
    this.change = change
  }
}

/**
 * What was found wrong.
 *
 * @example
 * ```ts
 * import type { Finding } from '@engawa/sdk/conformance'
 *
 * const finding: Finding = { expected: 'one effect', seen: 'two', change: 'Send the key as a header.' }
 * console.assert(finding.seen === 'two')
 * ```
 */
export interface Finding {
  readonly expected: string
  readonly seen: string
  readonly change: string
  /** True when it is what the kit was told that is wrong, not the channel. */
  readonly isUnclear?: boolean
}
