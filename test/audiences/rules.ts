/** Any rule of the audience language, as JSON. */
import fc from 'fast-check'
import { BANDS } from '../../api/domains/lifecycle/freshness.ts'
import { HOURS, type Json, NAMES, SKUS, STAGES, VALUES } from './people.ts'

const some = <Value>(values: readonly Value[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 })
const value = fc.constantFrom(...VALUES)
const name = fc.constantFrom(...NAMES)
const numbers = fc.constantFrom(...VALUES.filter((each) => typeof each === 'number'))
const texts = fc.constantFrom(...VALUES.filter((each) => typeof each === 'string'))
const bounds = fc.oneof(
  fc.record({ name, atLeast: numbers, atMost: numbers }, { requiredKeys: ['name'] }),
  fc.record({ name, atLeast: texts, atMost: texts }, { requiredKeys: ['name'] }),
)
const counts = fc
  .record(
    {
      atLeast: fc.nat(3),
      atMost: fc.nat(3),
      within: fc.constantFrom(...Object.keys(HOURS)),
      sku: fc.constantFrom(...SKUS, 'NEVER SEEN'),
    },
    { requiredKeys: ['atLeast'] },
  )
  .filter(({ atLeast, atMost = atLeast }) => atLeast <= atMost)

/** Any rule that asks one thing. */
export const anyPredicate: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ membership: some(['ACTIVE', 'PAUSED', 'ENDED']) }),
  fc.record({ stage: some([...STAGES, 'nowhere']) }),
  fc.record({ freshnessBand: some(BANDS) }),
  fc.record({ attribute: fc.record({ name, equals: value }) }),
  fc.record({ attribute: fc.record({ name, in: some(VALUES) }) }),
  fc.record({ attribute: bounds.filter((each) => 'atLeast' in each || 'atMost' in each) }),
  fc.record({ purchases: counts }),
  fc.record({
    purchases: counts.map(({ atLeast, ...rest }) => ({ ...rest, atMost: rest.atMost ?? atLeast })),
  }),
)

const { rule } = fc.letrec<{ rule: Json }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    anyPredicate,
    fc.record({ all: fc.array(tie('rule'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('rule'), { maxLength: 3 }) }),
    fc.record({ not: tie('rule') }),
  ),
}))

/** Any rule. */
export const anyRule = rule
