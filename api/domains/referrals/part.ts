import { z } from 'zod'
import { Benefit } from '../benefits/index.ts'
import {
  amount,
  bare,
  definePart,
  duration,
  instant,
  key,
  moneyCurrency,
  optional,
  readBody,
  text,
} from '../program/index.ts'

const count = (most: number) => z.int().min(1, 'must be 1 or more').max(most, `must be at most ${most}`)

const one = (given: object) => Object.values(given).filter((each) => each !== undefined).length === 1

const Program = z
  .strictObject({
    name: text,
    benefits: z
      .strictObject({ referrer: optional(Benefit), friend: optional(Benefit) })
      .refine(({ referrer, friend }) => referrer || friend, 'must give something to one side at least'),
    qualifying: z
      .strictObject({
        firstPurchase: optional(z.strictObject({ atLeast: amount, currency: moneyCurrency })),
        nthPurchase: optional(count(100)),
        activity: optional(key),
      })
      .refine(one, 'must have exactly one of firstPurchase, nthPurchase, activity'),
    hold: optional(duration),
    newFor: optional(duration),
    limits: optional(
      z.strictObject({
        perReferrer: optional(
          z.strictObject({
            limit: count(1_000_000),
            period: optional(z.enum(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'])),
          }),
        ),
        velocity: optional(z.strictObject({ claims: count(1_000_000), within: duration })),
      }),
    ),
    window: optional(
      z
        .strictObject({ from: optional(instant), until: optional(instant) })
        .refine(({ from, until }) => !from || !until || from < until, 'must begin before it ends'),
    ),
  })
  .transform(bare)

/** A referral program as its definition has it. */
export type ReferralProgramBody = z.infer<typeof Program>

/** Referral programs, as the program keeps them. */
export const referralProgramPart = definePart<ReferralProgramBody>({
  kind: 'referralProgram',
  section: 'referralPrograms',
  read: (given, field) => readBody(Program, given, field),
})
