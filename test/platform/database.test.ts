import { expect, test } from 'vitest'
import { ownCluster, testDatabase, usingDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const shared = testDatabase()

test('a test database has the whole schema and nobody else in it', async () => {
  const database = await usingDatabase()
  const { rows } = await onServer(database.url, (client) => client.query('select count(*)::int from tenant'))
  expect(rows).toEqual([{ count: 0 }])
})

test('the database of a file is another one', async () => {
  const database = await usingDatabase()
  expect(database.url).not.toBe(shared.url)
})

test('an own cluster keeps what was committed before kill -9', async () => {
  const cluster = await ownCluster()
  await onServer(cluster.url, (client) => client.query('create table kept as select 1 as n'))
  await cluster.crash()
  await cluster.restart()
  const { rows } = await onServer(cluster.url, (client) => client.query('select n from kept'))
  expect(rows).toEqual([{ n: 1 }])
})
