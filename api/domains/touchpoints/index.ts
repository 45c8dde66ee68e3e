export type {
  Attempt,
  Channel,
  Channels,
  OpenChannel,
  Prepared,
} from './channels.ts'
export { type DeliveryPorts, deliver } from './deliver.ts'
export { InboxItem, Touchpoint } from './graphql.ts'
export { markInboxRead } from './service.ts'
export {
  deliverDue,
  deliverQueue,
  startTouchpointWorker,
  type TouchpointWorker,
  type WorkerPorts,
} from './worker.ts'
