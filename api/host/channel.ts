import type { Outcome, SendContext } from '@engawa/sdk'
import type { Attempt, DeployedChannel, OpenChannel, Prepared } from '../domains/channels/index.ts'
import { readAddress } from './address.ts'
import { migrated, placesOf, readConfig, unreadable, unusable, usableConfig, validate } from './config.ts'
import { type ChannelOpening, contextOf, nobody, type Opening, type Whom } from './context.ts'
import type { AnyDefinition } from './definition.ts'
import { errandsOf } from './errands.ts'
import { inboundOf } from './inbound.ts'
import type { SharedOptions } from './load.ts'
import { hostsIn } from './member-hosts.ts'
import { cleanFault, cleanOutcome, isOutcome, outcomeOf, threw } from './outcome.ts'
import { redactor, secretTexts } from './redaction.ts'
import { inTime } from './time-limit.ts'
import { watchOf } from './watch.ts'

/** Makes a plugin's definition a channel that the core can trust: it answers in time, and throws nothing. */
export function hostChannel(definition: AnyDefinition, options: SharedOptions): DeployedChannel {
  const { id, kind, address, config, inbound, capabilities } = definition
  const channel: DeployedChannel = {
    id,
    kind,
    hasOwnAddress: address.own === true,
    capabilities: typeof capabilities === 'function' ? undefined : capabilities,
    secrets: config.secrets.map(String),
    configVersion: config.version,
    inboundPath: inbound && inboundPath(inbound.path),
    canPoll: definition.poll !== undefined,
    canTellQuota: definition.quota !== undefined,
    readConfig: (given) => readConfig(definition, given),
    migrated: (saved) => migrated(definition, saved),
    readAddress: (value) => readAddress(definition, value),
    async open(tenantId) {
      try {
        return await channel.openWith(tenantId, await options.settings?.(tenantId, id))
      } catch (error) {
        return unreadable(error)
      }
    },
    async openWith(tenantId, saved) {
      const usable = await usableConfig(definition, saved)
      if (!usable.ok) return usable
      const opening = { definition, config: usable.value, tenantId, options } satisfies ChannelOpening
      try {
        const able = typeof capabilities === 'function' ? capabilities(usable.value) : capabilities
        return { ok: true, channel: { capabilities: able, ...openChannel(opening) } }
      } catch (error) {
        return { ok: false, fault: unusable('BAD_CONFIG', threw(error)) }
      }
    },
  }
  return channel
}

/** With a slash before it and none behind; empty for the channel's own address. */
function inboundPath(path: string): string {
  const bare = path.replace(/^\/+|\/+$/g, '')
  return bare === '' ? '' : `/${bare}`
}

function openChannel(opening: ChannelOpening): Omit<OpenChannel, 'capabilities'> {
  const { definition, config, options } = opening
  const watch = watchOf(definition.id, options.log)
  const secrets = secretTexts(definition.config.secrets, config)
  const ask = async (
    { whom, call: name }: { whom: Whom; call: string },
    attempt: Attempt,
    call: (ctx: SendContext<unknown>) => Promise<Outcome>,
  ): Promise<Outcome> => {
    const clean = redactor({ secrets, addresses: [whom.address] })
    try {
      const outcome = await watch.late(name, () =>
        inTime(attempt.withinMs, (signal) => call(sendContextOf(opening, attempt, { whom, signal }))),
      )
      if (isOutcome(outcome)) return cleanOutcome(outcome, clean)
      return { is: 'unknown', evidence: 'crash', detail: 'The plugin gave no outcome.' }
    } catch (error) {
      return outcomeOf(error)
    }
  }
  return {
    async prepare(content, address, message) {
      const said = await read(definition.content.schema, content, 'content')
      if (!said.ok) return said
      const found = await read(definition.address.schema, address, 'address')
      if (!found.ok) return found
      try {
        return watch.slow('prepare', () => {
          const place = definition.address.normalise(found.value)
          const preparation = definition.content.prepare(said.value, place, message)
          const identity = definition.address.identity(place)
          if (!preparation.ok) {
            const clean = redactor({ secrets, addresses: [identity] })
            return { ok: false, fault: cleanFault(preparation.fault, clean) }
          }
          const prepared = { value: preparation.prepared, address: identity, hosts: hostsIn(place) }
          return { ...preparation, prepared }
        })
      } catch (error) {
        return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail: threw(error) } }
      }
    },
    send: (attempt, prepared: Prepared) =>
      ask({ whom: prepared, call: 'send' }, attempt, (ctx) => definition.send(ctx, prepared.value)),
    reconcile: (attempt) =>
      ask(
        { whom: nobody, call: 'reconcile' },
        attempt,
        async (ctx) => (await definition.reconcile?.(ctx)) ?? { is: 'unknown', evidence: 'crash' },
      ),
    ...errandsOf(opening, watch),
    ...inboundOf(opening, watch),
  }
}

function sendContextOf(
  opening: Opening,
  attempt: Attempt,
  about: { readonly whom: Whom; readonly signal: AbortSignal },
): SendContext<unknown> {
  const { key, attempt: count, replyToken } = attempt
  return {
    ...contextOf(opening, attempt, about),
    key,
    attempt: count,
    ...(replyToken !== undefined && { replyToken }),
  }
}

type Read =
  | { readonly ok: true; readonly value: unknown }
  | Extract<Awaited<ReturnType<OpenChannel['prepare']>>, { ok: false }>

async function read(
  schema: Parameters<typeof validate>[0],
  value: unknown,
  cause: 'content' | 'address',
): Promise<Read> {
  const never = (detail: string) =>
    ({ ok: false, fault: { cause, disposition: { do: 'never' }, detail } }) as const
  try {
    const found = await validate(schema, value)
    return found.ok ? found : never(`Not as it should be: ${placesOf(found.issues)}.`)
  } catch (error) {
    return never(threw(error))
  }
}
