/** Some content came out. Payload: `contribution`, its id. */
export const contentPublished = {
  type: 'content.published',
  scope: 'community:read',
  sight: 'contribution',
  description: 'Some content came out.',
}

/** A reader said what some content was to it. Payload: `contribution`, `rating`. */
export const contentRated = {
  type: 'content.rated',
  scope: 'community:read',
  description: 'A reader said whether some content was of use, or unwanted.',
}

/** An issue did not come in time. Payload: `series`, its id, and `dueAt`. */
export const seriesMissed = {
  type: 'series.missed',
  scope: 'community:read',
  description: 'An issue of a series did not come out in time.',
}

/** A member has come another quarter through a file. Payload: `asset`, `percent`. */
export const assetProgressed = {
  type: 'asset.progressed',
  scope: 'community:read',
  description: 'A member has come another quarter through a document, a recording or a film.',
}

/** A member enrolled in a course. Payload: `enrolment`, its id. */
export const courseEnrolled = {
  type: 'course.enrolled',
  scope: 'community:read',
  description: 'A member enrolled in a course, or began it anew.',
}

/** A member finished a lesson. Payload: `enrolment`, `lesson`. */
export const lessonFinished = {
  type: 'lesson.finished',
  scope: 'community:read',
  description: 'A member finished a lesson.',
}

/** A member finished the last lesson. Payload: `enrolment`, its id. */
export const courseCompleted = {
  type: 'course.completed',
  scope: 'community:read',
  description: 'A member finished the last lesson of a course, and has its certificate.',
}

/** A member did every step with a product. Payload: `checklist`, the id of the member's. */
export const checklistCompleted = {
  type: 'checklist.completed',
  scope: 'community:read',
  description: 'A member did every one of the first steps with a product.',
}

/** A member did no step for a time. Payload likewise. */
export const checklistStuck = {
  type: 'checklist.stuck',
  scope: 'community:read',
  description:
    'A member has not done one of the first steps with a product for too long, and is offered help.',
}
