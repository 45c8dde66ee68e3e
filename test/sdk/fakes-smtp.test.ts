import { deliveryReport, type SmtpReply, type SmtpServerOptions, smtpServer } from '@engawa/sdk/fakes'
import { createTransport } from 'nodemailer'
import PostalMime from 'postal-mime'
import { expect, onTestFinished, test } from 'vitest'

async function started(options?: SmtpServerOptions, auth?: { user: string; pass: string; method?: string }) {
  const server = await smtpServer(options)
  onTestFinished(() => server.close())
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port,
    ignoreTLS: true,
    ...(auth && { auth, ...(auth.method && { authMethod: auth.method }) }),
  })
  const send = (over: object = {}) =>
    transport.sendMail({
      from: 'shop@shop.example',
      to: 'mika@example.com',
      subject: 'お知らせ',
      text: 'Hello\n.hidden dot\n..',
      ...over,
    })
  return { server, send }
}

test('a message arrives as it was sent, its dots too', async () => {
  const { server, send } = await started()
  await send({ messageId: '<k@shop.example>' })
  const [message] = server.messages
  expect(message).toMatchObject({ from: 'shop@shop.example', to: ['mika@example.com'] })
  expect(message?.field('message-id')).toBe('<k@shop.example>')
  const read = await PostalMime.parse(message?.raw ?? '')
  expect([read.subject, read.text?.trim()]).toEqual(['お知らせ', 'Hello\n.hidden dot\n..'])
})

test.each(['PLAIN', 'LOGIN'])('only who signs in by %s may send', async (method) => {
  const login = { user: 'shop', password: 'pw' }
  const good = await started({ login }, { user: 'shop', pass: 'pw', method })
  await good.send()
  expect(good.server.messages).toMatchObject([{ user: 'shop' }])
  const bad = await started({ login }, { user: 'shop', pass: 'no', method })
  await expect(bad.send()).rejects.toMatchObject({ responseCode: 535 })
  const nobody = await started({ login })
  await expect(nobody.send()).rejects.toMatchObject({ responseCode: 530 })
  expect(bad.server.sendings + nobody.server.sendings).toBe(0)
})

const stages: SmtpReply[] = [
  { at: 'connect', code: 421 },
  { at: 'mail', code: 451, text: '4.3.0 Not now' },
  { at: 'rcpt', code: 550, text: '5.1.1 <{recipient}> unknown' },
  { at: 'data', code: 554 },
  { at: 'dot', code: 552, text: '5.3.4 Too large' },
]
test.each(stages)('a refusal at $at is told, and takes nothing', async (reply) => {
  const { server, send } = await started()
  server.next(reply)
  const text = (reply.text ?? '').replace('{recipient}', 'mika@example.com')
  await expect(send()).rejects.toMatchObject({
    responseCode: reply.code,
    response: expect.stringContaining(text),
  })
  expect(server.messages).toEqual([])
  await send()
  expect(server.messages).toHaveLength(1)
})

test('a connection cut before the final dot took nothing; one cut after it did', async () => {
  const { server, send } = await started()
  server.next({ at: 'content', drop: true })
  await expect(send()).rejects.toThrow()
  expect([server.sendings, server.messages.length]).toEqual([1, 0])
  server.next({ at: 'dot', drop: true })
  await expect(send()).rejects.toThrow()
  expect([server.sendings, server.messages.length]).toEqual([2, 1])
})

test('an answer to the final dot can wait until it is released', async () => {
  const { server, send } = await started()
  server.answer({ at: 'dot', held: true })
  const pending = send()
  await server.took(1)
  server.release()
  expect((await pending).response).toBe('250 2.0.0 Taken')
})

test('what is asked of delivery reports is kept', async () => {
  const { server, send } = await started()
  await send({ dsn: { id: 'k', return: 'headers', notify: ['failure'], recipient: 'mika@example.com' } })
  expect(server.messages[0]?.mailParameters).toEqual(['RET=HDRS', 'ENVID=k'])
  expect(server.messages[0]?.rcptParameters).toEqual([['NOTIFY=FAILURE', 'ORCPT=rfc822;mika@example.com']])
})

test('a bounce is a report as of RFC 3464, with the head of the message', async () => {
  const { server, send } = await started()
  await send({
    messageId: '<k@shop.example>',
    envelope: { from: 'b+1@shop.example', to: 'mika@example.com' },
  })
  const [message] = server.messages
  const report = server.bounce(message ?? expect.fail('it did not arrive'), { status: '5.2.2' })
  const read = await PostalMime.parse(report)
  expect(read.to?.[0]?.address).toBe('b+1@shop.example')
  expect(report).toContain('Final-Recipient: rfc822; mika@example.com\r\nAction: failed\r\nStatus: 5.2.2\r\n')
  expect(report).toContain('Message-ID: <k@shop.example>')
  expect(report.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
})

test('a report may tell of a delay too', () => {
  const report = deliveryReport({
    returnPath: 'b@shop.example',
    recipient: 'mika@example.com',
    action: 'delayed',
    status: '4.2.2',
    original: 'Subject: a\n\nb',
  })
  expect(report).toContain('Action: delayed\r\nStatus: 4.2.2\r\n')
})
