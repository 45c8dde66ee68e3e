export type {
  AddressReading,
  Attempt,
  Channel,
  Channels,
  DeployedChannels,
  OpenChannel,
  Opened,
  Prepared,
} from './port.ts'
export { channelsPort } from './port.ts'
export { readSaved, type SavedConfig } from './settings.ts'
