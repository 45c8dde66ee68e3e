import type { ChannelContext, Fault, Outcome, Schema, SchemaIssue, SendContext } from '@engawa/sdk'
import type { Attempt, Channel, OpenChannel, Prepared, SavedConfig } from '../domains/channels/index.ts'
import { EgressError } from '../platform/egress.ts'
import { SealedError } from '../platform/vault.ts'
import { readAddress } from './address.ts'
import type { Caches } from './cache.ts'
import type { AnyDefinition } from './definition.ts'
import type { HostOptions } from './load.ts'
import { pluginFetch } from './plugin-fetch.ts'
import { pluginLog } from './plugin-log.ts'

/** Makes a plugin's definition a channel that the core can trust: it answers in time, and throws nothing. */
export function hostChannel(definition: AnyDefinition, options: HostOptions & { caches: Caches }): Channel {
  return {
    id: definition.id,
    kind: definition.kind,
    hasOwnAddress: definition.address.own === true,
    readAddress: (value) => readAddress(definition, value),
    async open(tenantId) {
      const config = await configOf(definition, () => options.settings?.(tenantId, definition.id))
      if (!config.ok) return config
      const { capabilities } = definition
      return {
        ok: true,
        channel: openChannel({
          definition,
          config: config.value,
          capabilities: typeof capabilities === 'function' ? capabilities(config.value) : capabilities,
          tenantId,
          options,
        }),
      }
    },
  }
}

/** The configuration as the plugin reads it, or why there is none that could be used. */
async function configOf(
  { config }: AnyDefinition,
  saved: () => Promise<SavedConfig | undefined> | undefined,
): Promise<{ ok: true; value: unknown } | { ok: false; fault: Fault }> {
  let found: SavedConfig | undefined
  try {
    found = await saved()
  } catch (error) {
    if (error instanceof SealedError) return { ok: false, fault: unusable('SEALED', error.message) }
    throw error
  }
  const { version, config: old } = found ?? { version: config.version, config: {} }
  if (version > config.version) {
    const detail = `It was configured for version ${version} of the plugin's configuration; this is ${config.version}.`
    return { ok: false, fault: unusable('TOO_NEW', detail) }
  }
  try {
    const current = version < config.version && config.migrate ? config.migrate(version, old) : old
    const read = await validate(config.schema, current)
    if (read.ok) return read
    if (!found) return { ok: false, fault: unusable('NOT_CONFIGURED', 'The channel is not configured.') }
    const detail = `Not as it should be: ${placesOf(read.issues)}.`
    return { ok: false, fault: unusable('BAD_CONFIG', detail) }
  } catch (error) {
    return { ok: false, fault: unusable('BAD_CONFIG', threw(error)) }
  }
}

/** What cannot be used as it is configured is kept until somebody puts it right. */
function unusable(code: string, detail: string): Fault {
  return { cause: 'config', disposition: { do: 'hold' }, code, detail }
}

interface Opening {
  readonly definition: AnyDefinition
  readonly config: unknown
  readonly capabilities: OpenChannel['capabilities']
  readonly tenantId: string
  readonly options: HostOptions & { readonly caches: Caches }
}

function openChannel(opening: Opening): OpenChannel {
  const { definition } = opening
  const ask = (attempt: Attempt, address: string, call: (ctx: SendContext<unknown>) => Promise<Outcome>) =>
    inTime(attempt.withinMs, (signal) => call(contextOf(opening, { attempt, address, signal })))
  return {
    capabilities: opening.capabilities,
    async prepare(content, address, message) {
      const said = await validate(definition.content.schema, content)
      if (!said.ok) return { ok: false, fault: wrong('content', said.issues) }
      const found = await validate(definition.address.schema, address)
      if (!found.ok) return { ok: false, fault: wrong('address', found.issues) }
      try {
        const place = definition.address.normalise(found.value)
        const preparation = definition.content.prepare(said.value, place, message)
        if (!preparation.ok) return preparation
        return {
          ...preparation,
          prepared: { value: preparation.prepared, address: definition.address.identity(place) },
        }
      } catch (error) {
        return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail: threw(error) } }
      }
    },
    send: (attempt, prepared: Prepared) =>
      ask(attempt, prepared.address, (ctx) => definition.send(ctx, prepared.value)),
    reconcile: (attempt) =>
      ask(
        attempt,
        '',
        async (ctx) => (await definition.reconcile?.(ctx)) ?? { is: 'unknown', evidence: 'crash' },
      ),
  }
}

function contextOf(
  { definition, config, tenantId, options }: Opening,
  { attempt, address, signal }: { attempt: Attempt; address: string; signal: AbortSignal },
): SendContext<unknown> {
  return {
    config,
    key: attempt.key,
    attempt: attempt.attempt,
    locale: attempt.locale,
    timeZone: attempt.timeZone,
    clock: { now: attempt.now },
    signal,
    connect: (target) => options.egress.connect(target, { signal, timeoutMs: attempt.withinMs }),
    fetch: pluginFetch(options.egress, { signal, ms: attempt.withinMs }),
    cache: options.caches.of(tenantId, definition.id),
    log: logOf({ definition, config, options }, address),
  }
}

function logOf(
  { definition, config, options }: Pick<Opening, 'definition' | 'config' | 'options'>,
  address: string,
): ChannelContext<unknown>['log'] {
  const secrets = definition.config.secrets.map((name) => String(Reflect.get(Object(config), name) ?? ''))
  return pluginLog(options.log, { channel: definition.id, secrets, addresses: [address] })
}

/** Runs a plugin's call under the deadline. What it throws, or does not answer in time, is unknown. */
async function inTime(ms: number, call: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
  const abort = new AbortController()
  const late = Promise.withResolvers<Outcome>()
  const timer = setTimeout(() => {
    abort.abort(new DOMException('The attempt took too long.', 'TimeoutError'))
    // A plugin that heeds the signal has a moment to say what it knows.
    setTimeout(() => late.resolve({ is: 'unknown', evidence: 'timeout' }), 100)
  }, ms)
  try {
    const outcome = await Promise.race([call(abort.signal), late.promise])
    return isOutcome(outcome)
      ? outcome
      : { is: 'unknown', evidence: 'crash', detail: 'The plugin gave no outcome.' }
  } catch (error) {
    return thrown(error)
  } finally {
    clearTimeout(timer)
  }
}

function thrown(error: unknown): Outcome {
  if (error instanceof EgressError && !error.mayHaveArrived) {
    const isPrivate = error.reason === 'refused'
    const disposition = isPrivate ? ({ do: 'never' } as const) : ({ do: 'later' } as const)
    return {
      is: 'refused',
      fault: { cause: isPrivate ? 'policy' : 'network', disposition, detail: error.message },
    }
  }
  if (error instanceof EgressError) {
    return {
      is: 'unknown',
      evidence: error.reason === 'network' ? 'reset' : 'timeout',
      detail: error.message,
    }
  }
  return { is: 'unknown', evidence: 'crash', detail: threw(error) }
}

/** Plugins may be plain JavaScript; what is none of the three answers tells nothing. */
function isOutcome(answer: Outcome | undefined): answer is Outcome {
  if (answer?.is === 'accepted') return answer.at instanceof Date
  return (
    answer?.is === 'unknown' ||
    (answer?.is === 'refused' && typeof answer.fault?.disposition?.do === 'string')
  )
}

/** What was thrown, by its kind alone: a message may quote an address or a secret. */
function threw(error: unknown): string {
  return `The plugin threw ${error instanceof Error ? error.constructor.name : typeof error}.`
}

type Validation = { ok: true; value: unknown } | { ok: false; issues: readonly SchemaIssue[] }

async function validate(schema: Schema<unknown>, value: unknown): Promise<Validation> {
  const result = await schema['~standard'].validate(value)
  return result.issues ? { ok: false, issues: result.issues } : { ok: true, value: result.value }
}

function wrong(cause: 'content' | 'address', issues: readonly SchemaIssue[]): Fault {
  return { cause, disposition: { do: 'never' }, detail: `Not as it should be: ${placesOf(issues)}.` }
}

/** Where the issues are; never what was found there. */
function placesOf(issues: readonly SchemaIssue[]): string {
  const place = ({ path }: SchemaIssue) =>
    path?.map((step) => String(typeof step === 'object' ? step.key : step)).join('.') || 'the whole'
  return [...new Set(issues.map(place))].join(', ')
}
