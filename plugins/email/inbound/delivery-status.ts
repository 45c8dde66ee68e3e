import { reportedAddress } from './addresses.ts'
import type { Fields } from './fields.ts'

/** What became of one recipient, by a delivery report (RFC 3464). */
export interface RecipientStatus {
  /** The address that the message was sent to; where it was forwarded to only when the report does not say that. */
  readonly address?: string
  readonly outcome: Outcome
  /** The enhanced status code (RFC 3463), such as `5.1.1`. */
  readonly status?: string
  /** The group of fields, for people. */
  readonly fields: Fields
}

/** `none`: it was delivered, handed on or split up, so nothing failed. */
export type Outcome = 'permanent' | 'transient' | 'delayed' | 'undetermined' | 'none'

/**
 * Reads the groups of a delivery report. A group tells of a recipient when it names one or says an action or a
 * status; some MTAs part what belongs together, so a group that only names goes with the one below it.
 */
export function readRecipients(groups: readonly Fields[]): RecipientStatus[] {
  const found: RecipientStatus[] = []
  let name: Fields | undefined
  for (const fields of groups) {
    const says = fields.has('action') || fields.has('status')
    const names = fields.has('final-recipient') || fields.has('original-recipient')
    if (names && !says) name = fields
    if (!says) continue
    found.push(statusOf(fields, names ? fields : name))
    name = undefined
  }
  return name ? [...found, statusOf(name, name)] : found
}

function statusOf(fields: Fields, naming: Fields | undefined): RecipientStatus {
  const address =
    reportedAddress(naming?.first('original-recipient')) ?? reportedAddress(naming?.first('final-recipient'))
  const outcome = outcomeOf(fields)
  const status = enhanced(fields.first('status')) ?? enhancedIn(fields.first('diagnostic-code'), outcome)
  return { ...(address && { address }), outcome, ...(status && { status }), fields }
}

/**
 * What the fields say. `Action` first: delivered, relayed and expanded are no failure, delayed is still tried. For any
 * other action `Status` decides by its first digit. Where that is missing, or says success of a failure, the code of
 * `Diagnostic-Code` does; where that has none, nobody knows.
 */
function outcomeOf(fields: Fields): Outcome {
  const action = /^[a-z-]+/i.exec(fields.first('action') ?? '')?.[0].toLowerCase()
  if (action === 'delivered' || action === 'relayed' || action === 'expanded') return 'none'
  if (action === 'delayed') return 'delayed'
  const digit = enhanced(fields.first('status'))?.[0] ?? replyDigit(fields.first('status'))
  if (digit === '5') return 'permanent'
  if (digit === '4') return 'transient'
  if (digit === '2' && action === undefined) return 'none'
  const diagnostic = fields.first('diagnostic-code')
  const replied = replyDigit(diagnostic) ?? codeIn(diagnostic)?.[0]
  if (replied === '5') return 'permanent'
  return replied === '4' ? 'transient' : 'undetermined'
}

/** `5.1.1` of `5.1.1 (bad destination mailbox address)`. */
function enhanced(status: string | undefined): string | undefined {
  return /^[ \t"']*([245]\.\d{1,3}(?:\.\d{1,3})?)(?![\d.]*\d)/.exec(status ?? '')?.[1]
}

/** `5` of `smtp; 550 5.1.1 No such user`, and of `X-Postfix; host mx.example said: 550 No such user`. */
function replyDigit(diagnostic: string | undefined): string | undefined {
  const text = (diagnostic ?? '').slice(0, 1000).replace(/^[ \t]*[\w.-]{1,40}[ \t]*;[ \t]*/, '')
  return /(?:^["' \t]*|\bsaid: {0,3})([45])\d\d(?!\d)/.exec(text)?.[1]
}

/** The enhanced code that stands in a reply, if it agrees with the outcome. */
function enhancedIn(diagnostic: string | undefined, outcome: Outcome): string | undefined {
  const found = codeIn(diagnostic)
  const first = outcome === 'permanent' ? '5' : outcome === 'transient' ? '4' : undefined
  return found?.[0] === first ? found : undefined
}

function codeIn(diagnostic: string | undefined): string | undefined {
  return /(?:^|[ #;-])([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/.exec((diagnostic ?? '').slice(0, 1000))?.[1]
}
