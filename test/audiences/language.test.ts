import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compileRule,
  definePredicate,
  parseRule,
  readRule,
  registerPredicates,
  scopesOf,
  sql,
} from '../../api/domains/audiences/index.ts'
import { freshnessBandPredicate, stagePredicate } from '../../api/domains/lifecycle/audience.ts'
import { attributePredicate, membershipPredicate } from '../../api/domains/members/audience.ts'
import { purchasesPredicate } from '../../api/domains/purchases/audience.ts'
import { BadInputError } from '../../api/platform/errors/index.ts'

registerPredicates(
  membershipPredicate,
  attributePredicate,
  stagePredicate,
  freshnessBandPredicate,
  purchasesPredicate,
)

/** The refusal of a rule: its field and its words. */
function refusal(rule: unknown): [field: string, message: string] | undefined {
  try {
    parseRule(rule, 'filter')
  } catch (error) {
    if (error instanceof BadInputError) return [error.field, error.message]
    throw error
  }
}

const nested = (depth: number, inside: unknown): unknown =>
  depth === 0 ? inside : { not: nested(depth - 1, inside) }
const stage = { stage: ['customer'] }

describe('A rule is refused, with its place and what would be right,', () => {
  const words = 'all, any, not, attribute, freshnessBand, membership, purchases, stage'
  test.each([
    [null, 'filter', `filter must be an audience rule: an object with one of ${words}.`],
    [[stage], 'filter', `filter must be an audience rule: an object with one of ${words}.`],
    [{}, 'filter', `filter must have exactly one of ${words}.`],
    [{ stage: null }, 'filter', `filter must have exactly one of ${words}.`],
    [{ ...stage, any: [] }, 'filter', `filter must have exactly one of ${words}.`],
    [
      { all: [stage, { weather: 'fine' }] },
      'filter.all.1',
      `filter.all.1 must have exactly one of ${words}.`,
    ],
    [{ constructor: [] }, 'filter', `filter must have exactly one of ${words}.`],
    [{ any: stage }, 'filter.any', 'filter.any must be a list of audience rules.'],
    [
      { not: { membership: ['GONE'] } },
      'filter.not.membership.0',
      'filter.not.membership.0 must be one of ACTIVE, PAUSED, ENDED.',
    ],
    [
      { freshnessBand: ['ROTTEN'] },
      'filter.freshnessBand.0',
      'filter.freshnessBand.0 must be one of FRESH, COOLING, STALE, COLD.',
    ],
    [{ stage: ['a', ''] }, 'filter.stage.1', 'filter.stage.1 must be text of 1 to 200 characters.'],
    [{ stage: Array(101).fill('a') }, 'filter.stage', 'filter.stage has at most 100 values.'],
  ])('%#', (rule, field, message) => {
    expect(refusal(rule)).toEqual([field, message])
  })
})

describe('A rule on an attribute is refused', () => {
  const shape = 'filter.attribute must have equals, or in, or atLeast and atMost, or one of these two.'
  const name = 'age'
  test.each([
    ['without a comparison', { name }, 'filter.attribute', shape],
    ['that compares with nothing', { name, equals: null }, 'filter.attribute', shape],
    ['with two kinds of comparison', { name, equals: 1, atLeast: 1 }, 'filter.attribute', shape],
    [
      'without a name',
      { equals: 1 },
      'filter.attribute.name',
      'filter.attribute.name must be text of 1 to 200 characters.',
    ],
    [
      'with a word it does not know',
      { name, like: '%' },
      'filter.attribute',
      'filter.attribute knows only name, equals, in, atLeast, atMost.',
    ],
    [
      'that equals a list',
      { name, equals: [1] },
      'filter.attribute.equals',
      'filter.attribute.equals must be a number, true, false, or text of at most 200 characters.',
    ],
    [
      'with an object among the values',
      { name, in: [1, {}] },
      'filter.attribute.in.1',
      'filter.attribute.in.1 must be a number, true, false, or text of at most 200 characters.',
    ],
    [
      'bounded by a truth value',
      { name, atLeast: true },
      'filter.attribute.atLeast',
      'filter.attribute.atLeast must be a number, or text of at most 200 characters.',
    ],
    [
      'with bounds of two types',
      { name, atLeast: 1, atMost: '9' },
      'filter.attribute.atMost',
      'filter.attribute.atLeast and atMost must both be numbers or both be text.',
    ],
    [
      'with a number that JSON has not',
      { name, atLeast: Number.NaN },
      'filter.attribute.atLeast',
      'filter.attribute.atLeast must be a number, true, false, or text of at most 200 characters.',
    ],
    [
      'with a zero character',
      { name, equals: 'a\0b' },
      'filter.attribute.equals',
      'filter.attribute.equals must be a number, true, false, or text of at most 200 characters.',
    ],
    [
      'with half a character',
      { name: '\ud800', equals: 1 },
      'filter.attribute.name',
      'filter.attribute.name must be text of 1 to 200 characters.',
    ],
  ])('%s', (_, attribute, field, message) => {
    expect(refusal({ attribute })).toEqual([field, message])
  })
})

describe('A rule on purchases is refused', () => {
  const within =
    'filter.purchases.within must be a length of time in ISO 8601 of at most 100 years, such as P30D.'
  test.each([
    [
      'without a count',
      { sku: 'A' },
      'filter.purchases',
      'filter.purchases must have atLeast, atMost, or both.',
    ],
    [
      'with a negative count',
      { atLeast: -1 },
      'filter.purchases.atLeast',
      'filter.purchases.atLeast must be a whole number, zero or more.',
    ],
    [
      'with half a purchase',
      { atMost: 0.5 },
      'filter.purchases.atMost',
      'filter.purchases.atMost must be a whole number, zero or more.',
    ],
    [
      'with crossed bounds',
      { atLeast: 2, atMost: 1 },
      'filter.purchases.atMost',
      'filter.purchases.atMost must not be below atLeast.',
    ],
    ['within no time', { atLeast: 1, within: 'P0D' }, 'filter.purchases.within', within],
    ['within a thousand years', { atLeast: 1, within: 'P999Y' }, 'filter.purchases.within', within],
    ['within what is no time', { atLeast: 1, within: "P1D' or true" }, 'filter.purchases.within', within],
    ['within a month of nothing', { atLeast: 1, within: 'PT' }, 'filter.purchases.within', within],
  ])('%s', (_, purchases, field, message) => {
    expect(refusal({ purchases })).toEqual([field, message])
  })
})

describe('The language', () => {
  test('nests ten deep and no deeper', () => {
    expect(refusal(nested(9, stage))).toBeUndefined()
    expect(refusal(nested(10, stage))).toEqual(['filter', 'An audience rule nests at most 10 deep.'])
    expect(refusal(nested(5_000, stage))).toEqual(['filter', 'An audience rule nests at most 10 deep.'])
  })

  test('takes a hundred parts and no more', () => {
    expect(refusal({ any: Array(99).fill(stage) })).toBeUndefined()
    expect(refusal({ any: Array(100).fill(stage) })).toEqual([
      'filter',
      'An audience rule has at most 100 parts.',
    ])
  })

  test('tells which scopes a rule needs', () => {
    const rule = parseRule({ any: [stage, { not: { purchases: { atLeast: 1 } } }] }, 'filter')
    expect([...scopesOf(rule)].sort()).toEqual(['members:read', 'purchases:read'])
    expect([...scopesOf(parseRule({ all: [] }, 'filter'))]).toEqual([])
  })

  test('knows a stored rule by its version', () => {
    const stored = { version: 2, rule: stage } as unknown as Parameters<typeof readRule>[0] // as a later product would
    expect(() => readRule(stored)).toThrow(TypeError)
  })

  test('has one meaning for each word', () => {
    const twin = definePredicate({ name: 'stage', scope: 'x', parse: () => null, compile: () => sql`true` })
    expect(() => registerPredicates(twin)).toThrow('there are two predicates named stage')
    expect(() => registerPredicates(stagePredicate)).not.toThrow()
  })

  test('numbers its placeholders from where it is told, one for each value', () => {
    const { text, values } = compileRule(parseRule({ all: [stage, { membership: ['ACTIVE'] }] }, 'filter'), 4)
    expect(text.match(/\$\d+/g)).toEqual(['$4', '$5'])
    expect(values).toEqual([['customer'], ['ACTIVE']])
  })
})

describe('What a caller writes', () => {
  const evil = fc.oneof(
    fc.constantFrom(
      "'; drop table member; --",
      '$1',
      "') or ('1'='1",
      '\\',
      'own(m)',
      '"',
      '/*',
      '%',
      '{}',
      '[0]',
    ),
    fc.string({ minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  )
  const rules = (text: string): object[] => [
    { stage: [text, text] },
    { attribute: { name: text, equals: text } },
    { attribute: { name: text, in: [text] } },
    { attribute: { name: text, atLeast: text, atMost: text } },
    { purchases: { atLeast: 2, atMost: 3, within: 'P1M', sku: text } },
  ]
  const plain = rules('plain').map((rule) => compileRule(parseRule(rule, 'filter')).text)

  test('is never part of the SQL', () => {
    fc.assert(
      fc.property(evil, (text) => {
        fc.pre(refusal({ stage: [text] }) === undefined)
        const texts = rules(text).map((rule) => compileRule(parseRule(rule, 'filter')).text)
        expect(texts).toEqual(plain)
      }),
    )
  })
})
