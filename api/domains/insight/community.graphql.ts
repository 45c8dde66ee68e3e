import { builder } from '../../graph/builder.ts'
import { read } from '../../graph/read.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { Member } from '../members/index.ts'
import { Space } from '../spaces/index.ts'
import {
  type AnsweringFacts,
  type ChurnFacts,
  type HelperFacts,
  type MaturityFacts,
  readAnswering,
  readChurn,
  readHelpers,
  readMaturity,
} from './community.store.ts'
import { Deflection, deflectionOf } from './deflection.graphql.ts'
import { Reach } from './reach.graphql.ts'
import { readReach } from './reach.store.ts'
import { isOfSpace, span, stayOf } from './span.graphql.ts'
import type { Stay } from './stickiness.store.ts'

/** How many parts a span has at most. */
const MOST_PARTS = 60

const shareOf = (part: number, whole: number) => (whole === 0 ? null : Math.floor((part * 10_000) / whole))

const Answering = builder.objectRef<AnsweringFacts & { readonly minutes: number }>('Answering').implement({
  description: "How the questions of a span were answered by now. An asker's own answers never count.",
  fields: (t) => ({
    questions: t.exposeInt('questions', { description: 'Questions that were asked.' }),
    matured: t.exposeInt('matured', { description: 'Of these, those asked 24 hours ago or more.' }),
    unanswered: t.exposeInt('unanswered', { description: 'Of the matured ones, those without an answer.' }),
    unansweredBasisPoints: t.int({
      nullable: true,
      description: 'Unanswered by matured, in ten-thousandths, rounded down.',
      resolve: ({ unanswered, matured }) => shareOf(unanswered, matured),
    }),
    answeredWithinDay: t.exposeInt('answeredWithinDay', { description: 'Answered within 24 hours.' }),
    answeredInTime: t.exposeInt('answeredInTime', {
      description: 'Answered within the time that `questionCare` says now; none where it says nothing.',
    }),
    medianMinutes: t.exposeFloat('medianMinutes', {
      nullable: true,
      description:
        'Minutes to the first answer: the median over all matured questions; null when it lies among the unanswered.',
    }),
    p90Minutes: t.exposeFloat('p90Minutes', {
      nullable: true,
      description: 'The same, the 90th percentile.',
    }),
    firstByMembers: t.exposeInt('firstByMembers', { description: 'Answered first by a member.' }),
    firstByStaff: t.exposeInt('firstByStaff', { description: 'Answered first by staff.' }),
    peerAnswered: t.exposeInt('peerAnswered', { description: 'Answered by members, and not by staff.' }),
    peerAnsweredBasisPoints: t.int({
      nullable: true,
      description: 'Peer-answered by all that were answered, in ten-thousandths, rounded down.',
      resolve: ({ peerAnswered, firstByMembers, firstByStaff }) =>
        shareOf(peerAnswered, firstByMembers + firstByStaff),
    }),
    accepted: t.exposeInt('accepted', { description: 'Questions with an accepted answer.' }),
    solved: t.exposeInt('solved', {
      description: 'Questions that are solved: by an accepted answer, or closed as solved without one.',
    }),
    solvedBasisPoints: t.int({
      nullable: true,
      description: 'Solved by all that were asked, in ten-thousandths, rounded down.',
      resolve: ({ solved, questions }) => shareOf(solved, questions),
    }),
    rated: t.exposeInt('rated', { description: 'Questions whose asker said whether it was helped.' }),
    satisfiedBasisPoints: t.int({
      nullable: true,
      description: 'Of these, those whose asker was helped; in ten-thousandths, rounded down.',
      resolve: ({ satisfied, rated }) => shareOf(satisfied, rated),
    }),
    staffMinutesSaved: t.int({
      description:
        'Minutes that staff did not need: the peer-answered, times the minutes that one would take.',
      resolve: ({ peerAnswered, minutes }) => peerAnswered * minutes,
    }),
  }),
})

const Maturity = builder.objectRef<MaturityFacts>('CommunityMaturity').implement({
  description: 'How grown a community is: who is there, who replies, who helps, and how members are tied.',
  fields: (t) => ({
    startsAt: t.expose('startsAt', { type: 'DateTime', description: 'From when, inclusive.' }),
    endsAt: t.expose('endsAt', { type: 'DateTime', description: 'Until when, exclusive.' }),
    members: t.exposeInt('members', { description: 'How many were members when the span ended.' }),
    active: t.exposeInt('active', { description: 'Members who looked at something, or wrote.' }),
    replying: t.exposeInt('replying', { description: "Members who wrote under another's." }),
    helping: t.exposeInt('helping', { description: "Members who answered another's question." }),
    activeBasisPoints: t.int({
      nullable: true,
      description: 'Active by members, in ten-thousandths, rounded down.',
      resolve: ({ active, members }) => shareOf(active, members),
    }),
    replyingBasisPoints: t.int({
      nullable: true,
      description: 'Replying by members, likewise.',
      resolve: ({ replying, members }) => shareOf(replying, members),
    }),
    helpingBasisPoints: t.int({
      nullable: true,
      description: 'Helping by members, likewise.',
      resolve: ({ helping, members }) => shareOf(helping, members),
    }),
    ties: t.exposeInt('ties', {
      description: 'Pairs of members of whom one wrote under what is the other’s.',
    }),
    mutualTies: t.exposeInt('mutualTies', { description: 'Pairs of whom each did.' }),
    solvedViews: t.exposeInt('solvedViews', {
      description: "Views of others' solved questions; a member counts once a day and question.",
    }),
    selfServedBasisPoints: t.int({
      nullable: true,
      description:
        'Of these, those that no question of the same member followed within 7 days; in ten-thousandths.',
      resolve: ({ selfServed, solvedViews }) => shareOf(selfServed, solvedViews),
    }),
  }),
})

const Helper = builder.objectRef<HelperFacts>('CommunityHelper').implement({
  description: "A member who answers others' questions.",
  fields: (t) => ({
    member: t.field({
      type: Member,
      nullable: true,
      description: 'Who.',
      // A row as the parent of its type: known by its key, the rest to be read for all of them at once.
      resolve: ({ member }) => ({ id: member }) as never,
    }),
    name: t.exposeString('name', { description: 'How it is called.' }),
    answers: t.exposeInt('answers', { description: "Answers to others' questions." }),
    accepted: t.exposeInt('accepted', { description: 'Of these, those that are accepted.' }),
  }),
})

const Participation = builder.enumType('Participation', {
  description: 'The most that a member did.',
  values: {
    NONE: { description: 'It was not there.' },
    READING: { description: 'It read.' },
    WRITING: { description: 'It wrote.' },
    HELPING: { description: 'It answered a question.' },
  },
})

const Churn = builder.objectRef<ChurnFacts>('ParticipationChurn').implement({
  description: 'How many left, of those who took part in one way.',
  fields: (t) => ({
    level: t.expose('level', { type: Participation, description: 'The most that they did in the span.' }),
    members: t.exposeInt('members', { description: 'How many were members when the span ended.' }),
    ended: t.exposeInt('ended', { description: 'Of these, whose membership ended since.' }),
    endedBasisPoints: t.int({
      nullable: true,
      description: 'Ended by members, in ten-thousandths, rounded down.',
      resolve: ({ ended, members }) => shareOf(ended, members),
    }),
  }),
})

const CommunityReport = builder.objectRef<Stay>('CommunityReport').implement({
  description: 'What a community is worth over a span; each part is looked up when it is asked for.',
  fields: (t) => ({
    answering: t.field({
      type: Answering,
      nullable: true,
      description: 'How questions were answered.',
      args: {
        minutesPerAnswer: t.arg.int({
          defaultValue: 10,
          description: 'What one answer costs staff; 0 to 1000.',
        }),
      },
      resolve: async (stay, { minutesPerAnswer }, { db }) => {
        const minutes = minutesPerAnswer ?? 10
        if (minutes < 0 || minutes > 1_000)
          throw new BadInputError('minutesPerAnswer', 'minutesPerAnswer must be 0 to 1000.')
        return { ...(await readAnswering(db, stay)), minutes }
      },
    }),
    space: t.prismaField({
      type: Space,
      nullable: true,
      description: 'The space that it is of, with the purpose and the goal to judge it by; null: of all.',
      resolve: (query, { space }, _args, { db }) =>
        space === null ? null : read(db).space.findFirst({ ...query, where: { id: space } }),
    }),
    maturity: t.field({
      type: Maturity,
      nullable: true,
      description: 'Who is there, replies and helps.',
      resolve: async (stay, _args, { db }) => (await readMaturity(db, stay, { every: null, most: 1 }))[0],
    }),
    maturityOverTime: t.field({
      type: [Maturity],
      nullable: true,
      description:
        'The same for each part of the span, so that one sees how members come to be tied. Parts follow the tenant’s calendar; the last is as long as is left. At most 60.',
      args: {
        every: t.arg({
          type: 'Duration',
          defaultValue: 'P1M',
          description: 'How long a part is, as in P7D.',
        }),
      },
      resolve: async (stay, { every }, { db }) => {
        const parts = await readMaturity(db, stay, { every: every ?? 'P1M', most: MOST_PARTS + 1 })
        if (parts.length > MOST_PARTS)
          throw new BadInputError('every', `every makes more than ${MOST_PARTS} parts of the span.`)
        return parts
      },
    }),
    deflection: t.field({
      type: Deflection,
      nullable: true,
      description: 'What members need not ask, because a suggestion answered it.',
      resolve: (stay, _args, { db }) => deflectionOf(stay, db),
    }),
    reach: t.field({
      type: Reach,
      nullable: true,
      description: 'How far the tenant is known outside.',
      resolve: (stay, _args, { db }) => readReach(db, stay),
    }),
    helpers: t.field({
      type: [Helper],
      nullable: true,
      description: 'Who helps most: by accepted answers, then by answers. At most 20.',
      resolve: (stay, _args, { db }) => readHelpers(db, stay),
    }),
    churn: t.field({
      type: [Churn],
      nullable: true,
      description: 'Who left since, by how they took part. At most 4.',
      resolve: (stay, _args, { db }) => readChurn(db, stay),
    }),
  }),
})

builder.queryField('communityReport', (t) =>
  t.field({
    type: CommunityReport,
    nullable: true,
    description: 'What a community is worth over a span, in all or in one space. For staff.',
    authScopes: { staff: 'community:read' },
    args: {
      from: t.arg(span.from),
      until: t.arg(span.until),
      space: t.arg.id({ description: 'Only this space; all when left out.' }),
    },
    resolve: async (_root, args, { db }) => {
      const stay = stayOf(args)
      return (await isOfSpace(stay, db)) ? stay : null
    },
  }),
)
