import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  AccessDeniedError,
  AssetUnfitError,
  BadInputError,
  IdempotencyKeyReusedError,
  LessonLockedError,
  MembershipEndedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { activityName } from '../activities/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { TextFormat, written } from '../contributions/index.ts'
import { MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { Course, enrolmentOf } from './courses.graphql.ts'
import { enrol, finishLesson, type LessonFacts, saveCourse } from './courses.service.ts'
import { gateOf } from './service.ts'

const LessonInput = builder.inputType('LessonInput', {
  description: 'A lesson as it is to be. It opens when both of its conditions hold.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Its short name within the course; 1 to 100 characters.' }),
    title: t.string({ required: true, description: 'What it is called; 1 to 300 characters.' }),
    summary: t.string({
      description: 'What it is about, for everybody who sees the course; 1 to 2,000 characters.',
    }),
    body: t.string({ required: true, description: 'What it says; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    after: t.field({
      type: 'Duration',
      description: 'How long after enrolling it opens; at once when left out.',
    }),
    afterActivity: t.string({
      description:
        'Counts `after` from the first time that the member does, or did, this activity instead, such as seminar.attended; until then the lesson is locked.',
    }),
    opensAt: t.field({
      type: 'DateTime',
      description: 'Before when it is open to nobody; never mind when left out.',
    }),
    assets: t.idList({ description: 'Its files, uploaded before, in their order. At most 20.' }),
  }),
})

const CourseInput = builder.inputType('CourseInput', {
  description: 'A course as it is to be.',
  fields: (t) => ({
    space: t.id({ required: true, description: 'In which space, of the kind SITE.' }),
    title: t.string({ required: true, description: 'What it is called; 1 to 300 characters.' }),
    summary: t.string({ required: true, description: 'What it is about; 1 to 2,000 characters.' }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who may take it, of those who see into the space; all of them when left out.',
    }),
    lessons: t.field({
      type: [LessonInput],
      required: true,
      description: 'Its lessons, in their order; one that is left out is retired. 1 to 100.',
    }),
    isRetired: t.boolean({ description: 'True takes in nobody any more; who is in it goes on.' }),
  }),
})

mutation('saveCourse', {
  description:
    'Keeps a course with all of its lessons. What a member has finished stays open to it, whatever is changed. Needs: `content:write`. Emits: nothing.',
  scopes: { writes: 'content:write' },
  errors: [SpaceNotEnabledError, AssetUnfitError],
  key: 'none',
  input: (t) => ({
    key: t.string({
      required: true,
      description: 'Its short name, which never changes; 1 to 100 characters.',
    }),
    course: t.field({ type: CourseInput, required: true, description: 'The course.' }),
  }),
  resolve: async ({ key, course }, { db }, { actor }) => {
    const field = 'input.course'
    if (course.lessons.length < 1 || course.lessons.length > 100) {
      throw new BadInputError(`${field}.lessons`, `${field}.lessons must be 1 to 100 lessons.`)
    }
    const lessons = course.lessons.map((lesson, i) => lessonOf(lesson, `${field}.lessons.${i}`))
    if (new Set(lessons.map((lesson) => lesson.key)).size < lessons.length) {
      throw new BadInputError(`${field}.lessons`, `${field}.lessons must have keys that differ.`)
    }
    const facts = {
      space: idOf('Space', course.space, `${field}.space`),
      title: text(course.title, `${field}.title`, 300),
      summary: text(course.summary, `${field}.summary`, 2000),
      isRetired: course.isRetired ?? false,
      lessons,
      gate: await gateOf(db, course.audience, `${field}.audience`),
    }
    const saved = await saveCourse(db, { key: text(key, 'input.key', 100), course: facts }, actor)
    return saved
  },
  payload: (t) => ({
    course: t.prismaField({
      type: Course,
      nullable: true,
      description: 'The course, as it is now.',
      resolve: (query, { course }, _args, { db }) =>
        read(db).course.findFirst({ ...query, where: { id: course } }),
    }),
  }),
})

function lessonOf(lesson: typeof LessonInput.$inferInput, field: string): LessonFacts {
  const { body, html } = written({ body: lesson.body, format: lesson.format }, field)
  const assets = lesson.assets ?? []
  if (assets.length > 20)
    throw new BadInputError(`${field}.assets`, `${field}.assets may hold at most 20 files.`)
  return {
    key: text(lesson.key, `${field}.key`, 100),
    title: text(lesson.title, `${field}.title`, 300),
    summary: lesson.summary == null ? null : text(lesson.summary, `${field}.summary`, 2000),
    after: lesson.after ?? null,
    afterActivity:
      lesson.afterActivity == null ? null : activityName(lesson.afterActivity, `${field}.afterActivity`),
    at: lesson.opensAt ?? null,
    body,
    html,
    assets: assets.map((asset, i) => idOf('Asset', String(asset), `${field}.assets.${i}`)),
  }
}

const WHOSE = "Whose; a member's own when left out."

mutation('enrolInCourse', {
  description:
    "Enrols a member in a course: from then on its lessons open. Again, it stays in; anew, it begins from the first lesson. Needs: a member's token, for its own, or `content:write`. Emits: `course.enrolled`.",
  scopes: ownOrWrites('content:write'),
  errors: [IdempotencyKeyReusedError, AccessDeniedError, SpaceNotEnabledError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: WHOSE }),
    course: t.string({ required: true, description: 'The key of the course.' }),
    isAnew: t.boolean({ description: 'True begins anew, on this day.' }),
  }),
  resolve: ({ member, course, isAnew }, context, op) =>
    enrol(context.db, { course, member: subjectOf(member, context), anew: isAnew ?? false }, op),
  payload: (t) => ({
    enrolment: enrolmentOf(t),
    member: memberOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether it began now.' }),
  }),
})

mutation('finishLesson', {
  description:
    "Says that a member has finished a lesson that is open to it. The last one completes the course, with a certificate. Both are activities, `lesson.finished` and `course.completed`, which earn rules pay for once. Needs: a member's token, for its own, or `content:write`. Emits: `lesson.finished`, `course.completed`, `activity.recorded`.",
  scopes: ownOrWrites('content:write'),
  errors: [IdempotencyKeyReusedError, LessonLockedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: WHOSE }),
    lesson: t.id({ required: true, description: 'Which lesson.' }),
  }),
  resolve: ({ member, lesson }, context, op) =>
    finishLesson(
      context.db,
      { lesson: idOf('Lesson', lesson, 'input.lesson'), member: subjectOf(member, context) },
      op,
    ),
  payload: (t) => ({
    enrolment: enrolmentOf(t),
    member: memberOf(t),
    isCompleted: t.exposeBoolean('is_completed', { description: 'Whether the course was completed by it.' }),
  }),
})
