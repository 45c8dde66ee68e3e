import type pg from 'pg'
import { RolePool } from './role-pool.ts'
import { ScopedClient, TenantScopeError, toConfig } from './scoped-client.ts'
import { currentTenant } from './tenancy.ts'

/** What the scoped pool is opened with. Times are in milliseconds. */
export interface ScopedPoolOptions {
  readonly url: string
  /** The most connections that are open at once. */
  readonly connections: number
  /** The server ends a statement after this long. */
  readonly statementTimeout: number
  /** A connection whose answer stays out this long, to within a fifth, is cut. */
  readonly answerTimeout: number
}

/** A connection lent to one tenant until it is released. */
export interface TenantConnection {
  /** The connection no longer answers in order; a roll-back would only wait. */
  readonly spoiled: boolean
  /** The member (a uuid) with whose eyes the next statement sees; undefined: all of the tenant. */
  memberId: string | undefined
  send<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>
  release(): void
}

/**
 * The second wall: every statement carries its tenant. The setting `app.tenant` travels with the
 * statement, under the same Sync, and ends with its transaction; row-level security compares with it.
 * So it costs no round trip, and nothing of it stays on the connection. A member's id travels the same way, as
 * `app.member`: policies of what is written in spaces compare with it.
 *
 * `query` and `connect` take the tenant from `inTenant`, as Prisma's adapter needs; `queryAs` and
 * `connectAs` are told. Without a tenant they reject with TenantScopeError.
 */
export class ScopedPool extends RolePool {
  readonly #watch: NodeJS.Timeout

  constructor(options: ScopedPoolOptions) {
    super(
      { ...options, role: 'engawa_app' },
      {
        // The pool calls it with its configuration; the published type says: with nothing.
        Client: ScopedClient as unknown as new () => pg.ClientBase,
        onConnect: (client) => scoped(client).prepareScope(),
      },
    )
    this.#watch = watch(this, options.answerTimeout)
  }

  /** One statement in its own transaction and one round trip. */
  queryAs<Row extends pg.QueryResultRow>(
    tenantId: string,
    statement: pg.QueryConfig,
    memberId?: string,
  ): Promise<pg.QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      // The callback form saves two turns. It runs in the surroundings of whoever released the
      // connection, so nothing in here may read the tenant from them.
      super.connect((error, lent) => {
        if (!lent) return reject(error)
        const client = scoped(lent)
        client.dispatch({ tenantId, memberId }, statement, (failure, result) => {
          if (failure) {
            client.whenSettled(() => lent.release())
            reject(failure)
          } else {
            lent.release()
            resolve(result as pg.QueryResult<Row>)
          }
        })
      })
    })
  }

  /** A connection for a transaction of the tenant. Release it, whatever happens. */
  async connectAs(tenantId: string, memberId?: string): Promise<TenantConnection & pg.PoolClient> {
    const lent = await super.connect()
    const client = scoped(lent)
    client.tenantId = tenantId
    client.memberId = memberId
    const release = lent.release
    lent.release = (broken) => {
      client.tenantId = undefined
      release(broken)
    }
    return lent as pg.PoolClient & ScopedClient
  }

  /** For Prisma's adapter; `never` fits all of pg's overloads. */
  override query(statement: unknown, values?: unknown): never {
    return this.#query(statement, values) as never
  }

  async #query(statement: unknown, values: unknown): Promise<pg.QueryResult> {
    return this.queryAs(tenantInScope(), toConfig(statement, values))
  }

  override async connect(): Promise<pg.PoolClient> {
    return this.connectAs(tenantInScope())
  }

  override end(): Promise<void> {
    clearInterval(this.#watch)
    return super.end()
  }
}

function tenantInScope(): string {
  const tenantId = currentTenant()
  if (tenantId === undefined) throw new TenantScopeError('The scoped pool needs a tenant; see inTenant.')
  return tenantId
}

function scoped(client: pg.ClientBase): ScopedClient {
  if (client instanceof ScopedClient) return client
  throw new TypeError('not a connection of the scoped pool')
}

/** One timer for all connections; one for each statement would cost a thirtieth of the statement. */
function watch(pool: pg.Pool, timeout: number): NodeJS.Timeout {
  const looks = 5
  const waiting = new Map<ScopedClient, { sent: number; looks: number }>()
  pool.on('connect', (client) => waiting.set(scoped(client), { sent: -1, looks: 0 }))
  pool.on('remove', (client) => waiting.delete(scoped(client)))
  const timer = setInterval(() => {
    for (const [client, seen] of waiting) {
      if (!client.isBusy || client.sent !== seen.sent) waiting.set(client, { sent: client.sent, looks: 0 })
      else if (++seen.looks >= looks) client.cut()
    }
  }, timeout / looks)
  return timer.unref()
}
