import { sdkVersion } from '@engawa/sdk'
import type { DeployedChannels, SavedConfig } from '../domains/channels/index.ts'
import type { DeployedCheck, DeployedChecks } from '../domains/moderation/index.ts'
import { type Egress, openEgress } from '../platform/egress.ts'
import type { Log } from '../platform/log.ts'
import { type Caches, openCaches } from './cache.ts'
import { hostChannel } from './channel.ts'
import { hostCheck } from './check.ts'
import { type AnyDefinition, readCheck, readDefinition } from './definition.ts'
import { isInSdkRange } from './sdk-range.ts'

/** What a deployment is made of. Each plugin is named as its package, and imported when the process starts. */
export interface Deployment {
  readonly plugins: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>
  /** Checks of texts that members write, named alike; tenants switch them on. */
  readonly checks?: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>
}

/** What the host gives to plugins, and how patient it is. */
export interface HostOptions {
  /** The only way out that plugins get. */
  readonly egress: Egress
  /** The way out to hosts that members named; one that allows nothing unless told. */
  readonly strictEgress?: Egress
  /** Real time, for caches. */
  readonly clock: { now(): Date }
  readonly log: Log
  /** What the tenant saved for a channel, undefined for nothing; may reject with SealedError. Nothing unless told. */
  readonly settings?: (tenantId: string, channel: string) => Promise<SavedConfig | undefined>
  /** Milliseconds that a plugin may take to load; 10,000 unless told. */
  readonly loadWithinMs?: number
}

/** What all channels of a process share. */
export interface SharedOptions extends HostOptions {
  readonly strictEgress: Egress
  readonly caches: Caches
}

/** A plugin cannot be used; the boot stops. The message names the plugin and what would be right. */
export class PluginError extends Error {
  override readonly name = 'PluginError'
  /** The plugin's name in the deployment. */
  readonly plugin: string

  constructor(plugin: string, message: string, options?: ErrorOptions) {
    super(`Plugin ${plugin} ${message}`, options)
    this.plugin = plugin
  }
}

/** Loads every plugin of the deployment and gives their channels. Throws PluginError for the first that cannot be used. */
export async function loadChannels(deployment: Deployment, options: HostOptions): Promise<DeployedChannels> {
  const definitions = await loadDefinitions(deployment, options.loadWithinMs)
  const shared = { strictEgress: openEgress({ allow: [] }), ...options, caches: openCaches(options.clock) }
  const channels = new Map(
    definitions
      .map((definition) => [definition.id, hostChannel(definition, shared)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  return { get: (id) => channels.get(id), all: () => [...channels.values()] }
}

/** Loads every check of the deployment. Throws PluginError for the first that cannot be used. */
export async function loadChecks(
  { checks = {} }: Deployment,
  { channels, ...options }: HostOptions & { readonly channels: DeployedChannels },
): Promise<DeployedChecks> {
  const shared = { strictEgress: openEgress({ allow: [] }), ...options, caches: openCaches(options.clock) }
  const loaded = new Map<string, DeployedCheck>()
  for (const [plugin, load] of Object.entries(checks)) {
    const module = await within(options.loadWithinMs ?? 10_000, plugin, load)
    const read = readCheck(module.default)
    if ('problems' in read) {
      const must = `must have a default export made by defineContentCheck: ${read.problems.join('; ')}.`
      throw new PluginError(plugin, must)
    }
    const { definition } = read
    inRange(plugin, definition.sdk)
    if (loaded.has(definition.id) || channels.get(definition.id)) {
      throw new PluginError(
        plugin,
        `has the id "${definition.id}", and so has another plugin. Keep one of them.`,
      )
    }
    loaded.set(definition.id, hostCheck(definition, shared))
  }
  return { get: (id) => loaded.get(id), all: () => [...loaded.values()] }
}

/** What every plugin of the deployment defines. Throws PluginError for the first that cannot be used. */
export async function loadDefinitions(
  deployment: Deployment,
  withinMs = 10_000,
): Promise<readonly AnyDefinition[]> {
  const loaded = await Promise.all(
    Object.entries(deployment.plugins).map(async ([plugin, load]) => {
      const module = await within(withinMs, plugin, load)
      return { plugin, definition: checked(plugin, module.default) }
    }),
  )
  const owners = new Map<string, string>()
  for (const { plugin, definition } of loaded) {
    const other = owners.get(definition.id)
    if (other)
      throw new PluginError(
        plugin,
        `defines the channel "${definition.id}", and so does ${other}. Keep one of them.`,
      )
    owners.set(definition.id, plugin)
  }
  return loaded.map(({ definition }) => definition)
}

async function within<T>(ms: number, plugin: string, load: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(
      new PluginError(
        plugin,
        `did not load within ${ms / 1000} seconds; look for an await at its top level.`,
      ),
    )
  }, ms)
  try {
    return await Promise.race([load(), late.promise])
  } catch (cause) {
    if (cause instanceof PluginError) throw cause
    throw new PluginError(
      plugin,
      `could not be loaded: ${cause instanceof Error ? cause.message : 'it threw no error'}`,
      { cause },
    )
  } finally {
    clearTimeout(timer)
  }
}

function checked(plugin: string, value: unknown): AnyDefinition {
  const read = readDefinition(value)
  if ('problems' in read) {
    throw new PluginError(
      plugin,
      `must have a default export made by defineChannel: ${read.problems.join('; ')}.`,
    )
  }
  const { definition } = read
  inRange(plugin, definition.sdk)
  return definition
}

function inRange(plugin: string, range: string): void {
  if (isInSdkRange(range, sdkVersion)) return
  throw new PluginError(
    plugin,
    `needs @engawa/sdk ${range}; this is ${sdkVersion}. Install a version of the plugin made for it.`,
  )
}
