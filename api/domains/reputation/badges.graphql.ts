import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { Author } from '../contributions/index.ts'
import { Member } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { badgeEarned } from './events.ts'
import { badgePart } from './part.ts'
import { badgesOf, type EarnedBadge } from './store.ts'

const BadgeCount = builder.enumType('BadgeCount', {
  description: 'What badges count of a member.',
  values: {
    QUESTIONS: { description: 'Questions that it asked.' },
    ANSWERS: { description: 'Answers that it gave to others.' },
    ACCEPTED_ANSWERS: { description: 'Its answers that solved the questions of others.' },
    POSTS: { description: 'Posts that it wrote.' },
    COMMENTS: { description: 'Comments that it wrote.' },
    VOTES: { description: 'Votes of others for what it wrote.' },
    THANKS: { description: 'Thanks of others for its answers.' },
    HELPED: { description: 'People whom it helped.' },
    REPUTATION: { description: 'Its reputation.' },
    TRUST_LEVEL: { description: 'How far it is trusted.' },
    DAYS_VISITED: { description: 'Days on which it read something.' },
    COURSES_COMPLETED: { description: 'Courses that it completed.' },
  },
})

const Badge = builder.objectRef<EarnedBadge>('Badge').implement({
  description: 'Something that a member has done, to be proud of.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name within the program.' }),
    name: t.string({
      description: "What it is called, in the language of the viewer's tenant.",
      resolve: ({ name, key }, _args, context) => inLanguage(name, context) ?? key,
    }),
    description: t.string({
      description: 'What it is for, likewise.',
      resolve: ({ description }, _args, context) => inLanguage(description, context) ?? '',
    }),
    times: t.exposeInt('times', { description: 'How often it was earned.' }),
    firstAt: t.expose('firstAt', { type: 'DateTime', description: 'When it was earned first.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'When it was earned last.' }),
  }),
})

const badgesNow = loader<string, readonly EarnedBadge[]>((ids, { db }) => badgesOf(db, ids))

const MOST = 100

builder.prismaObjectField(Member, 'badges', (t) =>
  t.field({
    type: [Badge],
    nullable: true,
    description: `The badges that the member earned, the newest first. At most ${MOST}.`,
    authScopes: { reads: 'community:read' },
    select: { id: true },
    resolve: async ({ id }, _args, context) => (await badgesNow(context, id)).slice(0, MOST),
  }),
)

builder.objectField(Author, 'badges', (t) =>
  t.field({
    type: [Badge],
    description: `Its badges, the newest first; none for staff and former members. At most ${MOST}.`,
    resolve: async ({ author }, _args, context) =>
      author ? (await badgesNow(context, author.id)).slice(0, MOST) : [],
  }),
)

const BadgeTextInput = builder.inputType('BadgeTextInput', {
  description: 'A text in both languages; 1 to 200 characters each.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})

const BadgeCriterionInput = builder.inputType('BadgeCriterionInput', {
  description: 'How much of something a badge asks.',
  fields: (t) => ({
    count: t.field({ type: BadgeCount, required: true, description: 'Of what.' }),
    atLeast: t.int({ required: true, description: 'How much at least; 1 to 1,000,000.' }),
  }),
})

mutation('defineBadge', {
  description:
    'Makes a badge, or a new version of it. Whoever has done what it asks gets it, also for what was done before; what was earned stays earned. Needs: `program:write`. Emits: `program.published`, `badge.earned`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name within the program; 1 to 100 characters.' }),
    name: t.field({ type: BadgeTextInput, required: true, description: 'What it is called.' }),
    description: t.field({ type: BadgeTextInput, required: true, description: 'What it is for.' }),
    criteria: t.field({
      type: [BadgeCriterionInput],
      required: true,
      description: 'What it asks, all of it. At most 12.',
    }),
    isRepeatable: t.boolean({
      description:
        'Whether it is earned again with as much more, at most a hundred times; once when left out.',
    }),
    points: t.int({
      description:
        'The number `points` in formulas of earn rules for the activity `badge.earned`; 0 when left out.',
    }),
  }),
  resolve: async ({ key, ...given }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    const body = badgePart.read(given, 'input')
    await publish(db, [{ kind: 'badge', key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its name.' }) }),
})

eventType(badgeEarned, (t) => ({
  badge: t.string({
    description: 'Its name within the program.',
    resolve: (event) => factOf(event, 'badge'),
  }),
  nth: t.int({
    description: 'The how manyth time it was; 1 for the first.',
    resolve: (event) => Number(factOf(event, 'nth')),
  }),
}))
