import { WebSocket } from 'ws'
import { until } from '../support/until.ts'

/** Something that a server keeps open for one token. */
export interface OpenEnd {
  /** What came so far, as text. */
  heard(): string
  /** How it ended: the code and the reason of a socket, `over` for a stream. */
  readonly ended: Promise<string>
  isOpen(): boolean
  leave(): void
}

const SUBSCRIPTION = 'subscription { events { __typename ... on EventDelivered { event { type } } } }'

/** A socket that has said who it is; with a subscription that has begun, or without any. */
export async function openSocket(url: string, token: string, isSubscribed: boolean): Promise<OpenEnd> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws')
  let heard = ''
  socket.on('message', (data) => {
    heard += String(data)
  })
  socket.on('error', () => {})
  const ended = new Promise<string>((resolve) => socket.on('close', (code, why) => resolve(`${code} ${why}`)))
  socket.on('open', () => {
    const payload = { authorization: `Bearer ${token}` }
    socket.send(JSON.stringify({ type: 'connection_init', payload }))
  })
  await until(() => heard.includes('connection_ack'))
  if (isSubscribed) {
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION } }))
    await until(() => heard.includes('Checkpoint'))
  }
  return {
    heard: () => heard,
    ended,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    leave: () => socket.terminate(),
  }
}

/** A stream of server-sent events that has begun. */
export async function openStream(url: string, token: string): Promise<OpenEnd> {
  const over = new AbortController()
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: SUBSCRIPTION }),
    signal: over.signal,
  })
  let heard = ''
  let isOpen = true
  const read = async () => {
    for await (const part of response.body ?? []) heard += new TextDecoder().decode(part)
  }
  const ended = read()
    .catch(() => {})
    .then(() => {
      isOpen = false
      return 'over'
    })
  await until(() => heard.includes('Checkpoint') || !isOpen)
  return { heard: () => heard, ended, isOpen: () => isOpen, leave: () => over.abort() }
}
