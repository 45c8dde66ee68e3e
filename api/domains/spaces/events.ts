/** A member entered a space. Payload: `space`, its id. */
export const spaceJoined = {
  type: 'space.joined',
  scope: 'community:read',
  description: 'A member entered a space.',
}

/** A member is in a space no longer. Payload: `space`, its id. */
export const spaceLeft = {
  type: 'space.left',
  scope: 'community:read',
  description: 'A member is in a space no longer.',
}
