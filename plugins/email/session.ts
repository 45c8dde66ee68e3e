import type { Socket } from 'node:net'
import type { ChannelContext } from '@engawa/sdk'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { type Config, greetingName, portOf } from './config.ts'

/** A conversation with the relay, signed in where the configuration says how. */
export interface Session {
  readonly connection: SMTPConnection
  /** The answer of one step, or what broke the conversation in the meantime. */
  step<T>(ask: (done: (error: Error | null | undefined, answer?: T) => void) => void): Promise<T | undefined>
}

/** The relay could not be reached, so nothing can have been sent. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** The relay offers no way to sign in, and we are to. */
export class NoSignIn extends Error {
  override readonly name = 'NoSignIn'
}

/**
 * Connects through `ctx`, greets, encrypts and signs in, does the work and says good-bye. Throws Unreachable, NoSignIn
 * or the error of nodemailer for the step that failed. The connection ends at once when the context's signal aborts.
 */
export async function converse<T>(
  ctx: ChannelContext<Config>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { config, signal } = ctx
  const isTls = config.tls === 'implicit'
  const socket = await reach(ctx, isTls)
  const connection = new SMTPConnection({
    host: config.host,
    connection: socket,
    secure: isTls,
    secured: isTls,
    requireTLS: config.tls === 'starttls',
    ignoreTLS: config.tls === 'none',
    name: greetingName(config),
    socketCloseTimeout: 1_000,
  })
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {}) // whoever waits for a step hears of it
  connection.on('error', broken.reject)
  // A step that failed says more, and says it right after.
  connection.on('end', () => setImmediate(broken.reject, new Error('The relay ended the conversation.')))
  const abort = () => {
    broken.reject(new Error('The attempt was given up.'))
    socket.destroy()
  }
  signal.addEventListener('abort', abort)
  const step: Session['step'] = (ask) =>
    Promise.race([
      broken.promise,
      new Promise<Parameters<Parameters<typeof ask>[0]>[1]>((resolve, reject) => {
        ask((error, answer) => (error ? reject(error) : resolve(answer)))
      }),
    ])
  try {
    if (signal.aborted) abort()
    await step((done) => connection.connect(done))
    await signIn(connection, { config, step })
    const answer = await work({ connection, step })
    connection.quit()
    return answer
  } catch (error) {
    connection.close()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function reach(ctx: ChannelContext<Config>, tls: boolean): Promise<Socket> {
  try {
    const connection = await ctx.connect({ host: ctx.config.host, port: portOf(ctx.config), tls })
    return connection as Socket // what the SDK promises of it
  } catch (cause) {
    throw new Unreachable('The relay could not be reached.', { cause })
  }
}

async function signIn(
  connection: SMTPConnection,
  { config: { user, password }, step }: { config: Config; step: Session['step'] },
): Promise<void> {
  if (user === undefined || password === undefined) return
  if (!connection.allowsAuth) throw new NoSignIn('The relay offers no way to sign in.')
  await step((done) => connection.login({ user, pass: password }, done))
}
