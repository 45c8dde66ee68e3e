import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const name = { en: 'Points', ja: 'ポイント' }
let shop: Shop

/** A shop that warns 14 days before, for a purpose, and extends by 30 days whoever could not be told. */
async function warning(purpose: string): Promise<Shop> {
  const made = await open({ testClock: '2026-04-01T00:00:00Z', timeZone: 'Asia/Tokyo' })
  const rules = { before: 'P14D', extendBy: 'P30D', purpose }
  await made.do('defineCurrency', {
    key: 'POINTS',
    currency: { name, expiry: { never: true }, warning: rules },
  })
  return made
}

beforeAll(async () => {
  shop = await warning('service')
})

const give = (of: Shop, member: object, points: number, expiresAt: string) =>
  of.do('grantPoints', { member, points, reason: 'Hello', expiresAt })

async function seen(of: Shop, by: { externalId: string }) {
  const query = `query ($by: MemberBy!) { member(by: $by) { wallet { available expiring(within: "P1Y") { points expiresAt } }
    inbox { nodes { title body } } } }`
  const { member } = (await of.ask(of.staff, query, { by })).data
  return {
    available: member.wallet.available,
    expiring: member.wallet.expiring.map(({ points, expiresAt }: Record<string, string>) => [
      points,
      expiresAt,
    ]),
    told: member.inbox.nodes.map(
      ({ body }: { body: string }) => /\d+ ポイント.*?\d{4}-\d\d-\d\d/.exec(body)?.[0],
    ),
  }
}

/** How many events of a type there were, logged or about to be. */
async function told(of: Shop, type: string): Promise<number> {
  const text = `select count(distinct x.id)::int as n from (select id from event_log where tenant_id = $1 and type = $2
    union all select id from outbox where tenant_id = $1 and type = $2) x`
  return (await of.ground.app.db.system.query(text, [of.tenant.id, type])).rows[0].n
}

test('who was told in time keeps nothing: warned, then dead on the day that was said', async () => {
  const { by } = await shop.member('mia')
  await give(shop, by, 50, '2026-04-30T15:00:00Z')
  await shop.clock('2026-04-16T14:59:59Z')
  expect((await seen(shop, by)).told).toEqual([])
  await shop.clock('2026-04-16T15:00:00Z')
  expect((await seen(shop, by)).told).toEqual(['50 ポイントは、2026-04-30'])
  await shop.clock('2026-04-30T14:59:59Z')
  expect(await seen(shop, by)).toMatchObject({
    available: '50',
    expiring: [['50', '2026-04-30T15:00:00.000Z']],
  })
  await shop.clock('2026-04-30T15:00:00Z')
  expect(await seen(shop, by)).toMatchObject({ available: '0', told: ['50 ポイントは、2026-04-30'] })
})

test('points that come with a near date are warned of at once; what lives on is not', async () => {
  const { by } = await shop.member('aki')
  await give(shop, by, 7, '2026-05-03T15:00:00Z')
  await give(shop, by, 8, '2027-05-03T15:00:00Z')
  await shop.clock('2026-04-30T15:00:01Z')
  expect((await seen(shop, by)).told).toEqual(['7 ポイントは、2026-05-03'])
})

test('who could not be told keeps the points: extended by the calendar, again and again', async () => {
  const strict = await warning('offers')
  const { by } = await strict.member('mia')
  await strict.do('pauseTouches', { member: by, reason: 'Complaint' })
  await give(strict, by, 50, '2026-04-30T15:00:00Z')
  await strict.clock('2026-04-29T14:59:59Z')
  expect((await seen(strict, by)).expiring).toEqual([['50', '2026-04-30T15:00:00.000Z']])
  await strict.clock('2026-04-29T15:00:00Z')
  expect(await seen(strict, by)).toEqual({
    available: '50',
    expiring: [['50', '2026-05-30T15:00:00.000Z']],
    told: [],
  })
  expect(await told(strict, 'points.extended')).toBe(1)
  await strict.clock('2026-06-01T00:00:00Z')
  expect((await seen(strict, by)).expiring).toEqual([['50', '2026-06-29T15:00:00.000Z']])
  expect(await told(strict, 'points.extended')).toBe(2)
  expect(
    (await strict.ask(strict.staff, '{ ledgerCheck { differences { found } } }')).data.ledgerCheck
      .differences,
  ).toEqual([])
})

test('who can be reached meanwhile is told of the later date, and then they die', async () => {
  const strict = await warning('offers')
  const { by } = await strict.member('mia')
  await strict.do('pauseTouches', { member: by, reason: 'Complaint' })
  await give(strict, by, 50, '2026-04-30T15:00:00Z')
  await strict.clock('2026-05-01T00:00:00Z')
  await strict.do('resumeTouches', { member: by })
  await strict.clock('2026-05-31T00:00:00Z')
  expect(await seen(strict, by)).toEqual({
    available: '0',
    expiring: [],
    told: ['50 ポイントは、2026-05-30'],
  })
})

test('a currency without a warning, and one whose warning was taken away, look at nothing', async () => {
  const quiet = await open({ testClock: '2026-04-01T00:00:00Z' })
  const { by } = await quiet.member('mia')
  await give(quiet, by, 50, '2026-04-30T15:00:00Z')
  await quiet.clock('2026-05-01T00:00:00Z')
  expect(await seen(quiet, by)).toEqual({ available: '0', expiring: [], told: [] })
  const looks = { text: 'select count(*)::int as n from expiry_look e where own(e)', values: [] }
  const client = quiet.ground.app.db.tenant(quiet.tenant.id)
  const rules = { before: 'P14D', extendBy: 'P30D', purpose: 'service' }
  await quiet.do('defineCurrency', {
    key: 'POINTS',
    currency: { name, expiry: { never: true }, warning: rules },
  })
  expect(await client.query(looks)).toEqual([{ n: 1 }])
  await quiet.do('defineCurrency', { key: 'POINTS', currency: { name, expiry: { never: true } } })
  expect(await client.query(looks)).toEqual([{ n: 0 }])
})
