import { afterAll, beforeAll, expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'
import { type House, openHouse } from './house.ts'

/** As many documents of 15 aliases for each of 50 accounts; 10,500 guesses with ENGAWA_FAULTS. */
const documents = process.env.ENGAWA_FAULTS ? 14 : 1

const lines: string[] = []
const open = testApp({ role: 'web', onLog: (line) => void lines.push(line) })
const database = testDatabase()
let house: House
beforeAll(async () => {
  house = await openHouse(database.url)
})
afterAll(() => house[Symbol.asyncDispose]())

const name = { en: 'Tea', ja: 'お茶' }
const benefit = { money: { amount: 100, currency: 'JPY' } }

test('guesses through aliases from fifty accounts meet the limit of each, and a right code waits as well', async () => {
  const shop = await open()
  await shop.do('defineCoupon', { key: 'tea', coupon: { name, benefit } })
  await shop.do('addCouponWord', { coupon: 'tea', word: 'CANARYTEA' })
  const members = await Promise.all(Array.from({ length: 50 }, (_, i) => shop.member(`guesser-${i}`)))
  const look = (i: number) =>
    `g${i}: couponUsable(code: "GUESS${Math.random()}") { isUsable reason retryAfter }`
  const redeem = (i: number) =>
    `g${i}: redeemCoupon(input: {idempotencyKey: "k${Math.random()}", code: "GUESS${Math.random()}"}) { __typename }`
  const ofAliases = (count: number, each: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => each(i)).join(' ')
  await Promise.all(
    members.map(async ({ token }) => {
      const told: { reason: string | null; retryAfter: number | null }[] = []
      for (let d = 0; d < documents; d++) {
        told.push(
          ...Object.values<(typeof told)[0]>((await shop.ask(token, `{ ${ofAliases(15, look)} }`)).data),
        )
      }
      expect(told.filter(({ reason }) => reason === 'NOT_USABLE')).toHaveLength(10)
      expect(told.filter(({ retryAfter }) => retryAfter !== null)).toHaveLength(15 * documents - 10)
      const { data } = await shop.ask(token, `mutation { ${ofAliases(5, redeem)} }`)
      expect(Object.values(data)).toEqual(Array(5).fill({ __typename: 'TooManyAttemptsError' }))
    }),
  )
  const { token } = members[0] ?? { token: '' }
  const waiting = await shop.do('redeemCoupon', { code: 'CANARYTEA' }, { as: token })
  expect(waiting).toMatchObject({ code: 'TOO_MANY_ATTEMPTS', retryAfter: expect.any(Number) })
  const { data } = await shop.ask(token, '{ couponUsable(code: "CANARYTEA") { isUsable retryAfter } }')
  expect(data.couponUsable).toEqual({ isUsable: false, retryAfter: expect.any(Number) })
})

test('a code of nothing, of somebody else, and of another time are one answer to a member; staff see which', async () => {
  const shop = await open()
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  const over = { ...{ name, benefit }, window: { to: '2020-01-01T00:00:00Z' } }
  await shop.do('defineCoupon', { key: 'tea', coupon: { name, benefit } })
  await shop.do('defineCoupon', { key: 'over', coupon: over })
  await shop.do('addCouponWord', { coupon: 'over', word: 'WINTER' })
  const select = 'plainCode'
  const { plainCode } = await shop.do('issueCoupon', { member: aki.by, coupon: 'tea' }, { select })
  const codes = ['NOTHING', plainCode, 'WINTER']
  const told = await Promise.all(codes.map((code) => shop.do('redeemCoupon', { code }, { as: mia.token })))
  expect(new Set(told.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(told[0]).toMatchObject({ code: 'COUPON_NOT_USABLE', reason: 'NOT_USABLE' })
  const seen = await Promise.all(codes.map((code) => shop.do('redeemCoupon', { member: mia.by, code })))
  expect(seen.map(({ reason }) => reason)).toEqual(['UNKNOWN', 'NOT_THEIRS', 'EXPIRED'])
})

test('a code typed wrong is told to staff as such, and a bulk code folds as it was written', async () => {
  await house.coupon('typed')
  const [code = ''] = await house.codes('typed', 1)
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{6}(-[0-9A-HJKMNP-TV-Z]{6}){2}$/)
  const slipped = `${code[0] === '7' ? '8' : '7'}${code.slice(1)}`
  const member = await house.member()
  expect(await house.usable(member, slipped, 'c')).toMatchObject({ reason: 'MISTYPED' })
  const wide = [...code].map((sign) =>
    sign === '-' ? '－' : String.fromCharCode(sign.charCodeAt(0) + 0xfee0),
  )
  expect(await house.usable(member, wide.join(''), 'd')).toMatchObject({ is: 'done' })
})

test('a tenant’s limit stops who was wrong lately, and leaves the others a try', async () => {
  await house.coupon('safe')
  const [word, [wrong = '', clean = '']] = [await house.word('safe', 'SAFEWORD'), await house.members(2)]
  await house.redeem(wrong, 'NOTHING', { token: 'a' })
  await house.owner.query(`select coupon_guess_add('tenant') from generate_series(1, 1000)`)
  expect(await house.redeem(wrong, word, { token: 'a' })).toMatchObject({ is: 'too_many_attempts' })
  expect(await house.redeem(clean, word, { token: 'b' })).toMatchObject({ is: 'done' })
  expect(await house.usable(clean, 'NOTHING', 'b')).toEqual({ is: 'coupon_not_usable', reason: 'UNKNOWN' })
  expect(await house.usable(clean, 'NOTHING', 'b')).toMatchObject({ is: 'too_many_attempts' })
})

test('no code stands anywhere: not in a table, an event, an operation or a line of the log', async () => {
  const shop = await open()
  const mia = await shop.member('mia')
  await shop.do('defineCoupon', { key: 'tea', coupon: { name, benefit } })
  await shop.do('addCouponWord', { coupon: 'tea', word: 'CANARYWORD' })
  const made = await shop.do(
    'makeCoupons',
    { coupon: 'tea', count: 2, prefix: 'CANARY' },
    { select: 'codes' },
  )
  const issued = await shop.do('issueCoupon', { member: mia.by, coupon: 'tea' }, { select: 'plainCode' })
  const codes = ['CANARYWORD', ...made.codes, issued.plainCode]
  for (const code of codes) await shop.do('redeemCoupon', { code }, { as: mia.token })
  const text = await onServer(shop.ground.databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
    )
    const tables = await Promise.all(rows.map((row) => client.query(`select t::text from ${row.name} t`)))
    return JSON.stringify(tables.map((table) => table.rows))
  })
  expect(text).toContain('REDEEM_COUPON')
  const places = `${text}\n${lines.join('\n')}`.toUpperCase()
  for (const code of codes) {
    expect(places).not.toContain(code)
    expect(places).not.toContain(code.replaceAll('-', '').replaceAll('O', '0'))
  }
})
