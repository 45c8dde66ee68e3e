import type { Spread } from './compare.ts'
import type { World } from './world.ts'

/** What a figure came to. */
export interface Measured {
  /** As in `2,410 /s`. */
  readonly measured: string
  /** What the floor came to in the same run, in the same unit. */
  readonly floor?: string
  /** Measured ÷ floor, round by round. */
  readonly ratio?: Spread
  /** The number that the mark is about: the ratio's median, or what the mark says. */
  readonly value: number
  /** SQL statements of one operation. */
  readonly statements?: number
  /** What a reader must know to believe it. */
  readonly note?: string
}

/** One figure of the table. */
export interface Figure {
  /** The word that runs it alone. */
  readonly name: string
  readonly title: string
  /** What it has to reach; `value` is compared with it. */
  readonly mark?: { readonly is: 'at least' | 'below'; readonly value: number; readonly unit: string }
  measure(world: World): Promise<Measured>
}

/** Whether a figure reached its mark; undefined when it has none. */
export function hasPassed({ mark }: Figure, { value }: Measured): boolean | undefined {
  if (!mark) return undefined
  return mark.is === 'at least' ? value >= mark.value : value < mark.value
}
