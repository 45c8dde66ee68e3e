import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PgBoss } from 'pg-boss'
import { expect, onTestFinished, test } from 'vitest'
import { migrate } from '../../api/platform/migrate.ts'
import { ownCluster, usingDatabase, usingEmptyDatabase } from '../support/database.ts'
import { databaseUrl, onServer } from '../support/server.ts'

const files = await readdir(join(import.meta.dirname, '../../schema/migrations'))
const everything = files
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => name.slice(0, -4))

test('every file is applied in the order of its number, and a second time none', async () => {
  const { url } = await usingEmptyDatabase()
  expect(everything.length).toBeGreaterThan(5)
  expect(await migrate(url)).toEqual(everything)
  expect(await migrate(url)).toEqual([])
})

test('of six that migrate at once one does the work', async () => {
  const { url } = await usingEmptyDatabase()
  const results = await Promise.all(Array.from({ length: 6 }, () => migrate(url)))
  expect(results.flat()).toEqual(everything)
  const { rows } = await onServer(url, (client) =>
    client.query('select count(*)::int from migration.applied'),
  )
  expect(rows).toEqual([{ count: everything.length }])
})

test('a file that fails is undone and named with its line; those before it stand', async () => {
  const { url } = await usingEmptyDatabase()
  await onServer(url, (client) => migrate(url).then(() => client.query('truncate migration.applied')))
  const folder = await folderOf({
    '0001_first.sql': 'create table first_one ()',
    '0002_second.sql': 'create table second_one ();\n\nselect nonsense;\n',
    'notes.txt': 'not a migration',
  })
  await expect(migrate(url, folder)).rejects.toThrow('0002_second.sql:3: column "nonsense" does not exist')
  expect(await tablesOf(url)).toEqual(['first_one'])
  await writeFile(join(folder, '0002_second.sql'), 'create table second_one ()')
  expect(await migrate(url, folder)).toEqual(['0002_second'])
  expect(await tablesOf(url)).toEqual(['first_one', 'second_one'])
})

test('a user who may only create databases and roles suffices', async () => {
  const cluster = await ownCluster()
  await onServer(cluster.url, (client) => client.query('create role maker login createdb createrole'))
  const maker = cluster.url.replace('//postgres@', '//maker@')
  await onServer(maker, (client) => client.query('create database made'))
  expect(await migrate(databaseUrl(maker, 'made'))).toEqual(everything)
  for (const role of ['engawa_app', 'engawa_system']) {
    const { rows } = await as(databaseUrl(maker, 'made'), role, 'select current_user as me')
    expect(rows).toEqual([{ me: role }])
  }
})

test('the job queue works as engawa_system, which may not change its schema', async () => {
  const { url } = await usingDatabase()
  const queue = new PgBoss({ connectionString: `${url}`, options: '-c role=engawa_system', migrate: false })
  onTestFinished(() => queue.stop({ graceful: false }))
  await queue.start()
  await queue.createQueue('greetings')
  const sent = await queue.send('greetings', { to: 'Hana' })
  const [job] = await queue.fetch<{ to: string }>('greetings')
  expect([job?.id, job?.data.to]).toEqual([sent, 'Hana'])
  await queue.complete('greetings', job?.id ?? '')
  await queue.supervise()
  await expect(as(url, 'engawa_system', 'drop table pgboss.job')).rejects.toThrow('must be owner')
  await expect(as(url, 'engawa_app', 'select from pgboss.job')).rejects.toThrow('permission denied')
})

async function folderOf(contents: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'engawa-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await Promise.all(Object.entries(contents).map(([name, text]) => writeFile(join(folder, name), text)))
  return folder
}

async function tablesOf(url: string): Promise<string[]> {
  const named = `select relname from pg_class where relname ~ '^(first|second)_one$' order by 1`
  const { rows } = await onServer(url, (client) => client.query(named))
  return rows.map((row) => row.relname)
}

function as(url: string, role: string, sql: string) {
  return onServer(url, async (client) => {
    await client.query(`set role ${role}`)
    return client.query(sql)
  })
}
