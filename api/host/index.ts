export { openReaders, weigh } from './inbound-class.ts'
export { type Deployment, loadChannels, PluginError } from './load.ts'
