import { z } from 'zod'
import { amountOrZero, bare, definePart, key, optional, readBody } from '../program/index.ts'
import type { StackRules } from './stack.ts'

const flag = optional(z.boolean())

const category = z.strictObject({
  key,
  order: z.int().min(0).max(1000),
  onBase: optional(z.enum(['ORIGINAL', 'RUNNING'])),
  isExclusive: flag,
  excludes: optional(z.array(key).max(30)),
  most: optional(z.int().min(1).max(30)),
})

const stacking = z
  .strictObject({
    categories: z
      .array(category)
      .min(1, 'must have 1 to 30 categories')
      .max(30, 'must have 1 to 30 categories')
      .refine((all) => new Set(all.map((one) => one.key)).size === all.length, 'must name each key once'),
    maxDiscounts: optional(z.int().min(1).max(30)),
    floor: optional(
      z.strictObject({ minor: optional(amountOrZero), basisPoints: optional(z.int().min(0).max(10_000)) }),
    ),
    rounding: optional(z.enum(['DOWN', 'UP', 'HALF_UP', 'HALF_EVEN'])),
  })
  .transform(bare)

/** Rules of stacking as definitions have them. */
export type StackingBody = z.infer<typeof stacking>

/** `stacking` of a program. What holds for purchases stands under the key `purchase`. */
export const stackingPart = definePart<StackingBody>({
  kind: 'stacking',
  section: 'stacking',
  read: (given, field) => readBody(stacking, given, field),
})

/** The key of the rules that hold for purchases. */
export const PURCHASE = 'purchase'

/** What holds while a tenant has said nothing: everything goes together, each after the other. */
const USUAL: StackingBody = {
  categories: ['offer', 'coupon', 'reward', 'benefit'].map((name, i) => ({ key: name, order: i })),
}

/** The rules to stack by; the usual ones without a definition. */
export function stackRules(body: StackingBody | undefined): StackRules {
  const { categories, maxDiscounts, floor, rounding } = body ?? USUAL
  return {
    categories: categories.map(({ onBase, isExclusive, excludes, most, ...rest }) => ({
      ...rest,
      onBase: onBase ?? 'RUNNING',
      isExclusive: isExclusive ?? false,
      excludes: excludes ?? [],
      most: most ?? null,
    })),
    maxDiscounts: maxDiscounts ?? null,
    floor: { minor: BigInt(floor?.minor ?? 0), basisPoints: floor?.basisPoints ?? 0 },
    rounding: rounding ?? 'DOWN',
  }
}
