import type { Capabilities } from '@engawa/sdk'
import type { TenantClient } from '../../platform/db.ts'
import { isDeadlock } from '../../platform/outage.ts'
import type { ToldSignal } from '../channels/index.ts'
import { shortened, storableText } from './signals.raw.ts'
import { type NewSignal, takeCall } from './signals.store.ts'

/** The channel that reports. */
export interface Reporting {
  readonly id: string
  readonly kind: string
  readonly capabilities: Capabilities
}

/** Signals that go to the database at once; more of them are taken in turn, in the same transaction. */
const batch = 200
/** Others may take the same signals at the same moment, or send to the same members. */
const mostTries = 5

/**
 * Takes what a channel reports, each fact once, all of it or nothing; `also` is done in the same transaction. Returns
 * how many facts were new. Safe to be called again with the same.
 */
export async function takeSignals(
  tenant: TenantClient,
  channel: Reporting,
  { signals, also }: { readonly signals: readonly ToldSignal[]; also?(tx: TenantClient): Promise<void> },
): Promise<number> {
  const rows = [...new Map(signals.map((signal) => [signal.dedupeKey, rowOf(signal, channel)])).values()]
  for (let tries = 1; ; tries++) {
    try {
      return await tenant.transaction(async (tx) => {
        let taken = 0
        for (let from = 0; from < rows.length; from += batch) {
          taken += await takeCall(tx, channel, rows.slice(from, from + batch))
        }
        await also?.(tx)
        return taken
      })
    } catch (error) {
      if (tries >= mostTries || !isDeadlock(error)) throw error
    }
  }
}

function rowOf(signal: ToldSignal, { capabilities }: Reporting): NewSignal {
  const { kind, dedupeKey, occurredAt, key, providerId, identity, bounce, machine, reply, raw } = signal
  const ttl = capabilities.exclusiveReplyToken?.ttl
  return {
    kind,
    dedupe_key: storableText(dedupeKey, 500),
    occurred_at: occurredAt.toISOString(),
    key,
    provider_id: providerId,
    identity: identity === undefined ? undefined : storableText(identity, 500),
    permanence: oneOf(['permanent', 'transient', 'undetermined'], bounce?.permanence),
    status: bounce?.enhancedStatus === undefined ? undefined : storableText(bounce.enhancedStatus, 20),
    machine: oneOf(['likely', 'unlikely', 'unknown'], machine),
    reply_intent: oneOf(['stop', 'start', 'help', 'other'], reply?.intent),
    reply_text: typeof reply?.text === 'string' ? storableText(reply.text, 4_000) : undefined,
    ...(ttl !== undefined &&
      typeof reply?.token === 'string' && {
        reply_token: storableText(reply.token, 1_000),
        reply_seconds: Math.floor(ttl),
      }),
    raw: shortened(raw),
  }
}

/** Plugins may be plain JavaScript: another word counts as none. */
function oneOf<Word extends string>(words: readonly Word[], given: Word | undefined): Word | undefined {
  return words.find((word) => word === given)
}
