import type { Finding } from './finding.ts'
import { findAnswer, findFailures, findFeedback, findNotices, findNotifications } from './findings.ts'
import { lookAt } from './message.ts'
import { readMessage } from './mime.ts'

/**
 * What a received message says of members and deliveries: one finding for each of them, none for ordinary mail.
 * Reports come first (Amazon's, RFC 5965, RFC 3464), then notices of failure in free text, then answers of machines
 * (RFC 3834) and of people. Pure: the same bytes give the same, and so do their copies with other line ends. Never
 * throws, whatever the bytes are.
 */
export function readMail(raw: Uint8Array): Finding[] {
  const mail = lookAt(readMessage(raw))
  return (
    findNotifications(mail) ??
    findFeedback(mail) ??
    findFailures(mail) ??
    findNotices(mail) ??
    findAnswer(mail)
  )
}
