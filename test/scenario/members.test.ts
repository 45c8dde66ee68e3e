import { describe, expect, it } from 'vitest'
import { testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { headOf, history } from '../support/history.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'
const PROFILE =
  'id externalId displayName email locale timeZone attributes registeredAt membership { status since }'

describe('registering', () => {
  it("takes the tenant's language and zone, and places the member at the beginning without a history", async () => {
    const shop = await open({ testClock: NOW })
    const select = `isNew member { ${PROFILE} stage { key } stageHistory { nodes { at } } nextTouch { ... on NoTouch { reason } } freshness { score } }`
    const { isNew, member } = await shop.do(
      'registerMember',
      { externalId: 'mia', displayName: 'Mia' },
      { select },
    )
    expect([isNew, member]).toEqual([
      true,
      {
        ...{
          id: member.id,
          externalId: 'mia',
          displayName: 'Mia',
          email: null,
          locale: 'ja',
          timeZone: 'Asia/Tokyo',
        },
        ...{ attributes: {}, registeredAt: NOW, membership: { status: 'ACTIVE', since: NOW } },
        ...{
          stage: { key: 'prospect' },
          stageHistory: { nodes: [] },
          nextTouch: { reason: 'NOTHING_PLANNED' },
        },
        freshness: { score: 1 },
      },
    ])
  })

  it('somebody known gives them back unchanged', async () => {
    const shop = await open({ testClock: NOW })
    const input = {
      externalId: 'mia',
      displayName: 'Mia',
      email: 'mia@example.com',
      locale: 'en',
      attributes: { skin: 'dry' },
    }
    const select = `isNew member { ${PROFILE} }`
    const first = await shop.do('registerMember', input, { select })
    const before = await fingerprint(shop.ground.databaseUrl)
    const again = await shop.do(
      'registerMember',
      { externalId: 'mia', displayName: 'Somebody else' },
      { select },
    )
    expect(again).toEqual({ ...first, isNew: false })
    expect({ ...(await fingerprint(shop.ground.databaseUrl)), op: '' }).toEqual({ ...before, op: '' }) // its key is remembered
  })

  it('twenty times at once registers one', async () => {
    const shop = await open()
    const input = { externalId: 'mia', displayName: 'Mia' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.do('registerMember', input)))
    expect(new Set(answers.map(({ member }) => member.id)).size).toBe(1)
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1)
  })

  it('somebody who has left is refused', async () => {
    const shop = await open({ testClock: NOW })
    const mia = await shop.member('mia')
    await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
    const again = await shop.do('registerMember', { externalId: 'mia', displayName: 'Mia' })
    expect(again).toMatchObject({ code: 'MEMBERSHIP_ENDED', endedAt: NOW })
  })
})

describe('updating', () => {
  it('changes what is given, merges attributes, and takes away what is null', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia', {
      email: 'mia@example.com',
      attributes: { skin: 'dry', age: 40 },
    })
    const update = (changes: object) =>
      shop.do('updateMember', { member, ...changes }, { select: `member { ${PROFILE} }` })
    expect(await update({ displayName: 'Mia B.', attributes: { age: 41, city: 'Kyoto' } })).toMatchObject({
      member: {
        displayName: 'Mia B.',
        email: 'mia@example.com',
        attributes: { skin: 'dry', age: 41, city: 'Kyoto' },
      },
    })
    expect((await update({ email: null, attributes: { skin: null } })).member).toMatchObject({
      email: null,
      displayName: 'Mia B.',
      attributes: { age: 41, city: 'Kyoto' },
    })
  })

  it('is told only when something changed', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia', { locale: 'en' })
    const after = await headOf(shop)
    for (const locale of ['en', 'ja', 'ja']) await shop.do('updateMember', { member, locale })
    expect(await history(shop, shop.staff, { after })).toMatchObject([{ type: 'member.updated' }])
  })

  it('nobody, or somebody who has left, is refused', async () => {
    const shop = await open({ testClock: NOW })
    const mia = await shop.member('mia')
    await shop.do('endMembership', { member: mia.by, end: 'REMOVED' })
    expect(await shop.do('updateMember', { member: mia.by, locale: 'en' })).toMatchObject({
      code: 'MEMBERSHIP_ENDED',
    })
    expect(await shop.do('updateMember', { member: { externalId: 'aki' }, locale: 'en' })).toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

it('ending a membership says how, why and since when, and cannot be done twice', async () => {
  const shop = await open({ testClock: NOW })
  const { by: member } = await shop.member('mia')
  const select =
    'member { membership { status since endedAt end reason } nextTouch { ... on NoTouch { reason } } }'
  expect(
    await shop.do('endMembership', { member, end: 'LEFT', reason: 'Moved away' }, { select }),
  ).toMatchObject({
    member: {
      membership: { status: 'ENDED', since: NOW, endedAt: NOW, end: 'LEFT', reason: 'Moved away' },
      nextTouch: { reason: 'MEMBERSHIP_ENDED' },
    },
  })
  await shop.clock('2026-05-01T00:00:00Z')
  expect(await shop.do('endMembership', { member, end: 'REMOVED' })).toMatchObject({
    code: 'MEMBERSHIP_ENDED',
    endedAt: NOW,
  })
})

describe('moving by hand', () => {
  const select = 'member { stage { key } stageHistory { nodes { from { key } to { key } cause reason at } } }'

  it('goes between visitor, prospect and negotiation, each with its reason', async () => {
    const shop = await open({ testClock: NOW })
    const { by: member } = await shop.member('mia')
    for (const stage of ['negotiation', 'visitor', 'prospect', 'negotiation']) {
      const moved = await shop.do('moveMember', { member, stage, reason: `To ${stage}` }, { select })
      expect(moved.member.stage.key).toBe(stage)
      expect(moved.member.stageHistory.nodes[0]).toMatchObject({
        to: { key: stage },
        cause: 'MANUAL',
        reason: `To ${stage}`,
        at: NOW,
      })
    }
  })

  it.each(['customer', 'repeat', 'lapsed', 'prospect'])('from prospect to %s is refused', async (stage) => {
    const shop = await open({ testClock: NOW })
    const { by: member } = await shop.member('mia')
    const before = await fingerprint(shop.ground.databaseUrl)
    expect(await shop.do('moveMember', { member, stage, reason: 'Please' })).toMatchObject({
      code: 'TRANSITION_NOT_ALLOWED',
      from: 'prospect',
      to: stage,
      allowed: ['visitor', 'negotiation'],
    })
    expect({ ...(await fingerprint(shop.ground.databaseUrl)), op: '' }).toEqual({ ...before, op: '' })
  })

  it('to a stage that does not exist, or without a reason, is refused', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia')
    expect(await shop.do('moveMember', { member, stage: 'fan', reason: 'Please' })).toMatchObject({
      code: 'NOT_FOUND',
      what: 'stage',
    })
    expect(await shop.do('moveMember', { member, stage: 'visitor', reason: ' ' })).toMatchObject({
      code: 'BAD_INPUT',
      field: 'input.reason',
    })
  })

  it('is undone by facts, and comes back when they are taken back', async () => {
    const shop = await open({ testClock: NOW })
    const { by: member, token } = await shop.member('mia')
    await shop.do('moveMember', { member, stage: 'negotiation', reason: 'Asked for an offer' })
    await shop.do('recordPurchase', { member, orderId: 'o-1', purchasedAt: NOW, currency: 'JPY', total: 100 })
    await shop.do('refundPurchase', { orderId: 'o-1' })
    const { data } = await shop.ask(token, `{ viewer { ${select} } }`)
    const { stage, stageHistory } = data.viewer.member
    expect(stage.key).toBe('negotiation')
    expect(stageHistory.nodes.map(({ to }: { to: { key: string } }) => to.key)).toEqual([
      'negotiation',
      'customer',
      'negotiation',
    ])
  })
})

it('tells the stages in order, in the language of the tenant', async () => {
  const [ja, en] = [await open(), await open({ locale: 'en-GB' })]
  const query = '{ stages { key name position } viewer { kind tenant { key name timeZone locale } scopes } }'
  const [japanese, english] = [await ja.ask(ja.staff, query), await en.ask(en.integration, query)]
  const keys = ['visitor', 'prospect', 'negotiation', 'customer', 'repeat', 'lapsed']
  expect(japanese.data.stages.map(({ key }: { key: string }) => key)).toEqual(keys)
  expect(japanese.data.stages.map(({ position }: { position: number }) => position)).toEqual([
    1, 2, 3, 4, 5, 6,
  ])
  expect(japanese.data.stages[3].name).not.toBe(english.data.stages[3].name)
  expect(english.data.viewer).toMatchObject({
    kind: 'INTEGRATION',
    scopes: ['*'],
    tenant: { key: en.tenant.key, locale: 'en-GB' },
  })
})
