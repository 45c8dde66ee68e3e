/** A member did something that is no purchase. Payload: `activity`, its id. */
export const activityRecorded = {
  type: 'activity.recorded',
  scope: 'members:read',
  description: 'A member did something that is no purchase.',
}
