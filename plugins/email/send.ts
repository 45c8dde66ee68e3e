import { Readable } from 'node:stream'
import type { Outcome, SendContext } from '@engawa/sdk'
import type { SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection'
import { domainOf, envelopeAddress } from './address.ts'
import { folded, type PreparedMail } from './compose.ts'
import type { Config } from './config.ts'
import { messageIdOf, returnPathOf } from './inbound/key.ts'
import { faultOf } from './outcome.ts'
import { converse } from './session.ts'

/**
 * Hands one message to the relay. Until the final dot a failure means that nothing was sent; after it, without an
 * answer, nobody knows; an answer always counts.
 */
export async function send(ctx: SendContext<Config>, { to, message }: PreparedMail): Promise<Outcome> {
  const { config, key, clock } = ctx
  const domain = domainOf(config.from)
  const messageId = messageIdOf(key, domain)
  const body = new Body(Buffer.from(`${senderFields(config, { messageId, date: clock.now() })}${message}`))
  const envelope = {
    from:
      config.returnPath === undefined ? envelopeAddress(config.from) : returnPathOf(key, config.returnPath),
    to,
    size: body.size,
    dsn: { return: 'HDRS', envid: key, notify: ['FAILURE', 'DELAY'], recipient: `rfc822;${to}` },
  }
  try {
    const info = await converse(ctx, ({ connection, step }) =>
      step<SMTPConnectionSendInfo>((done) => connection.send(envelope, body, done)),
    )
    return { is: 'accepted', at: clock.now(), providerId: info?.serverMessageId ?? messageId }
  } catch (error) {
    const isRefused = Number(Reflect.get(Object(error), 'responseCode')) >= 400
    if (!body.isOver || isRefused) return { is: 'refused', fault: faultOf(error, clock.now()) }
    const evidence = ctx.signal.aborted ? 'timeout' : 'reset'
    return { is: 'unknown', evidence, detail: 'The relay gave no answer after the message.' }
  } finally {
    body.destroy()
  }
}

function senderFields(config: Config, { messageId, date }: { messageId: string; date: Date }): string {
  const from = `<${envelopeAddress(config.from)}>`
  const name = config.fromName === undefined ? '' : `${displayName(config.fromName)} `
  const fields = [
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    `From: ${name}${from}`,
    ...(config.replyTo === undefined ? [] : [`Reply-To: <${envelopeAddress(config.replyTo)}>`]),
    `Message-ID: ${messageId}`,
  ]
  return fields.map((field) => `${field}\r\n`).join('')
}

/** Quoted when it is ASCII, else encoded. */
function displayName(name: string): string {
  return /^[ -~]*$/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : folded('From', name)
}

/**
 * The message as a stream that knows whether all of it was asked for; the final dot may follow any moment. A short
 * message is asked for at once, so that only of a long one it is known that it broke off in the middle.
 */
class Body extends Readable {
  readonly size: number
  isOver = false
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    super()
    this.#bytes = bytes
    this.size = bytes.length
  }

  override _read(): void {
    const piece = this.#bytes.subarray(this.#at, this.#at + 16_384)
    this.#at += piece.length
    if (piece.length > 0) {
      this.push(piece)
    } else {
      this.isOver = true
      this.push(null)
    }
  }
}
