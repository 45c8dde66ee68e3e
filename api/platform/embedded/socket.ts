import { chownSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { fingerprint, type Launch } from './launch.ts'

const port = 5432
/** The longest path of a socket on Linux is 107 bytes, on macOS 103. */
const longestPath = 103

/**
 * The folder of the Unix socket, open to its owner only: who can open the socket is trusted.
 * It is short, and always the same for one data directory and owner.
 */
export function makeSocketFolder(launch: Launch): string {
  const name = `engawa-${launch.uid}-${fingerprint(launch.data)}`
  const long = join(tmpdir(), name)
  const folder = Buffer.byteLength(`${long}/.s.PGSQL.${port}.lock`) <= longestPath ? long : join('/tmp', name)
  try {
    mkdirSync(folder, { mode: 0o700 })
    if (launch.mode === 'user') chownSync(folder, launch.uid, launch.gid)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== launch.uid || (found.mode & 0o077) !== 0) {
    throw new Error(
      `${folder} is not a folder of user ${launch.uid} alone: remove it, or set TMPDIR to another folder.`,
    )
  }
  return folder
}

/** The address of a database behind a socket, for `pg` and whatever is built on it. */
export function socketUrl(folder: string, database: string): string {
  return `postgres://postgres@localhost:${port}/${database}?host=${encodeURIComponent(folder)}`
}

/** Whether a server behind this socket takes connections. */
export async function answers(folder: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: socketUrl(folder, 'postgres'),
    connectionTimeoutMillis: 5000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Makes the database unless it is there; true when this call made it. */
export async function ensureDatabase(folder: string, database: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: socketUrl(folder, 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (rowCount === 1) return false
    await client.query(`create database ${client.escapeIdentifier(database)}`)
    return true
  } finally {
    await client.end()
  }
}
