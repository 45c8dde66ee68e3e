import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse } from './house.ts'

const database = testDatabase()
let house: House
beforeAll(async () => {
  house = await openHouse(database.url)
  await house.campaign('c', { stock: 10, budget: { money: { amount: '9000', currency: 'JPY' } } })
  await house.move('c', 'ACTIVE')
  await house.coupon('tea', { campaign: 'c', limits: { total: 5, perMember: 2 } })
  const [ann, [code = '', other = '']] = [await house.member(), await house.codes('tea', 2)]
  await house.redeemed(ann, code)
  await house.redeemed(ann, other, { isHeld: true })
  const gone = await house.redeemed(await house.member(), await house.word('tea', 'TEATIME'))
  await house.release(gone, true)
})
afterAll(async () => {
  expect(await house.wrong()).toEqual([])
  await house[Symbol.asyncDispose]()
})

/** What the owner of the tables gets when it tries this, up to the commit. */
async function refusal(sql: string): Promise<string> {
  await house.owner.query('begin')
  try {
    const { rowCount } = await house.owner.query(sql)
    if (rowCount === 0) return 'nothing there'
    await house.owner.query('commit')
    return 'accepted'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    await house.owner.query('rollback')
  }
}

const AMOUNTS = ['reserved', 'used', 'released', 'taken']

test.each(
  ['coupon_counter', 'coupon_code', 'budget'].flatMap((table) =>
    AMOUNTS.flatMap((amount) => [`${table} ${amount} + 1`, `${table} ${amount} - 1`]),
  ),
)('the owner of the tables cannot change one amount alone: %s', async (change) => {
  const [table = '', amount = '', sign = ''] = change.split(' ')
  const which =
    table === 'budget' ? `where unit = 'MONEY'` : table === 'coupon_code' ? `where kind = 'BULK'` : ''
  expect(await refusal(`update ${table} set ${amount} = ${amount} ${sign} 1 ${which}`)).toBe('23514')
})

const redemption = `(select id from coupon_redemption where state = 'USED')`

test.each([
  ['a counter beyond its cap', '23514', 'update coupon_counter set used = used + 9, taken = taken + 9'],
  ['a budget beyond its cap', '23514', 'update budget set used = used + 9000, taken = taken + 9000'],
  ['another cap of a counter', '23503', 'update coupon_counter set cap = cap + 1'],
  ['another cap of a budget', '23503', `update budget set cap = cap + 1 where unit = 'STOCK'`],
  ['another cap of a code', '23514', `update coupon_code set cap = 9 where kind = 'BULK'`],
  ['another hash of a code', '23514', `update coupon_code set hash = sha256('x') where kind = 'BULK'`],
  [
    'a released redemption used again',
    '23514',
    `update coupon_redemption set state = 'USED', used_at = made_at where state = 'RELEASED'`,
  ],
  [
    'a used redemption reserved again',
    '23514',
    `update coupon_redemption set state = 'RESERVED' where state = 'USED'`,
  ],
  ['another member for a redemption', '23514', 'update coupon_redemption set member_id = gen_random_uuid()'],
  ['a redemption gone', '23514', 'delete from coupon_redemption'],
  ['a slot freed under its redemption', '23514', 'delete from coupon_slot'],
  [
    'a slot beyond the limit',
    '23514',
    `insert into coupon_slot select tenant_id, coupon, member_id, period, 3, per, version, most, ${redemption} from coupon_slot limit 1`,
  ],
  [
    'a slot taken twice',
    '23505',
    `insert into coupon_slot select tenant_id, coupon, member_id, period, slot, per, version, most, redemption_id from coupon_slot limit 1`,
  ],
  ['a campaign moved from another state', '23514', `update campaign_run set state = 'ENDED'`],
  ['a campaign back to a draft', '23514', `update campaign_run set state = 'DRAFT', previous = 'ACTIVE'`],
  ['a use of a campaign made larger', '23514', 'update campaign_use set minor = minor + 1'],
  ['a version made wider', '23514', 'update coupon set total = total + 1'],
])('the owner of the tables cannot make %s', async (_what, code, sql) => {
  expect(await refusal(sql)).toBe(code)
})

test('the owner of the tables cannot make a redemption beyond what is left', async () => {
  const insert = `insert into coupon_redemption (tenant_id, coupon, version, code_id, member_id, transaction_id, state, made_at, used_at)
    select tenant_id, coupon, version, code_id, member_id,
      (select transaction_id from op where kind = 'MAKE_COUPONS' limit 1), 'USED', made_at, made_at
    from coupon_redemption where state = 'USED'`
  expect(await refusal(insert)).toBe('23514') // its code works once
})
