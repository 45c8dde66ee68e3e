import type { Content } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import { type Rule, storedRule } from '../audiences/index.ts'
import { checkPurpose } from '../consents/index.ts'
import type { MemberBy } from '../members/index.ts'
import { recommendedFor } from './policy.channels.ts'
import { readPolicy } from './policy.store.ts'
import { localTime, type Weekday } from './policy.ts'
import { cancelBroadcast, cancelTouch, planBroadcast, sendTouch } from './sending.store.ts'
import { checkContent } from './templates.say.ts'

/** A time of day by the member's own clock, HH:MM: the next one, the next on one of some weekdays, or on a date. */
export interface LocalIntent {
  readonly time: string
  readonly weekdays?: readonly Weekday[] | null | undefined
  /** As in 2026-04-01. */
  readonly date?: string | null | undefined
}

/** When: now when both are left out. */
export interface SendAt {
  readonly instant?: Date | null | undefined
  readonly local?: LocalIntent | null | undefined
}

/** What is to be sent, how and when, to whomever. */
export interface Message {
  readonly purpose: string
  /** Null takes what suits the member. */
  readonly channels: readonly string[] | null
  /** Exactly one of them; the content is said word by word. */
  readonly template: string | null
  readonly content: Content | null
  readonly parameters: object
  readonly at: SendAt
  /** 0 to 100; where several compete for a member, the highest goes first. */
  readonly priority: number
  readonly expiresAt: Date | null
  /** Null takes the purpose's. */
  readonly wish: 'preferMiss' | 'preferDuplicate' | null
}

/** Purposes that only the product itself may use: nobody had to agree to them. */
const KEPT_PURPOSES = ['test', 'consent-confirmation']

/** Plans one touch. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError, BadInputError. */
export async function sendToMember(
  tx: Tx,
  to: MemberBy,
  message: Message,
  operation: Operation,
): Promise<string> {
  checkOwnPurpose(message.purpose)
  return send(tx, to, { ...storedOf(message), source: 'send' }, operation)
}

/**
 * Plans a test message to the member that a staff token itself names, past consent, caps and quiet hours: nobody else
 * can be reached this way. Throws like sendToMember.
 */
export async function sendTest(tx: Tx, sub: string, message: Message, operation: Operation): Promise<string> {
  const touch = storedOf({ ...message, purpose: 'test', priority: 100 })
  return send(tx, { externalId: sub }, { ...touch, source: 'test' }, operation)
}

async function send(
  tx: Tx,
  to: MemberBy,
  touch: ReturnType<typeof storedOf> & { readonly source: string },
  operation: Operation,
): Promise<string> {
  const channels = touch.channels ?? (await recommendedFor(tx, to, await readPolicy(tx)))
  return raise(await sendTouch(tx, to, { ...touch, channels }, operation)).touchpoint
}

/** Plans a broadcast. Throws IdempotencyKeyReusedError, BadInputError. */
export async function broadcast(
  tx: Tx,
  audience: Rule,
  message: Message,
  operation: Operation,
): Promise<string> {
  checkOwnPurpose(message.purpose)
  const planned = { ...storedOf(message), audience: storedRule(audience) }
  return raise(await planBroadcast(tx, planned, operation)).broadcast
}

/** Whether a rule asks for anything that tells some members from others: being a member at all does not. */
export function isUniform(rule: Rule): boolean {
  switch (rule.is) {
    case 'all':
    case 'any':
      return rule.rules.every(isUniform)
    case 'not':
      return isUniform(rule.rule)
    case 'predicate':
      return rule.condition.name === 'membership'
  }
}

/** Calls a touch off; false when it has come to an end or is being sent. Throws NotFoundError. */
export async function cancelTouchpoint(tx: Tx, touchpoint: string): Promise<boolean> {
  const cancelled = await cancelTouch(tx, touchpoint)
  if (cancelled.is === 'not_found') throw new NotFoundError(cancelled.what)
  return cancelled.is === 'done'
}

/** Calls a broadcast off; what is being sent goes on. False when it was over. Throws NotFoundError. */
export async function cancelWholeBroadcast(tx: Tx, id: string): Promise<boolean> {
  return raise(await cancelBroadcast(tx, id)).is_cancelled
}

/** What is stored of a message, checked. */
function storedOf({ template, content, parameters, at, ...message }: Message) {
  return {
    channels: message.channels,
    purpose: message.purpose,
    content: { ...contentOf(template, content), parameters },
    at: at.instant ?? null,
    intent: at.local ? intentOf(at.local) : null,
    options: {
      priority: message.priority,
      expires_at: message.expiresAt,
      wish: message.wish,
    },
  }
}

function checkOwnPurpose(purpose: string): void {
  checkPurpose(purpose)
  if (KEPT_PURPOSES.includes(purpose)) {
    throw new BadInputError('input.purpose', `The purpose ${purpose} is kept for the product itself.`)
  }
}

function contentOf(template: string | null, content: Content | null): object {
  if ((template === null) === (content === null)) {
    throw new BadInputError('input.template', 'Give either a template or content.')
  }
  if (content === null) return { template }
  const checked = checkContent(content, 'en')
  if (checked.ok) return { content: checked.content }
  throw new BadInputError(`input.content.${checked.problem.part}`, checked.problem.message)
}

function intentOf({ time, weekdays, date }: LocalIntent): object {
  if (weekdays?.length && date != null) {
    throw new BadInputError('input.at.local.date', 'Give either weekdays or a date.')
  }
  return {
    time: localTime(time, 'input.at.local.time'),
    ...(weekdays?.length && { weekdays }),
    ...(date != null && { date }),
  }
}
