import { readFileSync, statSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { embeddedUser } from '../support/embedded-process.ts'
import { onServer } from '../support/server.ts'

/*
 * Who runs PostgreSQL. These tests need root, to be other users; as a plain user, every other test of
 * the embedded database is the one that counts.
 */
const asRoot = test.skipIf(process.getuid?.() !== 0)
const nobody = { uid: 65534, gid: 65534 }
const asNobody = test.skipIf(process.getuid?.() !== 0 || !everybodyReaches(import.meta.dirname))

asNobody('a plain user runs it as itself', async () => {
  const dataDir = await folder(nobody)
  const user = await embeddedUser(dataDir, nobody)
  expect(await worksAt(user.url)).toBe(true)
  expect(statSync(join(dataDir, 'data')).uid).toBe(nobody.uid)
  expect(await user.leave()).toBe(0)
})

asRoot('root runs it in a namespace, also below a folder that only root may enter', async () => {
  const dataDir = join(await folder(), 'data')
  const user = await embeddedUser(dataDir)
  expect(await worksAt(user.url)).toBe(true)
  expect(launchOf(dataDir)).toMatchObject({ mode: 'namespace', uid: 0, data: join(dataDir, 'data') })
  expect(await user.leave()).toBe(0)
})

asRoot('root without namespaces runs it as another user', async () => {
  const dataDir = await folder({ uid: 0, gid: 0 }, 0o755)
  const user = await embeddedUser(join(dataDir, 'inner'), { path: await pathWithoutUnshare() })
  expect(await worksAt(user.url)).toBe(true)
  const { mode, uid, data } = launchOf(join(dataDir, 'inner'))
  expect([mode, data]).toEqual(['user', join(dataDir, 'inner', 'data')])
  expect(statSync(data).uid).toBe(uid)
  expect(uid).toBeGreaterThan(0)
  expect(await user.leave()).toBe(0)
})

asRoot('where that user may not go, data and programs lie in a place of its own', async () => {
  const dataDir = join(await folder(), 'data')
  const path = await pathWithoutUnshare()
  const first = await embeddedUser(dataDir, { path })
  const place = dirname(launchOf(dataDir).data)
  onTestFinished(() => rm(place, { recursive: true, force: true }))
  expect(place).toMatch(/^\/var\/lib\/engawa\//)
  await onServer(first.url, (client) => client.query('create table kept ()'))
  expect(await first.leave()).toBe(0)
  const second = await embeddedUser(dataDir, { path })
  expect(second.firstStart).toBe(false)
  expect(await second.leave()).toBe(0)
})

asNobody('one data directory stays with the user who made it', async () => {
  const dataDir = await folder(nobody)
  await (await embeddedUser(dataDir, nobody)).leave()
  await expect(embeddedUser(dataDir)).rejects.toThrow('start Engawa as that user')
  const ofRoot = await folder()
  await (await embeddedUser(ofRoot)).leave()
  await expect(embeddedUser(ofRoot, nobody)).rejects.toThrow('start Engawa as that user')
  expect(await (await embeddedUser(ofRoot)).leave()).toBe(0)
})

async function folder(owner = { uid: 0, gid: 0 }, mode = 0o700): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'engawa-users-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  await chown(made, owner.uid, owner.gid)
  await chmod(made, mode)
  return made
}

/** A PATH on which the way into a namespace is not found, as where it is forbidden. */
async function pathWithoutUnshare(): Promise<string> {
  const empty = await mkdtemp(join(tmpdir(), 'engawa-path-'))
  onTestFinished(() => rm(empty, { recursive: true }))
  return empty
}

function launchOf(dataDir: string): { mode: string; uid: number; data: string } {
  return JSON.parse(readFileSync(join(dataDir, 'launch.json'), 'utf8'))
}

async function worksAt(url: string): Promise<boolean> {
  const { rows } = await onServer(url, (client) => client.query('select true as works'))
  return rows[0].works
}

function everybodyReaches(path: string): boolean {
  return (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || everybodyReaches(dirname(path)))
}
