import type { Tx } from '../../platform/db.ts'
import { ForbiddenError } from '../../platform/errors.ts'
import type { FollowOptions, Frame } from '../../platform/events.ts'

/**
 * The member (uuid) whose external id a member's token carries, as of now; null while there is none. Throws
 * ForbiddenError once the membership has ended: this is what every request and every delivery asks first.
 */
export async function standingMember(tx: Tx, externalId: string): Promise<string | null> {
  const [member] = await tx.query<{ id: string; membership: string }>({
    name: 'standing_member',
    text: 'select m.id, m.membership from member m where own(m) and m.external_id = $1',
    values: [externalId],
  })
  if (member?.membership === 'ENDED') throw new ForbiddenError('This membership has ended.')
  return member?.id ?? null
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
      session.memberId = await standingMember(this.#client(tenantId), session.externalId)
    } catch (error) {
      // Any other failure is the database being away; the next request or event finds out.
      if (error instanceof ForbiddenError) session.end()
    }
  }
}
