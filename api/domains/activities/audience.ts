/** What the audience language can ask of a member's activities. */
import { BadInputError } from '../../platform/errors/index.ts'
import { count, definePredicate, now, objectOf, sql, word } from '../audiences/index.ts'
import { duration } from '../program/index.ts'

interface ActivityRule {
  readonly name: string
  readonly atLeast: number
  /** ISO 8601. */
  readonly within?: string
}

/** `{ "activity": { "name": "answer.accepted", "atLeast": 3, "within": "P30D" } }`: did it so often, once when not said. */
export const activityPredicate = definePredicate({
  name: 'activity',
  scope: 'members:read',
  parse(value: unknown, field: string): ActivityRule {
    const given = objectOf(value, field, ['name', 'atLeast', 'within'])
    const atLeast = given.atLeast === undefined ? 1 : count(given.atLeast, `${field}.atLeast`)
    if (atLeast === 0) throw new BadInputError(`${field}.atLeast`, `${field}.atLeast must be 1 or more.`)
    return {
      name: word(given.name, `${field}.name`),
      atLeast,
      ...(given.within === undefined ? {} : { within: lengthOf(given.within, `${field}.within`) }),
    }
  },
  compile({ name, atLeast, within }) {
    const isRecent = within
      ? sql` and a.at >= (${now} at time zone 'UTC' - ${within}::interval) at time zone 'UTC'`
      : sql``
    return sql`(select count(*) from (select from activity a where a.tenant_id = m.tenant_id and a.member_id = m.id
      and a.name = ${name}::text${isRecent} limit ${atLeast}::bigint) counted) >= ${atLeast}::bigint`
  },
})

function lengthOf(value: unknown, field: string): string {
  const read = duration.safeParse(value)
  if (read.success) return read.data
  throw new BadInputError(field, `${field} must be a length of time in ISO 8601, such as P30D.`)
}
