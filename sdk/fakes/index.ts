/**
 * @engawa/sdk/fakes: other people's servers, played in this process for tests of channel plugins. Each starts on a port
 * of its own at 127.0.0.1, does what it is told, keeps what it got for you to look at, and ends with `close()`.
 *
 * @packageDocumentation
 */
export { type DeliveryReport, deliveryReport } from './delivery-report.ts'
export { decryptPush, type PushKeys, type VapidClaims } from './encrypted-push.ts'
export {
  type HttpProvider,
  type HttpProviderOptions,
  type HttpReply,
  type HttpRequest,
  httpProvider,
} from './http.ts'
export { httpSituations } from './http-situations.ts'
export {
  type LineEndpoint,
  type LineEndpointOptions,
  type LineRefusal,
  type LineSent,
  lineEndpoint,
  lineRefusals,
} from './line.ts'
export type { Provider, Situations, Taken } from './provider.ts'
export {
  type SmtpMessage,
  type SmtpReply,
  type SmtpServer,
  type SmtpServerOptions,
  type SmtpStage,
  smtpServer,
} from './smtp.ts'
export {
  type ReceivedWebhook,
  type WebhookReceiver,
  type WebhookReceiverOptions,
  webhookReceiver,
} from './standard-webhooks.ts'
export {
  type PushMessage,
  type PushReceiver,
  type PushReceiverOptions,
  pushReceiver,
  type Subscription,
} from './web-push.ts'
