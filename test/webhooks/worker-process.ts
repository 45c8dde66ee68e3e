/*
 * A worker process of its own, for tests that kill it. Arguments: the database and the folder of the master key. It
 * says "ready" when it works.
 */
import { startWebhookWorker } from '../../api/domains/webhooks/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openDb } from '../../api/platform/db.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openLog } from '../../api/platform/log.ts'
import { openVault } from '../../api/platform/vault.ts'

const [url = '', dataDir = ''] = process.argv.slice(2)
startWebhookWorker({
  db: openDb({ url, appConnections: 4, systemConnections: 2 }),
  egress: openEgress({ allow: ['127.0.0.1'] }),
  vault: openVault({ secretKey: undefined, previousSecretKey: undefined, dataDir }),
  clock: processClock,
  log: openLog({ level: 'error' }),
  facts: { 'member.registered': 'members:read' },
  tell: ({ event, type, member }) => ({ type, data: { id: event, member } }),
  onGrowth: () => () => {},
  patience: { waits: [0, 5, 5], lookMs: 50, noteMs: 100 },
})
console.log('ready')
