import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A lesson as it is to be. Assets are uuids; `after` is ISO 8601, `at` an instant, `afterActivity` the name of one. */
export interface LessonFacts {
  readonly key: string
  readonly title: string
  readonly summary: string | null
  readonly after: string | null
  readonly afterActivity: string | null
  readonly at: Date | null
  readonly body: string
  readonly html: string
  readonly assets: readonly string[]
}

/** A course as it is to be; space and gate are uuids. */
export interface CourseFacts {
  readonly space: string
  readonly gate: string | null
  readonly title: string
  readonly summary: string
  readonly isRetired: boolean
  readonly lessons: readonly LessonFacts[]
}

/** What became of an enrolment (a uuid). */
export interface Enrolled {
  readonly enrolment: string
  readonly member: string
}

/** Keeps a course under its key. Throws NotFoundError, SpaceNotEnabledError, BadInputError, AssetUnfitError. */
export async function saveCourse(
  tx: Tx,
  { key, course }: { readonly key: string; readonly course: CourseFacts },
  actor: string,
): Promise<{ readonly course: string }> {
  return raise(
    await call<Outcome<{ course: string }>>(tx, 'select course_save($1, $2, $3) as outcome', [
      key,
      actor,
      JSON.stringify(course),
    ]),
  )
}

/**
 * Enrols a member, once; with `anew` another time. Throws NotFoundError, AccessDeniedError, SpaceNotEnabledError,
 * MembershipEndedError, IdempotencyKeyReusedError.
 */
export async function enrol(
  tx: Tx,
  asked: { readonly course: string; readonly member: MemberBy; readonly anew: boolean },
  { key, hash, actor }: Operation,
): Promise<Enrolled & { readonly is_new: boolean }> {
  return raise(
    await call<Outcome<Enrolled & { is_new: boolean }>>(
      tx,
      'select course_enrol($1, $2, $3, $4, $5, $6, $7) as outcome',
      [key, hash, asked.course, ...namesOf(asked.member), asked.anew, actor],
    ),
  )
}

/** A member finishes a lesson (a uuid). Throws NotFoundError, LessonLockedError, MembershipEndedError, IdempotencyKeyReusedError. */
export async function finishLesson(
  tx: Tx,
  asked: { readonly lesson: string; readonly member: MemberBy },
  { key, hash, actor }: Operation,
): Promise<Enrolled & { readonly is_completed: boolean }> {
  return raise(
    await call<Outcome<Enrolled & { is_completed: boolean }>>(
      tx,
      'select lesson_finish($1, $2, $3, $4, $5, $6) as outcome',
      [key, hash, asked.lesson, ...namesOf(asked.member), actor],
    ),
  )
}

/** How a lesson stands to a member. */
export interface LessonStanding {
  readonly isEnrolled: boolean
  readonly isOpen: boolean
  /** When it opens by itself, in the course that the member is in. */
  readonly opensAt: Date | null
  readonly finishedAt: Date | null
}

/** lessons_standing of 0038_content.sql: how these lessons (uuids) stand to a member (a uuid), by id. */
export async function readStandings(
  tx: Tx,
  lessons: readonly string[],
  member: string,
): Promise<ReadonlyMap<string, LessonStanding>> {
  const rows = await tx.query<LessonStanding & { id: string }>({
    name: 'lessons_standing',
    text: `select lesson_id as id, enrolment_id is not null as "isEnrolled", is_open as "isOpen", opens_at as "opensAt",
        finished_at as "finishedAt"
      from lessons_standing(array(select l::uuid from json_array_elements_text($1) l), $2)`,
    values: [JSON.stringify(lessons), member],
  })
  return new Map(rows.map((row) => [row.id, row]))
}
