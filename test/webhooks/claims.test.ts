// One worker at a time has an endpoint, and only the newest claim counts.
import { expect, test } from 'vitest'
import {
  type Claim,
  claimDue,
  type Done,
  settle,
  type Taken,
  take,
} from '../../api/domains/webhooks/queue.store.ts'
import { retryWaits, waitBefore } from '../../api/domains/webhooks/schedule.ts'
import { type Shop, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const open = testApp({ role: 'web' })
const facts = { 'member.registered': 'members:read' }

/** A shop with an endpoint and so many events for it. */
async function prepared(events: number) {
  const shop = await open()
  const { endpoint } = await shop.do('addWebhookEndpoint', { url: 'https://hooks.example.com/' })
  for (let i = 0; i < events; i++) await shop.member(`m${i}`)
  const { system } = shop.ground.app.db
  await until(async () => (await system.query('select from outbox limit 1')).rowCount === 0)
  return { shop, endpoint: endpoint.id as string, tx: shop.ground.app.db.tenant(shop.tenant.id) }
}

/** What a look claims of the shop's; other tests leave endpoints that are due. */
async function claimed({ ground, tenant }: Shop): Promise<Claim[]> {
  const claims = await claimDue(ground.app.db.system, [tenant.id], { limit: 64, leaseMs: 30_000 })
  return claims.filter((claim) => claim.tenant === tenant.id)
}

async function taken(shop: Shop, claim: Claim | undefined, limit = 100): Promise<Taken> {
  if (!claim) return expect.fail('nothing was claimed')
  const result = await take(shop.ground.app.db.tenant(shop.tenant.id), claim, {
    facts,
    limit,
    leaseMs: 30_000,
  })
  return result.is === 'taken' ? result : expect.fail(result.is)
}

const done = ({ version, rewinds }: Taken, more: Partial<Done>): Done => ({
  ...{ version, rewinds, pos: null, replayed: [], isSuccess: true, failure: null, isOver: false },
  ...more,
})

const lapse = ({ ground, tenant }: Shop) =>
  onServer(ground.databaseUrl, (client) =>
    client.query(`update webhook_endpoint set due_at = now() - interval '1 s' where tenant_id = $1`, [
      tenant.id,
    ]),
  )

test('of twenty who look at once, one has it', async () => {
  const { shop } = await prepared(1)
  const claims = (await Promise.all(Array.from({ length: 20 }, () => claimed(shop)))).flat()
  expect(claims).toEqual([{ tenant: shop.tenant.id, endpoint: expect.any(String), fence: '1' }])
})

test('a claim that has lapsed is somebody else’s, and what its worker books is refused', async () => {
  const { shop, tx } = await prepared(3)
  const [late] = await claimed(shop)
  const items = await taken(shop, late)
  await lapse(shop)
  const [early] = await claimed(shop)
  if (!late || !early) return expect.fail('nothing was claimed')
  const booked = (claim: Claim) =>
    settle(tx, claim, { done: done(items, { pos: items.until }), leaseMs: 30_000 }).then(({ is }) => is)
  expect([await booked(late), await booked(early)]).toEqual(['stale', 'done'])
  expect(await take(tx, late, { facts, limit: 1, leaseMs: 30_000 })).toEqual({ is: 'stale' })
})

test('what was taken before a rewind is not booked, what was taken before another change is', async () => {
  const { shop, tx, endpoint } = await prepared(3)
  const pos = async () =>
    (
      await tx.query<{ pos: bigint }>({ text: 'select pos from webhook_endpoint e where own(e)', values: [] })
    )[0]?.pos
  const start = await pos()
  const [claim] = await claimed(shop)
  const first = await taken(shop, claim, 1)
  if (!claim) return
  await shop.do('updateWebhookEndpoint', { endpoint, description: 'Orders' })
  const progress = { done: done(first, { pos: first.until }), leaseMs: 30_000 }
  expect(await settle(tx, claim, progress)).toEqual({ is: 'changed' })
  expect(await pos()).toBe((start ?? 0n) + 1n)
  const [again] = await claimed(shop)
  const second = await taken(shop, again, 1)
  await shop.do('replayWebhookEvents', { endpoint, since: '2026-01-01T00:00:00Z' })
  if (!again) return
  const booked = await settle(tx, again, { done: done(second, { pos: second.until }), leaseMs: 30_000 })
  expect([booked, await pos()]).toEqual([{ is: 'changed' }, 0n])
})

test('a turn that ends before its first try leaves the count of tries as it was', async () => {
  const { shop, tx } = await prepared(1)
  const fail = async (claim: Claim, items: Taken) => {
    const [item] = items.items
    if (!item) return
    const fault = { fault: 'STATUS', status: 500 } as const
    const failure = { item, fault, attempt: items.attempt + 1, follows: 'RETRY', waitMs: 0 } as const
    await settle(tx, claim, { done: done(items, { isSuccess: false, failure }), leaseMs: 30_000 })
  }
  const attempts: number[] = []
  for (const tries of [true, true, false, true, true]) {
    const [claim] = await claimed(shop)
    const items = await taken(shop, claim)
    attempts.push(items.attempt)
    if (!claim) continue
    if (tries) await fail(claim, items)
    else await settle(tx, claim, { done: done(items, { isSuccess: false, isOver: true }), leaseMs: 30_000 })
  }
  expect(attempts).toEqual([0, 1, 2, 2, 3])
})

test('an idle endpoint is not due until its log grows, and then for whoever hears of it or looks at all', async () => {
  const { shop, tx } = await prepared(1)
  const { system } = shop.ground.app.db
  const [claim] = await claimed(shop)
  if (!claim) return expect.fail('nothing was claimed')
  const items = await taken(shop, claim)
  await settle(tx, claim, { done: done(items, { pos: items.until }), leaseMs: 30_000 })
  expect(await take(tx, claim, { facts, limit: 1, leaseMs: 30_000 })).toEqual({ is: 'idle' })
  const options = { limit: 64, leaseMs: 0 }
  const mine = async (tenants: readonly string[] | null) =>
    (await claimDue(system, tenants, options)).filter(({ tenant }) => tenant === shop.tenant.id).length
  expect([await mine([shop.tenant.id]), await mine(null)]).toEqual([0, 0])
  await shop.member('more')
  await until(async () => (await system.query('select from outbox limit 1')).rowCount === 0)
  expect([await mine([]), await mine(null)]).toEqual([0, 1])
})

test('the tries are 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h apart, a tenth more at most', () => {
  const hour = 3_600_000
  expect(retryWaits).toEqual([
    ...[0, 5_000, 300_000, 1_800_000],
    ...[2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
  ])
  expect(waitBefore(1_000, { chance: 0, asked: undefined })).toBe(1_000)
  expect(waitBefore(1_000, { chance: 1, asked: undefined })).toBe(1_100)
  expect(waitBefore(1_000, { chance: 0, asked: 9_000 })).toBe(9_000)
  expect(waitBefore(1_000, { chance: 0, asked: 99 * 24 * hour })).toBe(24 * hour)
})
