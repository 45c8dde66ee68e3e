import type { Fault } from '@engawa/sdk'
import { NoSignIn, Unreachable } from './session.ts'

/** How far a conversation came when the relay refused. */
type Stage = 'hello' | 'auth' | 'sender' | 'recipient' | 'message'

/** What a relay answered: the code of SMTP, and the enhanced code (RFC 3463) where there is one. */
interface Reply {
  readonly code: number
  readonly status: string
}

const day = 86_400_000

/**
 * Why nothing was sent, and what to do about it, from the error that ended a conversation before the message was
 * handed over, or after the relay refused it. The detail names step and codes; what else a relay says may quote an
 * address.
 */
export function faultOf(error: unknown, now: Date): Fault {
  if (error instanceof Unreachable) return unreachable(error)
  if (error instanceof NoSignIn) return { cause: 'auth', disposition: { do: 'hold' }, detail: error.message }
  const { code, command = '', response, originalCode } = seen(error)
  const reply = readReply(response)
  if (reply) return refusal(stageOf(command), reply, now)
  if (code === 'EAUTH')
    return { cause: 'auth', disposition: { do: 'hold' }, detail: 'No way to sign in that the relay takes.' }
  if (code === 'EMESSAGE' && command === 'MAIL FROM')
    return tooLarge('The relay takes no message of this size.')
  if (code === 'EENVELOPE')
    return { cause: 'address', disposition: { do: 'never' }, detail: 'No address for SMTP.' }
  if (
    /CERT|ALTNAME|VERIFY|SELF_SIGNED|ERR_TLS|ERR_SSL|EPROTO/.test(`${originalCode}`) ||
    (code === 'ETLS' && !reply)
  ) {
    return {
      cause: 'config',
      disposition: { do: 'hold' },
      detail: 'The relay cannot be trusted: TLS failed.',
    }
  }
  return { cause: 'network', disposition: { do: 'later' }, detail: 'The connection to the relay broke.' }
}

/** A host that may not be reached at all stays so until somebody changes it. */
function unreachable({ cause, message }: Unreachable): Fault {
  const isForbidden = Reflect.get(Object(cause), 'reason') === 'refused'
  return isForbidden
    ? { cause: 'config', disposition: { do: 'hold' }, detail: 'The relay is not a host that may be reached.' }
    : { cause: 'network', disposition: { do: 'later' }, detail: message }
}

interface Seen {
  readonly code?: string
  readonly command?: string
  readonly response?: string
  readonly originalCode?: string
}

/** What nodemailer notes on its errors. */
function seen(error: unknown): Seen {
  return typeof error === 'object' && error !== null ? error : {}
}

function readReply(response: string | undefined): Reply | undefined {
  const found = /^([45]\d\d)(?:[ -]([45]\.\d{1,3}\.\d{1,3})\b)?/.exec(response ?? '')
  return found ? { code: Number(found[1]), status: found[2] ?? '' } : undefined
}

function stageOf(command: string): Stage {
  if (command.startsWith('AUTH')) return 'auth'
  if (command === 'MAIL FROM') return 'sender'
  if (command === 'RCPT TO') return 'recipient'
  return command === 'DATA' ? 'message' : 'hello'
}

const steps: Readonly<Record<Stage, string>> = {
  hello: '',
  auth: ' to AUTH',
  sender: ' to MAIL FROM',
  recipient: ' to RCPT TO',
  message: ' to the message',
}

function refusal(stage: Stage, reply: Reply, now: Date): Fault {
  const code = `${reply.code} ${reply.status}`.trim()
  return { ...judged(stage, reply, now), code, detail: `The relay answered ${code}${steps[stage]}.` }
}

/** Addresses that are none, are not any more, or have moved: nothing will ever arrive there. */
const noAddress: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10'])
/** The sender's address is at fault, which is ours. */
const noSender: ReadonlySet<string> = new Set(['5.1.7', '5.1.8'])
const tooBig: ReadonlySet<string> = new Set(['5.2.3', '5.3.4'])

/** The table: 4yz later; 5yz never, but 5yz before the recipient is named, and policy anywhere, until it is put right. */
function judged(stage: Stage, { code, status }: Reply, now: Date): Fault {
  if (code < 500) return { cause: deferralCause(stage, status), disposition: { do: 'later' } }
  if (tooBig.has(status) || (stage === 'sender' && code === 552)) return tooLarge()
  if (status.startsWith('5.7.'))
    return { cause: stage === 'auth' ? 'auth' : 'policy', disposition: { do: 'hold' } }
  if (stage === 'auth') return { cause: 'auth', disposition: { do: 'hold' } }
  if (stage === 'hello' || stage === 'sender' || noSender.has(status)) {
    return { cause: 'config', disposition: { do: 'hold' } }
  }
  if (noAddress.has(status))
    return { cause: 'address', disposition: { do: 'never' }, suppress: { scope: 'address' } }
  if (status === '5.2.2' || (stage === 'recipient' && code === 552)) return unwilling(now, 7)
  if (status === '5.2.1') return unwilling(now, 30)
  return { cause: stage === 'recipient' ? 'address' : 'content', disposition: { do: 'never' } }
}

function deferralCause(stage: Stage, status: string): Fault['cause'] {
  if (stage === 'auth') return 'auth'
  if (status.startsWith('4.7.')) return 'rate'
  return stage === 'recipient' && status.startsWith('4.2.') ? 'recipient' : 'provider'
}

/** A mailbox that is full, or switched off, may take mail again some day. */
function unwilling(now: Date, days: number): Fault {
  const until = new Date(now.getTime() + days * day)
  return { cause: 'recipient', disposition: { do: 'never' }, suppress: { scope: 'address', until } }
}

function tooLarge(detail?: string): Fault {
  return { cause: 'content', disposition: { do: 'never' }, ...(detail && { detail }) }
}
