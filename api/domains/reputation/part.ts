import { z } from 'zod'
import { bare, definePart, optional, readBody } from '../program/index.ts'

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
