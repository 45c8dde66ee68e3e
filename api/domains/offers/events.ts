const ofReceipt = (type: string, description: string) => ({
  type: `offer.${type}`,
  scope: 'offers:read',
  description,
})

/** A member was given an offer. Payload of this and the next six: `receipt`, its id, and `offer`, its key. */
export const offerIssued = ofReceipt('issued', 'A member was given an offer.')

/** A member took an offer. */
export const offerClaimed = ofReceipt('claimed', 'A member took an offer.')

/** A member saw an offer for the first time. */
export const offerViewed = ofReceipt('viewed', 'A member saw an offer for the first time.')

/** A purchase completed an offer. Payload: `purchase` besides, its id. */
export const offerCompleted = ofReceipt('completed', 'A purchase completed an offer.')

/** What a completed offer was worth was used. */
export const offerUsed = ofReceipt('used', 'What a completed offer was worth was used.')

/** An offer ended before it was completed. */
export const offerExpired = ofReceipt('expired', 'An offer ended before it was completed.')

/** A refund left too little for a completion. */
export const offerReversed = ofReceipt(
  'reversed',
  'A refund left too little; the offer is no longer completed.',
)

/** Less, or more, is left of an offer. Payload: `offer`, its key, and `remaining`, how many. */
export const offerStockChanged = {
  type: 'offer.stock_changed',
  scope: 'offers:read',
  description: 'Less, or more, is left of an offer.',
}
