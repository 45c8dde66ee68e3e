import deployment from '../engawa.config.ts'
import { type App, openApp, type Role } from './app.ts'
import { loadDemo, openTabs, seeDemo, wantsDemo } from './demo/index.ts'
import { type Config, readConfig } from './platform/config.ts'
import { type Database, openDatabase } from './platform/database.ts'
import { type Log, openLog } from './platform/log.ts'
import { terminalLog, welcome } from './welcome.ts'

export type { Role as StartRole } from './app.ts'

/** How long a process may take to finish what it has begun, in milliseconds. */
const patience = 30_000

/** One Ctrl-C under npm arrives twice, from the terminal and from npm; milliseconds in which that is one wish. */
const oneWish = 500

/**
 * Boots one process of the product. The first SIGINT or SIGTERM stops it, draining; a second one ends it at once.
 * Rejects, with everything closed again, when it cannot start.
 */
export async function start(role: Role): Promise<void> {
  const config = readConfig(process.env)
  const log = openOwnLog(config)
  const open: Opened = {}
  const stopping = stopAtSignals(open, log)
  try {
    open.database = openDatabase(config)
    const database = await open.database
    if (stopping.aborted) return
    const demo = { isSettled: role !== 'both' }
    open.app = openServing({ config, log, role, database, demo })
    const app = await open.app
    if (!demo.isSettled) await bringDemo(app)
    demo.isSettled = true
    const { url, isDevelopment } = app
    log.info({ role, url, isDevelopment, isEmbedded: database.isEmbedded }, 'Started.')
    if (url !== undefined) process.stdout.write(await welcome(app, { config, demo: await seeDemo(app.db) }))
  } catch (error) {
    // What fails while everything is being closed fails because of that.
    if (stopping.aborted) return
    await closeAll(open)
    throw error
  }
}

/** Structured for machines; on a terminal only what needs attention, in words. */
function openOwnLog({ logLevel }: Config): Log {
  if (!process.stderr.isTTY) return openLog({ level: logLevel })
  return openLog({ level: logLevel === 'info' ? 'warn' : logLevel, destination: terminalLog })
}

/** What is open or being opened. */
interface Opened {
  database?: Promise<Database>
  app?: Promise<App>
}

interface Parts {
  readonly config: Config
  readonly log: Log
  readonly role: Role
  readonly database: Database
  /** Settled once the demo is there or not wanted; until then the process is not ready. */
  readonly demo: { readonly isSettled: boolean }
}

async function openServing({ config, log, role, database, demo }: Parts): Promise<App> {
  const late: { app?: App } = {}
  const tabs = async () =>
    late.app ? openTabs({ db: late.app.db, dataDir: config.dataDir, now: late.app.delivery.clock.now })() : []
  const checks = { demo: () => demo.isSettled || 'being loaded' }
  late.app = await openApp({ config, databaseUrl: database.url, role, log, deployment, tabs, checks })
  return late.app
}

/** Loads the demo into an empty database, in development mode: a tenant of one's own comes before any issuer. */
async function bringDemo(app: App): Promise<void> {
  if (!app.isDevelopment || !(await wantsDemo(app.db))) return
  if (process.stderr.isTTY) process.stderr.write('Loading the demo …\n')
  await loadDemo({ ...app.delivery, db: app.db })
}

/** Listens to the signals that stop a process; the answer is aborted as soon as one came. */
function stopAtSignals(open: Opened, log: Log): AbortSignal {
  const stopping = new AbortController()
  let deaf = 0
  const stop = (signal: NodeJS.Signals) => {
    if (stopping.signal.aborted) {
      if (performance.now() > deaf) process.exit(1)
      return
    }
    stopping.abort()
    deaf = performance.now() + oneWish
    log.info({ signal }, 'Stopping.')
    if (process.stderr.isTTY)
      process.stderr.write('\nFinishing what has begun; Ctrl-C again ends it at once.\n')
    setTimeout(() => {
      log.error('Not everything was finished in 30 seconds.')
      process.exit(1)
    }, patience).unref()
    closeAll(open).then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'Stopping failed.')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return stopping.signal
}

async function closeAll({ database, app }: Opened): Promise<void> {
  await (await app?.catch(() => undefined))?.close()
  await (await database?.catch(() => undefined))?.close()
}
