export { Hold, PointsTransaction, transactionOf, Wallet } from './graphql.ts'
