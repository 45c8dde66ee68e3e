import { builder } from '../../graph/builder.ts'
import { NOBODY } from '../../graph/own.ts'

interface Option {
  readonly n: number
  readonly label: string
  /** Null while they are not told. */
  readonly votes: number | null
  readonly isChosen: boolean
}

const PollOption = builder.objectRef<Option>('PollOption').implement({
  description: 'Something to choose in a poll.',
  fields: (t) => ({
    number: t.exposeInt('n', { description: 'Its number in the poll, from 1 on.' }),
    label: t.exposeString('label', { description: 'What it says.' }),
    votes: t.exposeInt('votes', {
      nullable: true,
      description: 'How many chose it; null for a member who has not voted, until the poll is closed.',
    }),
    isViewers: t.exposeBoolean('isChosen', { description: 'Whether the viewer chose it.' }),
  }),
})

/** A question with options, under a post. */
export const Poll = builder.prismaObject('Poll', {
  fields: (t) => ({
    isMultiple: t.exposeBoolean('isMultiple'),
    closesAt: t.expose('closesAt', { type: 'DateTime', nullable: true }),
    isClosed: t.boolean({
      description: 'Whether it is over.',
      select: { closesAt: true },
      resolve: async ({ closesAt }, _args, context) => closesAt !== null && closesAt <= (await context.now()),
    }),
    voters: t.exposeInt('voters'),
    options: t.field({
      type: [PollOption],
      description: 'What can be chosen, in order. At most 20.',
      select: (_args, { viewer }) => ({
        closesAt: true,
        options: {
          orderBy: { n: 'asc' },
          take: 20,
          select: {
            n: true,
            label: true,
            votes: true,
            given: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { n: true } },
          },
        },
      }),
      resolve: async ({ closesAt, options }, _args, context) => {
        const isOver = closesAt !== null && closesAt <= (await context.now())
        const isTold =
          isOver || context.viewer?.kind !== 'MEMBER' || options.some(({ given }) => given.length > 0)
        return options.map(({ n, label, votes, given }) => ({
          n,
          label,
          votes: isTold ? votes : null,
          isChosen: given.length > 0,
        }))
      },
    }),
  }),
})
