import type { Socket } from 'node:net'
import type { SmtpMessage, SmtpReply, SmtpStage } from './smtp.ts'

/** What a session asks its server, and tells it. */
export interface SmtpDesk {
  readonly greeting: string
  /** Every line of the answer to EHLO after the first. */
  readonly extensions: readonly string[]
  readonly login: { readonly user: string; readonly password: string } | undefined
  /** What was told to happen at this stage. */
  told(at: SmtpStage): SmtpReply | undefined
  sending(): void
  take(message: SmtpMessage): void
  hold(resume: () => void): void
}

interface Envelope {
  readonly from: string
  readonly mailParameters: readonly string[]
  readonly to: string[]
  readonly rcptParameters: (readonly string[])[]
}

/** An answer: what it usually is, and at which stage something else may have been told. */
interface Answer {
  readonly code: number
  readonly text: string
  readonly at?: SmtpStage
  /** What follows when the answer is a good one. */
  readonly then?: () => void
  readonly recipient?: string
  readonly isLast?: boolean
}

/** One connection to the fake SMTP server: RFC 5321 as far as a client that sends one message at a time needs it. */
export class SmtpSession {
  readonly #socket: Socket
  readonly #desk: SmtpDesk
  #buffer = Buffer.alloc(0)
  #mode: 'command' | 'content' | 'PLAIN' | 'LOGIN' = 'command'
  #credentials: string[] = []
  #user: string | undefined
  #envelope: Envelope | undefined

  constructor(socket: Socket, desk: SmtpDesk) {
    this.#socket = socket
    this.#desk = desk
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#advance()
    })
    this.#answer({ at: 'connect', code: 220, text: desk.greeting })
  }

  #advance(): void {
    while (!this.#socket.destroyed) {
      const isContent = this.#mode === 'content'
      if (isContent && this.#buffer.length > 0 && this.#desk.told('content')?.drop) {
        this.#socket.destroy()
        return
      }
      const end = isContent ? endOfContent(this.#buffer) : this.#buffer.indexOf('\r\n')
      if (end === -1) return
      const piece = this.#buffer.subarray(0, end)
      this.#buffer = this.#buffer.subarray(end + (isContent ? 3 : 2))
      this.#answer(this.#read(piece))
    }
  }

  #read(piece: Buffer): Answer {
    switch (this.#mode) {
      case 'command':
        return this.#command(piece.toString())
      case 'content':
        return this.#content(piece)
      case 'PLAIN':
      case 'LOGIN':
        return this.#credential(piece.toString())
    }
  }

  #command(line: string): Answer {
    const [verb = '', ...rest] = line.split(' ')
    const argument = rest.join(' ')
    switch (verb.toUpperCase()) {
      case 'EHLO':
        return { at: 'ehlo', code: 250, text: ['greetings', ...this.#desk.extensions].join('\n') }
      case 'HELO':
        return { at: 'ehlo', code: 250, text: 'greetings' }
      case 'AUTH':
        return this.#auth(rest)
      case 'MAIL':
        return this.#mail(argument)
      case 'RCPT':
        return this.#rcpt(argument)
      case 'DATA':
        return this.#data()
      case 'RSET':
        this.#envelope = undefined
        return { code: 250, text: '2.0.0 Reset' }
      case 'NOOP':
        return { code: 250, text: '2.0.0 Still here' }
      case 'QUIT':
        return { code: 221, text: '2.0.0 Bye', isLast: true }
      default:
        return { code: 500, text: '5.5.1 Not known here' }
    }
  }

  #auth([mechanism = '', initial]: readonly string[]): Answer {
    const name = mechanism.toUpperCase()
    if (name !== 'PLAIN' && name !== 'LOGIN') return { code: 504, text: '5.5.4 PLAIN or LOGIN' }
    this.#mode = name
    this.#credentials = []
    if (initial !== undefined) return this.#credential(initial)
    return { code: 334, text: name === 'LOGIN' ? encoded('Username:') : '' }
  }

  #credential(line: string): Answer {
    const text = Buffer.from(line, 'base64').toString()
    // PLAIN gives both at once, each after a NUL; LOGIN one after the other.
    this.#credentials.push(...(this.#mode === 'PLAIN' ? text.split('\0').slice(1) : [text]))
    const [user, password] = this.#credentials
    if (user === undefined || password === undefined) return { code: 334, text: encoded('Password:') }
    this.#mode = 'command'
    const wanted = this.#desk.login
    if (wanted && (wanted.user !== user || wanted.password !== password)) {
      return { code: 535, text: '5.7.8 User or password is wrong' }
    }
    const then = () => {
      this.#user = user
    }
    return { at: 'auth', code: 235, text: '2.7.0 Welcome', then }
  }

  #mail(argument: string): Answer {
    if (this.#desk.login && this.#user === undefined) return { code: 530, text: '5.7.0 Sign in first' }
    const { address, parameters } = path(argument)
    this.#desk.sending()
    const then = () => {
      this.#envelope = { from: address, mailParameters: parameters, to: [], rcptParameters: [] }
    }
    return { at: 'mail', code: 250, text: '2.1.0 Sender accepted', then }
  }

  #rcpt(argument: string): Answer {
    const { address, parameters } = path(argument)
    const envelope = this.#envelope
    if (!envelope) return { code: 503, text: '5.5.1 MAIL comes first' }
    const then = () => {
      envelope.to.push(address)
      envelope.rcptParameters.push(parameters)
    }
    return { at: 'rcpt', code: 250, text: '2.1.5 Recipient accepted', then, recipient: address }
  }

  #data(): Answer {
    if (!this.#envelope?.to.length) return { code: 503, text: '5.5.1 RCPT comes first' }
    const then = () => {
      this.#mode = 'content'
    }
    return { at: 'data', code: 354, text: 'End with a line of one dot', then }
  }

  #content(stuffed: Buffer): Answer {
    this.#mode = 'command'
    const envelope = this.#envelope
    this.#envelope = undefined
    if (!envelope) return { code: 503, text: '5.5.1 MAIL comes first' }
    const raw = new Uint8Array(Buffer.from(stuffed.toString('latin1').replace(/^\./gm, ''), 'latin1'))
    const then = () => this.#desk.take(messageOf(envelope, raw, this.#user))
    return { at: 'dot', code: 250, text: '2.0.0 Taken', then }
  }

  #answer({ at, code, text, then, recipient = '', isLast }: Answer): void {
    const told = at && this.#desk.told(at)
    const finalCode = told?.code ?? code
    if (finalCode < 400) then?.()
    if (told?.drop) this.#socket.destroy()
    const words = told?.text ?? (told?.code === undefined ? text : 'As told')
    const speak = () => this.#say(finalCode, words.replaceAll('{recipient}', recipient))
    if (told?.held) this.#desk.hold(speak)
    else speak()
    if (isLast) this.#socket.end()
  }

  #say(code: number, text: string): void {
    if (this.#socket.destroyed) return
    const lines = text.split('\n')
    const said = lines.map((line, n) => `${code}${n < lines.length - 1 ? '-' : ' '}${line}\r\n`)
    this.#socket.write(said.join(''))
  }
}

/** Where the content ends: before its line of one dot; -1 while that has not come. */
function endOfContent(buffer: Buffer): number {
  if (buffer.subarray(0, 3).toString('latin1') === '.\r\n') return 0
  const at = buffer.indexOf('\r\n.\r\n')
  return at === -1 ? -1 : at + 2
}

function path(argument: string): { address: string; parameters: string[] } {
  const found = /^(?:FROM|TO):\s*<([^>]*)>\s*(.*)$/i.exec(argument)
  return { address: found?.[1] ?? '', parameters: found?.[2] ? found[2].split(' ') : [] }
}

function messageOf(envelope: Envelope, raw: Uint8Array, user: string | undefined): SmtpMessage {
  const text = new TextDecoder().decode(raw)
  const [head = ''] = text.split(/\r?\n\r?\n/, 1)
  const unfolded = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  return {
    from: envelope.from,
    to: envelope.to,
    mailParameters: envelope.mailParameters,
    rcptParameters: envelope.rcptParameters,
    ...(user !== undefined && { user }),
    raw,
    text,
    field(name) {
      const start = `${name.toLowerCase()}:`
      return unfolded
        .find((line) => line.toLowerCase().startsWith(start))
        ?.slice(start.length)
        .trim()
    },
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}
