import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeId, encodeId, idOf } from '../../api/graph/ids.ts'
import { BadInputError } from '../../api/platform/errors/index.ts'

const uuid = '0198c0de-0000-7000-8000-00000000002a'

test('an id comes back as the type and uuid that it was made of', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom('Member', 'PointsTransaction', 'A'), (id, typename) => {
      expect(decodeId(encodeId(typename, id), 'id')).toEqual({ typename, id })
      expect(encodeId(typename, id)).toMatch(/^[\w-]+$/)
    }),
  )
})

test.each([
  ['', 'nothing'],
  [uuid, 'a bare uuid'],
  [Buffer.from(`Member:${uuid}`).toString('base64'), 'padding or other letters'],
  [`${encodeId('Member', uuid)}=`, 'padding'],
  [`${encodeId('Member', uuid)}\n`, 'a line end'],
  [encodeId('Member', uuid.toUpperCase()), 'capitals'],
  [encodeId('Member', '1'), 'no uuid'],
  [encodeId('member', uuid), 'no type'],
  [encodeId('Member:x', uuid), 'two colons'],
  [encodeId("Member'; drop table member --", uuid), 'SQL'],
  [encodeId('__proto__', uuid), 'a prototype'],
  ['x'.repeat(1_000_000), 'a megabyte'],
  ['🦆', 'a duck'],
])('%j is refused, naming the field (%s)', (id) => {
  expect(() => decodeId(id, 'input.hold')).toThrow(
    new BadInputError('input.hold', 'input.hold must be an id that this API gave.'),
  )
})

test('any text is either an id or a refusal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(() => decodeId(text, 'id')).toThrow(BadInputError)
    }),
  )
})

test('the id of another type is refused, and says so', () => {
  expect(idOf('Hold', encodeId('Hold', uuid), 'input.hold')).toBe(uuid)
  expect(() => idOf('Hold', encodeId('Member', uuid), 'input.hold')).toThrow(
    'input.hold must be the id of a Hold; this is the id of a Member.',
  )
})
