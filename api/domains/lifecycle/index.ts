export { freshnessBandPredicate, stagePredicate } from './audience.ts'
export { StageChange } from './graphql.ts'
export { rulesOf } from './rules.ts'
export { settleLifecycle } from './service.ts'
