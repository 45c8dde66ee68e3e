import { deliveryKey, type Outcome, type Unknown } from '@engawa/sdk'
import type { TenantClient } from '../../platform/db.ts'
import type { Attempt, Channel, Channels, OpenChannel, Opened, Prepared } from '../channels/index.ts'
import { mayRepeat, type Settlement, type Standing, settlementOf } from './dispositions.ts'
import { type Brief, type Claim, claim, decline, readBrief, settle, type Unclaimed } from './store.ts'
import { write } from './templates.ts'

/** How long one call of a channel may take, in milliseconds of real time. An attempt makes at most two. */
const callMs = 8_000
/** How long a claim keeps others away: longer than two calls. A lost worker's delivery comes back then. */
const claimLeaseMs = 20_000

/** What delivering needs from outside. */
export interface DeliveryPorts {
  readonly channels: Channels
  /** Real time; a tenant on a test clock lives on that instead. */
  readonly clock: { now(): Date }
  /** Called after a commit that announced something. */
  readonly announced?: () => void
}

/** What came of one try to deliver: put off and settled are booked; the others found nothing to do. */
export type Delivered = Unclaimed['is'] | 'waiting' | 'stale'

/**
 * Delivers one touch of the tenant as far as one attempt goes. Safe to run at any time, any number of times and
 * after any crash: the claim is committed before the channel is called, and only the newest claim may settle.
 */
export async function deliver(
  tenant: TenantClient,
  touchpoint: string,
  ports: DeliveryPorts,
): Promise<Delivered> {
  const brief = await readBrief(tenant, touchpoint)
  if (!brief) return 'not_found'
  if (brief.isSettled) return 'settled'
  const channel = ports.channels.get(brief.channel)
  const address = channel ? addressOf(brief, channel) : ''
  const text = write(
    brief.content.template,
    { displayName: brief.displayName, parameters: brief.content.parameters },
    [brief.locale, brief.tenantLocale],
  )
  if (address === undefined || brief.hasEnded) {
    const reason = brief.hasEnded ? 'MEMBERSHIP_ENDED' : 'UNREACHABLE'
    return announcing(ports, (await decline(tenant, touchpoint, reason)).is)
  }
  const claimed = await claim(tenant, touchpoint, { content: text ?? {}, leaseMs: claimLeaseMs })
  if (claimed.is !== 'claimed') return announcing(ports, claimed.is)
  const settlement = await attempt(claimed, { tenant, brief, channel, address, now: clockOf(brief, ports) })
  const booked = await settle(tenant, claimed, settlement)
  if (booked.is !== 'done') return 'stale'
  return settlement.state === 'WAITING' ? 'waiting' : announcing(ports, 'settled')
}

interface Situation {
  readonly tenant: TenantClient
  readonly brief: Brief
  readonly channel: Channel | undefined
  readonly address: string
  readonly now: () => Date
}

async function attempt(
  claimed: Claim,
  { tenant, brief, channel, address, now }: Situation,
): Promise<Settlement> {
  const opened = (await channel?.open(tenant.tenantId)) ?? notHere
  const standing: Standing = {
    idempotency: opened.ok ? opened.channel.capabilities.idempotency : { mode: 'none' },
    wish: brief.wish,
    attempt: claimed.attempt,
    firstAttemptAt: new Date(claimed.first_attempt_at),
    now: now(),
    chance: Math.random(),
    earlier: claimed.unknown,
  }
  if (!opened.ok) return settlementOf({ is: 'refused', fault: opened.fault }, { ...standing, isAsked: false })
  if (claimed.unknown && !mayRepeat(standing)) return settlementOf(claimed.unknown, standing)
  const message: Attempt = {
    key: deliveryKey(claimed.key),
    attempt: claimed.attempt,
    locale: brief.locale,
    timeZone: brief.timeZone,
    withinMs: callMs,
    now,
  }
  const preparation = await opened.channel.prepare(claimed.content, address, message)
  if (!preparation.ok)
    return settlementOf({ is: 'refused', fault: preparation.fault }, { ...standing, isAsked: false })
  const outcome = await ask(opened.channel, message, {
    prepared: preparation.prepared,
    earlier: claimed.unknown,
  })
  return settlementOf(outcome, { ...standing, now: now() })
}

/** Kept, like a broken configuration: a deployment that has the channel again sends it. */
const notHere: Opened = {
  ok: false,
  fault: {
    cause: 'config',
    disposition: { do: 'hold' },
    detail: 'The channel is not a plugin of this deployment.',
  },
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

/**
 * Where the channel finds the member; undefined when it cannot. The inbox is the member's own account and needs
 * no consent; no other address is used before there is one.
 */
function addressOf(brief: Brief, channel: Channel): string | undefined {
  return channel.hasOwnAddress ? brief.member : undefined
}

function clockOf({ clockAt }: Brief, { clock }: DeliveryPorts): () => Date {
  return clockAt ? () => clockAt : () => clock.now()
}

function announcing<T>({ announced }: DeliveryPorts, result: T): T {
  if (result === 'settled') announced?.()
  return result
}
