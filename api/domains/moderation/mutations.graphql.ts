import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  AccessDeniedError,
  CaseChangedError,
  IdempotencyKeyReusedError,
} from '../../platform/errors/index.ts'
import { contributionOf, contributionRef, selfOf, writerOf } from '../contributions/index.ts'
import { ownOrWrites } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { FlagReason, ModerationCase, ModerationFlag } from './graphql.ts'
import { moderationPart, watchedWordsPart } from './part.ts'
import { appeal, decideCase, flagContribution } from './service.ts'

const WHICH = 'Which one.'

mutation('flagContribution', {
  description:
    'Says that something should not be there, once for each thing; from enough flags on it is hidden until somebody looks, and everybody who flagged it is answered. Needs: a member. Emits: `contribution.flagged`, `contribution.state_changed`.',
  scopes: { member: true },
  errors: [AccessDeniedError, IdempotencyKeyReusedError],
  input: (t) => ({
    contribution: t.id({ required: true, description: WHICH }),
    reason: t.field({ type: FlagReason, required: true, description: 'Why.' }),
    note: t.string({ description: 'What there is to say of it; 1 to 1,000 characters.' }),
  }),
  resolve: async ({ contribution, reason, note }, context, op) =>
    flagContribution(
      context.db,
      {
        id: contributionRef(contribution, 'input.contribution'),
        member: selfOf(context),
        reason,
        note: note == null ? null : text(note, 'input.note', 1000),
      },
      op,
    ),
  payload: (t) => ({
    flag: t.prismaField({
      type: ModerationFlag,
      nullable: true,
      description: 'The flag.',
      resolve: (query, { flag }, _args, { db }) =>
        read(db).moderationFlag.findFirst({ ...query, where: { id: flag } }),
    }),
  }),
})

const Decision = builder.enumType('ModerationDecision', {
  description: 'What is decided of something.',
  values: {
    KEPT: { description: 'It stays, or is let through.' },
    REMOVED: { description: 'It is taken away.' },
    SPAM: { description: 'It is spam, and taken away.' },
  },
})

mutation('decideModeration', {
  description:
    'Decides a case in the version that was looked at: of two who decide at once, one learns that the other was first. Needs: a moderator of the space, or `community:moderate`. Emits: `contribution.judged`, `contribution.state_changed`, `flag.answered`.',
  scopes: ownOrWrites('community:moderate'),
  errors: [CaseChangedError],
  key: 'none',
  input: (t) => ({
    contribution: t.id({ required: true, description: 'What the case is about.' }),
    version: t.int({ required: true, description: 'The version of the case that was looked at.' }),
    decision: t.field({ type: Decision, required: true, description: 'What is decided.' }),
    note: t.string({ description: 'Why; 1 to 1,000 characters.' }),
  }),
  resolve: async ({ contribution, version, decision, note }, context) =>
    decideCase(
      context.db,
      {
        id: contributionRef(contribution, 'input.contribution'),
        version,
        decision,
        note: note == null ? null : text(note, 'input.note', 1000),
      },
      writerOf(context),
    ),
  payload: (t) => ({
    case: t.prismaField({
      type: ModerationCase,
      nullable: true,
      description: 'The case, as it is now.',
      resolve: (query, { contribution }, _args, { db }) =>
        read(db).moderationCase.findFirst({ ...query, where: { contributionId: contribution } }),
    }),
    contribution: contributionOf(t),
  }),
})

mutation('appealModeration', {
  description:
    'Asks for another look at what one wrote and a moderator took away; once. Needs: a member. Emits: `contribution.appealed`.',
  scopes: { member: true },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    contribution: t.id({ required: true, description: WHICH }),
    text: t.string({ required: true, description: 'Why it should come back; 1 to 2,000 characters.' }),
  }),
  resolve: async ({ contribution, text: said }, context, { actor }) =>
    appeal(
      context.db,
      {
        id: contributionRef(contribution, 'input.contribution'),
        text: text(said, 'input.text', 2000),
      },
      { member: selfOf(context), actor },
    ),
  payload: (t) => ({ contribution: contributionOf(t) }),
})

// ── What the tenant wants ──

const WatchAction = builder.enumType('WatchAction', {
  description: 'What happens to a text with a watched word.',
  values: {
    BLOCK: { description: 'It is refused.' },
    QUEUE: { description: 'It waits until somebody has looked.' },
    CENSOR: {
      description:
        'It is published with ＊ in place of the word (* for Latin letters); whoever wrote it reads the word in `source`. Where the word is broken up by marks it waits.',
    },
    FLAG: { description: 'It is published, and somebody has to look.' },
  },
})

mutation('defineWatchedWords', {
  description:
    'Makes a list of words that texts of members are watched for, or a new version of it. Found in kana of either kind and width, whatever invisible characters are in between; words of Latin letters as whole words. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name within the program; 1 to 100 characters.' }),
    action: t.field({ type: WatchAction, required: true, description: 'What happens.' }),
    words: t.stringList({
      required: true,
      description: 'The words; a * at an end stands for more letters. 1 to 2,000, of at most 100 characters.',
    }),
  }),
  resolve: async ({ key, action, words }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    const body = watchedWordsPart.read({ action, words }, 'input')
    await publish(db, [{ kind: 'watchedWords', key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its name.' }) }),
})

const LimitedAction = builder.enumType('LimitedAction', {
  description: 'What members do so often at most.',
  values: {
    POST: { description: 'Posts.' },
    COMMENT: { description: 'Remarks.' },
    QUESTION: { description: 'Questions.' },
    ANSWER: { description: 'Answers.' },
    FLAG: { description: 'Flags.' },
  },
})

const LimitInput = builder.inputType('ModerationLimitInput', {
  description: 'How often members do something at most.',
  fields: (t) => ({
    action: t.field({ type: LimitedAction, required: true, description: 'What.' }),
    most: t.int({ required: true, description: 'How often; 1 to 10,000.' }),
    per: t.field({ type: 'Duration', required: true, description: 'In which span, as in PT1H.' }),
    upToTrust: t.int({ description: 'Only for members who are trusted so far at most; all when left out.' }),
  }),
})

const TrustLevelInput = builder.inputType('TrustLevelInput', {
  description: 'What a level of trust asks.',
  fields: (t) => ({
    level: t.int({ required: true, description: 'Which level: 1, 2, 3 and so on.' }),
    threads: t.int({ required: true, description: 'Threads read.' }),
    days: t.int({ required: true, description: 'Days on which any was read.' }),
    given: t.int({ required: true, description: 'Reactions given.' }),
    received: t.int({ required: true, description: 'Reactions received.' }),
    within: t.field({ type: 'Duration', description: 'In the last so long; ever when left out.' }),
  }),
})

mutation('defineModeration', {
  description:
    'Says how the tenant moderates: how often members write, whose first texts wait, from which score on flagged ones are hidden, and what earns trust. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    limits: t.field({ type: [LimitInput], required: true, description: 'How often. At most 50.' }),
    repeatWithin: t.field({
      type: 'Duration',
      required: true,
      description: 'How long the same text is not taken from the same member again, as in PT5M.',
    }),
    reviewFirst: t.int({
      required: true,
      description: 'How many first texts of members without trust wait for a look; 0: none.',
    }),
    hideAt: t.int({
      required: true,
      description:
        'From which weight of flags on something is hidden; a flag weighs 1 and the trust of the member.',
    }),
    trust: t.field({
      type: [TrustLevelInput],
      required: true,
      description: 'The levels, in order. At most 9.',
    }),
    keepFor: t.field({
      type: 'Duration',
      required: true,
      description: 'How long a level is kept at least, as in P14D.',
    }),
    keepShare: t.int({
      required: true,
      description: 'Which share of what a level asks is enough to keep it, in percent; 1 to 100.',
    }),
  }),
  resolve: async (given, { db }, { actor }) => {
    const body = moderationPart.read(given, 'input')
    await publish(db, [{ kind: 'moderation', key: 'moderation', body }], { actor })
    return { key: 'moderation' }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its name within the program.' }) }),
})
