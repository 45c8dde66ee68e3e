/** A member was given something. Payload: `benefit`, its id. */
export const benefitGiven = {
  type: 'benefit.given',
  scope: 'benefits:read',
  description: 'A member was given a benefit: points, an entitlement, or something off a purchase.',
}

/** Something was used. Payload: `benefit` or `use`, an id. */
export const benefitUsed = {
  type: 'benefit.used',
  scope: 'benefits:read',
  description: 'A member used an entitlement, or a discount was taken off a purchase.',
}

/** What was given was taken back. Payload: `benefit`, its id. */
export const benefitTakenBack = {
  type: 'benefit.taken_back',
  scope: 'benefits:read',
  description: 'A benefit was taken back: what it was given for no longer stands.',
}
