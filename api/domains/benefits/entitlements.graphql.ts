import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { Member, MemberByInput, memberRef, onlyOf } from '../members/index.ts'
import { Entitlement } from './entitlement.graphql.ts'
import { type Allowance, type Held, readHeld, readStanding } from './entitlements.store.ts'
import { Benefit, benefitOf } from './graphql.ts'
import { answerOf, summed } from './standing.ts'

const AllowanceBy = builder.enumType('AllowanceBy', {
  description: 'Why a member has an entitlement.',
  values: {
    RULE: { description: 'The member matches its audience.' },
    GRANT: { description: 'It was given.' },
  },
})

const EntitlementAllowance = builder.objectRef<Allowance>('EntitlementAllowance').implement({
  description: 'One way in which a member has an entitlement.',
  fields: (t) => ({
    by: t.field({
      type: AllowanceBy,
      description: 'Why.',
      resolve: ({ grant }) => (grant === null ? 'RULE' : 'GRANT'),
    }),
    benefit: t.field({
      type: Benefit,
      nullable: true,
      description: 'What gave it; null when it is by rule.',
      resolve: ({ grant }, _args, context) => (grant === null ? null : benefitOf(context, grant)),
    }),
    left: t.exposeInt('left', {
      nullable: true,
      description: 'How often it can be used now; null: without limit.',
    }),
    renewsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its quota begins anew; null: never.',
      resolve: (allowance) => summed([allowance]).renewsAt,
    }),
    endsAt: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is gone for good; null: not by itself.',
    }),
  }),
})

/** An entitlement that a member has, and why. */
export const MemberEntitlement = builder.objectRef<Held>('MemberEntitlement').implement({
  description: 'An entitlement that a member has, and why.',
  fields: (t) => ({
    entitlement: t.field({ type: Entitlement, description: 'What it is.', resolve: (held) => held }),
    isAllowed: t.boolean({
      description: 'Whether it can be used now.',
      resolve: ({ allowances }) => summed(allowances).left !== 0,
    }),
    left: t.int({
      nullable: true,
      description: 'How often it can be used now, all allowances together; null: without limit.',
      resolve: ({ allowances }) => summed(allowances).left,
    }),
    renewsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a quota of it begins anew; null: none does.',
      resolve: ({ allowances }) => summed(allowances).renewsAt,
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the last allowance is gone for good; null: not by itself.',
      resolve: ({ allowances }) => summed(allowances).endsAt,
    }),
    because: t.field({
      type: [EntitlementAllowance],
      description: 'Every way in which the member has it, the soonest-ending first. At most 100.',
      resolve: ({ allowances }) => allowances.slice(0, 100),
    }),
  }),
})

/** What members (uuids) may use now. */
export const heldOf = loader<string, Held[]>((members, { db }) => readHeld(db, members))

const LIST = 'by key: by rule, or by what was given. At most 100.'

builder.prismaObjectField(Member, 'entitlements', (t) =>
  t.field({
    type: [MemberEntitlement],
    nullable: true,
    description: `What the member may use, ${LIST}`,
    authScopes: { reads: 'benefits:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => heldOf(context, id),
  }),
)

builder.objectField(ViewerType, 'entitlements', (t) =>
  t.field({
    type: [MemberEntitlement],
    nullable: true,
    description: `What the member behind a member's token may use, ${LIST} Null for other kinds.`,
    resolve: ({ memberId }, _args, context) => (memberId === null ? null : heldOf(context, memberId)),
  }),
)

const EntitlementAnswer = builder.enumType('EntitlementAnswer', {
  description: 'Why an entitlement can be used or not.',
  values: {
    ALLOWED: { description: 'It can be used.' },
    NOT_ENTITLED: { description: 'The member does not have it.' },
    USED_UP: { description: 'Nothing of it is left for now.' },
    MEMBERSHIP_ENDED: { description: 'The membership has ended.' },
  },
})

const EntitlementCheck = builder
  .objectRef<NonNullable<Awaited<ReturnType<typeof readStanding>>>>('EntitlementCheck')
  .implement({
    description: 'Whether a member may use an entitlement now.',
    fields: (t) => ({
      entitlement: t.field({
        type: Entitlement,
        description: 'What it is.',
        resolve: (standing) => standing,
      }),
      isAllowed: t.boolean({
        description: 'Whether it can be used now.',
        resolve: (standing) => answerOf(standing) === 'ALLOWED',
      }),
      reason: t.field({ type: EntitlementAnswer, description: 'Why, or why not.', resolve: answerOf }),
      left: t.int({
        nullable: true,
        description: 'How often it can be used now; null: without limit.',
        resolve: ({ allowances }) => summed(allowances).left,
      }),
      renewsAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When a quota of it begins anew; null: none does.',
        resolve: ({ allowances }) => summed(allowances).renewsAt,
      }),
      endsAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When the last allowance is gone for good; null: not by itself.',
        resolve: ({ allowances }) => summed(allowances).endsAt,
      }),
    }),
  })

builder.queryField('checkEntitlement', (t) =>
  t.field({
    type: EntitlementCheck,
    nullable: true,
    description:
      'Whether a member may use something now, for a tool outside to ask; null when there is no such member or entitlement.',
    authScopes: { reads: 'benefits:read' },
    args: {
      member: t.arg({ type: MemberByInput, required: true, description: 'Which member.' }),
      key: t.arg.string({ required: true, description: 'The key of the entitlement.' }),
    },
    resolve: async (_root, { member, key }, context) =>
      (await readStanding(context.db, {
        ...{ member: memberRef(member, 'member'), key },
        only: context.viewer?.kind === 'MEMBER' ? onlyOf(context) : null,
      })) ?? null,
  }),
)
