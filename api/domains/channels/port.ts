import type { Capabilities, Fault, Message, Outcome, Preparation } from '@engawa/sdk'
import { definePort } from '../../platform/ports.ts'

/** Channels by id. */
export interface Channels {
  get(id: string): Channel | undefined
}

/** The channels of this deployment. The plugin host gives them. */
export interface DeployedChannels extends Channels {
  /** All of them, sorted by id. */
  all(): readonly Channel[]
}

/** How resolvers reach the channels of this deployment. */
export const channelsPort = definePort<DeployedChannels>('channels')

/** One channel of the deployment. */
export interface Channel {
  readonly id: string
  /** Which of a member's addresses it uses. */
  readonly kind: string
  /** Whether the member's own id is the address, so that nobody has to give one. */
  readonly hasOwnAddress: boolean
  /** Reads an address that somebody gave, as the channel wants it. */
  readAddress(value: unknown): Promise<AddressReading>
  /** The channel with the tenant's configuration, or why it cannot be used now. */
  open(tenantId: string): Promise<Opened>
}

/** An address in its one spelling, with what suppression knows it by; or what is wrong with it, and where. */
export type AddressReading =
  | { readonly ok: true; readonly value: unknown; readonly identity: string }
  | {
      readonly ok: false
      readonly issues: readonly { readonly path: readonly string[]; readonly message: string }[]
    }

/** A channel ready to send, or what is in the way. */
export type Opened =
  | { readonly ok: true; readonly channel: OpenChannel }
  | { readonly ok: false; readonly fault: Fault }

/** A channel with one tenant's configuration. Nothing here throws for what a plugin or a provider does. */
export interface OpenChannel {
  readonly capabilities: Capabilities
  /** Pure. Content or an address that the channel's own schema does not take is refused for good. */
  prepare(content: unknown, address: unknown, message: Message): Promise<Preparation<Prepared>>
  /** Bound to a deadline; what it does not answer by then is unknown. */
  send(attempt: Attempt, prepared: Prepared): Promise<Outcome>
  /** Asks what became of the key; for channels of idempotency by lookup. */
  reconcile(attempt: Attempt): Promise<Outcome>
}

/** What a channel made of content and address; only the same channel can read it. */
export interface Prepared {
  readonly value: unknown
  /** The address, for the log to hash where it appears. */
  readonly address: string
}

/** One attempt of one delivery. */
export interface Attempt extends Message {
  /** 1 at first. */
  readonly attempt: number
  /** Milliseconds of real time that the call may take. */
  readonly withinMs: number
  /** The member's IANA time zone. */
  readonly timeZone: string
  /** The tenant's clock. */
  now(): Date
}
