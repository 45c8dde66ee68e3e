import type { Tx } from '../../platform/db.ts'
import type { Candidate } from './feed.ts'

/** What feeds are read by; instants are texts with microseconds. */
export interface FeedBy {
  /** Whose; null: staff, who see what happens everywhere. */
  readonly member: string | null
  /** The instant at which the feed is told; null: now. */
  readonly asOf: string | null
}

/** A post in a feed that is sorted by instants. */
export interface FeedRow {
  readonly id: string
  readonly at: string
  readonly asOf: string
}

/** What a member is for: it joined or follows spaces, and follows members, tags and threads. */
const MINE = `
  mine as materialized (
    select t.as_of,
      array(select sm.space_id from space_member sm
            where own(sm) and sm.member_id = $1 and sm.state = 'JOINED' and sm.since <= t.as_of
            union
            select f.target::uuid from follow f
            where own(f) and f.member_id = $1 and f.kind = 'SPACE' and f.since <= t.as_of) as spaces,
      array(select f.target::uuid from follow f
            where own(f) and f.member_id = $1 and f.kind = 'MEMBER' and f.since <= t.as_of) as members,
      array(select f.target from follow f
            where own(f) and f.member_id = $1 and f.kind = 'TAG' and f.since <= t.as_of) as tags,
      array(select f.target::uuid from follow f
            where own(f) and f.member_id = $1 and f.kind = 'THREAD' and f.since <= t.as_of) as threads
    from (select coalesce($2::timestamptz, tenant_now(current_tenant())) as as_of) t
  )`

/** Who has joined and follows nothing sees what happens everywhere: a feed does not begin empty. */
const IS_MINE = `
  ($1::uuid is null
   or c.space_id = any (mine.spaces) or c.author_id = any (mine.members) or c.id = any (mine.threads) or c.tags && mine.tags
   or cardinality(mine.spaces) + cardinality(mine.members) + cardinality(mine.tags) = 0)`

const POSTS = `own(c) and c.kind = 'POST' and c.parent_id is null and c.state = 'PUBLISHED' and c.published_at <= mine.as_of`

/** When something last happened in a thread, as it was then: what came since does not move it. */
const ACTIVE_AT = `
  case when c.activity_at <= mine.as_of then c.activity_at else greatest(c.published_at, (
    select max(r.published_at) from contribution r
    where own(r) and r.root_id = c.id and r.parent_id is not null and r.state = 'PUBLISHED'
      and r.published_at <= mine.as_of)) end`

function byTime(at: string, isBackward: boolean): string {
  const [beyond, direction] = isBackward ? ['>', 'asc'] : ['<', 'desc']
  return `
    with ${MINE}
    select x.id, to_json(x.at) #>> '{}' as at, to_json(x.as_of) #>> '{}' as "asOf"
    from (
      select c.id, ${at} as at, mine.as_of from contribution c, mine
      where ${POSTS} and ${IS_MINE}
    ) x
    where $3::timestamptz is null or (x.at, x.id) ${beyond} ($3, $4::uuid)
    order by x.at ${direction}, x.id ${direction} limit $5`
}

/** One page of a feed sorted by when posts were published (NEW) or something happened in their threads (ACTIVE). */
export function feedByTime(
  tx: Tx,
  order: 'NEW' | 'ACTIVE',
  { member, asOf }: FeedBy,
  page: {
    readonly from: { at: string; id: string } | null
    readonly limit: number
    readonly isBackward: boolean
  },
): Promise<FeedRow[]> {
  return tx.query<FeedRow>({
    name: 'feed',
    text: byTime(order === 'NEW' ? 'c.published_at' : ACTIVE_AT, page.isBackward),
    values: [member, asOf, page.from?.at ?? null, page.from?.id ?? null, page.limit],
  })
}

/** How many posts a ranked feed may hold at most. */
const MOST = 500

/*
 * A member's own rank of a post at an instant:
 *   interest × ln(2 + max(0, reactions + 2 × comments)) ÷ (hours since it was published + 2)^1.5
 * where interest is 1, and 1 more for a followed author, .5 more for a followed tag, .5 more for a followed thread.
 * What came after that instant does not count.
 */
const FOR_YOU = `
  (1 + (x.author_id = any (mine.members))::int + .5 * (x.tags && mine.tags)::int + .5 * (x.id = any (mine.threads))::int)
  * ln(2 + greatest(0, p.reactions + 2 * p.comments))
  / power(extract(epoch from mine.as_of - x.published_at)::float8 / 3600 + 2, 1.5)`

/** Votes and other reactions, of which DOWN takes one away. */
const TOP = 'p.reactions::float8'

function ranked(rank: string, first: string): string {
  return `
    with ${MINE}, x as materialized (
      select c.id, c.author_id, c.space_id, c.tags, c.published_at from contribution c, mine
      where ${POSTS} and c.published_at > mine.as_of - $3::interval and ${IS_MINE}
      order by ${first}, c.id desc limit ${MOST}
    )
    select x.id, x.author_id as author, x.space_id as space, to_json(mine.as_of) #>> '{}' as "asOf"
    from x cross join mine
    join post_pull(array(select x.id from x), (select as_of from mine)) p on p.id = x.id
    order by coalesce(${rank}, 0) desc, x.published_at desc, x.id desc`
}

const RANKED = { FOR_YOU: ranked(FOR_YOU, 'c.published_at desc'), TOP: ranked(TOP, 'c.score desc') }

/** All of a ranked feed, the best first: of posts no older than `window` (ISO 8601), at most 500. */
export function feedRanked(
  tx: Tx,
  order: 'FOR_YOU' | 'TOP',
  { member, asOf }: FeedBy,
  window: string,
): Promise<(Candidate & { readonly asOf: string })[]> {
  return tx.query({ name: 'feed_ranked', text: RANKED[order], values: [member, asOf, window] })
}
