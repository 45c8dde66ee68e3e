import type { Tx } from '../../platform/db.ts'
import { ForbiddenError } from '../../platform/errors/index.ts'
import type { FollowOptions, Frame } from '../../platform/events.ts'

/**
 * The member (uuid) whose external id a member's token carries, as of now; null while there is none. Throws
 * ForbiddenError once the membership has ended: this is what every request and every delivery asks first. Those that
 * ask while a look is under way are looked up together by the next one, which begins after all of them.
 */
export function standingMember(tx: Tx, externalId: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const queue = queues.get(tx.tenantId) ?? { asked: [], looks: 0 }
    queues.set(tx.tenantId, queue)
    queue.asked.push({ externalId, resolve, reject })
    if (queue.looks < LOOKS_AT_ONCE) void look(tx, queue)
  })
}

/** Two, so that one that the database keeps waiting does not keep everybody. */
const LOOKS_AT_ONCE = 2
const MEMBERS_AT_ONCE = 500

interface Asked {
  readonly externalId: string
  resolve(memberId: string | null): void
  reject(error: unknown): void
}

/** Those of one tenant who wait, and how many looks are under way. */
interface Queue {
  readonly asked: Asked[]
  looks: number
}
const queues = new Map<string, Queue>()

async function look(tx: Tx, queue: Queue): Promise<void> {
  queue.looks++
  while (queue.asked.length > 0) {
    const asked = queue.asked.splice(0, MEMBERS_AT_ONCE)
    try {
      const found = await readStandings(tx, new Set(asked.map(({ externalId }) => externalId)))
      for (const { externalId, resolve, reject } of asked) {
        const member = found.get(externalId)
        if (member?.membership === 'ENDED') reject(new ForbiddenError('This membership has ended.'))
        else resolve(member?.id ?? null)
      }
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
  queue.looks--
  if (queue.looks === 0) queues.delete(tx.tenantId)
}

interface Standing {
  readonly id: string
  readonly externalId: string
  readonly membership: string
}

async function readStandings(
  tx: Tx,
  externalIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await tx.query<Standing>({
    name: 'standing_members',
    // Neither `= any ($1)` nor `unnest ($1)`: knowing how many there are, PostgreSQL would plan it anew each time.
    // The limit keeps it from reading the whole table.
    text: `select m.* from json_array_elements_text($1) asked (external_id), lateral (
             select m.id, m.external_id as "externalId", m.membership
             from member m where own(m) and m.external_id = asked.external_id limit 1) m`,
    values: [JSON.stringify([...externalIds])],
  })
  return new Map(rows.map((row) => [row.externalId, row]))
}

interface Session {
  readonly externalId: string
  memberId: string | null
  readonly end: () => void
}

interface Watch {
  readonly sessions: Set<Session>
  readonly stop: AbortController
}

/**
 * Ends what a member keeps open when the membership ends, whatever is open: one follower of the log for each tenant
 * that has member sessions here.
 */
export class MembershipWatch {
  readonly #follow: (options: FollowOptions) => AsyncGenerator<Frame, void, undefined>
  readonly #client: (tenantId: string) => Tx
  readonly #watches = new Map<string, Watch>()

  constructor(options: {
    follow(options: FollowOptions): AsyncGenerator<Frame, void, undefined>
    client(tenantId: string): Tx
  }) {
    this.#follow = options.follow
    this.#client = options.client
  }

  /** Calls `end` once when the membership of this external id ends, or has. Returns what stops watching. */
  watch(tenantId: string, externalId: string, end: () => void): () => void {
    const watch = this.#watches.get(tenantId) ?? this.#start(tenantId)
    const session: Session = { externalId, memberId: null, end }
    watch.sessions.add(session)
    // What ended before the follower looked is found here.
    void this.#look(tenantId, session)
    return () => {
      watch.sessions.delete(session)
      if (watch.sessions.size > 0) return
      watch.stop.abort()
      this.#watches.delete(tenantId)
    }
  }

  #start(tenantId: string): Watch {
    const watch: Watch = { sessions: new Set(), stop: new AbortController() }
    this.#watches.set(tenantId, watch)
    void this.#run(tenantId, watch)
    return watch
  }

  async #run(tenantId: string, { sessions, stop }: Watch): Promise<void> {
    let after: string | null = null
    while (!stop.signal.aborted) {
      const sees: FollowOptions['sees'] = ({ type }) =>
        type === 'membership.ended' || type === 'member.registered'
      for await (const frame of this.#follow({ tenantId, after, sees, signal: stop.signal })) {
        if (frame.kind === 'reset') {
          after = frame.resumeFrom
          break
        }
        after = frame.cursor
        if (frame.kind !== 'event') continue
        const { type, memberId } = frame.event
        for (const session of sessions) {
          const isAbout =
            type === 'membership.ended' ? session.memberId === memberId : session.memberId === null
          if (isAbout) void this.#look(tenantId, session)
        }
      }
      if (after === null) return
      for (const session of sessions) void this.#look(tenantId, session)
    }
  }

  async #look(tenantId: string, session: Session): Promise<void> {
    try {
      const memberId = await standingMember(this.#client(tenantId), session.externalId)
      // Who was erased is not found any more, or somebody else is.
      if (session.memberId !== null && session.memberId !== memberId) session.end()
      else session.memberId = memberId
    } catch (error) {
      // Any other failure is the database being away; the next request or event finds out.
      if (error instanceof ForbiddenError) session.end()
    }
  }
}
