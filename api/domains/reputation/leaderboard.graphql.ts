import { builder } from '../../graph/builder.ts'
import { encodeId, idOf } from '../../graph/ids.ts'
import { NOBODY } from '../../graph/own.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { type Leader, leaders } from './store.ts'

/** The most that a leaderboard shows. */
const MOST = 50

const LeaderType = builder.objectRef<Leader>('Leader').implement({
  description: 'Somebody on a leaderboard.',
  fields: (t) => ({
    id: t.id({ description: 'The id of the member.', resolve: ({ id }) => encodeId('Member', id) }),
    displayName: t.exposeString('displayName', { description: 'How the member is called.' }),
    gained: t.exposeInt('gained', { description: 'How much reputation it gained.' }),
    rank: t.exposeInt('rank', { description: '1 is the first; who gained as much shares a rank.' }),
  }),
})

builder.queryField('leaderboard', (t) =>
  t.field({
    type: [LeaderType],
    nullable: true,
    description: `Who gained most reputation in a span, by what the viewer may see of it and what still counts. At most ${MOST}.`,
    authScopes: { reads: 'community:read' },
    args: {
      space: t.arg.id({ description: 'Only by what was written in this space.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'From when on.' }),
      until: t.arg({ type: 'DateTime', required: true, description: 'Until when, exclusive.' }),
      most: t.arg.int({ description: 'How many at most; 10 when left out, 1 to 50.' }),
    },
    resolve: async (_root, { space, from, until, most }, { db, viewer }) => {
      if (from >= until) throw new BadInputError('until', 'until must be later than from.')
      if (most != null && (most < 1 || most > MOST)) {
        throw new BadInputError('most', `most must be from 1 to ${MOST}; it is ${most}.`)
      }
      return leaders(db, viewer?.kind === 'MEMBER' ? (viewer.memberId ?? NOBODY) : null, {
        space: space == null ? null : idOf('Space', space, 'space'),
        from,
        until,
        most: most ?? 10,
      })
    },
  }),
)
