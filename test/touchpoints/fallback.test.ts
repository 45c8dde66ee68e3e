import { type Capabilities, seconds } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { scripted } from './shop.ts'
import { accepted, openStage, refused, unknown } from './stage.ts'

const database = testDatabase()
const none: Capabilities['idempotency'] = { mode: 'none' }
const line = (...script: Parameters<typeof scripted>[1]) => scripted(none, script, undefined, { id: 'line' })
const mail = (...script: Parameters<typeof scripted>[1]) => scripted(none, script, undefined, { id: 'mail' })

test('without consent on the first channel the next one is tried, and the row says why', async () => {
  const [first, second] = [
    scripted(none, [accepted], undefined, { id: 'line', kind: 'line', own: false }),
    mail(accepted),
  ]
  const stage = await openStage(database.url, first, second)
  const touchpoint = await stage.plan(await stage.member(), { channels: ['line', 'mail'] })
  expect(await stage.run(touchpoint)).toBe('settled')
  expect([first.sent.length, second.sent.length]).toEqual([0, 1])
  expect(await stage.touchpoint(touchpoint)).toMatchObject({ state: 'ACCEPTED', channel: 'mail' })
  expect(await stage.decisions(touchpoint)).toEqual(['line NEXT_CHANNEL NO_CONSENT 1'])
})

test.each([refused('recipient', 'elsewhere'), refused('address', 'never'), refused('recipient', 'never')])(
  '%j hands the touch on to the next channel',
  async (outcome) => {
    const [first, second] = [line(outcome), mail(accepted)]
    const stage = await openStage(database.url, first, second)
    const { id } = await stage.touch(['line', 'mail'])
    expect(await stage.run(id)).toBe('settled')
    expect([first.sent.length, second.sent.length]).toEqual([1, 1])
    expect(await stage.touchpoint(id)).toMatchObject({ state: 'ACCEPTED', channel: 'mail' })
    expect(await stage.decisions(id)).toEqual(['line NEXT_CHANNEL PROVIDER 1'])
    expect(await stage.announced('touchpoint.settled', id)).toBe(1)
    expect(await stage.announced('delivery.settled', id)).toBe(2)
  },
)

test.each([refused('content', 'never'), refused('policy', 'never')])(
  '%j ends the touch: no other channel may say it either',
  async (outcome) => {
    const [first, second] = [line(outcome), mail(accepted)]
    const stage = await openStage(database.url, first, second)
    const { id } = await stage.touch(['line', 'mail'])
    expect(await stage.run(id)).toBe('settled')
    expect(second.sent).toHaveLength(0)
    expect(await stage.touchpoint(id)).toMatchObject({ state: 'REFUSED', channel: 'line' })
    expect(await stage.decisions(id)).toEqual(['line NOT_SENT PROVIDER 1'])
  },
)

test('what the first channel cannot prepare, the next one may take', async () => {
  const fault = { cause: 'content', disposition: { do: 'never' } } as const
  const first = scripted(none, [accepted], undefined, {
    id: 'line',
    prepare: () => ({ ok: false, fault }),
  })
  const second = mail(accepted)
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  expect(await stage.run(id)).toBe('settled')
  expect([first.sent.length, second.sent.length]).toEqual([0, 1])
})

test('a channel that fails five times hands over to the next one', async () => {
  const [first, second] = [line(refused('rate', 'later')), mail(accepted)]
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  const answers = []
  while (answers.at(-1) !== 'settled') answers.push(await stage.runWhenDue(id))
  expect(answers).toEqual([...Array(4).fill('put_off'), 'settled'])
  expect([first.sent.length, second.sent.length]).toEqual([5, 1])
  expect(await stage.decisions(id)).toEqual(['line NEXT_CHANNEL PROVIDER 5'])
})

test.each<[string, Capabilities['idempotency'], number]>([
  ['none', none, 1],
  ['native', { mode: 'native', header: 'key', format: 'uuid', ttl: seconds(864_000) }, 8],
  ['collapse', { mode: 'collapse', field: 'key' }, 8],
])('after an unknown outcome (%s) no other channel is tried, ever', async (_, idempotency, tries) => {
  const first = scripted(idempotency, [unknown], undefined, { id: 'line' })
  const second = mail(accepted)
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  // The circuit rests in between; it is not what is looked at here.
  while ((await stage.runWhenDue(id)) === 'put_off');
  expect([first.sent.length, second.sent.length]).toEqual([tries, 0])
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'UNKNOWN', channel: 'line' })
  expect(await stage.delivery(id)).toMatchObject({ doubt: 'POSSIBLE_MISS' })
})

test('after an unknown outcome even a refusal tries no other channel, where the provider does not know the key', async () => {
  const first = scripted(
    { mode: 'collapse', field: 'key' },
    [unknown, refused('recipient', 'elsewhere')],
    undefined,
    { id: 'line' },
  )
  const second = mail(accepted)
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  expect([await stage.run(id), await stage.runWhenDue(id)]).toEqual(['put_off', 'settled'])
  expect(second.sent).toHaveLength(0)
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'UNKNOWN' })
})

test('a worker that was lost while sending leaves no other channel to be tried', async () => {
  const [first, second] = [line(accepted), mail(accepted)]
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  const text = `select touchpoint_claim($1, 'line', 'inbox', true, '{}', interval '1 minute')`
  await stage.tenant.query({ text, values: [id] })
  await stage.lapse()
  expect(await stage.run(id)).toBe('settled')
  expect([first.sent.length, second.sent.length]).toEqual([0, 0])
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'UNKNOWN', channel: 'line' })
})

test('a channel that is not there, or was switched off, is passed by', async () => {
  const [second, third] = [line(accepted), mail(accepted)]
  const stage = await openStage(database.url, second, third)
  const text = `select channel_disable('line', 1, 'test')`
  await stage.tenant.query({ text, values: [] })
  const { id } = await stage.touch(['gone', 'line', 'mail'])
  expect(await stage.run(id)).toBe('settled')
  expect([second.sent.length, third.sent.length]).toEqual([0, 1])
  expect(await stage.decisions(id)).toEqual([
    'gone NEXT_CHANNEL CHANNEL_MISSING 1',
    'line NEXT_CHANNEL CHANNEL_DISABLED 1',
  ])
})

test('with no channel left it is not sent, for the reason that tells most', async () => {
  const own = { kind: 'paper', own: false }
  const stage = await openStage(
    database.url,
    scripted(none, [accepted], undefined, { id: 'line', ...own }),
    scripted(none, [accepted], undefined, { id: 'mail', ...own }),
  )
  const member = await stage.member()
  await stage.agree(member, 'mail', { kind: 'paper' })
  const touchpoint = await stage.plan(member, { channels: ['line', 'mail'], purpose: 'offers' })
  expect(await stage.run(touchpoint)).toBe('settled')
  expect(await stage.decisions(touchpoint)).toEqual([
    'line NEXT_CHANNEL NO_CONSENT 1',
    'mail NOT_SENT UNREACHABLE 1',
  ])
  expect(await stage.touchpoint(touchpoint)).toMatchObject({
    state: 'NOT_SENT',
    not_sent_reason: 'NO_CONSENT',
  })
})

test('a channel named twice is tried once', async () => {
  const first = line(refused('recipient', 'elsewhere'))
  const stage = await openStage(database.url, first)
  const { id } = await stage.touch(['line', 'line'])
  expect(await stage.run(id)).toBe('settled')
  expect(first.sent).toHaveLength(1)
  expect(await stage.touchpoint(id)).toMatchObject({ channels: ['line'], state: 'REFUSED' })
})

test('twenty workers that fall back at once have one effect', async () => {
  const [first, second] = [line(refused('recipient', 'elsewhere')), mail(accepted)]
  const stage = await openStage(database.url, first, second)
  const { id } = await stage.touch(['line', 'mail'])
  await Promise.all(Array.from({ length: 20 }, () => stage.run(id)))
  expect([first.sent.length, second.sent.length]).toEqual([1, 1])
  expect(await stage.announced('touchpoint.settled', id)).toBe(1)
  expect(await stage.decisions(id)).toEqual(['line NEXT_CHANNEL PROVIDER 1'])
})
