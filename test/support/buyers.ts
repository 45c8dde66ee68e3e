/** Buyers that behave exactly as the model MBG/CNBD-k says: an oracle for its formulas. */

/** The parameters of the model; alpha in weeks. */
export interface BuyerModel {
  readonly r: number
  readonly alpha: number
  readonly a: number
  readonly b: number
  readonly k: number
}

/** What was seen of a buyer until age T, what was hidden, and what came after. Times are weeks from the first purchase. */
export interface SimulatedBuyer {
  readonly x: number
  readonly tx: number
  readonly T: number
  readonly isAlive: boolean
  /** Purchases within the horizon after T. */
  readonly later: number
}

/** Lives one buyer through: gaps of k phases at the buyer's own rate, a chance to leave after each purchase. */
export function simulateMember(
  model: BuyerModel,
  span: { readonly age: number; readonly horizon: number },
  dice: () => number,
): SimulatedBuyer {
  const rate = gamma(model.r, dice) / model.alpha
  const [stay, leave] = [gamma(model.b, dice), gamma(model.a, dice)]
  const chanceOfLeaving = leave / (leave + stay)
  let [x, tx, later, at] = [0, 0, 0, 0]
  let isAlive = dice() >= chanceOfLeaving
  let isAliveAtT = isAlive
  while (isAlive) {
    for (let phase = 0; phase < model.k; phase++) at -= Math.log(1 - dice()) / rate
    if (at > span.age + span.horizon) break
    isAlive = dice() >= chanceOfLeaving
    if (at <= span.age) {
      x++
      tx = at
      isAliveAtT = isAlive
    } else later++
  }
  return { x, tx, T: span.age, isAlive: isAliveAtT, later }
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32, two draws for 53 bits). */
export function random(seed: number): () => number {
  let state = seed | 0
  const word = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  return () => ((word() >>> 5) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992
}

/** Gamma with this shape and scale 1 (Marsaglia and Tsang, 2000). */
function gamma(shape: number, dice: () => number): number {
  if (shape < 1) return gamma(shape + 1, dice) * dice() ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice())
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - dice()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v
  }
}
