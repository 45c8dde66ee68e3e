export { openReaders, weigh } from './inbound-class.ts'
export { inboundRoute } from './inbound-route.ts'
export { type Deployment, loadChannels, loadChecks, PluginError } from './load.ts'
