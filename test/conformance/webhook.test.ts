import webhook from '@engawa/channel-webhook'
import { channelConformance } from '@engawa/sdk/conformance'
import { webhookReceiver } from '@engawa/sdk/fakes'
import { webhookSecret } from '@engawa/sdk/webhooks'
import { expect, test } from 'vitest'

/** Of tenant after tenant; the receiver knows them all. */
const secrets: string[] = []
const secretOf = (tenant: number) => (secrets[tenant % 1_000] ??= webhookSecret())

const laws = channelConformance(webhook, {
  provider: () => webhookReceiver({ secrets }),
  config: ({ url }, tenant) => ({ url, secret: secretOf(tenant) }),
  badConfigs: [
    { path: 'url', value: 'ftp://shop.example/' },
    { path: 'url', value: undefined },
    { path: 'secret', value: 'whsec_dG9vIHNob3J0' },
    { path: 'previousSecret', value: 'secret' },
  ],
  address: '0197a1b2-0000-7000-8000-0000000000ff',
  replies: [
    { reply: { status: 202 }, expect: 'accepted' },
    { reply: { status: 301 }, expect: { do: 'hold', cause: 'config' } },
    { reply: { status: 410 }, expect: { do: 'hold', cause: 'config', suppress: 'nothing' } },
    { reply: { status: 401 }, expect: { do: 'never', cause: 'content' } },
    { reply: { status: 429 }, expect: { do: 'later', cause: 'rate' } },
    { reply: { status: 502 }, expect: { do: 'later', cause: 'provider' } },
    { reply: { status: 503 }, expect: { do: 'later', cause: 'provider' } },
    { reply: { status: 504 }, expect: { do: 'later', cause: 'provider' } },
    { reply: { status: 500 }, expect: 'unknown' },
  ],
})

const applying = laws.filter(({ skip }) => skip === false)

test('every law applies to the webhook channel, but those about callbacks, of which there are none', () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14])
})

for (const { name, run } of applying) test(`the webhook channel keeps law ${name}`, run)
