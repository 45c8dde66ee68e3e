import { isIPv6 } from 'node:net'
import { textsIn } from './redaction.ts'

/**
 * The hosts that stand in an address: of the addresses of the web in it, of its mail addresses, and texts that are
 * host names themselves. Lower case.
 */
export function hostsIn(address: unknown): ReadonlySet<string> {
  return new Set(textsIn(address).flatMap(hostsOf).map(hostName))
}

/** A host in the one spelling that two of them are compared by. */
export function hostName(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
  // An address has many spellings, and one inside of a URL.
  const url = `http://${isIPv6(bare) ? `[${bare}]` : bare}/`
  return URL.canParse(url) ? new URL(url).hostname : bare
}

function hostsOf(text: string): string[] {
  const trimmed = text.trim()
  const url = URL.canParse(trimmed) ? [new URL(trimmed).hostname] : []
  const afterAt = trimmed.includes('@') ? [trimmed.slice(trimmed.lastIndexOf('@') + 1)] : []
  const [withoutPort = ''] = trimmed.split(/:\d+$/)
  // The end of an IPv6 address looks like a port.
  return [...url, ...afterAt, trimmed, withoutPort].filter(Boolean)
}
