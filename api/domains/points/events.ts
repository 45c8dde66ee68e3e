/** Points moved; once for each points transaction. Payload: `transaction` and `wallet`, their ids. */
export const pointsPosted = {
  type: 'points.posted',
  scope: 'points:read',
  description: 'Points moved in a wallet; once for each transaction.',
}

/** A hold reserved points. Payload: `hold`, its id. */
export const pointsHeld = {
  type: 'points.held',
  scope: 'points:read',
  description: 'Points were reserved by a hold.',
}

/** Points died; besides points.posted. Payload: `transaction`, its id. */
export const pointsExpired = {
  type: 'points.expired',
  scope: 'points:read',
  description: 'Points passed their date.',
}

/** Points went from one member to another; once for each of the two. Payload: `transaction`, the member's own. */
export const pointsTransferred = {
  type: 'points.transferred',
  scope: 'points:read',
  description: 'Points came from another member, or went to one.',
}

/** Points live longer than they would have. Payload: `wallet`, its id, and `points`, how many. */
export const pointsExtended = {
  type: 'points.extended',
  scope: 'points:read',
  description: 'Points were given a later date.',
}

/** An operator asked for more than one may do alone. Payload: `adjustment`, its id. */
export const adjustmentRequested = {
  type: 'points.adjustment_requested',
  scope: 'points:read',
  description: 'A move of points by hand waits for another operator.',
}

/** Another operator decided it. Payload: `adjustment`, its id. */
export const adjustmentDecided = {
  type: 'points.adjustment_decided',
  scope: 'points:read',
  description: 'A move of points by hand was approved or rejected.',
}
