import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()
const DAY = 86_400_000
const START = Date.UTC(2024, 0, 1)
const NOW = START + 1_000 * DAY
let db: Db
let shop: TenantClient
let members = 0

beforeAll(async () => {
  db = openDb({ url: database.url })
  const { id } = await createTenant(db.system, {
    key: 'shop',
    name: 'Shop',
    timeZone: 'UTC',
    locale: 'en',
    testClock: new Date(NOW),
  })
  shop = db.tenant(id)
  return () => db.close()
})

interface Bought {
  /** Days since the start. */
  readonly day: number
  /** Days after the purchase on which it was given back, if it was. */
  readonly refundedAfter: number | null
}

test('the stage follows the facts, in whatever order they are told', async () => {
  await fc.assert(
    fc.asyncProperty(facts, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), async (bought, shuffle) => {
      const member = await register()
      const told = bought
        .map((fact, i) => ({ ...fact, i, rank: shuffle[i] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
      for (const { day, i } of told) await buy(member, i, day)
      for (const { day, refundedAfter, i } of told)
        if (refundedAfter !== null) await refund(member, i, day + refundedAfter)

      expect(await stageOf(member)).toBe(stageByFacts(bought))
      expect(await brokenHistories(member)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('facts told as they happen give the whole history, each change at its own instant', async () => {
  await fc.assert(
    fc.asyncProperty(facts, async (bought) => {
      const days = bought.map(({ day }) => day).sort((a, b) => a - b)
      await living(new Date(START), async () => {
        const member = await register()
        for (const [i, day] of days.entries()) {
          await advance(START + day * DAY)
          await buy(member, i, day)
        }
        await advance(NOW)

        expect(await historyOf(member)).toEqual(historyByFacts(days))
      })
    }),
    { numRuns: 25 },
  )
})

test('an import gives the same history as recording in order', async () => {
  await fc.assert(
    fc.asyncProperty(facts, async (bought) => {
      const days = bought.map(({ day }) => day)
      const externalId = `i${members++}`
      const rows = days.map((day, i) => ({
        line: i + 1,
        external_id: externalId,
        order_id: `${externalId}-${i}`,
        purchased_at: at(day),
        is_local: false,
        currency: 'USD',
        total: '1000',
        lines: [],
      }))
      for (const row of rows)
        await shop.query({ text: 'select purchase_import($1, $2)', values: [JSON.stringify([row]), 'test'] })
      await shop.query({ text: 'select purchase_replay_due(100)', values: [] })

      expect(await historyOf(externalId)).toEqual(historyByFacts([...days].sort((a, b) => a - b)))
    }),
    { numRuns: 30 },
  )
})

const facts = fc.array(
  fc.record({
    day: fc.integer({ min: 0, max: 999 }),
    refundedAfter: fc.option(fc.integer({ min: 0, max: 300 }), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 7 },
)

function at(day: number): string {
  return new Date(Math.min(START + day * DAY, NOW)).toISOString()
}

/** Runs the work in a tenant of its own, whose test clock begins here. */
async function living(clock: Date, work: () => Promise<void>): Promise<void> {
  const usual = shop
  const { id } = await createTenant(db.system, {
    key: `shop-${members++}`,
    name: 'Shop',
    timeZone: 'UTC',
    locale: 'en',
    testClock: clock,
  })
  shop = db.tenant(id)
  await work()
  shop = usual
}

/** Moves the test clock; planned touches are of no interest here. */
async function advance(to: number): Promise<void> {
  for (;;) {
    const due = await shop.query<{ id: string }>({
      text: "select t.id from touchpoint t where own(t) and t.state = 'PLANNED'",
      values: [],
    })
    for (const { id } of due) await shop.query({ text: 'select touchpoint_cancel($1)', values: [id] })
    const [row] = await shop.query<{ there: boolean }>({
      text: "select (clock_advance($1, 1000) ->> 'is_there')::boolean as there",
      values: [new Date(to)],
    })
    if (row?.there) return
  }
}

async function register(): Promise<string> {
  const externalId = `m${members++}`
  await shop.query({
    text: "select member_register(null, null, $1, 'M', null, null, null, null, 'staff:t')",
    values: [externalId],
  })
  return externalId
}

async function buy(member: string, order: number, day: number): Promise<void> {
  const [row] = await shop.query<{ is: string }>({
    text: `select purchase_record($1, '\\x00', null, $2, $1, $3, 'USD', 1000, '[]', 'integration:t') ->> 'is' as is`,
    values: [`${member}-${order}`, member, at(day)],
  })
  expect(row?.is).toBe('done')
}

async function refund(member: string, order: number, day: number): Promise<void> {
  const [row] = await shop.query<{ is: string }>({
    text: `select purchase_refund($1, '\\x00', $2, null, null, $3, null, 'integration:t') ->> 'is' as is`,
    values: [`refund ${member}-${order}`, `${member}-${order}`, at(day)],
  })
  expect(row?.is).toBe('done')
}

async function stageOf(member: string): Promise<string | undefined> {
  const [row] = await shop.query<{ stage: string }>({
    text: `select case when s.silent_at < tenant_now(s.tenant_id) then s.silent_stage else s.stage end as stage
      from lifecycle_state s join member m on m.tenant_id = s.tenant_id and m.id = s.member_id where own(s) and m.external_id = $1`,
    values: [member],
  })
  return row?.stage
}

async function historyOf(member: string): Promise<Array<[string, number]>> {
  const rows = await shop.query<{ to_stage: string; at: Date }>({
    text: `select c.to_stage, c.at from stage_change c join member m on m.tenant_id = c.tenant_id and m.id = c.member_id
      where own(c) and m.external_id = $1 order by c.n`,
    values: [member],
  })
  return rows.map(({ to_stage, at }) => [to_stage, at.getTime()])
}

/** Changes whose `from` is not where the one before went. */
async function brokenHistories(member: string) {
  return shop.query({
    text: `select * from (
        select c.n, c.from_stage, lag(c.to_stage, 1, 'prospect') over (order by c.n) as before
        from stage_change c join member m on m.tenant_id = c.tenant_id and m.id = c.member_id where own(c) and m.external_id = $1
      ) x where from_stage <> before`,
    values: [member],
  })
}

function stageByFacts(bought: readonly Bought[]): string {
  const standing = bought.filter(({ refundedAfter }) => refundedAfter === null)
  if (standing.length === 0) return 'prospect'
  const last = Math.max(...standing.map(({ day }) => day))
  if (START + last * DAY + 365 * DAY < NOW) return 'lapsed'
  return standing.length > 1 ? 'repeat' : 'customer'
}

function historyByFacts(days: readonly number[]): Array<[string, number]> {
  const history: Array<[string, number]> = []
  const reach = (stage: string, at: number) => {
    if (history.at(-1)?.[0] !== stage) history.push([stage, at])
  }
  for (const [i, day] of days.entries()) {
    const before = days[i - 1]
    if (before !== undefined && before + 365 < day) reach('lapsed', START + (before + 365) * DAY)
    reach(i === 0 ? 'customer' : 'repeat', START + day * DAY)
  }
  const last = days.at(-1) ?? 0
  if (START + (last + 365) * DAY < NOW) reach('lapsed', START + (last + 365) * DAY)
  return history
}
