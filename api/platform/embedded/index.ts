import { ifUnused, inTurn, logFile, makeHome, use } from './home.ts'
import { recallLaunch, settleLaunch } from './launch.ts'
import { discover } from './process.ts'
import { initialise, startOrAdopt, stop } from './server.ts'
import { ensureDatabase, socketUrl } from './socket.ts'

/** The one database that is Engawa's. */
export const database = 'engawa'

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
    const folder = await startOrAdopt(launch, logFile(home), settings)
    const held = await use(home)
    const leave = () => {
      held.release()
      return ifUnused(home, () => stop(launch))
    }
    try {
      const firstStart = await ensureDatabase(folder, database)
      let closing: Promise<void> | null = null
      const close = () => (closing ??= inTurn(home, leave))
      return { url: socketUrl(folder, database), firstStart, close }
    } catch (error) {
      await leave()
      throw error
    }
  })
}

/** The process id of the PostgreSQL that runs on this folder, or null when none does. */
export function embeddedProcess(dataDir: string): number | null {
  const launch = recallLaunch(dataDir)
  if (!launch) return null
  const found = discover(launch.data)
  return found.is === 'running' ? found.pid : null
}
