/** A look found a member in a segment. Payload: `segment`, its key. */
export const segmentEntered = {
  type: 'segment.entered',
  scope: 'members:read',
  description: 'A member came into a segment.',
}

/** A look no longer found a member in a segment. Payload: `segment`, its key. */
export const segmentLeft = {
  type: 'segment.left',
  scope: 'members:read',
  description: 'A member went out of a segment.',
}
