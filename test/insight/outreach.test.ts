// Staff go to members before they ask.
import { expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { makeSite } from '../content/site.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
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

test('an occasion is made up by one member over one feature for one rule, as long as that is there', async () => {
  const shop = await openShop()
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  const stumbles = { signal: 'STUMBLE', within: 'P1D' }
  await rule(shop, { ...stumbles, times: 2 })
  await rule(shop, { ...stumbles, key: 'third', about: 'checkout', times: 3, title: both('Call') })
  await rule(shop, { ...stumbles, key: 'other', about: 'wishlist', times: 1 })
  await rule(shop, { ...stumbles, key: 'gone', times: 1 })
  await shop.do('retireDefinition', { kind: 'outreach', key: 'gone' })
  let second = 0
  const after = async (...given: [TestMember, string][]) => {
    for (const [who, feature] of given) await stumble(shop, who, feature)
    await shop.clock(`2026-04-01T00:00:0${++second}Z`)
    return (await tasks(shop)).map((task) => task.slice(0, task.indexOf(','))).toSorted()
  }
  expect(await after([mia, 'checkout'], [aki, 'checkout'], [mia, 'search'])).toEqual([])
  expect(await after([aki, 'checkout'])).toEqual(['aki: Offer help'])
  expect(await after([mia, 'checkout'], [mia, 'search'])).toEqual([
    ...['aki: Offer help', 'mia: Offer help', 'mia: Offer help'],
  ])
  expect(await after([mia, 'checkout'])).toContain('mia: Call')
})

test('a rule that comes later is for those alone who stand still now', async () => {
  const shop = await openShop()
  const [first, second] = await makeCourse(shop)
  const steps = [{ key: 'unpack', title: both('unpack') }]
  await shop.do('saveChecklist', {
    ...{ key: 'brush', name: both('Brush'), sku: 'BRUSH', steps, stuckAfter: 'P90D', help: both('Call us.') },
  })
  const [still, done, begins] = [
    await shop.member('still'),
    await shop.member('done'),
    await shop.member('begins'),
  ]
  for (const member of [still, done, begins]) await enrol(shop, member)
  for (const lesson of [first, second]) await finish(shop, done, lesson)
  await shop.do('enrolInCourse', { course: 'skin', isAnew: true }, { as: begins.token })
  await shop.do('doChecklistStep', { checklist: 'brush' }, { as: begins.token })
  for (const given of [stale, { signal: 'CHECKLIST_STUCK', after: 'PT1H' }])
    expect(await rule(shop, { ...given, key: given.signal.toLowerCase() })).not.toHaveProperty('code')
  await shop.clock('2026-04-08T00:00:00Z')
  expect((await tasks(shop)).toSorted()).toEqual([
    'begins: Offer help, OPEN null',
    'still: Offer help, OPEN null',
  ])
})

test('what staff did stays done, and their other tasks stay theirs, when a member goes on or leaves', async () => {
  const shop = await openShop()
  const [first] = await makeCourse(shop)
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  await rule(shop, stale)
  for (const member of [mia, aki]) await enrol(shop, member)
  const space = await makeSpace(shop, 'qa', { kind: 'QA' })
  await shop.do('askQuestion', { space, title: 'How?', body: 'How?' }, { as: mia.token })
  await shop.clock('2026-04-08T00:00:00Z')
  const all = () =>
    sql(
      shop,
      `select kind, outcome from task where tenant_id = current_tenant() order by kind, outcome is null, outcome`,
    )
  const { data } = await shop.ask(shop.staff, '{ tasks(first: 9) { nodes { id kind } } }')
  for (const { id, kind } of data.tasks.nodes)
    if (kind === 'OUTREACH') await shop.do('completeTask', { task: id, outcome: 'DONE' })
  const standing = [
    { kind: 'ANSWER', outcome: null },
    { kind: 'OUTREACH', outcome: 'DONE' },
    { kind: 'OUTREACH', outcome: 'DONE' },
  ]
  expect(await all()).toEqual(standing)
  await finish(shop, aki, first)
  await shop.do('leaveProgram', {}, { as: mia.token })
  expect(await all()).toEqual(standing)
})

test('who wanted none of it for a while is gone to after it, and nobody for a course that was taken back', async () => {
  const shop = await openShop()
  await makeCourse(shop)
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  await rule(shop, stale)
  for (const member of [mia, aki]) await enrol(shop, member)
  const suppress = (member: TestMember, until: string) =>
    sql(
      shop,
      `select suppress_identity('task', null, 'MEMBER_CHANNEL', '${decodeId(member.id, 'id').id}', 'task',
         'UNSUBSCRIBED', ${until}, '2026-04-01', '{}')`,
    )
  await suppress(mia, 'null')
  await sql(
    shop,
    "update suppression set lifted_at = '2026-04-02', lifted_by = 'test' where tenant_id = current_tenant()",
  )
  await suppress(aki, "'2026-04-03'")
  await shop.clock('2026-04-08T00:00:00Z')
  expect((await tasks(shop)).toSorted()).toEqual(['aki: Offer help, OPEN null', 'mia: Offer help, OPEN null'])
  const late = await shop.member('late')
  await enrol(shop, late)
  await sql(shop, 'update course set is_retired = true where tenant_id = current_tenant()')
  await shop.clock('2026-05-08T00:00:00Z')
  expect(await tasks(shop)).toHaveLength(2)
})
