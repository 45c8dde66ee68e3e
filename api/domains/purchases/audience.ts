/** What the audience language can ask of a member's purchases. */
import { BadInputError } from '../../platform/errors/index.ts'
import { count, definePredicate, now, objectOf, sql, word } from '../audiences/index.ts'

interface CountRule {
  readonly atLeast?: number
  readonly atMost?: number
  /** ISO 8601. */
  readonly within?: string
  readonly sku?: string
}

/**
 * `{ "purchases": { "atLeast": 2, "within": "P90D", "sku": "LOTION" } }`: how many purchases stand. Fully refunded
 * ones do not count; with a sku, neither do those of which that line was given back whole.
 */
export const purchasesPredicate = definePredicate({
  name: 'purchases',
  scope: 'purchases:read',
  parse: parseCount,
  compile({ atLeast, atMost, within, sku }: CountRule) {
    const isRecent = within
      ? sql` and p.purchased_at >= (${now} at time zone 'UTC' - ${within}::interval) at time zone 'UTC'`
      : sql``
    const hasLine = sku
      ? sql` and exists (select from purchase_line l where l.tenant_id = p.tenant_id and l.purchase_id = p.id
               and l.sku = ${sku}::text and l.refunded_quantity < l.quantity)`
      : sql``
    const purchases = sql`from purchase p where p.tenant_id = m.tenant_id and p.member_id = m.id
      and p.state <> 'REFUNDED'${isRecent}${hasLine}`
    if (atMost === undefined) return atLeast === 1 ? sql`exists (select ${purchases})` : enough(atLeast ?? 0)
    const tooMany = sql`(select count(*) from (select ${purchases} limit ${atMost + 1}::bigint) counted) > ${atMost}::bigint`
    return atLeast === undefined ? sql`not ${tooMany}` : sql`${enough(atLeast)} and not ${tooMany}`

    // No need to count further than the rule can tell apart.
    function enough(least: number) {
      return sql`(select count(*) from (select ${purchases} limit ${least}::bigint) counted) >= ${least}::bigint`
    }
  },
})

interface SpentRule {
  readonly currency: string
  /** Minor units. */
  readonly atLeast: number
  /** ISO 8601. */
  readonly within?: string
}

/** `{ "spent": { "currency": "JPY", "atLeast": 50000, "within": "P1Y" } }`: paid so much, less what was given back. */
export const spentPredicate = definePredicate({
  name: 'spent',
  scope: 'purchases:read',
  parse(value: unknown, field: string): SpentRule {
    const given = objectOf(value, field, ['currency', 'atLeast', 'within'])
    const currency = word(given.currency, `${field}.currency`)
    if (!/^[A-Z]{3}$/.test(currency)) {
      throw new BadInputError(
        `${field}.currency`,
        `${field}.currency must be a code of ISO 4217, such as JPY.`,
      )
    }
    const atLeast = count(given.atLeast, `${field}.atLeast`)
    if (atLeast === 0) throw new BadInputError(`${field}.atLeast`, `${field}.atLeast must be 1 or more.`)
    return {
      currency,
      atLeast,
      ...(given.within === undefined ? {} : { within: duration(given.within, `${field}.within`) }),
    }
  },
  compile({ currency, atLeast, within }) {
    const isRecent = within
      ? sql` and p.purchased_at >= (${now} at time zone 'UTC' - ${within}::interval) at time zone 'UTC'`
      : sql``
    return sql`(select coalesce(sum(p.total - p.refunded), 0) from purchase p where p.tenant_id = m.tenant_id
      and p.member_id = m.id and p.currency = ${currency}::text${isRecent}) >= ${atLeast}::bigint`
  },
})

function parseCount(value: unknown, field: string): CountRule {
  const given = objectOf(value, field, ['atLeast', 'atMost', 'within', 'sku'])
  if (given.atLeast === undefined && given.atMost === undefined) {
    throw new BadInputError(field, `${field} must have atLeast, atMost, or both.`)
  }
  const rule = {
    ...(given.atLeast === undefined ? {} : { atLeast: count(given.atLeast, `${field}.atLeast`) }),
    ...(given.atMost === undefined ? {} : { atMost: count(given.atMost, `${field}.atMost`) }),
    ...(given.within === undefined ? {} : { within: duration(given.within, `${field}.within`) }),
    ...(given.sku === undefined ? {} : { sku: word(given.sku, `${field}.sku`) }),
  }
  if ((rule.atLeast ?? 0) > (rule.atMost ?? Infinity)) {
    throw new BadInputError(`${field}.atMost`, `${field}.atMost must not be below atLeast.`)
  }
  return rule
}

const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.\d{1,3})?S)?)?$/
const DAYS = [365.25, 30.4375, 7, 1, 1 / 24, 1 / 1_440, 1 / 86_400]

function duration(value: unknown, field: string): string {
  const parts = typeof value === 'string' ? DURATION.exec(value)?.slice(1) : undefined
  const days = parts?.reduce((sum, part, i) => sum + Number(part ?? 0) * (DAYS[i] ?? 0), 0) ?? Infinity
  if (typeof value === 'string' && days > 0 && days <= 36_525) return value
  throw new BadInputError(
    field,
    `${field} must be a length of time in ISO 8601 of at most 100 years, such as P30D.`,
  )
}
