import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { makeSpace } from '../support/house.ts'

const open = testApp({ role: 'web' })
let shop: Shop

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  await makeSpace(shop, 'open')
  await makeSpace(shop, 'vip', { see: { attribute: { name: 'vip', equals: true } } })
  await makeSpace(shop, 'buyers', { see: { stage: ['customer', 'repeat'] } })
  const { by: member } = await shop.member('mia', { attributes: { vip: true } })
  await shop.do('grantPoints', { member, points: 10, reason: 'Hello', expiresAt: '2026-05-01T00:00:00Z' })
})

const seen = async (args: string, token = shop.staff) => {
  const query = `query @viewAs${args} { viewer { kind member { externalId wallet { available } } } spaces { nodes { key } } }`
  const { data, errors } = await shop.ask(token, query)
  if (errors.length > 0) return [errors[0]?.code, errors[0]?.field]
  return data.spaces.nodes.map(({ key }: { key: string }) => key)
}

test.each([
  ['', ['open']],
  ['(member: "mia")', ['open', 'vip']],
  ['(attributes: { vip: true })', ['open', 'vip']],
  ['(member: "mia", attributes: { vip: null })', ['open']],
  ['(stage: "repeat")', ['open', 'buyers']],
  ['(member: "mia", stage: "customer")', ['open', 'vip', 'buyers']],
])('as %s one sees %j', async (args, keys) => {
  expect(await seen(args)).toEqual(keys)
})

test('at another time, the member’s own things are as they will be', async () => {
  const query = `query ($at: DateTime) @viewAs(member: "mia", at: $at) {
    viewer { kind tenant { now } member { externalId wallet { available } } } }`
  const ask = async (at: string) => (await shop.ask(shop.staff, query, { at })).data.viewer
  expect(await ask('2026-04-30T23:59:59Z')).toMatchObject({
    kind: 'MEMBER',
    tenant: { now: '2026-04-30T23:59:59.000Z' },
    member: { externalId: 'mia', wallet: { available: '10' } },
  })
  expect((await ask('2026-05-01T00:00:00Z')).member.wallet.available).toBe('0')
})

test.each([
  ['(member: "nobody")', ['BAD_INPUT', '@viewAs']],
  ['(stage: "nowhere")', ['BAD_INPUT', '@viewAs']],
  ['(attributes: [1])', ['BAD_INPUT', '@viewAs']],
])('%s is bad input', async (args, answer) => {
  expect(await seen(args)).toEqual(answer)
})

test('nothing of it stays, and it is for staff who may read both', async () => {
  const before = await fingerprint(shop.ground.databaseUrl)
  expect(await seen('(stage: "repeat", at: "2030-01-01T00:00:00Z")')).toEqual(['open', 'buyers'])
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  for (const token of [
    await shop.token('staff', 'anna', 'members:read'),
    await shop.token('staff', 'anna', 'community:read'),
    shop.integration,
    await shop.token('member', 'mia'),
  ])
    expect(await seen('', token)).toEqual(['FORBIDDEN', undefined])
  expect(await seen('', '')).toEqual(['UNAUTHENTICATED', undefined])
})
