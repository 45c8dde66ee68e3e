/** A touch was planned. Payload: `touchpoint`, its id. */
export const touchpointPlanned = {
  type: 'touchpoint.planned',
  scope: 'touchpoints:read',
  description: 'A touch was planned.',
}

/** A touch came to an end, sent or not; once for each. Payload: `touchpoint`, its id. */
export const touchpointSettled = {
  type: 'touchpoint.settled',
  scope: 'touchpoints:read',
  description: 'A touch came to an end: accepted, refused, not sent, or unknown.',
}
