import task from '@engawa/channel-task'
import { expect, test } from 'vitest'
import { context, key, now } from './provider.ts'

const member = '0197a1b2-0000-7000-8000-0000000000aa'
const call = {
  title: '誕生日のお電話',
  body: 'おめでとうございますとお伝えください。',
  data: {
    kind: 'CALL',
    assignee: 'mika',
    deadline: '2026-05-01T18:00:00+09:00',
    cost: { amount: '250', currency: 'JPY' },
  },
} as const
const read = (value: unknown) => task.content.schema['~standard'].validate(value)
const places = async (value: unknown) => (await read(value)).issues?.map(({ path }) => path?.join('.'))

test('a task is accepted at once, as it is, with what it will cost', async () => {
  const preparation = task.content.prepare(call, member, { key, locale: 'ja' })
  expect(preparation).toEqual({ ok: true, prepared: call, size: 26 })
  expect(await task.send(context({}), call)).toEqual({
    is: 'accepted',
    at: now,
    cost: { amount: '250', currency: 'JPY' },
  })
  const { cost: _, ...data } = call.data
  expect(await task.send(context({}), { ...call, data })).toEqual({ is: 'accepted', at: now })
})

test('a task needs a script and a kind; the rest may be left open', async () => {
  expect(await read({ ...call, html: '<p>' })).toEqual({ value: call })
  expect(await places({ ...call, data: { kind: 'LETTER' } })).toBe(undefined)
  expect(await places({ ...call, title: ' ', body: '' })).toEqual(['title', 'body'])
  expect(await places({ title: 'a', body: 'b' })).toEqual(['data'])
})

test.each([
  ['kind', { kind: 'FAX' }],
  ['assignee', { kind: 'CALL', assignee: '' }],
  ['deadline', { kind: 'CALL', deadline: 'tomorrow' }],
  ['cost.amount', { kind: 'CALL', cost: { amount: '1,000', currency: 'JPY' } }],
  ['cost.currency', { kind: 'CALL', cost: { amount: '1', currency: '円' } }],
])('a %s that cannot be read is refused by its place', async (place, data) => {
  expect(await places({ ...call, data })).toEqual([`data.${place}`])
})

test('a script holds 10,000 characters and not one more, a surrogate pair counting as one', () => {
  const made = (body: string) =>
    task.content.prepare({ ...call, title: 'あ', body }, member, { key, locale: 'ja' })
  expect(made('𠮷'.repeat(9_999))).toMatchObject({ ok: true, size: 10_000 })
  expect(made('𠮷'.repeat(10_000))).toMatchObject({
    ok: false,
    fault: { detail: '10001 of 10000 characters' },
  })
})

test('every member can be given to somebody as a task: the member’s own id is the address', async () => {
  expect(task.address.own).toBe(true)
  expect(task.address.normalise(member.toUpperCase())).toBe(member)
  expect(await task.address.schema['~standard'].validate('mika')).toHaveProperty('issues')
})
