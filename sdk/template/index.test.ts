import { test } from 'node:test'
import { channelConformance } from '@engawa/sdk/conformance'
import { httpProvider } from '@engawa/sdk/fakes'
import channel from './index.ts'

const laws = channelConformance(channel, {
  provider: httpProvider,
  config: ({ url }, tenant) => ({ url, token: `token-of-tenant-${tenant}` }),
  badConfigs: [
    { path: 'url', value: 'nowhere' },
    { path: 'token', value: undefined },
  ],
  address: 'device-4711',
  replies: [
    { reply: { status: 401 }, expect: 'hold' },
    { reply: { status: 429 }, expect: 'later' },
    { reply: { status: 503 }, expect: 'unknown' },
  ],
})
for (const { name, skip, run } of laws) test(name, { skip }, run)
