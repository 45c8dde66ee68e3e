import { join } from 'node:path'
import type { Config } from './config.ts'
import { openEmbedded } from './embedded/index.ts'
import { migrate } from './migrate.ts'

/** The database that a process works on, migrated. */
export interface Database {
  readonly url: string
  /** Runs in the data directory, by us. */
  readonly isEmbedded: boolean
  /** The last user of an embedded database stops it. */
  close(): Promise<void>
}

/** Opens the external database of the configuration, or the embedded one, and applies what migrations it lacks. */
export async function openDatabase({
  databaseUrl,
  dataDir,
}: Pick<Config, 'databaseUrl' | 'dataDir'>): Promise<Database> {
  if (databaseUrl !== undefined) {
    await migrate(databaseUrl)
    return { url: databaseUrl, isEmbedded: false, close: async () => {} }
  }
  const embedded = await openEmbedded({ dataDir: embeddedFolder(dataDir) })
  try {
    await migrate(embedded.url)
  } catch (error) {
    await embedded.close()
    throw error
  }
  return { url: embedded.url, isEmbedded: true, close: () => embedded.close() }
}

/** Where in the data directory the embedded database lives; the development key stands beside it. */
export function embeddedFolder(dataDir: string): string {
  return join(dataDir, 'postgres')
}
