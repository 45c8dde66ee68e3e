export { rewardPart } from './part.ts'
export { settleRewards } from './service.ts'
