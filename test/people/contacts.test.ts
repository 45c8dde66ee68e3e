// Members who are brought together: by staff, by a post that looks for somebody, and by telling how to be reached.
import type pg from 'pg'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, tell } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const WISH = { isOpenToIntroductions: true }

async function willing(shop: Shop, name: string, wish: object = WISH): Promise<TestMember> {
  const member = await shop.member(name)
  await shop.do('saveProfile', wish, { as: member.token })
  return member
}

const mine = async (shop: Shop, { token }: TestMember) =>
  (await shop.ask(token, '{ introductions { nodes { state isAsked note person { displayName } } } }')).data
    .introductions.nodes
const kinds = async (shop: Shop, { token }: TestMember) =>
  (
    await shop.ask(token, '{ viewer { member { notifications { nodes { kind } } } } }')
  ).data.viewer.member.notifications.nodes.map(({ kind }: { kind: string }) => kind)

describe('an introduction by staff', () => {
  it('asks both, and lets them write only when both said yes', async () => {
    const shop = await open()
    const [mia, aki] = [await willing(shop, 'mia'), await willing(shop, 'aki')]
    const asked = { member: mia.by, to: aki.id, note: 'Both love tea.' }
    await shop.do('introduceMembers', asked)
    await tell(shop)
    const told = { state: 'PROPOSED', isAsked: true, note: 'Both love tea.' }
    expect([await mine(shop, mia), await mine(shop, aki)]).toEqual([
      [{ ...told, person: { displayName: 'aki' } }],
      [{ ...told, person: { displayName: 'mia' } }],
    ])
    expect([await kinds(shop, mia), await kinds(shop, aki)]).toEqual([['INTRODUCTION'], ['INTRODUCTION']])
    const send = () => shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })
    await shop.do('answerIntroduction', { to: aki.id, accepts: true }, { as: mia.token })
    expect(await send()).toMatchObject({ reason: 'NO_MESSAGES' })
    await shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: aki.token })
    await tell(shop)
    expect([await send(), await kinds(shop, mia)]).toMatchObject([
      { __typename: 'SendMessagePayload' },
      ['INTRODUCTION', 'INTRODUCTION'],
    ])
  })

  it('that one declined is told to nobody, and is one however often it is asked', async () => {
    const shop = await open()
    const [mia, aki] = [await willing(shop, 'mia'), await willing(shop, 'aki')]
    const introduce = () => shop.do('introduceMembers', { member: mia.by, to: aki.id })
    await Promise.all(Array.from({ length: 20 }, introduce))
    await shop.do('answerIntroduction', { to: aki.id, accepts: false }, { as: mia.token })
    await shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: aki.token })
    const states = async (who: TestMember) =>
      (await mine(shop, who)).map(({ state }: { state: string }) => state)
    expect([await states(mia), await states(aki)]).toEqual([['DECLINED'], ['PROPOSED']])
  })

  it('is not found for who does not want it, blocked the other, or is gone; and is no member’s to make', async () => {
    const shop = await open()
    const [mia, aki, ken, closed] = [
      await willing(shop, 'mia'),
      await willing(shop, 'aki'),
      await willing(shop, 'ken'),
      await shop.member('closed'),
    ]
    await shop.do('blockMember', { other: mia.id }, { as: aki.token })
    await shop.do('leaveProgram', {}, { as: ken.token })
    for (const to of [aki.id, ken.id, closed.id, mia.id])
      expect(await shop.do('introduceMembers', { member: mia.by, to })).toMatchObject({ code: 'NOT_FOUND' })
    const own = await shop.do('introduceMembers', { member: mia.by, to: aki.id }, { as: mia.token })
    expect(own).toMatchObject({ code: 'FORBIDDEN' })
  })
})

const TALK = `{ conversations { nodes { person { displayName } posts { ... on Post { id } }
  contacts { isOffered own { kind value } theirs { kind value } } } } }`
const talks = async (shop: Shop, { token }: TestMember) =>
  (await shop.ask(token, TALK)).data.conversations.nodes

describe('a private reply', () => {
  let shop: Shop
  let [author, mia]: TestMember[] = []
  const post = async (space: string, kind = 'COLLABORATION') =>
    (
      await shop.do(
        'publishPost',
        { space, kind, title: 'A stall at the fair?', body: `Who joins me? ${kind} ${space}` },
        { as: author?.token ?? '', select: 'post { id }' },
      )
    ).post.id
  const reply = (to: string, as = mia?.token ?? '') =>
    shop.do('replyPrivately', { post: to, body: 'I do!' }, { as })

  beforeAll(async () => {
    shop = await open()
    ;[author, mia] = [await shop.member('author'), await shop.member('mia')]
  })

  it('to a post that looks for somebody reaches its author, who takes no messages else, and leads to the post', async () => {
    const id = await post(await makeSpace(shop, 'hall'))
    const direct = await shop.do('sendMessage', { to: author?.id, body: 'Hi' }, { as: mia?.token ?? '' })
    expect([direct.reason, (await reply(id)).__typename]).toEqual(['NO_MESSAGES', 'ReplyPrivatelyPayload'])
    expect(await talks(shop, author ?? expect.fail())).toMatchObject([
      { person: { displayName: 'mia' }, posts: [{ id }] },
    ])
  })

  it('to any other post, to one that is not seen or gone, to oneself, or to who blocked one finds nothing', async () => {
    const secret = await makeSpace(shop, 'secret', { join: 'INVITATION', isListed: false })
    await shop.do('placeInSpace', { space: secret, member: author?.by, standing: 'JOINED' })
    const hall = await makeSpace(shop, 'other')
    const gone = await post(hall)
    await shop.do('deleteContribution', { contribution: gone }, { as: author?.token ?? '' })
    const ken = await shop.member('ken')
    const fair = await post(await makeSpace(shop, 'fair'))
    await shop.do('blockMember', { other: ken.id }, { as: author?.token ?? '' })
    const answers = [
      await reply(await post(hall, 'TALK')),
      await reply(await post(secret)),
      await reply(gone),
      await reply(fair, author?.token),
      await reply(fair, ken.token),
    ]
    expect(answers.map(({ code }) => code)).toEqual(Array(5).fill('NOT_FOUND'))
  })

  it('says nothing of the post any more once it is not seen', async () => {
    const space = await makeSpace(shop, 'short')
    const id = await post(space)
    await reply(id)
    const seen = async () =>
      (await talks(shop, mia ?? expect.fail()))[0].posts.some((post: { id: string }) => post.id === id)
    const before = await seen()
    await shop.do('disableSpace', { space })
    expect([before, await seen()]).toEqual([true, false])
  })
})

describe('contacts', () => {
  const fields = (value: string) => [{ kind: 'EMAIL', value }]
  async function two() {
    const shop = await open()
    const [mia, aki] = [await shop.member('mia'), await willing(shop, 'aki', { messagesFrom: 'MEMBERS' })]
    await shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })
    const offer = (from: TestMember, to: TestMember, name = 'offerContact') =>
      shop.do(name, { to: to.id, fields: fields(`${from.by.externalId}@example.com`) }, { as: from.token })
    const seen = async (who: TestMember) => (await talks(shop, who))[0]?.contacts
    return { shop, mia, aki, offer, seen }
  }

  it('are shown to each other once both agreed, and to neither once one takes them back', async () => {
    const { shop, mia, aki, offer, seen } = await two()
    expect(await offer(aki, mia, 'acceptContact')).toMatchObject({ code: 'NOT_FOUND' })
    await offer(mia, aki)
    expect([await seen(mia), await seen(aki)]).toEqual([
      { isOffered: false, own: fields('mia@example.com'), theirs: [] },
      { isOffered: true, own: [], theirs: [] },
    ])
    await offer(aki, mia, 'acceptContact')
    expect([(await seen(mia)).theirs, (await seen(aki)).theirs]).toEqual([
      fields('aki@example.com'),
      fields('mia@example.com'),
    ])
    await shop.do('withdrawContact', { to: aki.id }, { as: mia.token })
    expect([(await seen(mia)).theirs, (await seen(aki)).theirs]).toEqual([[], []])
  })

  it('end with a block, for good, and are nothing between strangers or with who is gone', async () => {
    const { shop, mia, aki, offer, seen } = await two()
    await offer(mia, aki)
    await offer(aki, mia, 'acceptContact')
    await shop.do('blockMember', { other: mia.id }, { as: aki.token })
    expect([await seen(mia), await seen(aki)]).toEqual([null, null])
    expect(await offer(mia, aki)).toMatchObject({ code: 'NOT_FOUND' })
    await shop.do('unblockMember', { other: mia.id }, { as: aki.token })
    expect((await seen(mia)).theirs).toEqual([])
    const stranger = await shop.member('stranger')
    expect(await offer(stranger, aki)).toMatchObject({ code: 'NOT_FOUND' })
    await offer(mia, aki)
    await offer(aki, mia)
    await shop.do('pauseMembership', {}, { as: aki.token })
    expect(await seen(mia)).toBeNull()
    const rows = await onServer(
      shop.ground.databaseUrl,
      async (client) =>
        (await client.query('select from contact_offer where tenant_id = $1', [shop.tenant.id])).rows.length,
    )
    expect(rows).toBe(2)
  })
})

test('no offer outlives a block of the same moment, whichever comes first', async () => {
  const shop = await open()
  const [mia, aki] = [await shop.member('mia'), await willing(shop, 'aki', { messagesFrom: 'MEMBERS' })]
  await shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })
  const [one, other] = [mia, aki].map(({ id }) => decodeId(id, 'id').id)
  const ground = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  const offers = async (client: pg.Client) =>
    (
      await client.query(
        `select contact_offer_set($1, null, $2, '{"EMAIL": "mia@example.com"}', false) as outcome`,
        [...[one, other]],
      )
    ).rows[0].outcome.is
  const blocks = async (client: pg.Client) =>
    (await client.query('select member_block_set($1, $2, false, true) as outcome', [other, one])).rows[0]
      .outcome.is
  const left = () =>
    onServer(ground.url, (client) => client.query('select from contact_offer where member_id = $1', [one]))
  expect(await overlapping(ground, (client, nth) => (nth === 1 ? offers : blocks)(client))).toEqual([
    'done',
    'done',
  ])
  expect((await left()).rowCount).toBe(0)
  await shop.do('unblockMember', { other: mia.id }, { as: aki.token })
  expect(await overlapping(ground, (client, nth) => (nth === 1 ? blocks : offers)(client))).toEqual([
    'done',
    'not_found',
  ])
})

test('the changes of a membership are listed for the member and for staff, and for nobody else', async () => {
  const shop = await open()
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  await shop.do('pauseMembership', { reason: 'A journey' }, { as: mia.token })
  await shop.do('resumeMembership', {}, { as: mia.token })
  const query = 'query ($by: MemberBy!) { member(by: $by) { membershipChanges { nodes { kind reason } } } }'
  const nodes = [
    { kind: 'RESUMED', reason: null },
    { kind: 'PAUSED', reason: 'A journey' },
  ]
  const seen = async (token: string) =>
    (await shop.ask(token, query, { by: mia.by })).data?.member?.membershipChanges ?? null
  expect([await seen(mia.token), await seen(shop.staff), await seen(aki.token)]).toEqual([
    { nodes },
    { nodes },
    null,
  ])
  expect(idOfKind('Member', mia.id)).not.toBe(mia.id)
})
