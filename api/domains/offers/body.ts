import { z } from 'zod'
import { Benefit } from '../benefits/index.ts'
import {
  amount,
  amountOrZero,
  bare,
  definePart,
  duration,
  instant,
  moneyCurrency,
  optional,
  readBody,
  text,
} from '../program/index.ts'

const word = z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'must be 1 to 100 letters, digits, hyphens, dots')
const name = z.string().min(1, 'must not be empty').max(100, 'must have at most 100 characters')
const names = optional(z.array(name).min(1, 'must name at least one').max(100, 'must name at most 100'))

/** Money without a currency is in that of the purchase which completes the offer. */
const AnyMoney = z.strictObject({ money: z.strictObject({ amount }) })

const OfferBenefit = z.unknown().transform((given, context): object => {
  const read = (isMoneyAlone(given) ? AnyMoney : Benefit).safeParse(given)
  if (read.success) return bare(read.data)
  for (const { path, message } of read.error.issues) context.addIssue({ code: 'custom', path, message })
  return z.NEVER
})

function isMoneyAlone(given: unknown): boolean {
  const money = (given as { money?: { currency?: unknown } | null } | null)?.money
  return typeof money === 'object' && money !== null && money.currency == null
}

const Fields = z.strictObject({
  name: optional(text),
  type: z.enum(
    ['SPEND_TOTAL', 'SINGLE_PURCHASE', 'PRODUCT_SET', 'INFORMATION'],
    'must be one of SPEND_TOTAL, SINGLE_PURCHASE, PRODUCT_SET, INFORMATION',
  ),
  threshold: optional(amountOrZero.refine((digits) => digits.length <= 15, 'must be below 10^15')),
  thresholdIs: optional(z.enum(['AT_LEAST', 'ABOVE'], 'must be AT_LEAST or ABOVE')),
  currency: optional(moneyCurrency),
  skus: names,
  labels: names,
  needed: optional(z.int().min(1).max(200)),
  benefits: optional(z.array(OfferBenefit).max(10, 'must be at most 10')),
  validFor: optional(duration),
  from: optional(instant),
  until: optional(instant),
  endIs: optional(z.enum(['INCLUSIVE', 'EXCLUSIVE'], 'must be INCLUSIVE or EXCLUSIVE')),
  audience: optional(z.unknown()),
  stock: optional(z.int().min(0).max(1_000_000_000)),
  perMember: optional(z.int().min(1).max(1_000_000)),
  howGiven: optional(
    z.enum(['RECEIVED', 'CLAIMED', 'ON_STAGE'], 'must be one of RECEIVED, CLAIMED, ON_STAGE'),
  ),
  stages: optional(z.array(word).min(1).max(20)),
  label: optional(word),
  campaign: optional(name),
})

type Given = z.infer<typeof Fields>

/** What holds between the fields, by the field to mend. */
const RULES: readonly (readonly [field: string, isBroken: (offer: Given) => boolean, message: string])[] = [
  ['threshold', (o) => hasThreshold(o) && o.threshold === undefined, 'is needed for this type of offer'],
  [
    'threshold',
    (o) => !hasThreshold(o) && o.threshold !== undefined,
    'has no meaning for this type of offer',
  ],
  [
    'thresholdIs',
    (o) => !hasThreshold(o) && o.thresholdIs !== undefined,
    'has no meaning without a threshold',
  ],
  ['currency', (o) => !hasThreshold(o) && o.currency !== undefined, 'has no meaning without a threshold'],
  ['skus', (o) => o.type === 'PRODUCT_SET' && items(o) === 0, 'or labels are needed for a set of products'],
  ['skus', (o) => o.type !== 'PRODUCT_SET' && items(o) > 0, 'and labels are of sets of products alone'],
  ['needed', (o) => o.needed !== undefined && o.needed > items(o), 'is more than the set has'],
  ['until', (o) => o.from !== undefined && o.until !== undefined && o.until <= o.from, 'must lie after from'],
  ['stages', (o) => (o.howGiven === 'ON_STAGE') !== (o.stages !== undefined), 'go with howGiven ON_STAGE'],
]

function hasThreshold({ type }: Given): boolean {
  return type === 'SPEND_TOTAL' || type === 'SINGLE_PURCHASE'
}

function items({ skus = [], labels = [] }: Given): number {
  return skus.length + labels.length
}

const OfferBody = Fields.superRefine((offer, context) => {
  for (const [field, isBroken, message] of RULES) {
    if (isBroken(offer)) context.addIssue({ code: 'custom', path: [field], message })
  }
}).transform((offer) =>
  // What is usual is written out, so that the same offer is the same body.
  bare({
    ...offer,
    ...(hasThreshold(offer) && { thresholdIs: offer.thresholdIs ?? 'AT_LEAST' }),
    endIs: offer.endIs ?? 'EXCLUSIVE',
    howGiven: offer.howGiven ?? 'RECEIVED',
    benefits: offer.benefits ?? [],
  }),
)

/** An offer as it is stored: what it asks for, what it is worth, who gets it and until when. */
export type OfferBody = z.infer<typeof OfferBody>

/** Offers as a part of the program. */
export const offerPart = definePart<OfferBody>({
  kind: 'offer',
  section: 'offers',
  read: (given, field) => readBody(OfferBody, given, field),
  audiences: ({ audience }) => ({ audience }),
})
