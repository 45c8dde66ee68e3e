import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `postmaster.pid` of a data directory tells. */
export type Postmaster =
  /** No such file: nothing runs here, and the last end was an orderly one. */
  | { is: 'none' }
  /** The file names a process that is not, or no longer, the PostgreSQL of this directory. */
  | { is: 'stale'; pid: number }
  /** PostgreSQL runs here; `ready` once it takes connections. */
  | { is: 'running'; pid: number; ready: boolean; socketFolder: string }

/** Looks whether PostgreSQL runs on a data directory. `data` is the real path it was started with. */
export function discover(data: string): Postmaster {
  const lines = readLines(join(data, 'postmaster.pid'))
  const pid = Number(lines[0])
  // A file that is just being written is empty for a moment; its writer fills it.
  if (!Number.isInteger(pid) || pid <= 0) return { is: 'none' }
  if (!serves(pid, data)) return { is: 'stale', pid }
  return { is: 'running', pid, ready: lines[7]?.trim() === 'ready', socketFolder: lines[4] ?? '' }
}

/** Whether this living process is the PostgreSQL of `data`. Zombies have no command line. */
function serves(pid: number, data: string): boolean {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-D\0${data}\0`)
    }
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(
      `-D ${data} `,
    )
  } catch {
    return false
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
