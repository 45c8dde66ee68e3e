import type { Tx } from '../../platform/db.ts'

/** What of a notification the viewer may see now. */
export interface Seen {
  /** Facts and those who did them, as far as they may be seen; 0 when none may be. */
  readonly count: number
  readonly actorCount: number
  /** The members who did it (uuids), the newest first; at most 3. */
  readonly actors: readonly { readonly id: string; readonly displayName: string }[]
  /** What the newest is about when that is nothing written. */
  readonly subject: string | null
}

/** What was taken away is news to whoever wrote it alone. */
const IS_NEWS = `(c.state = 'PUBLISHED' or n.kind = 'JUDGED')`

/**
 * What the viewer may see now of each of these notifications (uuids): the database leaves out what is written where
 * it may not look, and what is not public any more; who reads for a member never sees a title beyond that.
 */
export async function readSeen(tx: Tx, ids: readonly string[]): Promise<Seen[]> {
  const rows = await tx.query<Seen & { readonly id: string }>({
    name: 'notifications_seen',
    text: `with part as materialized (
        select p.notification_id as id, p.tenant_id, p.actor_id, p.subject, p.at, p.fact_id
        from notification_part p
        join notification n on n.tenant_id = p.tenant_id and n.id = p.notification_id
        left join contribution c on c.tenant_id = p.tenant_id and c.id = p.contribution_id and ${IS_NEWS}
        where own(p) and p.notification_id in (select i::uuid from json_array_elements_text($1) i)
          and (p.contribution_id is null or c.id is not null)
      )
      select p.id, count(*)::int as count, count(distinct coalesce(p.actor_id, p.tenant_id))::int as "actorCount",
        (array_agg(p.subject order by p.at desc, p.fact_id desc))[1] as subject,
        (select coalesce(json_agg(json_build_object('id', m.id, 'displayName', m.display_name) order by a.at desc, m.id), '[]')
         from (select x.actor_id, max(x.at) as at from part x where x.id = p.id and x.actor_id is not null
               group by x.actor_id order by max(x.at) desc, x.actor_id limit 3) a
         join member m on own(m) and m.id = a.actor_id and m.erased_at is null) as actors
      from part p group by p.id`,
    values: [JSON.stringify(ids)],
  })
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id) ?? { count: 0, actorCount: 0, actors: [], subject: null })
}

/** How many unread notifications of each of these members (uuids) tell of something in sight; counted up to 100. */
export async function countUnread(tx: Tx, members: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ id: string; n: number }>({
    name: 'notifications_unread',
    text: `select m.id, (select count(*)::int from (
        select from notification n
        where own(n) and n.member_id = m.id and n.read_at is null and n.is_listed and exists (
          select from notification_part p
          left join contribution c on c.tenant_id = p.tenant_id and c.id = p.contribution_id and ${IS_NEWS}
          where own(p) and p.notification_id = n.id and (p.contribution_id is null or c.id is not null))
        limit 100) x) as n
      from (select i::uuid as id from json_array_elements_text($1) i) m`,
    values: [JSON.stringify(members)],
  })
  const found = new Map(rows.map(({ id, n }) => [id, n]))
  return members.map((id) => found.get(id) ?? 0)
}

/** What a member chose for one kind and channel. */
export interface Choice {
  readonly kind: string
  readonly channel: string
  readonly isOn: boolean
}

/** What a member set for a space, or follows: kept when it may not look there any more. */
export interface Place {
  readonly kind: 'SPACE' | 'THREAD' | 'MEMBER' | 'TAG'
  /** The id (a uuid), or the tag. */
  readonly target: string
  /** Null where it only follows. */
  readonly level: string | null
  readonly since: Date
  readonly isPaused: boolean
}

/** A digest as it is set. */
export interface DigestFacts {
  readonly period: 'DAILY' | 'WEEKLY'
  readonly localTime: string
  readonly weekday: string | null
  readonly channels: readonly string[]
  readonly nextAt: Date | null
}

/** Everything that a member chose, in one statement; at most 500 places, the newest first. */
export interface Settings {
  readonly choices: readonly Choice[]
  readonly places: readonly Place[]
  readonly digest: DigestFacts | null
}

/** Reads the settings of the member (a uuid) who asks: its own sight says which places are paused. */
export async function readSettings(tx: Tx, member: string): Promise<Settings> {
  const [row] = await tx.query<{ settings: Settings }>({
    name: 'notification_settings',
    text: `select json_build_object(
        'choices', (select coalesce(json_agg(json_build_object('kind', c.kind, 'channel', c.channel, 'isOn', c.is_on)
            order by c.kind, c.channel), '[]') from notification_choice c where own(c) and c.member_id = $1),
        'digest', (select json_build_object('period', d.period, 'localTime', d.local_time, 'weekday', d.weekday,
            'channels', d.channels, 'nextAt', (select w.due_at from digest w
              where own(w) and w.member_id = $1 and w.state = 'OPEN'))
          from digest_setting d where own(d) and d.member_id = $1),
        'places', (select coalesce(json_agg(p order by p.since desc, p.kind, p.target), '[]') from (
          select coalesce(n.kind, f.kind) as kind, coalesce(n.target, f.target) as target, n.level,
            coalesce(n.since, f.since) as since,
            case coalesce(n.kind, f.kind)
              when 'SPACE' then not exists (select from space s
                where own(s) and s.id::text = coalesce(n.target, f.target) and s.id = any (viewer_keys()))
              when 'THREAD' then not exists (select from contribution c
                where own(c) and c.id::text = f.target and c.root_state = 'PUBLISHED')
              else false end as "isPaused"
          from (select 'SPACE' as kind, x.space_id::text as target, x.level, x.since from space_notice x
                where own(x) and x.member_id = $1) n
          full join (select y.kind, y.target, y.since from follow y where own(y) and y.member_id = $1) f
            on f.kind = n.kind and f.target = n.target
          order by 4 desc limit 500) p)) as settings`,
    values: [member],
  })
  if (!row) throw new TypeError('an aggregate answers one row')
  return row.settings
}
