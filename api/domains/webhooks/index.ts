export { type Webhooks, webhooksPort } from './port.ts'
export { sealedWebhookSecrets } from './secrets.ts'
export type { Patience } from './turn.ts'
export { startWebhookWorker, type WebhookWorker } from './worker.ts'
