export type {
  Attempt,
  Channel,
  Channels,
  OpenChannel,
  Opened,
  Prepared,
} from './port.ts'
export { channelsPort } from './port.ts'
