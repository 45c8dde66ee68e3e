// Members see of each other what each shows, get to know each other when both want to, and write to each other.
import { beforeAll, describe, expect, it, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { makeSpace } from '../support/house.ts'

const open = testApp({ role: 'web' })
const SEEN = '{ displayName interests sharedInterests fields { field value } }'

/** A member who shows itself like this. */
async function shown(shop: Shop, name: string, profile: object = {}): Promise<TestMember> {
  const member = await shop.member(name)
  await shop.do('saveProfile', profile, { as: member.token })
  return member
}

async function directory(shop: Shop, { token }: TestMember, args: object = {}) {
  const query = `query ($search: String, $interest: String, $after: String) {
    directory(search: $search, interest: $interest, first: 50, after: $after) { nodes ${SEEN} pageInfo { endCursor hasNextPage } } }`
  const { data, errors } = await shop.ask(token, query, args)
  expect(errors).toEqual([])
  return data.directory
}

const memberOf = async (shop: Shop, externalId: string) =>
  (await shop.ask(shop.staff, 'query ($by: MemberBy!) { member(by: $by) { id } }', { by: { externalId } }))
    .data.member

const names = async (shop: Shop, viewer: TestMember, args: object = {}) =>
  (await directory(shop, viewer, args)).nodes.map(({ displayName }: { displayName: string }) => displayName)

describe('the directory', () => {
  let shop: Shop
  let mia: TestMember
  let near: TestMember
  let far: TestMember
  beforeAll(async () => {
    shop = await open()
    const fields = [
      { field: 'HEADLINE', value: 'For all', sight: 'MEMBERS' },
      { field: 'COMPANY', value: 'For those near', sight: 'SHARED' },
      { field: 'LOCATION', value: 'For nobody', sight: 'NOBODY' },
    ]
    mia = await shown(shop, 'mia', {
      isListed: true,
      fields,
      interests: ['紅茶', 'ｺｰﾋｰ'],
      interestsSight: 'SHARED',
    })
    near = await shown(shop, 'near', { interests: ['コーヒー'] })
    far = await shown(shop, 'far', { interests: ['紅茶'] })
    await shop.member('closed')
    const [open_, secret] = [
      await makeSpace(shop, 'open'),
      await makeSpace(shop, 'secret', { join: 'INVITATION', isListed: false }),
    ]
    for (const { token } of [mia, near]) await shop.do('joinSpace', { space: open_ }, { as: token })
    await shop.do('placeInSpace', { space: secret, member: mia.by, standing: 'JOINED' })
  })

  it('shows each field to those whom it is for, and nobody who did not ask to be listed', async () => {
    const all = [{ field: 'HEADLINE', value: 'For all' }]
    expect((await directory(shop, near)).nodes).toEqual([
      {
        displayName: 'mia',
        interests: ['ｺｰﾋｰ', '紅茶'],
        sharedInterests: ['ｺｰﾋｰ'],
        fields: expect.arrayContaining([...all, { field: 'COMPANY', value: 'For those near' }]),
      },
    ])
    expect((await directory(shop, far)).nodes).toEqual([
      { displayName: 'mia', interests: [], sharedInterests: [], fields: all },
    ])
  })

  it('finds by an interest only whom one may know it of', async () => {
    expect([
      await names(shop, near, { interest: '紅茶' }),
      await names(shop, far, { interest: '紅茶' }),
    ]).toEqual([['mia'], []])
  })

  it('is empty for who rests, and without those who rest or are blocked', async () => {
    await shop.do('pauseMembership', {}, { as: near.token })
    expect(await names(shop, near)).toEqual([])
    await shop.do('resumeMembership', {}, { as: near.token })
    await shop.do('pauseMembership', {}, { as: mia.token })
    expect(await names(shop, near)).toEqual([])
    await shop.do('resumeMembership', {}, { as: mia.token })
    await shop.do('blockMember', { other: near.id }, { as: mia.token })
    expect([await names(shop, near), await names(shop, far)]).toEqual([[], ['mia']])
  })
})

type Person = { readonly displayName: string }

test('only who is in a space with a member now, which both see into, is near to it', async () => {
  const shop = await open()
  const vip = { attributes: { vip: true } }
  const [mia, aki] = [await shop.member('mia', vip), await shop.member('aki', vip)]
  const interests = { interests: ['Tea'], interestsSight: 'SHARED', isOpenToIntroductions: true }
  const fields = [{ field: 'COMPANY', value: 'A mill', sight: 'SHARED' }]
  for (const { token } of [mia, aki])
    await shop.do('saveProfile', { ...interests, fields, isListed: true }, { as: token })
  const space = await makeSpace(shop, 'club', { see: { attribute: { name: 'vip', equals: true } } })
  const goes = (name: string, { token }: TestMember) => shop.do(name, { space }, { as: token })
  const is = (member: TestMember, isVip: boolean) =>
    shop.do('updateMember', { member: member.by, attributes: { vip: isVip } })
  /** What the one is shown of the other: a field, an interest, and whether it is suggested. */
  const near = async () => {
    const { nodes } = await directory(shop, aki)
    const [own, other] = ['aki', 'mia'].map((name) => nodes.find((each: Person) => each.displayName === name))
    // Itself it sees as others do who are not near.
    expect(own).toMatchObject({ fields: [], interests: [] })
    const { data } = await shop.ask(aki.token, '{ suggestedMembers { displayName } }')
    return [other.fields.length, other.interests.length, data.suggestedMembers.length]
  }
  for (const member of [mia, aki]) await goes('joinSpace', member)
  expect(await near()).toEqual([1, 1, 1])
  for (const member of [mia, aki]) {
    await is(member, false)
    expect(await near()).toEqual([0, 0, 0])
    await is(member, true)
    await goes('leaveSpace', member)
    expect(await near()).toEqual([0, 0, 0])
    await goes('joinSpace', member)
    expect(await near()).toEqual([1, 1, 1])
  }
})

test('a field and an interest stand in a profile once', async () => {
  const shop = await open()
  const mia = await shown(shop, 'mia', { interests: ['Tea', 'ＴＥＡ', 'Rice'] })
  const query = '{ viewer { member { interests { label } } } }'
  const labels = (await shop.ask(mia.token, query)).data.viewer.member.interests
  expect(labels).toEqual([{ label: 'Rice' }, { label: 'Tea' }])
  const about = { field: 'ABOUT', value: 'Me', sight: 'MEMBERS' }
  expect(await shop.do('saveProfile', { fields: [about, about] }, { as: mia.token })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.fields',
  })
})

test('a name is found in every way of writing it, and pages by name are the whole list', async () => {
  const shop = await open()
  const viewer = await shown(shop, 'viewer')
  const people = [
    '髙橋ｻﾄｼ',
    '高橋さとし',
    'Ｔａｋａｈａｓｈｉ',
    ...Array.from({ length: 60 }, (_, i) => `Z ${100 + i}`),
  ]
  for (const [i, displayName] of people.entries()) {
    const by = { externalId: `m${i}` }
    await shop.do('registerMember', { ...by, displayName })
    await shop.do('saveProfile', { member: by, isListed: true })
  }
  expect(await names(shop, viewer, { search: '高橋サトシ' })).toEqual(['髙橋ｻﾄｼ', '高橋さとし'])
  expect(await names(shop, viewer, { search: 'TAKA' })).toEqual(['Ｔａｋａｈａｓｈｉ'])
  await shop.do('updateMember', { member: { externalId: 'm0' }, displayName: 'Ｚｏｅ' })
  expect(await names(shop, viewer, { search: 'zoe' })).toEqual(['Ｚｏｅ'])
  // Whoever is not to be seen takes no place on a page.
  await shop.do('pauseMembership', { member: { externalId: 'm3' } })
  await shop.do('blockMember', { member: viewer.by, other: (await memberOf(shop, 'm4')).id })
  const first = await directory(shop, viewer)
  const second = await directory(shop, viewer, { after: first.pageInfo.endCursor })
  expect([first.nodes.length, second.nodes.length, second.pageInfo.hasNextPage]).toEqual([50, 11, false])
  expect(new Set([...first.nodes, ...second.nodes].map((each) => each.displayName)).size).toBe(61)
})

describe('an introduction', () => {
  const wish = { isOpenToIntroductions: true, interests: ['Tea'], interestsSight: 'MEMBERS' }
  const MINE = '{ introductions { nodes { state isAsked note person { displayName } } } }'
  const mine = async (shop: Shop, { token }: TestMember) =>
    (await shop.ask(token, MINE)).data.introductions.nodes
  const suggested = async (shop: Shop, { token }: TestMember) =>
    (await shop.ask(token, '{ suggestedMembers { displayName sharedInterests } }')).data.suggestedMembers

  it('is suggested among those who care about the same and want it, and lets two write who both said yes', async () => {
    const shop = await open()
    const [mia, aki] = [await shown(shop, 'mia', wish), await shown(shop, 'aki', wish)]
    await shown(shop, 'unwilling', { ...wish, isOpenToIntroductions: false })
    await shown(shop, 'hidden', { ...wish, interestsSight: 'NOBODY' })
    await shown(shop, 'other', { ...wish, interests: ['Golf'] })
    expect(await suggested(shop, mia)).toEqual([{ displayName: 'aki', sharedInterests: ['Tea'] }])
    await shop.do('proposeIntroduction', { to: aki.id, note: 'Tea?' }, { as: mia.token })
    expect(await shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })).toMatchObject({
      code: 'ACCESS_DENIED',
      reason: 'NO_MESSAGES',
    })
    expect(await mine(shop, aki)).toEqual([
      { state: 'PROPOSED', isAsked: true, note: 'Tea?', person: { displayName: 'mia' } },
    ])
    await shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: aki.token })
    expect([await mine(shop, mia), await suggested(shop, mia)]).toEqual([
      [{ state: 'INTRODUCED', isAsked: false, note: 'Tea?', person: { displayName: 'aki' } }],
      [],
    ])
    expect(await shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })).toMatchObject({
      __typename: 'SendMessagePayload',
    })
  })

  it('that was declined is not told of, and not asked again', async () => {
    const shop = await open()
    const [mia, aki] = [await shown(shop, 'mia', wish), await shown(shop, 'aki', wish)]
    await shop.do('proposeIntroduction', { to: aki.id }, { as: mia.token })
    await shop.do('answerIntroduction', { to: mia.id, accepts: false }, { as: aki.token })
    await shop.do('proposeIntroduction', { to: aki.id }, { as: mia.token })
    expect((await mine(shop, mia)).map((each: { state: string }) => each.state)).toEqual(['PROPOSED'])
    expect((await mine(shop, aki)).map((each: { state: string }) => each.state)).toEqual(['DECLINED'])
  })

  it('that both ask for at once is one, twenty times', async () => {
    const shop = await open()
    for (let i = 0; i < 20; i++) {
      const [one, other] = [await shown(shop, `one ${i}`, wish), await shown(shop, `other ${i}`, wish)]
      await Promise.all([
        shop.do('proposeIntroduction', { to: other.id }, { as: one.token }),
        shop.do('proposeIntroduction', { to: one.id }, { as: other.token }),
      ])
      expect((await mine(shop, one)).map((each: { state: string }) => each.state)).toEqual(['INTRODUCED'])
    }
  })

  it('is asked for by one that has no answer to twenty of a day no more, who still says yes to others', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const [mia, early, late, later, ...rest] = (await Promise.all(
      Array.from({ length: 24 }, (_, i) => shown(shop, `m${i}`, wish)),
    )) as [TestMember, TestMember, TestMember, TestMember, ...TestMember[]]
    const asks = async (to: TestMember, by = mia) => {
      const done = await shop.do('proposeIntroduction', { to: to.id }, { as: by.token })
      return done.reason ?? done.__typename
    }
    const done = 'ProposeIntroductionPayload'
    for (const each of rest) expect(await asks(each)).toBe(done)
    await asks(mia, early)
    expect([await asks(late), await asks(early)]).toEqual(['TOO_MANY', done])
    expect(await mine(shop, early)).toMatchObject([{ state: 'INTRODUCED' }])
    await asks(mia, rest[0])
    expect([await asks(late), await asks(later)]).toEqual([done, 'TOO_MANY'])
    await shop.clock('2026-04-02T00:00:00Z')
    expect(await asks(later)).toBe(done)
  })

  it('of who blocked the other, or does not want any, is not found', async () => {
    const shop = await open()
    const [mia, aki, closed] = [
      await shown(shop, 'mia', wish),
      await shown(shop, 'aki', wish),
      await shop.member('closed'),
    ]
    await shop.do('blockMember', { other: mia.id }, { as: aki.token })
    for (const to of [aki.id, closed.id, mia.id])
      expect(await shop.do('proposeIntroduction', { to }, { as: mia.token })).toMatchObject({
        code: 'NOT_FOUND',
      })
    expect(await suggested(shop, mia)).toEqual([])
  })

  it('is answered, and suggested, by nobody and to nobody who rests, blocked or was blocked', async () => {
    const shop = await open()
    const [mia, aki] = [await shown(shop, 'mia', wish), await shown(shop, 'aki', wish)]
    const suggests = async (viewer: TestMember) => {
      const db = shop.ground.app.db.tenant(shop.tenant.id)
      const values = [decodeId(viewer.id, 'id').id]
      return (await db.query({ text: 'select introductions_suggested($1, 20)', values })).length
    }
    expect(await suggests(mia)).toBe(1)
    await shop.do('pauseMembership', {}, { as: mia.token })
    expect([await suggests(mia), await suggests(aki)]).toEqual([0, 0])
    await shop.do('resumeMembership', {}, { as: mia.token })
    await shop.do('blockMember', { other: aki.id }, { as: mia.token })
    expect([await suggests(mia), await suggests(aki)]).toEqual([0, 0])
    await shop.do('unblockMember', { other: aki.id }, { as: mia.token })
    await shop.do('proposeIntroduction', { to: aki.id }, { as: mia.token })
    const answers = () => shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: aki.token })
    await shop.do('blockMember', { other: aki.id }, { as: mia.token })
    expect(await answers()).toMatchObject({ code: 'NOT_FOUND' })
    await shop.do('unblockMember', { other: aki.id }, { as: mia.token })
    await shop.do('pauseMembership', {}, { as: aki.token })
    expect(await answers()).toMatchObject({ code: 'NOT_FOUND' })
    expect(await mine(shop, mia)).toMatchObject([{ state: 'PROPOSED' }])
  })
})

describe('a message', () => {
  const TALK = `query ($with: ID!) { messages(with: $with) { nodes { body isOwn author { displayName } } }
    conversations { nodes { unread person { displayName } } } }`
  const talk = async (shop: Shop, { token }: TestMember, other: TestMember) =>
    (await shop.ask(token, TALK, { with: other.id })).data

  it('is read by the two alone, counted until it is read, and told to both as it happens', async () => {
    const shop = await open()
    const [mia, aki, eve] = [
      await shop.member('mia'),
      await shown(shop, 'aki', { messagesFrom: 'MEMBERS' }),
      await shop.member('eve'),
    ]
    const after = await headOf(shop)
    for (const body of ['Hello', ' Are you there? '])
      await shop.do('sendMessage', { to: aki.id, body }, { as: mia.token })
    expect(await talk(shop, aki, mia)).toEqual({
      messages: {
        nodes: [
          { body: 'Are you there?', isOwn: false, author: { displayName: 'mia' } },
          { body: 'Hello', isOwn: false, author: { displayName: 'mia' } },
        ],
      },
      conversations: { nodes: [{ unread: 2, person: { displayName: 'mia' } }] },
    })
    await shop.do('markConversationRead', { with: mia.id }, { as: aki.token })
    expect((await talk(shop, aki, mia)).conversations.nodes[0].unread).toBe(0)
    expect(await talk(shop, eve, mia)).toEqual({ messages: { nodes: [] }, conversations: { nodes: [] } })
    const selection = 'id type ... on MessageSent { message { body isOwn } }'
    const told = async ({ token }: TestMember) =>
      (await history(shop, token, { after, selection, types: ['message.sent'] })).map(
        (event) => Object(event).message,
      )
    expect(await told(aki)).toEqual([
      { body: 'Hello', isOwn: false },
      { body: 'Are you there?', isOwn: false },
    ])
    expect(await told(mia)).toEqual([
      { body: 'Hello', isOwn: true },
      { body: 'Are you there?', isOwn: true },
    ])
    expect(await told(eve)).toEqual([])
  })

  it('is of one conversation, unread for who has not read it, and by nobody once one blocked the other or rests', async () => {
    const shop = await open()
    const takes = { messagesFrom: 'MEMBERS' }
    const [mia, aki, eve] = [
      await shown(shop, 'mia', takes),
      await shown(shop, 'aki', takes),
      await shown(shop, 'eve', takes),
    ]
    const says = (by: TestMember, to: TestMember, body: string) =>
      shop.do('sendMessage', { to: to.id, body }, { as: by.token })
    for (const [one, other] of [
      [mia, aki],
      [mia, eve],
    ] as const) {
      await says(one, other, 'Hi')
      await says(other, one, 'Oh')
    }
    const bodies = async (who: TestMember, other: TestMember) =>
      ((await talk(shop, who, other)).messages?.nodes ?? []).map(
        ({ body, author }: { body: string; author: object | null }) => [body, author !== null],
      )
    const unread = async (who: TestMember) =>
      (await talk(shop, who, who)).conversations.nodes.map((each: { unread: number }) => each.unread)
    expect(await bodies(mia, aki)).toEqual([
      ['Oh', true],
      ['Hi', true],
    ])
    expect([await unread(mia), await unread(aki), await unread(eve)]).toEqual([[1, 1], [1], [1]])
    await shop.do('markConversationRead', { with: aki.id }, { as: mia.token })
    await shop.do('markConversationRead', { with: mia.id }, { as: eve.token })
    expect([await unread(mia), await unread(aki), await unread(eve)]).toEqual([[1, 0], [1], [0]])
    await shop.do('blockMember', { other: aki.id }, { as: mia.token })
    expect([await bodies(mia, aki), await bodies(aki, mia)]).toEqual([
      [
        ['Oh', false],
        ['Hi', true],
      ],
      [
        ['Oh', true],
        ['Hi', false],
      ],
    ])
    await shop.do('pauseMembership', {}, { as: eve.token })
    expect([await bodies(eve, mia), await bodies(mia, eve)]).toEqual([
      [],
      [
        ['Oh', false],
        ['Hi', true],
      ],
    ])
  })

  it('is refused alike by who blocked one and by who takes none, and unheard by who muted one', async () => {
    const shop = await open()
    const takes = { messagesFrom: 'MEMBERS' }
    const [mia, blocks, mutes, closed] = [
      await shop.member('mia'),
      await shown(shop, 'blocks', takes),
      await shown(shop, 'mutes', takes),
      await shop.member('closed'),
    ]
    await shop.do('blockMember', { other: mia.id }, { as: blocks.token })
    await shop.do('blockMember', { other: mia.id, isMute: true }, { as: mutes.token })
    for (const { id: to } of [blocks, closed])
      expect(await shop.do('sendMessage', { to, body: 'Hi' }, { as: mia.token })).toMatchObject({
        reason: 'NO_MESSAGES',
      })
    await shop.do('sendMessage', { to: mutes.id, body: 'Hi' }, { as: mia.token })
    expect((await talk(shop, mutes, mia)).conversations.nodes).toEqual([
      { unread: 0, person: { displayName: 'mia' } },
    ])
  })

  it('is refused when there were twenty in a minute, to and from who rests, and to who left', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const [mia, aki] = [await shop.member('mia'), await shown(shop, 'aki', { messagesFrom: 'MEMBERS' })]
    const send = () => shop.do('sendMessage', { to: aki.id, body: 'Hi' }, { as: mia.token })
    for (let i = 0; i < 20; i++) expect(await send()).toMatchObject({ __typename: 'SendMessagePayload' })
    expect(await send()).toMatchObject({ reason: 'TOO_MANY' })
    await shop.clock('2026-04-01T00:01:01Z')
    expect(await send()).toMatchObject({ __typename: 'SendMessagePayload' })
    await shop.do('pauseMembership', {}, { as: mia.token })
    expect(await send()).toMatchObject({ reason: 'MEMBERSHIP' })
    expect((await talk(shop, mia, aki)).conversations.nodes).toEqual([])
    await shop.do('resumeMembership', {}, { as: mia.token })
    await shop.do('endMembership', { member: aki.by, end: 'REMOVED' })
    expect(await send()).toMatchObject({ code: 'NOT_FOUND' })
  })
})
