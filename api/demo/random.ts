/** Chance that is the same at every run: all numbers follow from the seed. */
export interface Chance {
  /** From 0 up to, not including, 1. */
  share(): number
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  pick<T>(list: readonly T[]): T
  /** Around 1, never negative: half of them between e^-0.67s and e^0.67s. */
  spread(sigma: number): number
}

/** Opens chance for a seed (mulberry32: 32 bits of state are plenty for a demo). */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const share = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (from: number, to: number) => from + Math.floor(share() * (to - from + 1))
  return {
    share,
    between,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[between(0, list.length - 1)] as T // the index is inside the list
    },
    spread(sigma) {
      const normal = Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share())
      return Math.exp(sigma * normal)
    },
  }
}
