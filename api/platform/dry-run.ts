import type { PrismaClient } from '../generated/prisma/client.ts'
import { TooCostlyError } from './errors/index.ts'
import type { TenantConnection } from './scoped-pool.ts'
import {
  rowsOf,
  type Statement,
  type TenantClient,
  type TenantClientParts,
  TransactionClient,
} from './tenant-client.ts'

/** Does work on one connection as it would be done, and undoes all of it. The time is in milliseconds. */
export type DryRun = <T>(
  tenantId: string,
  milliseconds: number,
  work: (db: TenantClient) => Promise<T>,
) => Promise<T>

/** At most this many at once in one process: each keeps a connection, and its locks, until it is undone. */
const AT_MOST = 3

/**
 * Makes dry runs over a pool. The work gets a client that reads and writes inside one transaction and behaves as the
 * usual one: each statement, and each transaction of the work's own, counts or fails by itself, and what is checked
 * or set off by a commit is so after it. In the end everything is rolled back, whatever came of the work.
 *
 * Rejects with TooCostlyError when the work takes longer than it may, and when too many run already.
 */
export function dryRuns(parts: TenantClientParts): DryRun {
  let running = 0
  return async (tenantId, milliseconds, work) => {
    if (running >= AT_MOST) {
      throw new TooCostlyError(`At most ${AT_MOST} dry runs go on at a time. Try again in a moment.`, 1)
    }
    running += 1
    const left = () => {
      running -= 1
    }
    const connection = await parts.pool.connectAs(tenantId).catch((error: unknown) => {
      left()
      throw error
    })
    const client = new DryClient(parts, tenantId, connection)
    const limit = timeLimit(milliseconds)
    try {
      await connection.send({ text: 'begin' })
      return await Promise.race([work(client), limit.passed])
    } finally {
      const undone = client.undo().finally(left)
      // Nobody waits for the statement that took too long.
      if (limit.end()) await undone
    }
  }
}

function timeLimit(milliseconds: number) {
  let isPast = false
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isPast = true
      const seconds = milliseconds / 1000
      reject(new TooCostlyError(`This dry run took longer than ${seconds} seconds; nothing of it was done.`))
    }, milliseconds)
  })
  return {
    passed,
    /** True when it had not passed. */
    end() {
      clearTimeout(timer)
      return !isPast
    },
  }
}

function noPrisma(): never {
  throw new Error('There is no Prisma inside a dry run: use query, or read(db).')
}

class DryClient implements TenantClient {
  readonly tenantId: string
  readonly #parts: TenantClientParts
  readonly #connection: TenantConnection
  /** Settles when everything that was asked so far is done: one connection does one thing at a time. */
  #last: Promise<unknown> = Promise.resolve()
  #isOver = false
  #inner: TransactionClient | undefined

  constructor(parts: TenantClientParts, tenantId: string, connection: TenantConnection) {
    this.tenantId = tenantId
    this.#parts = parts
    this.#connection = connection
  }

  query<Row>(statement: Statement): Promise<Row[]> {
    return this.#query(statement, undefined)
  }

  transaction<T>(work: (tx: TenantClient) => Promise<T>): Promise<T> {
    return this.#transaction(work, undefined)
  }

  as(memberId: string): TenantClient {
    return {
      tenantId: this.tenantId,
      as: (other) => this.as(other),
      query: (statement) => this.#query(statement, memberId),
      transaction: (work) => this.#transaction(work, memberId),
      get prisma(): PrismaClient {
        return noPrisma()
      },
    }
  }

  async #query<Row>(statement: Statement, memberId: string | undefined): Promise<Row[]> {
    const config = this.#parts.walled(this.tenantId, statement)
    return rowsOf(
      this.#inTurn(() => {
        this.#connection.memberId = memberId
        return this.#connection.send(config)
      }),
    )
  }

  #transaction<T>(work: (tx: TenantClient) => Promise<T>, memberId: string | undefined): Promise<T> {
    return this.#inTurn(async () => {
      this.#connection.memberId = memberId
      const tx = new TransactionClient(this.#parts, this.tenantId, this.#connection)
      this.#inner = tx
      try {
        return await work(tx)
      } finally {
        tx.close()
      }
    })
  }

  get prisma(): PrismaClient {
    return noPrisma()
  }

  /** Takes nothing more, rolls back what was done, and gives the connection back. */
  async undo(): Promise<void> {
    this.#isOver = true
    this.#inner?.close()
    await this.#last
    const connection = this.#connection
    // When this fails, the connection is not at rest, and its release closes it.
    if (!connection.spoiled) await connection.send({ text: 'rollback' }).catch(() => {})
    connection.release()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#counted(work))
    this.#last = turn.catch(() => {})
    return turn
  }

  /** As if it were committed when it succeeds; what fails leaves nothing, and does not spoil what follows. */
  async #counted<T>(work: () => Promise<T>): Promise<T> {
    await this.#say('savepoint counted')
    try {
      const done = await work()
      await this.#say('set constraints all immediate', 'set constraints all deferred')
      await this.#say('release savepoint counted')
      return done
    } catch (error) {
      if (!this.#isOver && !this.#connection.spoiled) {
        await this.#say('rollback to savepoint counted', 'release savepoint counted')
      }
      throw error
    }
  }

  async #say(...texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      if (this.#isOver) throw new Error('The dry run is over.')
      await this.#connection.send({ text })
    }
  }
}
