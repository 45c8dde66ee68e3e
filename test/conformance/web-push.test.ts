import { generateKeyPairSync } from 'node:crypto'
import push from '@engawa/channel-web-push'
import { channelConformance } from '@engawa/sdk/conformance'
import { pushReceiver } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'

const laws = channelConformance(push, {
  provider: () => pushReceiver({ isHttps: true }),
  config: () => ({ ...newKeys(), subject: 'mailto:push@shop.example' }),
  badConfigs: [
    { path: 'publicKey', value: 'AAAA' },
    { path: 'privateKey', value: undefined },
    { path: 'subject', value: 'https://localhost' },
  ],
  address: (receiver) => receiver.subscribe(),
  replies: [
    { reply: { status: 404 }, expect: { do: 'elsewhere', cause: 'address', suppress: 'address' } },
    { reply: { status: 410 }, expect: { do: 'elsewhere', cause: 'address', suppress: 'address' } },
    { reply: { status: 401 }, expect: { do: 'hold', cause: 'auth' } },
    { reply: { status: 403 }, expect: { do: 'hold', cause: 'auth' } },
    { reply: { status: 413 }, expect: { do: 'never', cause: 'content' } },
    { reply: { status: 429 }, expect: { do: 'later', cause: 'rate' } },
    { reply: { status: 202 }, expect: 'accepted' },
    { reply: { status: 503 }, expect: 'unknown' },
  ],
})

const applying = laws.filter(({ skip }) => skip === false)

test('every law applies to web push, but those about callbacks, of which there are none', () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14])
})

for (const { name, run } of applying) test(`web push keeps law ${name}`, run)

function newKeys(): { publicKey: string; privateKey: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return { publicKey: Buffer.concat(point).toString('base64url'), privateKey: d }
}
