import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { expect, it } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { history } from '../support/history.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const open = testApp({ role: 'web' })

/** Reads a screen and its place in the log; the place is asked for last, and has to be read first. */
async function screen(shop: Shop, token: string) {
  const query =
    '{ viewer { member { wallet { postings(first: 100) { nodes { transaction { id } } } } } asOf } }'
  const { data } = await shop.ask(token, query)
  const nodes: { transaction: { id: string } }[] = data.viewer.member.wallet?.postings.nodes ?? []
  return { seen: nodes.map(({ transaction }) => transaction.id), asOf: String(data.viewer.asOf) }
}

async function grantAt(shop: Shop, { by }: TestMember, milliseconds: number): Promise<string> {
  await delay(milliseconds)
  const { transaction } = await shop.do('grantPoints', { member: by, points: 1, reason: 'Race' })
  return transaction.id
}

it('what a screen does not show comes as an event after its asOf: nothing falls between, 20 races', async () => {
  const shop = await open()
  const selection = 'id type at member { id } ... on PointsPosted { transaction { id } }'
  let shown = 0
  let told = 0
  for (let race = 0; race < 20; race++) {
    const member = await shop.member(`mia-${race}`)
    const writing = Promise.all(Array.from({ length: 12 }, (_, i) => grantAt(shop, member, i * 1.5)))
    await delay(2 + (race % 10) * 2)
    const { seen, asOf } = await screen(shop, member.token)
    const written = await writing
    const events = await history(shop, member.token, { after: asOf, selection })
    const after = events.map(({ transaction }) => (transaction as { id: string }).id)
    expect(new Set([...seen, ...after])).toEqual(new Set(written))
    shown += seen.length
    told += after.length
  }
  console.log(`20 races: ${shown} grants on the screen, ${told} as events after its asOf, 0 of 240 missed`)
  expect(shown).toBeGreaterThan(20)
  expect(told).toBeGreaterThan(20)
})

it('is read before the screen, however slow it is to come', async () => {
  const shop = await open()
  const mia = await shop.member('mia')
  const logged = () => headPos(shop)
  await onServer(shop.ground.databaseUrl, async (blocker) => {
    await blocker.query('begin; lock table sequencer in access exclusive mode')
    const asked = screen(shop, mia.token)
    await until(() => isWaiting(blocker))
    const before = await logged()
    const grant = await grantAt(shop, mia, 0)
    await until(async () => (await logged()) > before)
    await blocker.query('rollback')
    const { seen, asOf } = await asked
    expect(seen).toEqual([grant])
    expect(await history(shop, mia.token, { after: asOf })).toEqual([])
  })
})

it('is the same wherever a document asks for it', async () => {
  const shop = await open()
  const mia = await shop.member('mia')
  const { data } = await shop.ask(mia.token, '{ last: viewer { member { id } asOf } first: viewer { asOf } }')
  expect(data.first.asOf).toBe(data.last.asOf)
})

async function isWaiting(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_locks where relation = 'sequencer'::regclass and not granted`,
  )
  return rows.length > 0
}

async function headPos({ ground, tenant }: Shop): Promise<number> {
  const { rows } = await ground.app.db.system.query('select pos::int from event_head where tenant_id = $1', [
    tenant.id,
  ])
  return rows[0]?.pos ?? 0
}
