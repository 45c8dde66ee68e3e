import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { until } from '../../support/until.ts'
import type { Figure } from '../figure.ts'
import { quantile } from '../load.ts'
import { EVENTS } from '../operations.ts'
import { post } from './requests.ts'

const GRANT = `mutation Grant($input: GrantPointsInput!) { grantPoints(input: $input) { __typename } }`

/** From the commit of a write, as the node learns of it, to its event at a subscriber; nothing else going on. */
export const liveEvent: Figure = {
  name: 'live',
  title: 'commit to live event',
  mark: { is: 'below', value: 30, unit: 'ms (p50)' },
  async measure(world) {
    await world.idle()
    const web = await world.web()
    const token = await world.token('staff', 'anna')
    const client = createClient({
      url: `ws://127.0.0.1:${web.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${token}` },
      lazy: false,
    })
    const committed: number[] = []
    const heard: number[] = []
    let isOpen = false
    web.onCommitted('points_grant', (at) => committed.push(at))
    client.subscribe<{ events: { __typename: string } }>(
      { query: EVENTS, variables: { types: ['points.posted'] } },
      {
        next: ({ data }) => {
          const now = performance.now()
          if (data?.events.__typename === 'EventDelivered') heard.push(now)
          isOpen = true
        },
        error: (error) => {
          throw error
        },
        complete: () => {},
      },
    )
    await until(() => isOpen)
    const asked: number[] = []
    for (let i = 0; i < 20 * world.effort.rounds * world.effort.seconds; i++) {
      await delay(10 + (i % 20))
      const input = { idempotencyKey: `live-${i}`, member: { externalId: 'm1' }, points: '1', reason: 'Tea' }
      asked.push(performance.now())
      await post(web.port, '/graphql', {
        body: { query: GRANT, variables: { input } },
        token,
        expects: 'GrantPointsPayload',
      })
      await until(() => heard.length > i && committed.length > i)
    }
    await client.dispose()
    const latencies = Float64Array.from(heard.map((at, i) => at - (committed[i] ?? Number.NaN))).sort()
    const whole = Float64Array.from(heard.map((at, i) => at - (asked[i] ?? Number.NaN))).sort()
    const p50 = quantile(latencies, 0.5)
    return {
      measured: `p50 ${p50.toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`,
      value: p50,
      note: `${latencies.length} events; p50 ${quantile(whole, 0.5).toFixed(1)} ms from the request of the mutation on`,
    }
  },
}
