import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import { publish } from '../program/index.ts'
import { Task } from '../touchpoints/index.ts'
import { outreachBegun, outreachPart } from './outreach.ts'

const OutreachSignal = builder.enumType('OutreachSignal', {
  description: 'What says that a member may need help.',
  values: {
    STUMBLE: { description: 'It reported several times that it did not get on with a feature.' },
    CHECKLIST_STUCK: { description: 'It does not go on with its first steps.' },
    COURSE_STALE: { description: 'It enrolled in a course, has not completed it, and finishes no lesson.' },
  },
})

mutation('defineOutreach', {
  description:
    'Says when staff get a task to go to a member before it asks, or a new version of that. Courses and first steps that stand still already count; of stumbles, the next report does. Needs: `program:write`. Emits: `program.published`, `outreach.begun`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name within the program; 1 to 100 characters.' }),
    signal: t.field({ type: OutreachSignal, required: true, description: 'What says so.' }),
    about: t.string({
      description:
        'Only of this feature, or of the checklist or the course of this key; of all when left out.',
    }),
    times: t.int({ description: 'For STUMBLE, and needed there: how many reports; 1 to 100.' }),
    within: t.field({ type: 'Duration', description: 'For STUMBLE, and needed there: within which time.' }),
    after: t.field({
      type: 'Duration',
      description:
        'How long after the last lesson, or after enrolling, a course is stale (needed for COURSE_STALE); how long after a member was found stuck (CHECKLIST_STUCK; at once when left out).',
    }),
    title: t.field({ type: TextsInput, required: true, description: 'What staff are told.' }),
    assignee: t.string({ description: 'Whose task it is; 1 to 200 characters.' }),
  }),
  resolve: async ({ key, ...given }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    const body = outreachPart.read(given, 'input')
    await publish(db, [{ kind: outreachPart.kind, key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its name.' }) }),
})

eventType(outreachBegun, (t) => ({
  task: t.prismaField({
    type: Task,
    nullable: true,
    description: 'The task.',
    resolve: (query, event, _args, { db }) =>
      read(db).task.findFirst({ ...query, where: { id: factOf(event, 'task') } }),
  }),
}))
