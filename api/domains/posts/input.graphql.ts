import type { InputShapeFromFields } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { TextFormat, written } from '../contributions/index.ts'
import { PostKind, ProductTopic } from './kinds.graphql.ts'
import type { NewPost } from './service.ts'

const PollInput = builder.inputType('PollInput', {
  description: 'A question with options, under a post.',
  fields: (t) => ({
    options: t.stringList({
      required: true,
      description: 'What can be chosen: 2 to 20 different texts of 1 to 200 characters.',
    }),
    isMultiple: t.boolean({ description: 'Whether one may choose several; false when left out.' }),
    closesAt: t.field({
      type: 'DateTime',
      description: 'Until just before when; without end when left out.',
    }),
  }),
})

const GatheringInput = builder.inputType('GatheringInput', {
  description: 'When and where people meet.',
  fields: (t) => ({
    startsAt: t.field({ type: 'DateTime', required: true, description: 'When it begins.' }),
    endsAt: t.field({ type: 'DateTime', required: true, description: 'When it ends.' }),
    place: t.string({
      required: true,
      description: 'Where: a place or an address on the web; 1 to 300 characters.',
    }),
    seats: t.int({ description: 'How many can come, 1 to 1,000,000; as many as like when left out.' }),
  }),
})

/** What publishPost and saveDraft take. */
export const postFields = (t: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) => ({
  space: t.id({ description: 'Where; a draft stays in the space that it has.' }),
  draft: t.id({ description: 'The draft to go on with; a new post when left out.' }),
  kind: t.field({ type: PostKind, description: 'What it is; TALK when left out.' }),
  title: t.string({ description: 'What it is headed with; 1 to 300 characters. Only talk may go without.' }),
  body: t.string({ required: true, description: 'What it says; 1 to 30,000 characters.' }),
  format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
  tags: t.stringList({ description: 'What it is about, in single words. At most 10.' }),
  sku: t.string({ description: 'The product that it is about; 1 to 100 characters. Reviews need it.' }),
  rating: t.int({ description: 'For reviews: from 1 to 5 stars.' }),
  topics: t.field({
    type: [ProductTopic],
    description: 'What it tells of the product, which is given then.',
  }),
  canBePromoted: t.boolean({
    description: 'Whether the house may make content of it, with credit; false when left out.',
  }),
  poll: t.field({ type: PollInput, description: 'A question to choose the answer of.' }),
  gathering: t.field({ type: GatheringInput, description: 'For events: when and where.' }),
})
type Given = InputShapeFromFields<ReturnType<typeof postFields>>

/** Checks what was given. Throws BadInputError naming the field. */
export function postGiven(given: Given): NewPost {
  const { rating, topics, poll, gathering, canBePromoted } = given
  const space = given.space == null ? null : idOf('Space', given.space, 'input.space')
  const draft = given.draft == null ? null : idOf('Post', given.draft, 'input.draft')
  const kind = given.kind ?? 'TALK'
  const wrong = (field: string, message: string): never => {
    throw new BadInputError(`input.${field}`, `input.${field} ${message}`)
  }
  if (space === null && draft === null) wrong('space', 'or input.draft must be given.')
  if (kind !== 'TALK' && given.title == null)
    wrong('title', `must be given: only TALK may go without, not ${kind}.`)
  if ((kind === 'REVIEW') !== (rating != null)) {
    wrong('rating', 'must be given for a REVIEW, and for nothing else.')
  }
  if (rating != null && (rating < 1 || rating > 5)) wrong('rating', `must be from 1 to 5; it is ${rating}.`)
  if ((kind === 'REVIEW' || topics?.length) && given.sku == null) {
    wrong('sku', 'must name the product of a review and of topics.')
  }
  if ((kind === 'EVENT') !== (gathering != null)) {
    wrong('gathering', 'must be given for an EVENT, and for nothing else.')
  }
  return {
    ...written(given, 'input'),
    space,
    draft,
    postKind: kind,
    rating: rating ?? null,
    topics: [...new Set(topics ?? [])],
    mayPromote: canBePromoted ?? false,
    poll: poll ? pollGiven(poll) : null,
    gathering: gathering ? gatheringGiven(gathering) : null,
  }
}

function pollGiven({ options, isMultiple, closesAt }: typeof PollInput.$inferInput): NewPost['poll'] {
  const field = 'input.poll.options'
  const labels = options.map((label, i) => text(label, `${field}.${i}`, 200))
  if (labels.length < 2 || labels.length > 20 || new Set(labels).size < labels.length) {
    throw new BadInputError(field, `${field} must be 2 to 20 different texts.`)
  }
  return { options: labels, isMultiple: isMultiple ?? false, closesAt: closesAt ?? null }
}

function gatheringGiven({
  startsAt,
  endsAt,
  place,
  seats,
}: typeof GatheringInput.$inferInput): NewPost['gathering'] {
  const field = 'input.gathering'
  if (startsAt >= endsAt) {
    throw new BadInputError(`${field}.endsAt`, `${field}.endsAt must be after startsAt.`)
  }
  if (seats != null && (seats < 1 || seats > 1_000_000)) {
    throw new BadInputError(`${field}.seats`, `${field}.seats must be from 1 to 1,000,000; it is ${seats}.`)
  }
  return { startsAt, endsAt, place: text(place, `${field}.place`, 300), seats: seats ?? null }
}
