/** A ratio of several rounds: its median, and the lowest and highest of them. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** A figure beside its floor: the median of each, and of the ratios round by round. */
export interface Comparison<Round> {
  readonly measured: number
  readonly floor: number
  readonly ratio: Spread
  /** The rounds of what was measured, in order. */
  readonly rounds: readonly Round[]
}

/** Something that is measured in rounds, per second. */
export interface Contestant<Round extends { readonly perSecond: number }> {
  round(): Promise<Round>
}

/**
 * Measures two things in turn (ABAB…), so that what else the machine does falls on both. Each ratio is of two rounds
 * that stand side by side. Before that both warm up, what is measured for several rounds: it has more to compile.
 */
export async function alternate<Round extends { readonly perSecond: number }>(
  measured: Contestant<Round>,
  floor: Contestant<{ readonly perSecond: number }>,
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
): Promise<Comparison<Round>> {
  for (let i = 0; i < warmUps; i++) await measured.round()
  await floor.round()
  const pairs: { readonly a: Round; readonly b: number }[] = []
  for (let i = 0; i < rounds; i++) {
    // Who begins changes, so that a trend within a round favours neither.
    if (i % 2 === 0) {
      const a = await measured.round()
      pairs.push({ a, b: (await floor.round()).perSecond })
    } else {
      const b = (await floor.round()).perSecond
      pairs.push({ a: await measured.round(), b })
    }
  }
  return {
    measured: spreadOf(pairs.map(({ a }) => a.perSecond)).median,
    floor: spreadOf(pairs.map(({ b }) => b)).median,
    ratio: spreadOf(pairs.map(({ a, b }) => a.perSecond / b)),
    rounds: pairs.map(({ a }) => a),
  }
}

/** The median, the lowest and the highest of some values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median =
    ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
  return { median, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN }
}
