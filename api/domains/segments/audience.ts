/** What the audience language can ask of segments. */
import { definePredicate, listOf, sql, word } from '../audiences/index.ts'

/** `{ "segment": ["vip"] }`: the member is in one of these segments now, whatever the last look saw. */
export const segmentPredicate = definePredicate({
  name: 'segment',
  scope: 'members:read',
  parse: (value, field) => listOf(value, field, word),
  compile: (segments) => sql`segment_has(${segments}::text[], m.id)`,
})
