/** A comment became visible. Payload: `contribution`, its id. */
export const commentPublished = {
  type: 'comment.published',
  scope: 'community:read',
  sight: 'contribution',
  description: 'A comment became visible.',
}

/** What a member thinks of something changed. Payload: `contribution`, `kind`. */
export const reactionChanged = {
  type: 'reaction.changed',
  scope: 'community:read',
  description: 'A member reacted, or took that back.',
}

/** Something was published, taken away or brought back. Payload: `contribution`, `from`, `to`. */
export const contributionStateChanged = {
  type: 'contribution.state_changed',
  scope: 'community:read',
  sight: 'contribution',
  description: 'Something that was written was let through, taken away or brought back.',
}
