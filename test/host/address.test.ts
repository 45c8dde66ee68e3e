import type { Schema } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { readAddress } from '../../api/host/address.ts'

interface Phone {
  readonly number: string
}
const schema: Schema<Phone> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const { number } = Object(value)
      if (typeof number !== 'string') return { issues: [{ message: 'must be a text', path: ['number'] }] }
      if (number.startsWith('+')) return { value: { number } }
      return { issues: [{ message: `must begin with +, not ${number}`, path: [{ key: 'number' }] }] }
    },
  },
}
const address = {
  schema,
  normalise: ({ number }: Phone) => ({ number: number.replaceAll(' ', '') }),
  identity({ number }: Phone) {
    if (number === '+0') throw new RangeError(`${number} is nobody`)
    return number
  },
}
const read = (given: unknown) => readAddress({ address } as Parameters<typeof readAddress>[0], given)

test('an address comes in its one spelling, with what it is known by', async () => {
  const reading = { ok: true, value: { number: '+81312345678' }, identity: '+81312345678' }
  expect(await read({ number: '+81 3 1234 5678', more: 1 })).toEqual(reading)
})

test.each([
  [{}, ['number'], 'must be a text'],
  [{ number: '0312345678' }, ['number'], 'is not as the channel wants it'],
  [{ number: '+0' }, [], 'cannot be read by the channel'],
])('what is wrong with %j is told by its place, and nothing is quoted', async (given, path, message) => {
  expect(await read(given)).toEqual({ ok: false, issues: [{ path, message }] })
})
