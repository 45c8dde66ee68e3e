export { freshnessBandPredicate, stagePredicate } from './audience.ts'
export { StageChange } from './graphql.ts'
export { settleLifecycle } from './service.ts'
