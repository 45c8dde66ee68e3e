// Members who bring others from a thread: a code of its own, what a claim keeps of it, and who came by it.
import { expect, it } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { codeOf, shopWith } from '../referrals/shop.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })

/** A shop with a referral program, two threads that every member sees, and one that only those see whose `vip` is true. */
async function talking() {
  const { shop, mia } = await shopWith(open)
  await makeSpace(shop, 'open')
  await makeSpace(shop, 'club', { see: { attribute: { name: 'vip', equals: true } } })
  const post = async (space: string) => idOfKind('Post', await write(shop, { space, kind: 'POST' }))
  return { shop, mia, tea: await post('open'), soap: await post('open'), secret: await post('club') }
}

const invite = (shop: Shop, { token: as }: TestMember, contribution: string) =>
  shop.do('inviteToThread', { contribution }, { as, select: 'referralCode' })

async function arrivals(shop: Shop, token: string, contribution: string) {
  const query = 'query ($id: ID!) { threadArrivals(contribution: $id) { claimed joined stayed } }'
  const { data } = await shop.ask(token, query, { id: contribution })
  return data.threadArrivals && Object.values(data.threadArrivals)
}

const claimBy = (shop: Shop, friend: TestMember, code: string, more: object = {}) =>
  shop.do('claimReferral', { code, ...more }, { as: friend.token, select: 'referral { state }' })

it('gives a member one code for a thread, however many ask at once, and another for each thread', async () => {
  const { shop, mia, tea, soap } = await talking()
  const noa = await shop.member('noa')
  const asked = await Promise.all(Array.from({ length: 20 }, () => invite(shop, mia, tea)))
  const codes = new Set(asked.map(({ referralCode }) => referralCode))
  expect([codes.size, asked[0].referralCode]).toEqual([1, expect.stringMatching(/^(\w{4}-){2}\w{4}$/)])
  for (const [who, thread] of [
    [mia, soap],
    [noa, tea],
  ] as const)
    codes.add((await invite(shop, who, thread)).referralCode)
  expect(codes.add(await codeOf(shop, mia)).size).toBe(4)
})

it('keeps by which thread a friend came, once, whatever it claims twenty times at once', async () => {
  const { shop, mia, tea, soap } = await talking()
  const aki = await shop.member('aki')
  const codes = [(await invite(shop, mia, tea)).referralCode, (await invite(shop, mia, soap)).referralCode]
  const said = await Promise.all(Array.from({ length: 20 }, (_, i) => claimBy(shop, aki, codes[i % 2] ?? '')))
  expect(said.map(({ reason }) => reason ?? 'CLAIMED').filter((word) => word === 'CLAIMED')).toHaveLength(1)
  const query = '{ viewer { member { referrer { thread { ... on Post { id } } } } } }'
  const { thread } = (await shop.ask(aki.token, query)).data.viewer.member.referrer
  const [came, other] = thread.id === tea ? [tea, soap] : [soap, tea]
  expect([thread.id, await arrivals(shop, mia.token, came)]).toEqual([came, [1, 1, 0]])
  expect(await arrivals(shop, mia.token, other)).toEqual([0, 0, 0])
})

it('counts exactly twenty friends who come at once, by the thread that each came by', async () => {
  const { shop, mia, tea, soap } = await talking()
  const noa = await shop.member('noa')
  const codes = [
    (await invite(shop, mia, tea)).referralCode,
    (await invite(shop, noa, tea)).referralCode,
    (await invite(shop, mia, soap)).referralCode,
    await codeOf(shop, mia),
  ]
  const friends = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.member(`friend ${i}`)))
  await Promise.all(friends.map((friend, i) => claimBy(shop, friend, codes[i % 4] ?? '')))
  const seen = [
    await arrivals(shop, mia.token, tea),
    await arrivals(shop, noa.token, tea),
    await arrivals(shop, shop.staff, tea),
    await arrivals(shop, shop.staff, soap),
  ]
  expect(seen).toEqual([
    [5, 5, 0],
    [5, 5, 0],
    [10, 10, 0],
    [5, 5, 0],
  ])
})

it('is as if the thread were not there for who may not see it, whoever asks for the member', async () => {
  const { shop, mia, secret } = await talking()
  expect(await invite(shop, mia, secret)).toMatchObject({ code: 'NOT_FOUND', what: 'contribution' })
  const byStaff = { member: mia.by, contribution: secret }
  expect(await shop.do('inviteToThread', byStaff)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await arrivals(shop, mia.token, secret)).toBeNull()
  await shop.do('updateMember', { member: mia.by, attributes: { vip: true } })
  expect(await arrivals(shop, mia.token, secret)).toEqual([0, 0, 0])
})

it('tells a friend nothing of the thread until it may see it', async () => {
  const { shop, mia, secret } = await talking()
  await shop.do('updateMember', { member: mia.by, attributes: { vip: true } })
  const aki = await shop.member('aki')
  expect(await claimBy(shop, aki, (await invite(shop, mia, secret)).referralCode)).toMatchObject({
    referral: { state: 'CLAIMED' },
  })
  const seen = async () =>
    (await shop.ask(aki.token, '{ viewer { member { referrer { thread { ... on Post { id } } } } } }')).data
      .viewer.member.referrer.thread
  const told = async () =>
    shop.ground.app.db.tenant(shop.tenant.id).query<{ data: object }>({
      text: `select data from member m, member_export(m.id, null, null, 1000, true)
             where own(m) and m.external_id = 'aki' and section = 'referral'`,
      values: [],
    })
  expect(await seen()).toBeNull()
  expect((await told()).map(({ data }) => 'thread_id' in data)).toEqual([false])
  await shop.do('updateMember', { member: aki.by, attributes: { vip: true } })
  expect(await seen()).toEqual({ id: secret })
})

it('counts who is still there 90 days after, to the second, by the clock of the tenant', async () => {
  const { shop, mia, tea } = await talking()
  const { referralCode: code } = await invite(shop, mia, tea)
  const [stays, leaves, returns, rejected] = [
    await shop.member('stays'),
    await shop.member('leaves'),
    await shop.member('returns'),
    await shop.member('rejected'),
  ]
  await shop.do('noteReferralSignals', { member: mia.by, signals: { device: 'hers' } })
  for (const friend of [stays, leaves, returns]) await claimBy(shop, friend, code)
  await claimBy(shop, rejected, code, { signals: { device: 'hers' } })
  await shop.clock('2026-05-01T00:00:00Z')
  await shop.do('leaveProgram', {}, { as: returns.token })
  await shop.do('returnMembership', { member: returns.by })
  await shop.clock('2026-06-29T23:59:59Z')
  expect(await arrivals(shop, mia.token, tea)).toEqual([4, 3, 0])
  await shop.do('leaveProgram', {}, { as: leaves.token })
  await shop.clock('2026-06-30T00:00:00Z')
  expect(await arrivals(shop, mia.token, tea)).toEqual([4, 3, 2])
  await shop.clock('2026-06-30T00:00:01Z')
  await shop.do('leaveProgram', {}, { as: stays.token })
  expect(await arrivals(shop, shop.staff, tea)).toEqual([4, 3, 2])
})

it('is nothing for who left or does not see the root, or the text by which it asks, or once that is gone', async () => {
  const { shop, mia, tea } = await talking()
  const [aki, noa] = [await shop.member('aki'), await shop.member('noa')]
  const given = { space: 'open', kind: 'POST' } as const
  const thread = idOfKind('Post', await write(shop, { ...given, by: 'aki' }))
  const say = async (on: string, { token: as }: TestMember) =>
    (await shop.do('addComment', { on, body: crypto.randomUUID() }, { as, select: 'comment { id }' })).comment
      .id
  const [under, beside] = [await say(thread, noa), await say(tea, noa)]
  const none = async (text: string, who = mia) => {
    expect(await invite(shop, who, text)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await arrivals(shop, who.token, text)).toBeNull()
  }
  await shop.do('blockMember', { other: aki.id }, { as: mia.token })
  await none(under)
  await shop.do('blockMember', { other: noa.id }, { as: mia.token })
  await none(beside)
  await shop.do('removeContribution', { contribution: thread })
  expect(await invite(shop, aki, thread)).toMatchObject({ code: 'NOT_FOUND' })
  await shop.do('leaveProgram', {}, { as: noa.token })
  const late = { member: noa.by, code: await codeOf(shop, mia) }
  expect(await shop.do('claimReferral', late)).toMatchObject({ code: 'MEMBERSHIP_ENDED' })
  const nobody = { member: { externalId: 'nobody' }, contribution: tea }
  expect(await shop.do('inviteToThread', nobody)).toMatchObject({ code: 'NOT_FOUND', what: 'member' })
})

it('counts who was there at the end of the 90 days, whatever came before and after, and nobody who is looked at', async () => {
  const { shop, mia, tea } = await talking()
  const { referralCode: code } = await invite(shop, mia, tea)
  const [again, late, looked] = [
    await shop.member('again'),
    await shop.member('late'),
    await shop.member('looked'),
  ]
  for (const friend of [again, late, looked]) await claimBy(shop, friend, code)
  const leaves = ({ token }: TestMember) => shop.do('leaveProgram', {}, { as: token })
  const asOwner = (text: string) =>
    onServer(shop.ground.databaseUrl, (client) =>
      client.query(`${text} where tenant_id = $1 and friend_id = $2`, [
        shop.tenant.id,
        decodeId(looked.id, 'id').id,
      ]),
    )
  await asOwner("update referral set state = 'REVIEW'")
  await leaves(again)
  await shop.do('returnMembership', { member: again.by })
  await leaves(again)
  await leaves(late)
  await shop.clock('2026-07-01T00:00:00Z')
  await shop.do('returnMembership', { member: late.by })
  expect(await arrivals(shop, mia.token, tea)).toEqual([3, 2, 0])
  await expect(asOwner('update referral set thread_id = null')).rejects.toThrow('stays by the thread')
})
