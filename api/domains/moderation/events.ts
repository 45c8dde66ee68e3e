/** A member flagged something. Payload: `flag`, its id. */
export const contributionFlagged = {
  type: 'contribution.flagged',
  scope: 'community:read',
  description: 'A member says that something should not be there.',
}

/** A flag was answered. Payload: `flag`, its id. */
export const flagAnswered = {
  type: 'flag.answered',
  scope: 'community:read',
  description: 'Somebody looked at what a member flagged, and decided.',
}

/** A case was decided. Payload: `contribution`, its id. */
export const contributionJudged = {
  type: 'contribution.judged',
  scope: 'community:read',
  description: 'Somebody looked at what a member wrote, and decided.',
}

/** An author asks for another look. Payload: `contribution`, its id. */
export const contributionAppealed = {
  type: 'contribution.appealed',
  scope: 'community:read',
  description: 'Whoever wrote what was taken away asks for another look.',
}

/** A member is trusted more or less than before. Payload: `member`, `from`, `to`. */
export const trustChanged = {
  type: 'trust.changed',
  scope: 'members:read',
  description: 'A member is trusted more, or less, than before.',
}
