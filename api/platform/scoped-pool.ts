import pg from 'pg'
import { BareQuery, type Settled, type Wire } from './pg-internals.ts'
import { RoleClient, RolePool, type RolePoolOptions } from './role-pool.ts'
import { currentTenant } from './tenancy.ts'

/** A statement came to the scoped pool outside any tenant, or from another tenant than its connection's. */
export class TenantScopeError extends Error {
  override readonly name = 'TenantScopeError'
}

/** A connection lent to one tenant until it is released. */
export interface TenantConnection {
  /** The connection no longer answers in order; a roll-back would only wait. */
  readonly spoiled: boolean
  send<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>
  release(): void
}

/**
 * The second wall: every statement carries its tenant. The setting `app.tenant` travels with the
 * statement, under the same Sync, and ends with its transaction; row-level security compares with it.
 * So it costs no round trip, and nothing of it stays on the connection.
 *
 * `query` and `connect` take the tenant from `inTenant`, as Prisma's adapter needs; `queryAs` and
 * `connectAs` are told. Without a tenant they reject with TenantScopeError.
 */
export class ScopedPool extends RolePool {
  constructor(options: Omit<RolePoolOptions, 'role'>) {
    super(
      { ...options, role: 'engawa_app' },
      {
        Client: ScopedClient as unknown as new () => pg.ClientBase,
        onConnect: (client) => scoped(client).prepareTenant(),
      },
    )
  }

  /** One statement in its own transaction and one round trip. */
  queryAs<Row extends pg.QueryResultRow>(
    tenantId: string,
    statement: pg.QueryConfig,
  ): Promise<pg.QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      // Not the promise form: it would cost two turns. Nothing in here may read the tenant from its
      // surroundings, because it runs in those of whoever released the connection.
      super.connect((error, lent) => {
        if (!lent) return reject(error)
        const client = scoped(lent)
        client.dispatch(tenantId, statement, (failure, result) => {
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
  async connectAs(tenantId: string): Promise<TenantConnection & pg.PoolClient> {
    const lent = await super.connect()
    const client = scoped(lent)
    client.tenantId = tenantId
    const release = lent.release
    lent.release = (broken) => {
      client.tenantId = undefined
      release(broken)
    }
    return lent as pg.PoolClient & ScopedClient
  }

  // `never` fits all of pg's overloads; callers know the pool as a pg.Pool.
  override query(statement: unknown, values?: unknown): never {
    return this.#query(statement, values) as never
  }

  async #query(statement: unknown, values: unknown): Promise<pg.QueryResult> {
    return this.queryAs(scopeOf('A statement'), toConfig(statement, values))
  }

  override async connect(): Promise<pg.PoolClient> {
    return this.connectAs(scopeOf('A connection'))
  }
}

class ScopedClient extends RoleClient {
  /** Whom the connection is lent to. */
  tenantId: string | undefined

  /** Gives the connection the statement that each of its statements will travel with. */
  async prepareTenant(): Promise<void> {
    await super.query({ name: SET_TENANT, text: "select set_config('app.tenant', $1, true)", values: [''] })
  }

  override query(statement: unknown, values?: unknown): never {
    return this.#query(statement, values) as never
  }

  async #query(statement: unknown, values: unknown): Promise<pg.QueryResult> {
    return this.send(toConfig(statement, values))
  }

  async send<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    const tenantId = this.tenantId
    if (tenantId === undefined) throw new TenantScopeError('The connection has been released.')
    if ((currentTenant() ?? tenantId) !== tenantId) {
      throw new TenantScopeError('The connection belongs to another tenant.')
    }
    return new Promise((resolve, reject) => {
      this.dispatch(tenantId, statement, (error, result) => {
        if (error) reject(error)
        else resolve(result as pg.QueryResult<Row>)
      })
    })
  }

  /** Sends one statement as the tenant. Settles once. */
  dispatch(tenantId: string, statement: pg.QueryConfig, settled: Settled): void {
    let done = false
    const once: Settled = (error, result) => {
      if (done) return
      done = true
      settled(error, result)
    }
    super.query(new ScopedQuery(this, tenantId, statement, once))
  }

  /** Calls back when the server awaits the next statement, or the connection is of no more use. */
  whenSettled(then: () => void): void {
    if (this.spoiled || this.atRest) {
      then()
      return
    }
    const once = () => {
      this.off('drain', once)
      this.off('end', once)
      then()
    }
    this.on('drain', once)
    this.on('end', once)
  }
}

const SET_TENANT = 'app_tenant'

/** Statements that read nothing. They go alone: some must be the first of their transaction. */
const CONTROL = /^\s*(?:begin|commit|rollback|savepoint|release|start\s+transaction|set\s+transaction)\b/i

class ScopedQuery extends BareQuery {
  readonly #client: ScopedClient
  readonly #tenantId: string
  /** While the answer that arrives is that of the setting. */
  #hidden = false

  constructor(client: ScopedClient, tenantId: string, statement: pg.QueryConfig, settled: Settled) {
    super(statement, undefined, settled)
    this.#client = client
    this.#tenantId = tenantId
  }

  /** The simple protocol has no place for the setting. */
  override requiresPreparation(): boolean {
    return true
  }

  override prepare(wire: Wire): void {
    // In a failed transaction the server takes nothing but its end.
    if (this.#client.getTransactionStatus() !== 'E' && !CONTROL.test(this.text)) {
      wire.bind({ portal: '', statement: SET_TENANT, values: [this.#tenantId] })
      wire.execute({ portal: '' })
      this.#hidden = true
    }
    super.prepare(wire)
  }

  override handleDataRow(message: unknown): void {
    if (!this.#hidden) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#hidden) this.#hidden = false
    else super.handleCommandComplete(message, wire)
  }

  override handleError(error: Error, wire: Wire): void {
    if (!isServerError(error) || LOST_STATEMENT.has(error.code ?? '')) this.#client.spoiled = true
    super.handleError(error, wire)
  }
}

/** Prepared statements of the connection are gone, or no longer fit the tables. */
const LOST_STATEMENT = new Set(['26000', '0A000'])

function isServerError(error: Error): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError
}

function scopeOf(what: string): string {
  const tenantId = currentTenant()
  if (tenantId === undefined)
    throw new TenantScopeError(`${what} of the scoped pool needs a tenant; see inTenant.`)
  return tenantId
}

function toConfig(statement: unknown, values: unknown): pg.QueryConfig {
  if (typeof statement === 'string') {
    return Array.isArray(values) ? { text: statement, values } : { text: statement }
  }
  if (
    typeof statement !== 'object' ||
    statement === null ||
    'submit' in statement ||
    !('text' in statement)
  ) {
    throw new TypeError('The scoped pool takes text or a plain statement, no query object.')
  }
  if (typeof values === 'function')
    throw new TypeError('The scoped pool answers with promises, no callbacks.')
  const config = statement as pg.QueryConfig
  return Array.isArray(values) ? { ...config, values } : config
}

function scoped(client: pg.ClientBase): ScopedClient {
  if (client instanceof ScopedClient) return client
  throw new TypeError('not a connection of the scoped pool')
}
