import type { Capabilities, ChannelDefinition, Outcome, SendContext } from '@engawa/sdk'

/** What is sent: to a number in E.164, a text whose parts were counted. */
export interface Sms {
  readonly to: string
  readonly text: string
  readonly expiresAt?: Date
}

/** A company that carries text messages: all that one differs in from another. `smsChannel` makes a channel of it. */
export interface SmsProvider<Config, Secrets extends keyof Config> {
  readonly idempotency: Capabilities['idempotency']
  readonly receipts: Capabilities['receipts']
  readonly config: ChannelDefinition<Config, Secrets, unknown, unknown, unknown>['config']
  send(ctx: SendContext<Config>, sms: Sms): Promise<Outcome>
  readonly inbound?: NonNullable<ChannelDefinition<Config, Secrets, unknown, unknown, unknown>['inbound']>
}
