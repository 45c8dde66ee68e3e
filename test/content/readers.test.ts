import { expect, it } from 'vitest'
import { testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { listed, makeSite, publish } from './site.ts'

const open = testApp({ role: 'web' })
/** Nine in the morning in Tokyo, on a Wednesday. */
const NOW = '2026-04-01T00:00:00Z'
const weekly = {
  key: 'weekly',
  name: { en: 'Weekly', ja: '毎週' },
  every: 'P7D',
  firstBy: '2026-04-08T00:00:00Z',
}

async function house() {
  const shop = await open({ testClock: NOW })
  return { shop, site: await makeSite(shop), mia: await shop.member('mia'), aki: await shop.member('aki') }
}

it('counts what each reader says once, by the last word', async () => {
  const { shop, site, mia, aki } = await house()
  const content = await publish(shop, site)
  const rate = (as: string, rating: string) => shop.do('rateContent', { content, rating }, { as })
  await Promise.all(Array.from({ length: 10 }, (_, i) => rate(mia.token, i % 2 ? 'USEFUL' : 'NOT_USEFUL')))
  await rate(mia.token, 'USEFUL')
  await rate(aki.token, 'NOT_USEFUL')
  expect(await listed(shop, mia.token)).toMatchObject([
    { useful: 1, notUseful: 1, satisfaction: 0.5, viewerRating: 'USEFUL' },
  ])
  await rate(aki.token, 'UNWANTED')
  const query = '{ content { nodes { useful notUseful unwanted need purpose } } }'
  expect((await shop.ask(shop.staff, query)).data.content.nodes).toEqual([
    { useful: 1, notUseful: 0, unwanted: 1, need: 'My skin is dry in winter', purpose: 'RETENTION' },
  ])
  expect((await shop.ask(mia.token, query)).errors.map(({ code }) => code)).toEqual(
    Array(3).fill('FORBIDDEN'),
  )
})

it('lets nobody rate what it may not read', async () => {
  const { shop, site, mia } = await house()
  const facts = { isTeased: true, teaser: 'Soon' }
  const content = await publish(shop, site, { facts, audience: { membership: ['PAUSED'] } })
  expect(await shop.do('rateContent', { content, rating: 'USEFUL' }, { as: mia.token })).toMatchObject({
    code: 'NOT_FOUND',
    what: 'content',
  })
})

it('awaits an issue in each span, and tells at its instant that one is missing', async () => {
  const { shop, site } = await house()
  await shop.do('saveContentSeries', weekly)
  const after = await headOf(shop)
  const issue = () => publish(shop, site, { facts: { series: 'weekly' } })
  const series = async () => {
    const { data } = await shop.ask(shop.staff, '{ contentSeries { dueAt issues missed missedAt } }')
    return data.contentSeries[0]
  }
  await issue()
  await issue()
  expect(await series()).toEqual({ dueAt: '2026-04-15T00:00:00.000Z', issues: 2, missed: 0, missedAt: null })
  await shop.clock('2026-04-14T23:59:59Z')
  expect(await series()).toMatchObject({ missed: 0 })
  await shop.clock('2026-04-15T00:00:00Z')
  expect(await series()).toMatchObject({ dueAt: '2026-04-22T00:00:00.000Z', missed: 1 })
  const selection = 'id type at member { id } ... on SeriesMissed { dueAt series { key } }'
  const told = await history(shop, shop.staff, { after, types: ['series.missed'], selection })
  expect(told).toMatchObject([{ dueAt: '2026-04-15T00:00:00.000Z', series: { key: 'weekly' } }])
})

it('shows for which stage and product nothing is published', async () => {
  const { shop, site } = await house()
  await publish(shop, site, { facts: { stages: ['customer', 'repeat'], skus: ['soap'] } })
  await publish(shop, site, { facts: { stages: ['customer'] } })
  await publish(shop, site, { facts: { stages: ['lapsed'] }, isDraft: true })
  const query = '{ contentMatrix(skus: ["soap", "oil"]) { stage sku persona fitting isGap } }'
  const { data } = await shop.ask(shop.staff, query)
  const of = (stage: string) =>
    data.contentMatrix
      .filter((cell: { stage: string }) => cell.stage === stage)
      .map(({ sku, fitting }: { sku: string; fitting: number }) => `${sku} ${fitting}`)
  expect([of('customer'), of('repeat'), of('lapsed')]).toEqual([
    ['oil 1', 'soap 2'],
    ['oil 0', 'soap 1'],
    ['oil 0', 'soap 0'],
  ])
  expect(await publish(shop, site, { facts: { stages: ['nowhere'] } })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.stages',
  })
})
