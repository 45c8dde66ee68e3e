import { type LineEndpointOptions, lineEndpoint, lineRefusals } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'

const key = '0197a1b2-0000-7000-8000-000000000001'
const text = [{ type: 'text', text: 'Hello' }]

async function started(options?: LineEndpointOptions) {
  const line = await lineEndpoint(options)
  onTestFinished(() => line.close())
  const ask = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${line.url}/v2/bot/${path}`, {
      headers: { authorization: 'Bearer token', ...headers },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  const push = (body: object = { to: 'U1', messages: text }, headers = {}) =>
    ask('message/push', body, headers)
  return { line, ask, push }
}

test('a push goes out once under its retry key, and the second time tells which it was', async () => {
  const { line, push } = await started()
  const first = await push(undefined, { 'x-line-retry-key': key })
  const second = await push(undefined, { 'x-line-retry-key': key })
  expect([first.status, second.status]).toEqual([200, 409])
  expect(second.body).toMatchObject({
    message: 'The retry key is already accepted',
    sentMessages: first.body.sentMessages,
  })
  expect(second.headers.get('x-line-accepted-request-id')).toBe(first.headers.get('x-line-request-id'))
  expect(line.sent).toMatchObject([{ via: 'push', to: 'U1', messages: text }])
  expect([line.sendings, line.taken.length]).toEqual([2, 1])
})

test('a push that was cut off after it came is known by its key', async () => {
  const { line, push } = await started()
  line.next({ drop: 'afterBody' })
  await expect(push(undefined, { 'x-line-retry-key': key })).rejects.toThrow()
  expect((await push(undefined, { 'x-line-retry-key': key })).status).toBe(409)
  expect(line.sent).toHaveLength(1)
})

test('what LINE would not take is refused with the place', async () => {
  const { line, push } = await started({ channelAccessToken: 'token' })
  const refusals = [
    await push({ to: 'U1', messages: [{ type: 'text', text: '' }] }),
    await push({ to: 'U1', messages: [{ type: 'text', text: 'あ'.repeat(5_001) }] }),
    await push({ to: 'U1', messages: Array(6).fill(text[0]) }),
  ]
  expect(refusals.map(({ status, body }) => [status, body.details[0].property])).toEqual([
    [400, 'messages[0].text'],
    [400, 'messages[0].text'],
    [400, 'messages'],
  ])
  expect((await push({ messages: text })).body.message).toContain("'to'")
  expect((await push(undefined, { 'x-line-retry-key': 'x' })).body.message).toBe('Invalid retry key')
  expect((await push(undefined, { authorization: 'Bearer other' })).status).toBe(401)
  expect(line.sent).toEqual([])
})

test('a reply token is good once, and costs nothing of the month', async () => {
  const { line, ask } = await started({ monthlyLimit: 5 })
  const replyToken = line.replyToken()
  const reply = () => ask('message/reply', { replyToken, messages: text })
  expect([(await reply()).status, (await reply()).body]).toEqual([200, { message: 'Invalid reply token' }])
  expect(line.sent).toMatchObject([{ via: 'reply', to: replyToken }])
  expect((await ask('message/quota/consumption')).body).toEqual({ totalUsage: 0 })
})

test('the month has its limit, and tells what is used of it', async () => {
  const { line, ask, push } = await started({ monthlyLimit: 1 })
  expect([(await push()).status, (await push()).body]).toEqual([200, lineRefusals.monthlyLimit.body])
  expect((await ask('message/quota')).body).toEqual({ type: 'limited', value: 1 })
  expect((await ask('message/quota/consumption')).body).toEqual({ totalUsage: 1 })
  expect((await ask('info')).status).toBe(200)
  expect(line.sendings).toBe(2)
})

test('webhooks are signed as LINE signs them', async () => {
  const { line } = await started({ channelSecret: 'test_secret' })
  expect(line.signature('{"hello":"world"}')).toBe('t7Hn4ZDHqs6e+wdvI5TyQIvzie0DmMUmuXEBqyyE/tM=')
  const { headers, body } = line.webhook([{ type: 'follow' }])
  expect(headers['x-line-signature']).toBe(line.signature(body))
  expect(JSON.parse(body).events).toEqual([{ type: 'follow' }])
})
