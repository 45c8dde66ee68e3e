import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openHouse } from './house.ts'

const database = testDatabase()
const NOW = '2026-04-01T00:00:00Z'

test('nothing may be sent before it was agreed to, and nothing after it was withdrawn', async () => {
  const house = await openHouse(database.url)
  const member = await house.member()
  expect(await house.missing(member)).toBe('NO_CONSENT')
  await house.give(member)
  expect(await house.missing(member)).toBeNull()
  expect(await house.missing(member, 'care')).toBe('NO_CONSENT')
  expect(await house.missing(member, 'offers', 'line')).toBe('NO_CONSENT')
  await house.withdraw(member)
  expect(await house.missing(member)).toBe('NO_CONSENT')
  const change = { purpose: 'offers', channel: 'email' }
  expect(await house.announced()).toEqual([
    ['consent.changed', { ...change, state: 'LIVE' }],
    ['consent.changed', { ...change, state: 'WITHDRAWN' }],
  ])
})

test.each([
  ['offers', 'inbox', null],
  ['offers', 'task', null],
  ['security', 'email', null],
  ['consent-confirmation', 'email', null],
  ['service', 'email', 'NO_CONSENT'],
  ['never-heard-of', 'email', 'NO_CONSENT'],
])('%s through %s needs: %s', async (purpose, channel, needs) => {
  const house = await openHouse(database.url)
  expect(await house.missing(await house.member(), purpose, channel)).toBe(needs)
})

test('a newsletter waits until the member has confirmed', async () => {
  const house = await openHouse(database.url)
  const member = await house.member('hana@example.com')
  const newsletter = { purpose: 'newsletter' }
  await house.give(member, newsletter)
  expect(await house.state(member, 'newsletter')).toBe('PENDING')
  expect(await house.missing(member, 'newsletter')).toBe('NO_CONSENT')
  const confirmation = await house.value('select c.id from confirmation c where own(c)')
  const answer = () => house.value(`select confirmation_answer($1, null, 'member')`, [confirmation])
  expect(await answer()).toMatchObject({ is: 'done', member })
  expect(await answer()).toMatchObject({ is: 'done', member })
  expect(await house.missing(member, 'newsletter')).toBeNull()
  const verified = 'select a.verified_at from address a where own(a)'
  expect(await house.value(verified)).toEqual(new Date(NOW))
  const whats = `select array_agg(e.what order by e.id) from consent_event e where own(e)`
  expect(await house.value(whats)).toEqual(['REQUESTED', 'CONFIRMED'])
})

test('a confirmation that comes after a withdrawal, or after seven days, confirms nothing', async () => {
  const house = await openHouse(database.url)
  const withdrawn = await house.member()
  const late = await house.member()
  for (const member of [withdrawn, late]) await house.give(member, { purpose: 'newsletter' })
  await house.withdraw(withdrawn, { purpose: 'newsletter' })
  const answer = async (member: string) => {
    const id = await house.value('select c.id from confirmation c where own(c) and c.member_id = $1', [
      member,
    ])
    return house.value(`select confirmation_answer($1, null, 'member')`, [id])
  }
  expect(await answer(withdrawn)).toMatchObject({ is: 'confirmation_expired' })
  await house.everything.query(`update tenant set clock_at = clock_at + interval '7 days'`)
  expect(await answer(late)).toMatchObject({ is: 'confirmation_expired' })
  expect([await house.state(withdrawn, 'newsletter'), await house.state(late, 'newsletter')]).toEqual([
    'WITHDRAWN',
    'PENDING',
  ])
})

test('asking again within an hour asks the member once', async () => {
  const house = await openHouse(database.url)
  const member = await house.member('hana@example.com')
  const asked = 'select count(*)::int from confirmation c where own(c)'
  for (let i = 0; i < 3; i++) await house.give(member, { purpose: 'newsletter' })
  expect(await house.value(asked)).toBe(1)
  await house.everything.query(`update tenant set clock_at = clock_at + interval '1 hour'`)
  await house.give(member, { purpose: 'newsletter' })
  expect(await house.value(asked)).toBe(2)
})

test('a consent older than a withdrawal is written down and does not bring it back', async () => {
  const house = await openHouse(database.url)
  const member = await house.member()
  await house.withdraw(member)
  await house.give(member, { at: '2026-03-31T00:00:00Z' })
  expect(await house.missing(member)).toBe('NO_CONSENT')
  const whats = `select array_agg(e.what order by e.id) from consent_event e where own(e)`
  expect(await house.value(whats)).toEqual(['WITHDRAWN', 'GIVEN'])
  await house.give(member)
  expect(await house.missing(member)).toBeNull()
})

test('an opt-out of everything on a channel leaves the service and the other channels alone', async () => {
  const house = await openHouse(database.url)
  const member = await house.member()
  for (const purpose of ['offers', 'care', 'unheard-of', 'service']) await house.give(member, { purpose })
  await house.give(member, { channel: 'line', kind: 'line' })
  const optOut = `select consent_opt_out($1, 'email', null, 'reply', '${NOW}', '{}')`
  expect(await house.value(optOut, [member])).toBe(3)
  expect(await house.value(optOut, [member])).toBe(0)
  const live = `select array_agg(c.purpose || ' ' || c.channel order by 1) from consent c where own(c) and c.state = 'LIVE'`
  expect(await house.value(live)).toEqual(['offers line', 'service email'])
})

test('a withdrawal and a message that is about to go out come one after the other', async () => {
  const house = await openHouse(database.url)
  for (let attempt = 0; attempt < 20; attempt++) {
    const member = await house.member()
    await house.give(member)
    // Whoever sends looks, writes down that it sends, and commits; the order of the two is told by the rows.
    const send = house.tenant.query<{ missing: string | null; at: string }>({
      text: `select consent_missing($1, 'offers', 'email', 'email') as missing, pg_sleep($2), clock_timestamp()::text as at`,
      values: [member, (attempt % 4) / 200],
    })
    const withdrawal = house
      .withdraw(member)
      .then(() => house.value<string>('select clock_timestamp()::text'))
    const [[sent], withdrawn] = await Promise.all([send, withdrawal])
    if (sent?.missing === null) expect(sent.at < withdrawn).toBe(true)
    expect(await house.missing(member)).toBe('NO_CONSENT')
  }
})

test('giving and withdrawing at once leave a state that the history ends with', async () => {
  const house = await openHouse(database.url)
  for (let attempt = 0; attempt < 20; attempt++) {
    const member = await house.member()
    await Promise.all([house.give(member), house.withdraw(member)])
    const last = await house.value(
      `select e.what from consent_event e where own(e) and e.member_id = $1 order by e.booked_at desc limit 1`,
      [member],
    )
    expect([await house.state(member), last]).toEqual(
      last === 'GIVEN' ? ['LIVE', 'GIVEN'] : ['WITHDRAWN', 'WITHDRAWN'],
    )
  }
})

test.each(['update', 'delete', 'truncate', 'insert'])(
  'the application may not %s the history',
  async (what) => {
    const house = await openHouse(database.url)
    await house.give(await house.member())
    const statement = {
      update: `update consent_event set source = 'else'`,
      delete: 'delete from consent_event',
      truncate: 'truncate consent_event',
      insert: 'insert into consent_event default values',
    }[what]
    await expect(house.tenant.query({ text: statement ?? '', values: [] })).rejects.toMatchObject({
      code: '42501',
    })
  },
)
