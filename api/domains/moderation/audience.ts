/** What the audience language can ask of trust. */
import { BadInputError } from '../../platform/errors/index.ts'
import { count, definePredicate, sql } from '../audiences/index.ts'

/** `{ "trust": 2 }`: the member is trusted so far, or farther. */
export const trustPredicate = definePredicate({
  name: 'trust',
  scope: 'members:read',
  parse(value: unknown, field: string): number {
    const level = count(value, field)
    if (level >= 1 && level <= 9) return level
    throw new BadInputError(field, `${field} must be a level from 1 to 9.`)
  },
  // Whoever looks, also one member at another.
  compile: (level) => sql`trust_reaches(m.id, ${level}::int)`,
})
