import type { Unknown } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { Settlement, Wish } from './dispositions.ts'

/** What a worker reads before it claims: the touch, and whom it is for. */
export interface Brief {
  readonly id: string
  readonly channel: string
  readonly isSettled: boolean
  readonly content: {
    readonly template: string
    readonly parameters: Readonly<Record<string, string>>
  }
  readonly wish: Wish
  readonly member: string
  readonly displayName: string
  readonly locale: string
  readonly timeZone: string
  readonly hasEnded: boolean
  readonly tenantLocale: string
  /** Where the tenant's test clock stands; null on the real clock. */
  readonly clockAt: Date | null
}

/** Reads the touch and its member; undefined when there is no such touch. */
export async function readBrief(tx: Tx, touchpoint: string): Promise<Brief | undefined> {
  const [brief] = await tx.query<Brief>({
    name: 'touchpoint_brief',
    text: `select p.id, p.channel, p.settled_at is not null as "isSettled", p.content, p.wish, m.id as member,
        m.display_name as "displayName", m.locale, m.time_zone as "timeZone",
        m.membership = 'ENDED' as "hasEnded", t.locale as "tenantLocale", t.clock_at as "clockAt"
      from touchpoint p
      join member m on m.tenant_id = p.tenant_id and m.id = p.member_id
      join tenant t on t.id = p.tenant_id
      where own(p) and p.id = $1`,
    values: [touchpoint],
  })
  return brief
}

/** An attempt that is ours, and committed. */
export interface Claim {
  readonly is: 'claimed'
  readonly delivery: string
  readonly key: string
  readonly fence: string
  readonly attempt: number
  /** What is said; written down at the first attempt and the same since. */
  readonly content: unknown
  /** The last outcome that nobody could tell: since then something may have arrived. */
  readonly unknown: Unknown | null
  /** By the tenant's clock, as ISO 8601. */
  readonly first_attempt_at: string
}

/** What claiming answers besides a claim. */
export interface Unclaimed {
  readonly is: 'settled' | 'not_due' | 'busy' | 'not_found'
}

/** touchpoint_claim of 0009_touchpoints.sql. */
export function claim(
  tx: Tx,
  touchpoint: string,
  { content, leaseMs }: { content: object; leaseMs: number },
): Promise<Claim | Unclaimed> {
  return call(tx, 'select touchpoint_claim($1, $2, $3::int * interval $$1 ms$$) as outcome', [
    touchpoint,
    JSON.stringify(content),
    leaseMs,
  ])
}

/** touchpoint_decline of 0009_touchpoints.sql. */
export function decline(tx: Tx, touchpoint: string, reason: string): Promise<Unclaimed> {
  return call(tx, 'select touchpoint_decline($1, $2) as outcome', [touchpoint, reason])
}

/** touchpoint_settle of 0009_touchpoints.sql. */
export function settle(
  tx: Tx,
  { delivery, fence }: Claim,
  { state, outcome, doubt, dueAt }: Settlement,
): Promise<{ readonly is: 'done' | 'stale' | 'not_found' }> {
  return call(tx, 'select touchpoint_settle($1, $2, $3, $4, $5, $6, $7) as outcome', [
    delivery,
    fence,
    state,
    JSON.stringify(outcome),
    outcome.is === 'accepted' ? (outcome.providerId ?? null) : null,
    doubt ?? null,
    dueAt ?? null,
  ])
}

/** The tenant's touches that are due now and not settled, by when they fell due, at most `limit`. */
export async function dueTouchpoints(tx: Tx, limit: number): Promise<readonly string[]> {
  // In two, because what waits and what a worker has stand in indexes of their own.
  const rows = await tx.query<{ id: string }>({
    name: 'touchpoints_due',
    text: `select d.id from (
        (select p.id, p.due_at from touchpoint p
          where own(p) and p.state = 'PLANNED' and p.due_at <= tenant_now(current_tenant())
          order by p.due_at, p.id limit $1)
        union all
        (select p.id, p.due_at from touchpoint p
          where own(p) and p.state = 'CLAIMED' and p.due_at <= tenant_now(current_tenant()))
      ) d
      order by d.due_at, d.id
      limit $1`,
    values: [limit],
  })
  return rows.map((row) => row.id)
}

/** Marks an inbox item read; an item keeps the instant of its first reading. False when it is not the member's. */
export async function writeRead(tx: Tx, item: string, member: string): Promise<boolean> {
  const rows = await tx.query({
    name: 'inbox_read',
    text: `update delivery d set read_at = coalesce(d.read_at, tenant_now(current_tenant()))
      where own(d) and d.id = $1 and d.member_id = $2 and d.channel = 'inbox' and d.state = 'ACCEPTED'
      returning d.id`,
    values: [item, member],
  })
  return rows.length === 1
}
