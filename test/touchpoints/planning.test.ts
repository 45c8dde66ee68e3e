import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openShop } from './shop.ts'

const database = testDatabase()

test('twenty planners of one occurrence leave one row and one event', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  const ids = await Promise.all(Array.from({ length: 20 }, () => shop.plan(member, { order: 'A-1' })))
  expect(new Set(ids).size).toBe(1)
  expect(await shop.announced('touchpoint.planned', ids[0] ?? '')).toBe(1)
  const { rows } = await shop.everything.query('select count(*)::int from touchpoint where member_id = $1', [
    member,
  ])
  expect(rows).toEqual([{ count: 1 }])
})

test('a touch keeps the order of its channels and what was wished of it, and starts with the first', async () => {
  const shop = await openShop(database.url)
  const intent = { at: '08:00', weekday: 'MON' }
  const options = { priority: 70, expires_at: '2026-05-01T00:00:00Z', intent, wish: 'preferDuplicate' }
  const touchpoint = await shop.plan(await shop.member(), { channels: ['line', 'email'], options })
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    channels: ['line', 'email'],
    channel: 'line',
    priority: 70,
    expires_at: new Date('2026-05-01T00:00:00Z'),
    intent,
    wish: 'preferDuplicate',
  })
})

test('another order is another touch', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  expect(await shop.plan(member, { order: 'A-1' })).not.toBe(await shop.plan(member, { order: 'A-2' }))
})

test('a purchase plans the thank-you of the tenant, due at once and dated by the purchase', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const member = await shop.member()
  await shop.everything.query(
    `begin; select set_config('app.tenant', '${shop.tenant.tenantId}', true);
     select after_purchase_plan('${member}', '${member}', 'A-7', tenant_now(current_tenant())); commit`,
  )
  const { rows } = await shop.everything.query(
    'select channel, purpose, state, planned_at, due_at, source_type, content from touchpoint where member_id = $1',
    [member],
  )
  expect(rows).toEqual([
    {
      channel: 'inbox',
      purpose: 'thank-you',
      state: 'PLANNED',
      planned_at: new Date('2026-04-01T00:00:00Z'),
      due_at: new Date('2026-04-01T00:00:00Z'),
      source_type: 'purchase',
      content: { template: 'thank-you', version: 1, parameters: { order: 'A-7' } },
    },
  ])
})

test('another tenant cannot claim the touch', async () => {
  const [shop, other] = [await openShop(database.url), await openShop(database.url)]
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  const claim = await other.tenant.query({
    text: `select touchpoint_claim($1, 'inbox', 'inbox', true, '{}', interval '1 minute') as outcome`,
    values: [touchpoint],
  })
  expect(claim).toEqual([{ outcome: { is: 'not_found', what: 'Touchpoint' } }])
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'PLANNED' })
})
