/** A member earned a badge; told of that member. Payload: `badge`, its key, and `nth`, the how manyth time it was. */
export const badgeEarned = {
  type: 'badge.earned',
  scope: 'community:read',
  description: 'A member earned a badge.',
}
