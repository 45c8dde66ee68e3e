export type {
  Attempt,
  Channel,
  Channels,
  OpenChannel,
  Prepared,
} from './channels.ts'
export { type DeliveryPorts, deliver } from './deliver.ts'
export { markInboxRead } from './service.ts'
export { nextDueAt } from './store.ts'
