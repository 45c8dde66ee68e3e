import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** How a member stands to a space. */
export type Standing = 'REQUESTED' | 'INVITED' | 'JOINED' | 'LEFT' | 'DECLINED' | 'BANNED'

interface Stood {
  readonly state: Standing | null
}

/**
 * A member enters a space (uuid), or asks to where somebody has to agree. Throws NotFoundError,
 * SpaceNotEnabledError, AccessDeniedError, MembershipEndedError.
 */
export async function joinSpace(tx: Tx, space: string, member: MemberBy, actor: string): Promise<Stood> {
  const values = [space, ...namesOf(member), actor]
  return raise(await call<Outcome<Stood>>(tx, 'select space_join($1, $2, $3, $4) as outcome', values))
}

/** A member leaves a space (uuid), whatever it may still see. Throws NotFoundError. */
export async function leaveSpace(tx: Tx, space: string, member: MemberBy, actor: string): Promise<Stood> {
  const values = [space, ...namesOf(member), actor]
  return raise(await call<Outcome<Stood>>(tx, 'select space_leave($1, $2, $3, $4) as outcome', values))
}

/** What staff or a moderator decides of a member in a space. */
export interface Placement {
  readonly space: string
  readonly member: MemberBy
  readonly state: Standing
  readonly role: 'MEMBER' | 'MODERATOR'
  /** The moderator (a uuid) who decides; null: staff. */
  readonly by: string | null
}

/**
 * Decides how a member stands to a space. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError,
 * MembershipEndedError.
 */
export async function placeMember(tx: Tx, { space, member, state, role, by }: Placement, actor: string) {
  return raise(
    await call<Outcome<Stood & { readonly member: string }>>(
      tx,
      'select space_place($1, $2, $3, $4, $5, $6, $7) as outcome',
      [space, by, ...namesOf(member), state, role, actor],
    ),
  )
}

/** Switches a space (uuid) on or off; on only when it is ready, if so told. Throws NotFoundError, AccessDeniedError. */
export async function enableSpace(
  tx: Tx,
  space: string,
  { isEnabled, isReadyOnly }: { readonly isEnabled: boolean; readonly isReadyOnly: boolean },
): Promise<void> {
  const values = [space, isEnabled, isReadyOnly]
  raise(await call<Outcome>(tx, 'select space_enable($1, $2, $3) as outcome', values))
}

/** Whether somebody is there in a space, and until when, or from when on. */
export interface Cover {
  readonly isCovered: boolean
  /** Null: it does not change within a week. */
  readonly changesAt: Date | null
}

/** How these spaces (uuids) are covered now, in their order; null for those that say nothing of it: one statement. */
export async function coverOf(tx: Tx, spaces: readonly string[]): Promise<(Cover | null)[]> {
  const rows = await tx.query<Cover & { id: string }>({
    name: 'space_cover',
    text: `select space_id as id, is_covered as "isCovered", changes_at as "changesAt" from space_cover($1)`,
    values: [spaces],
  })
  return spaces.map((id) => rows.find((row) => row.id === id) ?? null)
}

/** What a space may lack. */
export type Lack = 'OWNER' | 'COVER' | 'CONTENT' | 'THEME' | 'GOAL'

/** What these spaces (uuids) still need before anybody comes, in their order: one statement. */
export async function lacksOf(tx: Tx, spaces: readonly string[]): Promise<Lack[][]> {
  const rows = await tx.query<{ id: string; lacks: Lack[] }>({
    name: 'space_lacks',
    text: "select i as id, coalesce(space_lacks(i), '{}') as lacks from unnest($1::uuid[]) i",
    values: [spaces],
  })
  return spaces.map((id) => rows.find((row) => row.id === id)?.lacks ?? [])
}
