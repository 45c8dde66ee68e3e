import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
let shop: Shop

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
})

const POLICY = `version savedAt quietHours { periods { from to weekdays } channels } exemptPurposes
  caps { class channel most within } stages { stage purposes channels shortestSilence longestSilence }
  ignored { after response } channelRules { audience channels } defaultChannels`

test('while none was saved there is no policy; what is saved comes back, and the newest holds', async () => {
  const asked = () => shop.ask(shop.staff, `{ contactPolicy { ${POLICY} } }`)
  expect((await asked()).data).toEqual({ contactPolicy: null })
  await shop.do('saveContactPolicy', { defaultChannels: ['inbox'] })
  const input = {
    quietHours: { periods: [{ from: '21:00', to: '08:00', weekdays: ['SAT', 'SUN'] }], channels: ['inbox'] },
    caps: [{ class: 'MARKETING', channel: 'inbox', most: 2, within: 'P7D' }],
    stages: [
      {
        stage: 'repeat',
        purposes: ['care'],
        channels: ['inbox'],
        shortestSilence: 'P3D',
        longestSilence: 'P30D',
      },
    ],
    ignored: { after: 5, response: 'NEXT_CHANNEL' },
    channelRules: [{ audience: { attribute: { name: 'age', atLeast: 65 } }, channels: ['inbox'] }],
  }
  const saved = await shop.do('saveContactPolicy', input, { select: `policy { ${POLICY} }` })
  const now = {
    version: 2,
    savedAt: '2026-04-01T00:00:00.000Z',
    exemptPurposes: ['security', 'consent-confirmation'],
    defaultChannels: [],
  }
  expect(saved.policy).toEqual({ ...input, ...now })
  expect((await asked()).data.contactPolicy).toEqual(saved.policy)
})

test.each([
  [{ quietHours: { periods: [{ from: '24:00', to: '08:00' }] } }, 'input.quietHours.periods.0.from'],
  [{ quietHours: { periods: [{ from: '21:00', to: '8:00' }] } }, 'input.quietHours.periods.0.to'],
  [{ quietHours: { periods: [], channels: ['pigeon'] } }, 'input.quietHours.channels.0'],
  [{ caps: [{ class: 'MARKETING', most: 0, within: 'P1D' }] }, 'input.caps.0.most'],
  [{ caps: [{ class: 'MARKETING', most: 1, within: 'P0D' }] }, 'input.caps.0.within'],
  [{ caps: [{ class: 'MARKETING', most: 1, within: 'P1D', channel: 'pigeon' }] }, 'input.caps.0.channel'],
  [{ stages: [{ stage: 'friend' }] }, 'input.stages.0.stage'],
  [{ stages: [{ stage: 'repeat' }, { stage: 'repeat' }] }, 'input.stages.1.stage'],
  [{ stages: [{ stage: 'repeat', shortestSilence: 'PT0S' }] }, 'input.stages.0.shortestSilence'],
  [{ stages: [{ stage: 'repeat', purposes: [''] }] }, 'input.stages.0.purposes.0'],
  [{ ignored: { after: 0, response: 'STOP' } }, 'input.ignored.after'],
  [{ channelRules: [{ audience: { all: [] }, channels: [] }] }, 'input.channelRules.0.channels'],
  [
    { channelRules: [{ audience: { stage: [''] }, channels: ['inbox'] }] },
    'input.channelRules.0.audience.stage.0',
  ],
  [{ defaultChannels: Array(21).fill('inbox') }, 'input.defaultChannels'],
])('%j is bad input at %s', async (input, field) => {
  expect(await shop.do('saveContactPolicy', input)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('only staff with the scope settings may save or read it', async () => {
  const other = await shop.token('staff', 'bert', 'touchpoints:write members:write')
  for (const as of [other, shop.integration]) {
    expect(await shop.do('saveContactPolicy', { defaultChannels: ['inbox'] }, { as })).toMatchObject({
      code: 'FORBIDDEN',
    })
    const { data, errors } = await shop.ask(as, '{ contactPolicy { version } }')
    expect([data, errors]).toMatchObject([{ contactPolicy: null }, [{ code: 'FORBIDDEN' }]])
  }
})

test('members of an age are reached as the rules say, in their order, everybody else by the default, by two statements for all', async () => {
  const own = await open()
  const members = { old: { age: 70 }, young: { age: 20 }, ageless: {} }
  for (const [name, attributes] of Object.entries(members)) await own.member(name, { attributes })
  const query = '{ members(orderBy: OLDEST) { nodes { externalId recommendedChannels } } }'
  const recommended = async () => {
    const { data, statements } = await own.ask(own.staff, query)
    const nodes: { externalId: string; recommendedChannels: string[] }[] = data.members.nodes
    return [Object.fromEntries(nodes.map((m) => [m.externalId, m.recommendedChannels])), statements.length]
  }
  expect(await recommended()).toEqual([{ old: ['inbox'], young: ['inbox'], ageless: ['inbox'] }, 3])
  await own.do('saveContactPolicy', {
    channelRules: [
      { audience: { attribute: { name: 'age', atLeast: 65 } }, channels: ['inbox', 'line'] },
      { audience: { attribute: { name: 'age', atLeast: 0 } }, channels: ['line', 'inbox'] },
    ],
    defaultChannels: ['line'],
  })
  expect(await recommended()).toEqual([
    { old: ['inbox', 'line'], young: ['line', 'inbox'], ageless: ['line'] },
    3,
  ])
})
