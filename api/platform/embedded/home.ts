import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { foreignFolder } from './launch.ts'
import { type FileLock, lock, tryLock } from './lock.ts'

/*
 * The folder of one embedded database: `data` (or, in launch.json, where it had to go), how it is run,
 * the server's log, and two locks. `turn.lock` is held by whoever starts, joins, leaves or stops the
 * server; `users.lock` is shared by everybody who uses it, so that who gets it alone is the last.
 */

/** How long one process may start or stop the server while others wait, in milliseconds. */
const patience = 10 * 60_000

const ours = /^(data|launch\.json|turn\.lock|users\.lock|postgres\.log|programs-)|\.new$/

/**
 * Makes the folder, or checks that it is one of ours, and closes it to everybody else.
 * Returns its real path; throws an `Error` for a folder that holds something else or is another user's.
 */
export function makeHome(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const home = realpathSync(dataDir)
  const owner = statSync(home).uid
  const uid = process.getuid?.() ?? 0
  if (uid !== 0 && uid !== owner) throw new Error(foreignFolder(home, owner, uid))
  const foreign = readdirSync(home).find((name) => !ours.test(name))
  if (foreign) throw new Error(`${home} holds ${foreign}: the embedded database needs a folder of its own.`)
  chmodSync(home, 0o700)
  return home
}

/** Where the server of this folder writes its log. */
export function logFile(home: string): string {
  return join(home, 'postgres.log')
}

/** One process at a time starts, joins, leaves or stops. */
export async function inTurn<T>(home: string, work: () => Promise<T>): Promise<T> {
  const turn = await lock(join(home, 'turn.lock'), 'exclusive', patience)
  try {
    return await work()
  } finally {
    turn.release()
  }
}

/** Becomes one of the users of the server. Only in turn. */
export function use(home: string): Promise<FileLock> {
  return lock(join(home, 'users.lock'), 'shared', patience)
}

/** Does something if nobody uses the server. Only in turn. */
export async function ifUnused(home: string, work: () => Promise<void>): Promise<void> {
  const alone = tryLock(join(home, 'users.lock'), 'exclusive')
  if (!alone) return
  try {
    await work()
  } finally {
    alone.release()
  }
}
