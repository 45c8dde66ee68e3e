import deployment from '../engawa.config.ts'
import { type App, openApp, type Role } from './app.ts'
import { readConfig } from './platform/config.ts'
import { openDatabase } from './platform/database.ts'
import { openLog } from './platform/log.ts'

/** Boots one process of the product and stops it, draining, at SIGINT or SIGTERM. */
export async function start(role: Role): Promise<App> {
  const config = readConfig(process.env)
  const log = openLog({ level: config.logLevel })
  const database = await openDatabase(config)
  const app = await openApp({ config, databaseUrl: database.url, role, log, deployment })
  const stop = async () => {
    await app.close()
    await database.close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(0)))
  }
  process.stdout.write(`${app.url}\n`)
  return app
}
