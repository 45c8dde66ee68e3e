import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { IdempotencyKeyReusedError, MembershipEndedError } from '../../platform/errors/index.ts'
import { addAudienceWords } from '../audiences/index.ts'
import { MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { TierDecision } from './graphql.ts'
import { TierLadderInput } from './ladder.input.graphql.ts'
import { ladderPart } from './ladder.ts'
import { defineLadder, moveTier, previewLadder } from './service.ts'
import type { Move } from './store.ts'

addAudienceWords((t) => ({
  tier: t.stringList({
    description:
      'The member holds one of these tiers now. One of another ladder than `default` is written as in `partner:gold`.',
  }),
}))

mutation('defineTierLadder', {
  description:
    'Puts a ladder of tiers in force, or a new version of it; an equal one changes nothing. Its members are asked anew within moments. Needs: `program:write`. Emits: `program.published`, `tier.changed`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ description: 'Its name; `default` when left out.' }),
    ladder: t.field({ type: TierLadderInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, ladder }, { db }, { actor }) => {
    const named = text(key ?? 'default', 'input.key', 50)
    const { changed } = await defineLadder(
      db,
      { key: named, ladder: ladderPart.read(ladder, 'input.ladder') },
      actor,
    )
    return { key: named, isChanged: changed.length > 0 }
  },
  payload: (t) => ({
    key: t.exposeString('key', { description: 'The name of the ladder.' }),
    isChanged: t.exposeBoolean('isChanged', { description: 'Whether it is another than before.' }),
  }),
})

const TierMove = builder.objectRef<Move>('TierMove').implement({
  description: 'Members who would come from one tier to another.',
  fields: (t) => ({
    from: t.exposeString('from', { nullable: true, description: 'The key of the tier now; null: none.' }),
    to: t.exposeString('to', { nullable: true, description: 'The key of the tier then; null: none.' }),
    members: t.exposeInt('members', { description: 'How many.' }),
  }),
})

builder.queryField('previewTierLadder', (t) =>
  t.field({
    type: [TierMove],
    nullable: true,
    description:
      'Whom a ladder would move if it came into force now, highest tiers first; nothing changes. At most 400.',
    authScopes: { staff: 'program:read' },
    args: {
      key: t.arg.string({ description: 'Which ladder it would replace; `default` when left out.' }),
      ladder: t.arg({ type: TierLadderInput, required: true, description: 'The ladder.' }),
    },
    resolve: (_root, { key, ladder }, { db }) =>
      previewLadder(db, {
        key: text(key ?? 'default', 'key', 50),
        ladder: ladderPart.read(ladder, 'ladder'),
      }),
  }),
)

mutation('moveTier', {
  description:
    'Moves a member to a tier by hand: raised, the member stands no lower; lowered, the member stands there whatever the facts. Without a tier it ends what was moved by hand. Needs: `tiers:write`. Emits: `tier.changed`.',
  scopes: { staff: 'tiers:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who moves.' }),
    ladder: t.string({ description: 'On which ladder; `default` when left out.' }),
    tier: t.string({ description: 'The key of the tier; left out, facts alone decide again.' }),
    until: t.field({ type: 'DateTime', description: 'Until when; for good when left out.' }),
    reason: t.string({ required: true, description: 'Why; kept in the history. 1 to 500 characters.' }),
  }),
  resolve: ({ member, ladder, tier, until, reason }, { db }, operation) =>
    moveTier(
      db,
      {
        member: memberRef(member, 'input.member'),
        ladder: text(ladder ?? 'default', 'input.ladder', 50),
        tier: tier ?? null,
        until: until ?? null,
        reason: text(reason, 'input.reason', 500),
      },
      operation,
    ),
  payload: (t) => ({
    member: memberOf(t),
    decision: t.prismaField({
      type: TierDecision,
      nullable: true,
      description: 'The decision; null when there was nothing to end.',
      resolve: async (query, { decision }, _args, { db }) =>
        decision === null ? null : read(db).tierDecision.findFirst({ ...query, where: { id: decision } }),
    }),
  }),
})
