import { builder } from '../../graph/builder.ts'
import { NOBODY } from '../../graph/own.ts'
import { calendarOf } from './calendar.ts'
import { GatheringAnswer } from './kinds.graphql.ts'

const GatheringGuest = builder.prismaObject('GatheringGuest', {
  fields: (t) => ({
    displayName: t.string({
      description: 'What the member is called.',
      select: { member: { select: { displayName: true } } },
      resolve: ({ member }) => member.displayName,
    }),
    answer: t.field({
      type: GatheringAnswer,
      description: 'Whether it comes.',
      select: { state: true },
      resolve: ({ state }) => state as typeof GatheringAnswer.$inferType, // a check constraint holds it
    }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when.' }),
  }),
})

/** When and where people meet. */
export const Gathering = builder.prismaObject('Gathering', {
  fields: (t) => ({
    startsAt: t.expose('startsAt', { type: 'DateTime' }),
    endsAt: t.expose('endsAt', { type: 'DateTime' }),
    place: t.exposeString('place'),
    seats: t.exposeInt('seats', { nullable: true }),
    taken: t.exposeInt('taken'),
    waiting: t.exposeInt('waiting'),
    viewerAnswer: t.field({
      type: GatheringAnswer,
      nullable: true,
      description: 'Whether the viewer comes; null when it never said.',
      select: (_args, { viewer }) => ({
        guests: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { state: true } },
      }),
      resolve: ({ guests }) => (guests[0]?.state ?? null) as typeof GatheringAnswer.$inferType | null, // likewise
    }),
    guests: t.relation('guests', {
      type: GatheringGuest,
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'Who said something, in the order in which they did. At most 1,000. Not for members.',
      query: { orderBy: [{ since: 'asc' }, { n: 'asc' }], take: 1000 },
    }),
    calendar: t.string({
      description: 'The same for calendars: iCalendar text (RFC 5545), to be served as text/calendar.',
      select: {
        contributionId: true,
        startsAt: true,
        endsAt: true,
        place: true,
        contribution: { select: { title: true, revision: true, createdAt: true, editedAt: true } },
      },
      resolve: ({ contribution, contributionId, ...when }) =>
        calendarOf({ id: contributionId, ...when, ...contribution }),
    }),
  }),
})
