import { createServer } from 'node:http'
import { buildSchema, GraphQLError, type GraphQLSchema } from 'graphql'
import { createHandler } from 'graphql-sse/lib/use/http'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { Events, Frame } from '../../api/platform/events.ts'
import { openLog } from '../../api/platform/log.ts'
import { RolePool } from '../../api/platform/role-pool.ts'

/*
 * The smallest server of `Subscription.events`: no sign-in but a token that is the tenant's id, no domain.
 * Run as a program it is one node: settings in TEST_NODE, its port and its log as lines of JSON on stdout.
 */
const SDL = `
scalar Cursor
scalar DateTime
scalar JSON
type Query { asOf: Cursor }
type Subscription { events(after: Cursor, types: [String!]): EventFrame! }
union EventFrame = EventDelivered | Checkpoint | StreamReset
type EventDelivered { cursor: Cursor! event: Event! }
type Checkpoint { cursor: Cursor! }
type StreamReset { reason: String! resumeFrom: Cursor! }
type Event { id: ID! type: String! at: DateTime! bookedAt: DateTime! payload: JSON! member: Member }
type Member { id: ID! }`

const TYPE_NAMES = { event: 'EventDelivered', checkpoint: 'Checkpoint', reset: 'StreamReset' }

/** What a served connection may do: `refuse` gives the code to close it with, or nothing. */
export interface ServedOptions {
  readonly events: Events
  readonly port?: number
  readonly refuse?: (token: string) => number | undefined
}

/** A served node: its address, and a way to close every socket with a code. */
export interface Served {
  readonly port: number
  readonly connections: number
  cut(code: number, reason: string): void
  close(): Promise<void>
}

/** Serves the events of a node over graphql-ws and SSE on a loopback port. */
export async function serveEvents({ events, port = 0, refuse }: ServedOptions): Promise<Served> {
  const schema = schemaOf(events)
  let connections = 0
  const sse = createHandler({
    schema,
    authenticate: () => '',
    context: (request) => {
      const token = bearer(request.headers.get('authorization'))
      connections++
      if (refuse?.(token)) throw new GraphQLError('No.', { extensions: { code: 'UNAUTHENTICATED' } })
      return { tenantId: token }
    },
  })
  const http = createServer((request, response) => {
    sse(request, response).catch(() =>
      response.headersSent ? response.destroy() : response.writeHead(401).end(),
    )
  })
  const sockets = new WebSocketServer({ server: http, path: '/graphql' })
  useServer(
    {
      schema,
      onConnect: ({ connectionParams, extra }) => {
        connections++
        const code = refuse?.(bearer(connectionParams?.Authorization))
        if (code !== undefined) extra.socket.close(code, 'Refused')
      },
      context: ({ connectionParams }) => ({ tenantId: bearer(connectionParams?.Authorization) }),
    },
    sockets,
  )
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const address = http.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get connections() {
      return connections
    },
    cut: (code, reason) => {
      for (const socket of sockets.clients) socket.close(code, reason)
      if (sockets.clients.size === 0) http.closeAllConnections()
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function bearer(header: unknown): string {
  return String(header ?? '').replace(/^Bearer /, '')
}

function schemaOf(events: Events): GraphQLSchema {
  const schema = buildSchema(SDL)
  const field = schema.getSubscriptionType()?.getFields().events
  if (!field) throw new Error('The schema has no events.')
  field.subscribe = (_root, { after, types }, { tenantId }) => {
    const wanted: string[] | null = types ?? null
    return events.follow({ tenantId, after, sees: (event) => wanted?.includes(event.type) ?? true })
  }
  field.resolve = (frame: Frame) => ({ ...frame, __typename: TYPE_NAMES[frame.kind] })
  return schema
}

if (process.argv[1] === import.meta.filename) {
  const { url, port, dropShare } = JSON.parse(process.env.TEST_NODE ?? '{}')
  const { openEvents } = await import('../../api/platform/events.ts')
  const systemPool = new RolePool({
    url,
    role: 'engawa_system',
    connections: 4,
    statementTimeout: 10_000,
  })
  const events = openEvents({
    url,
    systemPool,
    cursorKey: Buffer.alloc(32, 'cursor'),
    role: 'both',
    hints: { dropShare },
    log: openLog({ level: 'info', destination: process.stdout }),
  })
  const served = await serveEvents({ events, port })
  console.log(JSON.stringify({ port: served.port }))
}
