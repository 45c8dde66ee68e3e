import pg from 'pg'
import { stateOf } from './pg-internals.ts'

/** What a pool of one role is opened with. Times are in milliseconds. */
export interface RolePoolOptions {
  readonly url: string
  readonly role: 'engawa_app' | 'engawa_system'
  /** The most connections that are open at once. */
  readonly connections: number
  /** The server ends a statement after this long. */
  readonly statementTimeout: number
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: Error | boolean) => void,
) => void

/**
 * A pool whose connections act as one role of the migrations. A connection that comes back inside a
 * transaction, or with an answer outstanding, is closed and never lent again. A backend that dies
 * fails the statement it was running and nothing else.
 */
export class RolePool extends pg.Pool {
  readonly #open = new Set<pg.PoolClient>()
  #allClosed = () => {}

  constructor(options: RolePoolOptions, more: pg.PoolConfig = {}) {
    const config: pg.PoolConfig & { startup: string } = {
      connectionString: options.url,
      max: options.connections,
      idleTimeoutMillis: 60_000,
      startup: startupOptions(options),
      // The pool calls it with the whole configuration; its type says: with nothing.
      Client: RoleClient as unknown as new () => pg.ClientBase,
      ...more,
    }
    super(config)
    // Without a listener the loss of an idle connection would end the process. The pool replaces it.
    this.on('error', () => {})
    // A set, for a connection that dies while it opens is removed without having been there.
    this.on('connect', (client) => this.#open.add(client))
    this.on('remove', (client: pg.PoolClient) => {
      this.#open.delete(client)
      if (this.#open.size === 0) this.#allClosed()
    })
  }

  override connect(): Promise<pg.PoolClient>
  override connect(connected: Connected): void
  override connect(connected?: Connected): Promise<pg.PoolClient> | undefined {
    if (!connected) return super.connect().then(guarded)
    super.connect((error, client, done) => {
      if (client) guarded(client)
      connected(error, client, client ? client.release : done)
    })
  }

  /** Closes the pool; resolves when every connection is closed. */
  override async end(): Promise<void> {
    await super.end()
    if (this.#open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#allClosed = resolve
    })
  }
}

/** A connection that acts as one role from its first moment. */
export class RoleClient extends pg.Client {
  /** Set when the connection must not be lent again, whatever state it reports. */
  spoiled = false

  constructor(config: pg.ClientConfig & { startup: string }) {
    super({ ...config, connectionTimeoutMillis: 10_000, keepAlive: true })
    // Set here and not in the configuration, where the options of an address would replace them.
    const parameters = stateOf(this).connectionParameters
    parameters.options = parameters.options ? `${parameters.options} ${config.startup}` : config.startup
    // A borrower need not listen: its statement fails, and the pool drops the connection.
    this.on('error', () => {})
  }

  /** Whether the server awaits the next statement, outside any transaction. */
  get atRest(): boolean {
    return !this.spoiled && stateOf(this).readyForQuery && this.getTransactionStatus() === 'I'
  }
}

function guarded(client: pg.PoolClient): pg.PoolClient {
  const release = client.release
  client.release = (broken) => release(broken || !(client instanceof RoleClient && client.atRest))
  return client
}

function startupOptions({ role, statementTimeout }: RolePoolOptions): string {
  return [
    `role=${role}`,
    'TimeZone=UTC', // Prisma sends and reads times without their offset
    'jit=off', // compiling takes seconds where a statement takes milliseconds
    `statement_timeout=${statementTimeout}`,
    'idle_in_transaction_session_timeout=10000',
  ]
    .map((setting) => `-c ${setting}`)
    .join(' ')
}
