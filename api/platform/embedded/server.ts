import type { ChildProcess } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Launch, reachableBinaries, spawnIn } from './launch.ts'
import { discover } from './process.ts'
import { answers, makeSocketFolder } from './socket.ts'

const initdbFlags = [
  '-A',
  'trust',
  '-U',
  'postgres',
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C.UTF-8',
  '--data-checksums',
]

const everydaySettings: Readonly<Record<string, string>> = {
  shared_buffers: '64MB',
  // A fresh database is planned for empty tables until it has been looked at.
  autovacuum_naptime: '10s',
  max_connections: '200',
  fsync: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** Makes the data directory if it is not there yet; a start that dies halfway leaves none. */
export async function initialise(launch: Launch): Promise<void> {
  if (existsSync(join(launch.data, 'PG_VERSION'))) return
  const unfinished = makeUnfinished(launch)
  const { initdb } = reachableBinaries(launch)
  const child = spawnIn(launch, initdb, [...initdbFlags, '-D', unfinished], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`initdb ended with ${code} in ${unfinished}:\n${output}`)
  renameSync(unfinished, launch.data)
}

/**
 * Makes an empty folder to be filled and then renamed to the data directory. Its name is its own: the
 * initdb of a process that was killed may still be writing into the last one.
 */
export function makeUnfinished(launch: Launch): string {
  sweep(dirname(launch.data))
  const unfinished = mkdtempSync(`${launch.data}-unfinished-`)
  chownSync(unfinished, launch.uid, launch.gid)
  return unfinished
}

/** Removes what killed starts left, as far as it lets itself be removed. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((name) => name.includes('-unfinished-'))) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
    } catch {
      // Its initdb still runs; the next first start sweeps again.
    }
  }
}

/**
 * Starts PostgreSQL on the data, or finds it running, and waits until it takes connections.
 * The caller holds the turn, so nobody else starts or stops it meanwhile.
 */
export async function startOrAdopt(
  launch: Launch,
  log: string,
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = makeSocketFolder(launch)
  const refusals: string[] = []
  const deadline = performance.now() + 10 * 60_000 // a crash after heavy traffic takes minutes to recover
  let child: ChildProcess | null = null
  while (performance.now() < deadline) {
    const found = discover(launch.data)
    if (found.is === 'running') {
      if (found.ready && (await answers(found.socketFolder))) return found.socketFolder
    } else if (child === null || hasEnded(child)) {
      // Right after kill -9 the dead one's children may still hold its memory: it refuses, then not.
      if (child !== null) refusals.push(tail(log))
      if (refusals.length > 20)
        throw new Error(`PostgreSQL does not start on ${launch.data}:\n${refusals.at(-1)}`)
      if (refusals.length > 0) await delay(250)
      child = spawnServer(
        launch,
        { folder, log, stalePid: found.is === 'stale' ? found.pid : null },
        settings,
      )
    }
    await delay(5)
  }
  throw new Error(`PostgreSQL has not taken connections on ${launch.data} for ten minutes:\n${tail(log)}`)
}

/** A program that could not even be run has no process id. */
function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Stops PostgreSQL in good order and waits until it is gone. */
export async function stop(launch: Launch): Promise<void> {
  const found = discover(launch.data)
  if (found.is !== 'running') return
  process.kill(found.pid, 'SIGINT')
  const deadline = performance.now() + 120_000
  while (discover(launch.data).is === 'running') {
    if (performance.now() > deadline)
      throw new Error(`PostgreSQL (process ${found.pid}) has not stopped for two minutes.`)
    await delay(5)
  }
  try {
    rmdirSync(found.socketFolder)
  } catch {
    // An empty folder more in the temporary directory harms nobody.
  }
}

function spawnServer(
  launch: Launch,
  where: { folder: string; log: string; stalePid: number | null },
  settings: Readonly<Record<string, string>>,
): ChildProcess {
  const given = {
    ...everydaySettings,
    ...settings,
    listen_addresses: '',
    unix_socket_directories: where.folder,
  }
  const args = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = openLog(where.log)
  try {
    const child = spawnIn(
      launch,
      reachableBinaries(launch).postgres,
      ['-D', launch.data, '-p', '5432', ...args],
      {
        detached: true,
        stdio: ['ignore', log, log],
        // The number in postmaster.pid is another process's now. PostgreSQL ignores the number of its
        // grandparent, and still makes sure that nobody holds the shared memory of the dead server.
        ...(where.stalePid === null ? {} : { env: { PG_GRANDPARENT_PID: String(where.stalePid) } }),
      },
    )
    child.on('error', () => {}) // seen as a process without exit code or pid
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

const longestLog = 8 * 1024 * 1024

function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > longestLog) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-6).join('\n').trim()
}
