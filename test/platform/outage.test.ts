import { once } from 'node:events'
import { createServer } from 'node:net'
import pg from 'pg'
import { expect, test } from 'vitest'
import { isOutage } from '../../api/platform/outage.ts'

test('a connection that dies between two statements is an outage, not a fault of ours', async () => {
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.write(Buffer.from('52000000080000000052000000084500', 'hex').subarray(0, 9)),
    )
    socket.on('error', () => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const client = new pg.Client({
    host: '127.0.0.1',
    port: port ?? 0,
    user: 'nobody',
    connectionTimeoutMillis: 300,
  })
  client.on('error', () => {})
  const failure = await client.connect().then(
    () => expect.fail('it connected'),
    (error: unknown) => error,
  )
  const later = await client.query('select 1').then(
    () => expect.fail('it answered'),
    (error: unknown) => error,
  )
  server.close()
  expect([isOutage(failure), isOutage(later)]).toEqual([true, true])
  expect(isOutage(new Error('Client is a Mutable'))).toBe(false)
})
