import type { CheckResult } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, UnavailableError } from '../../platform/errors/index.ts'
import { SealedError, type Vault } from '../../platform/vault.ts'
import type { ConfigIssue, DeployedChannel, DeployedChannels, Situation } from './port.ts'
import { placeOf, savedOf } from './settings.ts'
import {
  checkedCall,
  configureCall,
  disableCall,
  readSettingRow,
  type SettingRow,
  type StoredCheck,
} from './store.ts'

/** What the services of this room work with. */
export interface ChannelParts {
  readonly channels: DeployedChannels
  readonly vault: Vault
}

/** A plugin of any sort, as far as it is configured. */
export type Configurable = Pick<
  DeployedChannel,
  'id' | 'secrets' | 'configVersion' | 'readConfig' | 'migrated'
>

/** What staff changes of a channel; what is left out stays as it is. */
export interface ChannelChange {
  readonly channel: string
  /** The whole of it, but for secrets: those left out keep their values, and null removes one. */
  readonly config?: unknown
  readonly quotaReserve?: number | null | undefined
  readonly isEnabled?: boolean | null | undefined
}

const maxConfigBytes = 65_536
/** Others may change the same channel meanwhile; who loses that often is told to try again. */
const mostTries = 5

/**
 * Sets how the tenant uses a channel. Throws NotFoundError for a channel that is not here, and BadInputError naming
 * `input.config.<path>` for what the channel's own schema refuses.
 */
export async function configureChannel(
  tx: Tx,
  change: ChannelChange,
  { channels, vault, actor }: ChannelParts & { readonly actor: string },
): Promise<void> {
  return configurePlugin(tx, change, { plugin: channelOf(channels, change.channel), vault, actor })
}

/** The same for a plugin of any sort: settings of all of them stand together, by their ids. */
export async function configurePlugin(
  tx: Tx,
  change: ChannelChange,
  {
    plugin: channel,
    vault,
    actor,
  }: { readonly plugin: Configurable; readonly vault: Vault; readonly actor: string },
): Promise<void> {
  const given = configOf(change)
  if (change.quotaReserve != null && change.quotaReserve < 0) {
    throw new BadInputError('input.quotaReserve', 'A reserve is zero or more.')
  }
  for (let tries = 0; tries < mostTries; tries++) {
    const old = await readSettingRow(tx, channel.id)
    const config = await checked(channel, await merged(tx.tenantId, { channel, given, old, vault }))
    const secrets = channel.secrets.filter((name) => config[name] != null)
    const text = JSON.stringify(Object.fromEntries(secrets.map((name) => [name, config[name]])))
    const sealed = secrets.length > 0 ? await vault.seal(placeOf(tx.tenantId, channel.id), text) : undefined
    const open = Object.entries(config).filter(([name]) => !channel.secrets.includes(name))
    const written = await configureCall(
      tx,
      {
        channel: channel.id,
        revision: old?.revision ?? null,
        config: Object.fromEntries(open),
        configVersion: channel.configVersion,
        isEnabled: change.isEnabled ?? old?.isEnabled ?? true,
        quotaReserve: change.quotaReserve ?? old?.quotaReserve ?? 0,
        secrets,
        sealed,
      },
      actor,
    )
    if (written.is === 'done') return
  }
  throw new UnavailableError('Others are changing this channel at the same time. Try again.')
}

/** Switches a channel off for the tenant; its configuration stays. Throws NotFoundError. */
export async function disableChannel(
  tx: Tx,
  id: string,
  { channels, actor }: { readonly channels: DeployedChannels; readonly actor: string },
): Promise<void> {
  const { configVersion: version } = channelOf(channels, id)
  await disableCall(tx, id, { version, actor })
}

/** Has a channel prove the tenant's configuration without sending anything, and keeps the answer. Throws NotFoundError. */
export async function checkChannel(
  tx: Tx,
  id: string,
  { channels, vault, situation }: ChannelParts & { readonly situation: Situation },
): Promise<StoredCheck> {
  const channel = channelOf(channels, id)
  const row = await readSettingRow(tx, id)
  const result = storedCheck(await provedBy(channel, { tx, row, vault, situation }))
  if (row) await checkedCall(tx, id, row.revision, result)
  return result
}

interface Proving {
  readonly tx: Tx
  readonly row: SettingRow | undefined
  readonly vault: Vault
  readonly situation: Situation
}

async function provedBy(
  channel: DeployedChannel,
  { tx, row, vault, situation }: Proving,
): Promise<CheckResult> {
  try {
    const opened = await channel.openWith(tx.tenantId, row && (await savedOf(tx.tenantId, row, vault)))
    return opened.ok ? await opened.channel.check(situation) : opened
  } catch (error) {
    if (!(error instanceof SealedError)) throw error
    return {
      ok: false,
      fault: { cause: 'config', disposition: { do: 'hold' }, code: 'SEALED', detail: error.message },
    }
  }
}

function storedCheck(result: CheckResult): StoredCheck {
  if (result.ok) return { is_ok: true, notes: result.notes ?? [] }
  const { cause, code, detail } = result.fault
  return { is_ok: false, cause, ...(code !== undefined && { code }), ...(detail !== undefined && { detail }) }
}

function channelOf(channels: DeployedChannels, id: string): DeployedChannel {
  const channel = channels.get(id)
  if (!channel) throw new NotFoundError('channel')
  return channel
}

/** The configuration as it was given; undefined when it is to stay. */
function configOf({ config }: ChannelChange): Readonly<Record<string, unknown>> | undefined {
  if (config == null) return undefined
  if (typeof config !== 'object' || Array.isArray(config)) {
    throw new BadInputError('input.config', 'A configuration is a JSON object of names and values.')
  }
  if (JSON.stringify(config).length > maxConfigBytes) {
    throw new BadInputError('input.config', `A configuration holds at most ${maxConfigBytes} bytes of JSON.`)
  }
  return { ...config }
}

interface Merging {
  readonly channel: Configurable
  readonly given: Readonly<Record<string, unknown>> | undefined
  readonly old: SettingRow | undefined
  readonly vault: Vault
}

/** The whole configuration that is meant: secrets that are not given again are the old ones. */
async function merged(
  tenantId: string,
  { channel, given, old, vault }: Merging,
): Promise<Record<string, unknown>> {
  const missing = channel.secrets.filter((name) => !given || !Object.hasOwn(given, name))
  const needsOld = given === undefined || missing.some((name) => old?.secrets.includes(name))
  const before = old && needsOld ? channel.migrated(await opened(tenantId, old, vault)) : {}
  const kept = missing.flatMap((name) => (before?.[name] == null ? [] : [[name, before[name]]]))
  const whole = { ...(given ?? before), ...Object.fromEntries(kept) }
  const removed = channel.secrets.filter((name) => whole[name] === null)
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !removed.includes(name)))
}

async function opened(tenantId: string, row: SettingRow, vault: Vault) {
  try {
    return await savedOf(tenantId, row, vault)
  } catch (error) {
    if (!(error instanceof SealedError)) throw error
    throw new BadInputError(
      'input.config',
      `${error.message} Set the key that sealed them, or give every secret anew.`,
    )
  }
}

async function checked(channel: Configurable, whole: object): Promise<Readonly<Record<string, unknown>>> {
  const read = await channel.readConfig(whole)
  if (read.ok) return read.config
  const [issue = { path: '', message: 'This is not as it should be.' }] = read.issues
  throw new BadInputError(fieldOf(issue), sentenceOf(read.issues))
}

function fieldOf({ path }: ConfigIssue): string {
  return path === '' ? 'input.config' : `input.config.${path}`
}

/** Everything that is wrong, the first of it first. */
function sentenceOf(issues: readonly ConfigIssue[]): string {
  const told = issues.slice(0, 10).map((issue) => `${fieldOf(issue)}: ${issue.message.replace(/\.$/, '')}.`)
  return told.length > 0 ? told.join(' ') : 'This is not as it should be.'
}
