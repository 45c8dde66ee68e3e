import type { Tx } from '../../platform/db.ts'
import type { Channel } from '../channels/index.ts'

/** How a member wishes to be approached, and how every purpose stands. Times are HH:MM; instants ISO 8601. */
export interface MemberWishes {
  readonly member: string
  readonly timeZone: string
  readonly channels: readonly string[]
  readonly quietFrom: string | null
  readonly quietTo: string | null
  readonly preferredTime: string | null
  readonly pauses: readonly {
    readonly pausedBy: 'MEMBER' | 'STAFF'
    readonly since: string
    readonly until: string | null
    readonly reason: string | null
  }[]
  /** The kinds of the addresses that may be used. */
  readonly kinds: readonly string[]
  readonly consents: readonly {
    readonly purpose: string
    readonly channel: string
    readonly state: 'PENDING' | 'LIVE' | 'WITHDRAWN'
  }[]
  readonly purposes: readonly Purpose[]
}

interface Purpose {
  readonly key: string
  readonly name: unknown
  readonly class: string
  readonly consent: string
  readonly wish: string
  readonly requiresVerifiedAddress: boolean
}

/** Reads the wishes of these members (uuids), by member. One statement. */
export async function readWishes(
  tx: Tx,
  members: readonly string[],
): Promise<ReadonlyMap<string, MemberWishes>> {
  const rows = await tx.query<MemberWishes>({
    name: 'consents_wishes',
    text: `select m.id as member, m.time_zone as "timeZone", coalesce(p.channels, '{}') as channels,
        p.quiet_from as "quietFrom", p.quiet_to as "quietTo", p.preferred_time as "preferredTime",
        (select coalesce(json_agg(json_build_object('pausedBy', s.paused_by, 'since', s.since, 'until', s.until,
            'reason', s.reason) order by s.paused_by), '[]')
          from touch_pause s
          where own(s) and s.member_id = m.id
            and (s.until is null or s.until > tenant_now(m.tenant_id))) as pauses,
        (select coalesce(json_agg(distinct a.kind), '[]') from address a
          where own(a) and a.member_id = m.id and a.removed_at is null and not exists (
            select from suppression s
            where own(s) and s.key = a.key and s.lifted_at is null
              and (s.until is null or s.until > tenant_now(m.tenant_id)))) as kinds,
        (select coalesce(json_agg(json_build_object('purpose', c.purpose, 'channel', c.channel, 'state', c.state)),
            '[]')
          from consent c where own(c) and c.member_id = m.id) as consents,
        (select coalesce(json_agg(json_build_object('key', q.key, 'name', q.name, 'class', q.class, 'consent', q.consent,
            'wish', q.wish, 'requiresVerifiedAddress', q.requires_verified_address) order by q.key), '[]')
          from purpose q where own(q)) as purposes
      from member m
      left join preference p on p.tenant_id = m.tenant_id and p.member_id = m.id
      where own(m) and m.id in (select asked::uuid from json_array_elements_text($1) asked)`,
    values: [JSON.stringify(members)],
  })
  return new Map(rows.map((row) => [row.member, row]))
}

const NEED_NONE = ['inbox', 'task']

/** Every purpose with how it stands on each of the channels: the same answer as consent_missing gives. */
export function centreOf({ consents, purposes, kinds }: MemberWishes, channels: readonly Channel[]) {
  const states = new Map(consents.map(({ purpose, channel, state }) => [`${purpose}\n${channel}`, state]))
  return purposes.map((purpose) => ({
    purpose,
    channels: channels.map(({ id, kind, hasOwnAddress }) => ({
      channel: id,
      standing:
        purpose.consent === 'NONE' || NEED_NONE.includes(kind)
          ? ('NOT_NEEDED' as const)
          : (states.get(`${purpose.key}\n${id}`) ?? ('NOT_GIVEN' as const)),
      hasAddress: hasOwnAddress || kinds.includes(kind),
    })),
  }))
}
