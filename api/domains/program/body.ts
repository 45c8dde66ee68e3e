import type { core, ZodType } from 'zod'
import { BadInputError, type Problem } from '../../platform/errors/index.ts'

/** A body that is wrong, with everything that is wrong with it; the first problem is what it says by itself. */
export class BadBodyError extends BadInputError {
  readonly problems: readonly Problem[]
  constructor(first: Problem, problems: readonly Problem[]) {
    super(first.path, first.message)
    this.problems = problems
  }
}

/** Reads a body by its schema. Throws BadBodyError naming the first field that is wrong, and what would be right. */
export function readBody<Body>(schema: ZodType<Body>, given: unknown, field: string): Body {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  const problems = read.error.issues.map((issue) => {
    const path = [field, ...pathOf(issue)].join('.')
    return { path, message: `${path}: ${issue.message}` }
  })
  const [first] = problems
  if (!first) throw new TypeError('a schema refused without a reason')
  throw new BadBodyError(first, problems)
}

/** An unknown name is told where it stands, not only beside what. */
function pathOf(issue: core.$ZodIssue): readonly PropertyKey[] {
  return issue.code === 'unrecognized_keys' && issue.keys[0] !== undefined
    ? [...issue.path, issue.keys[0]]
    : issue.path
}
