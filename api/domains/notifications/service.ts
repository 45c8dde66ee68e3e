import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { ALL_KINDS, type Kind } from './kinds.ts'

/** Tells members of what happened, at most so many facts; how many they were. */
export function settleNotifications(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select notifications_settle_due($1) as outcome', [limit])
}

/** Flushes digests that are due, at most so many; how many they were. */
export function settleDigests(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select digests_settle_due($1) as outcome', [limit])
}

/** Which notifications a member has read: these (uuids), or all that happened up to an instant. */
export interface Read {
  readonly notifications: readonly string[] | null
  readonly until: Date | null
}

/** Marks them read; how many were not before. Throws NotFoundError when one is not the member's. */
export async function markRead(tx: Tx, member: string, { notifications, until }: Read): Promise<number> {
  if (notifications && notifications.length > 100)
    throw new BadInputError('input.notifications', 'input.notifications holds at most 100 ids.')
  const read = await call<number | null>(tx, 'select notifications_read($1, $2, $3) as outcome', [
    member,
    notifications ?? [],
    until,
  ])
  if (read === null) throw new NotFoundError('notification')
  return read
}

/** Sets how a member hears of kinds of news, all of them when there are none, through a channel. */
export async function chooseNotifications(
  tx: Tx,
  member: string,
  {
    kinds,
    channel,
    isOn,
  }: { readonly kinds: readonly Kind[]; readonly channel: string; readonly isOn: boolean },
): Promise<void> {
  const chosen = kinds.length === 0 ? ALL_KINDS : kinds
  await call(tx, 'select notification_choose($1, $2, $3, $4) as outcome', [member, chosen, channel, isOn])
}

/** Sets how much of a space (a uuid) a member is told of; null: what it follows decides. Throws NotFoundError. */
export async function setSpaceNotice(
  tx: Tx,
  member: string,
  { space, level }: { readonly space: string; readonly level: 'ALL' | 'MENTIONS' | 'NONE' | null },
): Promise<void> {
  raise(
    await call<Outcome<object>>(tx, 'select space_notice_set($1, $2, $3) as outcome', [member, space, level]),
  )
}

/** When and how a member gets its digest. */
export interface DigestWish {
  readonly period: 'DAILY' | 'WEEKLY'
  /** HH:MM on the member's clocks. */
  readonly localTime: string
  readonly weekday: string
  readonly channels: readonly string[]
}

/** Sets a member's digest; null ends it. */
export async function setDigest(tx: Tx, member: string, wish: DigestWish | null): Promise<void> {
  const setting = wish && {
    ...{ period: wish.period, local_time: wish.localTime, channels: wish.channels },
    weekday: wish.period === 'WEEKLY' ? wish.weekday : null,
  }
  await call(tx, 'select digest_set($1, $2) as outcome', [member, setting && JSON.stringify(setting)])
}
