// What members may not do to each other: who rests, asks too often, is nobody, or is not near enough.
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace, write } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const uuidOf = ({ id }: TestMember) => decodeId(id, 'id').id

let shop: Shop
let mia: TestMember
let aki: TestMember
const WISH = { isOpenToIntroductions: true, messagesFrom: 'MEMBERS' }
const save = (profile: object, { token }: TestMember) => shop.do('saveProfile', profile, { as: token })
const rests = ({ token }: TestMember) => shop.do('pauseMembership', {}, { as: token })
const asks = (by: TestMember, to: TestMember) =>
  shop.do('proposeIntroduction', { to: to.id }, { as: by.token })
const sends = (by: TestMember, to: TestMember) =>
  shop.do('sendMessage', { to: to.id, body: 'Hi' }, { as: by.token })
const answers = (by: TestMember, to: TestMember, accepts: boolean) =>
  shop.do('answerIntroduction', { to: to.id, accepts }, { as: by.token })
const stands = async ({ token }: TestMember) =>
  (await shop.ask(token, '{ introductions(first: 5) { nodes { state } } }')).data.introductions.nodes.map(
    ({ state }: { state: string }) => state,
  )
const ground = () => ({ url: shop.ground.databaseUrl, tenantId: shop.tenant.id })
const asOwner = (text: string, values: unknown[]) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query(text, values)).rows
  })

beforeEach(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  ;[mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  for (const member of [mia, aki]) await save(WISH, member)
})

describe('an introduction', () => {
  it('is asked for by nobody whom nobody knows, and of nobody who rests', async () => {
    const nobody = { member: { externalId: 'nobody' }, to: aki.id }
    expect(await shop.do('proposeIntroduction', nobody)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await shop.do('introduceMembers', nobody)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await shop.do('introduceMembers', { member: aki.by, to: aki.id })).toMatchObject({
      code: 'NOT_FOUND',
    })
    await rests(aki)
    expect(await asks(mia, aki)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await stands(mia)).toEqual([])
  })

  it('by staff is of two who want it, each of whom says its own yes, by asking too', async () => {
    await save({ isOpenToIntroductions: false }, aki)
    const introduce = () => shop.do('introduceMembers', { member: mia.by, to: aki.id })
    expect(await introduce()).toMatchObject({ code: 'NOT_FOUND' })
    await save(WISH, aki)
    await introduce()
    await answers(aki, mia, true)
    expect(await stands(mia)).toEqual(['PROPOSED'])
    await asks(mia, aki)
    expect(await stands(mia)).toEqual(['INTRODUCED'])
  })

  it('that was declined stays so, whatever is said later or at the same moment', async () => {
    await asks(mia, aki)
    const says = (client: pg.Client, nth: 1 | 2) =>
      client.query('select introduction_answer($1, null, $2, $3)', [uuidOf(aki), uuidOf(mia), nth === 2])
    await overlapping(ground(), says)
    expect(await stands(aki)).toEqual(['DECLINED'])
    await answers(aki, mia, true)
    expect(await stands(aki)).toEqual(['DECLINED'])
    await rests(aki)
    expect(await stands(aki)).toEqual([])
  })
})

describe('a message', () => {
  it('is written by nobody whom nobody knows, and by nobody to itself', async () => {
    const nobody = { member: { externalId: 'nobody' }, to: aki.id, body: 'Hi' }
    expect(await shop.do('sendMessage', nobody)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await sends(mia, mia)).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('to who takes some from those near comes from these alone', async () => {
    await save({ messagesFrom: 'SHARED' }, aki)
    expect(await sends(mia, aki)).toMatchObject({ reason: 'NO_MESSAGES' })
    const space = await makeSpace(shop, 'hall')
    for (const { token } of [mia, aki]) await shop.do('joinSpace', { space }, { as: token })
    expect((await sends(mia, aki)).__typename).toBe('SendMessagePayload')
  })

  it('is the twentieth of a minute once, of two at the same moment', async () => {
    for (let i = 0; i < 19; i++) await sends(mia, aki)
    const outcomes = await overlapping(ground(), async (client, nth) => {
      const values = [`m-${nth}`, uuidOf(mia), uuidOf(aki)]
      const { rows } = await client.query(
        `select message_send($1, '\\x01', $2, null, $3, 'Hi', 'test') as outcome`,
        values,
      )
      return rows[0].outcome
    })
    expect(outcomes).toMatchObject([{ is: 'done' }, { is: 'access_denied', reason: 'TOO_MANY' }])
  })

  it('begins at most fifty conversations a day, and goes on in those', async () => {
    const [known] = await Promise.all(Array.from({ length: 50 }, (_, i) => shop.member(`m${i}`)))
    await asOwner(
      `insert into message (tenant_id, conversation_id, author_id, body, at)
       select m.tenant_id, conversation_open($2, m.id, '2026-04-01'), $2, 'Hi', '2026-04-01' from member m
       where m.tenant_id = $1 and m.external_id ~ '^m[0-9]+$'`,
      [shop.tenant.id, uuidOf(mia)],
    )
    await shop.clock('2026-04-01T01:00:00Z')
    expect(await sends(mia, aki)).toMatchObject({ reason: 'TOO_MANY' })
    expect((await sends(mia, known as TestMember)).__typename).toBe('SendMessagePayload')
    await shop.clock('2026-04-02T00:30:00Z')
    expect((await sends(mia, aki)).__typename).toBe('SendMessagePayload')
  })
})

describe('a private reply', () => {
  const REPLY = { select: 'post { id }' }
  const post = async (space: string) =>
    (
      await shop.do(
        'publishPost',
        { space, kind: 'COLLABORATION', title: 'Who?', body: crypto.randomUUID() },
        { as: aki.token, ...REPLY },
      )
    ).post.id
  const replies = (to: string, { token }: TestMember) =>
    shop.do('replyPrivately', { post: to, body: 'I!' }, { as: token })

  it('goes to nobody by a post that is gone, for moderators too, nor to who rests', async () => {
    const space = await makeSpace(shop, 'hall')
    await shop.do('placeInSpace', { space, member: mia.by, standing: 'JOINED', role: 'MODERATOR' })
    const [gone, there] = [await post(space), await post(space)]
    await shop.do('removeContribution', { contribution: gone })
    expect(await replies(gone, mia)).toMatchObject({ code: 'NOT_FOUND' })
    const nobody = { member: { externalId: 'nobody' }, post: there, body: 'I!' }
    expect(await shop.do('replyPrivately', nobody)).toMatchObject({ code: 'NOT_FOUND' })
    await rests(aki)
    expect(await replies(there, mia)).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('shows at most the twenty newest posts of a conversation, to the two alone', async () => {
    const eve = await shop.member('eve')
    await replies(await post(await makeSpace(shop, 'hall')), mia)
    const more = await Promise.all(
      Array.from({ length: 20 }, () => write(shop, { space: 'hall', kind: 'POST' })),
    )
    await asOwner(
      `insert into conversation_post (tenant_id, conversation_id, contribution_id, member_id, at)
       select c.tenant_id, c.id, p.id, c.one_id, '2026-04-02' from conversation c, unnest($2::uuid[]) p (id)
       where c.tenant_id = $1`,
      [shop.tenant.id, more],
    )
    const posts = (by: TestMember) =>
      asOwner('select conversation_posts($2, array(select id from conversation where tenant_id = $1))', [
        ...[shop.tenant.id, uuidOf(by)],
      ])
    expect([(await posts(mia)).length, (await posts(aki)).length, (await posts(eve)).length]).toEqual([
      20, 20, 0,
    ])
  })
})

describe('contacts', () => {
  const fields = [{ kind: 'EMAIL', value: 'me@example.com' }]
  const offers = (by: TestMember, to: TestMember) =>
    shop.do('offerContact', { to: to.id, fields }, { as: by.token, select: 'contacts { isOffered }' })

  it('are offered by nobody and to nobody who rests, and not told of to who does', async () => {
    await sends(mia, aki)
    expect(await offers(mia, aki)).toMatchObject({ contacts: { isOffered: false } })
    expect(await offers(aki, mia)).toMatchObject({ contacts: { isOffered: true } })
    await rests(mia)
    for (const [one, other] of [
      [mia, aki],
      [aki, mia],
    ] as const)
      expect(await offers(one, other)).toMatchObject({ code: 'NOT_FOUND' })
    const withdrawn = { as: mia.token, select: 'contacts { isOffered }' }
    expect(await shop.do('withdrawContact', { to: aki.id }, withdrawn)).toMatchObject({ contacts: null })
  })

  it('outlive that one mutes the other', async () => {
    await sends(mia, aki)
    await offers(mia, aki)
    await shop.do('blockMember', { other: mia.id, isMute: true }, { as: aki.token })
    expect(await asOwner('select from contact_offer where member_id = $1', [uuidOf(mia)])).toHaveLength(1)
  })
})
