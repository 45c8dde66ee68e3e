import { completeValue } from '@pothos/core'
import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  IdempotencyKeyReusedError,
  MembershipEndedError,
  TransitionNotAllowedError,
} from '../../platform/errors/index.ts'
import { Member, MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { memberStageChanged } from './events.ts'
import { rulesOf, type StageRow, stageOf } from './rules.ts'
import { moveMember } from './service.ts'

/** Where a member stands in the tenant's lifecycle. */
export const Stage = builder.objectRef<StageRow>('Stage').implement({
  description: "A stage of the tenant's lifecycle: where a member can stand.",
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that programs use, as in `repeat`.' }),
    name: t.string({
      description: "The name to show, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    goal: t.string({
      nullable: true,
      description: 'What the tenant wants to reach with members who stand here.',
      resolve: ({ goal }, _args, context) => inLanguage(goal, context) ?? null,
    }),
    position: t.exposeInt('position', { description: 'The place among the stages, from 1.' }),
  }),
})

const StageCause = builder.enumType('StageCause', {
  description: 'What moved a member.',
  values: {
    EVENT: { description: 'A fact, such as a purchase or a refund.' },
    CLOCK: { description: 'Time, such as a long silence.' },
    MANUAL: { description: 'Staff, by hand and with a reason.' },
    IMPORT: { description: 'Facts of the past that an import brought.' },
  },
})

/** One move of a member between stages. */
export const StageChange = builder.prismaNode('StageChange', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'members:read' },
  select: { id: true },
  fields: (t) => ({
    from: t.field({
      type: Stage,
      nullable: true,
      description: 'Where the member stood before.',
      select: { fromStage: true },
      resolve: ({ fromStage }, _args, { db }) =>
        completeValue(rulesOf(db), (rules) => stageOf(rules, fromStage)),
    }),
    to: t.field({
      type: Stage,
      description: 'Where the member came to stand.',
      select: { toStage: true },
      resolve: ({ toStage }, _args, { db }) => completeValue(rulesOf(db), (rules) => stageOf(rules, toStage)),
    }),
    at: t.expose('at', { type: 'DateTime' }),
    cause: t.field({
      type: StageCause,
      description: 'What moved the member.',
      select: { cause: true },
      resolve: ({ cause }) => cause as 'EVENT' | 'CLOCK' | 'MANUAL' | 'IMPORT', // a check constraint holds it
    }),
    reason: t.exposeString('reason', { nullable: true }),
  }),
})

const StageChangeConnection = connectionOf(StageChange, 'StageChange')

builder.prismaObjectFields(Member, (t) => ({
  stage: t.field({
    type: Stage,
    description: 'Where the member stands now, by the facts and the clock.',
    select: { lifecycle: { select: { stage: true, silentAt: true, silentStage: true } } },
    resolve: ({ lifecycle }, _args, context) => {
      if (!lifecycle) throw new TypeError('a member without a stage')
      const { stage, silentAt, silentStage } = lifecycle
      return completeValue(context.now(), (now) => {
        const key = silentAt !== null && silentStage !== null && silentAt < now ? silentStage : stage
        return completeValue(rulesOf(context.db), (rules) => stageOf(rules, key))
      })
    },
  }),
  stageHistory: t.relatedConnection(
    'stageChanges',
    {
      description: "The member's moves between stages, newest first.",
      nullable: true,
      cursor: 'tenantId_id',
      query: { orderBy: { n: 'desc' } },
    },
    StageChangeConnection,
  ),
}))

builder.queryField('stages', (t) =>
  t.field({
    type: [Stage],
    nullable: true,
    description: "The stages of the tenant's lifecycle, in order. At most 50.",
    authScopes: { reads: 'members:read' },
    resolve: async (_root, _args, { db }) => (await rulesOf(db)).stages.slice(0, 50),
  }),
)

mutation('moveMember', {
  description:
    'Moves a member by hand between the stages that facts do not decide. Needs: `lifecycle:write`. Emits: `member.stage_changed`.',
  scopes: { staff: 'lifecycle:write' },
  errors: [IdempotencyKeyReusedError, TransitionNotAllowedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who moves.' }),
    stage: t.string({ required: true, description: 'The key of the stage to move to.' }),
    reason: t.string({ required: true, description: 'Why; kept in the history.' }),
  }),
  resolve: ({ member, stage, reason }, { db }, operation) =>
    moveMember(db, { member: memberRef(member, 'input.member'), stage, reason }, operation),
  payload: (t) => ({ member: memberOf(t) }),
})

eventType(memberStageChanged, (t) => ({
  change: t.prismaField({
    type: StageChange,
    nullable: true,
    description: 'The move.',
    resolve: (query, event, _args, { db }) =>
      read(db).stageChange.findFirst({ ...query, where: { id: factOf(event, 'change') } }),
  }),
}))
