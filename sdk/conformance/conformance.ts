import type { ChannelDefinition } from '../channel.ts'
import type { Provider } from '../fakes/provider.ts'
import { ConformanceError } from './error.ts'
import type { ConformanceInput } from './input.ts'
import type { Judge, LawDefinition } from './law.ts'
import { abort } from './laws/abort.ts'
import { addresses } from './laws/addresses.ts'
import { check } from './laws/check.ts'
import { configuration } from './laws/configuration.ts'
import { killed } from './laws/killed.ts'
import { lost } from './laws/lost.ts'
import { preparing } from './laws/preparing.ts'
import { reach } from './laws/reach.ts'
import { replies } from './laws/replies.ts'
import { sameKey } from './laws/same-key.ts'
import { sharing } from './laws/sharing.ts'
import { signals } from './laws/signals.ts'
import { signatures } from './laws/signatures.ts'
import { suppression } from './laws/suppression.ts'
import { type AnyDefinition, type AnyInput, type Bench, InputError } from './stage.ts'

const laws: readonly LawDefinition[] = [
  configuration,
  check,
  preparing,
  lost,
  replies,
  sameKey,
  killed,
  sharing,
  abort,
  signatures,
  signals,
  suppression,
  reach,
  addresses,
]

/**
 * One law, ready to be tested.
 *
 * @example
 * ```ts
 * import type { Law } from '@engawa/sdk/conformance'
 *
 * const applying = (laws: readonly Law[]) => laws.filter(({ skip }) => skip === false)
 * console.assert(applying([]).length === 0)
 * ```
 */
export interface Law {
  /** From 1 to 14. */
  readonly number: number
  /** A title for the test: the number and what must hold. */
  readonly name: string
  /** Why the law does not apply to this channel; false when it does. */
  readonly skip: string | false
  /** Rejects with a ConformanceError when the channel breaks the law, and when it does not apply. */
  run(): Promise<void>
}

/**
 * Gives the fourteen laws that a channel is held to, each as a test that runs the channel's own code, over real
 * sockets, against the fake provider of the input. For any test runner: with that of Node
 *
 *     for (const { name, skip, run } of channelConformance(channel, input)) test(name, { skip }, run)
 *
 * @example
 * ```ts
 * import { defineChannel, type Schema } from '@engawa/sdk'
 * import { channelConformance } from '@engawa/sdk/conformance'
 * import { httpProvider } from '@engawa/sdk/fakes'
 *
 * const text: Schema<string> = {
 *   '~standard': {
 *     version: 1,
 *     vendor: 'me',
 *     validate: (value) =>
 *       typeof value === 'string' ? { value } : { issues: [{ message: 'must be a text' }] },
 *   },
 * }
 * const channel = defineChannel({
 *   id: 'shout',
 *   sdk: '^0.1',
 *   kind: 'shout',
 *   capabilities: { idempotency: { mode: 'none' }, receipts: ['accepted'], limits: {} },
 *   config: { schema: text, version: 1, secrets: [], check: async () => ({ ok: true }) },
 *   address: { schema: text, normalise: (to) => to, identity: (to) => to },
 *   content: { schema: text, prepare: (body) => ({ ok: true, prepared: body, size: body.length }) },
 *   async send(ctx, body) {
 *     const { status } = await ctx.fetch(ctx.config, { method: 'POST', body, signal: ctx.signal })
 *     if (status < 300) return { is: 'accepted', at: ctx.clock.now() }
 *     if (status >= 500) return { is: 'unknown', evidence: 'server-error' }
 *     return { is: 'refused', fault: { cause: 'content', disposition: { do: 'never' } } }
 *   },
 * })
 * const laws = channelConformance(channel, {
 *   provider: httpProvider,
 *   config: ({ url }) => url,
 *   badConfigs: [{ path: '', value: 7 }],
 *   address: 'device-4711',
 * })
 * const ninth = laws.find(({ number }) => number === 9)
 * console.assert(laws.length === 14 && ninth?.skip === false)
 * ```
 */
export function channelConformance<
  Config,
  Secrets extends keyof Config,
  Address,
  Content,
  Prepared,
  P extends Provider<unknown>,
>(
  definition: ChannelDefinition<Config, Secrets, Address, Content, Prepared>,
  input: ConformanceInput<Config, Address, P>,
): readonly Law[] {
  const bench: Bench = {
    // The kit gives back to each function only what another one of the same plugin made.
    definition: definition as unknown as AnyDefinition,
    input: input as unknown as AnyInput,
    now: new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000),
  }
  return laws.map((law) => lawFor(bench, law))
}

function lawFor(bench: Bench, law: LawDefinition): Law {
  const whyNot = law.whyNot(bench)
  return {
    number: law.number,
    name: `${law.number} ${law.name}`,
    skip: whyNot ?? false,
    async run() {
      if (whyNot !== undefined) {
        throw new ConformanceError(law, {
          expected: 'nothing: the law does not apply',
          seen: whyNot,
          change: 'Skip the law: pass `skip` on to the test runner.',
          isUnclear: true,
        })
      }
      try {
        await law.run(bench, judgeOf(law))
      } catch (error) {
        throw error instanceof InputError ? unclear(law, error) : error
      }
    },
  }
}

function judgeOf(law: LawDefinition): Judge {
  return (holds, finding) => {
    if (!holds) throw new ConformanceError(law, finding)
  }
}

/** The kit cannot tell, because of what it was told. */
function unclear(law: LawDefinition, { message }: InputError): ConformanceError {
  return new ConformanceError(law, {
    expected: 'an input by which the kit can tell whether the law is kept',
    seen: message,
    change: 'Put the input of channelConformance right.',
    isUnclear: true,
  })
}
