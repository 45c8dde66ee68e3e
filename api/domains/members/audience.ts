/** What the audience language can ask of members themselves. */
import { BadInputError } from '../../platform/errors/index.ts'
import {
  definePredicate,
  type Fragment,
  isStorable,
  joined,
  listOf,
  objectOf,
  oneOf,
  sql,
  word,
} from '../audiences/index.ts'

const STATUSES = ['ACTIVE', 'PAUSED', 'ENDED'] as const

/** `{ "membership": ["ACTIVE"] }`: the standing is one of these. */
export const membershipPredicate = definePredicate({
  name: 'membership',
  scope: 'members:read',
  parse: (value, field) => listOf(value, field, oneOf(STATUSES)),
  compile: (statuses) => sql`m.membership = any(${statuses}::text[])`,
})

type Bound = string | number
type Scalar = Bound | boolean

interface AttributeRule {
  readonly name: string
  readonly equals?: Scalar
  readonly in?: readonly Scalar[]
  readonly atLeast?: Bound
  readonly atMost?: Bound
}

/**
 * `{ "attribute": { "name": "age", "atLeast": 18, "atMost": 65 } }`: equals, in, or one or both bounds. Values
 * compare as JSON does: 5 is 5.0 and never "5"; bounds apply to values of their own type, text by code points.
 * A member without the attribute does not match.
 */
export const attributePredicate = definePredicate({
  name: 'attribute',
  scope: 'members:read',
  parse: parseAttribute,
  compile({ name, equals, in: values, atLeast, atMost }: AttributeRule) {
    if (equals !== undefined) return sql`m.attributes @> ${JSON.stringify({ [name]: equals })}::jsonb`
    if (values) {
      return sql`m.attributes -> ${name}::text = any(${values.map((v) => JSON.stringify(v))}::text[]::jsonb[])`
    }
    const isOfType = sql`jsonb_typeof(m.attributes -> ${name}::text) = ${typeof (atLeast ?? atMost)}::text`
    const isAbove = atLeast === undefined ? [] : [compared(name, sql`>=`, atLeast)]
    const isBelow = atMost === undefined ? [] : [compared(name, sql`<=`, atMost)]
    return joined([isOfType, ...isAbove, ...isBelow], 'and', sql`true`)
  },
})

function parseAttribute(value: unknown, field: string): AttributeRule {
  const given = objectOf(value, field, ['name', 'equals', 'in', 'atLeast', 'atMost'])
  const name = word(given.name, `${field}.name`)
  const hasBounds = given.atLeast !== undefined || given.atMost !== undefined
  if ([given.equals !== undefined, given.in !== undefined, hasBounds].filter(Boolean).length !== 1) {
    throw new BadInputError(
      field,
      `${field} must have equals, or in, or atLeast and atMost, or one of these two.`,
    )
  }
  if (given.equals !== undefined) return { name, equals: scalar(given.equals, `${field}.equals`) }
  if (given.in !== undefined) return { name, in: listOf(given.in, `${field}.in`, scalar) }
  const rule = {
    name,
    ...(given.atLeast === undefined ? {} : { atLeast: bound(given.atLeast, `${field}.atLeast`) }),
    ...(given.atMost === undefined ? {} : { atMost: bound(given.atMost, `${field}.atMost`) }),
  }
  if (rule.atLeast !== undefined && rule.atMost !== undefined && typeof rule.atLeast !== typeof rule.atMost) {
    throw new BadInputError(
      `${field}.atMost`,
      `${field}.atLeast and atMost must both be numbers or both be text.`,
    )
  }
  return rule
}

/** Numbers compare as jsonb does: a cast could meet text before anyone looked at the type. */
function compared(name: string, operator: Fragment, bound: Bound): Fragment {
  return typeof bound === 'number'
    ? sql`(m.attributes -> ${name}::text) ${operator} ${JSON.stringify(bound)}::jsonb`
    : sql`(m.attributes ->> ${name}::text) collate "C" ${operator} ${bound}::text`
}

function scalar(value: unknown, field: string): Scalar {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'string' && isStorable(value)) return value
  throw new BadInputError(field, `${field} must be a number, true, false, or text of at most 200 characters.`)
}

function bound(value: unknown, field: string): Bound {
  const checked = scalar(value, field)
  if (typeof checked !== 'boolean') return checked
  throw new BadInputError(field, `${field} must be a number, or text of at most 200 characters.`)
}
