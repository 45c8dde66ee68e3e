import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const script = join(import.meta.dirname, '../../docs/verify-statement.mjs')
let shop: Shop
let pages: string[]

/** What the script of an outsider says of these answers. */
async function verified(...answers: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [script], { stdio: 'pipe' })
  child.stdin.end(answers.join('\n'))
  const [[code], out, error] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, said: (out + error).trim() }
}

const PROOF = `proof { version transaction kind instant lines { seq lot from to points } debts { seq kind points } hash }`

async function statement(of: Shop, token: string): Promise<string[]> {
  const answers: string[] = []
  for (let after: string | null = null, more = true; more; ) {
    const query = `query ($after: String) { viewer { member { wallet { version hash
      statement(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { ${PROOF} } } } } } }`
    const { data, errors } = await of.ask(token, query, { after })
    expect(errors).toEqual([])
    answers.push(JSON.stringify({ data }))
    const { pageInfo } = data.viewer.member.wallet.statement
    after = pageInfo.endCursor
    more = pageInfo.hasNextPage
  }
  return answers
}

/** A wallet in which everything has happened once, and thousands of points were earned one by one. */
beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  const purchase = { member: mia.by, purchasedAt: '2026-04-01T00:00:00Z', currency: 'JPY', total: 30_000 }
  await shop.do('recordPurchase', { ...purchase, orderId: 'A-1' })
  await shop.do('spendPoints', { member: mia.by, points: 250, reason: 'Soap' })
  await shop.do('refundPurchase', { orderId: 'A-1' })
  await shop.do('grantPoints', {
    member: mia.by,
    points: 500,
    reason: 'Sorry',
    expiresAt: '2026-04-03T00:00:00Z',
  })
  await shop.do('holdPoints', { member: mia.by, points: 100, expiresIn: 'PT1H', reason: 'Cart' })
  await shop.do('transferPoints', { member: mia.by, to: aki.by, points: 10, reason: 'For you' })
  await shop.do('adjustPoints', { member: mia.by, points: -5, reason: 'A mistake' })
  await shop.clock('2026-04-04T00:00:00Z')
  const rows = Array.from({ length: 2_000 }, (_, i) => ({
    line: i + 1,
    external_id: 'mia',
    order_id: `B-${i}`,
    purchased_at: '2026-04-02T00:00:00Z',
    is_local: false,
    currency: 'JPY',
    total: 100,
    lines: [],
  }))
  const client = shop.ground.app.db.tenant(shop.tenant.id)
  await client.query({ text: `select purchase_import($1, 'test')`, values: [JSON.stringify(rows)] })
  pages = await statement(shop, mia.token)
})

test('a member verifies thousands of transactions, paged, by an outside script from the answers alone', async () => {
  expect(pages.length).toBeGreaterThan(20)
  expect(await verified(...pages)).toEqual({
    code: 0,
    said: expect.stringMatching(
      /^20\d\d transactions are as they were written: pending 0, available 2000, held 0/,
    ),
  })
})

/** A word of the answers, and another one in its place. */
test.each<[what: string, from: RegExp, to: string, said: RegExp]>([
  ['an amount', /"points":"250"/, '"points":"150"', /was changed/],
  ['an instant', /"instant":"(\d+)\d{6}"/, '"instant":"$1000001"', /was changed/],
  ['a kind', /"kind":"SPEND"/, '"kind":"GRANT"', /was changed/],
  [
    'a hash',
    /"hash":"([0-9a-f]{63})[0-9a-f]","statement"/,
    '"hash":"$1x","statement"',
    /The wallet's hash is/,
  ],
  ['a number', /"version":"3","transaction"/, '"version":"4","transaction"', /is missing/],
  ['a debt', /"kind":"RAISED","points":"\d+"/, '"kind":"RAISED","points":"1"', /was changed/],
])('%s that was changed on the way is told', async (_, from, to, said) => {
  const whole = pages.join('\n')
  const changed = from.source.includes('statement')
    ? whole.replaceAll(new RegExp(from, 'g'), to)
    : whole.replace(from, to)
  expect(changed).not.toBe(whole)
  const answer = await verified(changed)
  expect(answer).toEqual({ code: 1, said: expect.stringMatching(said) })
})

test('a page that is left out is told, and what is no answer at all', async () => {
  const [first = '', , ...rest] = pages
  expect(await verified(first, ...rest)).toMatchObject({
    code: 1,
    said: expect.stringContaining('is missing'),
  })
  expect(await verified(...pages.slice(0, -1))).toMatchObject({
    code: 1,
    said: expect.stringContaining('counts'),
  })
  expect(await verified('hello')).toMatchObject({ code: 1, said: expect.stringContaining('not JSON') })
  expect(await verified('{}')).toMatchObject({ code: 1, said: expect.stringContaining('no wallet') })
})
