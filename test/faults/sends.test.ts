import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type HttpProvider, type HttpReply, httpProvider } from '@engawa/sdk/fakes'
import { expect, it, onTestFinished } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { openShop, type Shop } from '../touchpoints/shop.ts'

const database = testDatabase()
/** In the suite a part of them; ENGAWA_FAULTS=50 makes it 5,000, ENGAWA_FAULTS=1000 the 100,000 of a release. */
const SENDS = process.env.ENGAWA_FAULTS ? Number(process.env.ENGAWA_FAULTS) * 100 : 1_500
const KILLS = process.env.ENGAWA_FAULTS ? 8 : 2

/** One fault in five answers, of each kind alike; a door that is shut is the worker's own to find. */
const FAULTS: readonly HttpReply[] = [
  { drop: 'beforeHeaders' },
  { drop: 'afterBody' },
  { drop: 'inAnswer' },
  { status: 503 },
  { status: 429, headers: { 'retry-after': '2' } },
  { held: true },
]

/** A third each: the provider knows the key; it does not, and a miss is the lesser evil; likewise a duplicate. */
const KINDS = [
  { channel: 'native', purpose: 'offers' },
  { channel: 'plain', purpose: 'offers' },
  { channel: 'plain', purpose: 'security' },
] as const

interface Sent {
  readonly key: string
  readonly kind: string
  readonly state: string
  readonly touch: string
  readonly doubt: string | null
  readonly attempt: number
}

it(`${SENDS} sends at 20 % faults of providers with ${KILLS} kills of all workers: each settled, none twice but by its wish`, async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const native = await faulty({ keyHeader: 'idempotency-key' })
  const plain = await faulty({})
  await plan(shop)

  const over = new AbortController()
  const clock = moving(shop, over.signal)
  onTestFinished(async () => {
    over.abort()
    await clock
  })
  for (let kill = 1; kill <= KILLS; kill++) {
    const workers = [await work(native, plain), await work(native, plain)]
    await reached(shop, (SENDS * kill) / (KILLS + 2))
    await Promise.all(workers.map((worker) => worker.kill()))
    await shop.lapse()
  }
  const workers = [await work(native, plain), await work(native, plain)]
  await reached(shop, SENDS)
  over.abort()
  await clock
  await Promise.all(workers.map((worker) => worker.kill()))

  const sent = await deliveries(shop)
  const effects = new Map<string, number>()
  for (const message of [...native.taken, ...plain.taken]) {
    const key = message.field('idempotency-key') ?? ''
    effects.set(key, (effects.get(key) ?? 0) + 1)
  }
  const table: Record<string, number> = {}
  for (const { key, kind, state, doubt } of sent) {
    const what = `${kind}: ${state}${doubt ? ` ${doubt}` : ''}, ${effects.get(key) ?? 0} effects`
    table[what] = (table[what] ?? 0) + 1
  }
  const attempts = sent.reduce((sum, { attempt }) => sum + attempt, 0)
  const wrong = sent.filter((each) => !isRight(each, effects.get(each.key) ?? 0))
  console.log(
    `${SENDS} sends, ${attempts} attempts, ${native.sendings + plain.sendings} requests, ${KILLS} kills of 2 workers:`,
    table,
  )
  expect(wrong).toEqual([])
  expect(sent).toHaveLength(SENDS)
  // Nothing arrived that nobody knows of.
  const known = new Set(sent.map(({ key }) => key))
  expect([...effects.keys()].filter((key) => !known.has(key))).toEqual([])
  // One event for each, whatever was killed.
  expect(await events(shop)).toEqual({ deliveries: SENDS, touches: SENDS })
}, 900_000)

/** What each kind promises, given how often the message took effect. */
function isRight({ kind, state, touch, doubt }: Sent, effects: number): boolean {
  if (touch !== state) return false
  switch (state) {
    case 'ACCEPTED':
      // Twice only where the wish allows it, and then it is listed.
      if (kind === 'plain security') return effects === 1 || (effects > 1 && doubt === 'POSSIBLE_DUPLICATE')
      return effects === 1 && doubt === null
    case 'UNKNOWN':
      if (kind === 'plain security') return doubt !== null
      return effects <= 1 && doubt === 'POSSIBLE_MISS'
    case 'REFUSED':
      return effects === 0
    default:
      return false
  }
}

/** A provider whose answers go wrong one time in five, always in the same order. */
async function faulty(options: { keyHeader?: string }): Promise<HttpProvider> {
  const provider = await httpProvider(options)
  onTestFinished(() => provider.close())
  let seed = 42
  const dice = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  const script = Array.from({ length: SENDS * 3 }, () =>
    dice() < 0.2 ? (FAULTS[Math.floor(dice() * FAULTS.length)] ?? {}) : {},
  )
  provider.next(...script)
  return provider
}

/** Plans everything at once, for a few hundred members. */
async function plan(shop: Shop): Promise<void> {
  const members = await Promise.all(Array.from({ length: 200 }, () => shop.member()))
  const share = Math.ceil(SENDS / KINDS.length)
  for (const [i, { channel, purpose }] of KINDS.entries()) {
    await shop.tenant.query({
      text: `select count(touchpoint_plan(($1::uuid[])[n % 200 + 1], array[$2], $3,
          '{"template": "thank-you", "parameters": {"order": "A-1"}}', tenant_now(current_tenant()), $2 || $3, n::text,
          tenant_now(current_tenant())))
        from generate_series(1, $4::int) n`,
      values: [members, channel, purpose, Math.min(share, SENDS - i * share)],
    })
  }
}

/** Moves the clock past what waits next, ten minutes at a time, once nothing is due and nothing on its way. */
async function moving(shop: Shop, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await shop.everything.query(
      `update tenant t set clock_at = (
         select min(p.due_at) + interval '10 minutes' from touchpoint p
         where p.tenant_id = t.id and p.state = 'PLANNED')
       where t.id = $1
         and exists (select from touchpoint p where p.tenant_id = t.id and p.state = 'PLANNED')
         and not exists (
           select from touchpoint p where p.tenant_id = t.id and p.state = 'PLANNED' and p.due_at <= t.clock_at)
         and not exists (select from touchpoint p where p.tenant_id = t.id and p.state = 'CLAIMED')`,
      [shop.tenant.tenantId],
    )
    await delay(50)
  }
}

async function work(native: HttpProvider, plain: HttpProvider) {
  const file = join(import.meta.dirname, 'send-worker-process.ts')
  const child = spawn(process.execPath, [file, database.url, native.host, plain.host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exit
  }
  onTestFinished(kill)
  let isReady = false
  createInterface({ input: child.stdout }).on('line', () => {
    isReady = true
  })
  await until(() => isReady, 30_000)
  return { kill }
}

/** Waits until that many touches are settled; looks seldom, because looking takes time from the workers. */
async function reached(shop: Shop, count: number): Promise<void> {
  const text = 'select count(*)::int as n from touchpoint where settled_at is not null and tenant_id = $1'
  await until(async () => {
    await delay(250)
    return (await shop.everything.query(text, [shop.tenant.tenantId])).rows[0].n >= count
  }, 600_000)
}

async function deliveries(shop: Shop): Promise<Sent[]> {
  const { rows } = await shop.everything.query<Sent>(
    `select d.key, d.channel || ' ' || t.purpose as kind, d.state, t.state as touch, d.doubt, d.attempt
     from delivery d join touchpoint t on t.tenant_id = d.tenant_id and t.id = d.touchpoint_id
     where d.tenant_id = $1`,
    [shop.tenant.tenantId],
  )
  return rows
}

async function events(shop: Shop): Promise<object> {
  const { rows } = await shop.everything.query(
    `select count(*) filter (where type = 'delivery.settled')::int as deliveries,
       count(*) filter (where type = 'touchpoint.settled')::int as touches
     from outbox where tenant_id = $1`,
    [shop.tenant.tenantId],
  )
  return rows[0]
}
