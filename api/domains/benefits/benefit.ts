import { z } from 'zod'
import { expiryPolicy, pendingRule } from '../points/index.ts'
import { amount, bare, duration, key, moneyCurrency, optional, pointsCurrency } from '../program/index.ts'

/** What a member can be given. One of four kinds; only the first is about points. */
export const Benefit = z
  .strictObject(
    {
      points: optional(
        z.strictObject({
          amount,
          currency: optional(pointsCurrency),
          pending: optional(pendingRule),
          expiry: optional(expiryPolicy),
        }),
      ),
      entitlement: optional(
        z.strictObject({
          key,
          quota: optional(z.int().min(1).max(1_000_000)),
          validFor: optional(duration),
        }),
      ),
      money: optional(z.strictObject({ amount, currency: moneyCurrency })),
      percent: optional(z.strictObject({ basisPoints: z.int().min(1).max(10_000) })),
    },
    'must be an object with one of points, entitlement, money, percent',
  )
  .refine(
    (benefit) => Object.values(benefit).filter((kind) => kind !== undefined).length === 1,
    'must have exactly one of points, entitlement, money, percent',
  )
  .transform(bare)

/** A benefit as bodies of definitions have it, and as benefit_give takes it. */
export type Benefit = z.infer<typeof Benefit>
