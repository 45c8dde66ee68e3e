// Where webhooks go: to public addresses, whatever the operator allows elsewhere.
import { httpProvider } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'
import { openEgress, type Resolve } from '../../api/platform/egress.ts'
import { type Shop, testApp, usingApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { quick, receive } from './receiver.ts'

async function server() {
  const started = await httpProvider()
  onTestFinished(() => started.close())
  return { ...started, started, port: started.host.split(':')[1] }
}

const state = async (shop: Shop, endpoint: string) => {
  const query =
    'query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { attempt lastFault lastStatus } } }'
  return (await shop.ask(shop.staff, query, { id: endpoint })).data.node
}

const allowed = '127.0.0.1,localhost,169.254.169.254,10.1.2.3,[::ffff:7f00:1],hooks.example.com'
const openAllowing = testApp({ role: 'web', env: { ENGAWA_EGRESS_ALLOW: allowed } })

test.each([
  ['https://127.0.0.1/', 'private or reserved'],
  ['http://127.0.0.1/', 'https'],
  ['http://localhost/', 'https'],
  ['https://2130706433/', 'private or reserved'],
  ['https://[::ffff:7f00:1]/', 'private or reserved'],
  ['https://169.254.169.254/latest/meta-data/', 'private or reserved'],
  ['https://10.1.2.3/', 'private or reserved'],
  ['https://user:pass@hooks.example.com/', 'user name'],
  ['https://hooks.example.com:25/', 'port'],
  ['ftp://hooks.example.com/', 'https'],
])('%s is refused as it is written, though the operator allows it to others', async (url, why) => {
  const shop = await openAllowing()
  const refused = { code: 'BAD_INPUT', field: 'input.url', message: expect.stringContaining(why) }
  expect(await shop.do('addWebhookEndpoint', { url })).toMatchObject(refused)
  const { endpoint } = await shop.do('addWebhookEndpoint', { url: 'https://hooks.example.com/' })
  expect(await shop.do('updateWebhookEndpoint', { endpoint: endpoint.id, url })).toMatchObject(refused)
})

test('a name that leads to a private address is not connected to, though the operator allows it to others', async () => {
  const inner = await server()
  const env = { ENGAWA_EGRESS_ALLOW: `localhost:${inner.port},127.0.0.1` }
  const open = await usingApp({ env, webhooks: { waits: [0, 60_000] } })
  const shop = await open()
  const url = `https://localhost:${inner.port}/`
  const { endpoint } = await shop.do('addWebhookEndpoint', { url })
  await shop.member('mia')
  await until(async () => (await state(shop, endpoint.id)).attempt === 1)
  expect(await state(shop, endpoint.id)).toEqual({
    attempt: 1,
    lastFault: 'REFUSED_ADDRESS',
    lastStatus: null,
  })
  expect(inner.started.connections).toBe(0)
})

test('a name whose address changes is judged at each connection, and a mixed answer is a private one', async () => {
  const inner = await server()
  const answers = [['192.0.43.8'], ['127.0.0.1'], ['192.0.43.8', '127.0.0.1'], ['::1']]
  const asked: string[] = []
  const resolve: Resolve = async (host) => {
    asked.push(host)
    return (answers[asked.length - 1] ?? ['127.0.0.1']).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
  }
  await resolve('rebind.example') // what a look at the time of adding would have seen
  const publicEgress = openEgress({ allow: [], resolve })
  const open = await usingApp({ publicEgress, webhooks: { ...quick.webhooks, waits: [0, 10, 10] } })
  const shop = await open()
  await shop.do('addWebhookEndpoint', { url: `https://rebind.example:${inner.port}/` })
  await shop.member('mia')
  await until(() => asked.length === 4)
  const query = '{ webhookEndpoints { nodes { failures { nodes { attempts lastFault } } } } }'
  const failures = async () =>
    (await shop.ask(shop.staff, query)).data.webhookEndpoints.nodes[0].failures.nodes
  await until(async () => (await failures()).length === 1)
  expect(await failures()).toEqual([{ attempts: 3, lastFault: 'REFUSED_ADDRESS' }])
  expect([asked, inner.started.connections]).toEqual([Array(4).fill('rebind.example'), 0])
})

test('a redirect is a failure and is not followed', async () => {
  const inner = await server()
  const open = await usingApp({ ...quick, webhooks: { waits: [0, 60_000] } })
  const shop = await open()
  const receiver = await receive(shop)
  receiver.provider.answer({ status: 307, headers: { location: inner.started.url } })
  await shop.member('mia')
  await until(async () => (await receiver.look()).attempt === 1)
  expect(await receiver.look()).toMatchObject({ lastFault: 'REDIRECT', lastStatus: 307 })
  expect([receiver.accepted, inner.started.connections]).toEqual([[], 0])
})
