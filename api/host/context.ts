import type { ChannelContext } from '@engawa/sdk'
import type { Situation } from '../domains/channels/index.ts'
import type { Egress } from '../platform/egress.ts'
import type { AnyDefinition, Configured } from './definition.ts'
import type { SharedOptions } from './load.ts'
import { hostName } from './member-hosts.ts'
import { pluginFetch } from './plugin-fetch.ts'
import { pluginLog } from './plugin-log.ts'
import { secretTexts } from './redaction.ts'

/** A plugin opened with one tenant's configuration. */
export interface Opening {
  readonly definition: Configured
  readonly config: unknown
  readonly tenantId: string
  readonly options: SharedOptions
}

/** The same for a channel. */
export interface ChannelOpening extends Opening {
  readonly definition: AnyDefinition
}

/** The member that a call is about. */
export interface Whom {
  /** For the log to hash where it appears. */
  readonly address: string
  /** The hosts that stand in the address. */
  readonly hosts: ReadonlySet<string>
}

/** A call that is about nobody. */
export const nobody: Whom = { address: '', hosts: new Set() }

/** What a plugin may touch in one call. */
export function contextOf(
  { definition, config, tenantId, options }: Opening,
  { locale, timeZone, withinMs, now }: Situation,
  { whom, signal }: { readonly whom: Whom; readonly signal: AbortSignal },
): ChannelContext<unknown> {
  const egress = wayOut(options, whom)
  return {
    config,
    locale,
    timeZone,
    clock: { now },
    signal,
    connect: (target) => egress.connect(target, { signal, timeoutMs: withinMs }),
    fetch: pluginFetch(egress, { signal, ms: withinMs }),
    cache: options.caches.of(tenantId, definition.id),
    log: pluginLog(options.log, {
      channel: definition.id,
      secrets: secretTexts(definition.config.secrets, config),
      addresses: [whom.address],
    }),
  }
}

type WayOut = Pick<Egress, 'fetch' | 'connect'>

/** What the operator allows is for what staff configured: a host that a member named does not profit from it. */
function wayOut({ egress, strictEgress }: SharedOptions, { hosts }: Whom): WayOut {
  const to = (host: string) => (hosts.has(hostName(host)) ? strictEgress : egress)
  return {
    fetch: (url, request) => to(new URL(url).hostname).fetch(url, request),
    connect: (target, options) => to(target.host).connect(target, options),
  }
}
