import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import type { Channel, Channels } from '../channels/index.ts'
import type { MemberBy } from '../members/index.ts'
import {
  addAddressCall,
  answerCall,
  askVerificationCall,
  type Confirmed,
  giveCall,
  readAddressKind,
  savePreferenceCall,
  savePurposeCall,
  suppressCall,
  withdrawCall,
} from './store.ts'

/** An address as its channel read it, and who gave it. */
export interface NewAddress {
  readonly kind: string
  readonly value: unknown
  readonly identity: string
  readonly source: string
}

/** What a member agrees to, and what proves it. `at` is when, now unless told. */
export interface NewConsent {
  readonly purpose: string
  readonly channel: string
  readonly textVersion: string
  readonly source: string
  readonly at?: Date | null | undefined
  readonly proof?: unknown
}

/** What a member no longer agrees to. */
export type Withdrawal = Omit<NewConsent, 'textVersion'>

/** A purpose as a tenant describes it. */
export interface NewPurpose {
  readonly key: string
  readonly name: { readonly en: string; readonly ja: string }
  readonly class: 'SERVICE' | 'MARKETING'
  readonly consent: 'NONE' | 'SINGLE' | 'DOUBLE'
  readonly wish: 'preferMiss' | 'preferDuplicate'
  readonly requiresVerifiedAddress: boolean
}

/** What changes of a member's wishes; what is undefined stays, null is forgotten. */
export interface PreferenceChanges {
  readonly channels?: readonly string[] | null | undefined
  readonly quietHours?: { readonly from: string; readonly to: string } | null | undefined
  readonly preferredTime?: string | null | undefined
}

/** What to suppress, as suppression_add of 0007_consents.sql knows it. */
export type Target =
  | { readonly address: string }
  | { readonly kind: string; readonly identity: string }
  | {
      readonly member?: string
      readonly external_id?: string
      readonly channel: string
      readonly kind: string
    }

/** The channel of this deployment. Throws NotFoundError. */
export function channelOf(channels: Channels, id: string): Channel {
  const channel = channels.get(id)
  if (!channel) throw new NotFoundError('channel')
  return channel
}

/** Gives a consent. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError, BadInputError. */
export async function giveConsent(tx: Tx, by: MemberBy, { given, channels, op }: Giving<NewConsent>) {
  checkWords(given)
  checkText(given.textVersion, 'input.textVersion')
  checkProof(given.proof)
  const { kind } = channelOf(channels, given.channel)
  return raise(await giveCall(tx, by, { ...given, kind }, op))
}

/** Withdraws a consent. Throws NotFoundError, IdempotencyKeyReusedError, BadInputError. */
export async function withdrawConsent(tx: Tx, by: MemberBy, { given, channels, op }: Giving<Withdrawal>) {
  checkWords(given)
  checkProof(given.proof)
  // A channel that this deployment no longer has can still be refused.
  const kind = channels.get(given.channel)?.kind ?? given.channel
  return raise(await withdrawCall(tx, by, { ...given, kind }, op))
}

interface Giving<Given> {
  readonly given: Given
  readonly channels: Channels
  readonly op: Operation
}

/**
 * Takes the answer to a confirmation about `what`, of `member` alone unless null. Throws NotFoundError,
 * ConfirmationExpiredError.
 */
export async function answer(
  tx: Tx,
  confirmation: string,
  who: { member: string | null; actor: string },
): Promise<Confirmed> {
  return raise(await answerCall(tx, confirmation, who))
}

/** Adds an address, as its channel reads it. Throws NotFoundError, MembershipEndedError, BadInputError. */
export async function addAddress(
  tx: Tx,
  by: MemberBy,
  { channel, value, source }: { channel: Channel; value: unknown; source: string },
) {
  const { kind } = channel
  const read = await readAddress(channel, value, 'input.value')
  return raise(await addAddressCall(tx, by, { kind, ...read, source }))
}

/** Reads what was given as an address of the channel. Throws BadInputError naming the place. */
export async function readAddress(channel: Channel, value: unknown, field: string) {
  if (channel.hasOwnAddress) {
    throw new BadInputError(field, `The channel ${channel.id} needs no address: members are their own.`)
  }
  const reading = await channel.readAddress(value)
  if (reading.ok) return { value: reading.value, identity: reading.identity }
  const [issue] = reading.issues
  const at = [field, ...(issue?.path ?? [])].join('.')
  throw new BadInputError(
    at,
    `${at} is no address of the channel ${channel.id}: ${issue?.message ?? 'it is wrong'}.`,
  )
}

/**
 * Asks whether an address is the member's, through a channel of its kind. Throws NotFoundError, MembershipEndedError,
 * IdempotencyKeyReusedError, BadInputError.
 */
export async function askVerification(
  tx: Tx,
  asked: { address: string; member: string | null; channel: string | null },
  { channels, op }: { channels: Channels; op: Operation },
) {
  const kind = await readAddressKind(tx, asked.address, asked.member)
  if (kind === undefined) throw new NotFoundError('address')
  const channel = channelOf(channels, asked.channel ?? kind)
  if (channel.kind !== kind) {
    throw new BadInputError(
      'input.channel',
      `The channel ${channel.id} does not use addresses of the kind ${kind}.`,
    )
  }
  return raise(await askVerificationCall(tx, { ...asked, channel: channel.id }, op))
}

const KEY = /^[a-z][a-z0-9-]{0,99}$/

/** Describes a purpose. Throws BadInputError. */
export async function savePurpose(tx: Tx, purpose: NewPurpose) {
  if (!KEY.test(purpose.key)) {
    throw new BadInputError('input.key', 'A key is lower-case letters, digits and hyphens, at most 100.')
  }
  checkText(purpose.name.en, 'input.name.en')
  checkText(purpose.name.ja, 'input.name.ja')
  if (purpose.class === 'MARKETING' && purpose.consent === 'NONE') {
    throw new BadInputError('input.consent', 'Marketing needs consent: SINGLE or DOUBLE.')
  }
  return raise(await savePurposeCall(tx, purpose))
}

const MOST_CHANNELS = 20

/** Changes a member's wishes. Throws NotFoundError, MembershipEndedError, BadInputError. */
export async function updatePreferences(
  tx: Tx,
  by: MemberBy,
  changes: PreferenceChanges,
  channels: Channels,
) {
  const { channels: order, quietHours } = changes
  if (order && (order.length > MOST_CHANNELS || new Set(order).size < order.length)) {
    throw new BadInputError(
      'input.channels',
      `input.channels names at most ${MOST_CHANNELS} channels, each once.`,
    )
  }
  for (const [i, id] of (order ?? []).entries()) {
    if (!channels.get(id)) throw new BadInputError(`input.channels.${i}`, `There is no channel ${id}.`)
  }
  if (quietHours && quietHours.from === quietHours.to) {
    throw new BadInputError('input.quietHours.to', 'Quiet hours end at another time than they begin.')
  }
  return raise(await savePreferenceCall(tx, by, changes))
}

/** Suppresses by hand. Throws NotFoundError, BadInputError. */
export async function suppress(
  tx: Tx,
  target: Target,
  { reason, endsAt, actor }: { reason: string; endsAt: Date | null; actor: string },
) {
  checkText(reason, 'input.reason')
  return raise(await suppressCall(tx, target, { endsAt, detail: { reason, actor } }))
}

const LONGEST = 200
const LARGEST_PROOF = 8_192

/** Text of 1 to 200 characters. Throws BadInputError naming the field. */
export function checkText(text: string, field: string): void {
  if (text.trim() === '' || text.length > LONGEST) {
    throw new BadInputError(field, `${field} must have 1 to ${LONGEST} characters.`)
  }
}

/** Refuses what cannot name a purpose: it stands in events, where nothing personal may, so it is a word and no text. */
export function checkPurpose(purpose: string): void {
  if (KEY.test(purpose)) return
  throw new BadInputError(
    'input.purpose',
    'A purpose is lower-case letters, digits and hyphens, at most 100, such as newsletter.',
  )
}

function checkWords({ purpose, channel, source }: Withdrawal): void {
  checkPurpose(purpose)
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(channel)) {
    throw new BadInputError('input.channel', 'A channel is the id of one, such as email.')
  }
  checkText(source, 'input.source')
}

function checkProof(proof: unknown): void {
  if (proof == null) return
  if (typeof proof !== 'object' || Array.isArray(proof)) {
    throw new BadInputError('input.proof', 'A proof is a JSON object of names and values.')
  }
  if (JSON.stringify(proof).length > LARGEST_PROOF) {
    throw new BadInputError('input.proof', `A proof holds at most ${LARGEST_PROOF} bytes of JSON.`)
  }
}
