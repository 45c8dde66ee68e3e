import { type WebhookReceiverOptions, webhookReceiver } from '@engawa/sdk/fakes'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

async function started(options?: WebhookReceiverOptions) {
  const receiver = await webhookReceiver(options)
  onTestFinished(() => receiver.close())
  const post = async (id: string, body: string, { by = secret, at = new Date(), sent = body } = {}) => {
    const signature = new Webhook(by).sign(id, at, body)
    const timestamp = String(Math.floor(at.getTime() / 1000))
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
    return (await fetch(receiver.url, { method: 'POST', headers, body: sent })).status
  }
  return { receiver, post }
}

test('what the reference library signs is taken, once for each id', async () => {
  const { receiver, post } = await started()
  expect([await post('msg_1', '{"a":1}'), await post('msg_1', '{"a":1}')]).toEqual([204, 204])
  expect(receiver.webhooks).toMatchObject([{ id: 'msg_1', body: '{"a":1}' }])
  expect([receiver.sendings, receiver.taken.length]).toEqual([2, 1])
})

test('the vector of the specification is good at its time', async () => {
  const { receiver } = await started({ now: () => new Date(1614265330_000) })
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,bad= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const response = await fetch(receiver.url, { method: 'POST', headers, body: '{"test": 2432232314}' })
  expect([response.status, receiver.webhooks.length]).toEqual([204, 1])
})

test('another secret, a changed body and an old timestamp are refused', async () => {
  const { receiver, post } = await started()
  const other = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
  const statuses = [
    await post('msg_1', '{}', { by: other }),
    await post('msg_1', '{}', { sent: '{ }' }),
    await post('msg_1', '{}', { at: new Date(Date.now() - 301_000) }),
  ]
  expect([statuses, receiver.webhooks]).toEqual([[401, 401, 401], []])
})

test('during a rotation both secrets are good', async () => {
  const other = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
  const { post } = await started({ secrets: [secret, other] })
  expect([await post('msg_1', '{}'), await post('msg_2', '{}', { by: other })]).toEqual([204, 204])
})
