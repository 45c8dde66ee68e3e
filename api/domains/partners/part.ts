import { z } from 'zod'
import {
  amount,
  amountOrZero,
  bare,
  definePart,
  moneyCurrency,
  optional,
  pointsCurrency,
  readBody,
  text,
} from '../program/index.ts'

const body = z
  .strictObject({
    name: text,
    earn: optional(z.strictObject({ minor: amount, points: amount, money: moneyCurrency })),
    canBurn: optional(z.boolean()),
    currency: optional(pointsCurrency),
    settlement: z.strictObject({
      money: moneyCurrency,
      issuedMicro: amountOrZero,
      burnedMicro: amountOrZero,
    }),
  })
  .refine(({ earn, canBurn }) => earn || canBurn, {
    path: ['earn'],
    message: 'a partner has earn, or canBurn, or both',
  })
  .transform(bare)

/** What a partner is: what is earned and spent there, and what the two owe one another for it. */
export type PartnerBody = z.infer<typeof body>

/** `partners` of a program. */
export const partnerPart = definePart<PartnerBody>({
  kind: 'partner',
  section: 'partners',
  read: (given, field) => readBody(body, given, field),
})
