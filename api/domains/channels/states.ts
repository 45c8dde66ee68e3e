import type { Capabilities } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { SealedError, type Vault } from '../../platform/vault.ts'
import type { DeployedChannel, DeployedChannels, Opened } from './port.ts'
import { savedOf } from './settings.ts'
import { readStates, type StateRow, type StoredCheck } from './store.ts'

/** A channel as it is for one tenant. Nothing in it is secret. */
export interface ChannelState {
  readonly channel: DeployedChannel
  /** Why it cannot be used as it is set; null when it can. */
  readonly problem: string | null
  readonly isConfigured: boolean
  readonly isEnabled: boolean
  /** What was set, without the secrets; null when nothing was. */
  readonly config: Readonly<Record<string, unknown>> | null
  readonly secretsSet: readonly string[]
  /** Undefined when it follows from a configuration, and there is none. */
  readonly capabilities: Capabilities | undefined
  readonly check: (StoredCheck & { readonly at: Date }) | null
  readonly circuit: {
    readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'
    readonly failures: number
    readonly retriesAt: Date | null
  }
  readonly quota: ChannelQuota | null
  readonly quotaReserve: number
}

/** The provider's budget, counted on since it was told. */
export interface ChannelQuota {
  /** Null: without a limit. */
  readonly limit: bigint | null
  readonly used: bigint
  readonly resetsAt: Date | null
  readonly askedAt: Date
}

/** Every channel of the deployment as it is for the tenant; one of them when it is named. */
export async function readChannels(
  tx: Tx,
  {
    channels,
    vault,
    only,
  }: { readonly channels: DeployedChannels; readonly vault: Vault; readonly only?: string },
): Promise<readonly ChannelState[]> {
  const known = channels.all().filter(({ id }) => only === undefined || id === only)
  const rows = await readStates(
    tx,
    known.map(({ id }) => id),
  )
  return Promise.all(
    known.map((channel, i) => {
      const row = rows[i]
      if (!row) throw new TypeError('a channel has no row')
      return stateOf(tx.tenantId, { channel, row, vault })
    }),
  )
}

interface Parts {
  readonly channel: DeployedChannel
  readonly row: StateRow
  readonly vault: Vault
}

async function stateOf(tenantId: string, parts: Parts): Promise<ChannelState> {
  const { channel, row } = parts
  const opened = await openedBy(tenantId, parts)
  const hasRow = row.revision !== null
  return {
    channel,
    problem: opened.ok ? null : (opened.fault.detail ?? 'It cannot be used as it is set.'),
    isConfigured: opened.ok,
    isEnabled: hasRow ? row.isEnabled : opened.ok,
    config: hasRow ? row.config : null,
    secretsSet: hasRow ? row.secrets : [],
    capabilities: opened.ok ? opened.channel.capabilities : channel.capabilities,
    check: row.checkedAt && row.checkResult ? { ...row.checkResult, at: row.checkedAt } : null,
    circuit: {
      state: row.openUntil === null ? 'CLOSED' : row.openUntil > row.now ? 'OPEN' : 'HALF_OPEN',
      failures: row.failures ?? 0,
      retriesAt: row.openUntil,
    },
    quota: row.askedAt && { limit: row.quotaLimit, ...usedOf(row), askedAt: row.askedAt },
    quotaReserve: row.quotaReserve ?? 0,
  }
}

/** What is used, as the gate reckons it: a budget that has begun anew is whole. */
function usedOf({ used, taken, resetsAt, now }: StateRow): Pick<ChannelQuota, 'used' | 'resetsAt'> {
  if (resetsAt !== null && resetsAt <= now) return { used: 0n, resetsAt: null }
  return { used: (used ?? 0n) + (taken ?? 0n), resetsAt }
}

async function openedBy(tenantId: string, { channel, row, vault }: Parts): Promise<Opened> {
  const { revision, ...rest } = row
  try {
    return await channel.openWith(
      tenantId,
      revision === null ? undefined : await savedOf(tenantId, { ...rest, revision }, vault),
    )
  } catch (error) {
    if (!(error instanceof SealedError)) throw error
    return { ok: false, fault: { cause: 'config', disposition: { do: 'hold' }, detail: error.message } }
  }
}
