import { expect, test } from 'vitest'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, type Shop, scripted } from './shop.ts'

const database = testDatabase()
const NOON = new Date('2026-04-01T03:00:00Z') // in Tokyo

/** A shop with a policy and a channel that takes everything. */
async function openPolicy(policy: object) {
  const shop = await openShop(database.url, { clockAt: NOON })
  const channel = scripted({ mode: 'none' }, [{ is: 'accepted', at: NOON }])
  const ports = { channels: await channelsOf(channel.plugins), clock: processClock }
  await shop.tenant.query({
    text: `select contact_policy_save($1, 'test')`,
    values: [JSON.stringify(policy)],
  })
  return {
    shop,
    channel,
    /** Plans something that is advertised. */
    offer: (member: string, options: object = {}, more: object = {}) =>
      shop.plan(member, { channel: 'scripted', purpose: 'offers', options, ...more }),
    deliver: (touchpoint: string) => deliver(shop.tenant, touchpoint, ports),
    to: (at: string) =>
      shop.everything.query('update tenant set clock_at = $2 where id = $1', [shop.tenant.tenantId, at]),
  }
}

const states = async (shop: Shop, touches: readonly string[]) =>
  (await Promise.all(touches.map((id) => shop.touchpoint(id)))).map(({ state }) => state).sort()

test('of twenty that are claimed at once exactly as many go out as the cap allows, and none is lost', async () => {
  const {
    shop,
    channel,
    offer,
    deliver: send,
    to,
  } = await openPolicy({
    caps: [{ class: 'MARKETING', channel: 'scripted', most: 3, within: 'P7D' }],
  })
  const member = await shop.member()
  const touches = await Promise.all(Array.from({ length: 20 }, () => offer(member)))
  await Promise.all(touches.map(send))
  expect(channel.sent).toHaveLength(3)
  expect(await states(shop, touches)).toEqual([...Array(3).fill('ACCEPTED'), ...Array(17).fill('PLANNED')])
  const waits = touches.map(
    async (id) => [await shop.decisions(id), (await shop.touchpoint(id)).due_at] as const,
  )
  const kept = (await Promise.all(waits)).filter(([decisions]) => decisions.length > 0)
  expect(kept).toHaveLength(17)
  expect(new Set(kept.map(([decisions]) => decisions.join()))).toEqual(
    new Set(['scripted DEFERRED FREQUENCY_CAP 1']),
  )
  expect(new Set(kept.map(([, due]) => Number(due)))).toEqual(new Set([Date.parse('2026-04-08T03:00:00Z')]))
  await to('2026-04-08T03:00:00Z')
  await Promise.all(touches.map(send))
  expect(channel.sent).toHaveLength(6)
})

test('the important one goes out first although it is tried last, and the other follows when there is room', async () => {
  const {
    shop,
    channel,
    offer,
    deliver: send,
    to,
  } = await openPolicy({
    caps: [{ class: 'MARKETING', channel: null, most: 1, within: 'P1D' }],
  })
  const member = await shop.member()
  const [low, high] = [await offer(member, { priority: 10 }), await offer(member, { priority: 90 })]
  expect([await send(low), await send(high)]).toEqual(['put_off', 'settled'])
  expect([await shop.decisions(low), channel.sent.length]).toEqual([['scripted DEFERRED OUTRANKED 1'], 1])
  await to('2026-04-01T03:05:00Z')
  expect(await send(low)).toBe('put_off')
  await to('2026-04-02T03:00:00Z')
  expect(await send(low)).toBe('settled')
  expect(await shop.decisions(low)).toEqual([
    'scripted DEFERRED OUTRANKED 1',
    'scripted DEFERRED FREQUENCY_CAP 1',
  ])
})

test('who moves while a message waits for quiet hours to end is asked anew, and gets it when it is day there', async () => {
  const {
    shop,
    offer,
    deliver: send,
  } = await openPolicy({
    quietHours: { periods: [{ from: '09:00', to: '18:00' }] },
  })
  const member = await shop.member()
  const touch = await offer(member)
  expect(await send(touch)).toBe('put_off')
  expect((await shop.touchpoint(touch)).due_at).toEqual(new Date('2026-04-01T09:00:00Z'))
  const move = (zone: string) =>
    shop.tenant.query({
      text: `select member_update($1, null, $2)`,
      values: [member, JSON.stringify({ time_zone: zone })],
    })
  await move('Asia/Bangkok')
  expect((await shop.touchpoint(touch)).due_at).toEqual(NOON)
  expect(await send(touch)).toBe('put_off')
  expect((await shop.touchpoint(touch)).due_at).toEqual(new Date('2026-04-01T11:00:00Z'))
  await move('Europe/Berlin')
  expect(await send(touch)).toBe('settled')
})

test('moving changes nothing of what waits for another reason', async () => {
  const {
    shop,
    offer,
    deliver: send,
  } = await openPolicy({
    caps: [{ class: 'MARKETING', channel: null, most: 1, within: 'P1D' }],
  })
  const member = await shop.member()
  const touches = [await offer(member), await offer(member, { intent: { time: '12:00' } })] as const
  for (const touch of touches) await send(touch)
  const text = `select member_update($1, null, '{"time_zone": "Europe/Berlin"}')`
  await shop.tenant.query({ text, values: [member] })
  expect((await shop.touchpoint(touches[1])).due_at).toEqual(new Date('2026-04-02T03:00:00Z'))
})

test("a member's own quiet hours come before the policy's, and hold without any", async () => {
  const {
    shop,
    offer,
    deliver: send,
  } = await openPolicy({ quietHours: { periods: [{ from: '11:00', to: '13:00' }] } })
  const [early, none] = [await shop.member(), await shop.member()]
  const text = 'insert into preference (tenant_id, member_id, quiet_from, quiet_to) values ($1, $2, $3, $4)'
  await shop.everything.query(text, [shop.tenant.tenantId, early, '20:00', '06:00'])
  expect([await send(await offer(early)), await send(await offer(none))]).toEqual(['settled', 'put_off'])
  await shop.tenant.query({ text: `select contact_policy_save('{}', 'test')`, values: [] })
  await shop.everything.query(
    `update preference set quiet_from = '12:00', quiet_to = '12:30' where member_id = $1`,
    [early],
  )
  expect([await send(await offer(early)), await send(await offer(none))]).toEqual(['put_off', 'settled'])
})

test('a channel that a member wants no more of is left for the next one', async () => {
  const { shop, offer, deliver: send } = await openPolicy({})
  const member = await shop.member()
  const text = `select suppress_identity('inbox', null, 'MEMBER_CHANNEL', $1, 'scripted', 'UNSUBSCRIBED', null, now(), '{}')`
  await shop.tenant.query({ text, values: [member] })
  const touch = await offer(member)
  expect(await send(touch)).toBe('settled')
  expect(await shop.decisions(touch)).toEqual(['scripted NOT_SENT SUPPRESSED 1'])
})
