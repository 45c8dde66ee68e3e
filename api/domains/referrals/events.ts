/** A friend claimed a referral. Each event is told of the referrer. Payload: `referral`, its id. */
export const referralClaimed = {
  type: 'referral.claimed',
  scope: 'referrals:read',
  description: 'A new member said who recommended the shop.',
}

/** The friend did what counts. Payload likewise. */
export const referralQualified = {
  type: 'referral.qualified',
  scope: 'referrals:read',
  description: 'A friend did what counts; it pays when its hold is over.',
}

/** Both sides were paid. Payload likewise. */
export const referralPaid = {
  type: 'referral.paid',
  scope: 'referrals:read',
  description: 'Both sides of a referral got their benefits.',
}

/** A claim was refused for good. Payload likewise. */
export const referralRejected = {
  type: 'referral.rejected',
  scope: 'referrals:read',
  description: 'A referral does not count.',
}

/** What counted was given back. Payload likewise. */
export const referralReversed = {
  type: 'referral.reversed',
  scope: 'referrals:read',
  description: 'What a referral counted by was given back.',
}
