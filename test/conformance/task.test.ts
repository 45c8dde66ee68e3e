import task from '@engawa/channel-task'
import { channelConformance } from '@engawa/sdk/conformance'
import { test } from 'vitest'

const laws = channelConformance(task, {
  config: {},
  badConfigs: [{ path: '', value: { url: 'https://tasks.example' } }],
  address: '0197a1b2-0000-7000-8000-0000000000aa',
  content: (body) => ({ title: 'お電話', body, data: { kind: 'CALL' } }),
})

for (const { name, skip, run } of laws) test.skipIf(skip)(`task: ${name}`, run)
