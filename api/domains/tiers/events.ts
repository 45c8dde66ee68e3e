/** A member came to another tier. Payload: `decision`, its id. */
export const tierChanged = {
  type: 'tier.changed',
  scope: 'members:read',
  description: 'A member came to another tier of a ladder, or to none.',
}
