import { createHash } from 'node:crypto'
import type { ChannelContext } from '@engawa/sdk'
import type { Log } from '../platform/log.ts'

/**
 * The log as a plugin has it: secrets are taken out and addresses hashed wherever they appear in what it says, in
 * names of fields too.
 */
export function pluginLog(
  log: Log,
  {
    channel,
    secrets,
    addresses,
  }: { channel: string; secrets: readonly string[]; addresses: readonly string[] },
): ChannelContext<unknown>['log'] {
  const clean = (text: string) => {
    const bare = secrets.filter(Boolean).reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
    return addresses
      .filter(Boolean)
      .reduce((safe, address) => safe.replaceAll(address, hashedAddress(address)), bare)
  }
  return (event, fields = {}) => {
    log.info({ channel, plugin: cleaned(fields, clean, 4) }, clean(event))
  }
}

/** An address as it may stand in a log: the same for the same address, and no way back from it. */
function hashedAddress(address: string): string {
  return `address:${createHash('sha256').update(address).digest('hex').slice(0, 12)}`
}

function cleaned(value: unknown, clean: (text: string) => string, depth: number): unknown {
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
