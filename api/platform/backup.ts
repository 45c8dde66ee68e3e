import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip } from 'node:zlib'
import pg from 'pg'
import { type BackupProgress, baseBackup } from './base-backup.ts'
import { openEmbedded } from './embedded/index.ts'
import { recallLaunch } from './embedded/launch.ts'
import { populateEmbedded } from './embedded/populate.ts'
import { unpack } from './tar.ts'

/**
 * Writes the embedded database of a folder into one new file, a compressed tar archive, whether it is
 * in use or not. It holds everything that was committed before the call, and a file of that name is
 * there only when it is whole. `onProgress` hears of it several times a second.
 * Throws an `Error` when there is no database, or the file is there already.
 */
export async function backup(
  dataDir: string,
  file: string,
  onProgress: (progress: BackupProgress) => void = () => {},
): Promise<void> {
  if (!recallLaunch(dataDir)) throw new Error(`There is no embedded database in ${dataDir}.`)
  if (await exists(file)) throw new Error(`${file} is there already: a backup never overwrites another.`)
  const unfinished = `${file}.unfinished`
  const database = await openEmbedded({ dataDir })
  try {
    const archive = await baseBackup(database.url, onProgress)
    const compress = createGzip({ level: constants.Z_BEST_SPEED })
    await pipeline(archive, compress, createWriteStream(unfinished, { mode: 0o600, flush: true }))
    await rename(unfinished, file)
    await sync(dirname(file))
  } finally {
    await rm(unfinished, { force: true })
    await database.close()
  }
}

/**
 * Makes the embedded database of an empty folder from a backup. Subscribers whose cursor is from the
 * life of the log that the backup did not see are told to start over.
 * Throws an `Error`, and leaves no database, when the folder has one or the file is damaged.
 */
export async function restore(file: string, dataDir: string): Promise<void> {
  await stat(file)
  await populateEmbedded(
    dataDir,
    ({ folder, uid, gid }) =>
      pipeline(createReadStream(file), createGunzip(), (archive: AsyncIterable<Buffer>) =>
        unpack(archive, folder, { uid, gid }),
      ),
    beginNewEpoch,
  )
}

/**
 * The epoch after a restore is one that no cursor has, not even one of an earlier restore of the same
 * backup: the millisecond at which it was restored.
 */
async function beginNewEpoch(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(`select to_regclass('sequencer') is not null as migrated`)
    if (!rows[0].migrated) return
    await client.query(`
      update sequencer set address = null, leads_since = null,
        epoch = greatest(epoch + 1, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)`)
  } finally {
    await client.end()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** A rename is durable once its folder is. */
async function sync(folder: string): Promise<void> {
  await using handle = await open(folder)
  await handle.sync()
}
