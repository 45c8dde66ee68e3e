import type { Tx } from '../../platform/db.ts'

/** A currency of money and a span of time, from inclusive, until exclusive; null: without a bound. */
export interface Span {
  readonly currency: string
  readonly from: Date | null
  readonly until: Date | null
}

/** How much of the revenue the best customers bring. Amounts in minor units, after refunds. */
export interface ConcentrationFacts {
  readonly customers: number
  readonly revenue: bigint
  readonly topCustomers: number
  readonly topRevenue: bigint
  /** The least that one of the best brought; null without customers. */
  readonly threshold: bigint | null
}

/** Of those who bought: what the best `topShare` (ten-thousandths, rounded up to a person) brought. */
export async function readConcentration(
  tx: Tx,
  { currency, from, until }: Span,
  topShare: number,
): Promise<ConcentrationFacts> {
  const [facts] = await tx.query<ConcentrationFacts>({
    name: 'revenue_concentration',
    text: `with bought as (
             select sum(p.total - p.refunded)::bigint as revenue, row_number() over (
                      order by sum(p.total - p.refunded) desc, p.member_id) as place, count(*) over () as customers
             from purchase p
             where own(p) and p.currency = $1 and p.state <> 'REFUNDED' and ($2::timestamptz is null or p.purchased_at >= $2)
               and ($3::timestamptz is null or p.purchased_at < $3)
             group by p.member_id
           ), top as (
             select b.*, b.place <= (b.customers * $4::bigint + 9999) / 10000 as is_top from bought b
           )
           select count(*)::int as customers, coalesce(sum(t.revenue), 0)::bigint as revenue,
             (count(*) filter (where t.is_top))::int as "topCustomers",
             coalesce(sum(t.revenue) filter (where t.is_top), 0)::bigint as "topRevenue",
             min(t.revenue) filter (where t.is_top) as threshold
           from top t`,
    values: [currency, from, until, topShare],
  })
  if (!facts) throw new TypeError('an aggregate answers one row')
  return facts
}

/** What a member has brought. Amounts in minor units. */
export interface LifetimeFacts {
  readonly revenue: bigint
  readonly refunded: bigint
  readonly purchases: number
  readonly firstPurchaseAt: Date | null
  readonly lastPurchaseAt: Date | null
}

/** What each of these members (uuids) has brought, in all or within a duration (ISO 8601) up to now. */
export async function readLifetimes(
  tx: Tx,
  members: readonly string[],
  { currency, within }: { readonly currency: string; readonly within: string | null },
): Promise<LifetimeFacts[]> {
  const rows = await tx.query<LifetimeFacts & { readonly member: string }>({
    name: 'lifetime_values',
    text: `select p.member_id as member, sum(p.total - p.refunded)::bigint as revenue, sum(p.refunded)::bigint as refunded,
                  (count(*) filter (where p.state <> 'REFUNDED'))::int as purchases,
                  min(p.purchased_at) filter (where p.state <> 'REFUNDED') as "firstPurchaseAt",
                  max(p.purchased_at) filter (where p.state <> 'REFUNDED') as "lastPurchaseAt"
           from purchase p
           where own(p) and p.currency = $2 and p.member_id in (select m::uuid from json_array_elements_text($1) m)
             and ($3::text is null or p.purchased_at >=
               ((select tenant_now((select app_tenant()))) at time zone 'UTC' - $3::interval) at time zone 'UTC')
           group by p.member_id`,
    values: [JSON.stringify(members), currency, within],
  })
  const found = new Map(rows.map((row) => [row.member, row]))
  const nothing = { revenue: 0n, refunded: 0n, purchases: 0, firstPurchaseAt: null, lastPurchaseAt: null }
  return members.map((id) => found.get(id) ?? nothing)
}

/** Members who bought first in one month of the tenant's calendar, and what they have brought since. */
export interface CohortFacts {
  /** The first day of the month, YYYY-MM-DD. */
  readonly month: string
  readonly members: number
  readonly revenue: bigint
  readonly purchases: number
}

/** The last 120 cohorts by the month of the first purchase that stands, the newest first. */
export function readCohorts(tx: Tx, currency: string): Promise<CohortFacts[]> {
  return tx.query({
    name: 'value_cohorts',
    text: `with bought as (
             select p.member_id, min(p.purchased_at) as first_at, sum(p.total - p.refunded) as revenue, count(*) as purchases
             from purchase p where own(p) and p.currency = $1 and p.state <> 'REFUNDED' group by p.member_id
           )
           select to_char(date_trunc('month', b.first_at at time zone t.time_zone), 'YYYY-MM-DD') as month,
                  count(*)::int as members, sum(b.revenue)::bigint as revenue, sum(b.purchases)::int as purchases
           from bought b join tenant t on t.id = (select app_tenant())
           group by 1 order by 1 desc limit 120`,
    values: [currency],
  })
}

/** What winning and keeping members cost. Amounts in minor units. */
export interface CostFacts {
  readonly acquisitionCost: bigint
  readonly newMembers: number
  readonly retentionCost: bigint
  readonly keptMembers: number
}

/**
 * Costs of a span beside whom it won and kept. New: whose first purchase that stands lies in it. Kept: who had bought
 * before it, and bought again in it.
 */
export async function readCosts(tx: Tx, { currency, from, until }: Span): Promise<CostFacts> {
  const [facts] = await tx.query<CostFacts>({
    name: 'member_costs',
    text: `with bought as (
             select bool_or(p.purchased_at < $2) as is_old, bool_or(p.purchased_at >= $2) as is_now
             from purchase p
             where own(p) and p.state <> 'REFUNDED' and p.purchased_at < $3 group by p.member_id
           ), paid as (
             select c.purpose, sum(c.amount) as amount from cost_entry c
             where own(c) and c.currency = $1 and c.at >= $2 and c.at < $3 group by c.purpose
           )
           select coalesce((select amount from paid where purpose = 'ACQUISITION'), 0)::bigint as "acquisitionCost",
             coalesce((select amount from paid where purpose = 'RETENTION'), 0)::bigint as "retentionCost",
             (select count(*)::int from bought where is_now and not is_old) as "newMembers",
             (select count(*)::int from bought where is_now and is_old) as "keptMembers"`,
    values: [currency, from, until],
  })
  if (!facts) throw new TypeError('an aggregate answers one row')
  return facts
}

/** What serving each of these members (uuids) has cost, in minor units: entries for them, and tasks done for them. */
export async function readServiceCosts(
  tx: Tx,
  members: readonly string[],
  currency: string,
): Promise<bigint[]> {
  const rows = await tx.query<{ member: string; cost: bigint }>({
    name: 'service_costs',
    text: `with whose as (select m::uuid as id from json_array_elements_text($1) m)
           select x.member, sum(x.cost)::bigint as cost
           from (
             select c.member_id as member, c.amount as cost from cost_entry c
             where own(c) and c.purpose = 'SERVICE' and c.currency = $2 and c.member_id in (select id from whose)
             union all
             select t.member_id, t.cost from task t
             where own(t) and t.currency = $2 and t.member_id in (select id from whose)
           ) x group by x.member`,
    values: [JSON.stringify(members), currency],
  })
  const found = new Map(rows.map(({ member, cost }) => [member, cost]))
  return members.map((id) => found.get(id) ?? 0n)
}
