export { offerPart } from './body.ts'
export { type Completion, completions } from './completions.ts'
export { importReceipts, importViews, type OfferBatch, type OfferRow } from './import.ts'
export { receiveOffer, settleOffers } from './service.ts'
