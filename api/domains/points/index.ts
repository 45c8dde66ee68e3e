export type { Adjusted, Extended, NewTransfer, Transferred } from './byhand.ts'
export { adjustPoints, decideAdjustment, extendPoints, transferPoints } from './byhand.ts'
export { earnRulePart, labelPart } from './earn-rules.ts'
export { Earning, earningOfPurchase } from './earnings.graphql.ts'
export { PointsTransaction, transactionOf } from './graphql.ts'
export { currencyPart, operationsPart } from './parts.ts'
export { ExpiryPolicyInput, PendingInput } from './policies.graphql.ts'
export { type ExpiryPolicy, expiryPolicy, type PendingRule, pendingRule } from './policies.ts'
export type { Held, LedgerCheck, Moved, NewGrant, NewHold, NewSpend } from './service.ts'
export {
  captureHold,
  grantPoints,
  holdPoints,
  refundSpend,
  settleDue,
  spendPoints,
  verify,
  voidHold,
} from './service.ts'
export type { Difference } from './store.ts'
