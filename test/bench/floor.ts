import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { WebSocketServer } from 'ws'

/*
 * The floor: what bare Node and one statement do, without rights, walls, limits or GraphQL. `/trivial` answers fixed
 * bytes; `/<name>/<key>` runs the statement of that name with the tenant and the key and answers its text; sockets on
 * `/fan` hear what the bench broadcasts.
 */

const [databaseUrl = '', tenant = '', statements = '{}'] = process.argv.slice(2)
const texts = new Map(Object.entries(JSON.parse(statements) as Record<string, string>))
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
let trivial = { headers: {}, body: '' }

const server = createServer((request, response) => {
  const [, name = '', key] = (request.url ?? '').split('/')
  if (name === 'trivial') return response.writeHead(200, trivial.headers).end(trivial.body)
  const values = key ? [tenant, key] : [tenant]
  pool.query<{ answer: string }>({ name, text: texts.get(name) ?? '', values }).then(
    ({ rows: [row] }) => {
      const body = row?.answer ?? ''
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
      }
      response.writeHead(200, headers).end(body)
    },
    (error) => response.writeHead(500).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
const sockets = new WebSocketServer({ server, path: '/fan', perMessageDeflate: false })
process.on(
  'message',
  (message: { trivial?: typeof trivial; broadcast?: { text: string; times: number } }) => {
    if (message.trivial) trivial = message.trivial
    if (!message.broadcast) return
    const { text, times } = message.broadcast
    for (let i = 0; i < times; i++) for (const socket of sockets.clients) socket.send(text)
  },
)
process.on('disconnect', () => process.exit(0))
