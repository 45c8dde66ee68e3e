import {
  type Frame,
  failed,
  frameOf,
  Gone,
  type Request,
  type Result,
  type ResultError,
} from './events-protocol.ts'

/** The token is missing or the protocol was not understood; the same again would end the same. */
const FINAL_CODES = new Set([4400, 4401, 4406, 4409])
/** The token is not accepted, or not any more. */
const REFUSED = 4403
/** Frames that wait for their reader before the connection is given up; what was lost is asked for again. */
const WAITING = 1_000

type Message =
  | { type: 'connection_ack' | 'ping' | 'pong' | 'complete' }
  | { type: 'next'; payload: unknown }
  | { type: 'error'; payload: ResultError[] }

/**
 * The frames of one connection by the graphql-transport-ws protocol. Returns when the server completes
 * the subscription, or when the reader was so slow that the connection was given up; throws `Gone` when
 * the connection ends otherwise.
 */
export async function* wsFrames<E>(request: Request): AsyncGenerator<Frame<E>, void, undefined> {
  const waiting: Frame<E>[] = []
  let end: Gone | 'completed' | undefined
  let wake = () => {}
  const finish = (how: Gone | 'completed') => {
    end ??= how
    wake()
  }

  const socket = new WebSocket(request.url.replace(/^http/, 'ws'), 'graphql-transport-ws')
  const say = (message: object) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }
  const abort = () => finish('completed')
  const silence = setTimeout(() => finish(new Gone('The server fell silent.')), request.patience)
  request.signal.addEventListener('abort', abort)
  socket.addEventListener('open', () =>
    say({
      type: 'connection_init',
      payload: request.token === undefined ? {} : { Authorization: `Bearer ${request.token}` },
    }),
  )
  socket.addEventListener('close', ({ code, reason }) => finish(closed(code, reason)))
  socket.addEventListener('error', () => finish(new Gone('The connection failed.')))
  socket.addEventListener('message', ({ data }) => {
    if (end) return
    silence.refresh()
    try {
      hear(JSON.parse(String(data)))
    } catch (error) {
      finish(error instanceof Gone ? error : new Gone('The server sent something that is not JSON.'))
    }
  })
  const hear = (message: Message) => {
    switch (message.type) {
      case 'connection_ack':
        return say({ id: '1', type: 'subscribe', payload: request.body })
      case 'ping':
        return say({ type: 'pong' })
      case 'next':
        waiting.push(frameOf(message.payload as Result<E>)) // the shape that the subscription's text asks for
        if (waiting.length > WAITING) finish('completed')
        return wake()
      case 'error':
        return finish(failed(message.payload))
      case 'complete':
        return finish('completed')
    }
  }

  try {
    for (;;) {
      const frame = waiting.shift()
      if (frame) yield frame
      else if (end === 'completed') return
      else if (end) throw end
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    clearTimeout(silence)
    request.signal.removeEventListener('abort', abort)
    end ??= 'completed'
    socket.close(1000)
  }
}

function closed(code: number, reason: string): Gone {
  const message = reason || `The connection was closed (${code}).`
  if (code === REFUSED) return new Gone(message, { code, message })
  if (FINAL_CODES.has(code)) return new Gone(message, { code, message }, true)
  return new Gone(message)
}
