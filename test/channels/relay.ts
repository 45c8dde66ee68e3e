import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import email from '@engawa/channel-email'
import type { Message, Outcome, SendContext } from '@engawa/sdk'
import { type SmtpServer, type SmtpServerOptions, smtpServer } from '@engawa/sdk/fakes'
import { expect, onTestFinished } from 'vitest'
import { context, key } from './provider.ts'

/** A tenant's configuration of e-mail, as the plugin reads it. */
export type EmailConfig = SendContext<Parameters<typeof email.send>[0]['config']>['config']

/** What `given` comes to by the plugin's schema, over a relay without TLS. */
export async function emailConfig(given: object = {}): Promise<EmailConfig> {
  const read = await email.config.schema['~standard'].validate({
    host: '127.0.0.1',
    tls: 'none',
    from: 'news@hanasaku.example',
    ...given,
  })
  return 'value' in read ? read.value : expect.fail(JSON.stringify(read.issues))
}

/** A fake relay for this test. */
export async function relay(options?: SmtpServerOptions): Promise<SmtpServer> {
  const server = await smtpServer(options)
  onTestFinished(() => server.close())
  return server
}

/** Connects for real, as the host does, and lets go when the signal aborts. */
export async function connecting(
  { host, port, tls }: { host: string; port: number; tls?: boolean },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = tls ? connectTls({ host, port, servername: 'localhost' }) : connectPlain({ host, port })
  signal.addEventListener('abort', () => socket.destroy())
  await once(socket, tls ? 'secureConnect' : 'connect')
  return socket
}

/** A context that reaches relays on this machine. */
export function overSmtp(
  config: EmailConfig,
  told: Partial<SendContext<EmailConfig>> = {},
): SendContext<EmailConfig> {
  const { signal = AbortSignal.timeout(5_000) } = told
  return context(config, { signal, connect: (target) => connecting(target, signal), ...told })
}

/** Prepares what is said to Taro, who reads Japanese. */
export function prepared(content: object = {}, message: Partial<Message> = {}, address = 'taro@example.com') {
  const said = { title: 'ご注文ありがとうございます', body: 'ご注文42を承りました。', ...content }
  const preparation = email.content.prepare(said, address, { key, locale: 'ja', ...message })
  return preparation.ok ? preparation.prepared : expect.fail(JSON.stringify(preparation.fault))
}

/** Sends it over the relay. */
export async function sendOver(
  server: { readonly port: number },
  { given, told }: { given?: object; told?: Partial<SendContext<EmailConfig>> } = {},
): Promise<Outcome> {
  return email.send(overSmtp(await emailConfig({ port: server.port, ...given }), told), prepared())
}
