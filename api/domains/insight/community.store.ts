import type { Tx } from '../../platform/db.ts'
import type { Stay } from './stickiness.store.ts'

/** How questions of a span were answered; see readAnswering. */
export interface AnsweringFacts {
  readonly questions: number
  readonly matured: number
  readonly unanswered: number
  readonly answeredWithinDay: number
  readonly answeredInTime: number
  readonly firstByMembers: number
  readonly firstByStaff: number
  readonly peerAnswered: number
  readonly medianMinutes: number | null
  readonly p90Minutes: number | null
  readonly accepted: number
  readonly solved: number
  readonly rated: number
  readonly satisfied: number
}

/**
 * What became of the published questions of a span, by now. An asker's own answers never count. Matured: asked 24 hours
 * ago or more; unanswered: of those, without an answer. The times to the first answer are over all matured questions,
 * those without an answer standing for longer than any: null, when the median or the 90th percentile lies among them.
 * Peer-answered: answered by members, and not by staff. Solved: an answer is accepted, or it was closed as solved.
 */
export async function readAnswering(tx: Tx, { from, until, space }: Stay): Promise<AnsweringFacts> {
  const [row] = await tx.query<AnsweringFacts>({
    name: 'community_answering',
    text: `with asked as (
        select q.id, q.published_at, q.published_at <= tenant_now((select app_tenant())) - interval '24 hours' as is_old,
          a.first_at, a.first_is_staff, a.has_staff,
          (select s.answers_within::interval from question_settings(q.space_id) s) as within,
          exists (select from accepted_answer x where x.tenant_id = q.tenant_id and x.question_id = q.id) as is_accepted,
          d.closed_reason, d.is_satisfied
        from contribution q
        left join question d on d.tenant_id = q.tenant_id and d.contribution_id = q.id
        left join lateral (
          select min(x.published_at) as first_at, bool_or(x.is_by_staff) as has_staff,
            (array_agg(x.is_by_staff order by x.published_at, x.id))[1] as first_is_staff
          from contribution x
          where own(x) and x.root_id = q.id and x.kind = 'ANSWER' and x.state = 'PUBLISHED'
            and (x.author_id is null or x.author_id is distinct from q.author_id)) a on true
        where own(q) and q.kind = 'QUESTION' and q.state = 'PUBLISHED' and q.published_at >= $1 and q.published_at < $2
          and ($3::uuid is null or q.space_id = $3)
      ), waited as (
        select coalesce(extract(epoch from a.first_at - a.published_at)::float8 / 60, 'infinity') as minutes
        from asked a where a.is_old
      )
      select count(*)::int as questions, (count(*) filter (where a.is_old))::int as matured,
        (count(*) filter (where a.is_old and a.first_at is null))::int as unanswered,
        (count(*) filter (where a.first_at <= a.published_at + interval '24 hours'))::int as "answeredWithinDay",
        (count(*) filter (where a.first_at <= a.published_at + a.within))::int as "answeredInTime",
        (count(*) filter (where a.first_at is not null and not a.first_is_staff))::int as "firstByMembers",
        (count(*) filter (where a.first_is_staff))::int as "firstByStaff",
        (count(*) filter (where a.first_at is not null and not a.has_staff))::int as "peerAnswered",
        (count(*) filter (where a.is_accepted))::int as accepted,
        (count(*) filter (where a.is_accepted or a.closed_reason = 'SOLVED'))::int as solved,
        count(a.is_satisfied)::int as rated, (count(*) filter (where a.is_satisfied))::int as satisfied,
        (select nullif(percentile_disc(.5) within group (order by w.minutes), 'infinity') from waited w) as "medianMinutes",
        (select nullif(percentile_disc(.9) within group (order by w.minutes), 'infinity') from waited w) as "p90Minutes"
      from asked a`,
    values: [from, until, space],
  })
  if (!row) throw new TypeError('an aggregate answers one row')
  return row
}

/** How grown the community is in a span: of the members that it has, who was there, replied, helped; and ties. */
export interface MaturityFacts {
  readonly startsAt: Date
  readonly endsAt: Date
  readonly members: number
  readonly active: number
  readonly replying: number
  readonly helping: number
  readonly ties: number
  readonly mutualTies: number
  readonly solvedViews: number
  readonly selfServed: number
}

/**
 * One row for each part of a span: `every` (ISO 8601) long on the tenant's calendar, the last as long as is left; one
 * part when `every` is null. Members: when the part ended. Active: looked at something or wrote; replying: answered or
 * commented on another; helping: answered another's question. A tie is two members of whom one replied to the other,
 * mutual when each did. Self-service: of the views of solved questions (a member counts once a day), those that no
 * question of the same member followed within 7 days. At most `most` rows.
 */
export function readMaturity(
  tx: Tx,
  { from, until, space }: Stay,
  { every, most }: { readonly every: string | null; readonly most: number },
): Promise<MaturityFacts[]> {
  return tx.query<MaturityFacts>({
    name: 'community_maturity',
    text: `with part as (
        select x.begins, least(x.ends, $2::timestamptz) as ends
        from generate_series(0, $5 - 1) n
        join tenant t on t.id = (select app_tenant())
        cross join lateral (
          select (($1::timestamptz at time zone t.time_zone) + n * $4::interval) at time zone t.time_zone as begins,
            (($1::timestamptz at time zone t.time_zone) + (n + 1) * $4::interval) at time zone t.time_zone as ends
          where $4 is not null
          union all select $1, $2 where $4 is null and n = 0) x
        where x.begins < $2
      )
      select part.begins as "startsAt", part.ends as "endsAt", found.*
      from part cross join lateral (
        with wrote as (
          select c.author_id, c.kind, p.author_id as to_id, c.published_at
          from contribution c
          left join contribution p on p.tenant_id = c.tenant_id and p.id = c.parent_id
          where own(c) and c.state = 'PUBLISHED' and c.published_at >= part.begins and c.published_at < part.ends
            and c.author_id is not null and ($3::uuid is null or c.space_id = $3)
        ), looked as (
          select distinct v.member_id from page_view v
          where own(v) and v.at >= part.begins and v.at < part.ends and ($3::uuid is null or v.space_id = $3)
        ), replied as (
          select distinct w.author_id, w.to_id from wrote w where w.to_id is not null and w.to_id <> w.author_id
        ), tie as (
          select least(r.author_id, r.to_id) as a, greatest(r.author_id, r.to_id) as b, count(*) as n
          from replied r group by 1, 2
        ), solved as (
          select v.member_id, v.at from contribution_view v
          join accepted_answer x on x.tenant_id = v.tenant_id and x.question_id = v.contribution_id
          join contribution q on q.tenant_id = v.tenant_id and q.id = v.contribution_id
            and q.author_id is distinct from v.member_id and ($3::uuid is null or q.space_id = $3)
          where own(v) and v.at >= part.begins and v.at < part.ends
        )
        select (select count(*)::int from member m where own(m) and m.registered_at < part.ends
                and (m.ended_at is null or m.ended_at >= part.ends)) as members,
          (select count(*)::int from (select w.author_id from wrote w union select l.member_id from looked l) x) as active,
          (select count(distinct r.author_id)::int from replied r) as replying,
          (select count(distinct w.author_id)::int from wrote w
            where w.kind = 'ANSWER' and w.to_id is distinct from w.author_id) as helping,
          (select count(*)::int from tie) as ties,
          (select count(*)::int from tie t where t.n = 2) as "mutualTies",
          (select count(*)::int from solved) as "solvedViews",
          (select count(*)::int from solved s where not exists (
            select from contribution q where own(q) and q.author_id = s.member_id and q.kind = 'QUESTION'
              and q.published_at > s.at and q.published_at <= s.at + interval '7 days')) as "selfServed") found
      order by part.begins`,
    values: [from, until, space, every, most],
  })
}

/** Somebody who helps. */
export interface HelperFacts {
  readonly member: string
  readonly name: string
  readonly answers: number
  readonly accepted: number
}

/** The members who answered most of others' questions in a span, at most 20. */
export function readHelpers(tx: Tx, { from, until, space }: Stay): Promise<HelperFacts[]> {
  return tx.query({
    name: 'community_helpers',
    text: `select m.id as member, m.display_name as name, count(*)::int as answers, count(x.answer_id)::int as accepted
      from contribution a
      join contribution q on q.tenant_id = a.tenant_id and q.id = a.root_id and q.author_id is distinct from a.author_id
      join member m on m.tenant_id = a.tenant_id and m.id = a.author_id
      left join accepted_answer x on x.tenant_id = a.tenant_id and x.answer_id = a.id
      where own(a) and a.kind = 'ANSWER' and a.state = 'PUBLISHED' and a.published_at >= $1 and a.published_at < $2
        and ($3::uuid is null or a.space_id = $3)
      group by m.id, m.display_name order by count(x.answer_id) desc, count(*) desc, m.id limit 20`,
    values: [from, until, space],
  })
}

/** Members who took part in one way, and how many of them left. */
export interface ChurnFacts {
  readonly level: 'NONE' | 'READING' | 'WRITING' | 'HELPING'
  readonly members: number
  readonly ended: number
}

/**
 * Of the members who were there when a span ended, by the most that they did in it: how many ended their membership
 * since, by now.
 */
export function readChurn(tx: Tx, { from, until, space }: Stay): Promise<ChurnFacts[]> {
  return tx.query({
    name: 'community_churn',
    text: `with took as (
        select c.author_id as member_id,
          max(case when c.kind = 'ANSWER' and q.author_id is distinct from c.author_id then 3 else 2 end) as level
        from contribution c join contribution q on q.tenant_id = c.tenant_id and q.id = c.root_id
        where own(c) and c.state = 'PUBLISHED' and c.published_at >= $1 and c.published_at < $2
          and c.author_id is not null and ($3::uuid is null or c.space_id = $3) group by 1
        union all
        select distinct v.member_id, 1 from page_view v
        where own(v) and v.at >= $1 and v.at < $2 and ($3::uuid is null or v.space_id = $3)
      ), member_level as (
        select m.id, m.ended_at is not null as has_ended,
          coalesce((select max(t.level) from took t where t.member_id = m.id), 0) as level
        from member m where own(m) and m.registered_at < $2 and (m.ended_at is null or m.ended_at >= $2)
      )
      select (array['NONE', 'READING', 'WRITING', 'HELPING'])[l.level + 1] as level, count(*)::int as members,
        (count(*) filter (where l.has_ended))::int as ended
      from member_level l group by l.level order by l.level`,
    values: [from, until, space],
  })
}
