import { expect, test } from 'vitest'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, scripted } from './shop.ts'
import { accepted, openStage, refused } from './stage.ts'

const database = testDatabase()

/*
 * What delivering costs in statements, each of which is one round trip and one transaction: the brief, the text, the
 * claim, and the settlement of each address. A deployment's channel reads its settings besides.
 */

const push = (...script: Parameters<typeof scripted>[1]) =>
  scripted({ mode: 'none' }, script, undefined, { id: 'push', kind: 'push', own: false })

test.each([
  [1, 4],
  [3, 6],
])('a touch to %i devices is delivered in %i statements', async (devices, count) => {
  const channel = push(accepted)
  const stage = await openStage(database.url, channel)
  const { statements, run } = await counted(stage, channel.plugins)
  const member = await stage.member()
  await stage.agree(member, 'push')
  for (let i = 0; i < devices; i++) await stage.address(member, 'push', `device ${i}`)
  const touchpoint = await stage.plan(member, { channels: ['push'], purpose: 'offers' })
  expect(await run(touchpoint)).toBe('settled')
  expect(channel.sent).toHaveLength(devices)
  expect(statements).toHaveLength(count)
})

test('a second attempt takes three, because it is written already', async () => {
  const channel = push(refused('rate', 'later'), accepted)
  const stage = await openStage(database.url, channel)
  const { statements, run } = await counted(stage, channel.plugins)
  const member = await stage.member()
  await stage.agree(member, 'push')
  await stage.address(member, 'push', 'phone')
  const touchpoint = await stage.plan(member, { channels: ['push'], purpose: 'offers' })
  await run(touchpoint)
  statements.length = 0
  await stage.at('2026-04-01T00:01:00Z')
  expect(await run(touchpoint)).toBe('settled')
  expect(statements.map((text) => /touchpoint_(claim|settle)|from touchpoint/.exec(text)?.[0])).toEqual([
    'from touchpoint',
    'touchpoint_claim',
    'touchpoint_settle',
  ])
})

async function counted(
  { tenant }: Awaited<ReturnType<typeof openStage>>,
  plugins: ReturnType<typeof push>['plugins'],
) {
  const statements: string[] = []
  const client = Object.assign(Object.create(tenant) as typeof tenant, {
    query: (statement: Parameters<typeof tenant.query>[0]) => {
      statements.push(statement.text)
      return tenant.query(statement)
    },
  })
  const ports = { channels: await channelsOf(plugins), clock: processClock }
  return { statements, run: (touchpoint: string) => deliver(client, touchpoint, ports) }
}
