export { settleExpiry } from './service.ts'
