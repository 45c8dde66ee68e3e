/** A person became known. */
export const memberRegistered = {
  type: 'member.registered',
  scope: 'members:read',
  description: 'A person became known to the tenant.',
}

/** What is known of a member changed. */
export const memberUpdated = {
  type: 'member.updated',
  scope: 'members:read',
  description: "A member's profile changed.",
}

/** A membership is over. Payload: `end`. */
export const membershipEnded = {
  type: 'membership.ended',
  scope: 'members:read',
  description: 'A membership ended; access is gone.',
}

/** A membership rests. */
export const membershipPaused = {
  type: 'membership.paused',
  scope: 'members:read',
  description: 'A membership began to rest, or rests until another time.',
}

/** A membership rests no longer. */
export const membershipResumed = {
  type: 'membership.resumed',
  scope: 'members:read',
  description: 'A membership rests no longer.',
}

/** A membership that had ended goes on. */
export const membershipReturned = {
  type: 'membership.returned',
  scope: 'members:read',
  description: 'A membership that had ended goes on, with all that it had.',
}

/** Staff wrote a note about a member, which is not told of it. Payload: `note`, its id. */
export const noteAdded = {
  type: 'note.added',
  scope: 'notes:read',
  description: 'Staff wrote a note about a member.',
}

/** A note says something else, or was taken away. Payload: `note`. */
export const noteChanged = {
  type: 'note.changed',
  scope: 'notes:read',
  description: 'A note about a member says something else, or was taken away.',
}
