export { type DeliveryPorts, deliver } from './deliver.ts'
export { Touchpoint } from './graphql.ts'
export { type Extent, extendBroadcasts } from './sending.broadcast.ts'
export { markInboxRead } from './service.ts'
export { takeSignals } from './signals.ts'
export { Task } from './tasks.graphql.ts'
export {
  deliverDue,
  deliverQueue,
  startTouchpointWorker,
} from './worker.ts'
