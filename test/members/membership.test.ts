// What is known of a membership, the one decision that follows from it, and going and coming back.
import { describe, expect, it, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })

const FACTS = `{ viewer { membership { status isOpen since endedAt end reason paidThroughAt renewalStoppedAt pauseEndsAt } } }`

async function facts(shop: Shop, { token }: TestMember) {
  const { data, errors } = await shop.ask(token, FACTS)
  return errors[0]?.code ?? data.viewer.membership
}

/** The facts, and at each instant whether they open anything. Paid up to midnight of the 1st of April in Tokyo. */
const PAID = '2026-04-01T00:00:00+09:00'
const DECISIONS = [
  ['ACTIVE', null, null, { '2026-03-31T23:59:59+09:00': true, '2099-01-01T00:00:00Z': true }],
  [
    'ACTIVE',
    null,
    PAID,
    { '2026-03-31T23:59:59+09:00': true, [PAID]: false, '2026-04-01T00:00:01+09:00': false },
  ],
  ['PAUSED', null, null, { '2026-03-31T23:59:59+09:00': false, '2099-01-01T00:00:00Z': false }],
  [
    'PAUSED',
    PAID,
    null,
    { '2026-03-31T23:59:59+09:00': false, [PAID]: true, '2026-04-01T00:00:01+09:00': true },
  ],
  ['PAUSED', PAID, PAID, { '2026-03-31T23:59:59+09:00': false, [PAID]: false }],
  ['PAUSED', PAID, '2026-05-01T00:00:00+09:00', { [PAID]: true, '2026-05-01T00:00:00+09:00': false }],
  ['ENDED', null, null, { '2026-03-31T23:59:59+09:00': false, '2099-01-01T00:00:00Z': false }],
  ['ENDED', null, '2099-01-01T00:00:00Z', { [PAID]: false }],
] as const

test.each(DECISIONS)(
  'a membership that is %s, rests until %s and is paid until %s opens what the table says',
  async (status, paused, paid, at) => {
    const shop = await open()
    const text = 'select membership_opens($1, $2, $3, $4) as opens'
    for (const [now, opens] of Object.entries(at)) {
      const rows = await shop.ground.app.db
        .tenant(shop.tenant.id)
        .query({ text, values: [status, paused, paid, now] })
      expect([now, rows]).toEqual([now, [{ opens }]])
    }
  },
)

describe('the last second that is paid', () => {
  it('is open, the next is not, and it expires there when it is not renewed', async () => {
    const shop = await open({ testClock: '2026-03-01T00:00:00+09:00' })
    const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
    for (const { by } of [mia, aki]) await shop.do('setPaidThrough', { member: by, through: PAID })
    await shop.do('setRenewal', { renews: false }, { as: mia.token })
    await shop.clock('2026-03-31T23:59:59+09:00')
    expect(await facts(shop, mia)).toMatchObject({
      status: 'ACTIVE',
      isOpen: true,
      renewalStoppedAt: '2026-02-28T15:00:00.000Z',
    })
    await shop.clock(PAID)
    expect(await facts(shop, mia)).toBe('FORBIDDEN')
    expect(await facts(shop, aki)).toMatchObject({
      status: 'ACTIVE',
      isOpen: false,
      paidThroughAt: '2026-03-31T15:00:00.000Z',
    })
    const { member } = await shop.do(
      'setPaidThrough',
      { member: aki.by, through: null },
      { select: 'member { membership { isOpen } }' },
    )
    expect(member.membership.isOpen).toBe(true)
    const ended = await shop.ask(
      shop.staff,
      '{ member(by: {externalId: "mia"}) { membership { status end endedAt isOpen } } }',
    )
    expect(ended.data.member.membership).toEqual({
      status: 'ENDED',
      end: 'EXPIRED',
      endedAt: '2026-03-31T15:00:00.000Z',
      isOpen: false,
    })
  })
})

describe('a membership that rests', () => {
  it('signs in and sees its own, opens nothing, and goes on by itself at its end', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const mia = await shop.member('mia')
    await shop.do(
      'pauseMembership',
      { until: '2026-04-02T00:00:00Z', reason: 'A journey' },
      { as: mia.token },
    )
    expect(await facts(shop, mia)).toMatchObject({
      status: 'PAUSED',
      isOpen: false,
      pauseEndsAt: '2026-04-02T00:00:00.000Z',
    })
    expect((await shop.ask(mia.token, '{ viewer { member { wallet { available } } } }')).errors).toEqual([])
    await shop.clock('2026-04-01T23:59:59Z')
    expect(await facts(shop, mia)).toMatchObject({ isOpen: false })
    await shop.clock('2026-04-02T00:00:00Z')
    expect(await facts(shop, mia)).toMatchObject({
      status: 'ACTIVE',
      isOpen: true,
      since: '2026-04-02T00:00:00.000Z',
      pauseEndsAt: null,
    })
  })

  it('may be told its new end, and an end that is over is refused', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const mia = await shop.member('mia')
    await shop.do('pauseMembership', {}, { as: mia.token })
    expect(
      await shop.do('pauseMembership', { until: '2026-04-01T00:00:00Z' }, { as: mia.token }),
    ).toMatchObject({ field: 'input.until' })
    await shop.do('pauseMembership', { until: '2026-05-01T00:00:00Z' }, { as: mia.token })
    expect(await facts(shop, mia)).toMatchObject({
      since: '2026-04-01T00:00:00.000Z',
      pauseEndsAt: '2026-05-01T00:00:00.000Z',
    })
    await shop.do('resumeMembership', {}, { as: mia.token })
    expect(await facts(shop, mia)).toMatchObject({ status: 'ACTIVE', isOpen: true, pauseEndsAt: null })
  })
})

describe('who leaves', () => {
  it('is refused at the next request, and returns with everything it had', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const mia = await shop.member('mia')
    await shop.do('grantPoints', { member: mia.by, points: 10, reason: 'Birthday' })
    await shop.do('pauseMembership', {}, { as: mia.token })
    await shop.do('leaveProgram', { reason: 'Moved' }, { as: mia.token })
    expect(await facts(shop, mia)).toBe('FORBIDDEN')
    expect(await shop.do('leaveProgram', { member: mia.by })).toMatchObject({ code: 'MEMBERSHIP_ENDED' })
    await shop.do('returnMembership', { member: mia.by })
    expect(await facts(shop, mia)).toEqual({
      ...{ status: 'ACTIVE', isOpen: true, since: '2026-04-01T00:00:00.000Z', endedAt: null, end: null },
      ...{ reason: null, paidThroughAt: null, renewalStoppedAt: null, pauseEndsAt: null },
    })
    const { data } = await shop.ask(mia.token, '{ viewer { member { wallet { available } } } }')
    expect(data.viewer.member.wallet.available).toBe('10')
  })

  it('may not make another leave, pause or return', async () => {
    const shop = await open()
    const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
    for (const name of ['leaveProgram', 'pauseMembership', 'resumeMembership'])
      expect(await shop.do(name, { member: aki.by }, { as: mia.token })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await shop.do('returnMembership', { member: mia.by }, { as: mia.token })).toMatchObject({
      code: 'FORBIDDEN',
    })
    expect(await facts(shop, aki)).toMatchObject({ status: 'ACTIVE' })
  })

  it('is written down, with who did it', async () => {
    const shop = await open()
    const mia = await shop.member('mia')
    await shop.do('pauseMembership', { reason: 'A journey' }, { as: mia.token })
    await shop.do('leaveProgram', { reason: 'Moved' }, { as: mia.token })
    await shop.do('returnMembership', { member: mia.by, reason: 'Missed us' })
    await shop.do('endMembership', { member: mia.by, end: 'REMOVED' })
    const text = 'select c.kind, c.actor, c.reason from membership_change c where own(c) order by c.id'
    expect(await shop.ground.app.db.tenant(shop.tenant.id).query({ text, values: [] })).toEqual([
      { kind: 'PAUSED', actor: 'member:mia', reason: 'A journey' },
      { kind: 'ENDED', actor: 'member:mia', reason: 'Moved' },
      { kind: 'RETURNED', actor: 'staff:anna', reason: 'Missed us' },
      { kind: 'ENDED', actor: 'staff:anna', reason: null },
    ])
  })
})
