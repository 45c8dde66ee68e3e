import { z } from 'zod'
import {
  amountOrZero,
  bare,
  definePart,
  instant,
  moneyCurrency,
  optional,
  readBody,
  text,
} from '../program/index.ts'

/** The most articles on one list. */
export const MOST_PRICES = 5_000

const sku = z.string().min(1, 'must have 1 to 100 characters').max(100, 'must have 1 to 100 characters')
const price = z.strictObject({ sku, price: amountOrZero })

const byArticle = z.record(sku, amountOrZero)
const listed = z
  .array(price)
  .refine((all) => new Set(all.map((one) => one.sku)).size === all.length, 'must name each sku once')
  .transform((all) => Object.fromEntries(all.map((one) => [one.sku, one.price])))

/** By article, as stored; a list of articles with their prices is taken as well. */
const prices = z
  .unknown()
  .transform((given, context): Record<string, string> => {
    const read = (Array.isArray(given) ? listed : byArticle).safeParse(given)
    if (read.success) return read.data
    for (const { path, message } of read.error.issues) context.addIssue({ code: 'custom', path, message })
    return z.NEVER
  })
  .refine(
    (all) => Object.keys(all).length >= 1 && Object.keys(all).length <= MOST_PRICES,
    `must have 1 to ${MOST_PRICES} prices`,
  )

const priceList = z
  .strictObject({
    name: text,
    currency: moneyCurrency,
    audience: optional(z.json()),
    from: optional(instant),
    until: optional(instant),
    priority: optional(z.int().min(0).max(1000)),
    isTaxIncluded: optional(z.boolean()),
    prices,
  })
  .refine(({ from, until }) => from === undefined || until === undefined || from < until, {
    path: ['until'],
    message: 'must lie after from',
  })
  .transform(bare)

/** A price list as definitions have it. */
export type PriceListBody = z.infer<typeof priceList>

/** `priceLists` of a program. */
export const priceListPart = definePart<PriceListBody>({
  kind: 'priceList',
  section: 'priceLists',
  read: (given, field) => readBody(priceList, given, field),
  audiences: ({ audience }) => ({ audience }),
})
