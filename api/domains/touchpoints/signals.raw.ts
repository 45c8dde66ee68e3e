/** How much is kept of what a provider sent. */
const most = { depth: 4, entries: 40, text: 200, bytes: 4_096 }

/** What a provider sent, short enough to be kept for people who look into it; null when nothing of it can be. */
export function shortened(raw: unknown): unknown {
  const short = shorter(raw, most.depth)
  return JSON.stringify(short ?? null).length <= most.bytes ? (short ?? null) : null
}

/** A text that the database can store, cut to so many characters. */
export function storableText(text: string, longest: number): string {
  return text.slice(0, longest).replaceAll('\0', '').toWellFormed()
}

function shorter(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value, most.text)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth === 0 || ArrayBuffer.isView(value)) return '…'
  if (Array.isArray(value)) return value.slice(0, most.entries).map((item) => shorter(item, depth - 1))
  const entries = Object.entries(value).slice(0, most.entries)
  return Object.fromEntries(
    entries.map(([name, item]) => [storableText(name, most.text), shorter(item, depth - 1)]),
  )
}
