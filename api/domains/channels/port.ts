import type {
  Capabilities,
  CheckResult,
  Fault,
  Message,
  Outcome,
  Preparation,
  Quota,
  RawRequest,
  Signal,
  Verdict,
  VerifiedRequest,
} from '@engawa/sdk'
import { definePort } from '../../platform/ports.ts'

export type { Capabilities, FaultCause } from '@engawa/sdk'

/** Channels by id. */
export interface Channels {
  get(id: string): Channel | undefined
}

/** The channels of this deployment. The plugin host gives them. */
export interface DeployedChannels extends Channels {
  get(id: string): DeployedChannel | undefined
  /** All of them, sorted by id. */
  all(): readonly DeployedChannel[]
}

/** How resolvers reach the channels of this deployment. */
export const channelsPort = definePort<DeployedChannels>('channels')

/** One channel. */
export interface Channel {
  readonly id: string
  /** Which of a member's addresses it uses. */
  readonly kind: string
  /** Whether the member's own id is the address, so that nobody has to give one. */
  readonly hasOwnAddress: boolean
  /** Reads an address that somebody gave, as the channel wants it. */
  readAddress(value: unknown): Promise<AddressReading>
  /** The channel with the tenant's configuration, or why it cannot be used now. Rejects when the database is away. */
  open(tenantId: string): Promise<Opened>
}

/** One channel of the deployment, with all that is known of it. Nothing here throws for what a plugin does. */
export interface DeployedChannel extends Channel {
  /** What it can do; undefined when that follows from a tenant's configuration. */
  readonly capabilities: Capabilities | undefined
  /** The names of what is secret in its configuration. */
  readonly secrets: readonly string[]
  readonly configVersion: number
  /** Where below `/inbound/<tenant>/<channel>` its provider posts; undefined for one that does not. */
  readonly inboundPath: string | undefined
  /** Whether it fetches signals, and whether it can ask for its budget. */
  readonly canPoll: boolean
  readonly canTellQuota: boolean
  /** Judges a configuration by the channel's own schema, before it is saved. */
  readConfig(given: object): Promise<ReadConfig>
  /** What an older version of the plugin saved, as this one would have it; undefined when it cannot tell. */
  migrated(saved: SavedConfig): SavedConfig['config'] | undefined
  /** `open` with a configuration that was read already; undefined when nothing was saved. */
  openWith(tenantId: string, saved: SavedConfig | undefined): Promise<Opened>
}

/** A tenant's configuration of a channel, secrets included, and the version that it was written for. */
export interface SavedConfig {
  readonly config: Readonly<Record<string, unknown>>
  readonly version: number
}

/** What is to be saved of a configuration, or what is wrong with it. */
export type ReadConfig =
  | { readonly ok: true; readonly config: SavedConfig['config'] }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] }

/** One thing that is wrong with a configuration. Without any secret. */
export interface ConfigIssue {
  /** Keys from the outermost inwards with dots between; empty for the configuration as a whole. */
  readonly path: string
  readonly message: string
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
  /** Proves the configuration without sending anything. */
  check(situation: Situation): Promise<CheckResult>
  /** Asks for the provider's budget. */
  quota(situation: Situation): Promise<ToldQuota>
  /** Fetches what the provider has to report since the cursor. */
  poll(situation: Situation, cursor: string | undefined): Promise<Polled>
  /** Whether a request comes from the provider. */
  verify(request: RawRequest): Promise<Verdict>
  /** What a proven request reports; undefined when the plugin cannot read it, or takes too long. */
  parse(request: VerifiedRequest): Promise<readonly ToldSignal[] | undefined>
}

/** What a channel made of content and address; only the same channel can read it. */
export interface Prepared {
  readonly value: unknown
  /** The address, for the log to hash where it appears. */
  readonly address: string
  /** The hosts that stand in the address: what the operator allows is not for them. */
  readonly hosts: ReadonlySet<string>
}

/** When and for whom a channel is asked something. */
export interface Situation {
  /** BCP 47; the tenant's where no member is meant, like the time zone. */
  readonly locale: string
  /** IANA. */
  readonly timeZone: string
  /** Milliseconds of real time that the call may take. */
  readonly withinMs: number
  /** The tenant's clock. */
  now(): Date
}

/** One attempt of one delivery. */
export interface Attempt extends Message, Situation {
  /** 1 at first. */
  readonly attempt: number
  /** Of the member's last message, while it lives. */
  readonly replyToken?: string
}

/** The provider's budget, or why it is not known. */
export type ToldQuota =
  | { readonly ok: true; readonly quota: Quota }
  | { readonly ok: false; readonly fault: Fault }

/** What was fetched and where to go on, or why nothing was. */
export type Polled =
  | { readonly ok: true; readonly signals: readonly ToldSignal[]; readonly cursor: string | undefined }
  | { readonly ok: false; readonly fault: Fault }

/** A signal with what it is about beside it: the delivery's key, the provider's id, the identity of an address. */
export interface ToldSignal extends Omit<Signal, 'about'> {
  readonly key?: string
  readonly providerId?: string
  readonly identity?: string
}
