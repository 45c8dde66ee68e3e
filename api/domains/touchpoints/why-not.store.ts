import type { Tx } from '../../platform/db.ts'
import type { MemberBy } from '../members/index.ts'
import type { TouchStory } from './why-not.ts'

/** A touch as it is explained: the story, and whose it is. */
export interface Explained extends TouchStory {
  /** Null while a broadcast has planned none for the member. */
  readonly touchpoint: string | null
  readonly locale: string
}

/** Reads why a member did not get a broadcast; undefined when there is no such broadcast or member. */
export async function readBroadcastStory(
  tx: Tx,
  member: MemberBy,
  broadcast: string,
): Promise<Explained | undefined> {
  const [found] = await tx.query<Explained>({
    name: 'broadcast_story',
    text: `select p.id as touchpoint,
        case when b.state = 'SENT' then 'NOT_SENT' when b.state = 'CANCELLED' then 'CANCELLED' else 'PLANNED' end as state,
        coalesce(b.channels[1], 'inbox') as channel, coalesce(b.finished_at, b.due_at, b.created_at) as at,
        case when b.state = 'SENT' then 'NOT_IN_AUDIENCE' end as reason, m.locale, m.time_zone as "timeZone",
        '[]'::json as decisions
      from broadcast b
      join member m on m.tenant_id = b.tenant_id and (m.id = $2 or m.external_id = $3)
      left join touchpoint p on p.tenant_id = b.tenant_id and p.member_id = m.id and p.purpose = b.purpose
        and p.source_type = 'broadcast' and p.source_id = b.id::text
      where own(b) and b.id = $1`,
    values: [broadcast, ...named(member)],
  })
  return found?.touchpoint ? readStory(tx, member, found.touchpoint) : found
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
    values: [touchpoint, ...named(member)],
  })
  return story
}

/** The member's id and the tenant's own, one of them null. */
function named(member: MemberBy): readonly [string | null, string | null] {
  return 'id' in member ? [member.id, null] : [null, member.externalId]
}
