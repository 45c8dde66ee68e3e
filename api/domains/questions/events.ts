const common = { scope: 'community:read' } as const

/** A question became visible. Told of its asker. Payload: `question`, its id. */
export const questionAsked = {
  ...common,
  type: 'question.asked',
  sight: 'question',
  description: 'A question became visible.',
}

/** A question was closed. Payload likewise. */
export const questionClosed = {
  ...common,
  type: 'question.closed',
  sight: 'question',
  description: 'A question was closed.',
}

/** A question was opened again. Payload likewise. */
export const questionReopened = {
  ...common,
  type: 'question.reopened',
  sight: 'question',
  description: 'A question was opened again.',
}

/** A member was asked to answer; told of that member. Payload likewise. */
export const answerRequested = {
  ...common,
  type: 'answer.requested',
  description: 'A member was asked to answer a question.',
}

/** An answer became visible. Told of whoever gave it. Payload: `answer`, `question`, their ids. */
export const answerGiven = {
  ...common,
  type: 'answer.given',
  sight: 'answer',
  description: 'An answer became visible.',
}

/** An answer was accepted. Payload likewise. */
export const answerAccepted = {
  ...common,
  type: 'answer.accepted',
  sight: 'answer',
  description: 'An answer solved its question.',
}

/** An answer is accepted no longer. Payload likewise. */
export const answerUnaccepted = {
  ...common,
  type: 'answer.unaccepted',
  sight: 'answer',
  description: 'An answer is no longer the one that solved its question.',
}

/** Somebody gave thanks for an answer; told of whoever gave it. Payload likewise. */
export const answerThanked = {
  ...common,
  type: 'answer.thanked',
  description: 'Somebody gave thanks for an answer.',
}

/** Nobody answered a question in time, and staff are called. Payload: `question`, its id. */
export const questionEscalated = {
  ...common,
  type: 'question.escalated',
  description: 'Nobody answered a question in time: staff have a task.',
}

/** Something that was written became something else, or went elsewhere; told of whoever wrote it. Payload: `contribution`. */
export const contributionMoved = {
  ...common,
  type: 'contribution.moved',
  sight: 'contribution',
  description: 'What was written became something else, or went elsewhere.',
}

/** An entry of the FAQ became visible. Payload: `entry`, its id. */
export const faqPublished = {
  ...common,
  type: 'faq.published',
  sight: 'entry',
  description: 'An entry of the FAQ became visible.',
}

/** An entry of the FAQ is to be looked at again. Payload likewise. */
export const faqReviewDue = {
  ...common,
  type: 'faq.review_due',
  description: 'An entry of the FAQ is to be looked at again.',
}
