import type { Unknown } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { Channel } from '../channels/index.ts'
import type { Settlement, Wish } from './dispositions.ts'
import type { ToSay } from './templates.render.ts'

/** What a worker reads before it claims: the touch, and whom it is for. */
export interface Brief {
  readonly id: string
  /** The channel that it stands at, and all of them in their order. */
  readonly channel: string
  readonly channels: readonly string[]
  /** The channels that it was written for already. */
  readonly written: readonly string[]
  readonly isSettled: boolean
  readonly purpose: string
  /** The purpose's, when the touch was planned. */
  readonly class: 'SERVICE' | 'MARKETING'
  /** What it follows from. */
  readonly sourceType: string
  readonly sourceId: string
  readonly content: ToSay
  readonly wish: Wish
  readonly expiresAt: Date | null
  readonly member: string
  readonly locale: string
  readonly timeZone: string
  /** Where the tenant's test clock stands; null on the real clock. */
  readonly clockAt: Date | null
}

/** Reads the touch and its member; undefined when there is no such touch. */
export async function readBrief(tx: Tx, touchpoint: string): Promise<Brief | undefined> {
  const [brief] = await tx.query<Brief>({
    name: 'touchpoint_brief',
    text: `select p.id, p.channel, p.channels, p.settled_at is not null as "isSettled", p.purpose, p.class,
        p.source_type as "sourceType", p.source_id as "sourceId", p.content, p.wish, p.expires_at as "expiresAt",
        p.member_id as member, m.locale, m.time_zone as "timeZone", t.clock_at as "clockAt",
        array(select d.channel from delivery d
          where d.tenant_id = p.tenant_id and d.touchpoint_id = p.id) as written
      from touchpoint p
      join member m on m.tenant_id = p.tenant_id and m.id = p.member_id
      join tenant t on t.id = p.tenant_id
      where own(p) and p.id = $1`,
    values: [touchpoint],
  })
  return brief
}

/**
 * touch_says of 0041_notifications.sql: the parameters of what is written when it goes out, as the member may see it
 * now; undefined when that is nothing.
 */
export async function readSaying(tx: Tx, touchpoint: string): Promise<object | undefined> {
  const { parameters } = await call<{ is: 'say' | 'nothing'; parameters?: object }>(
    tx,
    'select touch_says($1) as outcome',
    [touchpoint],
  )
  return parameters
}

/** One attempt that is ours, and committed. */
export interface Claim {
  readonly delivery: string
  readonly key: string
  readonly fence: string
  readonly attempt: number
  /** What is said; written down at the first attempt and the same since. */
  readonly content: unknown
  /** Where it goes, as the channel's schema reads it. */
  readonly address: unknown
  /** The last outcome that nobody could tell: since then something may have arrived. */
  readonly unknown: Unknown | null
  /** By the tenant's clock, as ISO 8601. */
  readonly first_attempt_at: string
  /** Of the member's last message, while it lives; ours alone now. */
  readonly reply_token: string | null
  /** Whether an earlier attempt had one, and nobody knows what came of it. */
  readonly is_reply: boolean
}

/** The attempts that were claimed: one for each address. */
export interface Claimed {
  readonly is: 'claimed'
  readonly deliveries: readonly Claim[]
}

/** That the touch stands at another channel now. */
export interface Moved {
  readonly is: 'moved'
  readonly channel: string
}

/** Where a touch stands after a step that sent nothing. */
export interface Standstill {
  readonly is: 'settled' | 'put_off' | 'not_due' | 'busy' | 'not_found'
}

/** touchpoint_claim of 0009_touchpoints.sql. */
export function claim(
  tx: Tx,
  touchpoint: string,
  { channel, content, leaseMs }: { channel: Channel; content: object | null; leaseMs: number },
): Promise<Claimed | Moved | Standstill> {
  return call(tx, 'select touchpoint_claim($1, $2, $3, $4, $5, $6::int * interval $$1 ms$$) as outcome', [
    touchpoint,
    channel.id,
    channel.kind,
    channel.hasOwnAddress,
    content && JSON.stringify(content),
    leaseMs,
  ])
}

/** Why a touch does not go through a channel, or not now. */
export interface Obstacle {
  readonly channel: string
  readonly reason: 'CONTENT' | 'CHANNEL_MISSING' | 'CHANNEL_DISABLED' | 'NOTHING_TO_SAY'
  /** Codes; no personal data. */
  readonly detail: object
}

/** touchpoint_pass of 0009_touchpoints.sql. */
export function pass(
  tx: Tx,
  touchpoint: string,
  { channel, reason, detail }: Obstacle,
): Promise<Moved | Standstill> {
  const values = [touchpoint, channel, reason, JSON.stringify(detail)]
  return call(tx, 'select touchpoint_pass($1, $2, $3, $4) as outcome', values)
}

/** touchpoint_hold of 0009_touchpoints.sql. */
export function hold(
  tx: Tx,
  touchpoint: string,
  { channel, reason, detail, forMs }: Obstacle & { readonly forMs: number },
): Promise<Moved | Standstill> {
  const values = [touchpoint, channel, reason, forMs, JSON.stringify(detail)]
  return call(tx, 'select touchpoint_hold($1, $2, $3, $4::int * interval $$1 ms$$, $5) as outcome', values)
}

/** touchpoint_settle of 0009_touchpoints.sql. `kind` is the channel's. */
export function settle(
  tx: Tx,
  { delivery, fence }: Claim,
  { kind, settlement }: { kind: string; settlement: Settlement },
): Promise<Moved | { readonly is: 'settled' | 'put_off' | 'open' | 'due' | 'stale' | 'not_found' }> {
  const { dueAt, isHeld, isFinal, isWell, ...facts } = settlement
  return call(tx, 'select touchpoint_settle($1, $2, $3, $4) as outcome', [
    delivery,
    fence,
    kind,
    JSON.stringify({ ...facts, due_at: dueAt, is_held: isHeld, is_final: isFinal, is_well: isWell }),
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
