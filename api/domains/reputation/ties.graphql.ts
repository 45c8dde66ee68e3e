import { builder } from '../../graph/builder.ts'
import { encodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { Member } from '../members/index.ts'
import { type Tie, tiesOf } from './store.ts'

/** The most ties of a member that are told. */
const MOST = 50

const TieType = builder.objectRef<Tie>('MemberTie').implement({
  description: 'What ties a member to another.',
  fields: (t) => ({
    id: t.id({
      description: 'The id of the other member.',
      resolve: ({ otherId }) => encodeId('Member', otherId),
    }),
    displayName: t.exposeString('displayName', { description: 'How the other is called.' }),
    strength: t.exposeFloat('strength', {
      description:
        'How strongly: 5 for an accepted answer or an introduction, 3 for thanks, 2 for a reply, 1 for a reaction, either way; half of it after 180 days, a quarter after 360, and so on.',
    }),
    acceptedCount: t.exposeInt('accepted', {
      description: 'Answers of one that solved questions of the other.',
    }),
    thanksCount: t.exposeInt('thanks', { description: 'Thanks of one for answers of the other.' }),
    replyCount: t.exposeInt('replies', { description: 'Answers to, and comments on, what the other wrote.' }),
    reactionCount: t.exposeInt('reactions', { description: 'Reactions to what the other wrote.' }),
    isIntroduced: t.exposeBoolean('isIntroduced', { description: 'Whether both agreed to meet.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'When anything of this last happened.' }),
  }),
})

const tiesNow = loader<string, readonly Tie[]>((ids, { db }) => tiesOf(db, ids, MOST))

builder.prismaObjectField(Member, 'connections', (t) =>
  t.field({
    type: [TieType],
    nullable: true,
    description: `Others to whom the member is tied, the strongest first, as far as it may see what ties them: for the member itself, and staff. At most ${MOST}.`,
    authScopes: { reads: 'community:read' },
    select: { id: true },
    resolve: async ({ id }, _args, context) => [...(await tiesNow(context, id))],
  }),
)
