import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import {
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { TextFormat, written } from '../contributions/index.ts'
import { MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { secondsOf } from '../program/index.ts'
import { contentOf } from './content.graphql.ts'
import { ContentFactsInput, factsOf } from './input.graphql.ts'
import { Series } from './series.graphql.ts'
import { gateOf, publishContent, rateContent, retireContent, saveSeries, updateContent } from './service.ts'
import { ContentKind, ContentPurpose, ContentRating } from './words.graphql.ts'

mutation('publishContent', {
  description:
    'Publishes content in a space of the kind SITE, or keeps a draft of it. Who may read it is decided by the space and by its own audience. Needs: `content:write`. Emits: `content.published`.',
  scopes: { writes: 'content:write' },
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError],
  input: (t) => ({
    space: t.id({ required: true, description: 'In which space.' }),
    title: t.string({ required: true, description: 'What it is headed with; 1 to 300 characters.' }),
    body: t.string({ required: true, description: 'What it says; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    tags: t.stringList({ description: 'What it is about, in single words. At most 10.' }),
    kind: t.field({ type: ContentKind, required: true, description: 'What it is.' }),
    purpose: t.field({ type: ContentPurpose, required: true, description: 'What it is published for.' }),
    need: t.string({
      required: true,
      description: 'What the reader needs it for, from the point of view of the reader; 1 to 500 characters.',
    }),
    facts: t.field({ type: ContentFactsInput, description: 'More about it, and whom it is for.' }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who may read it, of those who see into the space; all of them when left out.',
    }),
    isDraft: t.boolean({ description: 'True keeps it as a draft.' }),
  }),
  resolve: async ({ space, kind, purpose, need, facts, audience, isDraft, ...draft }, { db }, op) => {
    const what = written(draft, 'input')
    const usual = { isTeased: false, isPublic: false }
    const whole = { kind, purpose, need: text(need, 'input.need', 500), ...usual, ...factsOf(facts) }
    const id = idOf('Space', space, 'input.space')
    const gate = await gateOf(db, audience, 'input.audience')
    checkGate(gate, whole)
    return publishContent(db, { space: id, what, facts: { ...whole, gate }, isDraft: isDraft ?? false }, op)
  },
  payload: (t) => ({ content: contentOf(t) }),
})

mutation('updateContent', {
  description:
    'Changes what is given of some content; what it said before is kept. Needs: `content:write`. Emits: `content.published`.',
  scopes: { writes: 'content:write' },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    content: t.id({ required: true, description: 'Which content.' }),
    title: t.string({ description: 'What it is headed with; stays when left out.' }),
    body: t.string({ description: 'What it says; title and tags change with it alone.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    tags: t.stringList({ description: 'What it is about; stays when left out. At most 10.' }),
    kind: t.field({ type: ContentKind, description: 'What it is; stays when left out.' }),
    purpose: t.field({ type: ContentPurpose, description: 'What it is published for; stays when left out.' }),
    need: t.string({ description: 'What the reader needs it for; stays when left out.' }),
    facts: t.field({
      type: ContentFactsInput,
      description: 'More about it, and whom it is for; what is left out stays.',
    }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who may read it; stays when left out, null: all of them.',
    }),
    isPublished: t.boolean({ description: 'True publishes a draft.' }),
  }),
  resolve: async (input, { db }, { actor }) => {
    const { content, kind, purpose, need, facts, audience, isPublished, body, ...draft } = input
    const id = idOf('Content', content, 'input.content')
    const what = body == null ? null : written({ ...draft, body }, 'input')
    if (what === null && (draft.title != null || draft.tags != null)) {
      throw new BadInputError('input.body', 'input.body must be given to change the title or the tags.')
    }
    const changes = {
      ...factsOf(facts),
      ...(kind && { kind }),
      ...(purpose && { purpose }),
      ...(need != null && { need: text(need, 'input.need', 500) }),
    }
    const gate = audience === undefined ? {} : { gate: await gateOf(db, audience, 'input.audience') }
    return updateContent(
      db,
      { id, what, facts: { ...changes, ...gate }, publish: isPublished ?? false },
      actor,
    )
  },
  payload: (t) => ({ content: contentOf(t) }),
})

mutation('retireContent', {
  description:
    'Takes content away from its readers; nothing is lost, and restoreContribution brings it back. Needs: `content:write`. Emits: `contribution.state_changed`.',
  scopes: { writes: 'content:write' },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({ content: t.id({ required: true, description: 'Which content.' }) }),
  resolve: ({ content }, { db }, { actor }) =>
    retireContent(db, idOf('Content', content, 'input.content'), actor),
  payload: (t) => ({ content: contentOf(t) }),
})

mutation('rateContent', {
  description:
    "Says what some content was to its reader; the last word counts. Needs: a member's token, for its own, or `content:write`. Emits: `content.rated`.",
  scopes: ownOrWrites('content:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    content: t.id({ required: true, description: 'Which content.' }),
    rating: t.field({ type: ContentRating, required: true, description: 'What it was.' }),
    comment: t.string({ description: 'More of it, in words; 1 to 1,000 characters.' }),
  }),
  resolve: ({ member, content, rating, comment }, context) =>
    rateContent(context.db, {
      id: idOf('Content', content, 'input.content'),
      member: subjectOf(member, context),
      rating,
      comment: comment == null ? null : text(comment, 'input.comment', 1000),
    }),
  payload: (t) => ({ content: contentOf(t), member: memberOf(t) }),
})

mutation('saveContentSeries', {
  description:
    'Begins a series or changes it: from then on an issue is awaited in each span, and one that does not come is told. Needs: `content:write`. Emits: nothing.',
  scopes: { writes: 'content:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its short name; 1 to 100 characters.' }),
    name: t.field({ type: TextsInput, required: true, description: 'What readers call it.' }),
    every: t.field({
      type: 'Duration',
      required: true,
      description: 'How often an issue comes out; at least PT1H.',
    }),
    firstBy: t.field({
      type: 'DateTime',
      description: 'By when the next issue has to be out; none is awaited when left out.',
    }),
  }),
  resolve: ({ key, name, every, firstBy }, { db }) =>
    saveSeries(db, {
      key: text(key, 'input.key', 100),
      name: { en: text(name.en, 'input.name.en', 200), ja: text(name.ja, 'input.name.ja', 200) },
      every: atLeastAnHour(every),
      firstBy: firstBy ?? null,
    }),
  payload: (t) => ({
    series: t.prismaField({
      type: Series,
      nullable: true,
      description: 'The series, as it is now.',
      resolve: (query, { key }, _args, { db }) =>
        read(db).contentSeries.findFirst({ ...query, where: { key } }),
    }),
  }),
})

/** Refuses what an audience and the facts do not allow together. */
export function checkGate(
  gate: string | null,
  facts: { readonly isPublic?: boolean; readonly isTeased?: boolean; readonly teaser?: string | null },
): void {
  if (gate === null) return
  if (facts.isPublic) {
    throw new BadInputError('input.audience', 'What is public is for everybody: it has no audience.')
  }
  if (facts.isTeased && facts.teaser == null) {
    throw new BadInputError('input.facts.teaser', 'input.facts.teaser must be given for what is teased.')
  }
}

function atLeastAnHour(every: string): string {
  if (secondsOf(every) >= 3600) return every
  throw new BadInputError('input.every', 'input.every must be at least PT1H.')
}
