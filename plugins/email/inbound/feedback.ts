import { addressesIn, reportedAddress } from './addresses.ts'
import type { Fields } from './fields.ts'

/** A complaint or an opt-out that a mailbox provider reports (RFC 5965 and its kin). */
export interface Feedback {
  /** `none`: a report that blames nothing on the message, such as `not-spam`. */
  readonly is: 'complaint' | 'optOut' | 'none'
  /** As it stands in the report, in lower case. */
  readonly type: string
  /** Whoever complained; empty when that was taken out of the report. */
  readonly addresses: readonly string[]
  readonly fields: Fields
}

/**
 * Types that ask for no more mail. RFC 5965 left them out in the end, and reports still have them.
 */
const optOuts: ReadonlySet<string> = new Set(['opt-out', 'opt-out-list', 'unsubscribe', 'optout'])
const harmless: ReadonlySet<string> = new Set(['not-spam'])
/** Tells of a message whose signature or origin did not hold (RFC 6591): nobody complained. */
const technical: ReadonlySet<string> = new Set(['auth-failure'])

/**
 * Reads the fields of a feedback report. An unknown type is a complaint, as RFC 5965 has it, and so is a report
 * without one. A report of a failed authentication is a complaint about nobody's message: it names no address.
 */
export function readFeedback(groups: readonly Fields[]): Feedback | undefined {
  const fields = groups.find((group) => group.has('feedback-type')) ?? groups[0]
  if (!fields) return undefined
  const type = /^[\w-]+/.exec(fields.first('feedback-type') ?? '')?.[0].toLowerCase() ?? 'other'
  const is = harmless.has(type) ? 'none' : optOuts.has(type) ? 'optOut' : 'complaint'
  return { is, type, addresses: technical.has(type) ? [] : complainants(fields), fields }
}

/** Whether nobody complained, so that no address may be taken from the returned message either. */
export function isTechnical({ type }: Feedback): boolean {
  return technical.has(type)
}

function complainants(fields: Fields): string[] {
  const named = ['original-rcpt-to', 'removal-recipient'].flatMap((name) =>
    fields.all(name).flatMap((value) => reportedAddress(value) ?? addressesIn(value)),
  )
  return [...new Set(named)]
}
