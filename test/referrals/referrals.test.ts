import { expect, it, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { buy, claim, codeOf, program, shopWith, standing } from './shop.ts'

const open = testApp({ role: 'web' })

it('pays both sides when the friend has bought and the hold is over, and not before', async () => {
  const { shop, mia } = await shopWith(open)
  const aki = await shop.member('aki')
  expect((await claim(shop, aki, mia)).referral).toMatchObject({ state: 'CLAIMED', suspicions: [] })
  await buy(shop, aki, 2999)
  expect(await standing(shop, aki)).toMatchObject({ state: 'CLAIMED' })
  await buy(shop, aki, 3000)
  await shop.clock('2026-04-14T23:59:59Z')
  expect(await standing(shop, aki)).toEqual({ state: 'HELD', referrer: 0, friend: 0, differences: [] })
  await shop.clock('2026-04-15T00:00:00Z')
  expect(await standing(shop, aki)).toEqual({ state: 'PAID', referrer: 500, friend: 200, differences: [] })
})

it('pays nothing when what counts is given back inside the hold, the last coin of the threshold too', async () => {
  const { shop, mia } = await shopWith(open)
  const [aki, ren] = [await shop.member('aki'), await shop.member('ren')]
  for (const friend of [aki, ren]) await claim(shop, friend, mia)
  const [whole, part] = [await buy(shop, aki, 5000), await buy(shop, ren, 3000)]
  await shop.clock('2026-04-10T00:00:00Z')
  await shop.do('refundPurchase', { orderId: whole })
  await shop.do('refundPurchase', { orderId: part, amount: 1 })
  await shop.clock('2026-05-01T00:00:00Z')
  const nothing = { state: 'REVERSED', referrer: 0, friend: 0, differences: [] }
  expect([await standing(shop, aki), await standing(shop, ren)]).toEqual([nothing, nothing])
})

it('holds anew for another purchase that counts when the first is given back', async () => {
  const { shop, mia } = await shopWith(open)
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  const first = await buy(shop, aki, 3000)
  await shop.clock('2026-04-10T00:00:00Z')
  await buy(shop, aki, 4000)
  await shop.do('refundPurchase', { orderId: first })
  await shop.clock('2026-04-23T23:59:59Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'HELD', referrer: 0 })
  await shop.clock('2026-04-24T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
})

it('keeps what was paid when the time to give back is over', async () => {
  const { shop, mia } = await shopWith(open)
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  const orderId = await buy(shop, aki, 3000)
  await shop.clock('2026-04-15T00:00:00Z')
  await shop.do('refundPurchase', { orderId })
  await shop.clock('2026-04-16T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
})

it('puts before somebody what it cannot give to both, and gives it to neither', async () => {
  const benefits = { referrer: program.benefits.referrer, friend: { entitlement: { key: 'lounge' } } }
  const { shop, mia } = await shopWith(open)
  await shop.do('defineEntitlement', { key: 'lounge', entitlement: { name: program.name, kind: 'SEAT' } })
  await shop.do('defineReferralProgram', { key: 'friends', program: { ...program, benefits } })
  const closed = `create function lounge_closed() returns trigger language plpgsql as $$ begin raise 'closed'; end $$;
    create trigger lounge_closed before insert on benefit_grant for each row when (new.entitlement_key = 'lounge')
    execute function lounge_closed()`
  await onServer(shop.ground.databaseUrl, (client) => client.query(closed))
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  await buy(shop, aki, 3000)
  await shop.clock('2026-04-15T00:00:00Z')
  expect(await standing(shop, aki)).toEqual({ state: 'REVIEW', referrer: 0, friend: 0, differences: [] })
})

it('takes back from both sides what was paid without a hold', async () => {
  const { shop, mia } = await shopWith(open, { hold: null })
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  const orderId = await buy(shop, aki, 3000)
  expect(await standing(shop, aki)).toMatchObject({ state: 'QUALIFIED' })
  await shop.clock('2026-04-01T00:00:01Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
  await shop.do('refundPurchase', { orderId })
  await shop.clock('2026-04-01T00:00:02Z')
  expect(await standing(shop, aki)).toEqual({ state: 'REVERSED', referrer: 0, friend: 0, differences: [] })
})

it('counts the purchase that makes the number full, of those that stand', async () => {
  const { shop, mia } = await shopWith(open, { qualifying: { nthPurchase: 2 }, hold: 'P1D' })
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  const first = await buy(shop, aki, 10)
  await shop.do('refundPurchase', { orderId: first })
  await buy(shop, aki, 10)
  expect(await standing(shop, aki)).toMatchObject({ state: 'CLAIMED' })
  await buy(shop, aki, 10)
  await shop.clock('2026-04-02T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500 })
})

it('counts what the friend does, where that is what counts', async () => {
  const { shop, mia } = await shopWith(open, { qualifying: { activity: 'lesson.finished' }, hold: null })
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  await buy(shop, aki, 9000)
  for (const name of ['lesson.begun', 'lesson.finished']) {
    expect(await standing(shop, aki)).toMatchObject({ state: 'CLAIMED' })
    await shop.do('recordActivity', { member: aki.by, name, key: name })
  }
  await shop.clock('2026-04-01T00:00:01Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
})

test.each([
  ['NOT_NEW', 'who has bought', async ({ shop, aki }) => void (await buy(shop, aki, 1))],
  ['NOT_NEW', 'after 30 days', ({ shop }) => shop.clock('2026-05-01T00:00:00Z')],
  [
    'CLOSED',
    'of a referrer who has left',
    ({ shop, mia }) => shop.do('endMembership', { member: mia.by, end: 'LEFT' }),
  ],
] as readonly [string, string, (of: { shop: Shop; aki: TestMember; mia: TestMember }) => Promise<unknown>][])(
  'refuses with %s a friend %s',
  async (reason, _, before) => {
    const { shop, mia } = await shopWith(open)
    const [aki, code] = [await shop.member('aki'), await codeOf(shop, mia)]
    await before({ shop, aki, mia })
    const refused = await shop.do('claimReferral', { member: aki.by, code })
    expect(refused).toMatchObject({ code: 'REFERRAL_REFUSED', reason })
    expect(await standing(shop, aki)).toMatchObject({ referrer: 0 })
  },
)

it('takes one referrer for a friend, never itself and never somebody who came later', async () => {
  const { shop, mia } = await shopWith(open)
  const [aki, ren] = [await shop.member('aki'), await shop.member('ren')]
  expect(await claim(shop, mia, mia)).toMatchObject({ reason: 'SELF' })
  expect(await claim(shop, mia, aki)).toMatchObject({ reason: 'KNOWN_BEFORE' })
  expect((await claim(shop, ren, aki)).referral.state).toBe('CLAIMED')
  expect(await claim(shop, ren, mia)).toMatchObject({ reason: 'ALREADY_REFERRED' })
  const ring = `insert into referral (tenant_id, id, key, version, referrer_id, friend_id, state, claimed_at, actor)
    select r.tenant_id, uuid_v7(), r.key, r.version, r.friend_id, r.referrer_id, 'CLAIMED', r.claimed_at, 'x' from referral r`
  const owner = onServer(shop.ground.databaseUrl, (client) => client.query(ring))
  await expect(owner).rejects.toThrow('referral_no_ring')
})

it('reads a code however it is typed, and knows no other', async () => {
  const { shop, mia } = await shopWith(open)
  const code = await codeOf(shop, mia)
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
  const aki = await shop.member('aki')
  expect(await shop.do('claimReferral', { code: 'AAAA-AAAA-AAAA' }, { as: aki.token })).toMatchObject({
    what: 'referral code',
  })
  expect(
    await shop.do('claimReferral', { code: typed }, { as: aki.token, select: 'referral { state }' }),
  ).toMatchObject({
    referral: { state: 'CLAIMED' },
  })
})

it('bounds how fast a code is claimed, and how many friends count', async () => {
  const limits = { velocity: { claims: 2, within: 'P7D' }, perReferrer: { limit: 3, period: 'MONTH' } }
  const { shop, mia } = await shopWith(open, { limits })
  const said: string[] = []
  for (const [i, day] of ['01', '02', '03', '08', '20', '21'].entries()) {
    await shop.clock(`2026-04-${day}T12:00:00Z`)
    const answer = await claim(shop, await shop.member(`friend ${i}`), mia)
    said.push(answer.reason ?? answer.referral.state)
  }
  expect(said).toEqual(['CLAIMED', 'CLAIMED', 'TOO_MANY_CLAIMS', 'CLAIMED', 'LIMIT_REACHED', 'LIMIT_REACHED'])
})

it('decides of an import by the instants in it', async () => {
  const { shop, mia } = await shopWith(open)
  const friends = [await shop.member('aki'), await shop.member('ren')]
  for (const friend of friends) await claim(shop, friend, mia)
  await shop.clock('2026-04-20T00:00:00Z')
  const row = (external_id: string, purchased_at: string, line: number) => ({
    line,
    external_id,
    order_id: `o${line}`,
    purchased_at,
    is_local: false,
    currency: 'JPY',
    total: 3000,
    lines: [],
  })
  const rows = [
    row('aki', '2026-04-02T00:00:00Z', 1),
    row('ren', '2026-03-31T00:00:00Z', 2),
    row('ren', '2026-04-02T00:00:00Z', 3),
  ]
  const text = 'select purchase_import($1, $2)'
  await shop.ground.app.db
    .tenant(shop.tenant.id)
    .query({ text, values: [JSON.stringify(rows), 'staff:anna'] })
  await shop.clock('2026-04-20T00:00:01Z')
  const [aki, ren] = await Promise.all(friends.map((friend) => standing(shop, friend)))
  expect(aki).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
  expect(ren).toMatchObject({ state: 'REJECTED', friend: 0 })
})

it('keeps a claim by the terms that it was made under', async () => {
  const { shop, mia } = await shopWith(open)
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  await shop.do('defineReferralProgram', {
    key: 'friends',
    program: { ...program, hold: 'P1D', benefits: { friend: { points: { amount: '1' } } } },
  })
  await shop.do('retireReferralProgram', { key: 'friends' })
  await buy(shop, aki, 3000)
  await shop.clock('2026-04-15T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
  expect(await claim(shop, await shop.member('ren'), mia)).toMatchObject({ what: 'referral program' })
})

it('tells each side the other’s name alone, and staff what came of it', async () => {
  const { shop, mia } = await shopWith(open)
  const [aki, ren] = [await shop.member('aki', { displayName: 'Aki' }), await shop.member('ren')]
  for (const friend of [aki, ren]) await claim(shop, friend, mia)
  const orderId = await buy(shop, aki, 5000)
  await buy(shop, ren, 1000)
  await shop.do('refundPurchase', { orderId, amount: 500 })
  const query = `{ viewer { member { referrer { friendName } referrals { nodes { friendName state } }
    promoter { isPromoter realReferrals revenue { currency amount } } } } }`
  const { data, statements } = await shop.ask(mia.token, query)
  expect(data.viewer.member).toEqual({
    referrer: null,
    referrals: {
      nodes: [
        { friendName: 'ren', state: 'CLAIMED' },
        { friendName: 'Aki', state: 'HELD' },
      ],
    },
    promoter: { isPromoter: true, realReferrals: 1, revenue: [{ currency: 'JPY', amount: '5500' }] },
  })
  expect(statements).toHaveLength(3) // who asks, the member, what it brought
  const mine = '{ viewer { member { referrer { referrerName state } promoter { isPromoter } } } }'
  expect((await shop.ask(aki.token, mine)).data.viewer.member).toEqual({
    referrer: { referrerName: 'mia', state: 'HELD' },
    promoter: { isPromoter: false },
  })
  for (const field of ['referrer { email }', 'friend { email }', 'suspicions', 'history { actor }']) {
    const { data, errors } = await shop.ask(
      mia.token,
      `{ viewer { member { referrals { nodes { ${field} } } } } }`,
    )
    expect([JSON.stringify(data).includes('@'), errors[0]?.code]).toEqual([false, 'FORBIDDEN'])
  }
})

test.each([
  [{ benefits: {} }, 'input.program.benefits'],
  [{ qualifying: {} }, 'input.program.qualifying'],
  [{ qualifying: { nthPurchase: 1, activity: 'x' } }, 'input.program.qualifying'],
  [{ limits: { velocity: { claims: 0, within: 'P1D' } } }, 'input.program.limits.velocity.claims'],
  [{ benefits: { friend: { points: { amount: 0 } } } }, 'input.program.benefits.friend.points.amount'],
])('refuses a program with %j', async (wrong, field) => {
  const shop = await open()
  const defined = await shop.do('defineReferralProgram', {
    key: 'friends',
    program: { ...program, ...wrong },
  })
  expect(defined).toMatchObject({ code: 'BAD_INPUT', field })
})
