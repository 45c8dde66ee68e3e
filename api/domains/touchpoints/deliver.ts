import type { Fault } from '@engawa/sdk'
import type { TenantClient } from '../../platform/db.ts'
import type { Channel, Channels, OpenChannel } from '../channels/index.ts'
import type { Links } from '../consents/index.ts'
import { attempt } from './attempt.ts'
import { heldMs } from './dispositions.ts'
import {
  type Brief,
  type Claimed,
  claim,
  hold,
  type Moved,
  pass,
  readBrief,
  readSaying,
  type Standstill,
  settle,
} from './store.ts'
import { renderTouch } from './templates.render.ts'

/** How long a claim keeps others away: longer than two calls. A lost worker's delivery comes back then. */
const claimLeaseMs = 20_000

/** What delivering needs from outside. */
export interface DeliveryPorts {
  readonly channels: Channels
  /** Real time; a tenant on a test clock lives on that instead. */
  readonly clock: { now(): Date }
  /** Makes the links in messages; without it, messages have none. */
  readonly links?: Pick<Links, 'unsubscribeUrl' | 'confirmUrl'>
  /** Called after a commit that announced something. */
  readonly announced?: () => void
}

/** What came of one try to deliver: put off and settled are booked; the others found nothing to do. */
export type Delivered = Standstill['is'] | 'stale'

/**
 * Delivers one touch of the tenant as far as one attempt goes, through its channels in their order until one takes
 * it. Safe to run at any time, any number of times and after any crash: each claim is committed before the channel is
 * called, and only the newest claim may settle.
 */
export async function deliver(
  tenant: TenantClient,
  touchpoint: string,
  ports: DeliveryPorts,
): Promise<Delivered> {
  const brief = await readBrief(tenant, touchpoint)
  if (!brief) return 'not_found'
  if (brief.isSettled) return 'settled'
  let step: Step = { is: 'moved', channel: brief.channel }
  // Each channel is met once; a touch that stood at another one after that is for the next try.
  for (let left = brief.channels.length; step.is === 'moved' && left > 0; left--) {
    step = await through(step.channel, { tenant, brief, ports })
  }
  if (step.is === 'settled' || step.is === 'put_off') ports.announced?.()
  return step.is === 'moved' ? 'put_off' : step.is
}

/** Where the touch stands after it was tried through a channel. */
type Step = Moved | Standstill | { readonly is: 'stale' }

interface Situation {
  readonly tenant: TenantClient
  readonly brief: Brief
  readonly ports: DeliveryPorts
}

async function through(id: string, { tenant, brief, ports }: Situation): Promise<Step> {
  const channel = ports.channels.get(id)
  const opened = await channel?.open(tenant.tenantId)
  if (!channel || !opened) return hold(tenant, brief.id, { ...missing, channel: id, forMs: heldMs })
  if (!opened.ok) return hold(tenant, brief.id, { ...unusable(opened.fault), channel: id, forMs: heldMs })
  const words = brief.written.includes(id) ? null : await toSay(tenant, brief, ports)
  if (words === undefined)
    return pass(tenant, brief.id, { channel: id, reason: 'NOTHING_TO_SAY', detail: {} })
  const said = words && (await renderTouch(tenant, words, brief.member, channel.kind))
  if (said?.ok === false) {
    const detail =
      'missing' in said ? { code: 'MISSING' } : { code: said.problem.code, part: said.problem.part }
    return pass(tenant, brief.id, { channel: id, reason: 'CONTENT', detail })
  }
  const content = said?.content ?? null
  const claimed = await claim(tenant, brief.id, { channel, content, leaseMs: claimLeaseMs })
  if (claimed.is !== 'claimed') return claimed
  return carried(claimed, { tenant, brief, ports, channel, open: opened.channel })
}

/** Sends what was claimed, all addresses at once, and books each; the last one tells where the touch stands. */
async function carried(
  { deliveries }: Claimed,
  { tenant, brief, ports, channel, open }: Situation & { channel: Channel; open: OpenChannel },
): Promise<Step> {
  const hasNext = brief.channels.at(-1) !== channel.id
  const now = clockOf(brief, ports)
  const { member, purpose } = brief
  const unsubscribeUrl =
    brief.class === 'MARKETING' || WRITTEN_LATE.has(brief.sourceType)
      ? ports.links?.unsubscribeUrl({ tenant: tenant.tenantId, member, purpose, channel: channel.id })
      : undefined
  const booked = await Promise.all(
    deliveries.map(async (each) => {
      const settlement = await attempt(open, each, { ...brief, unsubscribeUrl, hasNext, now })
      return settle(tenant, each, { kind: channel.kind, settlement })
    }),
  )
  const moved = booked.find((step) => step.is === 'moved')
  if (moved) return moved
  if (booked.some((step) => step.is === 'settled')) return { is: 'settled' }
  return { is: booked.some((step) => step.is === 'put_off' || step.is === 'due') ? 'put_off' : 'stale' }
}

/** Kept while it is the only one, like a broken configuration: a deployment that has it again sends it. */
const missing = { reason: 'CHANNEL_MISSING', detail: {} } as const

function unusable({ cause, code }: Fault) {
  // Never set up is as good as not there; what was set up and does not work is for people to put right.
  const reason = code === 'NOT_CONFIGURED' ? 'CHANNEL_MISSING' : 'CHANNEL_DISABLED'
  return { reason, detail: { cause, ...(code !== undefined && { code }) } } as const
}

/** What says what is new when it goes out, and can be stopped by one click like all that comes again and again. */
const WRITTEN_LATE: ReadonlySet<string> = new Set(['notification', 'digest'])

/**
 * What is to be said; a question to confirm has its link beside it, which nobody else may know. Undefined when there
 * is nothing to say any more, as of news that the member may not see now.
 */
async function toSay(
  tenant: TenantClient,
  brief: Brief,
  { links }: DeliveryPorts,
): Promise<Brief['content'] | undefined> {
  if (WRITTEN_LATE.has(brief.sourceType)) {
    const parameters = await readSaying(tenant, brief.id)
    return parameters && { ...brief.content, parameters }
  }
  if (brief.sourceType !== 'confirmation' || !links) return brief.content
  const link = links.confirmUrl({ tenant: tenant.tenantId, confirmation: brief.sourceId })
  return { ...brief.content, parameters: { ...Object(brief.content.parameters), link } }
}

function clockOf({ clockAt }: Brief, { clock }: DeliveryPorts): () => Date {
  return clockAt ? () => clockAt : () => clock.now()
}
