import { randomBytes } from 'node:crypto'
import type { Tx } from '../../platform/db.ts'
import type { SealedTable } from '../../platform/key-rotation.ts'
import type { Vault } from '../../platform/vault.ts'
import { keepKeyCall, readKey } from './store.ts'

/** Where the keys of codes are kept. */
export const sealedCouponKeys: SealedTable = {
  table: 'coupon_key',
  names: [],
  placeOf,
}

/**
 * The key under which the tenant's codes are hashed: random, made at its first use, sealed in the vault. It outlives
 * every rotation, for a code that was given out cannot be hashed anew. It is read each time: one that a transaction
 * made and undid must not be remembered.
 */
export async function codeKey(tx: Tx, vault: Vault): Promise<Uint8Array> {
  const place = placeOf(tx.tenantId)
  const stored =
    (await readKey(tx)) ??
    (await keepKeyCall(tx, await vault.seal(place, randomBytes(32).toString('base64'))).then(() =>
      readKey(tx),
    ))
  if (!stored) throw new TypeError('the key of the codes was not kept')
  return Buffer.from(await vault.open(place, stored), 'base64')
}

function placeOf(tenant: string): string {
  return `coupon_key/${tenant}`
}
