/** A member redeemed a reward. Payload: `redemption`, its id. */
export const rewardRedeemed = {
  type: 'reward.redeemed',
  scope: 'rewards:read',
  description: 'A member redeemed a reward: its points are held or spent.',
}

/** A redemption was fulfilled. Payload: `redemption`, its id. */
export const rewardFulfilled = {
  type: 'reward.fulfilled',
  scope: 'rewards:read',
  description: 'A member got what was redeemed.',
}

/** A redemption was called off. Payload: `redemption`, its id. */
export const rewardCancelled = {
  type: 'reward.cancelled',
  scope: 'rewards:read',
  description: 'A redemption was called off; its points went back.',
}

/** A reservation lapsed. Payload: `redemption`, its id. */
export const rewardLapsed = {
  type: 'reward.lapsed',
  scope: 'rewards:read',
  description: 'The time of a reservation ran out; its points went back.',
}
