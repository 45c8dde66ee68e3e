import { deliveryKey, type Outcome, type Unknown } from '@engawa/sdk'
import type { Attempt, OpenChannel, Prepared } from '../channels/index.ts'
import { mayRepeat, type Settlement, type Standing, settlementOf, type Wish } from './dispositions.ts'
import type { Claim } from './store.ts'

/** How long one call of a channel may take, in milliseconds of real time. An attempt makes at most two. */
const callMs = 8_000

/** What an attempt has to know of the touch and its member. */
export interface Occasion {
  readonly wish: Wish
  readonly expiresAt: Date | null
  readonly locale: string
  readonly timeZone: string
  /** Where the member can stop messages of this kind; undefined for service messages. */
  readonly unsubscribeUrl: string | undefined
  /** Whether another channel remains. */
  readonly hasNext: boolean
  /** The tenant's clock. */
  now(): Date
}

/** Makes one claimed attempt, and decides what follows. Nothing is written here. */
export async function attempt(channel: OpenChannel, claimed: Claim, occasion: Occasion): Promise<Settlement> {
  const { now, expiresAt } = occasion
  const replyToken = claimed.reply_token ?? undefined
  const standing: Standing = {
    // A reply goes another way than a message of ours, which may not know the key.
    idempotency:
      replyToken === undefined && !claimed.is_reply ? channel.capabilities.idempotency : { mode: 'none' },
    wish: occasion.wish,
    attempt: claimed.attempt,
    firstAttemptAt: new Date(claimed.first_attempt_at),
    now: now(),
    expiresAt,
    hasNext: occasion.hasNext,
    chance: Math.random(),
    earlier: claimed.unknown,
  }
  const unasked = { ...standing, isAsked: false }
  if (claimed.unknown && !mayRepeat(standing)) return settlementOf(claimed.unknown, unasked)
  const message: Attempt = {
    key: deliveryKey(claimed.key),
    attempt: claimed.attempt,
    locale: occasion.locale,
    timeZone: occasion.timeZone,
    withinMs: callMs,
    now,
    ...(occasion.unsubscribeUrl !== undefined && { unsubscribeUrl: occasion.unsubscribeUrl }),
    ...(expiresAt && { expiresAt }),
    ...(replyToken !== undefined && { replyToken }),
  }
  const preparation = await channel.prepare(claimed.content, claimed.address, message)
  if (!preparation.ok) return settlementOf({ is: 'refused', fault: preparation.fault }, unasked)
  const outcome = await ask(channel, message, {
    prepared: preparation.prepared,
    earlier: claimed.unknown,
  })
  return settlementOf(outcome, { ...standing, now: now() })
}

async function ask(
  channel: OpenChannel,
  message: Attempt,
  { prepared, earlier }: { prepared: Prepared; earlier: Unknown | null },
): Promise<Outcome> {
  if (earlier && channel.capabilities.idempotency.mode === 'lookup') {
    const found = await channel.reconcile(message)
    // Only when the provider is sure that it never came may it be sent again.
    if (found.is !== 'refused' || found.fault.disposition.do !== 'later') return found
  }
  return channel.send(message, prepared)
}
