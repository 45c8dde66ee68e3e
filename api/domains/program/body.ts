import type { core, ZodType } from 'zod'
import { BadInputError } from '../../platform/errors.ts'

/** Reads a body by its schema. Throws BadInputError naming the first field that is wrong, and what would be right. */
export function readBody<Body>(schema: ZodType<Body>, given: unknown, field: string): Body {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  if (!issue) throw new TypeError('a schema refused without a reason')
  const at = [field, ...pathOf(issue)].join('.')
  throw new BadInputError(at, `${at}: ${issue.message}`)
}

/** An unknown name is told where it stands, not only beside what. */
function pathOf(issue: core.$ZodIssue): readonly PropertyKey[] {
  return issue.code === 'unrecognized_keys' && issue.keys[0] !== undefined
    ? [...issue.path, issue.keys[0]]
    : issue.path
}
