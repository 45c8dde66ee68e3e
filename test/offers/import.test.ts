import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { testDatabase } from '../support/database.ts'
import { ownProduct } from '../support/product.ts'
import { generateLog } from './log.ts'
import { completed, hour, importLog, openTenant } from './tenant.ts'

const database = testDatabase()
let db: Db
beforeAll(async () => {
  db = openDb({ url: database.url, appConnections: 4, systemConnections: 1 })
  return () => db.close()
})

const offer = {
  ...{ kind: 'offer', id: 'total', type: 'SPEND_TOTAL', threshold: 1000, thresholdIs: 'AT_LEAST' },
  ...{ reward: 200, validFor: 'PT10H', endIs: 'INCLUSIVE' },
}
const receipt = (key: string, at: number, more: object = {}) => ({
  ...{ kind: 'receipt', key, member: 'mia', offer: 'total', at: hour(at), ...more },
})
const purchase = (orderId: string, at: number, total: unknown, more: object = {}) => ({
  ...{ kind: 'purchase', member: 'mia', orderId, at: hour(at), currency: 'USD', total, ...more },
})

async function count<Row>(tx: TenantClient, text: string): Promise<Row[]> {
  return tx.query<Row>({ text, values: [] })
}

test('lines that cannot be taken are named with their reason, and the others are taken', async () => {
  const tx = await openTenant(db, 0)
  const { sum, rejected } = await importLog(tx, [
    { ...offer, note: 'more fields are passed over' },
    'not json',
    { kind: 'gift' },
    { ...offer, id: 'bad', validFor: '7 days' },
    receipt('r-1', 1),
    receipt('r-2', 1, { offer: 'unknown' }),
    receipt('r-1', 2),
    { ...receipt('r-3', 1), at: '2026-02-30T00:00:00Z' },
    purchase('o-1', 2, 10.5),
    { ...purchase('o-2', 2, '600'), at: hour(2).replace('.000Z', '+0000') },
    purchase('o-3', 3, 400, { currency: 'XXX' }),
    purchase('o-4', 3, 400),
    { kind: 'view', member: 'mia', offer: 'other', at: hour(3) },
    { kind: 'view', member: 'mia', offer: 'total', at: hour(3) },
    '',
  ])
  expect(sum).toEqual({ offers: 1, receipts: 1, views: 1, purchases: 2, members: 1, known: 0, rejected: 9 })
  expect(rejected.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual([
    '2: this is not JSON: not json',
    '3: kind "gift" is none of offer, receipt, view, purchase',
    expect.stringMatching(/^4: offer\.validFor: must be a length of time/),
    '6: there is no offer unknown',
    '7: receipt r-1 stands in the file twice, with different contents',
    expect.stringMatching(/^8: at "2026-02-30T00:00:00Z" is not an instant/),
    '9: total 10.5 is not a whole number of minor units, zero or more',
    '11: currency "XXX" is not a code of ISO 4217, such as USD or JPY',
    '13: mia had not received offer other by then',
  ])
  expect(await completed(tx)).toEqual(['r-1: o-4'])
})

test('a view counts for a receipt of the same instant, in whatever order the two stand in the log', async () => {
  const tx = await openTenant(db, 0)
  const view = { kind: 'view', member: 'mia', offer: 'total', at: hour(1) }
  const log = [offer, view, receipt('r-1', 1), purchase('o-1', 1, 5), receipt('r-2', 1, { member: 'noa' })]
  const { sum, rejected } = await importLog(tx, log)
  expect([sum.views, rejected]).toEqual([1, []])
  expect((await importLog(tx, log)).sum).toMatchObject({ views: 0, receipts: 0, purchases: 0, known: 5 })
})

test('keys that are numbers are the same keys as their digits', async () => {
  const tx = await openTenant(db, 0)
  await importLog(tx, [
    offer,
    receipt('7', 1, { key: 7, member: 42 }),
    purchase('9', 2, 1000, { orderId: 9, member: 42 }),
  ])
  const again = [receipt('7', 1, { member: '42' }), purchase('9', 2, 1000, { member: '42' })]
  expect((await importLog(tx, again)).sum).toMatchObject({ known: 2, rejected: 0 })
  expect(await completed(tx)).toEqual(['7: 9'])
})

test('a reward of money is given in the currency of the purchase, once for each completion', async () => {
  const tx = await openTenant(db, 0)
  const log = [offer, receipt('r-1', 1), receipt('r-2', 1), purchase('o-1', 2, 1000, { currency: 'EUR' })]
  await importLog(tx, log)
  await importLog(tx, log)
  const given = 'select g.minor::int, g.currency from benefit_grant g where own(g)'
  expect(await count(tx, given)).toEqual([
    { minor: 200, currency: 'EUR' },
    { minor: 200, currency: 'EUR' },
  ])
})

test('a test clock moves on with the log, never back, and what is over by then is booked', async () => {
  const tx = await openTenant(db, 0)
  await importLog(tx, [offer, receipt('r-1', 1), purchase('o-1', 12, 5), purchase('late', 2, 6)])
  const [{ now, state } = {}] = await count<{ now: Date; state: string }>(
    tx,
    'select tenant_now(r.tenant_id) as now, r.state from offer_receipt r where own(r)',
  )
  expect([now?.toISOString(), state]).toEqual([hour(12), 'EXPIRED'])
  // A purchase in time that comes to light late completes it all the same.
  await importLog(tx, [purchase('later', 11, 994)])
  expect(await completed(tx)).toEqual(['r-1: later'])
})

describe('a log of a thousand lines', () => {
  it('is taken once: a second run, and a third of the rest after a half, change nothing', async () => {
    const lines = [...generateLog({ members: 60, purchases: 9 })]
    const [whole, inParts] = [await openTenant(db, -24), await openTenant(db, -24)]
    const { sum, rejected } = await importLog(whole, lines)
    expect(rejected).toEqual([])
    expect(sum.purchases + sum.receipts).toBeGreaterThan(700)
    const completions = await completed(whole)
    expect(completions.length).toBeGreaterThan(50)
    expect((await importLog(whole, lines)).sum).toMatchObject({
      offers: 0,
      receipts: 0,
      views: 0,
      purchases: 0,
    })
    expect(await completed(whole)).toEqual(completions)
    await importLog(inParts, lines.slice(0, 500))
    await importLog(inParts, lines)
    expect(await completed(inParts)).toEqual(completions)
  })
})

const product = ownProduct()

test('the commands load a log and print what was completed, by instant, member and receipt', async () => {
  const file = join(product.dataDir, 'log.ndjson')
  const more = [
    receipt('z', 1, { member: 'aki' }),
    receipt('b', 1),
    receipt('a', 1),
    purchase('o-1', 3, 1000),
  ]
  const lines = [offer, ...more, purchase('o-2', 2, 1000, { member: 'aki' }), { kind: 'receipt' }]
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  await product.run('tenant', 'create', '--key', 'shop', '--name', 'Shop', '--clock', '2026-03-01')
  expect(await product.run('import', 'offers', '--tenant', 'shop', '--file', file)).toEqual({
    code: 0,
    stdout:
      '1 offers, 3 receipts, 0 views and 2 purchases imported, 0 lines known before, 1 lines rejected, 2 members registered.\n',
    stderr: expect.stringContaining('line 7: member that is missing is not a text of 1 to 200 characters'),
  })
  const { stdout } = await product.run('export', 'completions', '--tenant', 'shop')
  expect(stdout.trim().split('\n')).toEqual([
    '{"member":"aki","offer":"total","receipt":"z","at":"2026-03-01T02:00:00.000Z","orderId":"o-2"}',
    '{"member":"mia","offer":"total","receipt":"a","at":"2026-03-01T03:00:00.000Z","orderId":"o-1"}',
    '{"member":"mia","offer":"total","receipt":"b","at":"2026-03-01T03:00:00.000Z","orderId":"o-1"}',
  ])
})
