import { expect, it, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { buy, claim, codeOf, REFERRAL, shopWith, standing } from './shop.ts'

const open = testApp({ role: 'web' })
const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)))

test.each([
  ['REJECTED', 'paymentFingerprint', 'SAME_PAYMENT'],
  ['REJECTED', 'device', 'SAME_DEVICE'],
  ['REJECTED', 'cookie', 'SAME_COOKIE'],
  ['REVIEW', 'ip', 'SAME_IP'],
  ['REVIEW', 'address', 'SAME_ADDRESS'],
])('a claim is put to %s for the %s of its referrer', async (state, signal, suspicion) => {
  const { shop, mia } = await shopWith(open)
  await shop.do('noteReferralSignals', { member: mia.by, signals: { [signal]: 'Kyoto  1-2' } })
  const aki = await shop.member('aki')
  const { referral } = await claim(shop, aki, mia, { signals: { [signal]: 'kyoto 1-2 ' } })
  expect(referral).toMatchObject({ state, suspicions: [suspicion] })
  await buy(shop, aki, 3000)
  await shop.clock('2026-05-01T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state, referrer: 0, friend: 0 })
})

it('knows a mailbox by any of its spellings', async () => {
  const { shop, mia } = await shopWith(open)
  const alias = await shop.member('alias', { email: 'M.i.a+2@Example.com' })
  expect((await claim(shop, alias, mia)).referral).toMatchObject({
    state: 'REJECTED',
    suspicions: ['SAME_EMAIL'],
  })
})

it('lets somebody decide of what looks like a family', async () => {
  const { shop, mia } = await shopWith(open)
  await shop.do('noteReferralSignals', { member: mia.by, signals: { ip: '192.0.2.1' } })
  const [aki, ren] = [await shop.member('aki'), await shop.member('ren')]
  const claims = [aki, ren].map((friend) => claim(shop, friend, mia, { signals: { ip: '192.0.2.1' } }))
  const [first, second] = (await Promise.all(claims)).map(({ referral }) => referral.id)
  await buy(shop, aki, 3000)
  const approved = await shop.do(
    'approveReferral',
    { referral: first, reason: 'Her sister' },
    { select: REFERRAL },
  )
  expect(approved.referral).toMatchObject({ state: 'HELD', paysAt: '2026-04-15T00:00:00.000Z' })
  await shop.do('rejectReferral', { referral: second })
  expect(await shop.do('approveReferral', { referral: second })).toMatchObject({
    code: 'REFERRAL_CLOSED',
    state: 'REJECTED',
  })
  await shop.do('noteReferralSignals', { member: aki.by, signals: { ip: '192.0.2.1' } })
  await shop.clock('2026-04-15T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'PAID', referrer: 500, friend: 200 })
})

it('looks again at what is not paid when the friend pays as the referrer does', async () => {
  const { shop, mia } = await shopWith(open)
  const aki = await shop.member('aki')
  await claim(shop, aki, mia)
  await buy(shop, aki, 3000)
  const signals = { paymentFingerprint: 'card 1' }
  for (const { by: member } of [aki, mia]) await shop.do('noteReferralSignals', { member, signals })
  await shop.clock('2026-05-01T00:00:00Z')
  expect(await standing(shop, aki)).toMatchObject({ state: 'REJECTED', referrer: 0, friend: 0 })
})

it('gives a ring of accounts nothing', async () => {
  const { shop, mia } = await shopWith(open)
  const ring = [mia]
  for (let i = 0; i < 5; i++) ring.push(await shop.member(`ring ${i}`, { email: `mia+${i}@example.com` }))
  for (const referrer of ring)
    for (const friend of ring) await claim(shop, friend, referrer, { signals: { device: 'one' } })
  for (const member of ring) await buy(shop, member, 3000)
  await shop.clock('2026-06-01T00:00:00Z')
  for (const member of ring) expect(await standing(shop, member)).toMatchObject({ referrer: 0, friend: 0 })
})

it('keeps digests alone, and for 90 days', async () => {
  const { shop, mia } = await shopWith(open)
  const other = await open()
  const [theirs, seen] = [await other.member('mia'), { ip: '192.0.2.7', address: 'Kyoto' }]
  await shop.do('noteReferralSignals', { member: mia.by, signals: seen })
  await other.do('noteReferralSignals', { member: theirs.by, signals: seen })
  const rows = () =>
    onServer(shop.ground.databaseUrl, async (client) => {
      const text = 'select s::text as row, hash, tenant_id from referral_signal s where tenant_id = any($1)'
      const { rows } = await client.query(text, [[shop.tenant.id, other.tenant.id]])
      return rows
    })
  const kept = await rows()
  expect(kept).toHaveLength(4)
  expect(kept.filter(({ row }) => row.includes('192.0.2.7') || row.includes('yoto'))).toEqual([])
  expect(new Set(kept.map(({ hash }) => hash.toString('hex'))).size).toBe(4) // another tenant's are others
  await shop.clock('2026-06-30T00:00:00Z')
  expect((await rows()).filter(({ tenant_id }) => tenant_id === shop.tenant.id)).toEqual([])
})

it('ties a friend to one referrer, whoever claims it at once', async () => {
  const { shop, mia } = await shopWith(open)
  const others = [mia, await shop.member('ren')]
  const aki = await shop.member('aki')
  const codes = await Promise.all(others.map((member) => codeOf(shop, member)))
  const answers = await times(20, (i) => shop.do('claimReferral', { code: codes[i % 2] }, { as: aki.token }))
  expect(answers.filter(({ __typename }) => __typename === 'ClaimReferralPayload')).toHaveLength(1)
  expect(answers.filter(({ reason }) => reason === 'ALREADY_REFERRED')).toHaveLength(19)
})

it('pays once, and both sides, however many clocks settle at once', async () => {
  const { shop, mia } = await shopWith(open)
  const friends = await times(5, (i) => shop.member(`friend ${i}`))
  for (const friend of friends) {
    await claim(shop, friend, mia)
    await buy(shop, friend, 3000)
  }
  const { app } = shop.ground
  await app.db.system.query("update tenant set clock_at = '2026-04-15T00:00:00Z' where id = $1", [
    shop.tenant.id,
  ])
  const settle = { text: 'select referrals_settle_due(3)', values: [] }
  await times(20, () => app.db.tenant(shop.tenant.id).query(settle))
  for (const friend of friends) {
    expect(await standing(shop, friend)).toEqual({
      state: 'PAID',
      referrer: 2500,
      friend: 200,
      differences: [],
    })
  }
})
