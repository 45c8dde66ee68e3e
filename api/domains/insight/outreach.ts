import { z } from 'zod'
import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { bare, definePart, duration, optional, readBody, text } from '../program/index.ts'

/** What says that a member may need help. */
export const SIGNALS = ['STUMBLE', 'CHECKLIST_STUCK', 'COURSE_STALE'] as const

const words = (most: number) =>
  z.string().trim().min(1, 'must not be empty').max(most, `must have at most ${most} characters`)

const Rule = z
  .strictObject({
    signal: z.enum(SIGNALS),
    about: optional(words(100)),
    times: optional(z.int().min(1, 'must be 1 or more').max(100, 'must be at most 100')),
    within: optional(duration),
    after: optional(duration),
    title: text,
    assignee: optional(words(200)),
  })
  .refine(
    ({ signal, times, within }) => (signal === 'STUMBLE') === (times !== undefined && within !== undefined),
    { path: ['times'], message: 'must be there for STUMBLE, with `within`, and for nothing else' },
  )
  .refine(({ signal, times, within }) => signal === 'STUMBLE' || (times ?? within) === undefined, {
    path: ['within'],
    message: 'must be there for STUMBLE alone',
  })
  .refine(({ signal, after }) => signal !== 'COURSE_STALE' || after !== undefined, {
    path: ['after'],
    message: 'must be there for COURSE_STALE',
  })
  .refine(({ signal, after }) => signal !== 'STUMBLE' || after === undefined, {
    path: ['after'],
    message: 'must not be there for STUMBLE',
  })
  .transform(bare)

/** When staff go to a member before it asks. */
export type OutreachBody = z.infer<typeof Rule>

/** `outreach` of the program. */
export const outreachPart = definePart<OutreachBody>({
  kind: 'outreach',
  section: 'outreach',
  read: (given, field) => readBody(Rule, given, field),
})

/** Gives staff the tasks to go to members that have fallen due, at most so many; how many it looked at. */
export function settleOutreach(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select outreach_settle_due($1) as outcome', [limit])
}

/** Staff are to go to a member. Payload: `task`, its id. */
export const outreachBegun = {
  type: 'outreach.begun',
  scope: 'touchpoints:read',
  description: 'A rule found a member who may need help: staff have a task.',
}
