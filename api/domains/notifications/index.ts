export { settleDigests, settleNotifications } from './service.ts'
