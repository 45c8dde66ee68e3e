export { type Deployment, type HostOptions, loadChannels, PluginError } from './load.ts'
