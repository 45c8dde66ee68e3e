import { beforeAll, expect, test } from 'vitest'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { newId } from '../../api/platform/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import { makeSite, publish } from './site.ts'

// Each refusal and guard of content by itself.

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember
let ended: TestMember
let site: string
let content: string
const VIPS = { attribute: { name: 'vip', equals: true } }
beforeAll(async () => {
  shop = await open()
  ;[mia, ended] = await Promise.all([shop.member('mia'), shop.member('ended')])
  await shop.do('endMembership', { member: ended.by, end: 'LEFT' })
  site = await makeSite(shop)
  content = await publish(shop, site)
})

const uuid = (id: string) => decodeId(id, 'id').id
const owner = <Row extends object>(text: string, values: unknown[] = []) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query<Row>(text, values)).rows
  })
const memberId = async (of: TestMember) => uuid(of.id)
const seenBy = async (of: TestMember, text: string, values: unknown[] = []) =>
  (
    await shop.ground.app.db
      .tenant(shop.tenant.id)
      .as(await memberId(of))
      .query({ text, values })
  ).length
const ended_ = { __typename: 'MembershipEndedError' }
const missing = (what: string) => ({ __typename: 'NotFoundError', message: `There is no such ${what}.` })

const unfit = (why: string) => ({ message: `This file cannot be attached: ${why}.` })

/** A stored file: of a member, of staff, or part of something. */
async function asset(more: { by?: TestMember; lesson?: string; to?: string; isDownload?: boolean } = {}) {
  const id = newId()
  await owner(
    `insert into asset (tenant_id, id, kind, name, media_type, size, state, storage_key, member_id, actor, contribution_id,
       lesson_id, is_download, created_at, stored_at, due_at)
     values ($1, $2::uuid, 'PDF', 'a.pdf', 'application/pdf', 10, 'STORED', $2::uuid::text, $3, 'test', $4, $5, $6, now(), now(),
       case when $4::uuid is null and $5::uuid is null and not $6::boolean then now() + interval '1 day' end)`,
    [
      ...[shop.tenant.id, id, more.by ? await memberId(more.by) : null, more.to ?? null, more.lesson ?? null],
      more.isDownload ?? false,
    ],
  )
  return id
}
const assetFor = async (id: string, of: TestMember, until = 'infinity') =>
  (await owner<{ o: object | null }>('select asset_for($1, $2, $3) o', [id, await memberId(of), until]))[0]
    ?.o ?? null

test('content names an entitlement and a series that there are', async () => {
  const facts = (given: object) => publish(shop, site, { facts: given })
  expect(await facts({ entitlement: 'none' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.entitlement',
  })
  expect(await facts({ series: 'none' })).toMatchObject(missing('series'))
})

test('content is in a space for it, and names stages that there are, when it is published and when it changes', async () => {
  const none = { code: 'BAD_INPUT', field: 'input.stages' }
  expect(await publish(shop, site, { facts: { stages: ['none'] } })).toMatchObject(none)
  expect(await shop.do('updateContent', { content, facts: { stages: ['none'] } })).toMatchObject(none)
  const talk = await makeSpace(shop, 'no-site')
  expect(await publish(shop, talk)).toMatchObject({ code: 'BAD_INPUT', field: 'input.space' })
})

test('an update makes nothing public that has an audience, nor teases it without a teaser', async () => {
  const update = (given: object) => shop.do('updateContent', { content, ...given })
  expect(await update({ audience: VIPS, facts: { isPublic: true } })).toMatchObject({
    field: 'input.isPublic',
  })
  expect(await update({ audience: VIPS, facts: { isTeased: true } })).toMatchObject({ field: 'input.teaser' })
})

test('what is no content is neither changed nor retired as such', async () => {
  await makeSpace(shop, 'talk')
  const post = encodeId('Content', await write(shop, { space: 'talk', kind: 'POST' }))
  expect(await shop.do('updateContent', { content: post, need: 'None' })).toMatchObject(missing('content'))
  expect(await shop.do('retireContent', { content: post })).toMatchObject(missing('content'))
})

test('a draft that is teased is there for nobody', async () => {
  const facts = { isTeased: true, teaser: 'Soon.' }
  const draft = uuid(await publish(shop, site, { isDraft: true, facts }))
  expect(await seenBy(mia, 'select from content where contribution_id = $1', [draft])).toBe(0)
})

test('who has left rates nothing, enrols nowhere, finishes and does nothing', async () => {
  const lesson = { key: 'one', title: 'One', body: 'First.' }
  const course = { space: site, title: 'C', summary: 'C', lessons: [lesson] }
  const saved = await shop.do('saveCourse', { key: 'left', course }, { select: 'course { lessons { id } }' })
  await shop.do('saveChecklist', {
    ...{
      key: 'left',
      name: { en: 'A', ja: 'あ' },
      help: { en: 'B', ja: 'い' },
      sku: 'soap',
      stuckAfter: 'P7D',
    },
    steps: [{ key: 'unpack', title: { en: 'Unpack', ja: '出す' } }],
  })
  const member = ended.by
  expect(await shop.do('rateContent', { member, content, rating: 'USEFUL' })).toMatchObject(ended_)
  expect(await shop.do('enrolInCourse', { member, course: 'left' })).toMatchObject(ended_)
  expect(await shop.do('finishLesson', { member, lesson: saved.course.lessons[0].id })).toMatchObject(ended_)
  expect(await shop.do('doChecklistStep', { member, checklist: 'left', step: 'unpack' })).toMatchObject(
    ended_,
  )
})

test('who has left gets no file, not even one that is handed out; who is there gets it until its time is over', async () => {
  const id = await asset({ isDownload: true })
  expect(await assetFor(id, ended)).toBeNull()
  expect(await assetFor(id, mia)).toMatchObject({ name: 'a.pdf' })
  expect(await assetFor(id, mia, '2020-01-01T00:00:00Z')).toBeNull()
})

test("another's loose file is not fetched, looked at, attached or listed", async () => {
  const kai = await shop.member('kai')
  const id = await asset({ by: kai })
  expect([await assetFor(id, mia), await assetFor(id, kai)]).toEqual([null, expect.anything()])
  expect(await seenBy(mia, 'select from asset where id = $1', [id])).toBe(0)
  await makeSpace(shop, 'desk')
  const own = await write(shop, { space: 'desk', kind: 'POST', by: 'mia' })
  const asked = { asset: encodeId('Asset', id), to: encodeId('Post', own) }
  expect(await shop.do('attachAsset', asked, { as: mia.token })).toMatchObject(missing('asset'))
  const [loose] = await owner<{ o: unknown }>('select asset_loose($1, $2) o', [id, await memberId(mia)])
  expect(loose?.o).toBeNull()
})

test('a file stays where it is part of something, and there are 20 at most', async () => {
  await makeSpace(shop, 'board')
  const [one, other] = [
    await write(shop, { space: 'board', kind: 'POST' }),
    await write(shop, { space: 'board', kind: 'POST' }),
  ]
  const attach = (id: string, to: string) =>
    shop.do('attachAsset', { asset: encodeId('Asset', id), to: encodeId('Post', to) })
  const taken = await asset({ to: one })
  expect(await attach(taken, other)).toMatchObject(unfit('it is part of something else, or not there'))
  for (let i = 1; i < 20; i++) await asset({ to: one })
  expect(await attach(await asset(), one)).toMatchObject(unfit('there are 20 files already'))
})

test('a member who has 50 files that belong to nothing announces no more', async () => {
  const upload = () =>
    shop.do('createUpload', { name: 'a.png', mediaType: 'image/png', size: 100 }, { as: mia.token })
  for (let i = 0; i < 49; i++) await asset({ by: mia })
  expect(await upload()).not.toHaveProperty('code')
  expect(await upload()).toMatchObject({ code: 'BAD_INPUT', field: 'input.size' })
  await owner(`update asset set state = 'GONE', stored_at = null where member_id = $1`, [await memberId(mia)])
  expect(await seenBy(mia, 'select from asset where member_id = $1', [await memberId(mia)])).toBe(0)
})

test('the files of a lesson are there when it opens, for fetching, listing and progress alike', async () => {
  const id = await asset()
  const lessons = [
    { key: 'one', title: 'One', body: 'First.', after: 'P1D', assets: [encodeId('Asset', id)] },
  ]
  const save = (key: string, more: object = {}) =>
    shop.do(
      'saveCourse',
      { key, course: { space: site, title: 'C', summary: 'C', lessons, ...more } },
      { select: 'course { lessons { id } }' },
    )
  await save('files')
  await shop.do('enrolInCourse', { course: 'files' }, { as: mia.token })
  const progress = () =>
    shop.do('recordAssetProgress', { asset: encodeId('Asset', id), percent: 10 }, { as: mia.token })
  expect(await assetFor(id, mia)).toBeNull()
  expect(await seenBy(mia, 'select from asset where id = $1', [id])).toBe(0)
  expect(await progress()).toMatchObject(missing('asset'))
  // A file of one course is not taken by another.
  expect(await save('thief')).toMatchObject(unfit('it is part of something else, or not there'))
  await owner(`alter table enrolment disable trigger same_enrolment`)
  await owner(`update enrolment set enrolled_at = now() - interval '2 days' where member_id = $1`, [
    await memberId(mia),
  ])
  await owner(`alter table enrolment enable trigger same_enrolment`)
  expect(await assetFor(id, mia)).not.toBeNull()
  expect(await progress()).not.toHaveProperty('code')
})

test('a course behind a gate or in a space that is not seen is none, a retired one takes in nobody', async () => {
  const lessons = [{ key: 'one', title: 'One', body: 'First.' }]
  const save = async (key: string, more: object = {}) =>
    (
      await shop.do(
        'saveCourse',
        { key, course: { space: site, title: 'C', summary: 'C', lessons, ...more } },
        { select: 'course { id lessons { id } }' },
      )
    ).course
  const hidden = await makeSpace(shop, 'hidden', { kind: 'SITE', see: VIPS, isListed: false })
  await save('gated', { audience: VIPS })
  await save('hidden', { space: hidden })
  await save('retired', { isRetired: true })
  const enrol = (course: string) => shop.do('enrolInCourse', { course }, { as: mia.token })
  expect(await enrol('gated')).toMatchObject(missing('course'))
  expect(await enrol('hidden')).toMatchObject(missing('course'))
  expect(await enrol('retired')).toMatchObject({ reason: 'RETIRED' })
})

test('a lesson that is retired, or whose course is closed to the member, is not open', async () => {
  const lessons = [
    { key: 'one', title: 'One', body: 'First.' },
    { key: 'two', title: 'Two', body: 'Second.' },
  ]
  const save = async (given: object) =>
    (
      await shop.do(
        'saveCourse',
        { key: 'changing', course: { space: site, title: 'C', summary: 'C', lessons, ...given } },
        { select: 'course { lessons { id } }' },
      )
    ).course
  const before = await save({})
  await shop.do('enrolInCourse', { course: 'changing' }, { as: mia.token })
  await save({ lessons: lessons.slice(0, 1) })
  const standing = async (id: string) =>
    (await owner('select * from lessons_standing(array[$1::uuid], $2)', [uuid(id), await memberId(mia)]))
      .length
  expect(await standing(before.lessons[1].id)).toBe(0)
  expect(await standing(before.lessons[0].id)).toBe(1)
  await save({ audience: VIPS })
  expect(await standing(before.lessons[0].id)).toBe(0)
})

test('what speaks for an idea is there', async () => {
  const { idea } = await shop.do(
    'saveContentIdea',
    { title: 'The manual', need: 'Where is the switch' },
    { select: 'idea { id }' },
  )
  const support = async (kind: string, target: string) =>
    (
      await owner<{ o: object }>(`select idea_support($1, 'test', $2, $3, null) o`, [
        uuid(idea.id),
        kind,
        target,
      ])
    )[0]?.o
  expect(await support('CONTRIBUTION', newId())).toMatchObject({ is: 'not_found', what: 'contribution' })
  expect(await support('SEGMENT', 'none')).toMatchObject({ is: 'not_found', what: 'segment' })
  expect(await support('CONTRIBUTION', uuid(content))).toMatchObject({ is: 'done', is_new: true })
})
