import type { Allowance, Standing } from './entitlements.store.ts'

/** What several allowances of one entitlement come to. */
export interface Summed {
  /** Null: without limit. */
  readonly left: number | null
  /** The first instant at which a quota begins anew. */
  readonly renewsAt: string | null
  /** The last instant at which one is gone for good; null while one stays. */
  readonly endsAt: string | null
}

/** Adds allowances up. Nothing is left of none. */
export function summed(allowances: readonly Allowance[]): Summed {
  const renewing = allowances.filter(({ ends, until }) => ends !== null && ends !== until)
  const ends = allowances.map(({ until }) => until)
  return {
    left: allowances.reduce<number | null>(
      (all, { left }) => (all === null || left === null ? null : all + left),
      0,
    ),
    renewsAt: edge(renewing.map(({ ends }) => ends ?? ''))[0] ?? null,
    endsAt: ends.some((until) => until === null)
      ? null
      : (edge(ends.map((until) => until ?? '')).at(-1) ?? null),
  }
}

/** Instants in order. */
function edge(instants: readonly string[]): string[] {
  return [...instants].sort((a, b) => Date.parse(a) - Date.parse(b))
}

/** Whether an entitlement can be used, or why not. */
export function answerOf({ membership, allowances }: Standing) {
  if (membership === 'ENDED') return 'MEMBERSHIP_ENDED'
  if (allowances.length === 0) return 'NOT_ENTITLED'
  return summed(allowances).left === 0 ? 'USED_UP' : 'ALLOWED'
}
