import { once } from 'node:events'
import pg from 'pg'
import { expect, test } from 'vitest'
import { isOutage } from '../../api/platform/outage.ts'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()

test('a connection that died between two statements is an outage, not a fault of ours', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  const { rows } = await client.query('select pg_backend_pid() as pid')
  const dies = once(client, 'error')
  client.on('error', () => {})
  await onServer(database.url, (other) => other.query('select pg_terminate_backend($1)', [rows[0].pid]))
  await dies
  const failure = await client.query('select 1').then(
    () => expect.fail('it answered'),
    (error: Error) => error,
  )
  expect(failure.message).toBe('Client has encountered a connection error and is not queryable')
  expect(isOutage(failure)).toBe(true)
  expect(isOutage(new Error('Client is missing'))).toBe(false)
})
