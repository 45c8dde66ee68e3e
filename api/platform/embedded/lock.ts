import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

/*
 * Locks between processes that the operating system takes back when their holder dies, even by
 * kill -9: no process id to compare, none to be reused. Node has no such lock of its own, but every
 * SQLite file is one: a transaction that reads shares it, an exclusive one has it alone.
 */

const busy = 5 // SQLITE_BUSY

/** A lock that is held until `release`, or until this process dies. */
export interface FileLock {
  release(): void
}

/** Takes the lock at once, or answers null when somebody else stands in the way. */
export function tryLock(file: string, kind: 'shared' | 'exclusive'): FileLock | null {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec(kind === 'exclusive' ? 'begin exclusive' : 'begin')
    if (kind === 'shared') database.prepare('select count(*) from sqlite_schema').get()
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return null
    throw error
  }
}

/** Waits for the lock; throws an `Error` after `patience` milliseconds. */
export async function lock(file: string, kind: 'shared' | 'exclusive', patience: number): Promise<FileLock> {
  const deadline = performance.now() + patience
  for (;;) {
    const held = tryLock(file, kind)
    if (held) return held
    if (performance.now() > deadline) {
      throw new Error(`Another process has held ${file} for more than ${patience / 1000} seconds.`)
    }
    await delay(5 + Math.random() * 10)
  }
}
