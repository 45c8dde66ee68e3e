import type { Outcome } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { scripted } from './shop.ts'
import { accepted, openStage, refused, type Stage, unknown } from './stage.ts'

const database = testDatabase()

/** A channel that needs an address, and answers by it: what the script says of it, accepted for any other. */
function push(answers: Record<string, Outcome | Outcome[]> = {}, mode: 'none' | 'collapse' = 'none') {
  const asked: Record<string, number> = {}
  const answer = async (address: unknown): Promise<Outcome> => {
    const device = String(address)
    asked[device] = (asked[device] ?? 0) + 1
    const script = [answers[device] ?? accepted].flat()
    return script[Math.min(asked[device], script.length) - 1] ?? accepted
  }
  const idempotency = mode === 'none' ? { mode } : { mode, field: 'key' }
  return scripted(idempotency, [answer], undefined, { id: 'push', kind: 'push', own: false })
}

/** A member with these devices, who agreed, and a touch to them. */
async function owner(stage: Stage, ...devices: string[]) {
  const member = await stage.member()
  await stage.agree(member, 'push')
  const addresses = []
  for (const device of devices) addresses.push(await stage.address(member, 'push', device))
  return { member, addresses, id: await stage.plan(member, { channels: ['push'], purpose: 'offers' }) }
}

/** The deliveries of a touch, by their address: state and attempts. */
async function deliveries(stage: Stage, touchpoint: string): Promise<Record<string, string>> {
  const { rows } = await stage.everything.query<{ identity: string; told: string }>(
    `select identity, state || ' ' || attempt as told from delivery where touchpoint_id = $1`,
    [touchpoint],
  )
  return Object.fromEntries(rows.map(({ identity, told }) => [identity, told]))
}

test('a member with two devices gets one touch on both, each with a key of its own', async () => {
  const channel = push()
  const stage = await openStage(database.url, channel)
  const { id } = await owner(stage, 'phone', 'laptop')
  expect(await stage.run(id)).toBe('settled')
  expect([...channel.places].sort()).toEqual(['laptop', 'phone'])
  expect(new Set(channel.sent.map(({ key }) => key)).size).toBe(2)
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'ACCEPTED' })
  expect(await stage.announced('delivery.settled', id)).toBe(2)
  expect(await stage.announced('touchpoint.settled', id)).toBe(1)
})

test.each<[string, Outcome, Outcome]>([
  ['ACCEPTED', accepted, unknown],
  ['ACCEPTED', accepted, refused('recipient', 'never')],
  ['UNKNOWN', unknown, refused('recipient', 'never')],
  ['REFUSED', refused('recipient', 'never'), refused('content', 'never')],
])('the touch is %s after %j and %j', async (state, phone, laptop) => {
  const stage = await openStage(database.url, push({ phone, laptop }))
  const { id } = await owner(stage, 'phone', 'laptop')
  expect(await stage.run(id)).toBe('settled')
  expect(await stage.touchpoint(id)).toMatchObject({ state })
})

test('while one device waits the touch is not over, and only that one is tried again', async () => {
  const channel = push({ phone: [refused('rate', 'later'), accepted] })
  const stage = await openStage(database.url, channel)
  const { id } = await owner(stage, 'phone', 'laptop')
  expect(await stage.run(id)).toBe('put_off')
  expect(await deliveries(stage, id)).toEqual({ phone: 'WAITING 1', laptop: 'ACCEPTED 1' })
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'PLANNED' })
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(await deliveries(stage, id)).toEqual({ phone: 'ACCEPTED 2', laptop: 'ACCEPTED 1' })
  expect([...channel.places].sort()).toEqual(['laptop', 'phone', 'phone'])
})

test('an address that is gone is suppressed for the next touch, and the other one still gets it', async () => {
  const gone: Outcome = {
    is: 'refused',
    fault: {
      cause: 'address',
      disposition: { do: 'elsewhere' },
      suppress: { scope: 'address' },
      code: '410',
    },
  }
  const channel = push({ phone: gone })
  const stage = await openStage(database.url, channel)
  const { member, id } = await owner(stage, 'phone', 'laptop')
  expect(await stage.run(id)).toBe('settled')
  const { rows } = await stage.everything.query(
    'select scope, reason, detail from suppression where member_id = $1',
    [member],
  )
  expect(rows).toEqual([
    {
      scope: 'ADDRESS',
      reason: 'GONE',
      detail: { cause: 'address', code: '410', delivery: expect.any(String) },
    },
  ])
  channel.places.length = 0
  const next = await stage.plan(member, { channels: ['push'], purpose: 'offers' })
  expect(await stage.run(next)).toBe('settled')
  expect(channel.places).toEqual(['laptop'])
})

test('whoever blocked us is not written to on this channel any more, until when the provider says', async () => {
  const until = new Date('2026-04-08T00:00:00Z')
  const blocked: Outcome = {
    is: 'refused',
    fault: {
      cause: 'recipient',
      disposition: { do: 'elsewhere' },
      suppress: { scope: 'memberChannel', until },
    },
  }
  const channel = push({ phone: [blocked, accepted] })
  const stage = await openStage(database.url, channel)
  const { member, id } = await owner(stage, 'phone')
  const another = async () => {
    const touchpoint = await stage.plan(member, { channels: ['push'], purpose: 'offers' })
    await stage.run(touchpoint)
    return stage.touchpoint(touchpoint)
  }
  await stage.run(id)
  expect(await another()).toMatchObject({ state: 'NOT_SENT', not_sent_reason: 'SUPPRESSED' })
  await stage.at('2026-04-08T00:00:01Z')
  expect(await another()).toMatchObject({ state: 'ACCEPTED' })
})

test('a device that is given away while it waits is not tried again; what may have arrived stays unknown', async () => {
  const channel = push({ phone: refused('rate', 'later'), laptop: unknown }, 'collapse')
  const stage = await openStage(database.url, channel)
  const { id, addresses } = await owner(stage, 'phone', 'laptop')
  expect(await stage.run(id)).toBe('put_off')
  await stage.everything.query('update address set removed_at = now() where id = any ($1)', [addresses])
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(await deliveries(stage, id)).toEqual({ phone: 'CANCELLED 1', laptop: 'UNKNOWN 1' })
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'UNKNOWN' })
  expect(await stage.decisions(id)).toContain('push NOT_SENT UNREACHABLE 1')
})

test('of two devices that wait, the one that is left goes on', async () => {
  const channel = push({ phone: [refused('rate', 'later'), accepted], laptop: refused('rate', 'later') })
  const stage = await openStage(database.url, channel)
  const { id, addresses } = await owner(stage, 'phone', 'laptop')
  await stage.run(id)
  await stage.everything.query('update address set removed_at = now() where id = $1', [addresses[1]])
  while ((await stage.runWhenDue(id)) === 'put_off');
  expect(await deliveries(stage, id)).toEqual({ phone: 'ACCEPTED 2', laptop: 'CANCELLED 1' })
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'ACCEPTED' })
})

test('a touch for one address goes to no other', async () => {
  const channel = push()
  const stage = await openStage(database.url, channel)
  const { member, addresses } = await owner(stage, 'phone', 'laptop')
  const options = { address: addresses[1] }
  const touchpoint = await stage.plan(member, { channels: ['push'], purpose: 'offers', options })
  await stage.run(touchpoint)
  expect(channel.places).toEqual(['laptop'])
})

test('a lost worker leaves both devices to the next one, and both may have arrived', async () => {
  const channel = push({}, 'collapse')
  const stage = await openStage(database.url, channel)
  const { id } = await owner(stage, 'phone', 'laptop')
  const text = `select touchpoint_claim($1, 'push', 'push', false, '{}', interval '1 minute')`
  await stage.tenant.query({ text, values: [id] })
  await stage.lapse()
  expect(await stage.run(id)).toBe('settled')
  expect(await deliveries(stage, id)).toEqual({ phone: 'ACCEPTED 2', laptop: 'ACCEPTED 2' })
})
