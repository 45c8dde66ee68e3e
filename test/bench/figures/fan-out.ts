import WebSocket from 'ws'
import { until } from '../../support/until.ts'
import { alternate } from '../compare.ts'
import type { Figure } from '../figure.ts'
import { EVENTS } from '../operations.ts'
import type { World } from '../world.ts'

/** Events of one burst. */
const BURST = 20

/** A burst of events to many sockets of one node, beside a bare `ws` server that sends the same bytes to as many. */
export const fanOut: Figure = {
  name: 'fanout',
  title: 'fan-out of events',
  async measure(world) {
    const { sockets, rounds, warmUps } = world.effort
    const [web, floor] = [await world.web(), await world.floor()]
    await world.idle()
    const token = await world.token('staff', 'anna')
    const candidate = await Audience.open(`ws://127.0.0.1:${web.port}/graphql`, sockets, token)
    const bare = await Audience.open(`ws://127.0.0.1:${floor.port}/fan`, sockets)
    try {
      let sample = ''
      const result = await alternate(
        {
          round: async () => {
            const heard = candidate.hear(sockets * BURST)
            await burst(world)
            const { perSecond, last } = await heard
            sample = last
            return { perSecond }
          },
        },
        {
          round: async () => {
            const heard = bare.hear(sockets * BURST)
            floor.broadcast({ text: sample, times: BURST })
            return heard
          },
        },
        { rounds: 2 * rounds, warmUps },
      )
      return {
        measured: `${Math.round(result.measured)} /s`,
        floor: `${Math.round(result.floor)} /s`,
        ratio: result.ratio,
        value: result.ratio.median,
        note: `deliveries of ${sample.length} bytes to ${sockets} sockets, ${BURST} events at once`,
      }
    } finally {
      candidate.close()
      bare.close()
    }
  },
}

let bursts = 0

/** Commits the events of a burst in one transaction, so that the log gets them together. */
async function burst({ db, tenant }: World): Promise<void> {
  bursts++
  await db.tenant(tenant.id).transaction(async (tx) => {
    for (let i = 0; i < BURST; i++) {
      await tx.query({
        text: `select points_grant($1, '\\x00', null, 'm1', 1, null, 'Tea', null, null, 'bench')`,
        values: [`burst-${bursts}-${i}`],
      })
    }
  })
}

/** Many sockets that count what they hear. With a token they follow events by graphql-transport-ws, by hand. */
class Audience {
  readonly #sockets: readonly WebSocket[]
  #heard = 0
  #firstAt = 0
  #left = 0
  #done: (last: string) => void = () => {}

  private constructor(sockets: readonly WebSocket[]) {
    this.#sockets = sockets
  }

  static async open(url: string, count: number, token?: string): Promise<Audience> {
    const protocols = token === undefined ? [] : ['graphql-transport-ws']
    const sockets = Array.from(
      { length: count },
      () => new WebSocket(url, protocols, { perMessageDeflate: false }),
    )
    const audience = new Audience(sockets)
    let ready = 0
    for (const socket of sockets) {
      socket.on('open', () => {
        if (token === undefined) ready++
        else
          socket.send(
            JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } }),
          )
      })
      socket.on('message', (data: Buffer) => {
        const text = data.toString()
        if (text.includes('"EventDelivered"')) audience.#count(text)
        else if (text.includes('"connection_ack"')) socket.send(SUBSCRIBE)
        else if (text.includes('"Checkpoint"')) ready++
        else throw new Error(`a socket heard ${text}`)
      })
    }
    await until(() => ready >= count, 60_000)
    return audience
  }

  /** Resolves when so many deliveries were heard, from the first to the last of them. */
  async hear(count: number): Promise<{ readonly perSecond: number; readonly last: string }> {
    this.#heard = 0
    this.#left = count
    const last = await new Promise<string>((resolve) => {
      this.#done = resolve
    })
    return { perSecond: (count - 1) / ((performance.now() - this.#firstAt) / 1000), last }
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate()
  }

  #count(text: string): void {
    if (this.#heard++ === 0) this.#firstAt = performance.now()
    if (--this.#left === 0) this.#done(text)
  }
}

const SUBSCRIBE = JSON.stringify({
  id: '1',
  type: 'subscribe',
  payload: { query: EVENTS, variables: { types: ['points.posted'] } },
})
