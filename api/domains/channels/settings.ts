import type { Tx } from '../../platform/db.ts'
import type { Vault } from '../../platform/vault.ts'
import { readSettingRow, type SettingRow } from './store.ts'

/** A tenant's configuration of a channel, secrets included, and the version that it was written for. */
export interface SavedConfig {
  readonly config: Readonly<Record<string, unknown>>
  readonly version: number
}

/**
 * What the tenant set for a channel; undefined when it set nothing. Throws SealedError when the secrets cannot be
 * opened with the keys of this process.
 */
export async function readSaved(tx: Tx, channel: string, vault: Vault): Promise<SavedConfig | undefined> {
  const row = await readSettingRow(tx, channel)
  if (!row) return undefined
  const secrets = await openSecrets(tx.tenantId, row, vault)
  return { config: { ...row.config, ...secrets }, version: row.configVersion }
}

/** The secrets of a stored setting by their names. Throws SealedError. */
export async function openSecrets(
  tenantId: string,
  { channel, keyId, dataKey, sealed }: SettingRow,
  vault: Vault,
): Promise<Readonly<Record<string, unknown>>> {
  if (keyId === null || dataKey === null || sealed === null) return {}
  return JSON.parse(await vault.open(placeOf(tenantId, channel), { keyId, dataKey, sealed }))
}

/** The place that the secrets of a channel are bound to. */
export function placeOf(tenantId: string, channel: string): string {
  return `channel_setting/${tenantId}/${channel}`
}
