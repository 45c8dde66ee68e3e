import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { IdempotencyKeyReusedError, MembershipEndedError } from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { activityRecorded } from './events.ts'
import { recordActivity } from './service.ts'

const Activity = builder.prismaObject('Activity', {
  description: 'Something that a member did, and that is no purchase.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is, such as `answer.accepted`.' }),
    key: t.exposeString('key', { description: "The fact's own id where it happened." }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    properties: t.expose('properties', { type: 'JSON', description: 'Facts about it, by name.' }),
  }),
})

mutation('recordActivity', {
  description:
    'Tells of something that a member did: it earns by the rules for it, keeps points alive and counts for tiers; once for its name and key. Needs: `activities:write`. Emits: `activity.recorded`, `points.posted`.',
  scopes: { writes: 'activities:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who did it.' }),
    name: t.string({
      required: true,
      description: 'What it is, such as `answer.accepted`; 1 to 100 characters.',
    }),
    key: t.string({
      required: true,
      description: "The fact's own id where it happened; 1 to 200 characters. It counts once for its name.",
    }),
    at: t.field({ type: 'DateTime', description: 'When; now when left out, not in the future.' }),
    properties: t.field({
      type: 'JSON',
      description: 'Facts about it, by name; formulas see the numbers. At most 100 names.',
    }),
  }),
  resolve: async ({ member, ...activity }, { db }, operation) => {
    const done = await recordActivity(
      db,
      { ...activity, member: memberRef(member, 'input.member') },
      operation,
    )
    return { activity: done.activity, member: done.member, isNew: done.is_new }
  },
  payload: (t) => ({
    activity: t.prismaField({
      type: Activity,
      nullable: true,
      description: 'The activity.',
      resolve: (query, { activity }, _args, { db }) =>
        read(db).activity.findFirst({ ...query, where: { id: activity } }),
    }),
    isNew: t.exposeBoolean('isNew', { description: 'False when it was known already.' }),
    member: memberOf(t),
  }),
})

eventType(activityRecorded, (t) => ({
  activity: t.prismaField({
    type: Activity,
    nullable: true,
    description: 'What was done.',
    resolve: (query, event, _args, { db }) =>
      read(db).activity.findFirst({ ...query, where: { id: factOf(event, 'activity') } }),
  }),
}))
