import { decryptPush, type PushReceiverOptions, pushReceiver, type Subscription } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'
import webPush from 'web-push'

const vapid = webPush.generateVAPIDKeys()

async function started(options?: PushReceiverOptions) {
  const receiver = await pushReceiver(options)
  onTestFinished(() => receiver.close())
  const subscription = receiver.subscribe()
  const push = async (text: string, { keys = vapid, over = {}, to = subscription }: Push = {}) => {
    const vapidDetails = { subject: 'mailto:shop@shop.example', ...keys }
    const details = webPush.generateRequestDetails(to, text, { vapidDetails, TTL: 60, ...over })
    const headers = Object.fromEntries(Object.entries(details.headers).map(([k, v]) => [k, String(v)]))
    delete headers['Content-Length']
    const body = new Uint8Array(details.body ?? [])
    return (await fetch(to.endpoint.replace('https:', 'http:'), { method: 'POST', headers, body })).status
  }
  return { receiver, subscription, push }
}

interface Push {
  readonly keys?: typeof vapid
  readonly over?: object
  readonly to?: Subscription
}

test('the example of RFC 8291 is decrypted', () => {
  const body = Buffer.from(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3' +
      'jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    'base64url',
  )
  const keys = {
    privateKey: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
    publicKey: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  }
  expect(decryptPush(body, keys)).toBe('When I grow up, I want to be a watermelon')
  body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1)
  expect(() => decryptPush(body, keys)).toThrow()
})

test('what a common library encrypts and signs is read', async () => {
  const { receiver, push, subscription } = await started({ applicationServerKey: vapid.publicKey })
  expect(await push('こんにちは', { over: { topic: 'news', urgency: 'low' } })).toBe(201)
  expect(receiver.messages).toMatchObject([
    { subscription, text: 'こんにちは', ttl: 60, topic: 'news', urgency: 'low' },
  ])
  expect(receiver.messages[0]?.vapid).toMatchObject({ key: vapid.publicKey, audience: receiver.url })
  expect(receiver.taken[0]?.field('topic')).toBe('news')
})

test('a token that is another’s, has ended, or is for another place is refused', async () => {
  const { receiver, push } = await started({ applicationServerKey: vapid.publicKey })
  expect(await push('a', { keys: webPush.generateVAPIDKeys() })).toBe(403)
  const elsewhere = await started({ now: () => new Date(Date.now() + 2 * 86_400_000) })
  expect(await elsewhere.push('a')).toBe(401)
  const port = new URL(receiver.url).port
  const to = { ...receiver.subscribe(), endpoint: receiver.subscribe().endpoint }
  const renamed = { ...to, endpoint: to.endpoint.replace(`127.0.0.1:${port}`, `localhost:${port}`) }
  expect(await push('a', { to: renamed })).toBe(401)
  expect(receiver.messages).toEqual([])
})

test('what is encrypted for another browser, and a subscription that ended, are refused', async () => {
  const { receiver, push, subscription } = await started()
  const crossed = { ...subscription, keys: receiver.subscribe().keys }
  expect(await push('a', { to: crossed })).toBe(400)
  receiver.unsubscribe(subscription)
  expect(await push('a')).toBe(410)
  expect(receiver.messages).toEqual([])
})

test('a subscription may be written as https; its tokens are for that origin then', async () => {
  const { receiver, push, subscription } = await started({ isHttps: true })
  expect(subscription.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/push\//)
  expect(await push('a')).toBe(201)
  expect(receiver.messages[0]?.vapid.audience).toBe(`https://${receiver.host}`)
})
