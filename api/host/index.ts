export { type Deployment, loadChannels, PluginError } from './load.ts'
