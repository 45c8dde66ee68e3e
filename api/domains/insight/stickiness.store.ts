import type { Tx } from '../../platform/db.ts'

/** A span of time, from inclusive, until exclusive; of one space (a uuid), or of everything. */
export interface Stay {
  readonly from: Date
  readonly until: Date
  readonly space: string | null
}

/** How a member stays. */
export interface StickinessFacts {
  readonly visits: number
  readonly dwell: number
  readonly depth: number
  readonly frequency: number
  readonly index: number
  readonly activeDays: number
}

/**
 * How each member who was there stays; `$1` from, `$2` until, `$3` the space or null. Per member:
 *   dwell      seconds that it looked at pages, at most 600 a page
 *   depth      per visit, the distinct resources looked at for 3 seconds or more, and the distinct levels reached
 *   frequency  active days / days of the span, on the tenant's calendar
 *   index      the product of the three, each as the share of those members who have as much or less
 */
const STAYS = `looked as (
    select v.member_id, v.session, v.resource, v.level, v.seconds, v.at, (v.at at time zone t.time_zone)::date as day
    from page_view v join tenant t on t.id = v.tenant_id
    where own(v) and v.at >= $1 and v.at < $2 and ($3::uuid is null or v.space_id = $3)
  ), visited as (
    select l.member_id, l.session,
      count(distinct l.resource) filter (where l.seconds >= 3) + count(distinct l.level) as depth
    from looked l group by l.member_id, l.session
  ), stayed as (
    select l.member_id, sum(least(l.seconds, 600))::float8 as dwell, count(distinct l.day)::int as days,
      count(distinct l.day) / greatest(1, ceil(extract(epoch from $2::timestamptz - $1::timestamptz) / 86400))::float8
        as frequency,
      (select avg(x.depth)::float8 from visited x where x.member_id = l.member_id) as depth,
      (select count(*)::int from visited x where x.member_id = l.member_id) as visits
    from looked l group by l.member_id
  ), stay as (
    select s.*, cume_dist() over (order by s.dwell) * cume_dist() over (order by s.depth)
      * cume_dist() over (order by s.frequency) as index
    from stayed s
  )`

/** How each of these members (uuids) stays, compared with everybody who was there; null who was not. */
export async function readStays(
  tx: Tx,
  members: readonly string[],
  { from, until, space }: Stay,
): Promise<(StickinessFacts | null)[]> {
  const rows = await tx.query<StickinessFacts & { readonly member: string }>({
    name: 'stickiness_of',
    text: `with ${STAYS}
      select s.member_id as member, s.visits, s.dwell, s.depth, s.frequency, s.index, s.days as "activeDays"
      from stay s where s.member_id in (select m::uuid from json_array_elements_text($4) m)`,
    values: [from, until, space, JSON.stringify(members)],
  })
  const found = new Map(rows.map((row) => [row.member, row]))
  return members.map((id) => found.get(id) ?? null)
}

/** How the members of a tenant or space stay, all of them together. */
export interface StayReport extends Stay {
  readonly members: number
  readonly visits: number
  readonly dwell: number | null
  readonly depth: number | null
  readonly frequency: number | null
  readonly index: number | null
  readonly dailyMembers: number
  readonly monthlyMembers: number
  readonly returns: readonly { readonly days: number; readonly count: number }[]
}

/**
 * The means over the members who were there; daily: the mean of the members of each day of the span; monthly: those
 * of its last 28 days; returns: how many days after an active day the next one came, 8 standing for more than a week.
 */
export async function readStayReport(tx: Tx, stay: Stay): Promise<StayReport> {
  const [row] = await tx.query<Omit<StayReport, keyof Stay>>({
    name: 'stickiness_report',
    text: `with ${STAYS}, active as (select distinct l.member_id, l.day from looked l), gap as (
        select a.day - lag(a.day) over (partition by a.member_id order by a.day) as days from active a
      ), back as (
        select least(g.days, 8) as days, count(*)::int as count from gap g where g.days is not null group by 1
      )
      select count(*)::int as members, coalesce(sum(s.visits), 0)::int as visits, avg(s.dwell)::float8 as dwell,
        avg(s.depth)::float8 as depth, avg(s.frequency)::float8 as frequency, avg(s.index)::float8 as index,
        ((select count(*) from active)
          / greatest(1, ceil(extract(epoch from $2::timestamptz - $1::timestamptz) / 86400)))::float8 as "dailyMembers",
        (select count(distinct l.member_id)::int from looked l where l.at >= $2::timestamptz - interval '28 days')
          as "monthlyMembers",
        (select coalesce(json_agg(b order by b.days), '[]') from back b) as returns
      from stay s`,
    values: [stay.from, stay.until, stay.space],
  })
  if (!row) throw new TypeError('an aggregate answers one row')
  return { ...stay, ...row }
}

/** How many members were there on so many days. */
export interface ActiveDays {
  readonly days: number
  readonly members: number
}

/** On how many of the last days (of the tenant's calendar) of a span members were there; those who were not are left out. */
export function readActiveDays(tx: Tx, { until, space }: Stay, of: number): Promise<ActiveDays[]> {
  return tx.query({
    name: 'active_days',
    text: `with week as (
        select t.id, t.time_zone, (($1::timestamptz - interval '1 microsecond') at time zone t.time_zone)::date - $3::int as before
        from tenant t where t.id = current_tenant()
      ), member_days as (
        select v.member_id, count(distinct (v.at at time zone w.time_zone)::date)::int as days
        from week w join page_view v on v.tenant_id = w.id
        where v.at >= (w.before + 1)::timestamp at time zone w.time_zone and v.at < $1
          and ($2::uuid is null or v.space_id = $2)
        group by v.member_id
      )
      select d.days, count(*)::int as members from member_days d group by d.days order by d.days`,
    values: [until, space, of],
  })
}

/** What the members of one part of all bring, by how they stay. */
export interface RevenueBand {
  readonly band: number
  readonly members: number
  readonly index: number
  readonly revenue: bigint
}

/** Revenue beside stickiness. */
export interface StayRevenue {
  readonly bands: readonly RevenueBand[]
  readonly correlation: number | null
}

/** Members who were there, in `bands` parts of one size from the least to the most sticky, and what each brought in the span. */
export async function readStayRevenue(
  tx: Tx,
  { from, until, space }: Stay,
  { currency, bands }: { readonly currency: string; readonly bands: number },
): Promise<StayRevenue> {
  const rows = await tx.query<RevenueBand & { readonly correlation: number | null }>({
    name: 'stickiness_revenue',
    text: `with ${STAYS}, brought as (
        select s.index, ntile($5) over (order by s.index, s.member_id) as band, coalesce((
          select sum(p.total - p.refunded) from purchase p
          where own(p) and p.member_id = s.member_id and p.currency = $4 and p.state <> 'REFUNDED'
            and p.purchased_at >= $1 and p.purchased_at < $2), 0)::bigint as revenue
        from stay s
      )
      select b.band::int as band, count(*)::int as members, avg(b.index)::float8 as index,
        sum(b.revenue)::bigint as revenue,
        (select corr(x.index, x.revenue::float8) from brought x) as correlation
      from brought b group by b.band order by b.band`,
    values: [from, until, space, currency, bands],
  })
  return { bands: rows, correlation: rows[0]?.correlation ?? null }
}

/** A step of a funnel: a look at a resource (with * at its end: whatever begins so), or an activity of this name. */
export interface FunnelStep {
  readonly resource: string | null
  readonly activity: string | null
}

/**
 * How many members took each step after those before it, all within a time (ISO 8601) of the first; for each the
 * earliest way is taken, and nothing that it did is two steps.
 */
export async function readFunnel(
  tx: Tx,
  { from, until }: Stay,
  { steps, within }: { readonly steps: readonly FunnelStep[]; readonly within: string },
): Promise<number[]> {
  const rows = await tx.query<{ step: number; members: number }>({
    name: 'funnel',
    text: `with recursive step as (
        select (s.row ->> 'resource') as resource, (s.row ->> 'activity') as activity, s.n::int as n
        from json_array_elements($3) with ordinality s (row, n)
      ), act as (
        select s.n, v.member_id, v.at, v.key as id from step s join page_view v on own(v) and v.at >= $1 and v.at < $2
          and (v.resource = s.resource or s.resource like '%*' and starts_with(v.resource, left(s.resource, -1)))
        union all
        select s.n, a.member_id, a.at, a.id::text from step s join activity a on own(a) and a.name = s.activity
          and a.at >= $1 and a.at < $2
      ), way as (
        (select distinct on (a.member_id) 1 as n, a.member_id, a.at, a.at as began, array[a.id] as ids
         from act a where a.n = 1 order by a.member_id, a.at, a.id)
        union all
        select w.n + 1, w.member_id, x.at, w.began, w.ids || x.id from way w
        cross join lateral (
          select a.at, a.id from act a
          where a.n = w.n + 1 and a.member_id = w.member_id and a.at >= w.at and a.at <= w.began + $4::interval
            and a.id <> all (w.ids)
          order by a.at, a.id limit 1) x
      )
      select w.n as step, count(*)::int as members from way w group by w.n`,
    values: [from, until, JSON.stringify(steps), within],
  })
  const found = new Map(rows.map(({ step, members }) => [step, members]))
  return steps.map((_, i) => found.get(i + 1) ?? 0)
}
