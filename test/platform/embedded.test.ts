import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type EmbeddedDatabase, embeddedProcess, openEmbedded } from '../../api/platform/embedded/index.ts'
import { embeddedUser } from '../support/embedded-process.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

test('six processes that start at once share one server, and one of them made the database', async () => {
  const dataDir = await folder()
  const users = await Promise.all(Array.from({ length: 6 }, () => embeddedUser(dataDir)))
  expect(users.filter((user) => user.firstStart)).toHaveLength(1)
  expect(new Set(users.map((user) => user.url)).size).toBe(1)
  const starts = await Promise.all(users.map((user) => startedAt(user.url)))
  expect(new Set(starts).size).toBe(1)
  await Promise.all(users.map((user) => user.leave()))
  expect(embeddedProcess(dataDir)).toBeNull()
})

test('the last user stops the server, in whatever order they leave', async () => {
  const dataDir = await folder()
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => embeddedUser(dataDir)))
  await second?.leave()
  await first?.leave()
  expect(embeddedProcess(dataDir)).not.toBeNull()
  expect(await third?.leave()).toBe(0)
  expect(embeddedProcess(dataDir)).toBeNull()
})

test('the server outlives kill -9 of its user; the next adopts it and stops it', async () => {
  const dataDir = await folder()
  const killed = await embeddedUser(dataDir)
  const pid = embeddedProcess(dataDir)
  await killed.kill()
  const heir = await openEmbedded({ dataDir })
  expect(heir.firstStart).toBe(false)
  expect(embeddedProcess(dataDir)).toBe(pid)
  await heir.close()
  expect(embeddedProcess(dataDir)).toBeNull()
})

test('a user that was killed is not counted among the users', async () => {
  const dataDir = await folder()
  const [killed, other] = await Promise.all([embeddedUser(dataDir), embeddedUser(dataDir)])
  await killed.kill()
  await other.leave()
  expect(embeddedProcess(dataDir)).toBeNull()
})

test('after kill -9 of the server, a new one recovers what was committed', async () => {
  const dataDir = await folder()
  const user = await embeddedUser(dataDir)
  await onServer(user.url, (client) => client.query('create table kept as select 1 as n'))
  process.kill(running(dataDir), 'SIGKILL')
  const next = await openEmbedded({ dataDir })
  const { rows } = await onServer(next.url, (client) => client.query('select n from kept'))
  expect(rows).toEqual([{ n: 1 }])
  await user.leave()
  await next.close()
})

test('a process that died at first start leaves nothing that stops the next', async () => {
  const dataDir = await folder()
  for (const wait of [50, 150, 300, 600]) {
    await embeddedUser(dataDir, { signal: AbortSignal.timeout(wait) }).catch(() => {})
  }
  const next = await openEmbedded({ dataDir })
  expect(await startedAt(next.url)).toBeTruthy()
  await next.close()
})

test('a process id that somebody else has now does not stop the start', async () => {
  const dataDir = await folder()
  await (await openEmbedded({ dataDir })).close()
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onTestFinished(() => void stranger.kill())
  await once(stranger, 'spawn')
  const lines = [stranger.pid, join(dataDir, 'data'), 1, 5432, '/tmp', '', ' 1 1', 'ready   ', '']
  writeFileSync(join(dataDir, 'data', 'postmaster.pid'), lines.join('\n'), { mode: 0o600 })
  const next = await openEmbedded({ dataDir })
  expect(embeddedProcess(dataDir)).not.toBe(stranger.pid)
  expect(stranger.exitCode).toBeNull()
  await next.close()
})

test('only its owner may enter the folder and the socket', async () => {
  const dataDir = await folder()
  await using database = await opened(dataDir)
  const socket = new URL(database.url).searchParams.get('host') ?? ''
  expect([dataDir, join(dataDir, 'data'), socket].map((path) => statSync(path).mode & 0o777)).toEqual([
    0o700, 0o700, 0o700,
  ])
  expect(await setting(database.url, 'listen_addresses')).toBe('')
})

test('it is durable, and reads Japanese', async () => {
  await using database = await opened(await folder())
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums']
  expect(await Promise.all(names.map((name) => setting(database.url, name)))).toEqual([
    'on',
    'on',
    'on',
    'on',
  ])
  const upper = await onServer(database.url, (client) =>
    client.query(`select upper('é') || length('化粧水') as u`),
  )
  expect(upper.rows).toEqual([{ u: 'É3' }])
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'engawa-embedded-'))
  onTestFinished(async () => {
    const pid = embeddedProcess(made)
    if (pid !== null) process.kill(pid, 'SIGINT')
    await until(() => embeddedProcess(made) === null)
    await rm(made, { recursive: true, force: true })
  })
  return made
}

async function opened(dataDir: string): Promise<EmbeddedDatabase & AsyncDisposable> {
  const database = await openEmbedded({ dataDir })
  return { ...database, [Symbol.asyncDispose]: () => database.close() }
}

function running(dataDir: string): number {
  const pid = embeddedProcess(dataDir)
  if (pid === null) throw new Error('It does not run.')
  return pid
}

async function startedAt(url: string): Promise<string> {
  const { rows } = await onServer(url, (client) =>
    client.query('select pg_postmaster_start_time()::text as at'),
  )
  return rows[0].at
}

async function setting(url: string, name: string): Promise<string> {
  const { rows } = await onServer(url, (client) =>
    client.query('select current_setting($1) as value', [name]),
  )
  return rows[0].value
}
