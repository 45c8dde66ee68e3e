import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Category, type Discount, type StackRules, stack } from '../../api/domains/benefits/stack.ts'
import { bruteForce } from './brute-force.ts'

const category = (key: string, order: number, more: Partial<Category> = {}): Category => ({
  ...{ key, order, onBase: 'RUNNING', isExclusive: false, excludes: [], most: null },
  ...more,
})
const rules = (categories: readonly Category[], more: Partial<StackRules> = {}): StackRules => ({
  ...{ categories, maxDiscounts: null, floor: { minor: 0n, basisPoints: 0 }, rounding: 'DOWN' },
  ...more,
})
const cart = [
  { sku: 'soap', amount: 1000n },
  { sku: 'lotion', amount: 333n },
  { sku: 'towel', amount: 667n },
]
const percent = (key: string, of: string, basisPoints: number, skus?: string[]): Discount => ({
  ...{ key, category: of, off: { basisPoints } },
  ...(skus && { skus }),
})
const money = (key: string, of: string, minor: bigint, skus?: string[]): Discount => ({
  ...{ key, category: of, off: { minor } },
  ...(skus && { skus }),
})
const told = (stacked: ReturnType<typeof stack>) => stacked.effects.map(({ key, reason }) => [key, reason])

test('a percentage is rounded once and split by largest remainder', () => {
  const { effects, left, total } = stack(cart, [percent('a', 'offer', 1250)], rules([category('offer', 1)]))
  expect(effects).toEqual([{ key: 'a', reason: 'APPLIED', amount: 250n, perLine: [125n, 42n, 83n] }])
  expect([left, total]).toEqual([[875n, 291n, 584n], 1750n])
})

test('the second percentage is of what the first left, or of the original, as its category says', () => {
  const both = [percent('a', 'offer', 1000), percent('b', 'coupon', 1000)]
  const running = stack(cart, both, rules([category('offer', 1), category('coupon', 2)]))
  const original = stack(
    cart,
    both,
    rules([category('offer', 1), category('coupon', 2, { onBase: 'ORIGINAL' })]),
  )
  expect([running.total, original.total]).toEqual([1620n, 1600n])
})

test.each([
  ['DOWN', 12n],
  ['UP', 13n],
  ['HALF_UP', 13n],
  ['HALF_EVEN', 12n],
] as const)('12.5 rounded %s is %s', (rounding, amount) => {
  const lines = [{ sku: 'soap', amount: 250n }]
  const { effects } = stack(lines, [percent('a', 'offer', 500)], rules([category('offer', 1)], { rounding }))
  expect(effects[0]?.amount).toBe(amount)
})

test('money for some articles leaves the others alone, and takes no more than there is', () => {
  const { left, effects } = stack(
    cart,
    [money('a', 'offer', 900n, ['lotion'])],
    rules([category('offer', 1)]),
  )
  expect(left).toEqual([1000n, 0n, 667n])
  expect(effects[0]?.amount).toBe(333n)
})

test('an exclusive category stands alone, and what it keeps out is told by whom', () => {
  const set = rules([category('staff', 1, { isExclusive: true }), category('coupon', 2)])
  const { effects, total } = stack(cart, [money('c', 'coupon', 1n), money('s', 'staff', 500n)], set)
  expect(total).toBe(1500n)
  expect(effects[1]).toMatchObject({ key: 'c', reason: 'EXCLUDED', excludedBy: 's', amount: 0n })
})

test('one of two categories saying so keeps them apart', () => {
  const set = rules([category('offer', 1), category('coupon', 2, { excludes: ['offer'] })])
  expect(told(stack(cart, [money('c', 'coupon', 5n), money('o', 'offer', 5n)], set))).toEqual([
    ['o', 'APPLIED'],
    ['c', 'EXCLUDED'],
  ])
})

test('what takes nothing off neither counts nor excludes', () => {
  const set = rules([category('staff', 1, { isExclusive: true }), category('coupon', 2)], { maxDiscounts: 1 })
  const given = [money('s', 'staff', 500n, ['ticket']), money('a', 'coupon', 9n), money('b', 'coupon', 7n)]
  expect(told(stack(cart, given, set))).toEqual([
    ['s', 'NO_EFFECT'],
    ['a', 'APPLIED'],
    ['b', 'TOO_MANY'],
  ])
})

test('a full category and an unknown one are told', () => {
  const set = rules([category('coupon', 1, { most: 1 })])
  const given = [money('a', 'coupon', 7n), money('b', 'coupon', 9n), money('x', 'gift', 9n)]
  expect(told(stack(cart, given, set))).toEqual([
    ['b', 'APPLIED'],
    ['a', 'CATEGORY_FULL'],
    ['x', 'UNKNOWN_CATEGORY'],
  ])
})

test('the floor holds, whatever is taken off', () => {
  const set = rules([category('offer', 1)], { floor: { minor: 100n, basisPoints: 1111 } })
  const { total } = stack(cart, [money('a', 'offer', 5000n)], set)
  expect(total).toBe(223n) // 11.11 % of 2,000 is 222.2; what must be paid is rounded up
})

const amounts = fc.bigInt({ min: 0n, max: 3000n })
const skus = ['soap', 'lotion', 'towel', 'cream']
const names = ['offer', 'coupon', 'staff', 'unknown']
const anyLines = fc.array(fc.record({ sku: fc.constantFrom(...skus), amount: amounts }), { maxLength: 5 })
const anyDiscounts = fc.uniqueArray(
  fc.record({
    key: fc.string({ minLength: 1, maxLength: 3 }),
    category: fc.constantFrom(...names),
    off: fc.oneof(
      fc.record({ minor: fc.bigInt({ min: 1n, max: 2000n }) }),
      fc.record({ basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
    ),
    skus: fc.option(fc.uniqueArray(fc.constantFrom(...skus), { minLength: 1 }), { nil: undefined }),
  }),
  { maxLength: 6, selector: ({ key }) => key },
)
const anyRules = fc.record({
  categories: fc.tuple(
    ...names.slice(0, 3).map((key) =>
      fc.record({
        key: fc.constant(key),
        order: fc.integer({ min: 0, max: 2 }),
        onBase: fc.constantFrom('ORIGINAL' as const, 'RUNNING' as const),
        isExclusive: fc.boolean(),
        excludes: fc.subarray(names.slice(0, 3)),
        most: fc.option(fc.integer({ min: 1, max: 3 })),
      }),
    ),
  ),
  maxDiscounts: fc.option(fc.integer({ min: 1, max: 4 })),
  floor: fc.record({
    minor: fc.bigInt({ min: 0n, max: 500n }),
    basisPoints: fc.integer({ min: 0, max: 3000 }),
  }),
  rounding: fc.constantFrom('DOWN' as const, 'UP' as const, 'HALF_UP' as const, 'HALF_EVEN' as const),
})

test('sums are exact, nothing is negative, the floor holds, and the order of asking decides nothing', () => {
  fc.assert(
    fc.property(anyLines, anyDiscounts, anyRules, fc.infiniteStream(fc.nat()), (lines, given, set, dice) => {
      const { effects, left, before, total } = stack(lines, given, set)
      const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n)
      expect(sum(effects.map(({ amount }) => amount)) + total).toBe(before)
      lines.forEach(({ amount }, i) => {
        expect(sum(effects.map(({ perLine }) => perLine[i] ?? -1n)) + (left[i] ?? -1n)).toBe(amount)
      })
      expect([...left, ...effects.flatMap(({ perLine }) => perLine)].every((part) => part >= 0n)).toBe(true)
      expect(effects.every(({ amount, perLine }) => amount === sum(perLine))).toBe(true)
      const least = set.floor.minor < before ? set.floor.minor : before
      expect(total >= least).toBe(true)
      const shuffled = given
        .map((discount) => ({ discount, at: dice.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ discount }) => discount)
      const again = stack(lines, shuffled, set)
      expect([again.left, again.total]).toEqual([left, total])
    }),
    { seed: 4, numRuns: 400 },
  )
})

test('it equals a model that counts coin by coin', () => {
  fc.assert(
    fc.property(anyLines, anyDiscounts, anyRules, (lines, given, set) => {
      const { effects, left } = stack(lines, given, set)
      const model = bruteForce(lines, given, set)
      const found = effects.map(({ key, reason, perLine }) => ({ key, reason, perLine: perLine.map(Number) }))
      expect(new Map(found.map((one) => [one.key, one]))).toEqual(model.effects)
      expect(left.map(Number)).toEqual(model.left)
    }),
    { seed: 9, numRuns: 600 },
  )
})
