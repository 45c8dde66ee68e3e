import type { Tenant } from '../platform/tenancy.ts'

/** Instants of the demo: days are those of the shop in Tokyo, where clocks never change. */
const offset = 9 * 3_600_000
const day = 86_400_000

/** Where the demo's days are counted back from. */
export interface LoadingDay {
  /** The instant so many days before the day of loading, at so many minutes after midnight. */
  at(daysAgo: number, minute: number): Date
  /** The month, 1 to 12, of the day so many days before. */
  monthOf(daysAgo: number): number
}

/** The day on which the tenant was made, so that a load that was cut short goes on as it began. */
export function loadingDay(madeAt: Date): LoadingDay {
  const midnight = Math.floor((madeAt.getTime() + offset) / day) * day - offset
  return {
    at: (daysAgo, minute) => new Date(midnight - daysAgo * day + minute * 60_000),
    monthOf: (daysAgo) => new Date(midnight - daysAgo * day + offset).getUTCMonth() + 1,
  }
}

/** What the demo's tenant is made of. */
export const demoTenant = {
  key: 'demo',
  name: 'Hanasaku',
  timeZone: 'Asia/Tokyo',
  locale: 'ja',
} satisfies Partial<Tenant>
