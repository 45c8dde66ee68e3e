export { Purchase } from './graphql.ts'
export { recordPurchase, refundPurchase } from './service.ts'
