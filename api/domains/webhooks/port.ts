import { definePort } from '../../platform/ports.ts'
import type { Vault } from '../../platform/vault.ts'

/** What this room's mutations are promised by the app. */
export interface Webhooks {
  readonly vault: Pick<Vault, 'seal'>
  /** Why webhooks are not sent to this address, as it is written; undefined when they are. */
  refusal(url: string): string | undefined
  /** The position in the tenant's log that a cursor stands for, or why nothing can go on from there. */
  place(tenantId: string, cursor: string): Promise<bigint | 'INVALID' | 'EXPIRED' | 'FUTURE' | 'EPOCH'>
  /** Says that an endpoint is due. */
  poke(): void
}

/** How resolvers reach them. */
export const webhooksPort = definePort<Webhooks>('webhooks')
