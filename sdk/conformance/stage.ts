import { inspect } from 'node:util'
import { type Capabilities, type DeliveryKey, deliveryKey, type Seconds } from '../capabilities.ts'
import type { ChannelDefinition, Message, SendContext } from '../channel.ts'
import type { Provider } from '../fakes/provider.ts'
import type { Outcome } from '../outcome.ts'
import type { Schema, SchemaIssue } from '../schema.ts'
import type { ConformanceInput } from './input.ts'
import { Network, scene } from './network.ts'
import { type Answered, inTime } from './outcome.ts'

/** A definition whose types only its plugin knows; the kit passes its values around unread. */
export type AnyDefinition = ChannelDefinition<unknown, never, unknown, unknown, unknown>
/** The input for one. */
export type AnyInput = ConformanceInput<Record<string, unknown>, unknown, Provider<unknown>>

/** The plugin and what its author told of it. */
export interface Bench {
  readonly definition: AnyDefinition
  readonly input: AnyInput
  /** A moment a little before now: the clock of every attempt. */
  readonly now: Date
}

/** How one attempt differs from the usual one. */
export interface Told {
  readonly key?: DeliveryKey
  readonly attempt?: number
  readonly text?: string
  /** When the deadline passes; after some seconds unless told. */
  readonly deadline?: Promise<unknown>
  /** Gives the attempt up. */
  readonly signal?: AbortSignal
  /** Lets the plugin reach nobody at all. */
  readonly isShutIn?: boolean
}

/** A problem with the input rather than with the plugin; every law that meets it says so. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

const usualKey = deliveryKey('0197a1b2-0000-7000-8000-000000000001')

/** A delivery key for each number. */
export function keyOf(n: number): DeliveryKey {
  return deliveryKey(`0197a1b2-0000-7000-8000-${n.toString(16).padStart(12, '0')}`)
}

/** One tenant before its fake provider, and all that the plugin says there. */
export class Stage {
  readonly config: unknown
  /** As saved: before the schema read it. */
  readonly saved: unknown
  readonly address: unknown
  readonly capabilities: Capabilities
  /** Everything the plugin said: to the log, in outcomes and in errors. */
  readonly said: Said[] = []
  /** Where it wanted to go and was not let. */
  readonly refused: string[] = []
  readonly #bench: Bench
  readonly #provider: Provider<unknown> | undefined
  readonly #cache = new Map<string, string>()

  private constructor(bench: Bench, parts: Parts) {
    this.#bench = bench
    this.#provider = parts.provider
    this.config = parts.config
    this.saved = parts.saved
    this.address = parts.address
    const { capabilities } = bench.definition
    this.capabilities = typeof capabilities === 'function' ? capabilities(this.config) : capabilities
  }

  static async open(bench: Bench, tenant = 1_000): Promise<Stage> {
    const { definition, input } = bench
    const provider = await input.provider?.()
    try {
      const saved = typeof input.config === 'function' ? input.config(needed(provider), tenant) : input.config
      const config = await read(definition.config.schema, saved, 'config')
      const { address } = input
      const place = typeof address === 'function' ? address(needed(provider), tenant) : address
      const found = await read(definition.address.schema, place, 'address')
      return new Stage(bench, { provider, saved, config, address: definition.address.normalise(found) })
    } catch (error) {
      await provider?.close()
      throw error
    }
  }

  /** The fake; only for laws that do not apply where there is none. */
  get provider(): Provider<unknown> {
    return needed(this.#provider)
  }

  get now(): Date {
    return this.#bench.now
  }

  async close(): Promise<void> {
    await this.#provider?.close()
  }

  /** The content as the plugin's schema reads it. */
  async content(text: string): Promise<unknown> {
    const { input, definition } = this.#bench
    const said = input.content?.(text) ?? { title: 'Hello', body: text }
    return read(definition.content.schema, said, 'content')
  }

  message(told: Told = {}): Message {
    return { key: told.key ?? usualKey, locale: 'ja' }
  }

  async prepared(told: Told = {}): Promise<unknown> {
    const content = await this.content(told.text ?? 'こんにちは')
    const { prepare } = this.#bench.definition.content
    const preparation = prepare(content, this.address, this.message(told))
    if (preparation.ok) return preparation.prepared
    this.hear('prepare', shown(preparation.fault))
    throw new InputError('`content` gives what the channel itself refuses; give one that it takes.')
  }

  /** Prepares and sends, as one attempt of the core does. */
  async send(told: Told = {}): Promise<Answered> {
    const prepared = await this.prepared(told)
    return this.#ask(told, (ctx) => this.#bench.definition.send(ctx, prepared))
  }

  async reconcile(told: Told = {}): Promise<Answered> {
    const unable: Outcome = { is: 'unknown', evidence: 'crash' }
    return this.#ask(told, async (ctx) => (await this.#bench.definition.reconcile?.(ctx)) ?? unable)
  }

  /** Calls `check`; what it throws is heard and thrown. */
  async check(told: Told = {}): Promise<{ readonly ok: boolean }> {
    const ctx = this.context(told, told.signal ?? AbortSignal.timeout(5_000))
    try {
      const result = await scene.run('plugin', () => this.#bench.definition.config.check(ctx))
      this.hear('the result of check', shown(result))
      return result
    } catch (error) {
      this.hear('an error of check', textOf(error))
      throw error
    }
  }

  context(told: Told, signal: AbortSignal): SendContext<unknown> {
    const network = new Network(told.isShutIn ? undefined : this.#provider?.host, {
      signal,
      refused: this.refused,
    })
    return {
      config: this.config,
      key: told.key ?? usualKey,
      attempt: told.attempt ?? 1,
      locale: 'ja',
      timeZone: 'Asia/Tokyo',
      clock: { now: () => new Date(this.now) },
      signal,
      fetch: network.fetch,
      connect: (target) => network.connect(target),
      cache: {
        get: async (key) => this.#cache.get(key),
        set: async (key: string, value: string, _ttl: Seconds) => void this.#cache.set(key, value),
      },
      log: (event, fields) => this.hear('the log', fields ? `${event} ${shown(fields)}` : event),
    }
  }

  hear(where: string, text: string): void {
    this.said.push({ where, text })
  }

  async #ask(told: Told, call: (ctx: SendContext<unknown>) => Promise<Outcome>): Promise<Answered> {
    const answered = await inTime((deadline) => {
      const signal = told.signal ? AbortSignal.any([deadline, told.signal]) : deadline
      return scene.run('plugin', () => call(this.context(told, signal)))
    }, told.deadline)
    this.hear('the outcome', shown(answered.outcome))
    if (answered.thrown !== undefined) this.hear('an error of send', textOf(answered.thrown))
    return answered
  }
}

/** One thing that the plugin said, and where. */
export interface Said {
  readonly where: string
  readonly text: string
}

interface Parts {
  readonly provider: Provider<unknown> | undefined
  readonly saved: unknown
  readonly config: unknown
  readonly address: unknown
}

/** Opens a stage for the work and closes it. */
export async function onStage<T>(bench: Bench, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await Stage.open(bench)
  try {
    return await work(stage)
  } finally {
    await stage.close()
  }
}

/** What is wrong with a value, or nothing. */
export async function issuesOf(schema: Schema<unknown>, value: unknown): Promise<readonly SchemaIssue[]> {
  const result = await schema['~standard'].validate(value)
  return result.issues ?? []
}

/** Where an issue is, as in `relay.port`; '' for the whole. */
export function placeOf({ path = [] }: SchemaIssue): string {
  return path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
}

async function read(schema: Schema<unknown>, value: unknown, what: string): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  const issues = result.issues.map((issue) => `${placeOf(issue) || 'the whole'}: ${issue.message}`)
  throw new InputError(`${what}.schema refuses the \`${what}\` of the input (${issues.join('; ')}).`)
}

function needed(provider: Provider<unknown> | undefined): Provider<unknown> {
  if (provider) return provider
  throw new InputError('`config` or `address` asks for the provider; give `provider`.')
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.name}: ${error.message} ${error.cause === undefined ? '' : textOf(error.cause)}`
}

function shown(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: Number.POSITIVE_INFINITY, maxStringLength: null })
}
