import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
let shop: Shop

const REPORT = `liability(currency: "POINTS", at: $at) { outstanding value money redeemed expired breakageBasisPoints
  expectedRedemption entries { class month points value } }`
const report = async (at?: string) =>
  (await shop.ask(shop.staff, `query ($at: DateTime) { ${REPORT} }`, { at })).data.liability

/** What the postings themselves sum up to. */
async function posted(): Promise<unknown> {
  const sums = `select sum(case when to_bucket in ('PENDING', 'AVAILABLE', 'HELD') then amount else 0 end
      - case when from_bucket in ('PENDING', 'AVAILABLE', 'HELD') then amount else 0 end)::text as outstanding,
    sum(case when to_bucket = 'EXPIRED' then amount else 0 end)::text as expired from posting p where own(p)`
  return (await shop.ground.app.db.tenant(shop.tenant.id).query({ text: sums, values: [] }))[0]
}

beforeAll(async () => {
  shop = await open({ testClock: '2026-01-10T00:00:00Z' })
  const name = { en: 'Points', ja: 'ポイント' }
  const defined = { name, expiry: { rolling: { months: 3 } }, value: { currency: 'JPY', micro: 800_001 } }
  await shop.do('defineCurrency', { key: 'POINTS', currency: defined })
  const [mia, aki] = [(await shop.member('mia')).by, (await shop.member('aki')).by]
  const give = (points: number, expiresAt?: string) =>
    shop.do('grantPoints', { member: mia, points, reason: 'Hello', expiresAt })
  await give(1_000)
  await give(300, '2026-02-28T15:00:00Z')
  await give(200, '2026-02-01T00:00:00Z')
  await shop.do('grantDelight', { member: mia, points: 50, reason: 'A smile' })
  await shop.do('spendPoints', { member: mia, points: 120, reason: 'Soap' })
  await shop.do('transferPoints', { member: mia, to: aki, points: 100, reason: 'For you' })
  await shop.do('holdPoints', { member: aki, points: 30, expiresIn: 'P60D', reason: 'Cart' })
})

test('what is outstanding stands by class and by the month in which it dies, with its worth', async () => {
  expect(await report()).toEqual({
    ...{ outstanding: '1430', value: '1144', money: 'JPY', redeemed: '120', expired: '0' },
    ...{ breakageBasisPoints: 0, expectedRedemption: '1430' },
    entries: [
      { class: 'PROMOTIONAL', month: '2026-04-01', points: '50', value: '40' },
      { class: 'EARNED', month: '2026-02-01', points: '380', value: '304' },
      { class: 'EARNED', month: null, points: '1000', value: '800' },
    ],
  })
  expect(await posted()).toEqual({ outstanding: '1430', expired: '0' })
})

test('what has died counts as breakage, booked or not, and the past stays what it was', async () => {
  await shop.ground.app.db.system.query('update tenant set clock_at = $1 where id = $2', [
    '2026-03-02T00:00:00Z',
    shop.tenant.id,
  ])
  const unbooked = await report()
  expect(unbooked).toMatchObject({ outstanding: '1080', redeemed: '120', expired: '350' })
  await shop.clock('2026-03-02T00:00:01Z')
  expect(await report()).toEqual(unbooked)
  expect(await posted()).toEqual({ outstanding: '1080', expired: '350' })
  // 350 of 470 died: 74.46 %.
  expect(unbooked).toMatchObject({ breakageBasisPoints: 7446, expectedRedemption: '276' })
  expect(await report('2026-01-11T00:00:00Z')).toMatchObject({ outstanding: '1430', expired: '0' })
})
