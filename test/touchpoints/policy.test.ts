import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openShop, type Shop } from './shop.ts'

const database = testDatabase()
const start = new Date('2026-04-01T03:00:00Z') // noon in Tokyo, a Wednesday

/** A shop with a policy, and doors to what stands behind it. */
async function openPolicy(policy: object | undefined) {
  const shop = await openShop(database.url, { clockAt: start })
  const act = async <Answer>(text: string, values: unknown[]): Promise<Answer> => {
    const client = await shop.everything.connect()
    try {
      await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.tenantId])
      return (await client.query(text, values)).rows[0]?.answer
    } finally {
      client.release(true)
    }
  }
  if (policy) {
    await shop.tenant.query({
      text: `select contact_policy_save($1, 'test')`,
      values: [JSON.stringify(policy)],
    })
  }
  return {
    shop,
    act,
    /** Plans a touch of a class, due now. */
    async touch(member: string, { class: kind = 'MARKETING', ...touch }: Touch = {}) {
      const id = await shop.plan(member, { channel: 'email', ...touch })
      await act(`update touchpoint set class = $2, purpose = coalesce($3, purpose) where id = $1`, [
        id,
        kind,
        touch.purpose ?? null,
      ])
      return id
    },
    /** Books that a touch went out, so long ago, and was accepted. */
    sent: (touch: string, ago = '0', state = 'ACCEPTED') =>
      act(
        `with sent as (
          insert into delivery (tenant_id, touchpoint_id, member_id, channel, state, content, first_attempt_at, accepted_at, settled_at)
          select tenant_id, id, member_id, channel, $3, '{}', $4::timestamptz - $2::interval,
            $4::timestamptz - $2::interval, $4
          from touchpoint where id = $1 returning touchpoint_id)
        update touchpoint set state = $3, settled_at = $4 where id = (select touchpoint_id from sent)`,
        [touch, ago, state, start],
      ),
    refusal: (touch: string, { channel = 'email', now = start } = {}) =>
      act<Refusal | null>('select contact_refusal($1, $2, $3) as answer', [touch, channel, now]),
  }
}

interface Touch extends NonNullable<Parameters<Shop['plan']>[1]> {
  readonly class?: 'SERVICE' | 'MARKETING'
  readonly purpose?: string
}

interface Refusal {
  readonly reason: string
  readonly until: string | null
}

const at = (refusal: Refusal | null) =>
  refusal && { ...refusal, until: refusal.until && new Date(refusal.until) }

test('without a policy everything may be sent', async () => {
  const { shop, touch, sent, refusal } = await openPolicy(undefined)
  const member = await shop.member()
  await sent(await touch(member))
  expect(await refusal(await touch(member))).toBeNull()
})

test('a cap holds per class and channel until the oldest message leaves the window', async () => {
  const caps = [{ class: 'MARKETING', channel: 'email', most: 2, within: 'P7D' }]
  const { shop, touch, sent, refusal } = await openPolicy({ caps })
  const member = await shop.member()
  await sent(await touch(member), '6 days')
  const next = await touch(member)
  expect(await refusal(next)).toBeNull()
  await sent(await touch(member), '1 day', 'UNKNOWN')
  await sent(await touch(member, { class: 'SERVICE' }))
  expect(at(await refusal(next))).toEqual({
    reason: 'FREQUENCY_CAP',
    until: new Date('2026-04-02T03:00:00Z'),
    detail: { most: 2, within: 'P7D', channel: 'email' },
  })
  expect(await refusal(next, { now: new Date('2026-04-02T03:00:00Z') })).toBeNull()
  expect(await refusal(next, { channel: 'line' })).toBeNull()
  expect(await refusal(await touch(member, { class: 'SERVICE' }))).toBeNull()
})

test('a cap over all channels counts them together, and a refused message does not count', async () => {
  const { shop, touch, sent, refusal } = await openPolicy({
    caps: [{ class: 'MARKETING', channel: null, most: 1, within: 'P1D' }],
  })
  const member = await shop.member()
  await sent(await touch(member), '0', 'REFUSED')
  const next = await touch(member)
  expect(await refusal(next)).toBeNull()
  await sent(await touch(member, { channel: 'line' }), '2 hours')
  expect(at(await refusal(next))).toMatchObject({
    reason: 'FREQUENCY_CAP',
    until: new Date('2026-04-02T01:00:00Z'),
  })
})

test('of touches that compete for the last place the higher priority goes first, and the other is put off', async () => {
  const { shop, touch, sent, refusal } = await openPolicy({
    caps: [{ class: 'MARKETING', channel: null, most: 1, within: 'P1D' }],
  })
  const member = await shop.member()
  const low = await touch(member, { options: { priority: 10 } })
  const high = await touch(member, { options: { priority: 90 } })
  const later = { priority: 95 }
  await touch(member, { options: later, dueAt: new Date('2026-04-01T04:00:00Z') })
  expect(at(await refusal(low))).toMatchObject({
    reason: 'OUTRANKED',
    until: new Date('2026-04-01T03:05:00Z'),
  })
  expect(await refusal(high)).toBeNull()
  await sent(high)
  expect(await refusal(low)).toMatchObject({ reason: 'FREQUENCY_CAP' })
})

test('a stage allows only its purposes and channels to marketing; service passes', async () => {
  const { shop, touch, refusal } = await openPolicy({
    stages: [{ stage: 'prospect', purposes: ['newsletter'], channels: ['email'], shortestSilence: null }],
  })
  const member = await shop.member()
  const denied = { reason: 'STAGE_POLICY', until: null, detail: { stage: 'prospect' } }
  expect(await refusal(await touch(member, { purpose: 'newsletter' }))).toBeNull()
  expect(await refusal(await touch(member, { purpose: 'newsletter' }), { channel: 'line' })).toEqual(denied)
  expect(await refusal(await touch(member, { purpose: 'offers' }))).toEqual(denied)
  expect(await refusal(await touch(member, { purpose: 'offers', class: 'SERVICE' }))).toBeNull()
})

test('a stage has a shortest silence between two messages', async () => {
  const { shop, touch, sent, refusal } = await openPolicy({
    stages: [{ stage: 'prospect', shortestSilence: 'P3D' }],
  })
  const member = await shop.member()
  await sent(await touch(member, { channel: 'line' }), '1 day')
  const next = await touch(member)
  expect(at(await refusal(next))).toMatchObject({
    reason: 'TOO_SOON',
    until: new Date('2026-04-03T03:00:00Z'),
  })
  expect(await refusal(next, { now: new Date('2026-04-03T03:00:00Z') })).toBeNull()
})

test.each([
  ['2026-04-01T12:30:00Z', '2026-04-01T23:00:00Z'],
  ['2026-04-01T22:59:59Z', '2026-04-01T23:00:00Z'],
  ['2026-04-01T23:00:00Z', null],
  ['2026-04-01T11:59:59Z', null],
])('at %s in Tokyo quiet hours from 21:00 to 08:00 keep a message back until %s', async (now, until) => {
  const { shop, touch, refusal } = await openPolicy({
    quietHours: { periods: [{ from: '21:00', to: '08:00' }] },
  })
  const found = await refusal(await touch(await shop.member()), { now: new Date(now) })
  expect(at(found)).toEqual(until && { reason: 'QUIET_HOURS', until: new Date(until), detail: {} })
})

test('quiet hours end at the first showing of their end when clocks go back, and after the gap when they go on', async () => {
  const { shop, act, touch, refusal } = await openPolicy({
    quietHours: { periods: [{ from: '22:00', to: '02:30' }] },
  })
  const member = await shop.member()
  await act(`update member set time_zone = 'Europe/Berlin' where id = $1`, [member])
  const next = await touch(member)
  const until = async (now: string) => at(await refusal(next, { now: new Date(now) }))?.until
  expect(await until('2026-03-29T00:59:00Z')).toEqual(new Date('2026-03-29T01:00:00Z'))
  expect(await until('2026-10-25T00:10:00Z')).toEqual(new Date('2026-10-25T00:30:00Z'))
  expect(await until('2026-10-25T01:10:00Z')).toBeUndefined()
})

test('quiet hours leave security notices, the inbox and other weekdays alone', async () => {
  const periods = [{ from: '00:00', to: '00:00', weekdays: ['WED'] }]
  const { shop, touch, refusal } = await openPolicy({ quietHours: { periods } })
  const member = await shop.member()
  const next = await touch(member)
  expect(at(await refusal(next))).toMatchObject({ until: new Date('2026-04-01T15:00:00Z') })
  expect(await refusal(next, { now: new Date('2026-03-31T03:00:00Z') })).toBeNull()
  expect(await refusal(next, { channel: 'inbox' })).toBeNull()
  expect(await refusal(await touch(member, { purpose: 'security', class: 'SERVICE' }))).toBeNull()
})

test('a channel whose messages are ignored is left for the next one, until the member takes one up', async () => {
  const { shop, act, touch, sent, refusal } = await openPolicy({
    ignored: { after: 3, response: 'NEXT_CHANNEL' },
  })
  const member = await shop.member()
  for (const ago of ['3 days', '2 days', '1 day']) {
    expect(await refusal(await touch(member))).toBeNull()
    await sent(await touch(member), ago)
  }
  const next = await touch(member, { channels: ['email', 'line'] })
  expect(await refusal(next)).toEqual({ reason: 'IGNORED', until: null, detail: { after: 3 } })
  expect(await refusal(next, { channel: 'line' })).toBeNull()
  expect(await refusal(await touch(member, { class: 'SERVICE' }))).toBeNull()
  await act(
    `update delivery set read_at = accepted_at where member_id = $1 and accepted_at < $2::timestamptz - interval '2 days'`,
    [member, start],
  )
  expect(await refusal(next)).toBeNull()
})

test('where ignoring stops, the next channel is no way around it; a purchase opens it again', async () => {
  const { shop, act, touch, sent, refusal } = await openPolicy({ ignored: { after: 1, response: 'STOP' } })
  const member = await shop.member()
  await sent(await touch(member), '1 day')
  const next = await touch(member, { channels: ['email', 'line'] })
  expect(await refusal(next, { channel: 'line' })).toMatchObject({ reason: 'IGNORED', until: null })
  await act(`update lifecycle_state set completed_purchases = 1, last_at = $2 where member_id = $1`, [
    member,
    start,
  ])
  expect(await refusal(next, { channel: 'line' })).toBeNull()
})

test.each([
  ['clicked', 'unlikely', false],
  ['clicked', 'likely', true],
  ['replied', 'unknown', false],
  ['seen', null, false],
  ['opened', null, true],
  ['delivered', null, true],
])('a signal %s (a machine: %s) leaves messages ignored: %s', async (kind, machine, isIgnored) => {
  const { shop, act, touch, sent, refusal } = await openPolicy({ ignored: { after: 1, response: 'STOP' } })
  const member = await shop.member()
  await sent(await touch(member), '1 day')
  await act(
    `insert into signal (tenant_id, channel, dedupe_key, kind, occurred_at, received_at, member_id, machine)
     values (current_tenant(), 'email', 'k', $2, $3, $3, $1, $4)`,
    [member, kind, start, machine],
  )
  expect((await refusal(await touch(member)))?.reason === 'IGNORED').toBe(isIgnored)
})
