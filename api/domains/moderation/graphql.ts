import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Contribution } from '../contributions/index.ts'
import { Member } from '../members/index.ts'
import {
  contributionAppealed,
  contributionFlagged,
  contributionJudged,
  flagAnswered,
  trustChanged,
} from './events.ts'
import { type Judgement, judgementsOf, type Trust, trustOf } from './service.ts'

/** Why a member flags something. */
export const FlagReason = builder.enumType('FlagReason', {
  description: 'Why something should not be there.',
  values: {
    SPAM: { description: 'It advertises something that nobody asked for.' },
    ABUSE: { description: 'It hurts somebody.' },
    OFF_TOPIC: { description: 'It does not belong there.' },
    PERSONAL_DATA: { description: 'It tells what is private.' },
    ILLEGAL: { description: 'It breaks the law.' },
    OTHER: { description: 'Something else; the note says what.' },
  },
})

const FlagState = builder.enumType('FlagState', {
  description: 'What a flag was answered.',
  values: {
    OPEN: { description: 'Nobody has looked yet.' },
    UPHELD: { description: 'It was right: what was flagged was taken away.' },
    REJECTED: { description: 'What was flagged stays.' },
    MOOT: { description: 'Whoever wrote it took it away first.' },
  },
})

const CaseState = builder.enumType('ModerationState', {
  description: 'How a case stands.',
  values: {
    OPEN: { description: 'Somebody has to look.' },
    KEPT: { description: 'It stays, or was let through.' },
    REMOVED: { description: 'It was taken away.' },
    SPAM: { description: 'It was taken for spam.' },
    WITHDRAWN: { description: 'Whoever wrote it took it away first.' },
  },
})
/** How a case stands. */
export type CaseState = typeof CaseState.$inferType

const CaseReason = builder.enumType('ModerationReason', {
  description: 'Why somebody has to look.',
  values: {
    FLAGGED: { description: 'Members flagged it.' },
    NEW_MEMBER: { description: 'It is among the first that its author writes.' },
    WATCHED_WORD: { description: 'A word is in it that the tenant watches for.' },
    CHECK: { description: 'A filter found it doubtful.' },
    HELD: { description: 'Somebody held it back.' },
    APPEAL: { description: 'Whoever wrote it asks for another look.' },
  },
})

/** What a member flagged. */
export const ModerationFlag = builder.prismaObject('ModerationFlag', {
  fields: (t) => ({
    reason: t.field({
      type: FlagReason,
      description: 'Why.',
      select: { reason: true },
      resolve: ({ reason }) => reason as typeof FlagReason.$inferType, // a check constraint holds it
    }),
    note: t.exposeString('note', { nullable: true }),
    state: t.field({
      type: FlagState,
      description: 'What it was answered.',
      select: { state: true },
      resolve: ({ state }) => state as typeof FlagState.$inferType, // likewise
    }),
    at: t.expose('at', { type: 'DateTime' }),
    answeredAt: t.expose('answeredAt', { type: 'DateTime', nullable: true }),
    contribution: t.relation('contribution', {
      type: Contribution,
      nullable: true,
      description: 'What was flagged.',
    }),
  }),
})

const ModerationStep = builder.prismaObject('ModerationStep', {
  fields: (t) => ({
    step: t.exposeString('step', { description: 'What happened, such as OPENED, FLAGGED, HIDDEN or KEPT.' }),
    actor: t.exposeString('actor', { description: 'Who did it, as in staff:anna.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was said of it.' }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

/** Something that somebody has to look at, or has looked at. */
export const ModerationCase = builder.prismaObject('ModerationCase', {
  fields: (t) => ({
    contribution: t.relation('contribution', {
      type: Contribution,
      nullable: true,
      description: 'What it is about.',
    }),
    state: t.field({
      type: CaseState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as CaseState, // likewise
    }),
    reason: t.field({
      type: CaseReason,
      description: 'Why it was opened.',
      select: { reason: true },
      resolve: ({ reason }) => reason as typeof CaseReason.$inferType, // likewise
    }),
    score: t.exposeFloat('score'),
    version: t.exposeInt('version'),
    openedAt: t.expose('openedAt', { type: 'DateTime' }),
    decidedAt: t.expose('decidedAt', { type: 'DateTime', nullable: true }),
    decidedBy: t.exposeString('decidedBy', { nullable: true, description: 'Who decided, as in staff:anna.' }),
    note: t.exposeString('note', { nullable: true }),
    appealedAt: t.expose('appealedAt', { type: 'DateTime', nullable: true }),
    appeal: t.exposeString('appeal', { nullable: true }),
    history: t.relation('steps', {
      type: ModerationStep,
      description: 'What happened, the last first. At most 50.',
      query: { orderBy: { id: 'desc' }, take: 50 },
    }),
  }),
})

const judgementNow = loader<string, Judgement | null>((ids, { db }) => judgementsOf(db, ids))

const JudgementType = builder.objectRef<Judgement>('Judgement').implement({
  description: 'What was decided of something that was written, for whoever wrote it.',
  fields: (t) => ({
    state: t.field({
      type: CaseState,
      description: 'What was decided; OPEN: somebody has still to look.',
      resolve: ({ state }) => state,
    }),
    note: t.exposeString('note', { nullable: true, description: 'What whoever decided says of it.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When; null: not yet.',
    }),
    appealedAt: t.expose('appealedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the author asked for another look; null: never.',
    }),
    canAppeal: t.exposeBoolean('canAppeal', { description: 'Whether the author may ask for another look.' }),
  }),
})

builder.prismaInterfaceField(Contribution, 'judgement', (t) =>
  t.field({
    type: JudgementType,
    nullable: true,
    description:
      'What moderators decided of it, or are about to; for whoever wrote it, and for staff. Null for others, and as long as it stands and was never appealed.',
    select: { id: true },
    resolve: ({ id }, _args, context) => judgementNow(context, id),
  }),
)

const ModerationFlagConnection = connectionOf(ModerationFlag, 'ModerationFlag')

builder.prismaObjectField(Member, 'flags', (t) =>
  t.relatedConnection(
    'moderationFlags',
    {
      nullable: true,
      description: 'What the member flagged and what it was answered, the newest first.',
      authScopes: { reads: 'community:moderate' },
      cursor: 'tenantId_id',
      query: { orderBy: [{ at: 'desc' }, { id: 'desc' }] },
    },
    ModerationFlagConnection,
  ),
)

const ModerationCaseConnection = connectionOf(ModerationCase, 'ModerationCase')

builder.queryField('moderationQueue', (t) =>
  t.prismaConnection(
    {
      type: ModerationCase,
      nullable: true,
      description:
        'What somebody has to look at, the longest waiting first: for staff, and for moderators what is in their spaces.',
      authScopes: { reads: 'community:moderate' },
      cursor: 'tenantId_contributionId',
      args: {
        state: t.arg({ type: CaseState, defaultValue: 'OPEN', description: 'Those that stand like this.' }),
      },
      resolve: (query, _root, { state }, { db }) =>
        read(db).moderationCase.findMany({
          ...query,
          where: { state: state ?? 'OPEN' },
          orderBy: [{ openedAt: 'asc' }, { contributionId: 'asc' }],
        }),
    },
    ModerationCaseConnection,
  ),
)

// ── Trust ──

const TrustCriterion = builder.enumType('TrustCriterion', {
  description: 'What earns trust.',
  values: {
    THREADS_READ: { description: 'Threads that the member read.' },
    DAYS_VISITED: { description: 'Days on which it read any.' },
    REACTIONS_GIVEN: { description: 'Reactions that it gave.' },
    REACTIONS_RECEIVED: { description: 'Reactions of others to what it wrote.' },
  },
})

const TrustProgress = builder.objectRef<Trust['criteria'][number]>('TrustProgress').implement({
  description: 'What a member has of what a level of trust asks.',
  fields: (t) => ({
    level: t.exposeInt('level', { description: 'Of which level.' }),
    criterion: t.expose('criterion', { type: TrustCriterion, description: 'What.' }),
    needs: t.exposeInt('needs', { description: 'How much of it the level asks.' }),
    has: t.exposeInt('has', { description: 'How much of it the member has.' }),
    isMet: t.exposeBoolean('isMet', {
      description: 'Whether that is enough; to stay on a level a share of it is.',
    }),
  }),
})

const TrustType = builder.objectRef<Trust>('Trust').implement({
  description: 'How far a member is trusted: apart from its tier and its stage.',
  fields: (t) => ({
    level: t.exposeInt('level', { description: '0 as it came; more by reading, coming back and helping.' }),
    criteria: t.field({
      type: [TrustProgress],
      description: 'What each level asks, and what the member has of it. At most 36.',
      resolve: ({ criteria }) => criteria,
    }),
  }),
})

const trustNow = loader<string, Trust>((ids, { db }) => trustOf(db, ids))

builder.prismaObjectField(Member, 'trust', (t) =>
  t.field({
    type: TrustType,
    nullable: true,
    description: 'How far the member is trusted. For the member itself, and who may read members.',
    authScopes: { reads: 'members:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => trustNow(context, id),
  }),
)

// ── Events ──

for (const fact of [contributionFlagged, flagAnswered]) {
  eventType(fact, (t) => ({
    flag: t.prismaField({
      type: ModerationFlag,
      nullable: true,
      description: 'The flag, as it is now.',
      resolve: (query, event, _args, { db }) =>
        read(db).moderationFlag.findFirst({ ...query, where: { id: factOf(event, 'flag') } }),
    }),
  }))
}

for (const fact of [contributionJudged, contributionAppealed]) {
  eventType(fact, (t) => ({
    contribution: t.prismaField({
      type: Contribution,
      nullable: true,
      description: 'What it is about; null when the viewer may not see it.',
      resolve: (query, event, _args, { db }) =>
        read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'contribution') } }),
    }),
  }))
}

eventType(trustChanged, (t) => ({
  from: t.int({ description: 'The level before.', resolve: (event) => Number(factOf(event, 'from')) }),
  to: t.int({ description: 'The level now.', resolve: (event) => Number(factOf(event, 'to')) }),
}))
