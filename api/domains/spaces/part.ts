import { z } from 'zod'
import { bare, definePart, optional, readBody, text } from '../program/index.ts'

const rule = z.record(z.string(), z.json())

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
    isListed: z
      .boolean()
      .nullish()
      .transform((isListed) => isListed ?? true),
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
