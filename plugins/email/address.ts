import { domainToASCII } from 'node:url'
import { z } from 'zod'

/** An address that mail can be sent to, as a member gives it: no display name, no quoted local part, no address literal. */
export const addressSchema = z
  .string()
  .trim()
  .max(254, 'must be at most 254 characters')
  .refine(isMailable, 'must be a mail address such as taro@example.com')

/** One spelling: composed characters (NFC), and the host in lower case. The local part belongs to its host. */
export function normalise(address: string): string {
  const { local, domain } = partsOf(address.trim().normalize('NFC'))
  return `${local}@${lower(domain)}`
}

/**
 * What suppression goes by: the whole address in lower case, as the database's `lower` has it, which maps each
 * character on its own. No mailbox that matters tells upper case from lower.
 */
export function identity(address: string): string {
  return lower(normalise(address))
}

/** The address as it stands in SMTP: the host in ASCII. A local part beyond ASCII stays, for servers that take it. */
export function envelopeAddress(address: string): string {
  const { local, domain } = partsOf(address)
  return `${local}@${domainToASCII(domain)}`
}

/** The host of an address, in ASCII. */
export function domainOf(address: string): string {
  return domainToASCII(partsOf(address).domain)
}

/** Whether it is the name of a host in the public tree, in ASCII or not. */
export function isDomain(text: string): boolean {
  return /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,10}[a-z0-9-]{2,63}$/.test(
    domainToASCII(text),
  )
}

// Dots may stand anywhere: Japanese carriers once gave out addresses such as `a..b.@docomo.ne.jp`.
const localPart = /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}$/u

function isMailable(address: string): boolean {
  const { local, domain } = partsOf(address)
  return (
    localPart.test(local) && Buffer.byteLength(local) <= 64 && !/[\s\p{C}]/u.test(domain) && isDomain(domain)
  )
}

function partsOf(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@')
  return { local: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) }
}

/** Character by character: `toLowerCase` of a whole text looks at neighbours (Σ) and makes two of one (İ). */
function lower(text: string): string {
  return Array.from(text, (character) => Array.from(character.toLowerCase())[0] ?? '').join('')
}
