export { exportDocument } from './export.ts'
export { settleInterests } from './interests.ts'
