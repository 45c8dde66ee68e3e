import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { hostName, hostsIn } from '../../api/host/member-hosts.ts'
import { openEgress } from '../../api/platform/egress.ts'

test.each([
  [{ endpoint: 'https://Push.Internal:8443/x', keys: { auth: 'a' } }, 'push.internal', true],
  ['hana@relay.internal', 'relay.internal', true],
  ['http://2130706433/', '127.0.0.1', true],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['10.0.0.5:25', '10.0.0.5', true],
  ['hana@example.com', 'relay.internal', false],
])('of the address %j, the host %s: %s', (address, host, isIn) => {
  expect(hostsIn(address).has(hostName(host))).toBe(isIn)
})

/** A server that says nothing, and its port. */
async function listening(): Promise<number> {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : expect.fail('it has no port')
}

test('a connection reaches no private address, by number or by name, unless the operator allows it', async () => {
  const port = await listening()
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const strict = openEgress({ allow: [], resolve })
  for (const host of ['127.0.0.1', 'relay.example']) {
    await expect(strict.connect({ host, port }, { timeoutMs: 1_000 })).rejects.toMatchObject({
      reason: 'refused',
    })
  }
  const allowed = openEgress({ allow: [`relay.example:${port}`], resolve })
  const socket = await allowed.connect({ host: 'relay.example', port }, { timeoutMs: 1_000 })
  socket.destroy()
})

test('a name that comes to mean a private address is refused when it does', async () => {
  const port = await listening()
  let address = '192.0.2.1'
  const egress = openEgress({ allow: [], resolve: async () => [{ address, family: 4 }] })
  address = '127.0.0.1'
  const connecting = egress.connect({ host: 'relay.example', port }, { timeoutMs: 1_000 })
  await expect(connecting).rejects.toMatchObject({ reason: 'refused', mayHaveArrived: false })
})

test('an abort destroys the connection', async () => {
  const port = await listening()
  const giveUp = new AbortController()
  const egress = openEgress({ allow: ['127.0.0.1'] })
  const socket = await egress.connect(
    { host: '127.0.0.1', port },
    { timeoutMs: 5_000, signal: giveUp.signal },
  )
  const failed = once(socket, 'error')
  giveUp.abort()
  expect(await failed).toMatchObject([{ reason: 'aborted' }])
  expect(socket.destroyed).toBe(true)
})
