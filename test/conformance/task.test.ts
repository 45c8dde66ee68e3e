import task from '@engawa/channel-task'
import { channelConformance } from '@engawa/sdk/conformance'
import { expect, test } from 'vitest'

const laws = channelConformance(task, {
  config: {},
  badConfigs: [{ path: '', value: { url: 'https://tasks.example' } }],
  address: '0197a1b2-0000-7000-8000-0000000000aa',
  content: (body) => ({ title: 'お電話', body, data: { kind: 'CALL' } }),
})

const applying = laws.filter(({ skip }) => skip === false)

test('of the laws those apply to tasks that are about no provider', () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 3, 13, 14])
})

for (const { name, run } of applying) test(`tasks keep law ${name}`, run)
