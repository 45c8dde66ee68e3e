import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Binaries, binariesIn, findBinaries } from './binaries.ts'

/*
 * PostgreSQL refuses to run as root. How it runs instead is chosen once for a data directory and
 * remembered beside it, because the files then belong to whom that way made them.
 */

/**
 * - `plain`: as the user of this process.
 * - `namespace`: root outside, nobody inside a user namespace of its own; needs no other user and
 *   reaches whatever root's own permissions reach.
 * - `user`: as an existing unprivileged user, where namespaces are forbidden (most containers).
 */
type Mode = 'plain' | 'namespace' | 'user'

/** How and where PostgreSQL runs for one data directory. */
export interface Launch {
  readonly mode: Mode
  /** The owner of the data, as seen from outside a namespace. */
  readonly uid: number
  readonly gid: number
  /** The data directory of PostgreSQL itself, a real path. */
  readonly data: string
}

/** The remembered way for this home folder, else the first that works here, then remembered. */
export function settleLaunch(home: string): Launch {
  const remembered = recallLaunch(home)
  if (remembered) return remembered
  const file = join(home, 'launch.json')
  const launch = choose(home, findBinaries())
  mkdirSync(dirname(launch.data), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(launch)}\n`)
  renameSync(`${file}.new`, file)
  return launch
}

/** The programs that this launch can reach; copies them to the data once, if it must. */
export function reachableBinaries(launch: Launch): Binaries {
  const installed = findBinaries()
  if (works(launch, installed)) return installed
  const problem = `PostgreSQL cannot be run from ${installed.root} (${launch.mode}, uid ${launch.uid})`
  if (launch.mode !== 'user') throw new Error(`${problem}: run "npm ci" again.`)
  const copy = join(dirname(launch.data), `programs-${fingerprint(installed.root)}`)
  if (!existsSync(copy)) {
    const unfinished = mkdtempSync(`${copy}-unfinished-`)
    cpSync(installed.root, unfinished, { recursive: true, verbatimSymlinks: true })
    chmodSync(unfinished, 0o755)
    renameSync(unfinished, copy)
  }
  if (!works(launch, binariesIn(copy))) throw new Error(`${problem}, nor from ${copy}.`)
  return binariesIn(copy)
}

/** Spawns one of PostgreSQL's programs the way this launch says. */
export function spawnIn(
  launch: Launch,
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const { command, identity } = wrap(launch, program)
  return spawn(command[0], [...command.slice(1), ...args], {
    ...options,
    ...identity,
    env: { ...environment, ...options.env },
  })
}

/** Nothing of the caller's PG* variables may reach the server. */
const environment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }

function wrap(launch: Launch, program: string): { command: [string, ...string[]]; identity: SpawnOptions } {
  const nobody = ['-U', '--map-user=65534', '--map-group=65534', '--']
  if (launch.mode === 'namespace') return { command: ['unshare', ...nobody, program], identity: {} }
  const identity = launch.mode === 'user' ? { uid: launch.uid, gid: launch.gid } : {}
  return { command: [program], identity }
}

function works(launch: Launch, binaries: Binaries): boolean {
  if (launch.mode !== 'plain' && !reaches(launch, binaries.postgres)) return false
  const { command, identity } = wrap(launch, binaries.postgres)
  const probe = spawnSync(command[0], [...command.slice(1), '--version'], { ...identity, env: environment })
  return probe.status === 0
}

/** The remembered way for this home folder, null before its first start. Throws for another's folder. */
export function recallLaunch(home: string): Launch | null {
  const file = join(home, 'launch.json')
  if (!existsSync(file)) return null
  // Written by settleLaunch alone.
  const launch = JSON.parse(readFileSync(file, 'utf8')) as Launch
  const uid = process.getuid?.() ?? 0
  const expected = launch.mode === 'plain' ? launch.uid : 0
  if (uid !== expected) throw new Error(foreignFolder(home, expected, uid))
  return launch
}

/** What to say to a user who comes to another one's data: the two must never write the same files. */
export function foreignFolder(home: string, owner: number, uid: number): string {
  return `The data in ${home} was made by the user with id ${owner}: start Engawa as that user, not as ${uid}.`
}

function choose(home: string, binaries: Binaries): Launch {
  const here = join(home, 'data')
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  if (uid !== 0) return { mode: 'plain', uid, gid, data: here }
  const namespace: Launch = { mode: 'namespace', uid, gid, data: here }
  if (reaches(namespace, home) && works(namespace, binaries)) return namespace
  const user = unprivilegedUser()
  if (reaches(user, dirname(home))) {
    chownSync(home, user.uid, user.gid)
    return { mode: 'user', ...user, data: here }
  }
  const place = join('/var/lib/engawa', fingerprint(home))
  mkdirSync(place, { recursive: true, mode: 0o755 })
  chownSync(place, user.uid, user.gid)
  return { mode: 'user', ...user, data: join(place, basename(here)) }
}

function unprivilegedUser(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'node', 'nobody']) {
    const [, , uid, gid] = users.find((user) => user[0] === name) ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
  }
  throw new Error(
    'PostgreSQL does not run as root and no other user was found: start Engawa as another user.',
  )
}

/** Whether an owner without root's powers may pass every folder down to `path`. */
function reaches(who: { uid: number; gid: number }, path: string): boolean {
  const folder = statSync(path)
  const bit = folder.uid === who.uid ? 0o100 : folder.gid === who.gid ? 0o010 : 0o001
  if ((folder.mode & bit) === 0) return false
  return dirname(path) === path || reaches(who, dirname(path))
}

/** A short name for a path. */
export function fingerprint(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12)
}
