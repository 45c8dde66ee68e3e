import type { Document } from '../program/index.ts'

/** Something about a program that is allowed and rarely meant. */
export interface Warning {
  /** As in `document.coupons.spring`. */
  readonly path: string
  readonly code: WarningCode
  readonly message: string
  /** Where a limit comes from, if it is one of law. */
  readonly source: string | null
}

/** Every warning, and what it says. */
export const WARNINGS = {
  NO_CAP: 'Nothing limits what a member can get by it: no cap, no number of times, no budget, no stock.',
  COUPON_WITHOUT_LIMIT: 'It has no limit in all, none for each member and no campaign that has one.',
  OVER_HUNDRED_PERCENT: 'It gives back more than what is paid.',
  WINDOW_PAST: 'Its window is over already.',
  PREMIUM_JP:
    'In Japan, what is given with a purchase may count as a premium, which is limited to 20 % of the price, and to ¥200 below ¥1,000. Ask a lawyer.',
  LOTTERY_JP:
    'In Japan, a prize by lot is limited to 20 times the price and ¥100,000, and all prizes to 2 % of the planned sales. Ask a lawyer.',
} as const satisfies Record<string, string>

/** The codes of warnings. */
export type WarningCode = keyof typeof WARNINGS

const JAPAN = 'Premiums and Representations Act (景品表示法), as the help page of Pokepay sums it up'

/** What the linter has to know besides. */
export interface LintContext {
  readonly now: Date
  /** The tenant's time zone: rules of Japan are told to those who are there. */
  readonly timeZone: string
}

type Body = Readonly<Record<string, unknown>>

/** What is worth a second look, in the order of the document. It judges what can be read there and nothing else. */
export function lint(document: Document, context: LintContext): Warning[] {
  const isJapan = context.timeZone === 'Asia/Tokyo'
  return [
    ...each(document, 'campaigns', (body, at) => past(body, at, context)),
    ...each(document, 'coupons', (body, at) => [
      ...past(body, at, context),
      ...couponLimits(body, at, part(part(document, 'campaigns'), String(body.campaign ?? ''))),
      ...benefitIn(part(body, 'benefit'), at, isJapan),
    ]),
    ...each(document, 'earnRules', (body, at) => [
      ...past(body, at, context),
      ...(isUncapped(body) ? [warn(at, 'NO_CAP')] : []),
      ...rate(body, at, { document, isJapan }),
    ]),
    ...each(document, 'offers', (body, at) => [
      ...past(body, at, context),
      ...(body.stock === undefined && body.perMember === undefined && list(body.benefits).length > 0
        ? [warn(at, 'NO_CAP')]
        : []),
      ...list(body.benefits).flatMap((benefit, i) => benefitIn(benefit, `${at}.benefits.${i}`, isJapan)),
    ]),
    ...each(document, 'rewards', (body, at) => [
      ...past(body, at, context),
      ...(isJapan && /lotter|raffle|prize|抽選|懸賞/i.test(JSON.stringify(body.name ?? ''))
        ? [warn(at, 'LOTTERY_JP', JAPAN)]
        : []),
    ]),
  ]
}

function each(document: Document, section: string, judge: (body: Body, at: string) => Warning[]): Warning[] {
  return Object.entries(document[section] ?? {}).flatMap(([key, body]) =>
    judge(asBody(body), `document.${section}.${key}`),
  )
}

function warn(path: string, code: WarningCode, source: string | null = null): Warning {
  return { path, code, message: WARNINGS[code], source }
}

/** A window stands apart in some bodies, and among the fields of others. */
function past(body: Body, at: string, { now }: LintContext): Warning[] {
  const window = body.window === undefined ? body : part(body, 'window')
  const end = window.until ?? window.to
  return typeof end === 'string' && Date.parse(end) <= now.getTime() ? [warn(at, 'WINDOW_PAST')] : []
}

function couponLimits({ limits, campaign }: Body, at: string, { stock, budget }: Body): Warning[] {
  const has = asBody(limits)
  const isLimited = has.total !== undefined || has.perMember !== undefined || has.perMemberPer !== undefined
  const isOfLimited = campaign !== undefined && (stock !== undefined || budget !== undefined)
  return isLimited || isOfLimited ? [] : [warn(at, 'COUPON_WITHOUT_LIMIT')]
}

function isUncapped({ on, caps, maxTimes, budget }: Body): boolean {
  // What is bought limits itself by its price; the rest is free to repeat.
  const source = asBody(on)
  const isBought = ['purchase', 'line', 'label'].some((word) => source[word] !== undefined)
  return !isBought && caps === undefined && maxTimes === undefined && budget === undefined
}

/** What a rule gives back of the price, where a point has a value in the money that is paid. */
function rate(
  body: Body,
  at: string,
  { document, isJapan }: { document: Document; isJapan: boolean },
): Warning[] {
  const per = part(part(body, 'points'), 'per')
  const value = part(part(part(document, 'currencies'), String(body.currency ?? 'POINTS')), 'value')
  const [minor, points, micro] = [Number(per.minor), Number(per.points), Number(value.micro)]
  if (!(minor > 0 && points > 0 && micro >= 0)) return []
  const most = Math.max(1, ...list(body.multipliers).map(({ by }) => Number(by)))
  const share = (points * most * micro) / 1e6 / minor
  if (share > 1) return [warn(at, 'OVER_HUNDRED_PERCENT')]
  return isJapan && share > 0.2 ? [warn(at, 'PREMIUM_JP', JAPAN)] : []
}

function benefitIn(benefit: Body, at: string, isJapan: boolean): Warning[] {
  const { basisPoints } = part(benefit, 'percent')
  if (Number(basisPoints) > 10_000) return [warn(at, 'OVER_HUNDRED_PERCENT')]
  const isGift = benefit.entitlement !== undefined || benefit.points !== undefined
  return isJapan && isGift ? [warn(at, 'PREMIUM_JP', JAPAN)] : []
}

function asBody(value: unknown): Body {
  return typeof value === 'object' && value !== null ? (value as Body) : {} // an object has properties to look at
}

function part(body: object, name: string): Body {
  return asBody(asBody(body)[name])
}

function list(value: unknown): Body[] {
  return Array.isArray(value) ? value.map(asBody) : []
}
