import { httpProvider } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'

async function started(options?: Parameters<typeof httpProvider>[0]) {
  const provider = await httpProvider(options)
  onTestFinished(() => provider.close())
  const send = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${provider.url}/messages`, { method: 'POST', body, headers })
  return { provider, send }
}

test('a provider answers 200 with an id, and keeps what it got', async () => {
  const { provider, send } = await started()
  const response = await send('あ', { 'x-key': '1' })
  expect([response.status, await response.json()]).toEqual([200, { id: 'message-1' }])
  expect(provider.requests).toMatchObject([{ method: 'POST', path: '/messages', text: 'あ' }])
  expect(provider.taken[0]?.field('X-Key')).toBe('1')
  expect(provider.taken[0]?.text).toMatch(/^POST \/messages\n[\s\S]*\n\nあ$/)
})

test('replies in a row come before the standing one, and that before the usual one', async () => {
  const { provider, send } = await started({ reply: () => ({ status: 202 }) })
  provider.answer({ status: 500 })
  provider.next({ status: 429, headers: { 'retry-after': '9' }, body: { message: 'no' } })
  const first = await send('a')
  expect([first.status, first.headers.get('retry-after'), await first.json()]).toEqual([
    429,
    '9',
    { message: 'no' },
  ])
  expect((await send('b')).status).toBe(500)
  provider.answer()
  expect((await send('c')).status).toBe(202)
  expect([provider.sendings, provider.taken.length]).toEqual([3, 1])
})

test('a connection dropped before the headers took nothing; one dropped after the body did', async () => {
  const { provider, send } = await started()
  provider.next({ drop: 'beforeHeaders' }, { drop: 'afterBody' })
  await expect(send('a')).rejects.toThrow()
  expect([provider.sendings, provider.taken.length]).toEqual([1, 0])
  await expect(send('b')).rejects.toThrow()
  expect([provider.sendings, provider.taken.length]).toEqual([2, 1])
})

test('an answer can break off in its body', async () => {
  const { provider, send } = await started()
  provider.next({ drop: 'inAnswer', body: 'half' })
  const response = await send('a')
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
})

test('what is held is answered when it is released, and reading is no sending', async () => {
  const { provider, send } = await started()
  provider.next({}, { held: true })
  expect((await fetch(provider.url)).status).toBe(200)
  const pending = send('a')
  await provider.arrived(1)
  expect(provider.sendings).toBe(1)
  provider.release()
  expect((await pending).status).toBe(200)
})

test('a provider that knows keys takes each of them once, and answers alike', async () => {
  const { provider, send } = await started({ keyHeader: 'Idempotency-Key' })
  provider.next({ drop: 'afterBody' })
  await expect(send('a', { 'idempotency-key': 'k' })).rejects.toThrow()
  const responses = [
    await send('a', { 'idempotency-key': 'k' }),
    await send('a', { 'idempotency-key': 'other' }),
  ]
  expect(responses.map(({ status }) => status)).toEqual([200, 200])
  expect(provider.taken.map((taken) => taken.field('idempotency-key'))).toEqual(['k', 'other'])
})

test('its undeclared answers are none of those declared', async () => {
  const { provider } = await started()
  const undeclared = provider.situations.undeclared([{ status: 418 }, { status: 599 }])
  expect(undeclared.map(({ reply }) => reply.status)).toEqual([405, 507])
})

test('closing breaks off what is still held', async () => {
  const { provider, send } = await started()
  provider.answer({ held: true })
  const pending = expect(send('a')).rejects.toThrow()
  await provider.arrived(1)
  await provider.close()
  await pending
})
