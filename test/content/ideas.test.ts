import { expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { makeSite, publish } from './site.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const both = (text: string) => ({ en: text, ja: text })

const support = (shop: Shop, idea: string, more: object) =>
  shop.do('supportContentIdea', { idea, ...more }, { select: 'isNew idea { demand demandSince state }' })

it('counts what speaks for an idea once, and what comes after the answer apart', async () => {
  const shop = await open({ testClock: NOW })
  const content = await publish(shop, await makeSite(shop))
  const asked = { title: 'The manual', need: 'I cannot find the switch' }
  const { idea } = await shop.do('saveContentIdea', asked, { select: 'idea { id }' })
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => support(shop, idea.id, { feedback: `call ${i % 2}` })),
  )
  expect(all.filter(({ isNew }) => isNew)).toHaveLength(2)
  expect(await support(shop, idea.id, { contribution: content })).toMatchObject({
    idea: { demand: 3, demandSince: 0 },
  })
  expect(await support(shop, idea.id, { segment: 'nobody' })).toMatchObject({
    code: 'NOT_FOUND',
    what: 'segment',
  })
  expect(await support(shop, idea.id, {})).toMatchObject({ code: 'BAD_INPUT' })
  await shop.do('saveContentIdea', { ...asked, idea: idea.id, content })
  expect(await support(shop, idea.id, { feedback: 'call 9' })).toMatchObject({
    idea: { demand: 4, demandSince: 1, state: 'PUBLISHED' },
  })
  const query =
    '{ contentIdeas(state: PUBLISHED) { nodes { closedAt card { title } evidence { kind target contribution { title } } } } }'
  const { data } = await shop.ask(shop.staff, query)
  expect(data.contentIdeas.nodes).toMatchObject([
    { closedAt: '2026-04-01T00:00:00.000Z', card: { title: 'Dry skin in winter' } },
  ])
  expect(data.contentIdeas.nodes[0].evidence).toEqual(
    expect.arrayContaining([
      { kind: 'CONTRIBUTION', target: null, contribution: { title: 'Dry skin in winter' } },
      ...['call 0', 'call 1', 'call 9'].map((target) => ({ kind: 'FEEDBACK', target, contribution: null })),
    ]),
  )
  expect(data.contentIdeas.nodes[0].evidence).toHaveLength(4)
})

it('finds who is stuck at its first steps, to the second, and offers help until the next step', async () => {
  const shop = await open({ testClock: NOW })
  const steps = [
    { key: 'unpack', title: both('Unpack') },
    { key: 'charge', title: both('Charge') },
  ]
  const list = {
    key: 'brush',
    name: both('Brush'),
    sku: 'BRUSH',
    steps,
    stuckAfter: 'P3D',
    help: both('Call us.'),
  }
  await shop.do('saveChecklist', list)
  const mia = await shop.member('mia')
  const after = await headOf(shop)
  const select = 'checklist { steps { key isDone } stuckAt completedAt help }'
  const step = (name?: string) =>
    shop.do('doChecklistStep', { checklist: 'brush', step: name }, { as: mia.token, select })
  const stuck = async () =>
    (await shop.ask(shop.staff, '{ stuckChecklists { nodes { member { externalId } help } } }')).data
      .stuckChecklists.nodes
  await step()
  await step('unpack')
  await shop.clock('2026-04-03T23:59:59Z')
  expect(await stuck()).toEqual([])
  await shop.clock('2026-04-04T00:00:00Z')
  expect(await stuck()).toEqual([{ member: { externalId: 'mia' }, help: 'Call us.' }])
  expect((await step('charge')).checklist).toEqual({
    steps: [
      { key: 'unpack', isDone: true },
      { key: 'charge', isDone: true },
    ],
    stuckAt: null,
    completedAt: '2026-04-04T00:00:00.000Z',
    help: null,
  })
  const told = await history(shop, mia.token, { after, types: ['checklist.stuck', 'checklist.completed'] })
  expect(told.map(({ type }) => type)).toEqual(['checklist.stuck', 'checklist.completed'])
  expect(await step('sing')).toMatchObject({ code: 'NOT_FOUND', what: 'step' })
})
