import { type Capabilities, type Outcome, seconds } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, type Shop, scripted } from './shop.ts'

const database = testDatabase()
const start = new Date('2026-04-01T00:00:00Z')
const accepted: Outcome = { is: 'accepted', at: start, providerId: 'p-1' }
const unknown: Outcome = { is: 'unknown', evidence: 'timeout' }
const native: Capabilities['idempotency'] = {
  mode: 'native',
  header: 'key',
  format: 'uuid',
  ttl: seconds(3600),
}
const lookup: Capabilities['idempotency'] = { mode: 'lookup', window: seconds(3600) }

/** A touch on a test clock through a scripted channel; `run` moves the clock to when it is due, and delivers. */
async function scene(script: Parameters<typeof scripted>, options: { wish?: string } = {}) {
  const shop = await openShop(database.url, { clockAt: start })
  const { sent, plugins } = scripted(...script)
  const touchpoint = await shop.plan(await shop.member(), { channel: 'scripted', options })
  const ports = { channels: await channelsOf(plugins), clock: processClock }
  return {
    shop,
    sent,
    touchpoint,
    run: () => advance(shop, touchpoint).then(() => deliver(shop.tenant, touchpoint, ports)),
  }
}

async function advance(shop: Shop, touchpoint: string): Promise<void> {
  await shop.everything.query(
    `update tenant t set clock_at = greatest(t.clock_at, p.due_at) from touchpoint p where t.id = p.tenant_id and p.id = $1`,
    [touchpoint],
  )
}

test('accepted settles with the provider’s id', async () => {
  const { shop, touchpoint, run } = await scene([{ mode: 'none' }, [accepted]])
  expect(await run()).toBe('settled')
  expect(await shop.delivery(touchpoint)).toMatchObject({
    state: 'ACCEPTED',
    provider_id: 'p-1',
    doubt: null,
  })
})

test('refused for never is refused', async () => {
  const fault = { cause: 'recipient', disposition: { do: 'never' } } as const
  const { shop, sent, touchpoint, run } = await scene([native, [{ is: 'refused', fault }]])
  expect(await run()).toBe('settled')
  expect(await run()).toBe('settled')
  expect(sent).toHaveLength(1)
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'REFUSED' })
  expect(await shop.delivery(touchpoint)).toMatchObject({ outcome: { is: 'refused', fault } })
})

test('refused for later comes back not before the instant it was given, with the same key', async () => {
  const notBefore = new Date('2026-04-01T01:00:00Z')
  const fault = { cause: 'rate', disposition: { do: 'later', notBefore } } as const
  const { shop, sent, touchpoint, run } = await scene([
    { mode: 'none' },
    [{ is: 'refused', fault }, accepted],
  ])
  expect(await run()).toBe('put_off')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'PLANNED', due_at: notBefore })
  expect(await run()).toBe('settled')
  expect(sent.map((ctx) => [ctx.attempt, ctx.key === sent[0]?.key])).toEqual([
    [1, true],
    [2, true],
  ])
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'ACCEPTED', doubt: null })
})

test('refused for later is refused after eight attempts', async () => {
  const fault = { cause: 'provider', disposition: { do: 'later' } } as const
  const { shop, sent, touchpoint, run } = await scene([{ mode: 'none' }, [{ is: 'refused', fault }]])
  while ((await run()) === 'put_off');
  expect(sent).toHaveLength(8)
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'REFUSED' })
})

test('unknown is sent again with the same key where the provider knows the key', async () => {
  const { shop, sent, touchpoint, run } = await scene([native, [unknown, accepted]])
  expect(await run()).toBe('put_off')
  expect(await run()).toBe('settled')
  expect(new Set(sent.map((ctx) => ctx.key)).size).toBe(1)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'ACCEPTED', doubt: null })
})

test('unknown stays unknown once the key has died at the provider', async () => {
  const { shop, sent, touchpoint, run } = await scene([{ ...native, ttl: seconds(1) }, [unknown, accepted]])
  expect(await run()).toBe('put_off')
  expect(await run()).toBe('settled')
  expect(sent).toHaveLength(1)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'UNKNOWN', doubt: 'POSSIBLE_MISS' })
})

test('unknown is asked about where the provider can be asked, and sent again only when it never came', async () => {
  const answers: Outcome[] = [
    { is: 'refused', fault: { cause: 'provider', disposition: { do: 'later' } } },
    accepted,
  ]
  const asked = async () => answers.shift() ?? expect.fail('asked too often')
  const { shop, sent, touchpoint, run } = await scene([lookup, [unknown], asked])
  expect([await run(), await run(), await run()]).toEqual(['put_off', 'put_off', 'settled'])
  expect(sent).toHaveLength(2)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'ACCEPTED', doubt: null })
})

test('unknown without any help is not sent again, and listed as a possible miss', async () => {
  const { shop, sent, touchpoint, run } = await scene([{ mode: 'none' }, [unknown]])
  expect(await run()).toBe('settled')
  expect(sent).toHaveLength(1)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'UNKNOWN', doubt: 'POSSIBLE_MISS' })
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'UNKNOWN' })
})

test('a message that would rather come twice is sent again, and listed as a possible duplicate', async () => {
  const options = { wish: 'preferDuplicate' }
  const { shop, sent, touchpoint, run } = await scene([{ mode: 'none' }, [unknown, accepted]], options)
  expect([await run(), await run()]).toEqual(['put_off', 'settled'])
  expect(sent).toHaveLength(2)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'ACCEPTED', doubt: 'POSSIBLE_DUPLICATE' })
})

test('what a plugin throws is unknown', async () => {
  const thrower = async () => {
    throw new Error('taro@example.com is not here')
  }
  const { shop, touchpoint, run } = await scene([{ mode: 'none' }, [thrower]])
  expect(await run()).toBe('settled')
  expect(await shop.delivery(touchpoint)).toMatchObject({
    outcome: { is: 'unknown', evidence: 'crash', detail: 'The plugin threw Error.' },
  })
})

test('after a lost worker, a channel that cannot tell is not asked again: a possible miss', async () => {
  const { shop, sent, touchpoint, run } = await scene([{ mode: 'none' }, [accepted]])
  const text = `select touchpoint_claim($1, 'scripted', 'inbox', true, '{}', interval '1 minute')`
  await shop.tenant.query({ text, values: [touchpoint] })
  await shop.lapse()
  expect(await run()).toBe('settled')
  expect(sent).toHaveLength(0)
  expect(await shop.delivery(touchpoint)).toMatchObject({
    state: 'UNKNOWN',
    doubt: 'POSSIBLE_MISS',
    outcome: { is: 'unknown', evidence: 'crash' },
  })
})

test('a refusal before the channel was asked does not turn an unknown outcome into a refused one', async () => {
  const { shop, touchpoint, run } = await scene([{ mode: 'collapse', field: 'key' }, [unknown]])
  await run()
  await shop.everything.query(`update touchpoint set channel = 'inbox', channels = '{inbox}' where id = $1`, [
    touchpoint,
  ])
  await shop.everything.query(`update delivery set channel = 'inbox' where touchpoint_id = $1`, [touchpoint])
  while ((await run()) === 'put_off');
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'UNKNOWN', doubt: 'POSSIBLE_MISS' })
})
