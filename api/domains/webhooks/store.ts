import type { Tx } from '../../platform/db.ts'
import type { Outcome } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Sealed } from '../../platform/vault.ts'

/** What an endpoint is made of; null types are all of them. */
export interface EndpointFacts {
  readonly url: string
  readonly description: string | null
  readonly types: readonly string[] | null
  readonly scopes: readonly string[]
}

/** A secret as it is stored. */
export type StoredSecret = Sealed & { readonly id: string }

/** webhook_endpoint_add of 0015_webhooks.sql. */
export function addEndpointCall(
  tx: Tx,
  endpoint: EndpointFacts & { readonly id: string },
  { secret, operation }: { secret: StoredSecret; operation: Partial<Operation> & { actor: string } },
) {
  return call<Outcome<{ endpoint: string; is_new: boolean }>>(
    tx,
    'select webhook_endpoint_add($1, $2, $3, $4, $5) as outcome',
    [
      operation.key ?? null,
      operation.hash ?? null,
      operation.actor,
      JSON.stringify(endpoint),
      secretJson(secret),
    ],
  )
}

/** webhook_endpoint_update of 0015_webhooks.sql. What is undefined stays. */
export function updateEndpointCall(
  tx: Tx,
  endpoint: string,
  changes: Partial<EndpointFacts> & Pick<EndpointFacts, 'scopes'>,
) {
  return call<Outcome<{ endpoint: string }>>(tx, 'select webhook_endpoint_update($1, $2) as outcome', [
    endpoint,
    JSON.stringify(changes),
  ])
}

/** webhook_secret_rotate of 0015_webhooks.sql; the others sign along for `overlap`, an interval. */
export function rotateSecretCall(
  tx: Tx,
  endpoint: string,
  { secret, overlap }: { secret: StoredSecret; overlap: string },
) {
  return call<Outcome<{ endpoint: string }>>(tx, 'select webhook_secret_rotate($1, $2, $3) as outcome', [
    endpoint,
    secretJson(secret),
    overlap,
  ])
}

/** webhook_endpoint_enable, _disable and _remove of 0015_webhooks.sql. */
export function endpointCall(tx: Tx, what: 'enable' | 'disable' | 'remove', endpoint: string) {
  return call<Outcome<{ endpoint: string }>>(tx, `select webhook_endpoint_${what}($1) as outcome`, [endpoint])
}

/** What is to be sent again: failures by their ids, or what was logged since an instant or after a position. */
export interface ReplayFacts {
  readonly failures: readonly string[] | null
  readonly since: Date | null
  readonly pos: bigint | null
}

/** webhook_replay of 0015_webhooks.sql. */
export function replayCall(
  tx: Tx,
  endpoint: string,
  { failures, since, pos, operation }: ReplayFacts & { readonly operation: Operation },
) {
  return call<Outcome<{ endpoint: string }>>(
    tx,
    'select webhook_replay($1, $2, $3, $4, $5, $6, $7) as outcome',
    [operation.key, operation.hash, operation.actor, endpoint, failures, since, pos],
  )
}

/** How many events of the log lie behind each endpoint's place, by its id. */
export async function readBacklogs(
  tx: Tx,
  endpoints: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ id: string; backlog: number }>({
    name: 'webhook_backlogs',
    text: `select e.id, greatest(least(coalesce(h.pos, 0) - e.pos, 2147483647), 0)::int as backlog
      from webhook_endpoint e left join event_head h on h.tenant_id = e.tenant_id
      where own(e) and e.id = any ($1)`,
    values: [endpoints],
  })
  return new Map(rows.map(({ id, backlog }) => [id, backlog]))
}

function secretJson({ id, keyId, sealed, dataKey }: StoredSecret): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  return JSON.stringify({ id, keyId, sealed: base64(sealed), dataKey: base64(dataKey) })
}
