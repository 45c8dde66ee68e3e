import inbox from '@engawa/channel-inbox'
import { channelConformance } from '@engawa/sdk/conformance'
import { expect, test } from 'vitest'

const laws = channelConformance(inbox, {
  config: {},
  badConfigs: [{ path: '', value: { limit: 3 } }],
  address: '0197A1B2-0000-7000-8000-0000000000AA',
})
const applying = laws.filter(({ skip }) => skip === false)

test('of laws that do not apply to the inbox the kit says why, and running them is no pass', async () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 3, 13, 14])
  expect(Object.fromEntries(laws.map(({ number, skip }) => [number, skip]))).toMatchObject({
    2: 'it has no provider to reach',
    10: 'nothing is posted to it: it has no inbound',
    12: 'nobody tells it: it has no inbound, and declares no addressGone and no blocked',
  })
  await expect(laws[1]?.run()).rejects.toThrow('Law 2 cannot be judged')
})

for (const { name, run } of applying) test(`the inbox keeps law ${name}`, run)
