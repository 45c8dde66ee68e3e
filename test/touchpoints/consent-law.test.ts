import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openShop, type Shop } from './shop.ts'

const database = testDatabase()

/*
 * The law: nothing is sent without a live consent at the moment of sending, which is when the claim commits. So a
 * claim that began after a withdrawal was committed never gets a touch, whatever happened before or happens beside.
 */

type Step = 'give' | 'withdraw' | 'plan' | 'claim' | 'settle' | 'putOff' | 'lapse'
const steps = fc.array(
  fc.constantFrom<Step>('give', 'withdraw', 'plan', 'claim', 'settle', 'putOff', 'lapse'),
  { minLength: 4, maxLength: 12 },
)

async function claim(shop: Shop, touchpoint: string) {
  const text = `select touchpoint_claim($1, 'mail', 'mail', false, '{}', interval '1 minute') as outcome`
  const [row] = await shop.tenant.query<{ outcome: { is: string; deliveries?: Claimed[] } }>({
    text,
    values: [touchpoint],
  })
  return row?.outcome ?? expect.fail('it answers')
}
interface Claimed {
  readonly delivery: string
  readonly fence: string
}

async function settle(shop: Shop, { delivery, fence }: Claimed, state: 'ACCEPTED' | 'WAITING') {
  const settlement = { state, outcome: { is: 'accepted' }, due_at: state === 'WAITING' ? new Date() : null }
  const text = `select touchpoint_settle($1, $2, 'mail', $3)`
  await shop.tenant.query({ text, values: [delivery, fence, JSON.stringify(settlement)] })
}

/** A member who can be reached by mail. */
async function reader(shop: Shop): Promise<string> {
  const member = await shop.member()
  await shop.address(member, 'mail', `${member}@example.com`)
  return member
}

test('whatever is given, withdrawn, planned, claimed, put off and settled: no claim without a live consent', async () => {
  const shop = await openShop(database.url)
  let claims = 0
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const member = await reader(shop)
      let isLive = false
      const touches: string[] = []
      const claimed: Claimed[] = []
      for (const step of ['give', 'plan', ...script] as const) {
        if (step === 'give') await shop.agree(member, 'mail')
        if (step === 'withdraw') await shop.withdraw(member, 'mail')
        if (step === 'give' || step === 'withdraw') isLive = step === 'give'
        if (step === 'plan') touches.push(await shop.plan(member, { channels: ['mail'], purpose: 'offers' }))
        if (step === 'lapse') await shop.lapse()
        const last = claimed.at(-1)
        if (step === 'settle' && last) await settle(shop, last, 'ACCEPTED')
        if (step === 'putOff' && last) await settle(shop, last, 'WAITING')
        if (step !== 'claim') continue
        for (const touchpoint of touches) {
          const outcome = await claim(shop, touchpoint)
          if (outcome.is !== 'claimed') continue
          claims += 1
          expect(isLive).toBe(true)
          claimed.push(...(outcome.deliveries ?? []))
        }
      }
    }),
    { numRuns: 60, seed: 20_260_401 },
  )
  expect(claims).toBeGreaterThan(20)
})

test('20 races of a withdrawal with claims on other connections: what is claimed was claimed before it', async () => {
  const shop = await openShop(database.url)
  const counts = { before: 0, refused: 0 }
  for (let race = 0; race < 20; race++) {
    const member = await reader(shop)
    await shop.agree(member, 'mail')
    const touches = await Promise.all(
      Array.from({ length: 6 }, () => shop.plan(member, { channels: ['mail'], purpose: 'offers' })),
    )
    let isWithdrawn = false
    const late: string[] = []
    const withdrawing = shop.withdraw(member, 'mail').then(() => {
      isWithdrawn = true
    })
    await Promise.all(
      touches.map(async (touchpoint, i) => {
        for (let turn = 0; turn < i; turn++) await shop.tenant.query({ text: 'select 1', values: [] })
        const wasWithdrawn = isWithdrawn
        const { is } = await claim(shop, touchpoint)
        if (is !== 'claimed') {
          counts.refused += 1
          return
        }
        counts.before += 1
        if (wasWithdrawn) late.push(touchpoint)
      }),
    )
    await withdrawing
    expect(late).toEqual([])
    // Whatever was claimed was claimed in a transaction that held the consent while it was live.
    const again = await shop.plan(member, { channels: ['mail'], purpose: 'offers' })
    expect(await claim(shop, again)).toMatchObject({ is: 'settled' })
  }
  expect(counts.before + counts.refused).toBe(120)
  expect(counts.refused).toBeGreaterThan(0)
})

test('a claim waits for a withdrawal that has begun, and then finds it', async () => {
  const shop = await openShop(database.url)
  const member = await reader(shop)
  await shop.agree(member, 'mail')
  const touchpoint = await shop.plan(member, { channels: ['mail'], purpose: 'offers' })
  const other = await shop.everything.connect()
  try {
    await other.query('begin')
    await other.query(`update consent set state = 'WITHDRAWN' where member_id = $1`, [member])
    const claiming = claim(shop, touchpoint)
    await expect
      .poll(async () => {
        const { rows } = await shop.everything.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return rows[0].n
      })
      .toBe(1)
    await other.query('commit')
    expect(await claiming).toMatchObject({ is: 'settled' })
    expect(await shop.touchpoint(touchpoint)).toMatchObject({ not_sent_reason: 'NO_CONSENT' })
  } finally {
    other.release()
  }
})

test('a withdrawal waits for a claim that has begun: the message was on its way before', async () => {
  const shop = await openShop(database.url)
  const member = await reader(shop)
  await shop.agree(member, 'mail')
  const touchpoint = await shop.plan(member, { channels: ['mail'], purpose: 'offers' })
  const withdrawn = await shop.tenant.transaction(async (tx) => {
    await tx.query({
      text: `select touchpoint_claim($1, 'mail', 'mail', false, '{}', interval '1 minute')`,
      values: [touchpoint],
    })
    const withdrawing = shop.withdraw(member, 'mail')
    await expect
      .poll(async () => {
        const { rows } = await shop.everything.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return rows[0].n
      })
      .toBe(1)
    return { withdrawing }
  })
  await withdrawn.withdrawing
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'CLAIMED' })
})
