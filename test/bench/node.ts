import { openApp, type Role } from '../../api/app.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import { ScopedClient } from '../../api/platform/scoped-client.ts'
import deployment from '../../engawa.config.ts'

/*
 * The process that is measured: the product as `engawa web` runs it, on a database that is there. It is forked with
 * the role and the address of the database, and told by its parent what to count.
 */

const [role = 'web', databaseUrl = ''] = process.argv.slice(2)
const sent: string[] = []
let watched: string | undefined

// Every statement of a tenant passes here; what the node does for itself goes another way.
const dispatch = ScopedClient.prototype.dispatch
ScopedClient.prototype.dispatch = function (tenantId, statement, settled) {
  if (watched === undefined) return dispatch.call(this, tenantId, statement, settled)
  const { text } = statement
  sent.push(text)
  dispatch.call(this, tenantId, statement, (error, result) => {
    if (watched && text.includes(watched))
      process.send?.({ committedAt: performance.timeOrigin + performance.now() })
    settled(error, result)
  })
}

const app = await openApp({
  config: readConfig(process.env),
  databaseUrl,
  role: role as Role, // the bench forks it
  log: openLog({ level: 'error' }),
  deployment,
})

process.on('message', async (message: { watch?: string; statements?: true; ready?: true }) => {
  if (message.watch !== undefined) watched = message.watch
  if (message.statements) process.send?.({ statements: sent.splice(0) })
})
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.send?.({ port: Number(new URL(app.url ?? 'http://localhost:0').port) })
