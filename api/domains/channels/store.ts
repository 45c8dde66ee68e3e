import type { Tx } from '../../platform/db.ts'

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
  readonly checkResult: unknown
}

/** Reads what the tenant set for a channel; undefined when it set nothing. */
export async function readSettingRow(tx: Tx, channel: string): Promise<SettingRow | undefined> {
  const [row] = await tx.query<SettingRow>({
    name: 'channel_setting',
    text: `select s.channel, s.revision, s.is_enabled as "isEnabled", s.config,
        s.config_version as "configVersion", s.secrets, s.sealed, s.data_key as "dataKey", s.key_id as "keyId",
        s.quota_reserve as "quotaReserve", s.checked_at as "checkedAt", s.check_result as "checkResult"
      from channel_setting s where own(s) and s.channel = $1`,
    values: [channel],
  })
  return row
}
