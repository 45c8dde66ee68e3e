export { PointsTransaction, transactionOf } from './graphql.ts'
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
