import { replyIntent, retryAfter } from '@engawa/sdk'
import { expect, test } from 'vitest'

test.each([
  [
    'stop',
    ['STOP', ' Stop! ', 'ｓｔｏｐ', 'Opt out', '停止', '配信停止', '「配信　停止」。', 'ｽﾄｯﾌﾟ', 'stop 🙏'],
  ],
  ['start', ['START', 'unstop.', '再開', '配信再開']],
  ['help', ['Help?', 'ﾍﾙﾌﾟ']],
] as const)('%s is asked for by a whole message', (intent, messages) => {
  expect(messages.map((text) => replyIntent(text))).toEqual(messages.map(() => intent))
})

test('a word inside a sentence asks for nothing', () => {
  const sentences = [
    "don't stop",
    'stop by the shop',
    'nonstop',
    'non-stop',
    '停止しないで',
    '配信停止の方法は?',
    '',
  ]
  expect(sentences.map((text) => replyIntent(text))).toEqual(sentences.map(() => 'other'))
})

test('a provider’s own words count when they are given', () => {
  expect(replyIntent('END')).toBe('other')
  expect(replyIntent('END', { stop: ['end'], start: ['end'] })).toBe('stop')
})

test('Retry-After is read in seconds and as a date, is never past, and otherwise says nothing', () => {
  const now = new Date('2026-04-01T00:00:00Z')
  const read = (said: string) => retryAfter(new Headers({ 'retry-after': said }), now)?.toISOString()
  expect(read('90')).toBe('2026-04-01T00:01:30.000Z')
  expect(read('Wed, 01 Apr 2026 00:05:00 GMT')).toBe('2026-04-01T00:05:00.000Z')
  expect(read('Wed, 01 Apr 2020 00:05:00 GMT')).toBe('2026-04-01T00:00:00.000Z')
  for (const said of ['', '-5', '1.5', 'soon', '9999999999', 'Never, GMT']) expect(read(said)).toBe(undefined)
})
