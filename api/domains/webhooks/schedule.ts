/**
 * What precedes each try of an event, in milliseconds: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, as
 * Standard Webhooks 1.0 suggests. Over three days in all.
 */
export const retryWaits: readonly number[] = [
  0,
  5_000,
  ...[5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60].map((minutes) => minutes * 60_000),
]

/** How often something is tried that somebody had sent again: whoever did is watching, and others wait behind it. */
export const replayTries = 3

/** The longest that a receiver may ask us to wait, in milliseconds. */
const longestWait = 86_400_000

/**
 * How long to wait before the next try, in milliseconds: as the schedule says, a tenth of it more by `chance` (0 to 1),
 * and at least what the receiver asked for.
 */
export function waitBefore(
  scheduled: number,
  { chance, asked }: { chance: number; asked: number | undefined },
): number {
  return Math.round(Math.max(scheduled * (1 + chance / 10), Math.min(asked ?? 0, longestWait)))
}
