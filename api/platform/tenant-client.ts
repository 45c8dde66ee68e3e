import type pg from 'pg'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { isDeadlock } from './outage.ts'
import type { Scope } from './scoped-client.ts'
import type { ScopedPool, TenantConnection } from './scoped-pool.ts'

/**
 * One SQL statement with `$1…` placeholders. Where its text reads or changes a tenant's table it says
 * `own(alias)`, or `own()`: `select m.id from member m where own(m) and m.external_id = $1`. With a
 * name it is prepared at its first use, without one at its third.
 */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  readonly name?: string
}

/**
 * The database as one tenant sees it; also the `tx` that services take first. Rows come with `bigint`
 * for int8, `Date` for timestamptz, and text for date and numeric.
 */
export interface TenantClient {
  /** A uuid. */
  readonly tenantId: string
  /** The same for one member (a uuid): of what is written in spaces it sees only what that member may see. */
  as(memberId: string): TenantClient
  /**
   * One statement, by itself one transaction and one round trip; sent again, up to 3 times, when it and another waited
   * for each other. Rejects with pg.DatabaseError.
   */
  query<Row>(statement: Statement): Promise<Row[]>
  /** Commits when the work resolves, rolls back when it rejects, and passes its answer on. Does not nest. */
  transaction<T>(work: (tx: TenantClient) => Promise<T>): Promise<T>
  /** Reads and everyday writes among this tenant's rows. Throws inside `transaction`. */
  readonly prisma: PrismaClient
}

/** What the clients of all tenants share. */
export interface TenantClientParts {
  readonly pool: ScopedPool
  /** The statement as pg takes it, with the first wall in its text. */
  walled(tenantId: string, statement: Statement): pg.QueryConfig
  prisma(tenantId: string): PrismaClient
}

const MOST_AGAIN = 3

/** The client of one tenant over the pool; every statement is its own transaction. */
export function tenantClient(parts: TenantClientParts, tenantId: string, memberId?: string): TenantClient {
  return {
    tenantId,
    as: (member) => tenantClient(parts, tenantId, member),
    async query<Row>(statement: Statement): Promise<Row[]> {
      const config = parts.walled(tenantId, statement)
      for (let left = MOST_AGAIN; ; left--) {
        try {
          return await rowsOf<Row>(parts.pool.queryAs(tenantId, config, memberId))
        } catch (error) {
          if (left === 0 || !isDeadlock(error)) throw error
        }
      }
    },
    transaction: (work) => runTransaction(parts, { tenantId, memberId }, work),
    get prisma() {
      if (memberId !== undefined) throw new Error('Prisma does not know members: use read(db).')
      return parts.prisma(tenantId)
    },
  }
}

async function runTransaction<T>(
  parts: TenantClientParts,
  { tenantId, memberId }: Scope,
  work: (tx: TenantClient) => Promise<T>,
): Promise<T> {
  const connection = await parts.pool.connectAs(tenantId, memberId)
  const tx = new TransactionClient(parts, tenantId, connection)
  try {
    await connection.send({ text: 'begin' })
    const result = await work(tx)
    tx.close()
    const { command } = await connection.send({ text: 'commit' })
    // A failed statement whose error the work swallowed: the server answers COMMIT with a roll-back.
    if (command !== 'COMMIT')
      throw new Error('The transaction was rolled back: one of its statements had failed.')
    return result
  } catch (error) {
    // When this fails too, the connection is not at rest, and its release closes it.
    if (!connection.spoiled) await connection.send({ text: 'rollback' }).catch(() => {})
    throw error
  } finally {
    tx.close()
    connection.release()
  }
}

/** The client inside of a transaction that somebody else ends. */
export class TransactionClient implements TenantClient {
  readonly tenantId: string
  readonly #parts: TenantClientParts
  #connection: TenantConnection | undefined

  constructor(parts: TenantClientParts, tenantId: string, connection: TenantConnection) {
    this.tenantId = tenantId
    this.#parts = parts
    this.#connection = connection
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    if (!this.#connection) throw new Error('The transaction is over.')
    return rowsOf(this.#connection.send(this.#parts.walled(this.tenantId, statement)))
  }

  as(): TenantClient {
    throw new Error('A transaction keeps to whom it was begun for.')
  }

  async transaction<T>(): Promise<T> {
    throw new Error('Transactions do not nest: pass this tx on.')
  }

  get prisma(): PrismaClient {
    throw new Error('There is no Prisma inside a transaction: use query.')
  }

  /** After this the connection may be another tenant's. */
  close(): void {
    this.#connection = undefined
  }
}

/** The rows of an answer, or its error with the stack of whoever asked. */
export async function rowsOf<Row>(answer: Promise<pg.QueryResult>): Promise<Row[]> {
  try {
    // The border between SQL and types: the caller names the row that the text returns.
    return (await answer).rows as Row[]
  } catch (error) {
    // The stack so far leads to the socket; this one leads to the caller.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}
