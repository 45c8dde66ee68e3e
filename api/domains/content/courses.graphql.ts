import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY, ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Member } from '../members/index.ts'
import { Asset } from './assets.graphql.ts'
import { type LessonStanding, readStandings } from './courses.service.ts'
import { courseCompleted, courseEnrolled, lessonFinished } from './events.ts'

/** How lessons stand to the member who looks: one statement for all that are asked for. */
const standingOf = loader<string, LessonStanding | null>(async (ids, { db, viewer }) => {
  const found = await readStandings(db, ids, viewer?.memberId ?? NOBODY)
  return ids.map((id) => found.get(id) ?? null)
})

const LessonLockReason = builder.enumType('LessonLockReason', {
  description: 'Why a lesson is not open.',
  values: {
    NOT_ENROLLED: { description: 'One has to enrol in the course first.' },
    LOCKED_UNTIL: { description: 'Its time has not come.' },
    NOT_DONE: {
      description: 'It opens after something that the member has not done; `afterActivity` says what.',
    },
  },
})

const LessonLock = builder.objectRef<LessonStanding>('LessonLock').implement({
  description: 'Why a lesson is not open to the viewer.',
  fields: (t) => ({
    reason: t.field({
      type: LessonLockReason,
      description: 'Why.',
      resolve: ({ isEnrolled, opensAt }) =>
        !isEnrolled ? 'NOT_ENROLLED' : opensAt === null ? 'NOT_DONE' : 'LOCKED_UNTIL',
    }),
    opensAt: t.expose('opensAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it opens; null: not by itself.',
    }),
  }),
})

const NOT_ENROLLED: LessonStanding = { isEnrolled: false, isOpen: false, opensAt: null, finishedAt: null }

/** One lesson of a course; what it says is there for those alone to whom it is open. */
export const Lesson = builder.prismaNode('Lesson', {
  nullable: true,
  description: 'One lesson of a course; what it says is there for those alone to whom it is open.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    position: t.exposeInt('position'),
    title: t.exposeString('title'),
    summary: t.exposeString('summary', { nullable: true }),
    after: t.expose('after', {
      type: 'Duration',
      description: 'How long after enrolling, or after `afterActivity`, it opens.',
    }),
    afterActivity: t.exposeString('afterActivity', { nullable: true }),
    opensAt: t.expose('opensAt', { type: 'DateTime', nullable: true }),
    isRetired: t.exposeBoolean('isRetired'),
    lock: t.field({
      type: LessonLock,
      nullable: true,
      description: 'Why it is not open to the viewer; null when it is, and for staff.',
      select: { id: true },
      resolve: async ({ id }, _args, context) => {
        if (context.viewer?.kind !== 'MEMBER') return null
        const standing = await standingOf(context, id)
        return standing?.isOpen ? null : (standing ?? NOT_ENROLLED)
      },
    }),
    finishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the viewer finished it; null for staff, and when it did not.',
      select: { id: true },
      resolve: async ({ id }, _args, context) =>
        context.viewer?.kind === 'MEMBER' ? ((await standingOf(context, id))?.finishedAt ?? null) : null,
    }),
    body: t.string({
      nullable: true,
      description: 'What it says, as it was written; null while it is locked.',
      select: { content: { select: { body: true } } },
      resolve: ({ content }) => content?.body ?? null,
    }),
    html: t.string({
      nullable: true,
      description: 'What it says, as sanitised HTML, safe to show; null while it is locked.',
      select: { content: { select: { html: true } } },
      resolve: ({ content }) => content?.html ?? null,
    }),
    assets: t.relation('assets', {
      type: Asset,
      nullable: true,
      description: 'Its files, in their order; none while it is locked. At most 20.',
      query: { orderBy: [{ position: 'asc' }], take: 20 },
    }),
  }),
})

/** A member in a course. */
export const Enrolment = builder.prismaNode('Enrolment', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { nullable: true, description: 'Who.' }),
    enrolledAt: t.expose('enrolledAt', { type: 'DateTime' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true }),
    certificate: t.exposeString('certificate', { nullable: true }),
    finished: t.int({
      description: 'How many lessons are finished.',
      select: { progress: { select: { lessonId: true } } },
      resolve: ({ progress }) => progress.length,
    }),
  }),
})

/** Lessons in a row. */
export const Course = builder.prismaNode('Course', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    title: t.exposeString('title'),
    summary: t.exposeString('summary'),
    isRetired: t.exposeBoolean('isRetired'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lessons: t.relation('lessons', {
      type: Lesson,
      nullable: true,
      description: 'Its lessons, in their order. At most 100.',
      query: { where: { isRetired: false }, orderBy: [{ position: 'asc' }], take: 100 },
    }),
    viewerEnrolment: t.field({
      type: Enrolment,
      nullable: true,
      description: 'How the viewer is in it; null for staff, and for who is not in it.',
      select: (_args, { viewer }, nestedSelection) => ({
        enrolments: {
          ...nestedSelection(true),
          where: { memberId: viewer?.memberId ?? NOBODY, endedAt: null },
          take: 1,
        },
      }),
      resolve: ({ enrolments }) => enrolments[0] ?? null,
    }),
  }),
})

builder.prismaObjectField(Enrolment, 'course', (t) =>
  t.relation('course', { type: Course, nullable: true, description: 'In which course.' }),
)

const CourseConnection = connectionOf(Course, 'Course')
const EnrolmentConnection = connectionOf(Enrolment, 'Enrolment')

builder.queryField('courses', (t) =>
  t.prismaConnection(
    {
      type: Course,
      nullable: true,
      description: 'The courses that the viewer may take, the oldest first.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      resolve: (query, _root, _args, { db }) =>
        read(db).course.findMany({ ...query, where: { isRetired: false }, orderBy: { id: 'asc' } }),
    },
    CourseConnection,
  ),
)

builder.queryField('certificate', (t) =>
  t.prismaField({
    type: Enrolment,
    nullable: true,
    description:
      'The completed course that has this number, for whoever is shown a certificate; null: there is none.',
    authScopes: { lists: 'community:read' },
    args: { number: t.arg.string({ required: true, description: 'The number, as it is written.' }) },
    resolve: (query, _root, { number }, { db }) =>
      read(db).enrolment.findFirst({ ...query, where: { certificate: number } }),
  }),
)

builder.prismaObjectFields(Member, (t) => ({
  enrolments: t.relatedConnection(
    'enrolments',
    {
      type: Enrolment,
      nullable: true,
      description:
        'The courses that the member is or was in, the newest first. For the member itself and staff.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    EnrolmentConnection,
  ),
}))

/** `enrolment` of payloads. */
export const enrolmentOf = <Payload extends { readonly enrolment: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Enrolment,
    nullable: true,
    description: 'The enrolment, as it is now.',
    resolve: (query, { enrolment }, _args, { db }) =>
      read(db).enrolment.findFirst({ ...query, where: { id: enrolment } }),
  })

const eventEnrolment = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Enrolment,
    nullable: true,
    description: 'The enrolment, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).enrolment.findFirst({ ...query, where: { id: factOf(event, 'enrolment') } }),
  })

eventType(courseEnrolled, (t) => ({ enrolment: eventEnrolment(t) }))
eventType(courseCompleted, (t) => ({ enrolment: eventEnrolment(t) }))
eventType(lessonFinished, (t) => ({
  enrolment: eventEnrolment(t),
  lesson: t.prismaField({
    type: Lesson,
    nullable: true,
    description: 'Which lesson.',
    resolve: (query, event, _args, { db }) =>
      read(db).lesson.findFirst({ ...query, where: { id: factOf(event, 'lesson') } }),
  }),
}))
