import fc from 'fast-check'
import { expect, test } from 'vitest'
import { membersMatching, parseRule, registerPredicates } from '../../api/domains/audiences/index.ts'
import { consentPredicate } from '../../api/domains/consents/audience.ts'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse } from './house.ts'

registerPredicates(consentPredicate)
const database = testDatabase()

const anyLife = fc.record({
  hasEmail: fc.boolean(),
  consents: fc.subarray(['offers', 'newsletter', 'service']),
  confirms: fc.boolean(),
  withdraws: fc.boolean(),
  suppression: fc.option(fc.constantFrom('ADDRESS', 'MEMBER_CHANNEL', 'LINE', 'OVER', 'LIFTED')),
  isEnded: fc.boolean(),
})
type Life = typeof anyLife extends fc.Arbitrary<infer Value> ? Value : never

async function live(house: House, life: Life): Promise<string> {
  const email = `${newId()}@example.com`
  const member = await house.member(life.hasEmail ? email : undefined)
  for (const purpose of life.consents) await house.give(member, { purpose })
  if (life.confirms) {
    await house.value(
      `select count(confirmation_answer(q.id, null, 'member')) from confirmation q where own(q) and q.member_id = $1`,
      [member],
    )
  }
  if (life.withdraws) await house.withdraw(member)
  if (life.suppression) {
    const scope = life.suppression === 'ADDRESS' ? 'ADDRESS' : 'MEMBER_CHANNEL'
    const channel = life.suppression === 'LINE' ? 'line' : 'email'
    const until = life.suppression === 'OVER' ? '2026-04-01T00:00:00Z' : null
    const id = await house.suppress({ scope, identity: email, member, channel, until })
    if (life.suppression === 'LIFTED') await house.value(`select suppression_lift($1, 'again', 'test')`, [id])
  }
  if (life.isEnded) {
    await house.value(`select membership_end($1, '\\x00', $2, null, 'LEFT', null, 'test')`, [newId(), member])
  }
  return member
}

/** Whom the functions that the claim asks would let a message go to. */
const reachable = `select coalesce(array_agg(m.id order by m.id), '{}') from member m
  where own(m) and m.membership <> 'ENDED' and consent_missing(m.id, $1, $2, $2) is null
    and ($2 = 'inbox' or exists (select from addresses_for(m.id, $2, $2, $1) a where a.suppressed is null))`

test('who may be written to is whoever a message would be sent to, whatever became of them', async () => {
  const house = await openHouse(database.url)
  const lives = fc.sample(anyLife, { numRuns: 120, seed: 7 })
  await Promise.all(lives.map((life) => live(house, life)))
  await house.everything.query(
    `update purpose set requires_verified_address = true where key = 'service' and tenant_id = $1`,
    [house.tenant.tenantId],
  )
  const found: Record<string, number> = {}
  for (const purpose of ['offers', 'newsletter', 'service', 'security', 'unheard-of']) {
    for (const channel of ['email', 'line', 'inbox']) {
      const rule = parseRule({ consent: { purpose, channel } }, 'filter')
      const members = await membersMatching(house.tenant, rule)
      expect(members).toEqual(await house.value(reachable, [purpose, channel]))
      found[`${purpose} ${channel}`] = members.length
    }
  }
  expect(found['offers email']).toBeGreaterThan(3)
  expect(found['service email']).toBeGreaterThan(0)
  expect(found['offers inbox']).toBe(lives.filter(({ isEnded }) => !isEnded).length)
  expect(found['offers line']).toBe(0)
})

test('it is asked when it is used, not when it was written down', async () => {
  const house = await openHouse(database.url)
  const member = await house.member('hana@example.com')
  const rule = parseRule({ consent: { purpose: 'offers', channel: 'email' } }, 'filter')
  expect(await membersMatching(house.tenant, rule)).toEqual([])
  await house.give(member)
  expect(await membersMatching(house.tenant, rule)).toEqual([member])
  await house.withdraw(member)
  expect(await membersMatching(house.tenant, rule)).toEqual([])
})

test.each([
  [{ purpose: 'offers' }, 'filter.consent.channel'],
  [{ purpose: '', channel: 'email' }, 'filter.consent.purpose'],
  [{ purpose: 'x'.repeat(101), channel: 'email' }, 'filter.consent.purpose'],
  [{ purpose: 'offers', channel: 'email', state: 'LIVE' }, 'filter.consent'],
  ['offers', 'filter.consent'],
])('%j is no rule about consent', (consent, field) => {
  expect(() => parseRule({ consent }, 'filter')).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', field }),
  )
})
