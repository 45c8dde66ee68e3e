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
