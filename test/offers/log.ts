import { START } from './tenant.ts'

/** How large a log is to be. */
export interface LogSize {
  readonly members: number
  /** About so many purchases of each member. */
  readonly purchases: number
}

const OFFERS = [
  { id: 'ae264e3637204a6fb9bb56bc8210ddfd', type: 'SINGLE_PURCHASE', threshold: 1000, reward: 1000, days: 7 },
  { id: '4d5c57ea9a6940dd891ad53e9dbe8da0', type: 'SINGLE_PURCHASE', threshold: 1000, reward: 1000, days: 5 },
  { id: '9b98b8c7a33c4b65b9aebfe6a799e6d9', type: 'SINGLE_PURCHASE', threshold: 500, reward: 500, days: 7 },
  { id: 'f19421c1d4aa40978ebb69ca19b0e20d', type: 'SINGLE_PURCHASE', threshold: 500, reward: 500, days: 5 },
  { id: '0b1e1539f2cc45b7b9fa7c272da2e1d7', type: 'SPEND_TOTAL', threshold: 2000, reward: 500, days: 10 },
  { id: '2298d6c36e964ae4a3e7e9706d1fb8c2', type: 'SPEND_TOTAL', threshold: 700, reward: 300, days: 7 },
  { id: 'fafdcd668e3743c1bb461111dcafc2a4', type: 'SPEND_TOTAL', threshold: 1000, reward: 200, days: 10 },
  { id: '2906b810c7d4411798c6938adc9daaa5', type: 'SPEND_TOTAL', threshold: 1000, reward: 200, days: 7 },
  { id: '3f207df678b143eea3cee63160fa8bed', type: 'INFORMATION', threshold: 0, reward: 0, days: 4 },
  { id: '5a8bc65990b245e5a138643cd4eb9837', type: 'INFORMATION', threshold: 0, reward: 0, days: 3 },
] as const

/** Six-hour steps of 30 days; in six of them most members receive an offer. */
const STEPS = 120
const WAVES = [0, 28, 56, 68, 84, 96]

/** The lines of a month of a chain of shops, in time order; the same each time. */
export function* generateLog({ members, purchases }: LogSize): Generator<object> {
  const random = mulberry(members)
  for (const { id, days, reward, ...offer } of OFFERS) {
    yield {
      kind: 'offer',
      id,
      ...offer,
      thresholdIs: 'AT_LEAST',
      reward,
      validFor: `P${days}D`,
      endIs: 'INCLUSIVE',
    }
  }
  const views: { member: string; offer: string }[][] = Array.from({ length: STEPS + 40 }, () => [])
  for (let step = 0; step < STEPS; step++) {
    const at = new Date(START + step * 6 * 3_600_000).toISOString()
    for (let i = 0; WAVES.includes(step) && i < members; i++) {
      if (random() > 0.75) continue
      const [member, offer] = [`m-${i}`, OFFERS[Math.floor(random() * OFFERS.length)]?.id ?? '']
      yield { kind: 'receipt', key: `r-${i}-${step}`, member, offer, at }
      if (random() < 0.75) views[step + Math.floor(random() * 8)]?.push({ member, offer })
    }
    for (const view of views[step] ?? []) yield { kind: 'view', ...view, at }
    for (let i = 0; i < members; i++) {
      if (random() > purchases / STEPS) continue
      const total = Math.floor(5 + random() ** 3 * 4_000)
      yield { kind: 'purchase', member: `m-${i}`, orderId: `o-${i}-${step}`, at, currency: 'USD', total }
    }
  }
}

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
