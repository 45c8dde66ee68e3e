// What channels report back: each fact once, whatever the order, and what follows from it.
import type { Outcome, ReceiptKind } from '@engawa/sdk'
import { seconds } from '@engawa/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ToldSignal } from '../../api/domains/channels/index.ts'
import { deliver, takeSignals } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, type Shop, scripted } from '../touchpoints/shop.ts'

const database = testDatabase()
const accepted: Outcome = { is: 'accepted', at: new Date('2026-04-01T00:00:00Z') }
const lost: Outcome = { is: 'unknown', evidence: 'timeout' }
const acme = { id: 'acme', kind: 'acme', own: false }
const key = { mode: 'native', header: 'x-key', format: 'uuid', ttl: seconds(86_400) } as const

/** A shop, and a member of it who was sent an offer. */
interface Sent {
  readonly shop: Shop
  readonly member: string
  readonly address: string
  readonly touch: string
  readonly key: string
  /** Takes signals about the delivery, unless they say what else they are about. */
  hear(...signals: (ReceiptKind | Partial<ToldSignal>)[]): Promise<number>
  /** The state of the touch and of its delivery. */
  states(): Promise<string>
  /** Has the touch delivered once more. */
  again(): Promise<string>
}

let people = 0

async function sent(outcome: Outcome | (() => Promise<Outcome>) = accepted, onShop?: Shop): Promise<Sent> {
  const shop = onShop ?? (await openShop(database.url))
  const member = await shop.member()
  const address = `hana-${++people}@example.com`
  await shop.address(member, 'acme', address)
  await shop.agree(member, 'acme')
  const touch = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
  const { plugins } = scripted(key, [outcome], undefined, acme)
  const channels = await channelsOf(plugins)
  const again = () => deliver(shop.tenant, touch, { channels, clock: processClock })
  await again()
  const delivery = await shop.delivery(touch)
  return {
    ...{ shop, member, address, touch, again, key: String(delivery.key) },
    hear: (...signals) => hear(shop, ...signals.map((each) => about(each, String(delivery.key)))),
    async states() {
      const [p, d] = [await shop.touchpoint(touch), await shop.delivery(touch)]
      return `${p.state} ${d.state}`
    },
  }
}

let n = 0
function about(given: ReceiptKind | Partial<ToldSignal>, of?: string): ToldSignal {
  const more = typeof given === 'string' ? { kind: given } : given
  const isOfDelivery = of !== undefined && !more.providerId && !more.identity
  const usual = {
    kind: 'delivered',
    dedupeKey: `e-${++n}`,
    occurredAt: new Date(Date.UTC(2026, 3, 1, 0, 0, n)),
  } as const
  return { ...usual, raw: { n }, ...(isOfDelivery && { key: of }), ...more }
}

function hear({ tenant }: Shop, ...signals: ToldSignal[]): Promise<number> {
  const capabilities = {
    idempotency: key,
    receipts: [],
    limits: {},
    exclusiveReplyToken: { ttl: seconds(60) },
  }
  return takeSignals(tenant, { ...acme, capabilities }, { signals })
}

async function rows(shop: Shop, text: string): Promise<Record<string, unknown>[]> {
  return (await shop.everything.query(text, [shop.tenant.tenantId])).rows
}
const suppressions = (shop: Shop) =>
  rows(
    shop,
    `select reason, scope, channel, until, lifted_at is not null as "isLifted" from suppression
    where tenant_id = $1 order by id`,
  )
const consents = async (shop: Shop) =>
  (
    await rows(
      shop,
      `select concat_ws(' ', purpose, channel, state) as said from consent where tenant_id = $1 order by 1`,
    )
  ).map(({ said }) => said)
const effects = async (shop: Shop) =>
  (await rows(shop, 'select effects from signal where tenant_id = $1 order by id')).map((row) => row.effects)

const hard = { kind: 'bounced', bounce: { permanence: 'permanent', enhancedStatus: '5.1.1' } } as const

test.each([
  [['accepted'], 'ACCEPTED ACCEPTED'],
  [['delivered'], 'DELIVERED DELIVERED'],
  [['seen'], 'DELIVERED DELIVERED'],
  [['deferred'], 'ACCEPTED ACCEPTED'],
  [['opened'], 'ACCEPTED ACCEPTED'],
  [[{ kind: 'clicked', machine: 'unlikely' }], 'DELIVERED DELIVERED'],
  [[{ kind: 'clicked', machine: 'unknown' }], 'DELIVERED DELIVERED'],
  [[{ kind: 'clicked', machine: 'likely' }], 'ACCEPTED ACCEPTED'],
  [[{ kind: 'replied', reply: { text: 'Thanks!' } }], 'DELIVERED DELIVERED'],
  [[{ kind: 'replied', machine: 'likely', reply: { text: 'I am away.' } }], 'ACCEPTED ACCEPTED'],
  [['failed'], 'REFUSED REFUSED'],
  [[hard], 'REFUSED REFUSED'],
  [[hard, 'accepted'], 'REFUSED REFUSED'],
  [['delivered', hard], 'REFUSED REFUSED'],
  [['delivered', 'accepted'], 'DELIVERED DELIVERED'],
  [['resubscribed', 'addressChanged'], 'ACCEPTED ACCEPTED'],
] as const)('after a message was accepted, %j makes it %s', async (signals, states) => {
  const touch = await sent()
  await touch.hear(...signals)
  expect(await touch.states()).toBe(states)
})

test('whatever the order in which they come, and however often, the same facts end in one state', async () => {
  const shop = await openShop(database.url)
  const kinds = ['accepted', 'deferred', 'delivered', 'opened', 'clicked', 'bounced', 'complained'] as const
  const facts = kinds.map((kind, i) => ({
    ...{ kind, occurredAt: new Date(Date.UTC(2026, 3, 1, 0, 0, i)), machine: 'unknown' as const },
    ...(kind === 'bounced' && { bounce: hard.bounce }),
  }))
  const orders = fc.sample(fc.shuffledSubarray([...facts, ...facts], { minLength: 14, maxLength: 14 }), {
    numRuns: 100,
    seed: 7,
  })
  const ends = new Set<string>()
  for (const order of orders) {
    const touch = await sent(accepted, shop)
    await Promise.all(order.map((fact) => touch.hear({ ...fact, dedupeKey: `${fact.kind} ${touch.key}` })))
    const { outcome } = await shop.delivery(touch.touch)
    const [row] = await rows(
      shop,
      `select count(*)::int as signals, count(distinct id)::int as n from signal
      where tenant_id = $1 and delivery_id = (select id from delivery where key = '${touch.key}')`,
    )
    ends.add(JSON.stringify([await touch.states(), outcome, row]))
  }
  expect([...ends].map((end) => JSON.parse(end))).toEqual([
    [
      'REFUSED REFUSED',
      { is: 'refused', fault: { cause: 'address', code: '5.1.1', disposition: { do: 'never' } } },
      { signals: 7, n: 7 },
    ],
  ])
  expect(await suppressions(shop)).toHaveLength(200)
  expect(await consents(shop)).toEqual(Array.from({ length: 100 }, () => 'offers acme WITHDRAWN'))
})

test('twenty at once with the same fact: it is taken once, and told once', async () => {
  const touch = await sent()
  const taken = await Promise.all(Array.from({ length: 20 }, () => touch.hear({ dedupeKey: 'one' })))
  expect(taken.reduce((sum, each) => sum + each, 0)).toBe(1)
  expect(await touch.shop.announced('delivery.settled', touch.touch)).toBe(2) // accepted, then delivered
  expect(
    await rows(
      touch.shop,
      `select payload - 'signal' - 'delivery' as said from outbox
    where tenant_id = $1 and type = 'signal.received'`,
    ),
  ).toEqual([{ said: { kind: 'delivered', channel: 'acme' } }])
})

test('all of what comes together is taken, or nothing of it', async () => {
  const touch = await sent()
  await touch.shop.everything.query(`create or replace function breaks() returns trigger language plpgsql as $$
    begin if new.dedupe_key = 'breaks' then raise 'broken'; end if; return new; end $$;
    create trigger breaks before insert on signal for each row execute function breaks()`)
  await expect(touch.hear(hard, { dedupeKey: 'breaks' })).rejects.toThrow('broken')
  await touch.shop.everything.query('drop trigger breaks on signal')
  expect([await touch.states(), await suppressions(touch.shop), await effects(touch.shop)]).toEqual([
    'ACCEPTED ACCEPTED',
    [],
    [],
  ])
})

test.each([
  ['key', 'DELIVERED'],
  ['providerId', 'REFUSED'],
])(
  'a report by %s that is quicker than the provider’s answer counts when the attempt is over',
  async (by, state) => {
    const { shop, member } = await sent()
    const plan = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
    const answer = async () => {
      const { key: own } = await shop.delivery(plan)
      await hear(shop, by === 'key' ? about('delivered', String(own)) : about({ ...hard, providerId: 'p-1' }))
      return { ...accepted, providerId: 'p-1' }
    }
    const { plugins } = scripted(key, [answer], undefined, acme)
    await deliver(shop.tenant, plan, { channels: await channelsOf(plugins), clock: processClock })
    expect([(await shop.touchpoint(plan)).state, (await shop.delivery(plan)).state]).toEqual([state, state])
    expect(await suppressions(shop)).toHaveLength(by === 'key' ? 0 : 1)
  },
)

test('twenty races between an answer and the report of its message: none is lost', async () => {
  const shop = await openShop(database.url)
  for (let attempt = 0; attempt < 20; attempt++) {
    const providerId = `race-${attempt}`
    const report = () => hear(shop, about({ kind: 'delivered', providerId }))
    let reported: Promise<unknown> = Promise.resolve()
    const touch = await sent(async () => {
      reported = report()
      return { ...accepted, providerId }
    }, shop)
    await reported
    expect(await touch.states()).toBe('DELIVERED DELIVERED')
  }
})

test('what nobody could tell is told by a receipt: no possible miss is left, and nothing is sent again', async () => {
  const touch = await sent(lost)
  expect(await touch.states()).toBe('PLANNED WAITING')
  await touch.hear('delivered')
  expect(await touch.states()).toBe('DELIVERED DELIVERED')
  expect(await touch.again()).toBe('settled')
  expect(await touch.shop.delivery(touch.touch)).toMatchObject({ doubt: null, attempt: 1 })
})

test('a lost worker’s attempt that was reported meanwhile is not made again', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  await shop.address(member, 'acme', 'hana@example.com')
  await shop.agree(member, 'acme')
  const plan = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
  const never = scripted(key, [() => new Promise(() => {})], undefined, acme)
  deliver(shop.tenant, plan, { channels: await channelsOf(never.plugins), clock: processClock }).catch(
    () => {},
  )
  await expect.poll(() => never.sent.length).toBe(1)
  await hear(shop, about('delivered', String((await shop.delivery(plan)).key)))
  await shop.lapse()
  const again = scripted(key, [accepted], undefined, acme)
  expect(
    await deliver(shop.tenant, plan, { channels: await channelsOf(again.plugins), clock: processClock }),
  ).toBe('settled')
  expect([again.sent.length, (await shop.touchpoint(plan)).state]).toEqual([0, 'DELIVERED'])
})

test.each([
  ['5.1.1', null],
  ['5.2.2', 30],
  ['5.7.1', 30],
  [undefined, null],
])('a permanent bounce with status %s suppresses the address, for %s days', async (status, days) => {
  const touch = await sent()
  await touch.hear({
    ...hard,
    bounce: { permanence: 'permanent', ...(status && { enhancedStatus: status }) },
  })
  const [row] = await suppressions(touch.shop)
  expect(row).toMatchObject({ reason: 'BOUNCED', scope: 'ADDRESS', isLifted: false })
  const [{ at } = { at: 0 }] = await rows(
    touch.shop,
    'select occurred_at as at from signal where tenant_id = $1',
  )
  const until = row?.until instanceof Date ? (row.until.getTime() - Number(at)) / 86_400_000 : null
  expect(until).toBe(days)
  expect(await effects(touch.shop)).toEqual([['SUPPRESSED']])
})

test.each(['transient', 'undetermined'] as const)('a %s bounce suppresses nothing', async (permanence) => {
  const touch = await sent()
  await touch.hear({ kind: 'bounced', bounce: { permanence, enhancedStatus: '4.2.2' } })
  expect([await suppressions(touch.shop), await touch.states()]).toEqual([[], 'REFUSED REFUSED'])
})

test('a complaint suppresses the address and withdraws all marketing of the channel, and no other', async () => {
  const touch = await sent()
  const { shop, member } = touch
  await shop.agree(member, 'acme', { purpose: 'care' })
  await shop.agree(member, 'acme', { purpose: 'service' })
  await shop.agree(member, 'line')
  await touch.hear('complained')
  expect(await suppressions(shop)).toMatchObject([{ reason: 'COMPLAINED', scope: 'ADDRESS' }])
  expect(await consents(shop)).toEqual([
    'care acme WITHDRAWN',
    'offers acme WITHDRAWN',
    'offers line LIVE',
    'service acme LIVE',
  ])
  expect(await effects(shop)).toEqual([['SUPPRESSED', 'WITHDRAWN']])
})

test.each([
  [{ kind: 'unsubscribed' }, 'offers acme WITHDRAWN'],
  [{ kind: 'replied', reply: { intent: 'stop', text: 'STOP' } }, 'offers acme WITHDRAWN'],
  [{ kind: 'replied', machine: 'likely', reply: { intent: 'stop' } }, 'offers acme LIVE'],
  [{ kind: 'replied', reply: { intent: 'other', text: "don't stop" } }, 'offers acme LIVE'],
  [{ kind: 'replied', reply: { intent: 'start' } }, 'offers acme LIVE'],
  [{ kind: 'opened' }, 'offers acme LIVE'],
] as const)('%j leaves the consent at %s, and suppresses nothing', async (signal, consent) => {
  const touch = await sent()
  await touch.hear(signal)
  expect([await consents(touch.shop), await suppressions(touch.shop)]).toEqual([[consent], []])
})

test('after the wish to stop, coming back to the provider consents to nothing', async () => {
  const touch = await sent()
  await touch.hear('unsubscribed', 'resubscribed', { kind: 'replied', reply: { intent: 'start' } })
  expect(await consents(touch.shop)).toEqual(['offers acme WITHDRAWN'])
})

test('the wish of somebody unknown is kept for the address', async () => {
  const shop = await openShop(database.url)
  await hear(shop, about({ kind: 'unsubscribed', identity: 'nobody@example.com' }))
  expect(await suppressions(shop)).toMatchObject([{ reason: 'UNSUBSCRIBED', scope: 'ADDRESS' }])
  expect(JSON.stringify(await rows(shop, 'select * from signal where tenant_id = $1'))).not.toContain(
    'nobody',
  )
})

test('an address that is gone is gone for everybody who has it', async () => {
  const touch = await sent()
  await hear(touch.shop, about({ kind: 'addressGone', identity: touch.address }))
  expect(await suppressions(touch.shop)).toMatchObject([{ reason: 'GONE', scope: 'ADDRESS' }])
  const next = await touch.shop.plan(touch.member, { channel: 'acme', purpose: 'offers' })
  const { plugins, sent: out } = scripted(key, [accepted], undefined, acme)
  await deliver(touch.shop.tenant, next, { channels: await channelsOf(plugins), clock: processClock })
  expect([out.length, (await touch.shop.touchpoint(next)).not_sent_reason]).toEqual([0, 'SUPPRESSED'])
})

test.each([
  [['blocked'], false],
  [['blocked', 'unblocked'], true],
  [['blocked', 'unblocked', 'blocked'], false],
] as const)('%j by the provider’s clock decides, in every order of arrival', async (kinds, isLifted) => {
  const address = 'hana@example.com'
  for (const isKnown of [true, false]) {
    const shop = await openShop(database.url)
    if (isKnown) await shop.address(await shop.member(), 'acme', address)
    const facts = kinds.map((kind, i) =>
      about({ kind, identity: address, occurredAt: new Date(Date.UTC(2026, 3, 1, 0, 0, i)) }),
    )
    for (const order of [facts, facts.toReversed(), [...facts.slice(1), ...facts.slice(0, 1)]]) {
      const one = newId()
      await rows(shop, 'delete from signal where tenant_id = $1')
      await rows(shop, 'delete from suppression where tenant_id = $1')
      for (const fact of order) await hear(shop, { ...fact, dedupeKey: `${one} ${fact.dedupeKey}` })
      const live = (await suppressions(shop)).filter((row) => !row.isLifted)
      expect(live).toMatchObject(
        isLifted ? [] : [{ reason: 'BLOCKED', scope: isKnown ? 'MEMBER_CHANNEL' : 'ADDRESS' }],
      )
    }
  }
})

test('the token of a reply goes with the next message, once, while it lives', async () => {
  const touch = await sent()
  const { shop, member, address } = touch
  const now = Date.now()
  const reply = (token: string, age: number) =>
    hear(
      shop,
      about({ kind: 'replied', identity: address, occurredAt: new Date(now - age * 1000), reply: { token } }),
    )
  const tokens: (string | undefined)[] = []
  const next = async () => {
    const plan = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
    const { plugins, sent: out } = scripted(key, [accepted], undefined, acme)
    await deliver(shop.tenant, plan, { channels: await channelsOf(plugins), clock: processClock })
    tokens.push(out[0]?.replyToken)
  }
  await reply('newer', 1)
  await reply('older', 30)
  await next()
  await next()
  await reply('dead', 61)
  await next()
  expect(tokens).toEqual(['newer', undefined, undefined])
})

test('a worker that is lost amid a reply is not followed by a message: no key guards a reply', async () => {
  const { shop, member, address } = await sent()
  const lostAmid = async (token?: string) => {
    if (token !== undefined) {
      const reply = { identity: address, occurredAt: new Date(), reply: { token } }
      await hear(shop, about({ kind: 'replied', ...reply }))
    }
    const plan = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
    const claim = `select touchpoint_claim($1, 'acme', 'acme', false, '{}', '20 seconds') as c`
    const [row] = await shop.tenant.query<{ c: object }>({ text: claim, values: [plan] })
    expect(row?.c).toMatchObject({ deliveries: [{ reply_token: token ?? null, is_reply: false }] })
    await shop.lapse()
    const { plugins, sent: out } = scripted(key, [accepted], undefined, acme)
    await deliver(shop.tenant, plan, { channels: await channelsOf(plugins), clock: processClock })
    const { state, doubt } = await shop.delivery(plan)
    return [out.length, state, doubt]
  }
  expect(await lostAmid('r-1')).toEqual([0, 'UNKNOWN', 'POSSIBLE_MISS'])
  expect(await lostAmid()).toEqual([1, 'ACCEPTED', null])
})

test('what was said stays in the row, and is no part of any event', async () => {
  const touch = await sent()
  await touch.hear({ kind: 'replied', reply: { text: 'canary \0\ud800 said this' }, raw: { text: 'canary' } })
  const [row] = await rows(touch.shop, 'select reply_text, raw from signal where tenant_id = $1')
  expect(row).toEqual({ reply_text: 'canary \ufffd said this', raw: { text: 'canary' } })
  expect(JSON.stringify(await rows(touch.shop, 'select * from outbox where tenant_id = $1'))).not.toContain(
    'canary',
  )
})

test('of what the provider sent a part is kept, however much it is', async () => {
  const touch = await sent()
  const deep = { a: { b: { c: { d: { e: 'deep' } } } } }
  await touch.hear({ raw: { long: 'x'.repeat(10_000), list: Array.from({ length: 500 }, () => 1), ...deep } })
  await touch.hear({ raw: Array.from({ length: 40 }, () => 'y'.repeat(1_000)) })
  const [kept, none] = await rows(touch.shop, 'select raw from signal where tenant_id = $1 order by id')
  expect(Object(kept?.raw)).toMatchObject({ long: 'x'.repeat(200), a: { b: { c: { d: '…' } } } })
  expect(Object(kept?.raw).list).toHaveLength(40)
  expect(none?.raw).toBeNull()
})

test('a signal about a message or a key of another channel or tenant moves nothing', async () => {
  const [touch, other] = [await sent({ ...accepted, providerId: 'p-1' }), await openShop(database.url)]
  await hear(other, about({ key: touch.key }), about({ providerId: 'p-1' }))
  const capabilities = { idempotency: key, receipts: [], limits: {} }
  const signals = [about({ key: touch.key }), about({ providerId: 'p-1' })]
  await takeSignals(touch.shop.tenant, { id: 'line', kind: 'line', capabilities }, { signals })
  expect(await touch.states()).toBe('ACCEPTED ACCEPTED')
  expect(await rows(other, 'select delivery_id, member_id from signal where tenant_id = $1')).toEqual([
    { delivery_id: null, member_id: null },
    { delivery_id: null, member_id: null },
  ])
})

test('a touch to several addresses is what the best of them is', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  for (const each of ['one', 'two']) await shop.address(member, 'acme', `${each}@example.com`)
  await shop.agree(member, 'acme')
  const plan = await shop.plan(member, { channel: 'acme', purpose: 'offers' })
  const { plugins } = scripted(key, [accepted], undefined, acme)
  await deliver(shop.tenant, plan, { channels: await channelsOf(plugins), clock: processClock })
  const keys = (await rows(shop, 'select key from delivery where tenant_id = $1 order by id')).map((row) =>
    String(row.key),
  )
  const state = async () => (await shop.touchpoint(plan)).state
  const seen: unknown[] = []
  for (const [i, signal] of [
    [0, hard],
    [1, 'delivered'],
    [1, hard],
  ] as const) {
    await hear(shop, about(signal, keys[i]))
    seen.push(await state())
  }
  expect(seen).toEqual(['ACCEPTED', 'DELIVERED', 'REFUSED'])
})
