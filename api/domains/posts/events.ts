/** A post became visible. Payload: `contribution`, its id. */
export const postPublished = {
  type: 'post.published',
  scope: 'community:read',
  sight: 'contribution',
  description: 'A post became visible.',
}

/** An idea came into another status. One event for its author and each member who voted. Payload: `contribution`, `to`. */
export const ideaStatusChanged = {
  type: 'idea.status_changed',
  scope: 'community:read',
  description: 'An idea that the member wrote or voted for came into another status.',
}

/** A member answered whether it comes to a gathering. Payload: `contribution`, `state`. */
export const gatheringAnswered = {
  type: 'gathering.answered',
  scope: 'community:read',
  description: 'A member said whether it comes to a gathering.',
}

/** A member who waited got a seat. Payload: `contribution`. */
export const gatheringSeatGiven = {
  type: 'gathering.seat_given',
  scope: 'community:read',
  description: 'A member who waited for a seat got one.',
}

/** A member took something of a test sale. Payload: `research`, `quantity`. */
export const testSaleTaken = {
  type: 'test_sale.taken',
  scope: 'community:read',
  description: 'A member took something of a test sale.',
}

/** A member answered a feedback form. Payload: `research`. */
export const researchAnswered = {
  type: 'research.answered',
  scope: 'community:read',
  description: 'A member answered the questions of a panel or test sale.',
}

/** A case was opened about a post. Payload: `contribution`. */
export const complaintOpened = {
  type: 'complaint.opened',
  scope: 'community:read',
  description: 'A post was marked as a complaint: somebody has to settle it.',
}

/** The case about a post was settled. Payload: `contribution`. */
export const complaintResolved = {
  type: 'complaint.resolved',
  scope: 'community:read',
  description: 'A complaint was settled.',
}

/** A member stumbled over a feature. Payload: `feature`. */
export const stumbleReported = {
  type: 'stumble.reported',
  scope: 'community:read',
  description: 'A member did not get on somewhere.',
}
