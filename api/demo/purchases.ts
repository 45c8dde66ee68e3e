import { known, type Person } from './people.ts'
import { type Chance, chanceOf } from './random.ts'
import { type Article, companions, lotion } from './shop.ts'

/** One purchase of the demo, before it has a date: everything is told in days before the day of loading. */
export interface DemoPurchase {
  readonly person: Person
  readonly daysAgo: number
  /** Minutes after midnight at the shop. */
  readonly minute: number
  readonly basket: readonly { readonly article: Article; readonly quantity: number }[]
  /** Days after the purchase on which it is given back whole. */
  readonly returnedAfter?: number
}

/** How far the demo reaches back. */
const TWO_YEARS = 730

/**
 * Two years of purchases, oldest first, always the same: everybody keeps a pace of their own, set by how fast their
 * lotion runs out. `monthOf` tells the month of a day so many days ago, for what is bought in season.
 */
export function makePurchases(
  people: readonly Person[],
  monthOf: (daysAgo: number) => number,
): readonly DemoPurchase[] {
  const chance = chanceOf(2_002)
  const purchases = people.flatMap((person) =>
    daysOf(person, chance).map((daysAgo, visit): DemoPurchase => {
      const minute = chance.between(7 * 60, 23 * 60 - 1)
      const isKnown = person.member.externalId in known
      const basket = isKnown ? staple(visit) : fill(chance, { visit, month: monthOf(daysAgo) })
      const isReturned = chance.share() < 0.015 && daysAgo > 10 && !isKnown
      return { person, daysAgo, minute, basket, ...(isReturned && { returnedAfter: 6 }) }
    }),
  )
  return purchases.sort((one, other) => other.daysAgo - one.daysAgo || one.minute - other.minute)
}

/** The days on which somebody bought, counted back from the day of loading. */
function daysOf({ member, habit }: Person, chance: Chance): readonly number[] {
  const fixed = fixedDays[member.externalId]
  if (fixed) return fixed
  if (habit === 'never') return []
  if (habit === 'once') return [chance.between(3, TWO_YEARS)]
  const pace = Math.max(lotion.lasts * chance.spread(0.45), 18)
  const first =
    habit === 'left'
      ? chance.between(480, TWO_YEARS)
      : chance.between(Math.min(600, Math.ceil(pace * 2)), TWO_YEARS)
  const last = habit === 'left' ? chance.between(370, 460) : chance.between(1, Math.ceil(pace))
  const days: number[] = []
  for (let day = first; day > last; day -= Math.max(2, Math.round(pace * chance.spread(0.3)))) days.push(day)
  return days
}

/**
 * Where README and guides show figures. Points die at the end of the twelfth month: none of Mika's purchases is
 * 270 to 397 days old, so that her balance is the same whatever the day.
 */
const fixedDays: Readonly<Record<string, readonly number[]>> = {
  [known.mika]: [655, 590, 528, 462, 410, 265, 200, 138, 75],
  [known.anna]: [],
  [known.kenji]: [700, 640, 575, 450],
}

/** What people known by name buy: nothing in season. */
function staple(visit: number): DemoPurchase['basket'] {
  const [, , serum] = companions
  const isThird = visit % 3 === 2
  return [{ article: lotion, quantity: 1 }, ...(isThird && serum ? [{ article: serum, quantity: 1 }] : [])]
}

interface Visit {
  /** 0 for the first. */
  readonly visit: number
  readonly month: number
}

function fill(chance: Chance, { visit, month }: Visit): DemoPurchase['basket'] {
  const basket = [{ article: lotion, quantity: chance.share() < 0.08 ? 2 : 1 }]
  // The same draws whatever the season, so that the day of loading changes nothing else.
  const appetite = chance.share()
  const wishes = [chance.share(), chance.share()]
  const inSeason = companions.filter(({ months }) => months === undefined || months.includes(month))
  const count = appetite < 0.45 ? 0 : appetite < 0.85 || visit === 0 ? 1 : 2
  for (const wish of wishes.slice(0, count)) {
    const article = inSeason[Math.floor(wish * inSeason.length)]
    if (article && !basket.some((item) => item.article === article)) basket.push({ article, quantity: 1 })
  }
  return basket
}
