import type { Tx } from '../../platform/db.ts'

/** Complaints, stumbles and questions about one thing. */
export interface ComplaintCluster {
  /** A product; null when it is a feature. */
  readonly sku: string | null
  /** A feature over which members stumbled; null when it is a product. */
  readonly feature: string | null
  readonly complaints: number
  readonly stumbles: number
  readonly questions: number
  readonly members: number
  readonly at: Date
  /** The newest idea about it (a uuid). */
  readonly idea: string | null
}

/** Everything that was complained of: of which product or feature, by whom, when. What was erased tells no feature. */
const SAID = `select c.sku, null as feature, x.member_id, x.opened_at as at, 1 as complaint, 0 as stumble
    from complaint x join contribution c on c.tenant_id = x.tenant_id and c.id = x.contribution_id
    where own(x) and c.sku is not null
    union all
    select null, s.feature, s.member_id, s.at, 0, 1 from stumble s where own(s) and s.feature <> '–'`

/** What most members complained of, stumbled over or asked about within a length of time (ISO 8601); at most 100. */
export function readClusters(tx: Tx, within: string): Promise<ComplaintCluster[]> {
  return tx.query({
    name: 'complaint_clusters',
    text: `with said as (
        ${SAID}
        union all
        select q.sku, null, q.author_id, q.published_at, 0, 0 from contribution q
        where own(q) and q.kind = 'QUESTION' and q.state = 'PUBLISHED' and q.sku is not null and q.source_key is null
      ), cluster as (
        select s.sku, s.feature, sum(s.complaint)::int as complaints, sum(s.stumble)::int as stumbles,
          (count(*) - sum(s.complaint) - sum(s.stumble))::int as questions, count(distinct s.member_id)::int as members,
          max(s.at) as at
        from said s where s.at > tenant_now(current_tenant()) - $1::interval
        group by s.sku, s.feature
        having sum(s.complaint) + sum(s.stumble) > 0
        order by members desc, count(*) desc, s.sku, s.feature limit 100
      )
      select k.*, (
        select i.id from content_idea i
        where own(i) and (k.sku = any (i.skus) or k.feature = any (i.features)) order by i.id desc limit 1) as idea
      from cluster k order by k.members desc, k.complaints + k.stumbles + k.questions desc, k.sku, k.feature`,
    values: [within],
  })
}

/** How much was complained of before an idea was closed, and since. */
export interface IdeaEffect {
  readonly days: number
  readonly before: number
  readonly after: number
}

/**
 * How often members complained of the products and stumbled over the features of each of these ideas (uuids), for up to
 * 30 days before it was closed and as long since; null for one that is open, or names nothing.
 */
export async function readEffects(tx: Tx, ideas: readonly string[]): Promise<(IdeaEffect | null)[]> {
  const rows = await tx.query<IdeaEffect & { readonly id: string }>({
    name: 'idea_effects',
    text: `with idea as (
        select i.id, i.skus, i.features, i.closed_at, least(interval '30 days', tenant_now(current_tenant()) - i.closed_at) as span
        from content_idea i
        where own(i) and i.id in (select x::uuid from json_array_elements_text($1) x) and i.closed_at is not null
          and i.skus || i.features <> '{}'
      ), said as (${SAID})
      select i.id, extract(epoch from i.span)::float8 / 86400 as days,
        (count(s.at) filter (where s.at < i.closed_at))::int as before,
        (count(s.at) filter (where s.at >= i.closed_at))::int as after
      from idea i
      left join said s on (s.sku = any (i.skus) or s.feature = any (i.features))
        and s.at >= i.closed_at - i.span and s.at < i.closed_at + i.span
      group by i.id, i.span`,
    values: [JSON.stringify(ideas)],
  })
  const found = new Map(rows.map(({ id, ...effect }) => [id, effect]))
  return ideas.map((id) => found.get(id) ?? null)
}
