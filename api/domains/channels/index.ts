export { ReceiptKind } from './capabilities.graphql.ts'
export { startErrands, type TakeSignals } from './errands.ts'
export { FaultCauseType } from './faults.graphql.ts'
export type {
  AddressReading,
  Attempt,
  Capabilities,
  Channel,
  Channels,
  ConfigIssue,
  DeployedChannel,
  DeployedChannels,
  OpenChannel,
  Opened,
  Prepared,
  ReadConfig,
  SavedConfig,
  Situation,
  ToldSignal,
} from './port.ts'
export { channelsPort } from './port.ts'
export { type Configurable, configurePlugin } from './service.ts'
export { readSaved, sealedSettings } from './settings.ts'
