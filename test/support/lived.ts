import fc from 'fast-check'
import { expect } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import type { OpenShop, Shop } from './app.ts'
import type { TestMember } from './shop.ts'
import { referralCode } from './world.ts'

const BEGIN = '2026-01-01T00:00:00Z'

/** Something that may happen; `after` is in hours since what happened before. */
export interface Step {
  readonly after: number
  readonly what: What
  readonly who: number
  readonly amount: number
}

/** What happens to a member, as a random amount says. */
type Doing = (life: Life, member: TestMember, amount: number) => Promise<void>

const spend: Doing = async ({ shop, spent }, { by }, amount) => {
  const input = { member: by, points: 1 + (amount % 50), reason: 'Soap' }
  const { transaction } = await shop.do('spendPoints', input, { select: 'transaction { id }' })
  if (transaction) spent.push(transaction.id)
}

const hold: Doing = async ({ shop, held }, { by }, amount) => {
  const input = { member: by, points: 1 + (amount % 60), expiresIn: `P${1 + (amount % 12)}D`, reason: 'Cart' }
  const { hold } = await shop.do('holdPoints', input, { select: 'hold { id }' })
  if (hold) held.push(hold.id)
}

const adjust: Doing = async ({ shop, asked }, { by }, amount) => {
  const points = (amount % 4 === 0 ? -1 : 1) * (1 + (amount % 180))
  const input = { member: by, points, reason: 'A mistake' }
  const { adjustment } = await shop.do('adjustPoints', input, { select: 'adjustment { id }' })
  if (adjustment) asked.push(adjustment.id)
}

const redeem: Doing = async ({ shop, redeemed }, { by }, amount) => {
  const input = { member: by, reward: ['mug', 'card', 'luck'][amount % 3], quantity: 1 + (amount % 2) }
  const { redemption } = await shop.do('redeemReward', input, { select: 'redemption { id }' })
  if (redemption) redeemed.push(redemption.id)
}

const coupon: Doing = async ({ shop, coupons }, { by }, amount) => {
  const how = { code: amount % 3 === 0 ? 'MARKET' : 'TEATIME', hold: amount % 2 === 0 }
  const { redemption } = await shop.do(
    'redeemCoupon',
    { member: by, ...how },
    { select: 'redemption { id }' },
  )
  if (redemption) coupons.push(redemption.id)
}

/** What may happen to one of three members. What needs something else makes it first. */
const DOINGS = {
  buy: async ({ shop, n, at, bought }, { by }, amount) => {
    if (amount % 3 === 0) {
      await shop.do('redeemCoupon', { member: by, code: 'TEATIME', hold: true, orderId: `o-${n}` })
    }
    const third = Math.floor(amount / 3)
    const lines = [
      { sku: 'soap', quantity: 2, amount: third },
      { sku: 'tea', quantity: 1, amount: amount - third },
    ]
    const bill = { orderId: `o-${n}`, purchasedAt: at, currency: 'JPY', total: amount, lines }
    await shop.do('recordPurchase', { member: by, ...bill })
    bought.push(bill.orderId)
  },
  refund: async ({ shop, bought }, _member, amount) => {
    const part = [{ amount: 1 + (amount % 500) }, { lines: [{ sku: 'soap', quantity: 1 }] }, {}][amount % 3]
    await shop.do('refundPurchase', { orderId: one(bought, amount) ?? 'none', ...part })
  },
  learn: async ({ shop, n }, { by }, amount) => {
    const lesson = { name: 'lesson.finished', key: `l-${n}`, properties: { minutes: amount } }
    await shop.do('recordActivity', { member: by, ...lesson })
  },
  receive: async ({ shop, n }, { id }) => {
    await shop.ground.app.db.tenant(shop.tenant.id).query({
      text: `select offer_receive($1, '', $2, null, 'spend', $1, null, 'RECEIVED', 'staff:anna')`,
      values: [`r-${n}`, decodeId(id, 'id').id],
    })
  },
  move: async ({ shop }, { by }) => {
    await shop.do('moveMember', { member: by, stage: 'negotiation', reason: 'Asked' })
  },
  grant: async ({ shop }, { by }, amount) => {
    await shop.do('grantPoints', { member: by, points: 1 + (amount % 400), reason: 'Gift' })
  },
  spend,
  unspend: async (life, member, amount) => {
    if (life.spent.length === 0) await spend(life, member, amount)
    const { shop, spent } = life
    const transaction = one(spent, amount)
    const part = amount % 2 === 0 ? {} : { points: 1 + (amount % 9) }
    if (transaction) await shop.do('refundSpend', { transaction, ...part, reason: 'Back' })
  },
  hold,
  resolve: async (life, member, amount) => {
    if (life.held.length === 0) await hold(life, member, amount)
    const { shop, held } = life
    const cart = taken(held, amount)
    const [how, part] = amount % 3 === 0 ? ['voidHold', {}] : ['captureHold', amount % 2 ? { points: 1 } : {}]
    if (cart) await shop.do(how, { hold: cart, ...part })
  },
  transfer: async ({ shop, members }, member, amount) => {
    const to = members.filter(({ id }) => id !== member.id)[amount % 2]?.by
    await shop.do('transferPoints', { member: member.by, to, points: 1 + (amount % 40), reason: 'For you' })
  },
  adjust,
  decide: async (life, member, amount) => {
    if (life.asked.length === 0) await adjust(life, member, amount)
    const { shop, asked, second } = life
    const adjustment = taken(asked, amount)
    const how = amount % 3 === 0 ? 'rejectAdjustment' : 'approveAdjustment'
    if (adjustment) await shop.do(how, { adjustment, note: 'Seen' }, { as: second })
  },
  delight: async ({ shop }, { by }, amount) => {
    await shop.do('grantDelight', { member: by, points: 1 + (amount % 20), reason: 'A smile' })
  },
  redeem,
  settle: async (life, member, amount) => {
    if (life.redeemed.length === 0) await redeem(life, member, amount)
    const { shop, redeemed } = life
    const redemption = taken(redeemed, amount)
    if (redemption) await shop.do(amount % 2 ? 'fulfilReward' : 'cancelRedemption', { redemption })
  },
  coupon,
  release: async (life, member, amount) => {
    if (life.coupons.length === 0) await coupon(life, member, amount)
    const { shop, coupons } = life
    const redemption = taken(coupons, amount)
    const how = amount % 2 ? 'releaseCoupon' : 'cancelCouponRedemption'
    const why = amount % 2 ? {} : { reason: 'Called off' }
    if (redemption) await shop.do(how, { redemption, ...why })
  },
  refer: async ({ shop, members }, _member, amount) => {
    const [referrer, friend] = amount % 2 ? [members[0], members[1]] : [members[1], members[2]]
    if (!referrer || !friend) return
    const signals = amount % 3 === 0 ? { ip: '203.0.113.7', address: '1-1 Chiyoda' } : undefined
    if (signals) await shop.do('noteReferralSignals', { member: referrer.by, signals })
    await shop.do('claimReferral', {
      member: friend.by,
      code: await referralCode(shop, referrer.by),
      signals,
    })
  },
} satisfies Record<string, Doing>

/** The kinds of what may happen. */
export type What = keyof typeof DOINGS

/** A random step of any kind; what others follow from comes more often. */
export const step: fc.Arbitrary<Step> = fc.record({
  after: fc.integer({ min: 1, max: 24 * 5 }),
  what: fc.constantFrom(
    ...(Object.keys(DOINGS) as What[]), // its own keys
    ...([
      'buy',
      'buy',
      'learn',
      'receive',
      'settle',
      'settle',
      'resolve',
      'decide',
      'release',
      'refund',
    ] as const),
  ),
  who: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 1, max: 30_000 }),
})

/** How far a life has come, and the ids of what it has brought so far. */
interface Life extends Record<'bought' | 'spent' | 'held' | 'asked' | 'redeemed' | 'coupons', string[]> {
  readonly shop: Shop
  readonly members: readonly TestMember[]
  /** Somebody else of the staff. */
  readonly second: string
  readonly n: number
  readonly at: string
}

const one = (list: readonly string[], amount: number) => list[amount % Math.max(1, list.length)]
const taken = (list: string[], amount: number) => list.splice(amount % Math.max(1, list.length), 1)[0]
const instant = (hours: number) => new Date(Date.parse(BEGIN) + hours * 3_600_000).toISOString()

/** A shop with this program, whose three members all this happened to; the clock stands 30 days after the last of it. */
export async function lived(open: OpenShop, steps: readonly Step[], program?: object): Promise<Shop> {
  const shop = await open({ testClock: BEGIN })
  if (program) await prepared(shop, program)
  const members = [await shop.member('a'), await shop.member('b'), await shop.member('c')]
  const second = await shop.token('staff', 'ben', 'points:approve points:write points:read')
  for (const { by: member } of program ? members : []) {
    await shop.do('grantPoints', { member, points: 90, reason: 'Welcome', expiresAt: instant(24 * 45) })
  }
  const brought = { bought: [], spent: [], held: [], asked: [], redeemed: [], coupons: [] }
  let hours = 0
  for (const [n, { after, what, who, amount }] of steps.entries()) {
    hours += after
    await shop.clock(instant(hours))
    const member = members[who]
    if (member)
      await DOINGS[what]({ shop, members, second, n, at: instant(hours), ...brought }, member, amount)
  }
  await shop.clock(instant(hours + 24 * 30))
  return shop
}

async function prepared(shop: Shop, program: object): Promise<void> {
  const document = { ...(await documentOf(shop)), ...program }
  expect(await shop.do('importProgram', { document })).toHaveProperty('program')
  await shop.do('activateCampaign', { campaign: 'season' })
  await shop.do('addCouponWord', { coupon: 'tea', word: 'TEATIME' })
  await shop.do('addCouponWord', { coupon: 'fair', word: 'MARKET' })
}

/** The whole program in force. */
export async function documentOf(shop: Shop): Promise<ReturnType<typeof JSON.parse>> {
  return (await shop.ask(shop.staff, '{ program { document } }')).data.program.document
}
