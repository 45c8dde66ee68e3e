import { type Signal, verified } from '@engawa/sdk'
import { type Deployment, loadDefinitions } from './load.ts'

/** What a received message is, in one word. */
export type InboundClass =
  | 'COMPLAINT'
  | 'OPT_OUT'
  | 'PERMANENT_BOUNCE'
  | 'TRANSIENT_BOUNCE'
  | 'UNDETERMINED_BOUNCE'
  | 'REPLY'
  | 'AUTO_REPLY'
  | 'UNRECOGNISED'

/** From what changes most to what changes least. */
const weights: readonly InboundClass[] = [
  'COMPLAINT',
  'OPT_OUT',
  'PERMANENT_BOUNCE',
  'TRANSIENT_BOUNCE',
  'UNDETERMINED_BOUNCE',
  'REPLY',
  'AUTO_REPLY',
]

/** The class of a message by its signals, and the signal that decided it; a message is what its weightiest signal is. */
export function weigh(signals: readonly Signal[]): {
  readonly class: InboundClass
  readonly signal?: Signal
} {
  const weighed = signals.map((signal) => ({ class: classOf(signal), signal }))
  const found = weights.flatMap((weight) => weighed.find(({ class: its }) => its === weight) ?? [])
  return found[0] ?? { class: 'UNRECOGNISED' }
}

function classOf({ kind, bounce, machine, reply }: Signal): InboundClass {
  switch (kind) {
    case 'complained':
      return 'COMPLAINT'
    case 'unsubscribed':
    case 'blocked':
      return 'OPT_OUT'
    case 'addressGone':
      return 'PERMANENT_BOUNCE'
    case 'deferred':
      return 'TRANSIENT_BOUNCE'
    case 'bounced':
    case 'failed':
      if (bounce?.permanence === 'permanent') return 'PERMANENT_BOUNCE'
      return bounce?.permanence === 'transient' ? 'TRANSIENT_BOUNCE' : 'UNDETERMINED_BOUNCE'
    case 'replied':
      if (reply?.intent === 'stop') return 'OPT_OUT'
      return machine === 'likely' ? 'AUTO_REPLY' : 'REPLY'
    default:
      return 'UNRECOGNISED'
  }
}

/** Reads one received message as its channel does behind its inbound path. */
export type Reader = (body: Uint8Array, receivedAt: Date) => readonly Signal[]

/**
 * How each channel of the deployment reads what comes in, by the channel's id; those that take nothing in are left
 * out. Whoever calls a reader vouches for the message, and no tenant's configuration is there to read it by.
 */
export async function openReaders(deployment: Deployment): Promise<ReadonlyMap<string, Reader>> {
  const definitions = await loadDefinitions(deployment)
  return new Map(
    definitions.flatMap(({ id, inbound }) =>
      inbound
        ? [
            [
              id,
              (body: Uint8Array, receivedAt: Date) => inbound.parse(handedIn(body, receivedAt), {}),
            ] as const,
          ]
        : [],
    ),
  )
}

/** From the operator's own hand, which proves where it comes from. */
function handedIn(body: Uint8Array, receivedAt: Date) {
  const headers = new Headers()
  return verified({ method: 'POST', path: '', query: new URLSearchParams(), headers, body, receivedAt })
}
