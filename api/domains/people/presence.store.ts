import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** Who is in a space now. */
export interface PresenceRow {
  readonly present: number
  readonly typing: number
  /** Members (uuids) who want to be seen. */
  readonly people: readonly string[]
}

/** presence_beat of 0040_people.sql. */
export function beatCall<Answer>(tx: Tx, member: string, space: string, typingIn: string | null) {
  return call<Answer>(tx, 'select presence_beat($1, $2, $3) as outcome', [member, space, typingIn])
}

/** presence_of of 0040_people.sql; null for who does not see the space, or the thread. */
export async function readPresence(
  tx: Tx,
  viewer: string,
  space: string,
  thread: string | null,
): Promise<PresenceRow | null> {
  const [row] = await tx.query<PresenceRow>({
    name: 'presence_of',
    text: 'select present, typing, people from presence_of($1, $2, $3)',
    values: [viewer, space, thread],
  })
  return row ?? null
}
