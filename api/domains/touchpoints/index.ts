export { type DeliveryPorts, deliver } from './deliver.ts'
export { Touchpoint } from './graphql.ts'
export { markInboxRead } from './service.ts'
export {
  deliverDue,
  deliverQueue,
  startTouchpointWorker,
} from './worker.ts'
