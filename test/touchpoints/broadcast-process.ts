/*
 * A process that goes on with a tenant's broadcasts, for tests that kill it. Arguments: the database, the tenant. It
 * says "chunk" after each.
 */
import { extendBroadcasts } from '../../api/domains/touchpoints/index.ts'
import { openDb } from '../../api/platform/db.ts'

const [url = '', tenant = ''] = process.argv.slice(2)
const client = openDb({ url, appConnections: 2, systemConnections: 1 }).tenant(tenant)
while (await extendBroadcasts(client, { chunks: 1, chunk: 50 })) console.log('chunk')
console.log('done')
