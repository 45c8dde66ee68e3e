import type { Tx } from '../../platform/db.ts'
import type { MemberBy } from '../members/index.ts'
import type { TouchStory } from './why-not.ts'

/** A touch as it is explained: the story, and whose it is. */
export interface Explained extends TouchStory {
  readonly touchpoint: string
  readonly locale: string
}

/** Reads why a member did not get a touch; undefined when there is none of that id for that member. */
export async function readStory(
  tx: Tx,
  member: MemberBy,
  touchpoint: string,
): Promise<Explained | undefined> {
  const [story] = await tx.query<Explained>({
    name: 'touchpoint_story',
    text: `select p.id as touchpoint, p.state, p.channel, coalesce(p.settled_at, p.due_at) as at,
        p.not_sent_reason as reason, m.locale, m.time_zone as "timeZone",
        coalesce((select json_agg(json_build_object('channel', d.channel, 'decision', d.decision, 'reason', d.reason)
                         order by d.at, d.id)
          from touch_decision d
          where d.tenant_id = p.tenant_id and d.touchpoint_id = p.id), '[]') as decisions
      from touchpoint p
      join member m on m.tenant_id = p.tenant_id and m.id = p.member_id
      where own(p) and p.id = $1 and (m.id = $2 or m.external_id = $3)`,
    values: [
      touchpoint,
      'id' in member ? member.id : null,
      'externalId' in member ? member.externalId : null,
    ],
  })
  return story
}
