import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { Sealed } from '../../platform/vault.ts'

/** What a tenant set for a channel, as it is stored. */
export interface SettingRow {
  readonly channel: string
  readonly revision: number
  readonly isEnabled: boolean
  readonly config: Readonly<Record<string, unknown>>
  readonly configVersion: number
  readonly secrets: readonly string[]
  readonly sealed: Uint8Array | null
  readonly dataKey: Uint8Array | null
  readonly keyId: string | null
  readonly quotaReserve: number
  readonly checkedAt: Date | null
  readonly checkResult: StoredCheck | null
}

/** What a check said, as it is stored. */
export interface StoredCheck {
  readonly is_ok: boolean
  readonly notes?: readonly string[]
  readonly cause?: string
  readonly code?: string
  readonly detail?: string
}

const SETTING = `s.channel, s.revision, s.is_enabled as "isEnabled", s.config, s.config_version as "configVersion",
  s.secrets, s.sealed, s.data_key as "dataKey", s.key_id as "keyId", s.quota_reserve as "quotaReserve",
  s.checked_at as "checkedAt", s.check_result as "checkResult"`

/** Reads what the tenant set for a channel; undefined when it set nothing. */
export async function readSettingRow(tx: Tx, channel: string): Promise<SettingRow | undefined> {
  const [row] = await tx.query<SettingRow>({
    name: 'channel_setting',
    text: `select ${SETTING} from channel_setting s where own(s) and s.channel = $1`,
    values: [channel],
  })
  return row
}

/** How a channel is doing for a tenant, beside what was set; nulls where there is nothing to tell. */
export interface StateRow extends Omit<SettingRow, 'revision'> {
  /** Null when nothing was set: then the other parts of the setting are null as well. */
  readonly revision: number | null
  readonly failures: number | null
  readonly openUntil: Date | null
  readonly now: Date
  readonly quotaLimit: bigint | null
  readonly used: bigint | null
  readonly taken: bigint | null
  readonly resetsAt: Date | null
  readonly askedAt: Date | null
}

/** Reads how these channels are doing, in their order. */
export function readStates(tx: Tx, channels: readonly string[]): Promise<StateRow[]> {
  return tx.query<StateRow>({
    name: 'channel_states',
    text: `select ${SETTING.replace('s.channel', 'd.channel')}, c.failures, c.open_until as "openUntil",
        q.quota_limit as "quotaLimit", q.used, q.taken, q.resets_at as "resetsAt", q.asked_at as "askedAt",
        tenant_now(current_tenant()) as now
      from unnest($1::text[]) with ordinality d (channel, place)
      left join channel_setting s on own(s) and s.channel = d.channel
      left join channel_circuit c on own(c) and c.channel = d.channel
      left join channel_quota q on own(q) and q.channel = d.channel
      order by d.place`,
    values: [channels],
  })
}

/** What is written of a setting. */
export interface NewSetting {
  readonly channel: string
  /** Of the setting that it was made from; null for the first. */
  readonly revision: number | null
  readonly config: object
  readonly configVersion: number
  readonly isEnabled: boolean
  readonly quotaReserve: number
  readonly secrets: readonly string[]
  readonly sealed: Sealed | undefined
}

/** channel_configure of 0006_channels.sql. */
export function configureCall(
  tx: Tx,
  setting: NewSetting,
  actor: string,
): Promise<{ readonly is: 'done' | 'stale' }> {
  return call(tx, 'select channel_configure($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as outcome', [
    setting.channel,
    setting.revision,
    JSON.stringify(setting.config),
    setting.configVersion,
    setting.isEnabled,
    setting.quotaReserve,
    setting.secrets,
    setting.sealed?.sealed ?? null,
    setting.sealed?.dataKey ?? null,
    setting.sealed?.keyId ?? null,
    actor,
  ])
}

/** channel_disable of 0006_channels.sql. */
export async function disableCall(
  tx: Tx,
  channel: string,
  { version, actor }: { version: number; actor: string },
) {
  await call(tx, 'select channel_disable($1, $2, $3) as outcome', [channel, version, actor])
}

/** channel_checked of 0006_channels.sql. */
export async function checkedCall(tx: Tx, channel: string, revision: number, result: StoredCheck) {
  await call(tx, 'select channel_checked($1, $2, $3) as outcome', [channel, revision, JSON.stringify(result)])
}
