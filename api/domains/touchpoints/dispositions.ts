import type { Capabilities, Fault, Outcome, Unknown } from '@engawa/sdk'

/** What an attempt comes to: an end, or another try at `dueAt`. */
export interface Settlement {
  readonly state: 'ACCEPTED' | 'REFUSED' | 'UNKNOWN' | 'WAITING'
  readonly outcome: Outcome
  /** What may have happened, when nobody can tell. */
  readonly doubt?: 'POSSIBLE_MISS' | 'POSSIBLE_DUPLICATE'
  /** Of WAITING, by the tenant's clock. */
  readonly dueAt?: Date
}

/** Whether to risk a miss (offers; the default) or a duplicate (security notices), where a channel cannot tell. */
export type Wish = 'preferMiss' | 'preferDuplicate'

/** Where a delivery stands when an outcome comes in. Instants are the tenant's. */
export interface Standing {
  readonly idempotency: Capabilities['idempotency']
  readonly wish: Wish
  /** The attempt that this is; 1 at first. */
  readonly attempt: number
  readonly firstAttemptAt: Date
  readonly now: Date
  /** From 0 up to 1: spreads retries. */
  readonly chance: number
  /** The last outcome of an earlier attempt that nobody could tell. */
  readonly earlier: Unknown | null
  /** False when the provider was not reached for at all; true when absent. */
  readonly isAsked?: boolean
}

/** The most attempts that one delivery gets. */
const mostAttempts = 8
/** How long a delivery is tried, in milliseconds. */
const patience = 3 * 86_400_000
/** How long a held delivery waits before its configuration is looked at again, in milliseconds. */
const heldFor = 15 * 60_000

/**
 * Decides what follows an outcome. A refusal does what its fault says; after an unknown outcome the channel's
 * idempotency decides whether the same key may be sent again. Never another channel after an unknown one.
 */
export function settlementOf(outcome: Outcome, standing: Standing): Settlement {
  switch (outcome.is) {
    case 'accepted': {
      const isDoubtful = standing.earlier !== null && standing.idempotency.mode === 'none'
      return { state: 'ACCEPTED', outcome, ...(isDoubtful && { doubt: 'POSSIBLE_DUPLICATE' }) }
    }
    case 'refused': {
      const settlement = afterRefusal(outcome.fault, outcome, standing)
      if (settlement.state === 'WAITING' || !standing.earlier || provesMiss(standing)) return settlement
      return { state: 'UNKNOWN', outcome: standing.earlier, doubt: 'POSSIBLE_MISS' }
    }
    case 'unknown':
      return afterUnknown(outcome, standing)
  }
}

/** Whether a refusal now tells that the earlier attempt did not arrive either: the provider knows the key. */
function provesMiss({ idempotency, isAsked }: Standing): boolean {
  return isAsked !== false && (idempotency.mode === 'native' || idempotency.mode === 'lookup')
}

/** Whether the same key may be sent (or asked for) again although an earlier attempt has an unknown outcome. */
export function mayRepeat({ idempotency, wish, firstAttemptAt, now }: Standing): boolean {
  const age = now.getTime() - firstAttemptAt.getTime()
  switch (idempotency.mode) {
    case 'native':
      return age < idempotency.ttl * 1000
    case 'lookup':
      return age < idempotency.window * 1000
    case 'collapse':
      return true
    case 'none':
      return wish === 'preferDuplicate'
  }
}

function afterRefusal({ disposition }: Fault, outcome: Outcome, standing: Standing): Settlement {
  switch (disposition.do) {
    case 'later': {
      const dueAt = nextTry(standing, disposition.notBefore)
      return dueAt ? { state: 'WAITING', outcome, dueAt } : { state: 'REFUSED', outcome }
    }
    case 'hold': {
      const dueAt = new Date(standing.now.getTime() + heldFor)
      return isInPatience(dueAt, standing)
        ? { state: 'WAITING', outcome, dueAt }
        : { state: 'REFUSED', outcome }
    }
    // A touch has one channel so far; what another one could do is decided where it is planned.
    case 'elsewhere':
    case 'never':
      return { state: 'REFUSED', outcome }
  }
}

function afterUnknown(outcome: Outcome, standing: Standing): Settlement {
  const dueAt = mayRepeat(standing) ? nextTry(standing) : undefined
  if (!dueAt) return { state: 'UNKNOWN', outcome, doubt: 'POSSIBLE_MISS' }
  const isDoubtful = standing.idempotency.mode === 'none'
  return { state: 'WAITING', outcome, dueAt, ...(isDoubtful && { doubt: 'POSSIBLE_DUPLICATE' }) }
}

/** 5 s, 25 s, 2 min, 10 min, 52 min … at most 6 h, each shortened by up to a half; undefined when it is enough. */
function nextTry(standing: Standing, notBefore?: Date): Date | undefined {
  if (standing.attempt >= mostAttempts) return undefined
  const wait = Math.min(5_000 * 5 ** (standing.attempt - 1), 6 * 3_600_000) * (1 - standing.chance / 2)
  const dueAt = new Date(Math.max(standing.now.getTime() + wait, notBefore?.getTime() ?? 0))
  return isInPatience(dueAt, standing) ? dueAt : undefined
}

function isInPatience(dueAt: Date, { firstAttemptAt }: Standing): boolean {
  return dueAt.getTime() - firstAttemptAt.getTime() < patience
}
