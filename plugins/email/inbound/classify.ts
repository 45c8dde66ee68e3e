import { classOfFinding, type Finding, type MailClass } from './finding.ts'
import { findAnswer, findFailures, findFeedback, findNotices } from './findings.ts'
import { lookAt } from './message.ts'
import { readMessage } from './mime.ts'

/** A received message, and what it says of members and deliveries: one finding for each of them. */
export interface Classified {
  readonly class: MailClass
  readonly findings: readonly Finding[]
}

/** From what changes most to what changes least; a message is what its weightiest finding is. */
const weights: readonly MailClass[] = [
  'COMPLAINT',
  'OPT_OUT',
  'PERMANENT_BOUNCE',
  'TRANSIENT_BOUNCE',
  'UNDETERMINED_BOUNCE',
  'REPLY',
  'AUTO_REPLY',
]

/**
 * Says what a received message is, and what follows from it. Reports come first (RFC 5965, then RFC 3464), then
 * notices of failure in free text, then answers of machines (RFC 3834) and of people. Pure: the same bytes give the
 * same answer, and so do their copies with other line ends. Never throws, whatever the bytes are.
 */
export function classify(raw: Uint8Array): Classified {
  const mail = lookAt(readMessage(raw))
  const findings = findFeedback(mail) ?? findFailures(mail) ?? findNotices(mail) ?? findAnswer(mail)
  const classes = new Set(findings.map(classOfFinding))
  return { class: weights.find((weight) => classes.has(weight)) ?? 'UNRECOGNISED', findings }
}
