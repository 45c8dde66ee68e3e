import type { Db, Tx } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { SealedError, type Vault } from '../../platform/vault.ts'
import { type Posted, type PostPorts, post } from './post.ts'
import { type Claim, type Done, type Failure, type Item, settle, type Taken, take } from './queue.store.ts'
import { replayTries, waitBefore } from './schedule.ts'
import { placeOf } from './secrets.ts'

/** What sending needs. */
export interface SendPorts extends PostPorts {
  readonly db: Pick<Db, 'tenant'>
  readonly vault: Pick<Vault, 'open'>
  readonly log: Log
  /** The scope that each type of the log needs. */
  readonly facts: Readonly<Record<string, string>>
  /** What an event is told as; `data.id` is the id it is sent under. */
  tell(event: Omit<Item, 'id' | 'isReplay' | 'pos'>): { readonly data: { readonly id: string } }
}

/** How patient sending is. Times are in milliseconds. */
export interface Patience {
  /** What precedes each try. */
  readonly waits: readonly number[]
  /** How long a receiver may take. */
  readonly answerMs: number
  /** How long an endpoint is ours without a note; a lost worker's comes back then. Longer than an answer. */
  readonly leaseMs: number
  /** How often progress is noted: what a lost worker had sent since then is sent again. */
  readonly noteMs: number
  /** How often is looked for what is due by the clock. */
  readonly lookMs: number
  /** How long one endpoint is served before others have a turn. */
  readonly turnMs: number
  /** Events that are read at a time. */
  readonly batch: number
}

/** One endpoint's turn, while it lasts. */
export interface Turn extends Claim {
  /** Ends the turn; what is on its way is given a moment. */
  readonly stopping: AbortSignal
  /** Gives up what is on its way. */
  readonly givingUp: AbortSignal
  /** Set by others when the log has grown; cleared before each look at it. */
  hasGrown: boolean
}

/**
 * Sends one claimed endpoint what is due, event by event in the order of the log, until nothing is left, something
 * fails, or the turn is over. Progress is booked as it goes; a second worker cannot book over it.
 */
export async function serve(turn: Turn, ports: SendPorts, patience: Patience): Promise<void> {
  const tx = ports.db.tenant(turn.tenant)
  const ends = performance.now() + patience.turnMs
  while (true) {
    turn.hasGrown = false
    const leased = performance.now()
    const taken = await take(tx, turn, { ...patience, facts: ports.facts, limit: patience.batch })
    if (taken.is === 'more') continue
    if (taken.is !== 'taken') return
    const secrets = await openSecrets(turn, taken, ports)
    const batch = new Batch({ tx, turn, taken, ports, patience, leased, ends })
    if (!(await batch.send(secrets))) return
  }
}

/** Undefined when they cannot be opened with the keys of this process. */
async function openSecrets(
  { tenant, endpoint }: Claim,
  { secrets }: Taken,
  { vault, log }: SendPorts,
): Promise<string[] | undefined> {
  try {
    return await Promise.all(
      secrets.map((secret) => vault.open(placeOf(tenant, endpoint, secret.id), secret)),
    )
  } catch (err) {
    if (!(err instanceof SealedError)) throw err
    log.warn({ err, tenant, endpoint }, 'The secret of a webhook endpoint cannot be opened.')
    return undefined
  }
}

interface BatchParts {
  readonly tx: Tx
  readonly turn: Turn
  readonly taken: Taken
  readonly ports: SendPorts
  readonly patience: Patience
  /** When the claim was renewed last, and when the turn ends; of this process's monotonic clock. */
  readonly leased: number
  readonly ends: number
}

/** The sending of one batch, and the notes on how far it came. */
class Batch {
  readonly #parts: BatchParts
  #leased: number
  #pos: string | null = null
  #replayed: string[] = []
  #isSuccess = false

  constructor(parts: BatchParts) {
    this.#parts = parts
    this.#leased = parts.leased
  }

  /** True when the turn goes on. */
  async send(secrets: readonly string[] | undefined): Promise<boolean> {
    const { taken, turn, patience, ends } = this.#parts
    let { attempt } = taken
    for (const item of taken.items) {
      if (turn.stopping.aborted || performance.now() > ends) return this.#giveBack()
      if (performance.now() - this.#leased > patience.noteMs && !(await this.#note({}))) return false
      // Somebody else may have it by now, as after a long sleep of this process.
      if (performance.now() - this.#leased + patience.answerMs > patience.leaseMs) return false
      const posted = secrets ? await this.#post(item, secrets) : sealed
      if (posted.is === 'cut_short') return this.#giveBack()
      attempt += 1
      const failure = posted.is === 'failed' ? this.#failure(item, posted, attempt) : null
      if (!failure) this.#passed(item)
      else if (failure.follows === 'GIVE_UP' && !item.isReplay) this.#pos = item.pos
      if (failure && (!(await this.#note({ failure })) || failure.follows !== 'GIVE_UP')) return false
      attempt = 0
    }
    if (!taken.items[0]?.isReplay) this.#pos = taken.until
    return this.#note({})
  }

  async #post(item: Item, secrets: readonly string[]): Promise<Posted> {
    const { ports, taken, turn, patience } = this.#parts
    const { event, type, member, payload, at, bookedAt } = item
    let told: ReturnType<SendPorts['tell']>
    try {
      told = ports.tell({ event, type, member, payload, at, bookedAt })
    } catch (err) {
      ports.log.error({ err, tenant: turn.tenant, type }, 'An event cannot be told.')
      return { is: 'failed', fault: { fault: 'EVENT', status: null }, retryAfterMs: undefined }
    }
    const webhook = { url: taken.url, id: told.data.id, body: JSON.stringify(told), secrets }
    return post(ports, webhook, { timeoutMs: patience.answerMs, signal: turn.givingUp })
  }

  #passed(item: Item): void {
    this.#isSuccess = true
    if (item.isReplay) this.#replayed.push(item.id)
    else this.#pos = item.pos
  }

  #failure(item: Item, { fault, retryAfterMs }: Extract<Posted, { is: 'failed' }>, attempt: number): Failure {
    const { waits } = this.#parts.patience
    const tries = item.isReplay ? Math.min(replayTries, waits.length) : waits.length
    const isHopeless = fault.fault === 'EVENT' || attempt >= tries
    const follows = fault.fault === 'GONE' ? 'DISABLE' : isHopeless ? 'GIVE_UP' : 'RETRY'
    const waitMs = waitBefore(waits[attempt] ?? 0, { chance: Math.random(), asked: retryAfterMs })
    // Our own missing key is nobody's fault: it is waited for, and counts no try.
    if (fault.fault === 'SECRET')
      return { item, fault, attempt: attempt - 1, follows: 'RETRY', waitMs: 60_000 }
    this.#log(follows, fault)
    return { item, fault, attempt, follows, waitMs }
  }

  #log(follows: Failure['follows'], fault: object): void {
    const { ports, turn } = this.#parts
    const about = { tenant: turn.tenant, endpoint: turn.endpoint, ...fault }
    if (follows === 'DISABLE') ports.log.warn(about, 'A webhook endpoint is gone and was disabled.')
    if (follows === 'GIVE_UP') ports.log.warn(about, 'An event was given up for a webhook endpoint.')
  }

  async #giveBack(): Promise<false> {
    await this.#note({ isOver: true })
    return false
  }

  /** Books how far it came; false when the endpoint is no longer ours. */
  async #note({ failure = null, isOver = false }: Partial<Done>): Promise<boolean> {
    const { tx, turn, taken, patience } = this.#parts
    const leased = performance.now()
    const { version, rewinds } = taken
    const done = {
      ...{ version, rewinds, pos: this.#pos, replayed: this.#replayed, isSuccess: this.#isSuccess },
      ...{ failure, isOver },
    }
    const { is } = await settle(tx, turn, { done, leaseMs: patience.leaseMs })
    this.#leased = leased
    this.#pos = null
    this.#replayed = []
    this.#isSuccess = false
    return is === 'done'
  }
}

const sealed: Posted = {
  is: 'failed',
  fault: { fault: 'SECRET', status: null },
  retryAfterMs: undefined,
}
