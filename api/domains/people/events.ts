/** Everything that told who a member was is gone. */
export const membershipErased = {
  type: 'membership.erased',
  scope: 'members:read',
  description: 'A membership was erased: the books stay, of nobody known.',
}

/** Somebody wants to get to know a member. Payload: `introduction`. */
export const introductionProposed = {
  type: 'introduction.proposed',
  scope: 'messages:read',
  description: 'Somebody wants to get to know the member.',
}

/** Both said yes. Payload: `introduction`. */
export const introductionAccepted = {
  type: 'introduction.accepted',
  scope: 'messages:read',
  description: 'The member and another both want to know each other. Told to each of them.',
}

/** One member wrote to another. Payload: `message`. */
export const messageSent = {
  type: 'message.sent',
  scope: 'messages:read',
  description: 'The member wrote to another, or another to it. Told to each of them.',
}
