import { alternate } from '../compare.ts'
import { driverOf } from '../driver.ts'
import type { Figure, Measured } from '../figure.ts'
import { fire, quantile, type Shot, shot } from '../load.ts'
import { RECORD_PURCHASE, SPEND_POINTS } from '../operations.ts'
import type { World } from '../world.ts'
import { inTurn } from './requests.ts'

/** A purchase over HTTP with sign-in, ledger, stage, touch and events, beside the same SQL function on the same database. */
export const recordPurchase: Figure = {
  name: 'purchase',
  title: 'recordPurchase',
  mark: { is: 'at least', value: 0.4, unit: 'of the floor' },
  async measure(world) {
    const lines = [
      { sku: 'sku-1', quantity: 1, amount: 900 },
      { sku: 'sku-2', quantity: 2, amount: 300 },
    ]
    const next = inTurn(world.people.members)
    const input = (n: number) => ({
      idempotencyKey: `bench-${n}`,
      member: { externalId: next() },
      orderId: `bench-${n}`,
      purchasedAt: new Date().toISOString(),
      currency: 'JPY',
      total: 1200,
      lines,
    })
    const text = `select purchase_record(gen_random_uuid()::text, '\\x00', null, ${anybody(world)}, gen_random_uuid()::text,
      clock_timestamp(), 'JPY', 1200, '${JSON.stringify(lines.map((line) => ({ ...line, amount: String(line.amount) })))}', 'bench')`
    return written(world, { name: 'recordPurchase', query: RECORD_PURCHASE, input, text })
  },
}

/** Points spent over HTTP from many wallets, each spend durable before it is answered. */
export const spendPoints: Figure = {
  name: 'spend',
  title: 'points spend',
  async measure(world) {
    const next = inTurn(world.people.members)
    const input = (n: number) => ({
      idempotencyKey: `spend-${n}`,
      member: { externalId: next() },
      points: '1',
      reason: 'Tea',
    })
    const text = `select points_spend(gen_random_uuid()::text, '\\x00', null, ${anybody(world)}, 1, null, 'Tea', 'bench')`
    const measured = await written(world, { name: 'spendPoints', query: SPEND_POINTS, input, text })
    return { ...measured, note: `${world.people.members.length} wallets; ${measured.note}` }
  },
}

/** The external id of somebody, in SQL. */
function anybody({ people }: World): string {
  return `'m' || (1 + floor(random() * ${people.members.length}))::int`
}

interface Write {
  readonly name: string
  readonly query: string
  input(n: number): object
  /** The floor: the call of the same function. */
  readonly text: string
}

let count = 0

async function written(world: World, { name, query, input, text }: Write): Promise<Measured> {
  const [web, token] = [await world.web(), await world.token('integration', 'till')]
  const expects = `{"data":{"${name}":{"__typename":"${name.charAt(0).toUpperCase()}${name.slice(1)}Payload"`
  const next = (): Shot =>
    shot(web.port, '/graphql', { body: { query, variables: { input: input(++count) } }, token, expects })
  const statements = await web.statementsOf(() => fire(web.port, next, { connections: 1, seconds: 0 }))
  const driver = await driverOf(world.url, world.tenant.id, text)
  const { connections, seconds } = world.effort
  await world.idle()
  try {
    const result = await alternate(
      { round: () => fire(web.port, next, world.effort) },
      { round: () => driver.run({ clients: connections, seconds }) },
      world.effort,
    )
    const latencies = Float64Array.from(result.rounds.flatMap((round) => [...round.latencies])).sort()
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
    return {
      measured: `${Math.round(result.measured)} /s`,
      floor: `${Math.round(result.floor)} /s`,
      ratio: result.ratio,
      value: result.ratio.median,
      statements: statements.length,
      note: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms with ${connections} clients; floor by ${driver.name}`,
    }
  } finally {
    await driver.close()
  }
}
