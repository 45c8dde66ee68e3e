import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openHouse } from './house.ts'

const database = testDatabase()

test("a member's e-mail is an address, and follows the profile", async () => {
  const house = await openHouse(database.url)
  const member = await house.member('Hana@Example.com')
  const update = (email: string | null) =>
    house.value('select member_update($1, null, $2)', [member, JSON.stringify({ email })])
  const value = `select a.value from address a where own(a) and a.removed_at is null`
  expect(await house.addresses(member)).toEqual([{ identity: 'hana@example.com', suppressed: null }])
  await update('hana@example.com')
  expect(await house.value(value)).toBe('hana@example.com')
  expect(await house.value('select count(*)::int from address a where own(a)')).toBe(1)
  await update('h@example.com')
  expect(await house.addresses(member)).toEqual([{ identity: 'h@example.com', suppressed: null }])
  await update(null)
  expect(await house.addresses(member)).toEqual([])
  await update('hana@example.com')
  expect(await house.addresses(member)).toHaveLength(1)
})

test('everybody who is found at an address is told', async () => {
  const house = await openHouse(database.url)
  const members = [await house.member('hana@example.com'), await house.member('HANA@example.com')]
  const found = `select array_agg(m order by m) from member_of_identity('email', 'hana@example.com') m`
  expect(await house.value(found)).toEqual([...members].sort())
})

test('a suppressed address is none for anybody, until it is over', async () => {
  const house = await openHouse(database.url)
  const [hana, also] = [await house.member('hana@example.com'), await house.member('hana@example.com')]
  const id = await house.suppress({ identity: 'hana@example.com', until: '2026-04-02T00:00:00Z' })
  const bounced = [{ identity: 'hana@example.com', suppressed: 'BOUNCED' }]
  expect([await house.addresses(hana), await house.addresses(also)]).toEqual([bounced, bounced])
  expect(await house.announced()).toEqual([['address.suppressed', { suppression: id, channel: 'email' }]])
  await house.everything.query(`update tenant set clock_at = '2026-04-02T00:00:00Z'`)
  expect(await house.addresses(hana)).toEqual([{ identity: 'hana@example.com', suppressed: null }])
})

test('told twice for one reason, it lasts as long as the longer, and is announced once', async () => {
  const house = await openHouse(database.url)
  const hana = await house.member('hana@example.com')
  const told = { identity: 'hana@example.com' }
  const first = await house.suppress(told)
  const later = { at: '2026-04-01T01:00:00Z' }
  expect(await house.suppress({ ...told, ...later, until: '2026-04-02T00:00:00Z' })).toBe(first)
  expect(await house.value('select s.until from suppression s where own(s)')).toBeNull()
  expect(await house.suppress({ ...told, ...later, reason: 'COMPLAINED' })).not.toBe(first)
  expect(await house.addresses(hana)).toEqual([{ identity: 'hana@example.com', suppressed: 'BOUNCED' }])
  expect((await house.announced()).length).toBe(2)
})

test('a block of one channel leaves the address to the others', async () => {
  const house = await openHouse(database.url)
  const hana = await house.member('hana@example.com')
  await house.suppress({ scope: 'MEMBER_CHANNEL', member: hana, channel: 'news', reason: 'BLOCKED' })
  const through = (channel: string) =>
    house.value(`select suppressed from addresses_for($1, $2, 'email', 'offers')`, [hana, channel])
  expect([await through('news'), await through('email')]).toEqual(['BLOCKED', null])
})

test('a suppression outlives the address, and tells no address', async () => {
  const house = await openHouse(database.url)
  const hana = await house.member('hana@example.com')
  await house.suppress({ identity: 'hana@example.com' })
  const update = (email: string | null) =>
    house.value('select member_update($1, null, $2)', [hana, JSON.stringify({ email })])
  await update(null)
  await update('hana@example.com')
  expect(await house.addresses(hana)).toEqual([{ identity: 'hana@example.com', suppressed: 'BOUNCED' }])
  expect(await house.value('select s::text from suppression s where own(s)')).not.toContain('hana')
})

test('a purpose that wants a verified address has none before the member confirmed', async () => {
  const house = await openHouse(database.url)
  const hana = await house.member('hana@example.com')
  await house.everything.query(
    `update purpose set requires_verified_address = true where key = 'offers' and tenant_id = $1`,
    [house.tenant.tenantId],
  )
  expect(await house.addresses(hana)).toEqual([{ identity: 'hana@example.com', suppressed: 'UNVERIFIED' }])
  expect(await house.addresses(hana, 'care')).toEqual([{ identity: 'hana@example.com', suppressed: null }])
})
