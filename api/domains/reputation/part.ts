import { z } from 'zod'
import { bare, definePart, optional, readBody, text } from '../program/index.ts'

/** What gives a member reputation. */
export const CAUSES = ['VOTE_UP', 'VOTE_DOWN', 'ACCEPTED', 'ACCEPTING', 'THANKED'] as const

/** What it can be given for. */
export const SOURCES = ['QUESTION', 'ANSWER', 'POST', 'COMMENT', 'CONTENT'] as const

const whole = (least: number, most: number) =>
  z.int().min(least, `must be ${least} or more`).max(most, `must be at most ${most}`)

const cap = whole(0, 1_000_000)

const Policy = z
  .strictObject({
    amounts: z
      .array(
        z
          .strictObject({
            cause: z.enum(CAUSES),
            on: optional(z.array(z.enum(SOURCES)).min(1, 'must name something').max(SOURCES.length)),
            amount: whole(-1_000, 1_000),
          })
          .transform(bare),
      )
      .max(50, 'must be at most 50 amounts'),
    perDay: cap,
    perPairAndDay: cap,
    perContribution: cap,
    exempt: z.array(z.enum(CAUSES)).max(CAUSES.length),
    floor: whole(-1_000_000, 1_000_000),
  })
  .transform(bare)

/** What gives how much reputation, and the caps of it. */
export type ReputationBody = z.infer<typeof Policy>

/** `reputation` of the program. Its only key is `reputation`. */
export const reputationPart = definePart<ReputationBody>({
  kind: 'reputation',
  section: 'reputation',
  read: (given, field) => readBody(Policy, given, field),
})

/** What badges count. */
export const COUNTS = [
  ...([
    'QUESTIONS',
    'ANSWERS',
    'ACCEPTED_ANSWERS',
    'POSTS',
    'COMMENTS',
    'VOTES',
    'THANKS',
    'HELPED',
  ] as const),
  ...(['REPUTATION', 'TRUST_LEVEL', 'DAYS_VISITED', 'COURSES_COMPLETED'] as const),
] as const

const Badge = z
  .strictObject({
    name: text,
    description: text,
    criteria: z
      .array(z.strictObject({ count: z.enum(COUNTS), atLeast: whole(1, 1_000_000) }))
      .min(1, 'must have a criterion')
      .max(COUNTS.length, `must be at most ${COUNTS.length} criteria`)
      .refine(
        (criteria) => new Set(criteria.map(({ count }) => count)).size === criteria.length,
        'must not name a count twice',
      ),
    isRepeatable: optional(z.boolean()),
    points: optional(whole(0, 1_000_000)),
  })
  .transform(bare)

/** A badge as its definition has it. */
export type BadgeBody = z.infer<typeof Badge>

/** Badges, as the program keeps them. */
export const badgePart = definePart<BadgeBody>({
  kind: 'badge',
  section: 'badges',
  read: (given, field) => readBody(Badge, given, field),
})
