/** A consent was given, confirmed or withdrawn. Payload: `purpose`, `channel`, `state`. */
export const consentChanged = {
  type: 'consent.changed',
  scope: 'consents:read',
  description: 'A consent was given, confirmed or withdrawn.',
}

/** An address came, went or was verified. Payload: `address`, its id, and `kind`. */
export const addressChanged = {
  type: 'address.changed',
  scope: 'consents:read',
  description:
    "An address of a member came, went or was verified. That the e-mail of a profile changed is told by the member's own events.",
}

/** Nothing is sent to an address any more. Payload: `suppression`, its id, and `channel`. */
export const addressSuppressed = {
  type: 'address.suppressed',
  scope: 'consents:read',
  description: 'Nothing is sent any more to an address, or to a member on one channel.',
}
