import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import inbox from '@engawa/channel-inbox'
import { deliveryKey, sdkVersion, seconds } from '@engawa/sdk'
import { expect, test } from 'vitest'

const key = deliveryKey('0197a1b2-0000-7000-8000-000000000001')
const member = '0197a1b2-0000-7000-8000-0000000000aa'
const prepare = (title: string, body: string) =>
  inbox.content.prepare({ title, body }, member, { key, locale: 'ja' })

test('the version that the SDK says is the version of its package', () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../sdk/package.json'), 'utf8')
  expect(sdkVersion).toBe(JSON.parse(manifest).version)
})

test('a definition is frozen', () => {
  expect(Object.isFrozen(inbox)).toBe(true)
})

test('a delivery key is a UUID in lower case, and nothing else', () => {
  expect(deliveryKey(member)).toBe(member)
  for (const text of ['', 'x', member.toUpperCase(), `${member} `])
    expect(() => deliveryKey(text)).toThrow(TypeError)
})

test('a length of time is neither negative nor endless', () => {
  expect(seconds(0)).toBe(0)
  for (const count of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => seconds(count)).toThrow(RangeError)
})

test('the inbox takes 10,000 characters and refuses one more, a surrogate pair counting as one', () => {
  expect(prepare('あ', '𠮷'.repeat(9_999))).toMatchObject({ ok: true, size: 10_000 })
  expect(prepare('あ', '𠮷'.repeat(10_000))).toEqual({
    ok: false,
    fault: { cause: 'content', disposition: { do: 'never' }, detail: '10001 of 10000 characters' },
  })
})

test('the inbox prepares the same thing twice alike', () => {
  expect(prepare('a', 'b')).toEqual(prepare('a', 'b'))
})

test('the inbox refuses an empty title, a body that is missing, and passes over what it cannot say', async () => {
  const validate = (value: unknown) => inbox.content.schema['~standard'].validate(value)
  for (const value of [{ title: ' ', body: 'b' }, { title: 'a' }]) {
    expect(await validate(value)).toHaveProperty('issues')
  }
  const item = { title: 'a', body: 'b' }
  expect(await validate({ ...item, html: 'c' })).toEqual({ value: item })
})
