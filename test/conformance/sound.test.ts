import { channelConformance } from '@engawa/sdk/conformance'
import { expect, test } from 'vitest'
import { acme, input } from './acme.ts'

const laws = channelConformance(acme(), input)

test('there are fourteen laws, and a channel with all parts is held to each', () => {
  expect(laws.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
  expect(laws.filter(({ skip }) => skip !== false)).toEqual([])
})

for (const { name, run } of laws) test(`a sound channel keeps law ${name}`, run)
