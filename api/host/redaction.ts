import { createHash } from 'node:crypto'

/** What may not be written down: secrets, and addresses of members. */
export interface Private {
  readonly secrets: readonly string[]
  readonly addresses: readonly string[]
}

/** Takes secrets out of a text and hashes addresses, wherever they stand in it. */
export function redactor({ secrets, addresses }: Private): (text: string) => string {
  const longestFirst = (texts: readonly string[]) => texts.filter(Boolean).sort((a, b) => b.length - a.length)
  const [hidden, hashed] = [longestFirst(secrets), longestFirst(addresses)]
  return (text) => {
    const bare = hidden.reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
    return hashed.reduce((safe, address) => safe.replaceAll(address, hashedAddress(address)), bare)
  }
}

/** Every text of a configuration's secrets; some plugins take lists, for two to be good at once. */
export function secretTexts(names: readonly string[], config: unknown): string[] {
  return names.flatMap((name) => textsIn(Reflect.get(Object(config), name)))
}

/** Every text in a value, however deep, numbers as they are written. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

/** The same value with every text in it cleaned, names of fields too, to a depth. */
export function cleaned(value: unknown, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return clean(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (depth === 0) return '[deeper]'
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => cleaned(item, clean, depth - 1))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Error) return { type: value.constructor.name, message: clean(value.message) }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), cleaned(item, clean, depth - 1)]),
  )
}

/** An address as it may stand in a log: the same for the same address, and no way back from it. */
function hashedAddress(address: string): string {
  return `address:${createHash('sha256').update(address).digest('hex').slice(0, 12)}`
}
