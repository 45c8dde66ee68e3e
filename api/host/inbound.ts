import type { RawRequest, Verdict, VerifiedRequest } from '@engawa/sdk'
import type { OpenChannel } from '../domains/channels/index.ts'
import type { ChannelOpening } from './context.ts'
import { threw } from './outcome.ts'
import { readSignals } from './signals.ts'
import { inTime } from './time-limit.ts'
import type { Watch } from './watch.ts'

/** How long a plugin may look at one request, in milliseconds. */
const inboundMs = 5_000

/** What a channel makes of what its provider posts. */
export function inboundOf(
  { definition, config, options }: ChannelOpening,
  watch: Watch,
): Pick<OpenChannel, 'verify' | 'parse'> {
  const { inbound } = definition
  const timed = <T>(call: string, run: () => T | PromiseLike<T>) =>
    watch.late(call, () => inTime(inboundMs, () => watch.slow(call, run)))
  const fail = (call: string, error: unknown) =>
    options.log.warn(
      { channel: definition.id, call, why: threw(error) },
      'A plugin could not read a request.',
    )
  return {
    async verify(request: RawRequest): Promise<Verdict> {
      if (!inbound) return shapeless
      try {
        const verdict = await timed('verify', () => inbound.verify(request, config))
        return isVerdict(verdict) ? verdict : shapeless
      } catch (err) {
        options.log.warn(
          { channel: definition.id, call: 'verify', err },
          'A plugin could not judge a request.',
        )
        return shapeless
      }
    },
    async parse(request: VerifiedRequest) {
      try {
        const found = await timed('parse', () => inbound?.parse(request, config) ?? [])
        return await readSignals(definition, Array.isArray(found) ? found : [], options.log)
      } catch (error) {
        fail('parse', error)
        return undefined
      }
    },
  }
}

/** What cannot even be judged is not from the provider. */
const shapeless: Verdict = { is: 'rejected', reason: 'shape' }

function isVerdict(verdict: Verdict): boolean {
  if (verdict?.is === 'verified') return verdict.request !== undefined
  if (verdict?.is === 'handshake') return Number.isInteger(verdict.respond?.status)
  return verdict?.is === 'rejected'
}
