import { expect, it, onTestFinished } from 'vitest'
// The rooms bring their parts of a program when the app is wired.
import '../../api/app.ts'
import { known, loadDemo, seeDemo, wantsDemo } from '../../api/demo/index.ts'
import { makePeople } from '../../api/demo/people.ts'
import { makePurchases } from '../../api/demo/purchases.ts'
import { type Db, openDb } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { usingDatabase } from '../support/database.ts'

async function emptyProduct(): Promise<{ db: Db; channels: { get(): undefined }; clock: { now(): Date } }> {
  const db = openDb({ url: (await usingDatabase()).url })
  onTestFinished(() => db.close())
  return { db, channels: { get: () => undefined }, clock: { now: () => new Date() } }
}

it('is the same shop whatever day it is loaded on', () => {
  const people = makePeople(300)
  const inMonth = (month: number) => makePurchases(people, () => month)
  const days = (month: number) =>
    inMonth(month).map(({ person, daysAgo, minute }) => [person.member.externalId, daysAgo, minute])
  const basketsOf = (month: number, who: string) =>
    inMonth(month)
      .filter(({ person }) => person.member.externalId === who)
      .map(({ basket }) => basket)
  expect(days(7)).toEqual(days(1))
  for (const who of Object.values(known)) expect(basketsOf(7, who)).toEqual(basketsOf(1, who))
})

it("keeps Mika's points out of the days whose death depends on the calendar", () => {
  // Points live until the end of the twelfth month: 365 days at least, and 397 at most.
  const mika = makePurchases(makePeople(300), () => 1).filter(
    ({ person }) => person.member.externalId === known.mika,
  )
  expect(mika.filter(({ daysAgo }) => daysAgo > 270 && daysAgo < 400)).toEqual([])
})

it('is loaded once by whoever comes first', async () => {
  const product = await emptyProduct()
  expect(await wantsDemo(product.db)).toBe(true)
  const loaded = await Promise.all([loadDemo(product), loadDemo(product), loadDemo(product)])
  expect(loaded.map(({ isNew }) => isNew).toSorted()).toEqual([false, false, true])
  expect(await seeDemo(product.db)).toEqual({ isNew: false, members: 300, purchases: 1_365 })
  expect(await wantsDemo(product.db)).toBe(false)
  const [tenant] = (await product.db.system.query<{ id: string }>('select id from tenant')).rows
  const written = await product.db.tenant(tenant?.id ?? '').query<{ kind: string; count: number }>({
    text: 'select c.kind, count(*)::int from contribution c where own(c) group by 1 order by 1',
    values: [],
  })
  expect(written.map(({ kind, count }) => `${count} ${kind}`)).toEqual([
    '2 ANSWER',
    '2 COMMENT',
    '2 CONTENT',
    '2 POST',
    '2 QUESTION',
  ])
})

it('goes on where a load was cut short', async () => {
  const product = await emptyProduct()
  const cut = loadDemo(product, (share) => {
    if (share > 0.5) throw new Error('cut')
  })
  await expect(cut).rejects.toThrow('cut')
  expect(await seeDemo(product.db)).toBeUndefined()
  expect(await wantsDemo(product.db)).toBe(true)
  expect(await loadDemo(product)).toEqual({ isNew: true, members: 300, purchases: 1_365 })
})

it('does not come to a database that somebody uses', async () => {
  const { db } = await emptyProduct()
  await createTenant(db.system, { key: 'shop', name: 'Shop', timeZone: 'UTC', locale: 'en' })
  expect(await wantsDemo(db)).toBe(false)
})
