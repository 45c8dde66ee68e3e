import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openShop, type Shop } from './shop.ts'

const database = testDatabase()

interface Answer {
  readonly is: string
  readonly delivery?: string
  readonly fence?: string
  readonly attempt?: number
  readonly key?: string
  readonly content?: unknown
  readonly unknown?: unknown
}

async function claim(
  shop: Shop,
  touchpoint: string,
  content: object = { title: 'a', body: 'b' },
): Promise<Answer> {
  const text = `select touchpoint_claim($1, 'inbox', 'inbox', true, $2, interval '1 minute') as outcome`
  const [row] = await shop.tenant.query<{ outcome: { is: string; deliveries?: Answer[] } }>({
    text,
    values: [touchpoint, JSON.stringify(content)],
  })
  return { is: row?.outcome.is ?? 'nothing', ...row?.outcome.deliveries?.[0] }
}

async function settle(
  shop: Shop,
  { delivery, fence }: Answer,
  state = 'ACCEPTED',
  dueAt?: Date,
): Promise<string> {
  const settlement = { state, outcome: { is: 'accepted' }, due_at: dueAt }
  const [row] = await shop.tenant.query<{ is: string }>({
    text: `select touchpoint_settle($1, $2, 'inbox', $3) ->> 'is' as is`,
    values: [delivery, fence, JSON.stringify(settlement)],
  })
  return row?.is ?? 'nothing'
}

test('of twenty claims at once, one gets the touch and the others find it busy', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  const answers = await Promise.all(Array.from({ length: 20 }, () => claim(shop, touchpoint)))
  expect(answers.map((answer) => answer.is).sort()).toEqual([...Array(19).fill('busy'), 'claimed'])
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'CLAIMED' })
})

test('twenty settlements of one claim settle once and announce once', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  const claimed = await claim(shop, touchpoint)
  const answers = await Promise.all(Array.from({ length: 20 }, () => settle(shop, claimed)))
  expect(answers.sort()).toEqual(['settled', ...Array(19).fill('stale')])
  expect(await shop.announced('touchpoint.settled', touchpoint)).toBe(1)
  expect(await claim(shop, touchpoint)).toEqual({ is: 'settled' })
})

test('a worker that comes back with an older fence is refused and changes nothing', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  const zombie = await claim(shop, touchpoint)
  await shop.lapse()
  const heir = await claim(shop, touchpoint)
  expect(await settle(shop, zombie, 'REFUSED')).toBe('stale')
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'CLAIMED', outcome: null })
  expect(await settle(shop, heir)).toBe('settled')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'ACCEPTED' })
})

test('a second claim keeps the key and the words, and tells that the first was lost', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  const first = await claim(shop, touchpoint, { title: 'first', body: 'b' })
  await shop.lapse()
  const second = await claim(shop, touchpoint, { title: 'second', body: 'b' })
  expect(second).toEqual({
    ...first,
    fence: '2',
    attempt: 2,
    unknown: { is: 'unknown', evidence: 'crash' },
  })
  expect(second.content).toEqual({ title: 'first', body: 'b' })
})

test('a touch that was put off is planned again, not due, and announces nothing', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const touchpoint = await shop.plan(await shop.member())
  const later = new Date('2026-04-01T00:05:00Z')
  expect(await settle(shop, await claim(shop, touchpoint), 'WAITING', later)).toBe('put_off')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'PLANNED',
    planned_at: new Date('2026-04-01T00:00:00Z'),
    due_at: later,
  })
  expect(await claim(shop, touchpoint)).toEqual({ is: 'not_due' })
  expect(await shop.announced('touchpoint.settled', touchpoint)).toBe(0)
})

test('the application may not write deliveries but by these functions, except that one was read', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  await settle(shop, await claim(shop, touchpoint))
  for (const text of [
    `update delivery d set state = 'REFUSED' where own(d)`,
    `update touchpoint p set state = 'PLANNED' where own(p)`,
    `delete from delivery d where own(d)`,
  ]) {
    await expect(shop.tenant.query({ text, values: [] })).rejects.toMatchObject({ code: '42501' })
  }
  await shop.tenant.query({ text: 'update delivery d set read_at = now() where own(d)', values: [] })
})
