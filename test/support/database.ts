import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest'
import { embeddedProcess, openEmbedded } from '../../api/platform/embedded/index.ts'
import { databaseUrl, onServer } from './server.ts'
import { until } from './until.ts'

/** A migrated database of one's own. */
export interface TestDatabase extends AsyncDisposable {
  /** As the user who may do everything; add `-c role=engawa_app` to be the application. */
  readonly url: string
}

/** Clones a migrated database. Whoever opens it disposes of it: `await using db = await openTestDatabase()`. */
export async function openTestDatabase(): Promise<TestDatabase> {
  return create(inject('server').template)
}

/** Inside a test: a database without any schema that goes when the test ends. */
export async function usingEmptyDatabase(): Promise<{ readonly url: string }> {
  const database = await create('template0')
  onTestFinished(() => database[Symbol.asyncDispose]())
  return database
}

/** Inside a test: a migrated database that goes when the test ends. */
export async function usingDatabase(): Promise<{ readonly url: string }> {
  const database = await openTestDatabase()
  onTestFinished(() => database[Symbol.asyncDispose]())
  return database
}

/** At the top of a file or `describe`: one migrated database for its tests; `url` is there once they run. */
export function testDatabase(): { readonly url: string } {
  let database: TestDatabase | undefined
  beforeAll(async () => {
    database = await openTestDatabase()
  })
  afterAll(() => database?.[Symbol.asyncDispose]())
  return {
    get url() {
      if (!database) throw new Error('The database is there in tests and hooks, not while they are declared.')
      return database.url
    },
  }
}

async function create(template: string): Promise<TestDatabase> {
  const { url } = inject('server')
  const name = `engawa_test_${randomBytes(6).toString('hex')}`
  await onServer(url, (client) =>
    client.query(`create database ${name} template ${template} strategy wal_log`),
  )
  const drop = async () => {
    await onServer(url, async (client) => {
      // A pool that was ended may still be closing its connections, and one that is killed fails after its test.
      const open = 'select from pg_stat_activity where datname = $1'
      await until(async () => (await client.query(open, [name])).rowCount === 0, 2_000).catch(() => {})
      // An autovacuum that looks at it belongs to the superuser, whom not everybody may end; it is soon gone.
      const isDropped = (): Promise<boolean> =>
        client.query(`drop database if exists ${name} with (force)`).then(
          () => true,
          (error: { code?: string }) => {
            if (error.code === '42501') return false
            throw error
          },
        )
      await until(isDropped)
    })
  }
  return { url: databaseUrl(url, name), [Symbol.asyncDispose]: drop }
}

/** An embedded PostgreSQL of one's own, which a test may crash. Durable, as in production. */
export interface OwnCluster extends AsyncDisposable {
  readonly dataDir: string
  /** The same after a restart. Its database `engawa` is empty: migrate it. */
  readonly url: string
  /** Kills the server with kill -9, as a power cut would, and returns when it is dead. */
  crash(): Promise<void>
  /** Starts it again; it recovers first. */
  restart(): Promise<void>
}

/** Starts a cluster that goes when the test ends. */
export async function ownCluster(): Promise<OwnCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-own-'))
  let database = await openEmbedded({ dataDir })
  const cluster: OwnCluster = {
    dataDir,
    url: database.url,
    crash: async () => {
      const pid = embeddedProcess(dataDir)
      if (pid === null) throw new Error('It does not run.')
      process.kill(pid, 'SIGKILL')
      await until(() => embeddedProcess(dataDir) === null)
    },
    restart: async () => {
      const before = database
      database = await openEmbedded({ dataDir })
      await before.close()
    },
    [Symbol.asyncDispose]: async () => {
      await database.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  onTestFinished(() => cluster[Symbol.asyncDispose]())
  return cluster
}
