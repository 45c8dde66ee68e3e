import { builder } from '../../graph/builder.ts'
import { NOBODY } from '../../graph/own.ts'
import { IdeaStatus } from './kinds.graphql.ts'

/** What an idea has besides its text. The post adds what it was merged into. */
export const Idea = builder.prismaObject('Idea', {
  fields: (t) => ({
    status: t.field({
      type: IdeaStatus,
      description: 'How it stands.',
      select: { status: true },
      resolve: ({ status }) => status as typeof IdeaStatus.$inferType, // a check constraint holds it
    }),
    votes: t.exposeInt('votes'),
    voters: t.exposeInt('voters'),
    note: t.exposeString('note', { nullable: true }),
    statusAt: t.expose('statusAt', { type: 'DateTime', nullable: true }),
    viewerVotes: t.int({
      description: 'How many votes the viewer gave it.',
      select: (_args, { viewer }) => ({
        given: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { votes: true } },
      }),
      resolve: ({ given }) => given[0]?.votes ?? 0,
    }),
  }),
})
