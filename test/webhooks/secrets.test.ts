import { expect, test } from 'vitest'
import { rowsOf } from '../security/foreign.ts'
import { type Shop, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { isSignedWith, quick, type Receiver, receive, untilSent } from './receiver.ts'

const lines: string[] = []
const open = testApp({ ...quick, onLog: (line) => void lines.push(line) })

const rotate = async (shop: Shop, { endpoint }: Receiver): Promise<string> =>
  (await shop.do('rotateWebhookSecret', { endpoint })).secret

/** By which of the secrets the latest webhook is signed. */
async function signers({ provider }: Receiver, ...secrets: string[]): Promise<boolean[]> {
  const latest = provider.requests.at(-1) ?? expect.fail('nothing came')
  return Promise.all(secrets.map((secret) => isSignedWith(secret, latest)))
}

test('after a rotation the old secrets and the new one sign, for a day; then the new one alone', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  const second = await rotate(shop, receiver)
  const third = await rotate(shop, receiver)
  const secrets = [receiver.secret, second, third]
  await shop.member('a')
  await untilSent(shop, receiver)
  expect(await signers(receiver, ...secrets)).toEqual([true, true, true])
  const { oldSecretsEndAt } = await receiver.look('oldSecretsEndAt')
  expect(Date.parse(oldSecretsEndAt) - Date.now()).toBeGreaterThan(86_300_000)
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `update webhook_secret set expires_at = expires_at - interval '24 hours' where tenant_id = $1`,
      [shop.tenant.id],
    ),
  )
  await shop.member('b')
  await untilSent(shop, receiver)
  expect(await signers(receiver, ...secrets)).toEqual([false, false, true])
})

test('however often somebody rotates, at most five secrets sign', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  const secrets = [receiver.secret]
  for (let i = 0; i < 6; i++) secrets.push(await rotate(shop, receiver))
  await shop.member('a')
  await untilSent(shop, receiver)
  expect(await signers(receiver, ...secrets)).toEqual([false, false, true, true, true, true, true])
})

test('a repeated request to add is answered with the endpoint, and not with its secret', async () => {
  const shop = await open()
  const input = { idempotencyKey: 'once', url: 'https://hooks.example.com/' }
  const added = await Promise.all(Array.from({ length: 20 }, () => shop.do('addWebhookEndpoint', input)))
  expect(new Set(added.map(({ endpoint }) => endpoint.id)).size).toBe(1)
  expect(added.filter(({ secret }) => secret !== null)).toHaveLength(1)
  const other = { ...input, url: 'https://other.example.com/' }
  expect(await shop.do('addWebhookEndpoint', other)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test('a secret stands nowhere: no table, no event, no job, no log, no later answer', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  const secrets = [receiver.secret, await rotate(shop, receiver)]
  receiver.provider.next({ status: 500, body: ({ headers }) => ({ heard: [...headers] }) })
  await shop.member('a')
  await untilSent(shop, receiver)
  const bytes = secrets.map((secret) => Buffer.from(secret.slice(6), 'base64'))
  const forms = [...secrets.map((secret) => secret.slice(6)), ...bytes.map((key) => key.toString('hex'))]
  const jobs = await onServer(shop.ground.databaseUrl, (client) =>
    client.query('select j::text from pgboss.job j'),
  )
  const answers = await shop.ask(shop.staff, '{ webhookEndpoints { nodes { url types scopes } } }')
  const texts = [
    ...Object.values(await rowsOf(shop)),
    ...lines,
    JSON.stringify(jobs.rows),
    JSON.stringify(answers),
  ]
  expect(texts.join().length).toBeGreaterThan(5_000)
  for (const form of forms) expect(texts.filter((text) => text.includes(form))).toEqual([])
  expect(lines.filter((line) => line.includes(receiver.provider.host))).toEqual([])
})

test('a secret that was moved to another endpoint cannot be opened, and its events wait without being tried', async () => {
  const shop = await open()
  const [mine, other] = [await receive(shop), await receive(shop)]
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `update webhook_secret s set (sealed, data_key) = (select o.sealed, o.data_key from webhook_secret o
         where o.tenant_id = s.tenant_id and o.id <> s.id) where s.tenant_id = $1`,
      [shop.tenant.id],
    ),
  )
  await shop.member('a')
  const faults = async () => [(await mine.look()).lastFault, (await other.look()).lastFault]
  await expect.poll(faults).toEqual(['SECRET', 'SECRET'])
  expect([mine.tries, other.tries, (await mine.look()).attempt]).toEqual([[], [], 0])
})
