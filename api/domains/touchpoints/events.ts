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

/** A touch was put off; once for each channel and reason. Payload: `touchpoint`, its id, and `reason`. */
export const touchpointPutOff = {
  type: 'touchpoint.put_off',
  scope: 'touchpoints:read',
  description: 'A touch was put off.',
}

/** A delivery came to an end; once for each. Payload: `delivery` and `touchpoint`, ids, `channel` and `state`. */
export const deliverySettled = {
  type: 'delivery.settled',
  scope: 'touchpoints:read',
  description: 'A delivery of a touch came to an end: accepted, refused, unknown, or given up.',
}
