// What members complain of, and whether content helped.
import { expect, test } from 'vitest'
import { makeSite, publish } from '../content/site.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'

const open = testApp({ role: 'web' })
const IDEA = { title: 'The brush', need: 'I cannot find the switch' }

/** A shop with a space to talk in, and one for questions. */
async function openShop() {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const [space, qa] = [await makeSpace(shop, 'talk'), await makeSpace(shop, 'qa', { kind: 'QA' })]
  const complain = async ({ token }: TestMember, sku?: string) => {
    const said = { space, kind: 'TALK', body: crypto.randomUUID(), sku }
    const { post } = await shop.do('publishPost', said, { as: token, select: 'post { id }' })
    await shop.do('markAsComplaint', { post: post.id }, { as: token })
  }
  const stumble = ({ token }: TestMember, feature: string) =>
    shop.do('reportStumble', { feature }, { as: token })
  const ask = ({ token }: TestMember, sku: string) =>
    shop.do('askQuestion', { space: qa, title: crypto.randomUUID(), body: 'Why?', sku }, { as: token })
  return { shop, complain, stumble, ask, mia: await shop.member('mia'), ken: await shop.member('ken') }
}
const save = async (shop: Shop, given: object): Promise<string> =>
  (await shop.do('saveContentIdea', { ...IDEA, ...given }, { select: 'idea { id }' })).idea.id

async function clusters(shop: Shop, within = 'P30D') {
  const query = `query ($within: Duration) { complaintClusters(within: $within) {
    sku feature complaints stumbles questions members at idea { id title } } }`
  const { data, errors } = await shop.ask(shop.staff, query, { within })
  expect(errors).toEqual([])
  return data.complaintClusters
}

test('what most members complain of comes first, with the idea that somebody had about it', async () => {
  const { shop, complain, stumble, ask, mia, ken } = await openShop()
  await complain(mia, 'OLD')
  await shop.clock('2026-05-01T00:00:00Z')
  for (const member of [mia, ken, ken]) await stumble(member, 'checkout')
  for (const sku of ['BRUSH', 'SOAP', undefined]) await complain(mia, sku)
  await ask(ken, 'BRUSH')
  await ask(ken, 'TEA') // nobody complains of it
  await save(shop, { skus: ['BRUSH'] })
  const [first, second] = [
    await save(shop, { title: 'Brushes', skus: ['BRUSH'] }),
    await save(shop, { features: ['checkout'] }),
  ]
  const none = {
    sku: null,
    feature: null,
    complaints: 0,
    stumbles: 0,
    questions: 0,
    idea: null,
    at: '2026-05-01T00:00:00.000Z',
  }
  expect(await clusters(shop)).toEqual([
    { ...none, feature: 'checkout', stumbles: 3, members: 2, idea: { id: second, title: IDEA.title } },
    { ...none, sku: 'BRUSH', complaints: 1, questions: 1, members: 2, idea: { id: first, title: 'Brushes' } },
    { ...none, sku: 'SOAP', complaints: 1, members: 1 },
  ])
  expect((await clusters(shop, 'P31D')).map(({ sku }: { sku: string }) => sku)).toEqual([
    null,
    'BRUSH',
    'OLD',
    'SOAP',
  ])
})

test('clusters and their ideas take as many statements as one of each', async () => {
  const { shop, stumble, mia } = await openShop()
  const count = async () => {
    const before = shop.ground.statements.length
    const query = '{ complaintClusters { idea { title need effect { days } } } }'
    const { data } = await shop.ask(shop.staff, query)
    return [data.complaintClusters.length, shop.ground.statements.length - before]
  }
  const add = async (feature: string) => {
    await stumble(mia, feature)
    await save(shop, { features: [feature] })
  }
  await add('first')
  const [, one] = await count()
  for (const feature of ['second', 'third', 'fourth']) await add(feature)
  expect(await count()).toEqual([4, one])
})

test('an erased member’s stumbles tell of no feature', async () => {
  const { shop, stumble, mia } = await openShop()
  await stumble(mia, 'checkout')
  await shop.do('eraseMember', { member: mia.by, texts: 'KEEP' })
  expect(await clusters(shop)).toEqual([])
})

test('an idea tells whether less was complained of since its content came, in as much time as before', async () => {
  const { shop, complain, stumble, mia, ken } = await openShop()
  const effect = async () => {
    const query = '{ contentIdeas(last: 1) { nodes { skus features effect { days before after } } } }'
    return (await shop.ask(shop.staff, query)).data.contentIdeas.nodes[0]
  }
  const idea = await save(shop, { skus: ['BRUSH'], features: ['checkout'] })
  expect(await effect()).toEqual({ skus: ['BRUSH'], features: ['checkout'], effect: null })
  const at = async (instant: string, ...members: TestMember[]) => {
    await shop.clock(instant)
    for (const member of members) await complain(member, 'BRUSH')
    for (const member of members) await stumble(member, 'checkout')
  }
  await at('2026-04-02T00:00:00Z', mia)
  await at('2026-04-30T00:00:00Z', mia, ken)
  await complain(mia, 'SOAP')
  await shop.clock('2026-05-01T00:00:00Z')
  await save(shop, { idea, content: await publish(shop, await makeSite(shop)) })
  await at('2026-05-02T00:00:00Z', mia)
  await shop.clock('2026-05-03T00:00:00Z')
  expect((await effect()).effect).toEqual({ days: 2, before: 4, after: 2 })
  await shop.clock('2026-05-29T00:00:00Z')
  expect((await effect()).effect).toEqual({ days: 28, before: 4, after: 2 })
  await at('2026-05-31T00:00:00Z', ken) // 30 days since: no more
  await shop.clock('2026-06-30T00:00:00Z')
  expect((await effect()).effect).toEqual({ days: 30, before: 6, after: 2 })
})
