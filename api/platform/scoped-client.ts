import pg from 'pg'
import { BareQuery, type Settled, stateOf, type Wire } from './pg-internals.ts'
import { RoleClient } from './role-pool.ts'
import { currentTenant } from './tenancy.ts'

/** A statement came outside any tenant, or from another tenant than its connection is lent to. */
export class TenantScopeError extends Error {
  override readonly name = 'TenantScopeError'
}

/** A connection of the scoped pool. It sends nothing without a tenant. */
export class ScopedClient extends RoleClient {
  /** Whom the connection is lent to. */
  tenantId: string | undefined
  /** The member whose eyes it sees with; undefined: all of the tenant. */
  memberId: string | undefined
  /** How many statements were sent so far. */
  sent = 0
  /** The columns of each prepared statement; they cannot change while it is prepared. */
  readonly columns = new Map<string, unknown>()
  #terse: Wire | undefined

  /** Gives the connection the statement that all others travel with. It returns no row, to be read fast. */
  async prepareScope(): Promise<void> {
    const text =
      "select where set_config('app.tenant', $1, true) is null or set_config('app.member', $2, true) is null"
    await super.query({ name: SET_SCOPE, text, values: ['', ''] })
  }

  /** For Prisma and for code that knows pg; `never` fits all of pg's overloads. */
  override query(statement: unknown, values?: unknown): never {
    return this.#query(statement, values) as never
  }

  async #query(statement: unknown, values: unknown): Promise<pg.QueryResult> {
    return this.send(toConfig(statement, values))
  }

  /** One statement of whoever borrowed the connection. */
  async send<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    const tenantId = this.tenantId
    if (tenantId === undefined) throw new TenantScopeError('The connection has been released.')
    if ((currentTenant() ?? tenantId) !== tenantId) {
      throw new TenantScopeError('The connection is lent to another tenant.')
    }
    return new Promise((resolve, reject) => {
      this.dispatch({ tenantId, memberId: this.memberId }, statement, (error, result) => {
        if (error) reject(error)
        else resolve(result as pg.QueryResult<Row>)
      })
    })
  }

  /** Sends one statement in its scope. Settles once. */
  dispatch(scope: Scope, statement: pg.QueryConfig, settled: Settled): void {
    this.sent += 1
    let done = false
    const once: Settled = (error, result) => {
      if (done) return
      done = true
      settled(error, result)
    }
    super.query(new ScopedQuery(this, scope, statement, once))
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

  /** Ends the connection at once; the statement that it runs fails. */
  cut(): void {
    this.spoiled = true
    this.connection.stream.destroy(new Error('The database did not answer in time.'))
  }

  /** Whether an answer is awaited. */
  get isBusy(): boolean {
    return !stateOf(this).readyForQuery
  }

  /** The same wire, but it does not ask for columns. */
  terse(wire: Wire): Wire {
    this.#terse ??= Object.create(wire, { describe: { value: () => {} } }) as Wire
    return this.#terse
  }
}

const SET_SCOPE = 'app_scope'

/** Whose rows a statement sees: a tenant's, and with a member's id what that member may see of them. Uuids. */
export interface Scope {
  readonly tenantId: string
  readonly memberId: string | undefined
}

/** Statements that read nothing. They go alone: some must be the first of their transaction. */
const CONTROL = /^\s*(?:begin|commit|rollback|savepoint|release|start\s+transaction|set\s+transaction)\b/i

class ScopedQuery extends BareQuery {
  readonly #client: ScopedClient
  readonly #scope: Scope
  /** While the next answer is that of the setting. */
  #isSetting = false

  constructor(client: ScopedClient, scope: Scope, statement: pg.QueryConfig, settled: Settled) {
    super(statement, undefined, settled)
    this.#client = client
    this.#scope = scope
  }

  /** The simple protocol has no place for the setting. */
  override requiresPreparation(): boolean {
    return true
  }

  override prepare(wire: Wire): void {
    // In a failed transaction the server takes nothing but its end.
    if (this.#client.getTransactionStatus() !== 'E' && !CONTROL.test(this.text)) {
      const { tenantId, memberId = '' } = this.#scope
      wire.bind({ portal: '', statement: SET_SCOPE, values: [tenantId, memberId] })
      wire.execute({ portal: '' })
      this.#isSetting = true
    }
    const columns = this.name && this.#client.columns.get(this.name)
    if (columns) super.handleRowDescription(columns)
    super.prepare(columns ? this.#client.terse(wire) : wire)
  }

  override handleRowDescription(message: unknown): void {
    if (this.name) this.#client.columns.set(this.name, message)
    super.handleRowDescription(message)
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#isSetting) this.#isSetting = false
    else super.handleCommandComplete(message, wire)
  }

  override handleError(error: Error, wire: Wire): void {
    if (!(error instanceof pg.DatabaseError) || LOST_STATEMENT.has(error.code ?? '')) {
      this.#client.spoiled = true
    }
    super.handleError(error, wire)
  }
}

/** The connection's prepared statements are gone, or no longer fit the tables. */
const LOST_STATEMENT = new Set(['26000', '0A000'])

/** The text or statement as one configuration. Throws TypeError for query objects and callbacks. */
export function toConfig(statement: unknown, values: unknown): pg.QueryConfig {
  if (typeof values === 'function')
    throw new TypeError('The scoped pool answers with promises, not callbacks.')
  const config = typeof statement === 'string' ? { text: statement } : statement
  if (typeof config !== 'object' || config === null || !('text' in config) || 'submit' in config) {
    throw new TypeError('The scoped pool takes text or a plain statement, no query object.')
  }
  // What is left is what pg's overloads allow.
  return (Array.isArray(values) ? { ...config, values } : config) as pg.QueryConfig
}
