/**
 * Freshness: how alive a member's own rhythm still is. 1 right after a purchase, falling with silence at the
 * member's own pace. Pure functions of facts and an instant: the same facts give the same answer on any day.
 *
 * Freshness says when to act. For whom to act is told by `aliveProbability` and `expectedPurchases`; a base
 * ranked by freshness is ranked badly.
 */
import {
  aliveShare,
  crossing,
  expectedPurchases as expected,
  type FreshnessModel,
  silentShare,
} from './numeric.ts'

export type { FreshnessModel } from './numeric.ts'

/** Milliseconds in the model's unit of time. */
export const WEEK = 604_800_000

/** What a tenant starts with, until a model is fitted to its own purchases. */
export const DECLARED: FreshnessModel = { r: 0.525, alpha: 6.18, a: 0.891, b: 1.614, k: 1 }

/** From the freshest down. */
export const BANDS = ['FRESH', 'COOLING', 'STALE', 'COLD'] as const
export type FreshnessBand = (typeof BANDS)[number]

/** The scores at which a member becomes COOLING, STALE and COLD. */
export type BandEdges = readonly [cooling: number, stale: number, cold: number]
export const DEFAULT_EDGES: BandEdges = [0.5, 0.2, 0.05]

/** The purchases of a member. Before the first one, `x` is 0 and both instants are the registration. */
export interface PurchaseHistory {
  /** Repeat purchases: days of the tenant's calendar with a purchase, less one. */
  readonly x: number
  readonly firstAt: Date
  readonly lastAt: Date
}

/** What freshness needs to know of one member; what is stored of it. */
export interface Rhythm {
  /** r + k·x. */
  readonly A: number
  /** α + the weeks from the first purchase to the last. */
  readonly B: number
  readonly k: number
  /** Where the silence begins: the last purchase, else the registration. */
  readonly lastAt: Date
}

/** The rhythm of a member under a model. */
export function rhythmOf(model: FreshnessModel, history: PurchaseHistory): Rhythm {
  return {
    A: model.r + model.k * history.x,
    B: model.alpha + silentWeeks(history.firstAt, history.lastAt),
    k: model.k,
    lastAt: history.lastAt,
  }
}

/** The member's freshness at an instant, from 1 down to 0. An instant before `lastAt` counts as `lastAt`. */
export function freshnessAt(rhythm: Rhythm, at: Date): number {
  return silentShare(rhythm.A, rhythm.B, rhythm.k, silentWeeks(rhythm.lastAt, at))
}

/** The chance that the member will ever buy again, as of an instant. */
export function aliveProbability(
  model: FreshnessModel,
  member: Rhythm & { readonly x: number },
  at: Date,
): number {
  return aliveShare(model, member.x, freshnessAt(member, at))
}

/** Purchases expected of the member in the `weeks` after an instant; finite for every member. */
export function expectedPurchases(
  model: FreshnessModel,
  member: Rhythm & { readonly x: number },
  within: { readonly at: Date; readonly weeks: number },
): number {
  const u = silentWeeks(member.lastAt, within.at)
  return expected(model, { x: member.x, B: member.B, u }, within.weeks)
}

/** The band that a member stands in at an instant. A band begins at the very instant `crossingAt` names. */
export function bandAt(rhythm: Rhythm, at: Date, edges: BandEdges = DEFAULT_EDGES): FreshnessBand {
  const crossed = edges.findLastIndex(
    (edge) => (crossingAt(rhythm, edge)?.getTime() ?? Infinity) <= at.getTime(),
  )
  return BANDS[crossed + 1] ?? 'COLD'
}

/** When silence alone takes the member to the next band after an instant; null when it never does. */
export function nextBandAt(rhythm: Rhythm, at: Date, edges: BandEdges = DEFAULT_EDGES): Date | null {
  for (const edge of edges) {
    const crossedAt = crossingAt(rhythm, edge)
    if (crossedAt === null || crossedAt > at) return crossedAt
  }
  return null
}

/**
 * The first whole millisecond at which silence has taken freshness down to `edge`; null when that is some
 * 1,900 years away. Bands go by this instant, never by a score: so the stored instant and the band agree.
 */
export function crossingAt(rhythm: Rhythm, edge: number): Date | null {
  const weeks = crossing(rhythm.A, rhythm.B, rhythm.k, edge)
  return weeks === null ? null : new Date(rhythm.lastAt.getTime() + Math.ceil(weeks * WEEK))
}

function silentWeeks(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / WEEK
}
