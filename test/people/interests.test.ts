// Interests are derived from what a member does where all may read, when it agrees to that, and go when it does not.
import { expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const MINE = '{ viewer { member { isDerivingInterests interests { label source } } } }'
const mine = async (shop: Shop, { token }: TestMember) => (await shop.ask(token, MINE)).data.viewer.member

const asOwner = (shop: Shop, text: string, values: unknown[] = []) =>
  onServer(
    shop.ground.databaseUrl,
    async (client) => (await client.query(text, [shop.tenant.id, ...values])).rows,
  )

/** A shop where somebody asked about tea, answered about rice, and wrote in a club about gin. */
async function lived(agrees: boolean) {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  const [hall, qa] = [await makeSpace(shop, 'hall'), await makeSpace(shop, 'qa', { kind: 'QA' })]
  const club = await makeSpace(shop, 'club', { join: 'INVITATION', isListed: false })
  await shop.do('placeInSpace', { space: club, member: mia.by, standing: 'JOINED' })
  if (agrees) await shop.do('deriveInterests', { isOn: true }, { as: mia.token })
  const ask = async ({ token: as }: TestMember, tag: string) =>
    (
      await shop.do(
        'askQuestion',
        { space: qa, title: `On ${tag}`, body: `What of ${tag}?`, tags: [tag] },
        { as, select: 'question { id }' },
      )
    ).question.id
  await ask(mia, 'コーヒー')
  await shop.do('answerQuestion', { question: await ask(aki, 'rice'), body: 'Boil it.' }, { as: mia.token })
  await shop.do('publishPost', { space: hall, body: 'A soap!', sku: 'SOAP' }, { as: mia.token })
  await shop.do('publishPost', { space: club, body: 'A gin!', tags: ['gin'] }, { as: mia.token })
  return { shop, mia, aki }
}

test('nothing is derived of who did not agree, and all of it goes when a member no longer does', async () => {
  const { shop, mia } = await lived(false)
  await shop.clock('2026-04-02T00:00:00Z')
  expect(await mine(shop, mia)).toEqual({ isDerivingInterests: false, interests: [] })
  const agreeing = await lived(true)
  await agreeing.shop.clock('2026-04-02T00:00:00Z')
  // Nothing of the club, where not everybody may read.
  expect(await mine(agreeing.shop, agreeing.mia)).toEqual({
    isDerivingInterests: true,
    interests: [
      { label: 'rice', source: 'ANSWERED' },
      { label: 'SOAP', source: 'WROTE' },
      { label: 'コーヒー', source: 'ASKED' },
    ],
  })
  await agreeing.shop.do('deriveInterests', { isOn: false }, { as: agreeing.mia.token })
  await agreeing.shop.clock('2026-04-04T00:00:00Z')
  expect(await mine(agreeing.shop, agreeing.mia)).toEqual({ isDerivingInterests: false, interests: [] })
})

test('what is derived suggests members, is dropped for good, and gives way to what the member says', async () => {
  const { shop, mia, aki } = await lived(true)
  await shop.clock('2026-04-02T00:00:00Z')
  const open_ = { isOpenToIntroductions: true, interestsSight: 'MEMBERS' }
  await shop.do('saveProfile', open_, { as: mia.token })
  await shop.do('saveProfile', { ...open_, interests: ['ｺｰﾋｰ'] }, { as: aki.token })
  const query = '{ suggestedMembers { displayName sharedInterests } }'
  const suggested = async () => (await shop.ask(aki.token, query)).data.suggestedMembers
  expect(await suggested()).toEqual([{ displayName: 'mia', sharedInterests: ['コーヒー'] }])
  await shop.do('saveProfile', { interests: ['Rice'] }, { as: mia.token })
  await shop.do('dropInterest', { interest: 'コーヒー' }, { as: mia.token })
  await shop.clock('2026-04-04T00:00:00Z')
  expect((await mine(shop, mia)).interests).toEqual([
    { label: 'Rice', source: 'SAID' },
    { label: 'SOAP', source: 'WROTE' },
  ])
  expect(await suggested()).toEqual([])
  const none = await shop.do('dropInterest', { interest: 'Golf' }, { as: mia.token })
  expect(none).toMatchObject({ code: 'NOT_FOUND' })
})

test('interests are the member’s own and the staff’s to see', async () => {
  const { shop, mia, aki } = await lived(true)
  const query = 'query ($by: MemberBy!) { member(by: $by) { interests { label } isDerivingInterests } }'
  const { data } = await shop.ask(aki.token, query, { by: mia.by })
  expect(data?.member ?? null).toBeNull()
  expect((await shop.ask(shop.staff, query, { by: mia.by })).data.member.isDerivingInterests).toBe(true)
})

test('an interest that is dropped while interests are derived is gone', async () => {
  const { shop, mia } = await lived(true)
  await shop.clock('2026-04-01T00:00:01Z')
  const ground = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  await onServer(ground.url, (client) =>
    client.query('update profile set derives_at = $1 where tenant_id = $2 and derives_at is not null', [
      '2026-04-01',
      shop.tenant.id,
    ]),
  )
  const drops = `select interest_drop(null, 'mia', 'soap', 'SOAP') ->> 'is' as outcome`
  const answers = await overlapping(ground, async (client, nth) => {
    const { rows } = await client.query(nth === 1 ? 'select interests_settle_due(9) as outcome' : drops)
    return rows[0].outcome
  })
  expect(answers).toEqual([1, 'done'])
  expect((await mine(shop, mia)).interests).toEqual([
    { label: 'rice', source: 'ANSWERED' },
    { label: 'コーヒー', source: 'ASKED' },
  ])
})

test('only what is there, for all, and after it agreed, within half a year, makes an interest', async () => {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const [mia] = [await shop.member('mia', { attributes: { vip: true } }), await shop.member('aki')]
  const audience = { attribute: { name: 'vip', equals: true } }
  const site = await makeSpace(shop, 'site', { kind: 'SITE' })
  await makeSpace(shop, 'hall')
  await makeSpace(shop, 'vips', { see: audience })
  const off = await makeSpace(shop, 'off')
  const content = {
    space: site,
    kind: 'ARTICLE',
    purpose: 'RETENTION',
    title: 'For some',
    body: '…',
    need: '…',
  }
  await shop.do('publishContent', { ...content, audience })
  const [{ gate }] = await asOwner(shop, 'select audience_id as gate from gate where tenant_id = $1')
  const post = async (tag: string, more: object = {}) =>
    idOfKind('Post', await write(shop, { space: 'hall', kind: 'POST', by: 'mia', tags: [tag], ...more }))
  await post('before')
  await shop.clock('2026-04-01T00:00:01Z')
  await shop.do('deriveInterests', { isOn: true }, { as: mia.token })
  await post('shown')
  await post('private', { isPrivate: true })
  await post('gated', { gate })
  await post('for vips', { space: 'vips' })
  await post('off', { space: 'off' })
  await shop.do('disableSpace', { space: off })
  await shop.do('removeContribution', { contribution: await post('gone') })
  const thread = await post('thread gone', { by: 'aki' })
  await shop.do('addComment', { on: thread, body: 'Oh' }, { as: mia.token })
  await shop.do('removeContribution', { contribution: thread })
  const said = { on: await post('reply gone', { by: 'aki' }), body: 'Well' }
  const { comment } = await shop.do('addComment', said, { as: mia.token, select: 'comment { id }' })
  await shop.do('removeContribution', { contribution: comment.id })
  for (const [tag, days] of [
    ['read once', 1],
    ['read twice', 2],
  ] as const) {
    const { id } = decodeId(await post(tag, { by: 'aki' }), 'id')
    await asOwner(
      shop,
      `insert into contribution_view (tenant_id, contribution_id, member_id, day, at)
       select $1, $2, $3, '2026-04-01'::date + i, '2026-04-01T00:00:02Z' from generate_series(1, $4) i`,
      [id, decodeId(mia.id, 'id').id, days],
    )
  }
  await shop.clock('2026-04-02T12:00:00Z')
  const both = [
    { label: 'read twice', source: 'READ' },
    { label: 'shown', source: 'WROTE' },
  ]
  expect((await mine(shop, mia)).interests).toEqual(both)
  await shop.do('deriveInterests', { isOn: true }, { as: mia.token })
  await shop.clock('2026-04-04T00:00:00Z')
  expect((await mine(shop, mia)).interests).toEqual(both)
  await shop.clock('2026-10-15T00:00:00Z')
  expect((await mine(shop, mia)).interests).toEqual([])
})

test('at most ten interests are derived, those that came up most', async () => {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const mia = await shop.member('mia')
  await makeSpace(shop, 'hall')
  await shop.do('deriveInterests', { isOn: true }, { as: mia.token })
  const tags = Array.from({ length: 12 }, (_, i) => `t${10 + i}`)
  await write(shop, { space: 'hall', kind: 'POST', by: 'mia', tags })
  await write(shop, { space: 'hall', kind: 'POST', by: 'mia', tags: tags.slice(3) })
  await shop.clock('2026-04-02T00:00:00Z')
  const labels = async () =>
    (await mine(shop, mia)).interests.map(({ label }: { label: string }) => label).sort()
  expect(await labels()).toEqual(['t10', ...tags.slice(3)])
  await shop.do('dropInterest', { interest: 'Ｔ１０' }, { as: mia.token })
  expect(await labels()).toEqual(tags.slice(3))
})

test('nothing is said for who left: neither what it shows nor whether its interests are derived', async () => {
  const shop = await open()
  const mia = await shop.member('mia')
  await shop.do('leaveProgram', {}, { as: mia.token })
  for (const [name, given] of [
    ['saveProfile', { isListed: true }],
    ['deriveInterests', { isOn: true }],
  ] as const)
    expect(await shop.do(name, { member: mia.by, ...given })).toMatchObject({ code: 'MEMBERSHIP_ENDED' })
})
