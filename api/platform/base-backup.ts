import { Readable } from 'node:stream'
import pg from 'pg'

/** How far a backup has come, in bytes of the data directory; `total` is the server's estimate. */
export interface BackupProgress {
  readonly done: number
  readonly total: number
}

/**
 * A consistent copy of a whole PostgreSQL server while it works, as PostgreSQL itself sends it: the
 * data directory as a tar archive, with the log that makes it consistent. Reading slowly slows only
 * the backup. The stream fails with the server's error. `url` names a user who may replicate.
 */
export async function baseBackup(
  url: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<Readable> {
  const address = new URL(url)
  address.searchParams.set('replication', 'true')
  const client = new pg.Client({ connectionString: address.href, application_name: 'engawa backup' })
  client.on('error', () => {}) // the query that runs meanwhile fails with it
  await client.connect()
  try {
    // Until this connection ends, the server keeps the log from here on, however long the copy takes.
    // (These are not SQL: the server wants them in capitals.)
    await client.query(`CREATE_REPLICATION_SLOT ${slotName()} TEMPORARY PHYSICAL RESERVE_WAL`)
  } catch (error) {
    await client.end()
    throw error
  }
  const copy = client.query(new Copy(onProgress))
  copy.archive.once('close', () => {
    client.end().catch(() => {})
  })
  return copy.archive
}

let slots = 0

function slotName(): string {
  return `engawa_backup_${process.pid}_${++slots}`
}

/** What is in a message of the copy, by its first byte. */
const kinds = { data: 'd'.charCodeAt(0), progress: 'p'.charCodeAt(0) }

/** The command as pg runs it; see "Base Backup" in PostgreSQL's protocol for what comes back. */
class Copy implements pg.Submittable {
  readonly archive: Readable
  private readonly onProgress: (progress: BackupProgress) => void
  private connection: pg.Connection | undefined
  private total = 0

  constructor(onProgress: (progress: BackupProgress) => void) {
    this.onProgress = onProgress
    this.archive = new Readable({ highWaterMark: 1 << 20, read: () => void this.connection?.stream.resume() })
  }

  submit(connection: pg.Connection): void {
    this.connection = connection
    connection.query(`BASE_BACKUP (LABEL 'engawa', PROGRESS, CHECKPOINT 'fast', WAL, MANIFEST 'no')`)
  }

  handleRowDescription(): void {}

  /** One row says where the copy begins, one for each tablespace says how many kilobytes it has. */
  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (fields.length === 3) this.total += Number(fields[2]) * 1024
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (chunk[0] === kinds.progress) {
      const done = Number(chunk.readBigInt64BE(1))
      this.onProgress({ done, total: Math.max(done, this.total) })
    } else if (chunk[0] === kinds.data) {
      // A copy, because pg uses its buffer again.
      const taken = this.archive.push(Buffer.from(chunk.subarray(1)))
      if (!taken) this.connection?.stream.pause()
    }
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.archive.push(null)
  }

  handleError(error: Error): void {
    this.archive.destroy(error)
  }
}
