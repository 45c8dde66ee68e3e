const scope = 'coupons:read'

/** A coupon was bound to a member. Payload: `coupon`, its key, and `issued`, an id. */
export const couponIssued = {
  type: 'coupon.issued',
  scope,
  description: 'A member got a coupon of its own.',
}

/** A member reserved a coupon. Payload: `coupon`, its key, and `redemption`, an id. */
export const couponReserved = { type: 'coupon.reserved', scope, description: 'A member reserved a coupon.' }

/** A member used a coupon. Payload likewise. */
export const couponRedeemed = { type: 'coupon.redeemed', scope, description: 'A member used a coupon.' }

/** A redemption was released. Payload likewise. */
export const couponReleased = {
  type: 'coupon.released',
  scope,
  description:
    'A reservation lapsed or was let go, or a use was taken back: the coupon counts as free again.',
}

/** The stock of a coupon changed. Payload: `coupon`, its key, and `remaining`, when it has a limit. */
export const couponStockChanged = {
  type: 'coupon.stock_changed',
  scope,
  description: 'The stock of a coupon changed; at most once a second, however often it did.',
}

/** A campaign began, was paused, or ended. Payload: `campaign`, its key, `from` and `to`. */
export const campaignStateChanged = {
  type: 'campaign.state_changed',
  scope,
  description: 'A campaign began, was paused, or ended.',
}

/** The stock or a budget of a campaign changed. Payload: `campaign`, its key. */
export const campaignStockChanged = {
  type: 'campaign.stock_changed',
  scope,
  description: 'The stock or a budget of a campaign changed; at most once a second, however often it did.',
}
