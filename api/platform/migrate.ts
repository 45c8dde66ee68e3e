import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type MigrationBuilder, runner } from 'node-pg-migrate'
import pg from 'pg'
import { PgBoss } from 'pg-boss'

/** The files of this version of Engawa. */
const ours = join(import.meta.dirname, '../../schema/migrations')

/** "engawa" in bytes. Whoever holds this advisory lock changes the schema. */
const schemaLock = 0x656e67617761

/**
 * Brings a database to the present schema: the numbered SQL files that it has not seen, each in a
 * transaction of its own, and the tables of the job queue. Returns the names of the files applied.
 *
 * `url` names a user that may create roles and objects. Any number of processes may call it at once;
 * one works, the others wait and find nothing to do. When a file fails, its transaction is undone,
 * the files before it stand, and the error of PostgreSQL is thrown with the file's name.
 */
export async function migrate(url: string, directory = ours): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'engawa migrate' })
  client.on('error', () => {}) // the query that runs meanwhile fails with it
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [schemaLock])
    const applied = await applyFiles(client, directory)
    await installJobQueue(client)
    return applied
  } finally {
    await client.end()
  }
}

async function applyFiles(client: pg.Client, directory: string): Promise<string[]> {
  let current: SqlFile | null = null
  const load = async (paths: string[]) => {
    const files = await Promise.all(paths.map(readSqlFile))
    return files.map((file) => ({
      id: file.path,
      filePaths: [file.path],
      actions: {
        up: (builder: MigrationBuilder) => {
          current = file
          // A file becomes engawa_owner; the library's note that it ran is the migrating user's.
          builder.sql(`${file.sql}\n;reset role`)
        },
      },
    }))
  }
  try {
    const applied = await runner({
      dbClient: client,
      dir: directory,
      ignorePattern: '(?!\\d+_.*\\.sql$).*',
      direction: 'up',
      migrationsSchema: 'migration',
      createMigrationsSchema: true,
      migrationsTable: 'applied',
      noLock: true, // ours is held until the job queue is there too
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      migrationLoaderStrategies: [{ extensions: ['.sql'], loader: load }],
    })
    return applied.map((file) => file.name)
  } catch (cause) {
    throw new Error(`The schema could not be brought up to date: ${describe(cause, current)}`, { cause })
  }
}

interface SqlFile {
  readonly path: string
  readonly sql: string
}

async function readSqlFile(path: string): Promise<SqlFile> {
  return { path, sql: await readFile(path, 'utf8') }
}

function describe(cause: unknown, file: SqlFile | null): string {
  if (!(cause instanceof Error)) return String(cause)
  if (!file) return cause.message
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN
  const line = Number.isNaN(position) ? '' : `:${file.sql.slice(0, position).split('\n').length}`
  return `${basename(file.path)}${line}: ${cause.message}`
}

/**
 * The queue's schema belongs to the migrating user; at run time the queue may not change it. The
 * application only puts jobs in, inside its own transactions; it can read none.
 */
async function installJobQueue(client: pg.Client): Promise<void> {
  const queue = new PgBoss({
    db: { executeSql: (text, values) => client.query(text, values) },
    schema: 'pgboss',
    migrate: true,
    supervise: false,
    schedule: false,
  })
  queue.on('error', () => {})
  await queue.start()
  await queue.stop({ graceful: false })
  await client.query(`
    grant usage on schema pgboss to engawa_system;
    grant select, insert, update, delete on all tables in schema pgboss to engawa_system;
    grant usage on all sequences in schema pgboss to engawa_system;
    grant execute on all functions in schema pgboss to engawa_system;
    grant usage on schema pgboss to engawa_app;
    grant insert on pgboss.job, pgboss.job_common to engawa_app;
    grant select on pgboss.queue to engawa_app;
    grant execute on function pgboss.job_now() to engawa_app`)
}
