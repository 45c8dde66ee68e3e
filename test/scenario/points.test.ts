import { describe, expect, it } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' }) // Nobody books what is due: everything has to hold without it.
const NOW = '2026-04-01T00:00:00.000Z'

async function begin(): Promise<{ shop: Shop; mia: TestMember; by: TestMember['by'] }> {
  const shop = await open({ testClock: NOW })
  const mia = await shop.member('mia')
  return { shop, mia, by: mia.by }
}

const FIGURES = 'available pending held debt'
const none = { available: '0', pending: '0', held: '0', debt: '0' }
const wallet = { select: `wallet { ${FIGURES} }` }
const holding = { select: `hold { id state points captured released expiresAt } wallet { ${FIGURES} }` }

const grant = (shop: Shop, member: object, points: number | string, more: object = {}) =>
  shop.do('grantPoints', { member, points, reason: 'Welcome', ...more }, wallet)
const spend = (shop: Shop, member: object, points: number) =>
  shop.do(
    'spendPoints',
    { member, points, reason: 'Soap' },
    { select: `wallet { ${FIGURES} } transaction { id kind points reason } ` },
  )
const hold = (shop: Shop, member: object, points: number, expiresIn = 'PT15M') =>
  shop.do('holdPoints', { member, points, expiresIn, reason: 'Cart' }, holding)

async function figures(shop: Shop, { token }: TestMember, currency = 'POINTS') {
  const query = `query ($currency: String) { viewer { member { wallet(currency: $currency) { ${FIGURES} } } } }`
  return (await shop.ask(token, query, { currency })).data.viewer.member.wallet
}

describe('granted points', () => {
  it('can be spent at once, beyond 2^53 too', async () => {
    const { shop, by } = await begin()
    expect(await grant(shop, by, '9007199254740993')).toMatchObject({
      wallet: { ...none, available: '9007199254740993' },
    })
  })

  it('are pending until their time, and need no job to arrive', async () => {
    const { shop, mia, by } = await begin()
    const granted = await grant(shop, by, 10, { availableAt: '2026-04-02T00:00:00Z' })
    expect(granted).toMatchObject({ wallet: { ...none, pending: '10' } })
    expect(await spend(shop, by, 1)).toMatchObject({ code: 'INSUFFICIENT_POINTS', available: '0' })
    await tick(shop, '2026-04-02T00:00:00Z')
    expect(await figures(shop, mia)).toEqual({ ...none, available: '10' })
    expect(await spend(shop, by, 10)).toMatchObject({ wallet: none })
  })

  it('are dead from their instant on, and need no job to die', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 10, { expiresAt: '2026-04-02T00:00:00Z' })
    await grant(shop, by, 5)
    await tick(shop, '2026-04-01T23:59:59.999Z')
    expect(await figures(shop, mia)).toEqual({ ...none, available: '15' })
    await tick(shop, '2026-04-02T00:00:00Z')
    expect(await figures(shop, mia)).toEqual({ ...none, available: '5' })
    expect(await spend(shop, by, 6)).toMatchObject({
      code: 'INSUFFICIENT_POINTS',
      available: '5',
      required: '6',
    })
  })

  it.each([
    ['nothing', { points: 0 }, 'input.points'],
    ['less than nothing', { points: -5 }, 'input.points'],
    ['points that die before they live', { expiresAt: NOW }, 'input.expiresAt'],
    ['another way to write a currency', { currency: 'miles' }, 'input.currency'],
    ['no reason', { reason: ' ' }, 'input.reason'],
  ])('cannot be %s', async (_, wrong, field) => {
    const { shop, mia, by } = await begin()
    expect(await grant(shop, by, 10, wrong)).toMatchObject({ code: 'BAD_INPUT', field })
    expect(await figures(shop, mia)).toEqual(none)
  })

  it('of another currency are another wallet', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 10, { currency: 'MILES' })
    expect(await figures(shop, mia, 'MILES')).toEqual({ ...none, available: '10' })
    expect(await figures(shop, mia)).toEqual(none)
    expect(await figures(shop, mia, 'STARS')).toBeNull()
    expect(await spend(shop, by, 1)).toMatchObject({ code: 'INSUFFICIENT_POINTS' })
  })
})

describe('a spend', () => {
  it('burns what dies soonest first, and can tell where each point came from', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 10)
    await grant(shop, by, 10, { expiresAt: '2026-06-01T00:00:00Z' })
    await grant(shop, by, 10, { expiresAt: '2026-05-01T00:00:00Z' })
    expect(await spend(shop, by, 15)).toMatchObject({
      transaction: { kind: 'SPEND', points: '15', reason: 'Soap' },
    })
    const { data } = await shop.ask(
      mia.token,
      '{ viewer { member { wallet { expiring(within: "P90D") { points expiresAt } postings(first: 2) { nodes { from to points explanation } } } } } }',
    )
    expect(data.viewer.member.wallet).toMatchObject({
      expiring: [{ points: '5', expiresAt: '2026-06-01T00:00:00.000Z' }],
      postings: {
        nodes: [
          { points: '5', to: 'SPENT', explanation: '5ポイント 利用可能 → 利用済み：Soap。' },
          { points: '10' },
        ],
      },
    })
  })

  it('given back returns to its lots; what is past its date dies at once', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 10, { expiresAt: '2026-05-01T00:00:00Z' })
    await grant(shop, by, 10)
    const { transaction } = await spend(shop, by, 15)
    const giveBack = (points?: number) =>
      shop.do(
        'refundSpend',
        { transaction: transaction.id, reason: 'Broken', ...(points && { points }) },
        wallet,
      )
    expect(await giveBack(3)).toMatchObject({ wallet: { available: '8' } })
    await tick(shop, '2026-05-01T00:00:00Z')
    expect(await giveBack(13)).toMatchObject({ code: 'REFUND_EXCEEDS_PURCHASE', refundable: '12' })
    expect(await giveBack()).toMatchObject({ wallet: { available: '10' } }) // 2 more of the lot without a date
    expect(await giveBack()).toMatchObject({ code: 'REFUND_EXCEEDS_PURCHASE', refundable: '0' })
    expect(await figures(shop, mia)).toEqual({ ...none, available: '10' })
  })

  it('is not what a grant was: that cannot be given back as one', async () => {
    const { shop, by } = await begin()
    const granted = await shop.do('grantPoints', { member: by, points: 10, reason: 'Welcome' })
    const refused = await shop.do('refundSpend', { transaction: granted.transaction.id, reason: 'No' })
    expect(refused).toMatchObject({ code: 'NOT_FOUND', what: 'transaction' })
  })
})

describe('a hold', () => {
  it('reserves now or fails now', async () => {
    const { shop, by } = await begin()
    await grant(shop, by, 100)
    expect(await hold(shop, by, 70)).toMatchObject({
      hold: {
        state: 'OPEN',
        points: '70',
        captured: '0',
        released: '0',
        expiresAt: '2026-04-01T00:15:00.000Z',
      },
      wallet: { ...none, available: '30', held: '70' },
    })
    expect(await hold(shop, by, 31)).toMatchObject({
      code: 'INSUFFICIENT_POINTS',
      available: '30',
      required: '31',
    })
    expect(await spend(shop, by, 31)).toMatchObject({ code: 'INSUFFICIENT_POINTS', available: '30' })
  })

  it('captured in part spends that part, lets the rest go, and is over', async () => {
    const { shop, by } = await begin()
    await grant(shop, by, 100)
    const { hold: held } = await hold(shop, by, 70)
    expect(await shop.do('captureHold', { hold: held.id, points: 71 })).toMatchObject({
      code: 'BAD_INPUT',
      field: 'input.points',
    })
    expect(await shop.do('captureHold', { hold: held.id, points: 60 }, holding)).toMatchObject({
      hold: { state: 'CAPTURED', captured: '60', released: '10' },
      wallet: { ...none, available: '40' },
    })
    for (const again of ['captureHold', 'voidHold']) {
      expect(await shop.do(again, { hold: held.id })).toMatchObject({
        code: 'HOLD_RESOLVED',
        state: 'CAPTURED',
      })
    }
  })

  it('captured can be given back like a spend', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 100)
    const { hold: held } = await hold(shop, by, 70)
    const { transaction } = await shop.do('captureHold', { hold: held.id })
    expect(await shop.do('refundSpend', { transaction: transaction.id, reason: 'Broken' })).toHaveProperty(
      'wallet',
    )
    expect(await figures(shop, mia)).toEqual({ ...none, available: '100' })
  })

  it('let go gives everything back, and is over', async () => {
    const { shop, by } = await begin()
    await grant(shop, by, 100)
    const { hold: held } = await hold(shop, by, 70)
    expect(await shop.do('voidHold', { hold: held.id }, holding)).toMatchObject({
      hold: { state: 'VOIDED', captured: '0', released: '70' },
      wallet: { ...none, available: '100' },
    })
    for (const again of ['captureHold', 'voidHold']) {
      expect(await shop.do(again, { hold: held.id })).toMatchObject({
        code: 'HOLD_RESOLVED',
        state: 'VOIDED',
      })
    }
  })

  it('lets go by itself when its time is over, and says so to whoever comes late', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 100)
    const { hold: held } = await hold(shop, by, 70)
    await tick(shop, '2026-04-01T00:15:00Z')
    expect(await figures(shop, mia)).toEqual({ ...none, available: '100' })
    const { data } = await shop.ask(
      mia.token,
      'query ($id: ID!) { node(id: $id) { ... on Hold { state captured released } } }',
      { id: held.id },
    )
    expect(data.node).toEqual({ state: 'EXPIRED', captured: '0', released: '70' })
    for (const late of ['captureHold', 'voidHold']) {
      expect(await shop.do(late, { hold: held.id })).toMatchObject({
        code: 'HOLD_EXPIRED',
        expiredAt: '2026-04-01T00:15:00.000Z',
      })
    }
  })

  it('keeps points from dying under the shopper; let go, they die', async () => {
    const { shop, by } = await begin()
    await grant(shop, by, 10, { expiresAt: '2026-04-01T00:10:00Z' })
    const { hold: held } = await hold(shop, by, 10)
    await tick(shop, '2026-04-01T00:12:00Z')
    expect(await shop.do('captureHold', { hold: held.id, points: 6 }, holding)).toMatchObject({
      hold: { state: 'CAPTURED', captured: '6', released: '4' },
      wallet: none,
    })
  })

  it.each(['PT0S', 'P0D'])('cannot last for %s', async (expiresIn) => {
    const { shop, by } = await begin()
    await grant(shop, by, 10)
    expect(await hold(shop, by, 10, expiresIn)).toMatchObject({ code: 'BAD_INPUT', field: 'input.expiresIn' })
  })

  it('captured and let go by twenty at once is resolved once', async () => {
    const { shop, mia, by } = await begin()
    await grant(shop, by, 10)
    const { hold: held } = await hold(shop, by, 10)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => shop.do(i % 2 ? 'captureHold' : 'voidHold', { hold: held.id })),
    )
    const done = answers.filter(({ __typename }) => /Payload$/.test(__typename))
    const state = done[0]?.__typename === 'VoidHoldPayload' ? 'VOIDED' : 'CAPTURED'
    expect(done).toHaveLength(1)
    expect(answers.filter((answer) => answer.state === state)).toHaveLength(19)
    expect(await figures(shop, mia)).toEqual({ ...none, available: state === 'VOIDED' ? '10' : '0' })
  })
})

it('gives an ended member nothing and takes nothing', async () => {
  const { shop, by } = await begin()
  await grant(shop, by, 100)
  await shop.do('endMembership', { member: by, end: 'EXPIRED' })
  for (const refused of [await grant(shop, by, 1), await spend(shop, by, 1), await hold(shop, by, 1)]) {
    expect(refused).toMatchObject({ code: 'MEMBERSHIP_ENDED', endedAt: NOW })
  }
})

/** Moves the clock and nothing else: what is due is not booked. */
async function tick(shop: Shop, to: string): Promise<void> {
  await shop.ground.app.db.system.query('update tenant set clock_at = $2 where id = $1', [shop.tenant.id, to])
}
