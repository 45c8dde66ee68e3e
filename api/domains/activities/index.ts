export { activityPredicate } from './audience.ts'
export { activityName, settleActivities } from './service.ts'
