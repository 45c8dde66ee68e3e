import { aboutItself, aboutOf, keyOf, recipientsReturned } from './about.ts'
import { isAddress } from './addresses.ts'
import { isAutomatic, isBulk } from './automatic.ts'
import { mailDate } from './date.ts'
import { type RecipientStatus, readRecipients } from './delivery-status.ts'
import { type Feedback, isTechnical, readFeedback } from './feedback.ts'
import { Fields, readGroups } from './fields.ts'
import type { Finding, Kept } from './finding.ts'
import { isFromMailSystem, readNotice } from './free-text.ts'
import type { Mail } from './message.ts'
import { isAnswer, readReply } from './reply.ts'
import { findNotification } from './ses.ts'
import { storable } from './storable.ts'

/** A report tells of no more recipients than this; our own messages have one. */
const mostRecipients = 100
/** How much of a message is kept, and of each of its fields. */
const keptText = 4_000
const keptField = 500

/** What a provider notifies of in a form of its own; undefined when the message is no such thing. */
export function findNotifications(mail: Mail): Finding[] | undefined {
  return findNotification(mail, keptOf(mail, []))
}

/** What a feedback report says; undefined when the message is none. */
export function findFeedback(mail: Mail): Finding[] | undefined {
  const feedback = feedbackIn(mail)
  if (!feedback) return undefined
  if (feedback.is === 'none') return []
  const kind = feedback.is === 'optOut' ? 'unsubscribed' : 'complained'
  const raw = { ...keptOf(mail, [feedback.fields]), feedbackType: feedback.type }
  const at = atOf(mail)
  if (isTechnical(feedback)) return [{ kind, about: aboutItself(mail), ...at, raw }]
  return complainants(feedback, mail).map((address) => {
    return { kind, about: aboutOf(mail, { address, envelopeId: raw.originalEnvelopeId }), ...at, raw }
  })
}

function feedbackIn(mail: Mail): Feedback | undefined {
  const part = mail.leaves.find(({ type }) => type === 'message/feedback-report')
  if (part) return readFeedback(readGroups(part.text))
  const lost = readGroups(mail.text).filter(
    (group) => group.has('feedback-type') && (group.has('user-agent') || group.has('version')),
  )
  if (lost.length > 0) return readFeedback(lost)
  // Microsoft's junk mail reports have no fields of a report, only this one in the message that they return.
  const isJunkReport = mail.returned?.has('x-hmxmroriginalrecipient')
  return isJunkReport ? readFeedback([new Fields([['feedback-type', 'abuse']])]) : undefined
}

function complainants({ addresses }: Feedback, { returned }: Mail): readonly (string | undefined)[] {
  const found = addresses.length > 0 ? addresses : recipientsReturned(returned)
  return found.length > 0 ? found.slice(0, mostRecipients) : [undefined]
}

/** What a delivery report says of those who did not get the message; undefined when the message is none. */
export function findFailures(mail: Mail): Finding[] | undefined {
  const groups = reportGroups(mail)
  const recipients = readRecipients(groups)
  if (recipients.length === 0) return undefined
  const kept = keptOf(mail, groups)
  return recipients.slice(0, mostRecipients).flatMap((recipient) => failureOf(recipient, { mail, kept }))
}

function failureOf(
  { address, outcome, status, fields }: RecipientStatus,
  { mail, kept }: { mail: Mail; kept: Kept },
): Finding[] {
  if (outcome === 'none') return []
  const [action, diagnostic] = [fields.first('action'), fields.first('diagnostic-code')]
  return [
    {
      kind: outcome === 'delayed' ? 'deferred' : 'bounced',
      about: aboutOf(mail, { address, envelopeId: kept.originalEnvelopeId }),
      bounce: {
        permanence: outcome === 'delayed' ? 'transient' : outcome,
        ...(status && { enhancedStatus: status }),
      },
      ...atOf(mail, fields.first('last-attempt-date')),
      raw: {
        ...kept,
        ...(action && { action: storable(action, keptField) }),
        ...(diagnostic && { diagnostic: storable(diagnostic, keptField) }),
      },
    },
  ]
}

/** The fields of a delivery report, from its part; from its text where the parts were lost on the way. */
function reportGroups(mail: Mail): Fields[] {
  const parts = mail.leaves.filter(({ type }) => /^message\/(?:global-|x)?delivery-status$/.test(type))
  if (parts.length > 0) return parts.flatMap(({ text }) => readGroups(text))
  if (!isReport(mail) && !isFromMailSystem(mail)) return []
  const groups = readGroups(mail.said)
  const tellsOfOne = (group: Fields) =>
    (group.has('final-recipient') || group.has('original-recipient')) &&
    (group.has('action') || group.has('status'))
  return groups.some(tellsOfOne)
    ? groups.filter((group) => tellsOfOne(group) || group.has('reporting-mta'))
    : []
}

/** A notice of failure in free text, or a delivery report that tells of nobody; undefined when it is neither. */
export function findNotices(mail: Mail): Finding[] | undefined {
  const notices = readNotice(mail)
  const found = notices.length === 0 && isReport(mail) ? [{ permanence: 'undetermined' as const }] : notices
  if (found.length === 0) return undefined
  const raw = keptOf(mail, [])
  return found.slice(0, mostRecipients).map(({ address, permanence, status }) => ({
    kind: 'bounced',
    about: aboutOf(mail, { address, envelopeId: undefined }),
    bounce: { permanence, ...(status && { enhancedStatus: status }) },
    ...atOf(mail),
    raw,
  }))
}

/** Says that it reports of a delivery. */
function isReport({ root }: Mail): boolean {
  return (
    root.type === 'multipart/report' && root.parameters['report-type']?.toLowerCase() === 'delivery-status'
  )
}

/** What a person or a machine answers; nothing for any other mail. */
export function findAnswer(mail: Mail): Finding[] {
  const { from } = mail
  const key = keyOf(mail)
  const address = isAddress(from.address) ? from.address : undefined
  const isReceipt = mail.root.type === 'multipart/report'
  const isFromMachine = isAutomatic(mail) || isReceipt
  if (!isFromMachine && (isBulk(mail) || !isAnswer(mail))) return []
  const about = key || address ? { ...(key && { key }), ...(address && { address }) } : aboutItself(mail)
  const at = atOf(mail)
  const raw = keptOf(mail, [])
  if (isFromMachine) return [{ kind: 'replied', machine: 'likely', about, ...at, raw }]
  return [{ kind: 'replied', machine: 'unlikely', reply: readReply(mail), about, ...at, raw }]
}

function keptOf(mail: Mail, groups: readonly Fields[]): Kept {
  const messageId = mail.header.first('message-id')
  const originalEnvelopeId = groups.map((group) => group.first('original-envelope-id')).find(Boolean)
  return {
    ...(messageId && { messageId: storable(messageId, keptField) }),
    subject: storable(mail.subject, keptField),
    ...(originalEnvelopeId && { originalEnvelopeId: storable(originalEnvelopeId, keptField) }),
    text: storable(mail.text.trim(), keptText),
  }
}

/** When it happened: by the report's own field, else when the message was written or at least taken over by an MTA. */
function atOf({ header }: Mail, said?: string): { at?: Date } {
  const received = header.first('received')?.split(';').at(-1)
  const [at] = [said, header.first('date'), received].flatMap((date) => mailDate(date) ?? [])
  return at ? { at } : {}
}
