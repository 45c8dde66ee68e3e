import { randomUUID } from 'node:crypto'
import type { OpenShop, Shop, TestMember } from '../support/app.ts'

/** 500 stars for whoever recommended, 200 for whoever came, two weeks after a first purchase of 3,000 yen. */
export const program = {
  name: { en: 'Bring a friend', ja: 'お友だち紹介' },
  benefits: {
    referrer: { points: { amount: '500', currency: 'STARS' } },
    friend: { points: { amount: '200', currency: 'STARS' } },
  },
  qualifying: { firstPurchase: { atLeast: 3000, currency: 'JPY' } },
  hold: 'P14D',
}

/** A shop on the first of April with this program, and a member who can recommend it. */
export async function shopWith(open: OpenShop, more: object = {}) {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  await shop.do('defineReferralProgram', { key: 'friends', program: { ...program, ...more } })
  return { shop, mia: await shop.member('mia', { email: 'mia@example.com' }) }
}

/** The code by which a member recommends. */
export async function codeOf(shop: Shop, { token }: TestMember): Promise<string> {
  return (await shop.ask(token, '{ viewer { member { referralCode } } }')).data.viewer.member.referralCode
}

export const REFERRAL = 'referral { id state suspicions history { from to } paysAt paidAt }'

/** Claims as the friend, unless told otherwise. */
export async function claim(shop: Shop, friend: TestMember, referrer: TestMember, more: object = {}) {
  const input = { member: friend.by, code: await codeOf(shop, referrer), ...more }
  return shop.do('claimReferral', input, { select: REFERRAL })
}

/** Buys for so many yen; the order's id. */
export async function buy(shop: Shop, { by: member }: TestMember, total: number, purchasedAt?: string) {
  const orderId = randomUUID()
  const { now } = (await shop.ask(shop.staff, '{ viewer { tenant { now } } }')).data.viewer.tenant
  await shop.do('recordPurchase', {
    member,
    orderId,
    purchasedAt: purchasedAt ?? now,
    currency: 'JPY',
    total,
  })
  return orderId
}

/** How the claim of a friend stands, and the stars that either side has, which come of referrals alone. */
export async function standing(shop: Shop, friend: TestMember) {
  const stars = 'wallet(currency: "STARS") { available }'
  const query = `query ($by: MemberBy!) { member(by: $by) { referrer { state referrer { ${stars} } } ${stars} }
    ledgerCheck { differences { expected } } }`
  const { data, errors } = await shop.ask(shop.staff, query, { by: friend.by })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  const { referrer, wallet } = data.member
  return {
    state: referrer?.state,
    referrer: Number(referrer?.referrer.wallet?.available ?? 0),
    friend: Number(wallet?.available ?? 0),
    differences: data.ledgerCheck.differences,
  }
}
