// Interests are derived from what a member does where all may read, when it agrees to that, and go when it does not.
import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const MINE = '{ viewer { member { isDerivingInterests interests { label source } } } }'
const mine = async (shop: Shop, { token }: TestMember) => (await shop.ask(token, MINE)).data.viewer.member

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
