export { activityPredicate } from './audience.ts'
export { settleActivities } from './service.ts'
