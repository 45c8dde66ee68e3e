import type { Capabilities, Fault, Outcome, Unknown } from '@engawa/sdk'

/** What an attempt comes to: an end, or another try at `dueAt`. */
export interface Settlement {
  readonly state: 'ACCEPTED' | 'REFUSED' | 'UNKNOWN' | 'WAITING'
  readonly outcome: Outcome
  /** What may have happened, when nobody can tell. */
  readonly doubt?: 'POSSIBLE_MISS' | 'POSSIBLE_DUPLICATE'
  /** Of WAITING, by the tenant's clock. */
  readonly dueAt?: Date
  /** Of WAITING: that it waits for people to put the channel right. */
  readonly isHeld?: true
  /** Of REFUSED: that no other channel is tried either. */
  readonly isFinal?: true
  /** What the attempt told of the channel: whether it works. Absent when it told nothing. */
  readonly isWell?: boolean
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
  /** After this nobody wants the message any more. */
  readonly expiresAt: Date | null
  /** Whether another channel remains. */
  readonly hasNext: boolean
  /** From 0 up to 1: spreads retries. */
  readonly chance: number
  /** The last outcome of an earlier attempt that nobody could tell. */
  readonly earlier: Unknown | null
  /** False when the provider was not reached for at all; true when absent. */
  readonly isAsked?: boolean
}

/** The most attempts that one delivery gets; where another channel remains, as many as take a quarter of an hour. */
const mostAttempts = 8
const mostAttemptsBeforeNext = 5
/** How long a delivery is tried when it never expires, in milliseconds. */
const patience = 3 * 86_400_000
/** How long a held delivery waits before its configuration is looked at again, in milliseconds. */
export const heldMs = 15 * 60_000

/**
 * Decides what follows an outcome. A refusal does what its fault says; after an unknown outcome the channel's
 * idempotency decides whether the same key may be sent again. Never another channel after an unknown one.
 */
export function settlementOf(outcome: Outcome, standing: Standing): Settlement {
  const isWell = standing.isAsked === false ? undefined : wellness(outcome)
  return { ...decide(outcome, standing), ...(isWell !== undefined && { isWell }) }
}

function decide(outcome: Outcome, standing: Standing): Settlement {
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

/**
 * Whether an outcome speaks for the channel: whoever answers, works, whatever it said of this message. A budget or
 * a pace that is used up tells nothing; credentials that are not taken stop everything, like a provider that is away.
 */
function wellness(outcome: Outcome): boolean | undefined {
  if (outcome.is !== 'refused') return outcome.is === 'accepted'
  switch (outcome.fault.cause) {
    case 'network':
    case 'provider':
    case 'auth':
    case 'config':
      return false
    case 'quota':
    case 'rate':
      return undefined
    default:
      return true
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

function afterRefusal(fault: Fault, outcome: Outcome, standing: Standing): Settlement {
  switch (fault.disposition.do) {
    case 'later': {
      const dueAt = nextTry(standing, fault.disposition.notBefore)
      return dueAt ? { state: 'WAITING', outcome, dueAt } : { state: 'REFUSED', outcome }
    }
    case 'hold': {
      const dueAt = new Date(standing.now.getTime() + heldMs)
      return isInPatience(dueAt, standing)
        ? { state: 'WAITING', outcome, dueAt, isHeld: true }
        : { state: 'REFUSED', outcome }
    }
    case 'elsewhere':
      return { state: 'REFUSED', outcome }
    case 'never':
      return { state: 'REFUSED', outcome, ...(isAboutMessage(fault, standing) && { isFinal: true }) }
  }
}

/**
 * Whether `never` is said of the message rather than of this way to the member: then no other channel may say it
 * either. What the channel itself could not prepare, such as a text that is too long, another one may take.
 */
function isAboutMessage({ cause }: Fault, { isAsked }: Standing): boolean {
  return isAsked !== false && cause !== 'address' && cause !== 'recipient'
}

function afterUnknown(outcome: Outcome, standing: Standing): Settlement {
  const dueAt = mayRepeat(standing) ? nextTry({ ...standing, hasNext: false }) : undefined
  if (!dueAt) return { state: 'UNKNOWN', outcome, doubt: 'POSSIBLE_MISS' }
  const isDoubtful = standing.idempotency.mode === 'none'
  return { state: 'WAITING', outcome, dueAt, ...(isDoubtful && { doubt: 'POSSIBLE_DUPLICATE' }) }
}

/** 5 s, 25 s, 2 min, 10 min, 52 min … at most 6 h, each shortened by up to a half; undefined when it is enough. */
function nextTry(standing: Standing, notBefore?: Date): Date | undefined {
  const most = standing.hasNext && !standing.earlier ? mostAttemptsBeforeNext : mostAttempts
  if (standing.attempt >= most) return undefined
  const wait = Math.min(5_000 * 5 ** (standing.attempt - 1), 6 * 3_600_000) * (1 - standing.chance / 2)
  const dueAt = new Date(Math.max(standing.now.getTime() + wait, notBefore?.getTime() ?? 0))
  return isInPatience(dueAt, standing) ? dueAt : undefined
}

function isInPatience(dueAt: Date, { firstAttemptAt, expiresAt }: Standing): boolean {
  return dueAt.getTime() < (expiresAt?.getTime() ?? firstAttemptAt.getTime() + patience)
}
