import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { isWebhookSecret, signWebhook, verifyWebhook, webhookSecret } from '@engawa/sdk/webhooks'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'

const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: new Date(1614265330_000),
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}
const { secret, id, timestamp, body } = VECTOR
const other = webhookSecret()
const headers = await signWebhook({ id, timestamp, body, secrets: [secret] })
const verify = (given: object, sent: string | Uint8Array = body, secrets = [secret], now = timestamp) =>
  verifyWebhook({ headers: { ...headers, ...given }, body: sent }, { secrets, now })

test('the published vector comes out, and is verified', async () => {
  expect(headers).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': VECTOR.signature,
  })
  expect(await verify({})).toEqual({ is: 'verified', id, timestamp, payload: { test: 2432232314 } })
  expect(await verify({}, new TextEncoder().encode(body))).toMatchObject({ is: 'verified' })
  expect(
    await verifyWebhook({ headers: new Headers(headers), body }, { secrets: [secret], now: timestamp }),
  ).toMatchObject({ is: 'verified' })
})

test('what we sign the reference library verifies, and the other way round', async () => {
  const webhook = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
    key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
    payload: fc.record({ text: fc.string({ unit: 'grapheme' }), n: fc.integer() }),
    asBytes: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(webhook, async ({ id, key, payload, asBytes }) => {
      const now = new Date()
      const secret = `whsec_${Buffer.from(key).toString('base64')}`
      const text = JSON.stringify(payload)
      const sent = asBytes ? new TextEncoder().encode(text) : text
      const theirs = new Webhook(secret)
      const ours = await signWebhook({ id, timestamp: now, body: sent, secrets: [other, secret] })
      expect(theirs.verify(text, ours)).toEqual(payload)
      const signed = { ...ours, 'webhook-signature': theirs.sign(id, now, text) }
      const verdict = await verifyWebhook({ headers: signed, body: sent }, { secrets: [secret] })
      expect(verdict).toMatchObject({ is: 'verified', id, payload })
    }),
    { numRuns: 100 },
  )
})

test('during a rotation either side may know the old secret, the new one, or both', async () => {
  const both = await signWebhook({ id, timestamp, body, secrets: [other, secret] })
  expect(both['webhook-signature'].split(' ')).toHaveLength(2)
  expect(await verify(both, body, [secret])).toMatchObject({ is: 'verified' })
  expect(await verify(both, body, [other])).toMatchObject({ is: 'verified' })
  expect(await verify({}, body, [other, secret])).toMatchObject({ is: 'verified' })
  expect(await verify({}, body, [other])).toEqual({ is: 'rejected', reason: 'signature' })
})

test('one flipped bit anywhere, or a body written anew, is rejected by its signature', async () => {
  const flipped = [...new TextEncoder().encode(body)].map((_, i) => {
    const bytes = new TextEncoder().encode(body)
    bytes[i] = (bytes[i] ?? 0) ^ 1
    return bytes
  })
  for (const sent of [...flipped, JSON.stringify(JSON.parse(body)), '', `${body} `]) {
    expect(await verify({}, sent)).toEqual({ is: 'rejected', reason: 'signature' })
  }
  for (const given of [{ 'webhook-id': `${id}x` }, { 'webhook-timestamp': '1614265331' }]) {
    expect(await verify(given)).toEqual({ is: 'rejected', reason: 'signature' })
  }
  for (let i = 0; i < VECTOR.signature.length; i++) {
    const code = VECTOR.signature.charCodeAt(i) ^ 1
    const changed = VECTOR.signature.slice(0, i) + String.fromCharCode(code) + VECTOR.signature.slice(i + 1)
    expect(await verify({ 'webhook-signature': changed })).toEqual({ is: 'rejected', reason: 'signature' })
  }
})

test.each([
  [300, 'verified'],
  [-300, 'verified'],
  [301, 'rejected'],
  [-301, 'rejected'],
])('a timestamp %i seconds from now is %s', async (seconds, is) => {
  const now = new Date(timestamp.getTime() + seconds * 1000)
  expect((await verify({}, body, [secret], now)).is).toBe(is)
})

test.each([
  [{ 'webhook-id': undefined }, 'shape'],
  [{ 'webhook-id': 'a.b' }, 'shape'],
  [{ 'webhook-timestamp': 'now' }, 'shape'],
  [{ 'webhook-timestamp': '-5' }, 'shape'],
  [{ 'webhook-timestamp': '1e9' }, 'shape'],
  [{ 'webhook-timestamp': undefined }, 'shape'],
  [{ 'webhook-signature': undefined }, 'signature'],
  [{ 'webhook-signature': '' }, 'signature'],
  [{ 'webhook-signature': VECTOR.signature.slice(3) }, 'signature'],
  [{ 'webhook-signature': VECTOR.signature.replace('v1,', 'v1a,') }, 'signature'],
  [{ 'webhook-signature': `${VECTOR.signature}\0` }, 'signature'],
])('%j is rejected by its %s, without throwing', async (given, reason) => {
  expect(await verify(given)).toEqual({ is: 'rejected', reason })
})

test('a body that is no JSON is rejected by its shape, only once its signature is right', async () => {
  for (const sent of ['nonsense', new Uint8Array([34, 255, 34])]) {
    const given = await signWebhook({ id, timestamp, body: sent, secrets: [secret] })
    expect(await verify(given, sent)).toEqual({ is: 'rejected', reason: 'shape' })
    expect(await verify(given, sent, [other])).toEqual({ is: 'rejected', reason: 'signature' })
  }
})

test('a secret is whsec_ and 24 to 64 bytes; a wrong one throws and is not quoted', async () => {
  const ofBytes = (count: number) => `whsec_${Buffer.alloc(count, 7).toString('base64')}`
  expect([23, 24, 32, 64, 65].map((count) => isWebhookSecret(ofBytes(count)))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ])
  for (const wrong of [ofBytes(23), secret.slice(6), 'whsec_canary!', '']) {
    const message = 'A webhook secret is whsec_ followed by 24 to 64 bytes as base64.'
    await expect(signWebhook({ id, timestamp, body, secrets: [wrong] })).rejects.toThrow(message)
    await expect(verify({}, body, [wrong])).rejects.toThrow(message)
  }
  expect(new Set(Array.from({ length: 20 }, webhookSecret)).size).toBe(20)
})

test('the receiver of the guide takes what is signed and nothing else', () => {
  const root = join(import.meta.dirname, '../..')
  const guide = readFileSync(join(root, 'docs/webhooks.md'), 'utf8')
  const receiver = /```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? expect.fail('the guide shows none')
  const folder = mkdtempSync(join(root, 'node_modules/.guide-'))
  try {
    const file = join(folder, 'receiver.mjs')
    writeFileSync(file, plain(receiver))
    const said = execFileSync(process.execPath, [file], {
      encoding: 'utf8',
      env: { ...process.env, WEBHOOK_SECRET: secret },
    })
    expect(JSON.parse(said)).toEqual({ statuses: [204, 400], handled: ['msg_1'] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The receiver as JavaScript, asked twice: by a signed webhook, and by one that was changed. */
function plain(receiver: string): string {
  return `${stripTypeScriptTypes(receiver)}
import { signWebhook } from '@engawa/sdk/webhooks'
const handled = []
async function handleOnce(id) { handled.push(id) }
const [body, secrets] = ['{"type":"purchase.recorded"}', [process.env.WEBHOOK_SECRET]]
const headers = await signWebhook({ id: 'msg_1', timestamp: new Date(), body, secrets })
const ask = async (body) => (await POST(new Request('https://shop.example', { method: 'POST', headers, body }))).status
console.log(JSON.stringify({ statuses: [await ask(body), await ask(body + ' ')], handled }))
`
}
