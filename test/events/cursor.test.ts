import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mintCursor, readCursor } from '../../api/platform/cursor.ts'

const key = createSecretKey(randomBytes(32))
const tenantId = randomUUID()
const reach = { tenantId, epoch: 7n, floor: 10n, head: 100n }
const cursorAt = (pos: bigint, epoch = 7n) => mintCursor(key, { tenantId, epoch, pos })

describe('a cursor', () => {
  it('gives back its position, for every position, epoch and tenant', () => {
    const anyBig = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(fc.uuid(), anyBig, anyBig, (tenant, epoch, pos) => {
        const cursor = mintCursor(key, { tenantId: tenant, epoch, pos })
        expect(cursor).toMatch(/^[\w-]{66}$/)
        expect(readCursor(key, cursor, { tenantId: tenant, epoch, floor: 0n, head: pos })).toBe(pos)
      }),
    )
  })

  it('is invalid with any one bit flipped', () => {
    const bytes = Buffer.from(cursorAt(50n), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(readCursor(key, forged.toString('base64url'), reach)).toBe('INVALID')
    }
  })

  it('is invalid for another tenant, and under another key', () => {
    expect(readCursor(key, cursorAt(50n), { ...reach, tenantId: randomUUID() })).toBe('INVALID')
    expect(readCursor(createSecretKey(randomBytes(32)), cursorAt(50n), reach)).toBe('INVALID')
  })

  it('is invalid when it is empty, text, too long, or not written as it was given', () => {
    for (const text of ['', 'x', '100', `${cursorAt(50n)}A`, `${cursorAt(50n)}=`, ` ${cursorAt(50n)}`]) {
      expect(readCursor(key, text, reach)).toBe('INVALID')
    }
  })

  it('tells why it cannot be resumed: another epoch, beyond the head, before what is kept', () => {
    expect(readCursor(key, cursorAt(50n, 6n), reach)).toBe('EPOCH')
    expect(readCursor(key, cursorAt(101n), reach)).toBe('FUTURE')
    expect(readCursor(key, cursorAt(9n), reach)).toBe('EXPIRED')
    expect(readCursor(key, cursorAt(10n), reach)).toBe(10n)
    expect(readCursor(key, cursorAt(100n), reach)).toBe(100n)
  })
})
