import { z } from 'zod'
import { bare, definePart, optional, readBody, text } from '../program/index.ts'

const rule = z.record(z.string(), z.json())

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 09:00')

const shift = z
  .strictObject({
    weekdays: z.array(z.int().min(1).max(7)).min(1, 'must name a day').max(7),
    from: clock,
    to: z.union([clock, z.literal('24:00')]),
  })
  .refine(({ from, to }) => from < to, 'must end later than it begins; a night is two shifts')

/** A space as its definition has it. */
const Space = z
  .strictObject({
    kind: z.enum(['SITE', 'COMMUNITY', 'QA']),
    name: text,
    purpose: text,
    theme: optional(text),
    goal: optional(text),
    see: optional(rule),
    post: optional(rule),
    reply: optional(rule),
    react: optional(rule),
    join: z
      .enum(['OPEN', 'REQUEST', 'INVITATION'])
      .nullish()
      .transform((join) => join ?? 'OPEN'),
    owner: optional(z.string().trim().min(1, 'must not be empty').max(200)),
    cover: optional(z.array(shift).max(21, 'must be at most 21 shifts')),
    isClosedOutsideCover: optional(z.boolean()),
    isWelcome: optional(z.boolean()),
    isListed: z
      .boolean()
      .nullish()
      .transform((isListed) => isListed ?? true),
  })
  .refine(({ isClosedOutsideCover, cover }) => !isClosedOutsideCover || (cover ?? []).length > 0, {
    path: ['isClosedOutsideCover'],
    message: 'needs hours of cover',
  })
  .transform(bare)

/** A space as its definition has it. */
export type SpaceBody = z.infer<typeof Space>

/** Spaces, as the program keeps them. */
export const spacePart = definePart<SpaceBody>({
  kind: 'space',
  section: 'spaces',
  read: (given, field) => readBody(Space, given, field),
  audiences: ({ see, post, reply, react }) => ({ see, post, reply, react }),
})
