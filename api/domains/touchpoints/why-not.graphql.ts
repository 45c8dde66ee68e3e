import { builder } from '../../graph/builder.ts'
import { decodeId, idOf } from '../../graph/ids.ts'
import { read } from '../../graph/read.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { TouchDecision } from './deliveries.graphql.ts'
import { Touchpoint, TouchpointState } from './graphql.ts'
import { TouchReason } from './reasons.graphql.ts'
import { type Explained, readBroadcastStory, readStory } from './why-not.store.ts'
import { whyNot } from './why-not.ts'

const WhyNot = builder.objectRef<Explained>('WhyNot').implement({
  description: 'Why a member did not get a touch, or that it was sent.',
  fields: (t) => ({
    state: t.expose('state', { type: TouchpointState, description: 'How far the touch has come.' }),
    reason: t.expose('reason', {
      type: TouchReason,
      nullable: true,
      description: 'Why it was not sent; null when it was, or is to come.',
    }),
    sentence: t.string({
      description: 'The answer in words, for people who work for the tenant.',
      args: {
        locale: t.arg.string({ description: "The language, `ja` or `en`; the member's own when left out." }),
      },
      resolve: (story, { locale }) => whyNot(story, locale ?? story.locale),
    }),
    decisions: t.prismaField({
      type: [TouchDecision],
      nullable: true,
      description: 'Every decision about it, in their order. At most 190.',
      resolve: (query, { touchpoint }, _args, { db }) =>
        touchpoint === null
          ? []
          : read(db).touchDecision.findMany({
              ...query,
              where: { touchpointId: touchpoint },
              orderBy: [{ at: 'asc' }, { id: 'asc' }],
            }),
    }),
    touchpoint: t.prismaField({
      type: Touchpoint,
      nullable: true,
      description: 'The touch itself; null where a broadcast planned none for the member.',
      resolve: (query, { touchpoint }, _args, { db }) =>
        touchpoint === null ? null : read(db).touchpoint.findFirst({ ...query, where: { id: touchpoint } }),
    }),
  }),
})

builder.queryField('whyNot', (t) =>
  t.field({
    type: WhyNot,
    nullable: true,
    description: 'Why a member did not get a touch, or a broadcast; null when it is no touch of that member.',
    authScopes: { lists: 'touchpoints:read' },
    args: {
      member: t.arg({ type: MemberByInput, required: true, description: 'Which member.' }),
      touchpoint: t.arg.id({ required: true, description: 'Which touch, or which broadcast.' }),
    },
    resolve: async (_root, { member, touchpoint }, { db }) => {
      const by = memberRef(member, 'member')
      const { typename, id } = decodeId(touchpoint, 'touchpoint')
      const story =
        typename === 'Broadcast'
          ? await readBroadcastStory(db, by, id)
          : await readStory(db, by, idOf('Touchpoint', touchpoint, 'touchpoint'))
      return story ?? null
    },
  }),
)
