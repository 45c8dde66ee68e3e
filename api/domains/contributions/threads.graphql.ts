import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { read } from '../../graph/read.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { Contribution, ContributionKind } from './graphql.ts'
import { ContributionConnection } from './members.graphql.ts'
import { tagged } from './tags.ts'

const ThreadOrder = builder.enumType('ThreadOrder', {
  description: 'In which order threads are listed.',
  values: {
    ACTIVE: { description: 'First where something happened last.' },
    NEW: { description: 'The newest first.' },
    TOP: { description: 'The highest score first.' },
  },
})

const ORDERS = {
  ACTIVE: { activityAt: 'desc' },
  NEW: { publishedAt: 'desc' },
  TOP: { score: 'desc' },
} as const

/** What begins a thread. */
const BEGINNINGS = ['POST', 'QUESTION', 'FAQ', 'CONTENT']

builder.queryField('threads', (t) =>
  t.prismaConnection(
    {
      type: Contribution,
      nullable: true,
      description:
        'A forum over all spaces: posts and questions that are published and in sight of the viewer, side by side; entries of the FAQ and content as well, where one asks for their kinds. With a tag it is what is known of one matter, wherever it stands.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      args: {
        orderBy: t.arg({ type: ThreadOrder, defaultValue: 'ACTIVE', description: 'In which order.' }),
        kinds: t.arg({
          type: [ContributionKind],
          description: 'Only these of POST, QUESTION, FAQ and CONTENT; the first two when left out.',
        }),
        space: t.arg.id({ description: 'Only those in this space.' }),
        tag: t.arg.string({ description: 'Only those with this tag.' }),
        sku: t.arg.string({ description: 'Only those about this product.' }),
      },
      resolve: (query, _root, { orderBy, kinds, space, tag, sku }, { db }) => {
        const wanted = kinds ?? ['POST', 'QUESTION']
        const wrong = wanted.find((kind) => !BEGINNINGS.includes(kind))
        if (wrong !== undefined) throw new BadInputError('kinds', `kinds: ${wrong} begins no thread.`)
        return read(db).contribution.findMany({
          ...query,
          where: {
            kind: { in: [...wanted] },
            parentId: null,
            state: 'PUBLISHED',
            ...(space != null && { spaceId: idOf('Space', space, 'space') }),
            ...(tag != null && { sql: tagged(tag) }),
            ...(sku != null && { sku }),
          } as object, // the reader's own words
          orderBy: ORDERS[orderBy ?? 'ACTIVE'],
        })
      },
    },
    ContributionConnection,
  ),
)
