/** How an amount that is no whole number becomes one. */
export type Rounding = 'DOWN' | 'UP' | 'HALF_UP' | 'HALF_EVEN'

/** `basisPoints` hundredths of a percent of an amount, rounded once. Both are zero or more. */
export function roundedShare(amount: bigint, basisPoints: bigint, rounding: Rounding): bigint {
  const exact = amount * basisPoints
  const whole = exact / 10_000n
  const rest = exact % 10_000n
  switch (rounding) {
    case 'DOWN':
      return whole
    case 'UP':
      return rest > 0n ? whole + 1n : whole
    case 'HALF_UP':
      return rest >= 5_000n ? whole + 1n : whole
    case 'HALF_EVEN':
      return rest > 5_000n || (rest === 5_000n && whole % 2n === 1n) ? whole + 1n : whole
  }
}

/**
 * Splits an amount by weights, exactly: everybody gets the whole part of its share, and what is left goes, one by one,
 * to the largest remainders, the first of equal ones. Nothing to anybody when all weights are zero.
 */
export function splitByWeight(amount: bigint, weights: readonly bigint[]): bigint[] {
  const all = weights.reduce((total, weight) => total + weight, 0n)
  if (all === 0n || amount <= 0n) return weights.map(() => 0n)
  const shares = weights.map((weight) => (amount * weight) / all)
  const missing = amount - shares.reduce((total, share) => total + share, 0n)
  const remainders = weights.map((weight, i) => ({ i, rest: (amount * weight) % all }))
  remainders.sort((a, b) => (a.rest === b.rest ? a.i - b.i : a.rest > b.rest ? -1 : 1))
  for (const { i } of remainders.slice(0, Number(missing))) shares[i] = (shares[i] ?? 0n) + 1n
  return shares
}
