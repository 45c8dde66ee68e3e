import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { foreignFolder, type Launch, recallLaunch, settleLaunch } from './launch.ts'
import { lock, tryLock } from './lock.ts'
import { discover } from './process.ts'
import { initialise, startOrAdopt, stop } from './server.ts'
import { ensureDatabase, socketUrl } from './socket.ts'

const database = 'engawa'
/** How long one process may start or stop the server while others wait, in milliseconds. */
const patience = 10 * 60_000

/** PostgreSQL inside Engawa's own process tree, in use by this process until `close`. */
export interface EmbeddedDatabase {
  /** For `pg`: the database `engawa` as the superuser `postgres`, over a Unix socket. */
  readonly url: string
  /** True when this call made the database: it is empty. */
  readonly firstStart: boolean
  /** Ends the use; the last user stops the server and returns when it has stopped. */
  close(): Promise<void>
}

/** Where to keep it, and settings of PostgreSQL that differ from our everyday ones. */
export interface EmbeddedOptions {
  /** A folder of Engawa's own, made if missing, that only its owner may enter. */
  readonly dataDir: string
  /** Take effect when this call starts the server, not when it finds it running. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * Starts the embedded PostgreSQL, or joins the one that already runs on this folder, whoever
 * started it and even if its starter was killed. Any number of processes may call it at once.
 * Throws an `Error` that says what stands in the way.
 */
export async function openEmbedded({ dataDir, settings = {} }: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const home = makeHome(dataDir)
  return inTurn(home, async () => {
    const launch = settleLaunch(home)
    await initialise(launch)
    const folder = await startOrAdopt(launch, join(home, 'postgres.log'), settings)
    const use = await lock(usersFile(home), 'shared', patience)
    const firstStart = await ensureDatabase(folder, database)
    let closing: Promise<void> | null = null
    const close = () => (closing ??= inTurn(home, () => leave(home, launch, () => use.release())))
    return { url: socketUrl(folder, database), firstStart, close }
  })
}

/** The process id of the PostgreSQL that runs on this folder, or null when none does. */
export function embeddedProcess(dataDir: string): number | null {
  const launch = recallLaunch(dataDir)
  if (!launch) return null
  const found = discover(launch.data)
  return found.is === 'running' ? found.pid : null
}

async function leave(home: string, launch: Launch, release: () => void): Promise<void> {
  release()
  const alone = tryLock(usersFile(home), 'exclusive')
  if (!alone) return
  try {
    await stop(launch)
  } finally {
    alone.release()
  }
}

/** One process at a time starts, joins, leaves or stops. */
async function inTurn<T>(home: string, work: () => Promise<T>): Promise<T> {
  const turn = await lock(join(home, 'turn.lock'), 'exclusive', patience)
  try {
    return await work()
  } finally {
    turn.release()
  }
}

/** Everybody who uses the server shares this lock; who gets it alone is the last. */
function usersFile(home: string): string {
  return join(home, 'users.lock')
}

function makeHome(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const home = realpathSync(dataDir)
  const owner = statSync(home).uid
  const uid = process.getuid?.() ?? 0
  if (uid !== 0 && uid !== owner) throw new Error(foreignFolder(home, owner, uid))
  chmodSync(home, 0o700)
  return home
}
