import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** Something that a member did. */
export interface NewActivity {
  readonly member: MemberBy
  /** What it is, as in answer.accepted. */
  readonly name: string
  /** The fact's own id where it happened; it counts once for its name. */
  readonly key: string
  readonly at?: Date | null | undefined
  readonly properties?: unknown
}

/** An activity that was recorded; ids are uuids. */
export interface RecordedActivity {
  readonly activity: string
  readonly member: string
  /** False when it was known already. */
  readonly is_new: boolean
}

/** The name of an activity. Throws BadInputError naming the field. */
export function activityName(name: string, field: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$/.test(name)) return name
  throw new BadInputError(field, `${field} must be letters, digits, dots and hyphens, as in answer.accepted.`)
}

const LONGEST_PROPERTIES = 10_000

/**
 * Records an activity: it earns, keeps points alive and counts for tiers. One that is known by its name and key is
 * answered again. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError, BadInputError.
 */
export async function recordActivity(tx: Tx, activity: NewActivity, { key, hash, actor }: Operation) {
  const { name, properties = {} } = activity
  activityName(name, 'input.name')
  if (activity.key.trim() === '' || activity.key.length > 200)
    throw new BadInputError('input.key', 'input.key must have 1 to 200 characters.')
  return raise(
    await call<Outcome<RecordedActivity>>(
      tx,
      'select activity_report($1, $2, $3, $4, $5, $6, $7, $8, $9) as outcome',
      [
        key,
        hash,
        ...namesOf(activity.member),
        name,
        activity.key,
        activity.at ?? null,
        JSON.stringify(checked(properties)),
        actor,
      ],
    ),
  )
}

/** Properties are an object of at most 100 names; its numbers are such that formulas can compute with them. */
function checked(properties: unknown): object {
  const field = 'input.properties'
  if (properties === null) return {}
  if (typeof properties !== 'object' || Array.isArray(properties))
    throw new BadInputError(field, `${field} must be an object.`)
  const entries = Object.entries(properties)
  if (entries.length > 100 || JSON.stringify(properties).length > LONGEST_PROPERTIES)
    throw new BadInputError(field, `${field} must have at most 100 names and 10,000 characters.`)
  for (const [name, value] of entries) {
    const isOut =
      typeof value === 'number' && (Math.abs(value) > 1e15 || (value !== 0 && Math.abs(value) < 1e-9))
    if (isOut)
      throw new BadInputError(
        `${field}.${name}`,
        `${field}.${name} must be 0, or a number from 1e-9 to 1e15.`,
      )
  }
  return properties
}

/** Pays what waits for members who entered segments, at most so many; how many. */
export function settleActivities(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select activities_settle_due($1) as outcome', [limit])
}
