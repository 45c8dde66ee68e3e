import type { ReceiptKind, Signal } from '@engawa/sdk'
import type { ToldSignal } from '../domains/channels/index.ts'
import type { Log } from '../platform/log.ts'
import { readAddress } from './address.ts'
import type { AnyDefinition } from './definition.ts'

const kinds: Readonly<Record<ReceiptKind, true>> = {
  accepted: true,
  delivered: true,
  deferred: true,
  failed: true,
  bounced: true,
  complained: true,
  seen: true,
  opened: true,
  clicked: true,
  replied: true,
  unsubscribed: true,
  resubscribed: true,
  blocked: true,
  unblocked: true,
  addressGone: true,
  addressChanged: true,
}

/**
 * Reads what a plugin reported. What is no signal is left out and counted in the log; of addresses only the identity
 * goes on. Plugins may be plain JavaScript, so types are no proof.
 */
export async function readSignals(
  definition: AnyDefinition,
  signals: readonly Signal[],
  log: Log,
): Promise<readonly ToldSignal[]> {
  const good = signals.filter(isSignal)
  const left = signals.length - good.length
  if (left > 0) log.warn({ channel: definition.id, left }, 'A plugin reported what is no signal.')
  return Promise.all(good.map((signal) => told(definition, signal)))
}

async function told(definition: AnyDefinition, { about, ...signal }: Signal): Promise<ToldSignal> {
  const { key, providerId, address } = about
  return {
    ...signal,
    ...(isKey(key) && { key: key.toLowerCase() }),
    ...(isText(providerId) && { providerId: providerId.slice(0, 500) }),
    ...(isText(address) && { identity: await identityOf(definition, address) }),
  }
}

/** What suppression knows the address by; a text that is no address of the channel stands for itself. */
async function identityOf(definition: AnyDefinition, text: string): Promise<string> {
  const read = await readAddress(definition, text)
  return read.ok ? read.identity : text
}

function isSignal(signal: Signal): boolean {
  const { kind, dedupeKey, occurredAt, about } = Object(signal) as Partial<Signal> // every part is looked at
  return (
    typeof kind === 'string' &&
    Object.hasOwn(kinds, kind) &&
    isText(dedupeKey) &&
    dedupeKey.length <= 500 &&
    occurredAt instanceof Date &&
    !Number.isNaN(occurredAt.getTime()) &&
    typeof about === 'object' &&
    about !== null &&
    (isKey(about.key) || isText(about.providerId) || isText(about.address))
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}
