import { addressParser } from 'postal-mime'

/** Whether it has the shape of an address; that somebody reads mail there is another matter. */
export function isAddress(text: string): boolean {
  return (
    text.length <= 254 &&
    text.isWellFormed() &&
    /^[^\s\p{Cc}@<>"(),:;[\]\\]{1,64}@[^\s\p{Cc}@<>"(),:;[\]\\]{1,190}$/u.test(text)
  )
}

/** The mailboxes that a header names, with their display names decoded; groups are opened. */
export function mailboxesIn(
  header: string | undefined,
): readonly { readonly name: string; readonly address: string }[] {
  if (!header) return []
  const found = addressParser(header.slice(0, 10_000), { flatten: true })
  return found.flatMap(({ name, address }) => (address === undefined ? [] : [{ name, address }]))
}

/** The addresses that a header names. */
export function addressesIn(header: string | undefined): string[] {
  return mailboxesIn(header).flatMap(({ address }) => (isAddress(address) ? [address] : []))
}

/**
 * The address in a field of a report, such as `rfc822; <taro@example.com> (comment)` or `utf-8; t\x{E4}ro@example.com`
 * (RFC 3464, RFC 6533); undefined for what is no address of mail.
 */
export function reportedAddress(field: string | undefined): string | undefined {
  const [, type, rest] = /^(?:([\w.-]{1,40})[ \t]*;)?(.{0,1000})/.exec(field ?? '') ?? []
  if (rest === undefined) return undefined
  const [, bracketed] = /<([^<>]{1,254})>/.exec(rest) ?? []
  const plain = (bracketed ?? rest.replace(/\([^()]{0,200}\)/g, ' ')).trim()
  const address = /^utf-8$/i.test(type ?? '') ? unescaped(plain) : plain
  return isAddress(address) ? address : undefined
}

function unescaped(address: string): string {
  return address.replace(/\\x\{([0-9a-f]{2,6})\}/gi, (whole, hex) => {
    const code = Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
