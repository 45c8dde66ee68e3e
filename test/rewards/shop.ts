import type { Shop, TestMember } from '../support/shop.ts'

/** A mug for 100 points, sent by somebody, held for half an hour until then. */
export const mug = {
  name: { en: 'Mug', ja: 'マグカップ' },
  cost: { points: 100 },
  goods: { sku: 'MUG' },
  fulfilment: 'MANUAL',
  reservation: { for: 'PT30M' },
}

/** The same, with its points spent at once. */
export const { reservation: _, ...tea } = { ...mug, name: { en: 'Tea', ja: 'お茶' } }

/** Free shipping, or what else is given at once: 50 other points for 20. */
export const bonus = {
  name: { en: 'Stars', ja: '星' },
  cost: { points: 20 },
  benefit: { points: { amount: '50', currency: 'STARS' } },
  fulfilment: 'AT_ONCE',
}

/** Everything about a redemption that a test looks at. */
export const REDEMPTION =
  'redemption { id state quantity points reference fulfilledAt closedAt lapsesAt history { from to at reason } }'

/** Defines a reward. */
export const define = (shop: Shop, key: string, reward: object) => shop.do('defineReward', { key, reward })

/** Registers a member with so many points. */
export async function memberWith(shop: Shop, name: string, points: number): Promise<TestMember> {
  const member = await shop.member(name)
  if (points > 0) await shop.do('grantPoints', { member: member.by, points, reason: 'Welcome' })
  return member
}

/** Redeems as the member itself. */
export const redeem = (shop: Shop, { token }: TestMember, reward: string, more: object = {}) =>
  shop.do('redeemReward', { reward, ...more }, { as: token, select: REDEMPTION })

/** What the wallet shows. */
export async function wallet(shop: Shop, { token }: TestMember, currency = 'POINTS') {
  const query = `{ viewer { member { wallet(currency: "${currency}") { available held } } } }`
  return (await shop.ask(token, query)).data.viewer.member.wallet
}

/** How many of a reward are left, and whether the books are right. */
export async function state(shop: Shop, key: string) {
  const { data } = await shop.ask(
    shop.staff,
    '{ rewards(first: 50) { nodes { key left } } ledgerCheck { differences { expected } } }',
  )
  const shelf = data.rewards.nodes.find((each: { key: string }) => each.key === key)
  return { left: shelf?.left, differences: data.ledgerCheck.differences }
}
