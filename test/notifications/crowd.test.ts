import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openVillage } from './village.ts'

const database = testDatabase()
/** Large with the fault tests, small otherwise: the statements are the same. */
const followers = process.env.ENGAWA_FAULTS ? 10_000 : 200

test(`a post to ${followers} followers is one row for who writes it, and is told to all of them by the worker`, async () => {
  const village = await openVillage(database.url)
  const aki = await village.neighbour('Aki')
  await village.sql(
    `select member_register(null, null, 'f' || i, 'F', null, 'en', null, null, 'test') from generate_series(1, $1) i`,
    [followers],
  )
  await village.sql(
    `insert into follow (tenant_id, member_id, kind, target, since)
     select tenant_id, id, 'MEMBER', $1, now() from member where tenant_id = current_tenant() and id <> $2`,
    [aki, aki],
  )
  const at = performance.now()
  await village.write(aki)
  const wrote = performance.now()
  const [waiting] = await village.sql<{ n: number }>(
    'select count(*)::int as n from notification_fact where tenant_id = current_tenant()',
  )
  await village.settle()
  const told = performance.now()
  const [count] = await village.sql<{ n: number }>(
    'select count(*)::int as n from notification_part where tenant_id = current_tenant()',
  )
  if (process.env.ENGAWA_FAULTS)
    process.stderr.write(`wrote in ${Math.round(wrote - at)} ms, told in ${Math.round(told - wrote)} ms\n`)
  expect([waiting?.n, count?.n]).toEqual([1, followers])
}, 300_000)
