import { expect, it, test } from 'vitest'
import { lint } from '../../api/domains/insight/index.ts'
import { settleTiers } from '../../api/domains/tiers/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const open = testApp({ role: 'web' })

const QUERY = `query ($document: JSON!) { previewProgram(document: $document) {
  changes { kind key what } problems { path } warnings { path code source } } }`

const preview = async (shop: Shop, document: object) =>
  (await shop.ask(shop.staff, QUERY, { document })).data.previewProgram

const documentOf = async (shop: Shop) =>
  (await shop.ask(shop.staff, '{ program { document } }')).data.program.document

const ant = { name: { en: 'Ant', ja: 'アリ' }, expiry: { never: true } }

it('a preview tells what a draft changes, and publishes nothing', async () => {
  const shop = await open()
  const document = await documentOf(shop)
  const before = await fingerprint(shop.ground.databaseUrl)
  const told = await preview(shop, { ...document, currencies: { ...document.currencies, ANT: ant } })
  expect(told).toMatchObject({ changes: [{ kind: 'currency', key: 'ANT', what: 'ADDED' }], problems: [] })
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
})

it('a preview tells every problem of a draft', async () => {
  const shop = await open()
  const told = await preview(shop, { currencies: { ANT: { ...ant, name: {} } }, nonsense: {} })
  expect(told.problems.map(({ path }: { path: string }) => path)).toEqual([
    'document.nonsense',
    'document.currencies.ANT.name.en',
    'document.currencies.ANT.name.ja',
  ])
})

it('a preview finds what only the rooms find when they take a draft', async () => {
  const shop = await open()
  const document = await documentOf(shop)
  const round = { name: ant.name, audience: { segment: ['round'] } }
  const told = await preview(shop, { ...document, segments: { round } })
  expect(told.problems).toEqual([{ path: 'document.segment.audience' }])
  expect(told.changes).toEqual([])
})

it('a preview tells whom each ladder that changes would move, and no other', async () => {
  const shop = await open()
  const bought = (shop: Shop, externalId: string, total: number) =>
    shop.do('recordPurchase', {
      ...{ member: { externalId }, orderId: externalId, purchasedAt: '2026-01-01T00:00:00Z' },
      ...{ currency: 'JPY', total },
    })
  for (const [name, total] of [
    ['mia', 100],
    ['aki', 5_000],
    ['ren', 9_000],
  ] as const) {
    await shop.member(name)
    await bought(shop, name, total)
  }
  const ladder = (silver: number) => ({
    ...{ measure: { spend: { currency: 'JPY' } }, window: { ever: true }, falls: 'FULL' },
    tiers: [{ key: 'silver', name: { en: 'Silver', ja: '銀' }, threshold: silver }],
  })
  for (const key of ['rank', 'same']) await shop.do('defineTierLadder', { key, ladder: ladder(5_000) })
  await settleTiers(shop.ground.app.db.tenant(shop.tenant.id), 100)
  const document = await documentOf(shop)
  const tierLadders = { ...document.tierLadders, rank: ladder(9_000), fresh: ladder(50) }
  const { data } = await shop.ask(
    shop.staff,
    `query ($document: JSON!) { previewProgram(document: $document) { tierMoves { ladder from to members } } }`,
    { document: { ...document, tierLadders } },
  )
  expect(data.previewProgram.tierMoves).toEqual([
    { ladder: 'fresh', from: null, to: 'silver', members: 3 },
    { ladder: 'rank', from: 'silver', to: null, members: 1 },
  ])
})

const context = { now: new Date('2026-06-01T00:00:00Z'), timeZone: 'Asia/Tokyo' }
const found = (document: Parameters<typeof lint>[0], more: object = {}) =>
  lint(document, { ...context, ...more }).map(({ path, code }) => [path, code])

test.each([
  [
    'a coupon without limit',
    { coupons: { c: { benefit: {} } } },
    [['document.coupons.c', 'COUPON_WITHOUT_LIMIT']],
  ],
  ['a coupon with one', { coupons: { c: { limits: { total: 5 } } } }, []],
  [
    'a coupon of a campaign with a budget',
    { coupons: { c: { campaign: 'x' } }, campaigns: { x: { budget: {} } } },
    [],
  ],
  [
    'a window that is over',
    { campaigns: { x: { window: { to: '2026-05-01T00:00:00Z' } } } },
    [['document.campaigns.x', 'WINDOW_PAST']],
  ],
  [
    'a rule for an act without cap',
    { earnRules: { r: { on: { activity: 'a' } } } },
    [['document.earnRules.r', 'NO_CAP']],
  ],
  ['the same with one', { earnRules: { r: { on: { activity: 'a' }, maxTimes: { times: 1 } } } }, []],
  [
    'points beyond the price',
    {
      currencies: { POINTS: { value: { currency: 'JPY', micro: '1000000' } } },
      earnRules: { r: { on: { purchase: true }, points: { per: { minor: '1', points: '2' } } } },
    },
    [['document.earnRules.r', 'OVER_HUNDRED_PERCENT']],
  ],
  [
    'points beyond a fifth of the price in Japan',
    {
      currencies: { POINTS: { value: { currency: 'JPY', micro: '1000000' } } },
      earnRules: { r: { on: { line: true }, points: { per: { minor: '4', points: '1' } } } },
    },
    [['document.earnRules.r', 'PREMIUM_JP']],
  ],
  [
    'points for a hundredth of the price',
    {
      currencies: { POINTS: { value: { currency: 'JPY', micro: '1000000' } } },
      earnRules: { r: { on: { line: true }, points: { per: { minor: '100', points: '1' } } } },
    },
    [],
  ],
  [
    'a prize by lot in Japan',
    { rewards: { r: { name: { en: 'Raffle', ja: '抽選' } } } },
    [['document.rewards.r', 'LOTTERY_JP']],
  ],
  [
    'an offer that anybody has for ever',
    { offers: { o: { benefits: [{ money: { amount: '5' } }] } } },
    [['document.offers.o', 'NO_CAP']],
  ],
] as const)('the linter judges %s', (_, document, warnings) => {
  expect(found(document)).toEqual(warnings)
})

it('the linter speaks of Japanese law to those who are there, with its source', () => {
  const document = { rewards: { r: { name: { en: 'Raffle', ja: '抽選' } } } }
  expect(lint(document, context)[0]).toMatchObject({ source: expect.stringContaining('景品表示法') })
  expect(found(document, { timeZone: 'Europe/Berlin' })).toEqual([])
})
