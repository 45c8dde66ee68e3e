import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { importPurchases, replayImported } from '../../api/domains/purchases/index.ts'
import { openDb, type TenantClient } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { usingDatabase } from '../support/database.ts'
import { ownProduct, type Ran, type Server } from '../support/product.ts'
import { onServer } from '../support/server.ts'
import { staffToken } from './population.ts'

const product = ownProduct()
let server: Server

beforeAll(async () => {
  server = await product.serve()
})

async function importFile(tenant: string, text: string, ...more: string[]): Promise<Ran> {
  const file = join(product.dataDir, `${tenant}.csv`)
  await writeFile(file, text)
  await product.run(
    'tenant',
    'create',
    '--key',
    tenant,
    '--name',
    tenant,
    '--time-zone',
    'Asia/Tokyo',
    '--clock',
    '2026-06-01',
  )
  return product.run('import', 'purchases', '--tenant', tenant, '--file', file, ...more)
}

async function purchase(tenant: string, orderId: string): Promise<unknown> {
  const query = `{ purchase(orderId: "${orderId}") {
    purchasedAt currency total member { displayName email } lines { sku name quantity amount }
  } }`
  const { data } = await server.ask<{ purchase: unknown }>(query, {
    token: await staffToken(product, tenant),
  })
  return data.purchase
}

it('loads a file with ten bad lines but for those, and names each of them', async () => {
  const header = 'external_id,order_id,purchased_at,currency,total,email,sku,quantity'
  const good = Array.from({ length: 90 }, (_, i) => `m${i % 7},G-${i},2026-05-0${1 + (i % 9)},EUR,${i}.50,,,`)
  const bad = [
    'm1,B-1,2026-05-01,XXX,1.00,,,',
    'm1,B-2,2026-05-01,EUR,-1.00,,,',
    'm1,B-3,2026-02-30,EUR,1.00,,,',
    'm1,B-4,yesterday,EUR,1.00,,,',
    ',B-5,2026-05-01,EUR,1.00,,,',
    'm1,B-6,2026-05-01,EUR,1.005,,,',
    'm1,B-7,2026-07-01,EUR,1.00,,,',
    'm1,B-8,2026-05-01,EUR,1.00,nobody,,',
    'm1,B-9,2026-05-01,EUR,1.00,,SKU,0',
    'm1,B-10,2026-05-01,EUR',
  ]
  const lines = good.flatMap((line, i) => (i % 9 === 4 ? [line, bad[(i - 4) / 9] ?? ''] : [line]))
  const { code, stdout, stderr } = await importFile('ten', `${[header, ...lines].join('\n')}\n`)
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: '90 purchases imported, 0 known before, 10 lines rejected, 7 members registered.\n',
  })
  const named = stderr
    .trim()
    .split('\n')
    .map((text) => /^line (\d+): (.*)$/.exec(text))
  const expected = bad.map((line) => lines.indexOf(line) + 2)
  expect(named.map((match) => Number(match?.[1])).toSorted((a, b) => a - b)).toEqual(expected)
  const reasons = new Map(named.map((match) => [Number(match?.[1]), match?.[2]]))
  expect(expected.map((line) => reasons.get(line))).toEqual([
    'currency "XXX" is not a code of ISO 4217',
    expect.stringContaining('total "-1.00"'),
    expect.stringContaining('purchased_at "2026-02-30"'),
    expect.stringContaining('purchased_at "yesterday"'),
    'external_id must have 1 to 200 characters',
    expect.stringContaining('at most 2 decimals'),
    expect.stringContaining('lies in the future'),
    expect.stringContaining('email "nobody"'),
    expect.stringContaining('quantity 0'),
    'expected 8 columns as in the header, found 4',
  ])
})

it('takes rows of one order as lines of one purchase, local dates, and members with their names', async () => {
  const csv = [
    '\ufefftotal,purchased_at,external_id,order_id,currency,display_name,email,sku,name,quantity,amount',
    '10300,2026-05-03,mika,A-1,JPY,田中 美香,mika@example.jp,LOTION,化粧水,1,3800',
    '10300,2026-05-03,mika,A-1,JPY,田中 美香,mika@example.jp,SERUM,"美容液, 30ml",2,6500',
  ]
  const { stdout } = await importFile('lines', csv.join('\r\n'))
  expect(stdout).toBe('1 purchases imported, 0 known before, 0 lines rejected, 1 members registered.\n')
  expect(await purchase('lines', 'A-1')).toEqual({
    purchasedAt: '2026-05-02T15:00:00.000Z',
    currency: 'JPY',
    total: '10300',
    member: { displayName: '田中 美香', email: 'mika@example.jp' },
    lines: [
      { sku: 'LOTION', name: '化粧水', quantity: 1, amount: '3800' },
      { sku: 'SERUM', name: '美容液, 30ml', quantity: 2, amount: '6500' },
    ],
  })
})

it('reads minor units and a currency for all lines when told so', async () => {
  const csv = 'external_id,order_id,purchased_at,total\nm,A-1,2026-05-03T00:00:00Z,1234\n'
  await importFile('minor', csv, '--minor', '--currency', 'USD')
  expect(await purchase('minor', 'A-1')).toMatchObject({ total: '1234', currency: 'USD' })
})

it('refuses a file without the columns it needs, and loads nothing', async () => {
  const { code, stdout, stderr } = await importFile('headless', 'customer,order_id,total\nm,A-1,1\n')
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: 'engawa: The header lacks external_id, purchased_at.\n',
  })
  expect(await purchase('headless', 'A-1')).toBeNull()
})

it('leaves an import that is still running alone, and finishes one that was killed', async () => {
  const { url } = await usingDatabase()
  const db = openDb({ url })
  const { id } = await createTenant(db.system, {
    key: 't',
    name: 't',
    timeZone: 'UTC',
    locale: 'en',
    testClock: new Date('2026-06-01'),
  })
  const tenant = db.tenant(id)
  const cut = importPurchases(tenant, cutShort(), {
    actor: 'operator:test',
    rejected: () => {},
    committed: () => {},
  })
  await expect(cut).rejects.toThrow('the file ended')
  expect(await replayImported(tenant, 100)).toBe(0)
  expect(await stages(tenant)).toEqual([{ stage: 'prospect', members: 500n }])
  // As if the minute after its last batch had passed.
  const text = `update lifecycle_state set replay_after = now() - interval '1 second'`
  await onServer(url, (client) => client.query(text))
  expect(await replayImported(tenant, 1_000)).toBe(500)
  expect(await stages(tenant)).toEqual([{ stage: 'customer', members: 500n }])
  await db.close()
})

function stages(tenant: TenantClient) {
  const text = 'select stage, count(*) as members from lifecycle_state where own() group by stage'
  return tenant.query({ text, values: [] })
}

async function* cutShort() {
  for (let line = 1; line <= 500; line++) {
    const purchasedAt = `2026-05-0${1 + (line % 9)}`
    const row = { externalId: `m${line}`, orderId: `A-${line}`, purchasedAt, isLocal: true, currency: 'EUR' }
    yield { line, ...row, total: 100n, lines: [] }
  }
  throw new Error('the file ended')
}
