import { z } from 'zod'
import type { Tx } from '../../platform/db.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { parseRule, storedRule } from '../audiences/index.ts'
import {
  amount,
  bare,
  definePart,
  duration,
  instant,
  key,
  moneyCurrency,
  optional,
  pointsCurrency,
  publish,
  readBody,
  text,
} from '../program/index.ts'
import { formulaFault } from './formula.ts'
import { expiryPolicy, pendingRule } from './policies.ts'

const period = z.enum(['DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER'])
const isOneOf = (given: object) => Object.values(given).filter((value) => value != null).length === 1
const yes = optional(z.literal(true, 'must be true, or left out'))

/** By how much points are multiplied: a decimal, stored as text. */
const factor = z
  .union([z.string(), z.number()], 'must be a decimal above zero such as 1.5')
  .transform(String)
  .refine(
    (by) => /^(0|[1-9]\d{0,3})(\.\d{1,4})?$/.test(by) && Number(by) > 0,
    'must be a decimal above zero with up to 4 decimals, such as 1.5',
  )
  .transform((by) => (by.includes('.') ? by.replace(/\.?0+$/, '') : by))

const source = z
  .strictObject({
    purchase: yes,
    line: yes,
    label: optional(key),
    activity: optional(key),
    stage: optional(key),
    segment: optional(key),
  })
  .refine(isOneOf, 'must have exactly one of purchase, line, label, activity, stage, segment')

const points = z
  .strictObject({
    fixed: optional(amount),
    per: optional(z.strictObject({ minor: amount, points: amount })),
    formula: optional(z.string().trim()),
  })
  .refine(isOneOf, 'must have exactly one of fixed, per, formula')

const bodySchema = z
  .strictObject({
    name: text,
    on: source,
    points,
    multipliers: optional(z.array(z.strictObject({ by: factor, when: z.unknown().optional() })).max(20)),
    rounding: optional(z.enum(['DOWN', 'UP', 'HALF_UP', 'HALF_EVEN'])),
    audience: z.unknown().optional(),
    window: optional(
      z
        .strictObject({ from: optional(instant), until: optional(instant) })
        .refine(({ from, until }) => !from || !until || from < until, 'must end after it begins'),
    ),
    purchaseCurrency: optional(moneyCurrency),
    caps: optional(z.strictObject({ perMember: z.strictObject({ points: amount, per: period }) })),
    cooldown: optional(duration),
    maxTimes: optional(z.strictObject({ times: z.int().min(1).max(1_000_000), per: period })),
    budget: optional(amount),
    group: optional(key),
    match: optional(z.enum(['FIRST', 'ALL'])),
    order: optional(z.int().min(-1_000).max(1_000)),
    currency: optional(pointsCurrency),
    pending: optional(pendingRule),
    expiry: optional(expiryPolicy),
    priority: optional(z.int().min(0).max(100)),
    class: optional(z.enum(['PROMOTIONAL', 'EARNED'])),
  })
  .refine(({ match, group }) => match !== 'FIRST' || group !== undefined, {
    path: ['group'],
    message: 'must be given for a rule that is FIRST of its group',
  })

/** An earn rule as its definition says it; docs/loyalty.md tells what it means. */
export type EarnRuleBody = z.infer<typeof bodySchema>

/** `earnRules` of the program, by key: what facts give in points. */
export const earnRulePart = definePart<EarnRuleBody>({
  kind: 'earnRule',
  section: 'earnRules',
  read(given, field) {
    const body = readBody(bodySchema, given, field)
    checkFormula(body, field)
    return bare({
      ...body,
      audience: ruleOf(body.audience, `${field}.audience`),
      multipliers: body.multipliers?.map(({ by, when }, i) => ({
        by,
        when: ruleOf(when, `${field}.multipliers.${i}.when`),
      })),
    })
  },
  audiences: ({ audience, multipliers = [] }) => ({
    audience,
    ...Object.fromEntries(multipliers.map(({ when }, i) => [`multipliers.${i}`, when])),
  }),
})

/** The checked rule as JSON; undefined for everybody. */
function ruleOf(given: unknown, field: string): unknown {
  return given == null ? undefined : storedRule(parseRule(given, field)).rule
}

const OF_PURCHASES = ['total', 'amount', 'quantity'] as const

function checkFormula({ on, points: { formula } }: EarnRuleBody, field: string): void {
  if (formula === undefined) return
  const at = `${field}.points.formula`
  if (on.stage !== undefined || on.segment !== undefined)
    throw new BadInputError(at, `${at}: there is nothing to compute with here; give fixed points.`)
  const fault = formulaFault(formula, on.activity === undefined ? OF_PURCHASES : undefined)
  if (fault) throw new BadInputError(at, `${at} ${fault}.`)
}

const labelSchema = z.strictObject({
  name: optional(text),
  skus: z.array(z.string().trim().min(1).max(100)).min(1).max(5_000),
})

/** A label of products. */
export type LabelBody = z.infer<typeof labelSchema>

/** `labels` of the program, by key: which products carry them. */
export const labelPart = definePart<LabelBody>({
  kind: 'label',
  section: 'labels',
  read(given, field) {
    const { name, skus } = readBody(labelSchema, given, field)
    return bare({ name, skus: [...new Set(skus)].sort() })
  },
})

/** Puts an earn rule in force. Throws BadInputError. */
export async function defineEarnRule(tx: Tx, key: string, body: EarnRuleBody, actor: string) {
  return publish(tx, [{ kind: 'earnRule', key, body }], { actor })
}

/** Puts a label in force. */
export async function defineLabel(tx: Tx, key: string, body: LabelBody, actor: string) {
  return publish(tx, [{ kind: 'label', key, body }], { actor })
}

/** A key that came from outside. Throws BadInputError naming the field. */
export function definitionKey(given: string, field: string): string {
  const read = key.safeParse(given)
  if (read.success) return read.data
  throw new BadInputError(field, `${field} ${read.error.issues[0]?.message ?? 'is wrong'}.`)
}
