import { webhookSecret } from '@engawa/sdk/webhooks'
import { newId } from '../../platform/ids.ts'
import type { SealedTable } from '../../platform/key-rotation.ts'
import type { Sealed, Vault } from '../../platform/vault.ts'

/** A new secret: as it is shown, once, and as it is stored. */
export interface NewSecret {
  readonly text: string
  readonly stored: Sealed & { readonly id: string }
}

/** Makes a secret for an endpoint, both by their ids. */
export async function makeSecret(
  vault: Pick<Vault, 'seal'>,
  tenant: string,
  endpoint: string,
): Promise<NewSecret> {
  const id = newId()
  const text = webhookSecret()
  return { text, stored: { id, ...(await vault.seal(placeOf(tenant, endpoint, id), text)) } }
}

/** The place that a secret is bound to. */
export function placeOf(tenant: string, endpoint: string, secret: string): string {
  return `webhook_secret/${tenant}/${endpoint}/${secret}`
}

/** Where the secrets of webhooks are kept. */
export const sealedWebhookSecrets: SealedTable = {
  table: 'webhook_secret',
  names: ['endpoint_id', 'id'],
  placeOf: (tenant, endpoint = '', secret = '') => placeOf(tenant, endpoint, secret),
}
