// Staff go to members before they ask.
import { expect, test } from 'vitest'
import { makeSite } from '../content/site.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const both = (text: string) => ({ en: text, ja: text })

const openShop = () => open({ testClock: NOW, locale: 'en' })
const rule = (shop: Shop, given: object) =>
  shop.do('defineOutreach', { key: 'help', title: { en: 'Offer help', ja: '声をかける' }, ...given })
const stale = { signal: 'COURSE_STALE', after: 'P7D' }

/** Every task, as `member: title, state outcome`. */
async function tasks(shop: Shop): Promise<string[]> {
  const query = `{ tasks(first: 50) { nodes { id kind title body assignee touchpoint { id } state outcome member { externalId } } } }`
  const { data, errors } = await shop.ask(shop.staff, query)
  expect(errors).toEqual([])
  return data.tasks.nodes.map(({ kind, title, body, assignee, touchpoint, state, outcome, member }: Task) => {
    expect([kind, body, assignee, touchpoint]).toEqual(['OUTREACH', '', null, null])
    return `${member.externalId}: ${title}, ${state} ${outcome}`
  })
}
type Task = Record<string, unknown> & { readonly member: { readonly externalId: string } }

const sql = (shop: Shop, text: string) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query(text)).rows
  })
const told = async (shop: Shop) =>
  (
    await sql(
      shop,
      `select payload from outbox where type = 'outreach.begun' and tenant_id = current_tenant()
       union all select payload from event_log where type = 'outreach.begun' and tenant_id = current_tenant()`,
    )
  ).length

/** A course of two lessons; the ids of these. */
async function makeCourse(shop: Shop): Promise<string[]> {
  const lessons = ['first', 'second'].map((key) => ({ key, title: key, body: key }))
  const course = { space: await makeSite(shop), title: 'Skin care', summary: 'Steps', lessons }
  const done = await shop.do('saveCourse', { key: 'skin', course }, { select: 'course { lessons { id } }' })
  return done.course.lessons.map(({ id }: { id: string }) => id)
}
const enrol = (shop: Shop, { token }: TestMember) =>
  shop.do('enrolInCourse', { course: 'skin' }, { as: token })
const finish = (shop: Shop, { token }: TestMember, lesson: string | undefined) =>
  shop.do('finishLesson', { lesson }, { as: token })
const stumble = (shop: Shop, { token }: TestMember, feature = 'checkout') =>
  shop.do('reportStumble', { feature }, { as: token })

test('a course that nobody goes on with is a task, not a second before, and once until the next lesson', async () => {
  const shop = await openShop()
  const [first] = await makeCourse(shop)
  const mia = await shop.member('mia')
  await rule(shop, stale)
  await enrol(shop, mia)
  await shop.clock('2026-04-07T23:59:59Z')
  expect(await tasks(shop)).toEqual([])
  await shop.clock('2026-04-08T00:00:00Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, OPEN null'])
  await rule(shop, { ...stale, title: both('Call') })
  await shop.clock('2026-06-01T00:00:00Z')
  expect([await tasks(shop), await told(shop)]).toEqual([['mia: Offer help, OPEN null'], 1])
  await finish(shop, mia, first)
  expect(await tasks(shop)).toEqual(['mia: Offer help, COMPLETED OVERTAKEN'])
  await shop.clock('2026-06-08T00:00:00Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, COMPLETED OVERTAKEN', 'mia: Call, OPEN null'])
})

test('a lesson puts it off, and whoever completes the course needs no help', async () => {
  const shop = await openShop()
  const [first, second] = await makeCourse(shop)
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  for (const member of [mia, aki]) await enrol(shop, member)
  await rule(shop, { ...stale, about: 'skin' })
  await rule(shop, { ...stale, key: 'other', about: 'hair' })
  await shop.clock('2026-04-05T00:00:00Z')
  for (const member of [mia, aki]) await finish(shop, member, first)
  await finish(shop, aki, second)
  await shop.clock('2026-04-11T23:59:59Z')
  expect(await tasks(shop)).toEqual([])
  await shop.clock('2026-04-12T00:00:00Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, OPEN null'])
})

test('first steps that stand still are a task when the member is found stuck, until the next step', async () => {
  const shop = await openShop()
  const steps = ['unpack', 'charge'].map((key) => ({ key, title: both(key) }))
  await shop.do('saveChecklist', {
    ...{ key: 'brush', name: both('Brush'), sku: 'BRUSH', steps, stuckAfter: 'P3D', help: both('Call us.') },
  })
  const mia = await shop.member('mia')
  await rule(shop, { signal: 'CHECKLIST_STUCK', after: 'PT1H' })
  await shop.do('doChecklistStep', { checklist: 'brush' }, { as: mia.token })
  await shop.clock('2026-04-04T00:59:59Z')
  expect(await tasks(shop)).toEqual([])
  await shop.clock('2026-04-04T01:00:00Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, OPEN null'])
  await shop.do('doChecklistStep', { checklist: 'brush', step: 'unpack' }, { as: mia.token })
  expect(await tasks(shop)).toEqual(['mia: Offer help, COMPLETED OVERTAKEN'])
})

test('so many stumbles of one member over one feature within a span are one task, and count for no other', async () => {
  const shop = await openShop()
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  await rule(shop, { signal: 'STUMBLE', times: 3, within: 'PT1H' })
  const times = ['2026-04-01T00:00:00Z', '2026-04-01T00:30:00Z', '2026-04-01T01:00:00Z']
  for (const at of times) {
    await shop.clock(at)
    await stumble(shop, mia)
    await stumble(shop, aki, at)
  }
  await shop.clock('2026-04-01T01:10:00Z')
  expect(await tasks(shop)).toEqual([])
  await stumble(shop, mia)
  await shop.clock('2026-04-01T01:10:01Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, OPEN null'])
  for (const _ of [1, 2]) await stumble(shop, mia)
  await shop.clock('2026-04-01T01:10:02Z')
  expect(await tasks(shop)).toHaveLength(1)
  await stumble(shop, mia)
  await shop.clock('2026-04-01T01:10:03Z')
  expect([await tasks(shop), await told(shop)]).toEqual([
    ['mia: Offer help, OPEN null', 'mia: Offer help, OPEN null'],
    2,
  ])
})

test('twenty reports at once, and twenty workers, make one task', async () => {
  const shop = await openShop()
  const mia = await shop.member('mia')
  await rule(shop, { signal: 'STUMBLE', times: 20, within: 'P1D' })
  await Promise.all(Array.from({ length: 20 }, () => stumble(shop, mia)))
  const settled = await Promise.all(
    Array.from({ length: 20 }, async () => (await sql(shop, 'select outreach_settle_due(10) as n'))[0]?.n),
  )
  expect(settled.toSorted()).toEqual([...Array(19).fill(0), 1])
  expect([await tasks(shop), await told(shop)]).toEqual([['mia: Offer help, OPEN null'], 1])
})

test('nobody goes to who left, is paused, wants no more of it, or when the rule went', async () => {
  const shop = await openShop()
  await makeCourse(shop)
  const [mia, aki, rin] = [await shop.member('mia'), await shop.member('aki'), await shop.member('rin')]
  await rule(shop, stale)
  await rule(shop, { ...stale, key: 'gone' })
  for (const member of [mia, aki, rin]) await enrol(shop, member)
  expect(await shop.do('retireDefinition', { kind: 'outreach', key: 'gone' })).not.toHaveProperty('code')
  await shop.do('leaveProgram', {}, { as: mia.token })
  await shop.do('pauseMembership', {}, { as: aki.token })
  await shop.clock('2026-04-08T00:00:00Z')
  expect(await tasks(shop)).toEqual(['rin: Offer help, OPEN null'])
  const { data } = await shop.ask(shop.staff, '{ tasks(first: 1) { nodes { id } } }')
  await shop.do('completeTask', { task: data.tasks.nodes[0].id, outcome: 'DECLINED', note: 'No.' })
  await rule(shop, { ...stale, key: 'second' })
  await shop.clock('2026-04-08T00:00:01Z')
  expect(await tasks(shop)).toEqual(['rin: Offer help, COMPLETED DECLINED'])
})

test('what was given to staff ends when the member leaves', async () => {
  const shop = await openShop()
  await makeCourse(shop)
  const mia = await shop.member('mia')
  await rule(shop, stale)
  await enrol(shop, mia)
  await shop.clock('2026-04-08T00:00:00Z')
  await shop.do('leaveProgram', {}, { as: mia.token })
  expect(await tasks(shop)).toEqual(['mia: Offer help, COMPLETED OVERTAKEN'])
})

test.each([
  [{ signal: 'STUMBLE', times: 3 }, 'input.times'],
  [{ signal: 'STUMBLE', times: 0, within: 'P1D' }, 'input.times'],
  [{ signal: 'STUMBLE', times: 3, within: 'P1D', after: 'P1D' }, 'input.after'],
  [{ signal: 'COURSE_STALE' }, 'input.after'],
  [{ signal: 'CHECKLIST_STUCK', within: 'P1D' }, 'input.within'],
  [{ ...stale, about: ' ' }, 'input.about'],
])('a rule must say what its signal needs, and no more: %j', async (given, field) => {
  expect(await rule(await openShop(), given)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('two stumbles at the same moment see each other, and are one occasion', async () => {
  const shop = await openShop()
  await shop.member('mia')
  await rule(shop, { signal: 'STUMBLE', times: 2, within: 'P1D' })
  const where = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  await overlapping(where, (client, nth) =>
    client.query(`select stumble_report($1, '\\x01', null, 'mia', 'checkout', null, 'test')`, [`s-${nth}`]),
  )
  await shop.clock('2026-04-01T00:00:01Z')
  expect(await tasks(shop)).toEqual(['mia: Offer help, OPEN null'])
})
