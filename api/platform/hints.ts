import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Log } from './log.ts'
import { RoleClient } from './role-pool.ts'

/** The last position of a tenant's log. */
export interface Head {
  readonly tenantId: string
  readonly pos: bigint
}

/**
 * Tells nodes that a log has grown. A hint is never needed: nodes also poll the heads twice a second,
 * and what a hint says is never believed, only looked after.
 */
export interface HintBus {
  /** Tells every node, this one at once. Never throws, never waits. */
  publish(heads: readonly Head[]): void
  /** False while the bus is away. */
  readonly isConnected: boolean
  close(): Promise<void>
}

export interface HintOptions {
  /** The database whose NOTIFY carries hints when there is no NATS. */
  readonly url: string
  readonly natsUrl?: string
  /** For tests: the share (0 to 1) of hints that is thrown away on arrival. */
  readonly dropShare?: number
  readonly log: Log
  onHint(head: Head): void
}

const CHANNEL = 'engawa_heads'
const SUBJECT = 'engawa.heads'
/** NOTIFY carries less than 8,000 bytes; a hint is at most 57. */
const HEADS_PER_MESSAGE = 130
const RETRY_MS = 500

/** Opens the bus: NATS when a URL is given, else PostgreSQL's NOTIFY on a connection of its own. */
export function openHints(options: HintOptions): HintBus {
  const hear = (message: string) => {
    for (const head of decode(message)) {
      if (options.dropShare === undefined || Math.random() >= options.dropShare) options.onHint(head)
    }
  }
  const carrier =
    options.natsUrl === undefined
      ? databaseCarrier(options.url, options.log, hear)
      : natsCarrier(options.natsUrl, options.log, hear)
  return {
    publish(heads) {
      const messages = encode(heads)
      messages.forEach(hear)
      carrier.send(messages)
    },
    get isConnected() {
      return carrier.isConnected
    },
    close: () => carrier.close(),
  }
}

interface Carrier {
  readonly isConnected: boolean
  send(messages: readonly string[]): void
  close(): Promise<void>
}

function databaseCarrier(url: string, log: Log, hear: (message: string) => void): Carrier {
  let client: RoleClient | undefined
  let isClosed = false
  let isAway = false
  let retry: NodeJS.Timeout | undefined

  const open = async () => {
    const next = new RoleClient({
      connectionString: url,
      application_name: 'engawa hints',
      startup: '-c role=engawa_system -c tcp_keepalives_idle=10 -c synchronous_commit=off',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
    })
    let isOver = false
    const lost = () => {
      if (isOver) return
      isOver = true
      if (client === next) client = undefined
      next.end().catch(() => {})
      if (!isClosed) retry = setTimeout(open, RETRY_MS)
    }
    next.on('error', lost)
    next.on('end', lost)
    next.on('notification', (notice) => hear(notice.payload ?? ''))
    try {
      await next.connect()
      await next.query(`listen ${CHANNEL}`)
      client = next
      if (isClosed) lost()
      isAway = false
    } catch (error) {
      if (!isAway)
        log.warn({ err: error }, 'hints: the database cannot be heard; heads are polled until it can')
      isAway = true
      lost()
    }
  }
  const opening = open()

  let waiting: string[] = []
  let isSending = false
  const send = async () => {
    if (isSending) return
    isSending = true
    while (client && waiting.length > 0) {
      const messages = waiting
      waiting = []
      await client
        .query({
          name: 'notify',
          text: `select count(pg_notify('${CHANNEL}', m)) from unnest($1::text[]) m`,
          values: [messages],
        })
        .catch(() => {})
    }
    waiting = []
    isSending = false
  }

  return {
    get isConnected() {
      return client !== undefined
    },
    send(messages) {
      waiting.push(...messages)
      void send()
    },
    async close() {
      isClosed = true
      clearTimeout(retry)
      await opening
      const last = client
      client = undefined
      await last?.end().catch(() => {})
    },
  }
}

function natsCarrier(url: string, log: Log, hear: (message: string) => void): Carrier {
  let bus: NatsConnection | undefined
  let isUp = false
  let isAway = false
  let isClosed = false

  const open = async () => {
    while (!isClosed && !bus) {
      try {
        bus = await connect({
          ...natsServer(url),
          maxReconnectAttempts: -1,
          reconnectTimeWait: RETRY_MS,
          timeout: 2_000,
        })
      } catch (error) {
        if (!isAway) log.warn({ err: error }, 'hints: NATS cannot be reached; heads are polled until it can')
        isAway = true
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    if (!bus) return
    isUp = true
    bus.subscribe(SUBJECT, { callback: (error, message) => void (error ?? hear(message.string())) })
    for await (const status of bus.status()) {
      if (status.type === 'disconnect') isUp = false
      if (status.type === 'reconnect') isUp = true
    }
    isUp = false
  }
  const running = open().catch((error) => log.warn({ err: error }, 'hints: NATS was given up'))

  return {
    get isConnected() {
      return isUp
    },
    send(messages) {
      if (!isUp) return
      for (const message of messages) bus?.publish(SUBJECT, message)
    },
    async close() {
      isClosed = true
      await bus?.close()
      await running
    },
  }
}

/** NATS takes name and password as options, not in its address. */
function natsServer(address: string): {
  servers: string
  user?: string
  pass?: string
  token?: string
  tls?: object
} {
  const url = new URL(address)
  const user = decodeURIComponent(url.username)
  const pass = decodeURIComponent(url.password)
  return {
    servers: url.host,
    ...(pass ? { user, pass } : user ? { token: user } : {}),
    ...(url.protocol === 'tls:' ? { tls: {} } : {}),
  }
}

function encode(heads: readonly Head[]): string[] {
  const messages: string[] = []
  for (let from = 0; from < heads.length; from += HEADS_PER_MESSAGE) {
    messages.push(
      heads
        .slice(from, from + HEADS_PER_MESSAGE)
        .map((head) => `${head.tenantId}:${head.pos}`)
        .join(','),
    )
  }
  return messages
}

function decode(message: string): Head[] {
  const heads: Head[] = []
  for (const part of message.split(',')) {
    const [, tenantId, pos] = /^([0-9a-f-]{36}):(\d{1,19})$/.exec(part) ?? []
    if (tenantId && pos) heads.push({ tenantId, pos: BigInt(pos) })
  }
  return heads
}
