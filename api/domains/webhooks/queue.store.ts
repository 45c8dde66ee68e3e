import type pg from 'pg'
import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { Sealed } from '../../platform/vault.ts'

/** An endpoint that is ours for a while. */
export interface Claim {
  readonly tenant: string
  readonly endpoint: string
  readonly fence: string
}

/** Something to be sent: an event of the log, or a failure that is sent again. Instants are ISO 8601. */
export interface Item {
  /** The event's, or the failure's. */
  readonly id: string
  readonly isReplay: boolean
  /** The event's id. */
  readonly event: string
  readonly pos: string
  readonly type: string
  readonly member: string | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: string
  readonly bookedAt: string
}

/** What a claimed endpoint is to be sent next. */
export interface Taken {
  readonly is: 'taken'
  readonly url: string
  readonly version: string
  readonly rewinds: string
  /** How often the first of the items was tried before. */
  readonly attempt: number
  readonly items: readonly Item[]
  /** The items are all there is up to this position. */
  readonly until: string
  /** Newest first. */
  readonly secrets: readonly (Sealed & { readonly id: string })[]
}

/** Why an attempt came to nothing. */
export interface Fault {
  readonly fault:
    | 'STATUS'
    | 'REDIRECT'
    | 'GONE'
    | 'REFUSED_ADDRESS'
    | 'UNREACHABLE'
    | 'TIMEOUT'
    | 'LONG_ANSWER'
    | 'EVENT'
    | 'SECRET'
  /** What was answered, when something was. */
  readonly status: number | null
}

/** What became of what was sent, since it was taken with this version and these rewinds. */
export interface Done extends Pick<Taken, 'version' | 'rewinds'> {
  /** Everything up to here is done. */
  readonly pos: string | null
  /** Failures that were accepted. */
  readonly replayed: readonly string[]
  readonly isSuccess: boolean
  readonly failure: Failure | null
  /** Whether the claim is given back; what went wrong gives it back by itself, unless it is given up. */
  readonly isOver: boolean
}

/** What went wrong, and what follows. */
export interface Failure {
  readonly item: Item
  readonly fault: Fault
  readonly attempt: number
  readonly follows: 'RETRY' | 'GIVE_UP' | 'DISABLE'
  readonly waitMs: number
}

/** webhook_due of 0015_webhooks.sql; `tenants` null looks at those of all. */
export async function claimDue(
  system: pg.Pool,
  tenants: readonly string[] | null,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<readonly Claim[]> {
  const { rows } = await system.query<Claim>({
    name: 'webhook_due',
    text: `select tenant_id as tenant, endpoint_id as endpoint, fence
      from webhook_due($1, $2, $3::int * interval '1 ms')`,
    values: [tenants, limit, leaseMs],
  })
  return rows
}

/** webhook_take of 0015_webhooks.sql. `facts` has the scope of every type there is. */
export async function take(
  tx: Tx,
  { endpoint, fence }: Claim,
  options: { facts: Readonly<Record<string, string>>; limit: number; leaseMs: number },
): Promise<Taken | { readonly is: 'more' | 'idle' | 'stale' }> {
  const taken = await call<TakenRow | { is: 'more' | 'idle' | 'stale' }>(
    tx,
    `select webhook_take($1, $2, $3, $4, $5::int * interval '1 ms') as outcome`,
    [endpoint, fence, JSON.stringify(options.facts), options.limit, options.leaseMs],
  )
  if (taken.is !== 'taken') return taken
  const secrets = (taken.secrets ?? []).map(({ sealed, dataKey, ...names }) => ({
    ...names,
    sealed: Buffer.from(sealed, 'base64'),
    dataKey: Buffer.from(dataKey, 'base64'),
  }))
  return { ...taken, secrets }
}

interface TakenRow extends Omit<Taken, 'secrets'> {
  readonly secrets: readonly { id: string; keyId: string; sealed: string; dataKey: string }[] | null
}

/** webhook_settle of 0015_webhooks.sql. */
export function settle(
  tx: Tx,
  { endpoint, fence }: Claim,
  { done, leaseMs }: { done: Done; leaseMs: number },
): Promise<{ readonly is: 'done' | 'changed' | 'stale' }> {
  return call(tx, `select webhook_settle($1, $2, $3, $4::int * interval '1 ms') as outcome`, [
    endpoint,
    fence,
    JSON.stringify(done),
    leaseMs,
  ])
}

/** Forgets old failures of all tenants, at most `limit`; returns how many. */
export async function forgetFailures(system: pg.Pool, limit: number): Promise<number> {
  const { rows } = await system.query<{ count: number }>({
    name: 'webhook_failures_forget',
    text: 'select webhook_failures_forget($1) as count',
    values: [limit],
  })
  return rows[0]?.count ?? 0
}
