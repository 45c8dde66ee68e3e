import type { DeliveryKey, Signal } from '@engawa/sdk'
import { addressesIn } from './addresses.ts'
import type { Fields } from './fields.ts'
import { keyOfEnvelopeId, keyOfMessageId, keyOfReturned, keyOfReturnPath } from './key.ts'
import type { Mail } from './message.ts'
import { storable } from './storable.ts'

/**
 * What a report is about: the delivery, by whatever of ours came back with it; the address; and the Message-ID of
 * what was sent. A report that says none of it is about itself, which is about nobody.
 */
export function aboutOf(
  mail: Mail,
  { address, envelopeId }: { address: string | undefined; envelopeId: string | undefined },
): Signal['about'] {
  const key = keyOf(mail, envelopeId)
  const providerId = storable(mail.returned?.first('message-id') ?? envelopeId ?? '', 500)
  const about = { ...(key && { key }), ...(providerId && { providerId }), ...(address && { address }) }
  return Object.keys(about).length > 0 ? about : aboutItself(mail)
}

/** For what is about no delivery and nobody's address. */
export function aboutItself({ header }: Mail): Signal['about'] {
  return { providerId: storable(header.first('message-id') ?? '', 500) || 'no message id' }
}

/** Where the address that a report was sent to stands, by the habits of those who put mail into mailboxes. */
const recipientFields = [
  'to',
  'delivered-to',
  'x-original-to',
  'envelope-to',
  'x-envelope-to',
  'apparently-to',
]

/**
 * The key of the delivery: from the return path that the message was sent to, from the envelope id that an MTA gives
 * back, from the returned message, or from the Message-ID that is answered.
 */
export function keyOf(mail: Mail, envelopeId?: string): DeliveryKey | undefined {
  const { header } = mail
  return (
    keyOfReturnPath(recipientFields.flatMap((name) => header.all(name)).join(' ')) ??
    keyOfEnvelopeId(envelopeId) ??
    keyOfReturned(mail.returnedText) ??
    keyOfMessageId(`${header.first('in-reply-to')} ${header.first('references')}`)
  )
}

/** Whom a returned message was for; nobody when that was taken out of it. */
export function recipientsReturned(returned: Fields | undefined): string[] {
  const named = returned?.first('x-hmxmroriginalrecipient') ?? returned?.first('to')
  return addressesIn(named).filter((address) => !/^(?:redacted|undisclosed)/i.test(address))
}
