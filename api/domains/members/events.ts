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
