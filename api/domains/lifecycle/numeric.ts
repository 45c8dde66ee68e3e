/**
 * The arithmetic of the model MBG/CNBD-k, in weeks and without dates. Its twin in SQL is
 * `schema/migrations/0004_freshness.sql`; both follow the same steps and agree to 1e-9.
 *
 * A = r + k·x and B = α + t_x describe a member's rhythm; u is the silence since the last purchase.
 */

/** The parameters of the model for one tenant. `alpha` is in weeks, `k` a whole number from 1. */
export interface FreshnessModel {
  readonly r: number
  readonly alpha: number
  readonly a: number
  readonly b: number
  readonly k: number
}

/** Crossings further away than this many weeks (some 1,900 years) count as never. */
const NEVER = 100_000
/** Fewer weeks than this, under a millisecond, count as none. */
const INSTANT = 1e-9
/** A horizon is cut at this many times B + u, over a century for the declared parameters. */
const LONGEST_HORIZON = 999
/** Beyond this `a` the closed form loses digits; the sum over purchases does not. */
const LARGEST_A_OF_CLOSED_FORM = 20
/** exp() below this counts as 0, as in SQL, where it would be an error. */
const LEAST_EXPONENT = -700

/**
 * Freshness S_k(u): of active members with this rhythm, the share that stays silent for at least `u` weeks.
 * From 1 at u ≤ 0 down towards 0, finite for every rhythm.
 */
export function silentShare(A: number, B: number, k: number, u: number): number {
  if (!(u > INSTANT)) return 1
  const exponent = -A * Math.log1p(u / B)
  if (k === 1) return exponent < LEAST_EXPONENT ? 0 : Math.exp(exponent)
  const z = u / (B + u)
  let term = 1
  let sum = 1
  for (let j = 1; j < k; j++) {
    term *= ((A + j - 1) / j) * z
    sum += term
  }
  const total = exponent + Math.log(sum)
  return total < LEAST_EXPONENT ? 0 : Math.min(1, Math.exp(total))
}

/** P(alive) = F / (F + a/(b+x)): the chance that a member with this freshness is still active. */
export function aliveShare(model: FreshnessModel, x: number, freshness: number): number {
  return freshness / (freshness + model.a / (model.b + x))
}

/**
 * The silence in weeks at which freshness falls to `edge` (0 < edge < 1): B·(edge^(−1/A) − 1) for k = 1,
 * bisection to the last digits of a double otherwise. Null when it lies beyond 100,000 weeks.
 */
export function crossing(A: number, B: number, k: number, edge: number): number | null {
  // Regular buyers (k > 1) stay fresh longer than the closed form says, so it is a lower bound for them.
  let low = B * Math.expm1(-Math.log(edge) / A)
  if (!(low <= NEVER)) return null
  if (k === 1) return low
  if (silentShare(A, B, k, NEVER) > edge) return null
  let high = low
  while (silentShare(A, B, k, high) > edge) high = 2 * high + INSTANT
  for (let step = 0; step < 60 && high - low > 1e-15 * high; step++) {
    const middle = (low + high) / 2
    if (silentShare(A, B, k, middle) > edge) low = middle
    else high = middle
  }
  return high
}

/**
 * Purchases expected within the next `horizon` weeks of a member with `x` repeat purchases and silence `u`,
 * P(alive) included. k = 1 uses the closed form; larger k the exact sum over purchases, no approximation.
 * Never NaN; 0 for no horizon. Horizons beyond 999·(B+u) weeks count as that.
 */
export function expectedPurchases(
  model: FreshnessModel,
  member: { readonly x: number; readonly B: number; readonly u: number },
  horizon: number,
): number {
  const { x, B } = member
  const u = member.u > INSTANT ? member.u : 0
  const A = model.r + model.k * x
  const t = Math.min(horizon, LONGEST_HORIZON * (B + u))
  if (!(t > INSTANT)) return 0
  const whileActive =
    model.k === 1 && model.a <= LARGEST_A_OF_CLOSED_FORM
      ? expectedByClosedForm(model, x, t / (B + u))
      : expectedBySum(model, { x, A, silentPhase: u / (B + u) }, t / (B + u))
  return whileActive * aliveShare(model, x, silentShare(A, B, model.k, u))
}

/**
 * For k = 1 and a member known to be active; `s` is the horizon over B + u. This is
 * (a+b+x)/(a−1) · (1 − (1−z)^(a−1) · ₂F₁(a+b−r, a−1; a+b+x; z)), z = s/(1+s), with a−1 divided out:
 * ₂F₁ = 1 + (a−1)·G, so that a = 1 is no special case but for the first quotient.
 */
function expectedByClosedForm(model: FreshnessModel, x: number, s: number): number {
  const { r, a, b } = model
  const c = a + b + x
  const z = s / (1 + s)
  const logRest = -Math.log1p(s)
  let term = ((a + b - r) / c) * z
  let G = term
  for (let n = 1; n < 1_000_000; n++) {
    const ratio = (((a + b - r + n) * (a - 1 + n)) / ((c + n) * (n + 1))) * z
    term *= ratio
    G += term
    const bound = Math.max(Math.abs(ratio), z)
    if (bound < 1 && Math.abs(term) <= 1e-16 * Math.abs(G) * (1 - bound)) break
  }
  const power = (a - 1) * logRest
  const quotient = a === 1 ? -logRest : -Math.expm1(power) / (a - 1)
  return Math.max(0, c * (quotient - Math.exp(power) * G))
}

/**
 * For any k and a member known to be active. In the silence so far, j of the k phases of the next gap may have
 * passed, with weight w_j = (A)_j/j! · silentPhase^j. Further phases within the horizon are negative binomial with
 * shape A + j, and every k of them make a purchase. The n-th is made with chance s_n, s_1 = 1 and
 * s_(n+1) = s_n·(b+x+n)/(a+b+x+n), for the member may leave after each. So
 * E = Σ_j w_j Σ_i P(i phases)·(s_1 + … + s_m) / Σ_j w_j, m = ⌊(j+i)/k⌋: positive terms only, nothing cancels.
 */
function expectedBySum(
  model: FreshnessModel,
  member: { readonly x: number; readonly A: number; readonly silentPhase: number },
  s: number,
): number {
  let weight = 1
  let weights = 0
  let sum = 0
  for (let j = 0; j < model.k; j++) {
    weights += weight
    sum += weight * expectedFromPhase(model, { x: member.x, shape: member.A + j, phase: j }, s)
    weight *= ((member.A + j) / (j + 1)) * member.silentPhase
  }
  return sum / weights
}

function expectedFromPhase(
  model: FreshnessModel,
  from: { readonly x: number; readonly shape: number; readonly phase: number },
  s: number,
): number {
  const z = s / (1 + s)
  // The chance of i phases, and the sum, both divided by exp(logScale): a heavy buyer's first chances underflow.
  let logScale = -from.shape * Math.log1p(s)
  let chance = 1
  let sum = 0
  let phase = from.phase
  let made = 0
  let purchases = 0
  let survival = 1
  for (let i = 0; i < 50_000_000; i++) {
    sum += chance * purchases
    const ratio = ((from.shape + i) / (i + 1)) * z
    const bound = Math.max(ratio, z)
    if (sum > 0 && bound < 1 && chance * (purchases + 1) <= 1e-16 * sum * (1 - bound)) break
    chance *= ratio
    if (chance > 1e200) {
      chance *= 1e-200
      sum *= 1e-200
      logScale += 200 * Math.LN10
    }
    phase++
    if (phase === model.k) {
      phase = 0
      made++
      purchases += survival
      survival *= (model.b + from.x + made) / (model.a + model.b + from.x + made)
    }
  }
  return Math.exp(Math.log(sum) + logScale)
}
