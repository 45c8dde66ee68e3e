/** A member was told of something. Payload: `notification`, its id. */
export const notificationReceived = {
  type: 'notification.received',
  scope: 'community:read',
  description: 'A member was told of something that concerns it.',
}
