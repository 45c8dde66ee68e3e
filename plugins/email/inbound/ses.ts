import { z } from 'zod'
import { aboutItself } from './about.ts'
import { isAddress } from './addresses.ts'
import type { Finding, Kept } from './finding.ts'
import { keyHeader, keyOfEnvelopeId } from './key.ts'
import type { Mail } from './message.ts'
import { storable } from './storable.ts'

const recipient = z.looseObject({
  emailAddress: z.string(),
  status: z.string().optional(),
  action: z.string().optional(),
  diagnosticCode: z.string().optional(),
})

/** What Amazon SES notifies of, by its documentation; the words of `eventType` are those of `notificationType`. */
const notification = z.looseObject({
  mail: z.looseObject({
    messageId: z.string(),
    headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  }),
  bounce: z
    .looseObject({
      bounceType: z.string(),
      timestamp: z.string().optional(),
      bouncedRecipients: z.array(recipient).min(1).max(100),
    })
    .optional(),
  complaint: z
    .looseObject({
      timestamp: z.string().optional(),
      complaintFeedbackType: z.string().nullish(),
      complainedRecipients: z.array(recipient).min(1).max(100),
    })
    .optional(),
})
type Notification = z.infer<typeof notification>

/**
 * What a notification of Amazon SES says that its SNS sends by mail: JSON in the text, perhaps broken into lines by
 * relays. Undefined for any other message; nothing for one of a delivery.
 */
export function findNotification(mail: Mail, kept: Kept): Finding[] | undefined {
  const isFromSns =
    mail.header.has('x-amz-sns-message-id') || /@sns\.amazonaws\.com$/i.test(mail.from.address)
  const told = isFromSns ? read(mail.text) : undefined
  if (!told) return undefined
  const key = keyOfEnvelopeId(
    told.mail.headers?.find(({ name }) => name.toLowerCase() === keyHeader.toLowerCase())?.value,
  )
  const aboutOf = (address: string) => {
    const about = { ...(key && { key }), ...(isAddress(address) && { address }) }
    return { ...(Object.keys(about).length > 0 ? {} : aboutItself(mail)), ...about }
  }
  return [...bounces(told, { kept, aboutOf }), ...complaints(told, { kept, aboutOf })]
}

interface Reading {
  readonly kept: Kept
  readonly aboutOf: (address: string) => Finding['about']
}

function bounces({ bounce }: Notification, { kept, aboutOf }: Reading): Finding[] {
  const { bounceType = '', bouncedRecipients = [], timestamp } = bounce ?? {}
  const permanence = permanences[bounceType.toLowerCase()] ?? 'undetermined'
  return bouncedRecipients.map(({ emailAddress, status, action, diagnosticCode }) => ({
    kind: 'bounced',
    about: aboutOf(emailAddress),
    bounce: {
      permanence,
      ...(/^[45]\.\d{1,3}\.\d{1,3}$/.test(status ?? '') && { enhancedStatus: `${status}` }),
    },
    ...atOf(timestamp),
    raw: {
      ...kept,
      ...(action && { action: storable(action, 500) }),
      ...(diagnosticCode && { diagnostic: storable(diagnosticCode, 500) }),
    },
  }))
}

const permanences: Readonly<Record<string, 'permanent' | 'transient'>> = {
  permanent: 'permanent',
  transient: 'transient',
}

function complaints({ complaint }: Notification, { kept, aboutOf }: Reading): Finding[] {
  const { complainedRecipients = [], complaintFeedbackType, timestamp } = complaint ?? {}
  if (complaintFeedbackType === 'not-spam') return []
  const raw = { ...kept, feedbackType: storable(complaintFeedbackType ?? 'other', 500) }
  return complainedRecipients.map(({ emailAddress }) => ({
    kind: 'complained',
    about: aboutOf(emailAddress),
    ...atOf(timestamp),
    raw,
  }))
}

function read(text: string): Notification | undefined {
  const [begin, end] = [text.indexOf('{'), text.lastIndexOf('}')]
  if (text.slice(0, Math.max(begin, 0)).trim() !== '' || end < begin) return undefined
  try {
    // Some relays break long lines with `!`, a line end and a blank.
    const told: unknown = JSON.parse(text.slice(begin, end + 1).replace(/!?\n ?/g, ''))
    const inner: unknown = Reflect.get(Object(told), 'Message') // where SNS sends its own frame too
    return notification.safeParse(typeof inner === 'string' ? JSON.parse(inner) : told).data
  } catch {
    return undefined
  }
}

function atOf(timestamp: string | undefined): { at?: Date } {
  const at = new Date(timestamp ?? '')
  return Number.isNaN(at.getTime()) ? {} : { at }
}
