import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { backup, restore } from '../../api/platform/backup.ts'
import { embeddedProcess, openEmbedded } from '../../api/platform/embedded/index.ts'
import { migrate } from '../../api/platform/migrate.ts'
import { unpack } from '../../api/platform/tar.ts'
import { ownCluster } from '../support/database.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** A stopped database, and its backup. */
let dataDir: string
let file: string

beforeAll(async () => {
  const place = await mkdtemp(join(tmpdir(), 'engawa-backup-'))
  dataDir = join(place, 'data')
  file = join(place, 'backup.tar.gz')
  const database = await openEmbedded({ dataDir })
  await migrate(database.url)
  await onServer(database.url, (client) => client.query('create table kept as select 7 as n'))
  await database.close()
  await backup(dataDir, file)
  return () => rm(place, { recursive: true, force: true })
})

test('a backup under traffic restores everything committed before it, and of the rest no half', async () => {
  const cluster = await ownCluster()
  const file = join(await folder(), 'backup.tar.gz')
  const traffic = await startTraffic(cluster.url)
  await until(() => traffic.acknowledged.every((n) => n > 20))
  const before = [...traffic.acknowledged]
  const heard: number[] = []
  await backup(cluster.dataDir, file, ({ done, total }) => heard.push(done / total))
  const after = await traffic.stop()
  expect(heard.at(-1)).toBe(1)

  const restored = await restoredFrom(file)
  const found = await counts(restored.url)
  for (const [writer, { n, last, balance }] of found.entries()) {
    expect(n).toBe(last)
    expect(balance).toBe(0)
    expect(last).toBeGreaterThanOrEqual(before[writer] ?? Number.NaN)
    expect(last).toBeLessThanOrEqual((after[writer] ?? Number.NaN) + 1)
  }
  expect(await counts(cluster.url)).toEqual(after.map((last) => ({ n: last, last, balance: 0 })))
})

test('a stopped database is backed up and stays stopped; each restore begins an epoch of its own', async () => {
  expect(embeddedProcess(dataDir)).toBeNull()
  const first = await restoredFrom(file)
  const second = await restoredFrom(file)
  expect(first.firstStart).toBe(false)
  const { rows } = await onServer(first.url, (client) => client.query('select n from kept'))
  expect(rows).toEqual([{ n: 7 }])
  const [before, one, two] = [1n, await epochOf(first.url), await epochOf(second.url)]
  expect(one > before && two > one).toBe(true)
})

test('a folder that has a database is not overwritten, whether it runs or not', async () => {
  await expect(restore(file, dataDir)).rejects.toThrow('holds a database already')
  const database = await openEmbedded({ dataDir })
  await expect(restore(file, dataDir)).rejects.toThrow('holds a database already')
  const { rows } = await onServer(database.url, (client) => client.query('select n from kept'))
  expect(rows).toEqual([{ n: 7 }])
  await database.close()
})

test('a folder that holds anything else is not touched', async () => {
  const target = await folder()
  await writeFile(join(target, 'diary.txt'), 'mine')
  await expect(restore(file, target)).rejects.toThrow('needs a folder of its own')
  expect(await readdir(target)).toEqual(['diary.txt'])
})

test('a file that is cut or damaged restores nothing, and the folder is free for a whole one', async () => {
  const target = join(await folder(), 'data')
  const whole = await readFile(file)
  const damaged = Buffer.from(whole)
  damaged.writeUInt32BE(0xdeadbeef, whole.length >> 1)
  for (const bytes of [whole.subarray(0, whole.length >> 1), damaged]) {
    const broken = join(await folder(), 'broken.tar.gz')
    await writeFile(broken, bytes)
    await expect(restore(broken, target)).rejects.toThrow()
    expect(existsSync(join(target, 'data'))).toBe(false)
  }
  await restore(file, target)
  expect(existsSync(join(target, 'data', 'PG_VERSION'))).toBe(true)
})

test('a backup overwrites nothing and needs a database', async () => {
  await expect(backup(dataDir, file)).rejects.toThrow('is there already')
  const nothing = join(await folder(), 'nothing')
  await expect(backup(nothing, `${file}.2`)).rejects.toThrow('There is no embedded database')
  expect(existsSync(nothing)).toBe(false)
  expect(existsSync(`${file}.2`)).toBe(false)
})

test('an archive may not write outside its folder', async () => {
  const target = await folder()
  const header = Buffer.alloc(512)
  header.write('../escaped')
  header.write('00000000000', 124)
  header.write('0', 156)
  header.fill(' ', 148, 156)
  header.write(
    header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0'),
    148,
  )
  const archive = async function* () {
    yield header
  }
  await expect(unpack(archive(), target, { uid: 0, gid: 0 })).rejects.toThrow(
    'outside its folder: ../escaped',
  )
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'engawa-backup-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

async function restoredFrom(file: string) {
  const dataDir = join(await folder(), 'data')
  await restore(file, dataDir)
  const database = await openEmbedded({ dataDir })
  onTestFinished(() => database.close())
  return database
}

/** Four writers that number their entries; each transaction writes two that cancel out. */
async function startTraffic(url: string) {
  await onServer(url, (client) => client.query('create table entry (writer int, n int, amount int)'))
  const acknowledged = [0, 0, 0, 0]
  let going = true
  const write = async (writer: number) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    while (going) {
      const n = (acknowledged[writer] ?? 0) + 1
      await client.query('begin')
      await client.query('insert into entry values ($1, $2, $3)', [writer, n, n])
      await client.query('insert into entry values ($1, null, $2)', [writer, -n])
      await client.query('commit')
      acknowledged[writer] = n
    }
    await client.end()
  }
  const writers = Promise.all(acknowledged.map((_, writer) => write(writer)))
  const stop = async () => {
    going = false
    await writers
    return acknowledged
  }
  return { acknowledged, stop }
}

async function counts(url: string): Promise<{ n: number; last: number; balance: number }[]> {
  const { rows } = await onServer(url, (client) =>
    client.query(`
      select count(n)::int as n, max(n) as last, sum(amount)::int as balance
      from entry group by writer order by writer`),
  )
  return rows
}

async function epochOf(url: string): Promise<bigint> {
  const { rows } = await onServer(url, (client) => client.query('select epoch from sequencer'))
  return BigInt(rows[0].epoch)
}
