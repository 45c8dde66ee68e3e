import { builder } from '../../graph/builder.ts'
import { mutation } from '../../graph/mutation.ts'
import { Contribution, contributionRef } from '../contributions/index.ts'
import { MemberByInput, memberOf, onlyOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { Referral } from '../referrals/index.ts'
import { type Arrivals, readArrivals } from './invites.store.ts'
import { inviteToThread } from './invites.ts'
import { ownOrReads } from './people.graphql.ts'

const ThreadArrivals = builder.objectRef<Arrivals>('ThreadArrivals').implement({
  description: 'Who came by the invites to a thread.',
  fields: (t) => ({
    referralCode: t.exposeString('code', {
      nullable: true,
      description: 'The code by which the member invites to it; null when it has none, and for staff.',
    }),
    claimed: t.exposeInt('claimed', { description: 'How many friends claimed one, whatever came of it.' }),
    joined: t.exposeInt('joined', {
      description: 'How many of these claims stand: those that were rejected or are looked at left out.',
    }),
    stayed: t.exposeInt('stayed', {
      description: 'How many of these were members still 90 days after they claimed.',
    }),
  }),
})

builder.queryField('threadArrivals', (t) =>
  t.field({
    type: ThreadArrivals,
    nullable: true,
    description:
      'Who came by the invites to a thread: by its own for a member that sees the thread, by all for who may read referrals.',
    authScopes: ownOrReads('referrals:read'),
    args: { contribution: t.arg.id({ required: true, description: 'Anything written in the thread.' }) },
    resolve: (_root, { contribution }, context) =>
      readArrivals(context.db, contributionRef(contribution, 'contribution'), onlyOf(context)),
  }),
)

builder.prismaObjectField(Referral, 'thread', (t) =>
  t.relation('thread', {
    type: Contribution,
    nullable: true,
    description:
      'The thread by whose invite the friend came; null when it came by none, and to who may not see it.',
  }),
)

mutation('inviteToThread', {
  description:
    "Gives a member the code by which it brings others to a thread that it sees, the same one each time. A friend claims it with `claimReferral` as any code; it tells nothing of the thread. Needs: a member's token, for its own, or `referrals:write`. Emits: nothing.",
  scopes: ownOrWrites('referrals:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Who invites; a member's own when left out." }),
    contribution: t.id({ required: true, description: 'Anything written in the thread.' }),
  }),
  resolve: ({ member, contribution }, context) =>
    inviteToThread(
      context.db,
      subjectOf(member, context),
      contributionRef(contribution, 'input.contribution'),
    ),
  payload: (t) => ({
    referralCode: t.exposeString('code', { description: 'The code.' }),
    member: memberOf(t),
  }),
})
