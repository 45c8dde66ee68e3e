import { type DeliveryKey, deliveryKey } from '@engawa/sdk'

/** The header that carries the delivery key; complaints come back with the address taken out, but with it. */
export const keyHeader = 'X-Engawa-Delivery'

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const inReturnPath = new RegExp(`\\bbounce\\+(${uuid})@`, 'i')
const inHeader = new RegExp(`(?:^|\\n)[> \\t]*${keyHeader}:[ \\t]*(${uuid})`, 'i')
const inMessageId = new RegExp(`\\bengawa\\.(${uuid})@`, 'i')
const alone = new RegExp(`^[ \\t<]*(${uuid})[> \\t]*$`, 'i')

/** The Message-ID of a delivery. */
export function messageIdOf(key: DeliveryKey, domain: string): string {
  return `<engawa.${key}@${domain}>`
}

/** The return path of a delivery, to which reports of its failure come. */
export function returnPathOf(key: DeliveryKey, domain: string): string {
  return `bounce+${key}@${domain}`
}

/** The key that a return path carries. */
export function keyOfReturnPath(text: string | undefined): DeliveryKey | undefined {
  return keyIn(inReturnPath, text)
}

/** The key that an envelope id is. */
export function keyOfEnvelopeId(text: string | undefined): DeliveryKey | undefined {
  return keyIn(alone, text)
}

/** The key that a Message-ID, or a list of them, carries. */
export function keyOfMessageId(text: string | undefined): DeliveryKey | undefined {
  return keyIn(inMessageId, text)
}

/** The key that a returned message carries somewhere in its header. */
export function keyOfReturned(text: string): DeliveryKey | undefined {
  return keyIn(inHeader, text) ?? keyIn(inMessageId, text)
}

function keyIn(pattern: RegExp, text: string | undefined): DeliveryKey | undefined {
  const found = pattern.exec(text ?? '')?.[1]
  return found === undefined ? undefined : deliveryKey(found.toLowerCase())
}
