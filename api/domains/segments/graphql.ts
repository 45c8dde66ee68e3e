import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { TextsInput } from '../../graph/texts.ts'
import { AudienceInput, addAudienceWords } from '../audiences/index.ts'
import { Member } from '../members/index.ts'
import { segmentEntered, segmentLeft } from './events.ts'
import { defineSegment, segmentPart } from './service.ts'
import { readSegments, readSegmentsOf, type SegmentFacts } from './store.ts'

const Segment = builder.objectRef<SegmentFacts>('Segment').implement({
  description: 'A named audience. It is looked at again and again: who came in and who went out are events.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that rules and programs use.' }),
    name: t.string({
      description: "The name to show, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    rule: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The audience rule, as AudienceInput writes it. For staff and integrations.',
      authScopes: { lists: 'members:read' },
      resolve: ({ rule }) => rule,
    }),
    members: t.exposeInt('members', {
      nullable: true,
      description: 'How many members the last look found in it. For staff and integrations.',
      authScopes: { lists: 'members:read' },
    }),
    lookedAt: t.expose('lookedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last looked at; null before the first look.',
    }),
  }),
})

builder.queryField('segments', (t) =>
  t.field({
    type: [Segment],
    nullable: true,
    description: 'The segments in force, by their keys. At most 100.',
    authScopes: { lists: 'members:read' },
    resolve: (_root, _args, { db }) => readSegments(db),
  }),
)

const segmentsOf = loader<string, SegmentFacts[]>((members, { db }) => readSegmentsOf(db, members))

builder.prismaObjectField(Member, 'segments', (t) =>
  t.field({
    type: [Segment],
    nullable: true,
    description: 'The segments in which the last looks found the member. At most 100.',
    select: { id: true },
    resolve: ({ id }, _args, context) => segmentsOf(context, id),
  }),
)

const SegmentInput = builder.inputType('SegmentInput', {
  description: 'What a segment is.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, required: true, description: 'What people call it.' }),
    audience: t.field({ type: AudienceInput, required: true, description: 'Who is in it.' }),
    every: t.field({
      type: 'Duration',
      description: 'How long a look at it holds; an hour when left out, a minute at least.',
    }),
  }),
})

mutation('defineSegment', {
  description:
    'Puts a segment in force, or a new version of it; an equal one changes nothing. Needs: `program:write`. Emits: `program.published`, `segment.entered`, `segment.left`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name for rules; 1 to 100 characters.' }),
    segment: t.field({ type: SegmentInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, segment }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    await defineSegment(db, { key: named, segment: segmentPart.read(segment, 'input.segment') }, actor)
    return { key: named }
  },
  payload: (t) => ({
    segment: t.field({
      type: Segment,
      nullable: true,
      description: 'The segment in force.',
      resolve: async ({ key }, _args, { db }) =>
        (await readSegments(db)).find((each) => each.key === key) ?? null,
    }),
  }),
})

addAudienceWords((t) => ({
  segment: t.stringList({ description: 'The member is in one of the segments with these keys now.' }),
}))

eventType(segmentEntered, (t) => ({
  segment: t.string({ description: 'The key of the segment.', resolve: (event) => factOf(event, 'segment') }),
}))
eventType(segmentLeft, (t) => ({
  segment: t.string({ description: 'The key of the segment.', resolve: (event) => factOf(event, 'segment') }),
}))
