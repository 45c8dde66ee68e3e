import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { count, type House, openHouse, times } from './house.ts'

/** At full size with ENGAWA_FAULTS, as in the promise: 10,000 attempts of 50 clients on a stock of 1,000. */
const [stock, people, tries] = process.env.ENGAWA_FAULTS ? [1_000, 2_000, 5] : [100, 200, 5]

const database = testDatabase()
let house: House

beforeAll(async () => {
  house = await openHouse(database.url, { connections: 50 })
  // A session compiles what it runs first, and would do so while it holds the counter.
  await house.coupon('warm')
  const warm = await house.word('warm', 'WARM')
  const members = await house.members(50)
  await times(50, (i) => house.redeem(members[i] ?? '', warm, { isHeld: i % 2 > 0 }))
})
afterAll(async () => {
  expect(await house.wrong()).toEqual([])
  await house[Symbol.asyncDispose]()
})

/** Fifty at work at a time. */
async function burn<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const left = [...jobs]
  const done: T[] = []
  await times(50, async () => {
    for (let job = left.pop(); job; job = left.pop()) done.push(await job())
  })
  return done
}

test(`of ${people * tries} attempts on a stock of ${stock} with one for each member exactly ${stock} succeed, and what is released comes back`, async () => {
  await house.coupon('fire', { limits: { total: stock, perMember: 1 } })
  const word = await house.word('fire', 'FIRE2026')
  const members = await house.members(people)
  const jobs = members.flatMap((member) =>
    Array.from({ length: tries }, () => () => house.redeem(member, word)),
  )
  const started = performance.now()
  const answers = await burn(jobs.toSorted(() => Math.random() - 0.5))
  const seconds = (performance.now() - started) / 1_000

  const done = answers.filter((answer) => answer.is === 'done')
  expect(done.length).toBe(stock)
  expect(new Set(done.map(({ member }) => member)).size).toBe(stock)
  const { STOCK_USED_UP = 0, MEMBER_LIMIT = 0, ...others } = count(answers)
  expect([others, STOCK_USED_UP + MEMBER_LIMIT]).toEqual([{ done: stock }, people * tries - stock])
  console.log(`${people * tries} attempts in ${seconds.toFixed(1)} s: ${stock} done`)

  const given = done.slice(0, stock / 10)
  expect(
    count(
      await burn(
        given.map(
          ({ redemption }) =>
            () =>
              house.release(redemption, true),
        ),
      ),
    ),
  ).toEqual({
    done: given.length,
  })
  const others2 = members.filter((id) => !done.some(({ member }) => member === id))
  const again = count(await burn(others2.map((member) => () => house.redeem(member, word))))
  expect(again).toEqual({ done: given.length, STOCK_USED_UP: others2.length - given.length })
  const figures = 'select used, reserved, released, taken from coupon_counter where coupon = $1'
  expect(await house.row(figures, 'fire')).toEqual({
    ...{ used: BigInt(stock), reserved: 0n },
    ...{ released: BigInt(given.length), taken: BigInt(stock + given.length) },
  })
})

test('twenty who redeem one bulk code at once are one; twenty releases of it release it once', async () => {
  await house.coupon('single')
  const codes = await house.codes('single', 20)
  const members = await house.members(20)
  for (const code of codes) {
    const answers = await times(20, (i) => house.redeem(members[i] ?? '', code, { isHeld: true }))
    expect(count(answers)).toEqual({ done: 1, CODE_USED: 19 })
    const redemption = answers.flatMap((answer) => (answer.is === 'done' ? [answer.redemption] : []))
    const released = await times(20, () => house.release(redemption[0] ?? ''))
    expect(count(released)).toEqual({ done: 1, redemption_resolved: 19 })
  }
})

test('members who take several coupons of one campaign in any order never wait for each other in a ring', async () => {
  await house.campaign('ring', { stock: 60, budget: { money: { amount: '20000', currency: 'JPY' } } })
  await house.move('ring', 'ACTIVE')
  const words = await Promise.all(
    ['r-a', 'r-b', 'r-c'].map(async (key) => {
      await house.coupon(key, { campaign: 'ring', limits: { total: 30, perMember: 2 } })
      return house.word(key, `${key}-WORD`)
    }),
  )
  const members = await house.members(20)
  const jobs = members.flatMap((member, i) =>
    [...words, ...words].map(
      (_, j) => () => house.redeem(member, words[(i + j) % 3] ?? '', { isHeld: j % 2 > 0 }),
    ),
  )
  const answers = await burn(jobs)
  const { done = 0, ...refused } = count(answers)
  expect([done, Object.keys(refused)]).toEqual([40, ['BUDGET_USED_UP']])
  const held = answers.flatMap((answer) => (answer.is === 'done' ? [answer.redemption] : []))
  await burn(held.map((redemption) => () => house.release(redemption, true)))
  expect(
    await house.row(`select reserved, used, released from budget where campaign = 'ring' and unit = 'MONEY'`),
  ).toEqual({ reserved: 0n, used: 0n, released: 20_000n })
})
