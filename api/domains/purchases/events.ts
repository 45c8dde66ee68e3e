/** A purchase was recorded. Payload: `purchase`, its id. */
export const purchaseRecorded = {
  type: 'purchase.recorded',
  scope: 'purchases:read',
  description: 'A purchase was recorded.',
}

/** A purchase, or a part of it, was given back. Payload: `purchase`, its id, and `amount`, minor units as text. */
export const purchaseRefunded = {
  type: 'purchase.refunded',
  scope: 'purchases:read',
  description: 'A purchase, or a part of it, was given back.',
}
