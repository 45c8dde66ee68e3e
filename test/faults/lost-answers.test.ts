import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { openApp } from '../../api/app.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'
import { cuttingProxy } from '../support/cutting-proxy.ts'
import { testDatabase } from '../support/database.ts'
import { recorded } from '../support/recording.ts'
import { Shop } from '../support/shop.ts'

const database = testDatabase()
const CUTS = Number(process.env.ENGAWA_FAULTS ?? 100)

it(`${CUTS} times cut off after the commit, a retry finds it done: the books never count it twice`, async () => {
  const proxy = await cuttingProxy(database.url)
  const shop = await openShop(proxy.url)
  const { by: member, token } = await shop.member('mia')
  const select = 'transaction { id } wallet { available }'
  const direct = new pg.Client({ connectionString: database.url })
  await direct.connect()
  onTestFinished(() => direct.end())
  let committed = 0
  let wrong = 0
  for (let cut = 1; cut <= CUTS; cut++) {
    const grant = { member, points: 1, reason: 'Cut', idempotencyKey: `cut-${cut}.` }
    proxy.cutAfter(grant.idempotencyKey)
    expect(await shop.do('grantPoints', grant)).toMatchObject({ code: 'UNAVAILABLE' })
    const { rowCount } = await direct.query('select from op where idempotency_key = $1', [
      grant.idempotencyKey,
    ])
    committed += rowCount ?? 0
    const first = await shop.do('grantPoints', grant, { select })
    const again = await shop.do('grantPoints', grant, { select })
    expect(first.wallet.available).toBe(String(cut))
    if (again.transaction.id !== first.transaction.id || again.wallet.available !== String(cut)) wrong++
  }
  const query = '{ ledgerCheck { wallets differences { found } } viewer { member { wallet { available } } } }'
  const { data } = await shop.ask(shop.staff, query)
  const { data: own } = await shop.ask(token, '{ viewer { member { wallet { available } } } }')
  console.log(
    `${proxy.cuts} answers cut off, ${committed} of them committed: balance ${own.viewer.member.wallet.available}, ${wrong} wrong replays`,
  )
  expect([proxy.cuts, committed, wrong]).toEqual([CUTS, CUTS, 0])
  expect(own.viewer.member.wallet.available).toBe(String(CUTS))
  expect(data.ledgerCheck).toEqual({ wallets: 1, differences: [] })
}, 120_000)

/** An app whose every way to the database leads through an address, and a tenant of it. Its faults are ours to make. */
async function openShop(databaseUrl: string): Promise<Shop> {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-app-'))
  const config = readConfig({ PORT: '0', ENGAWA_DATA_DIR: dataDir })
  const app = await openApp({
    config,
    databaseUrl,
    role: 'web',
    log: openLog({ level: 'silent' }),
    deployment,
  })
  onTestFinished(async () => {
    await app.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  return Shop.open({ app, url: app.url ?? '', databaseUrl, dataDir, statements: recorded(app.db) })
}
