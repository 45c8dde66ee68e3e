import { flushCompileCache } from 'node:module'
import { openApp } from '../../api/app.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'

/*
 * One node of the product as a program of its own, which a test may kill. Configured by the environment, as the
 * product is, and by TEST_DROP_SHARE; prints its port as a line of JSON once it serves.
 */
const config = readConfig(process.env)
const app = await openApp({
  config,
  databaseUrl: config.databaseUrl ?? '',
  role: 'both',
  log: openLog({ level: 'fatal' }),
  deployment,
  hints: { dropShare: Number(process.env.TEST_DROP_SHARE ?? 0) },
})
console.log(JSON.stringify({ port: Number(new URL(app.url ?? '').port) }))
// Whoever is killed leaves no cache behind; the next start would compile everything again.
flushCompileCache()
