import type { Tx } from '../../platform/db.ts'
import type { SealedTable } from '../../platform/key-rotation.ts'
import type { Vault } from '../../platform/vault.ts'
import type { SavedConfig } from './port.ts'
import { readSettingRow, type SettingRow } from './store.ts'

/**
 * What the tenant set for a channel; undefined when it set nothing. Throws SealedError when the secrets cannot be
 * opened with the keys of this process.
 */
export async function readSaved(tx: Tx, channel: string, vault: Vault): Promise<SavedConfig | undefined> {
  const row = await readSettingRow(tx, channel)
  return row && savedOf(tx.tenantId, row, vault)
}

/** A stored setting as a whole. Throws SealedError. */
export async function savedOf(tenantId: string, row: SettingRow, vault: Vault): Promise<SavedConfig> {
  const secrets = await openSecrets(tenantId, row, vault)
  return { config: { ...row.config, ...secrets }, version: row.configVersion }
}

async function openSecrets(
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

/** Where the secrets of channels are kept. */
export const sealedSettings: SealedTable = {
  table: 'channel_setting',
  names: ['channel'],
  placeOf: (tenant, channel = '') => placeOf(tenant, channel),
}
