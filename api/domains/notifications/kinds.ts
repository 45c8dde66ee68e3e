/** What notifications are about, as the API names it; each with what it means. */
export const KINDS = {
  MENTION: { description: 'Somebody named the member in a text.' },
  ANSWER: { description: 'Somebody answered a question of the member.' },
  ANSWER_ACCEPTED: { description: 'An answer of the member was accepted.' },
  ANSWER_REQUESTED: { description: 'The shop asks the member to answer a question.' },
  MOVED: { description: 'What the member wrote got another place, or became something else.' },
  QUESTION_CLOSED: { description: 'Somebody else closed a question of the member, which says why.' },
  COMMENT: { description: 'Somebody commented on what the member wrote.' },
  REPLY: { description: 'Somebody wrote in a thread that the member follows.' },
  POST: { description: 'Something new from a member, in a space or under a tag that the member follows.' },
  BADGE: { description: 'The member earned a badge.' },
  INTRODUCTION: { description: 'Somebody would like to meet the member, or agreed to.' },
  JUDGED: { description: 'Somebody decided of what the member wrote: see its `judgement`.' },
  FLAG_ANSWERED: { description: 'Somebody looked at what the member flagged: see `Member.flags`.' },
  SEAT_GIVEN: { description: 'A seat became free in a gathering for which the member waited.' },
  IDEA: { description: 'An idea of the member, or for which it voted, got another status.' },
  SPACE: { description: 'The member was invited into a space, or let in.' },
  MESSAGE: { description: 'Another member sent it a message.' },
} as const

/** A kind of notification. */
export type Kind = keyof typeof KINDS

/** Every kind there is. */
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[] // its own keys
