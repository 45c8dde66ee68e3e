// A bridge to networks elsewhere: what comes in comes in once, and says who wrote it.
import { beforeAll, describe, expect, it, test } from 'vitest'
import { written } from '../../api/domains/contributions/index.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { headOf, history } from '../support/history.ts'
import { makeSpace } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { type House, houses, look, publish } from './house.ts'

const open = houses()
let house: House

beforeAll(async () => {
  house = await open()
})

const by = (externalKey: string, displayName = externalKey) => ({ externalKey, displayName })
const at = '2026-03-01T00:00:00.000Z'
const root = (sourceKey: string) => ({ sourceKey, author: by('kay', 'Kay'), title: 'Tea', body: 'Tea?', at })
const comment = (sourceKey: string, more: object = {}) => ({
  ...{ sourceKey, author: by('lou', 'Lou'), body: `Yes, ${sourceKey}.`, at: '2026-03-02T00:00:00Z' },
  ...more,
})

/** Takes a thread in: the id of its post, and how many texts were new; or the refusal. */
async function take({ shop, club }: House, posts: object[], network = 'discord') {
  const said = await shop.do(
    'importThread',
    { network, space: club, posts },
    { select: 'imported post { id }' },
  )
  return said.post ? { id: said.post.id as string, imported: said.imported } : said
}

const THREAD = `title html createdAt activityAt commentCount author { displayName isOutside isStaff isFormerMember }
  comments(first: 100) { nodes { html author { displayName isOutside isFormerMember } comments(first: 9) { nodes { html } } } }`

describe('a thread from elsewhere', () => {
  it('is a post with comments, under the names of those who wrote it there, as safe as anything else', async () => {
    const nested = comment('t1-c2', {
      parent: 't1-c1',
      format: 'HTML',
      body: '<b>No</b><script>x()</script>',
    })
    const { id, imported } = await take(house, [root('t1'), comment('t1-c1'), nested])
    expect(imported).toBe(3)
    const outside = (displayName: string) => ({ displayName, isOutside: true, isFormerMember: false })
    expect(await look(house.shop, id, THREAD, house.mia)).toEqual({
      ...{ title: 'Tea', html: '<p>Tea?</p>', commentCount: 1 },
      ...{
        createdAt: at,
        activityAt: '2026-03-02T00:00:00.000Z',
        author: { ...outside('Kay'), isStaff: false },
      },
      comments: {
        nodes: [
          {
            html: '<p>Yes, t1-c1.</p>',
            author: outside('Lou'),
            comments: { nodes: [{ html: '<b>No</b>' }] },
          },
        ],
      },
    })
  })

  it('comes in once, and what is new comes to it', async () => {
    const first = await take(house, [root('t2'), comment('t2-c1')])
    const again = await take(house, [{ ...root('t2'), body: 'Changed.' }, comment('t2-c1'), comment('t2-c2')])
    expect([first.imported, again]).toEqual([2, { id: first.id, imported: 1 }])
    expect(await look(house.shop, first.id, 'html commentCount')).toEqual({
      html: '<p>Tea?</p>',
      commentCount: 2,
    })
    expect((await take(house, [root('t2')], 'slack')).id).not.toBe(first.id)
  })

  it('comes in once for twenty who send it at the same moment', async () => {
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        take(house, [root('race'), comment('race-c'), comment(`race-${i % 5}`)]),
      ),
    )
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(sent.reduce((sum, { imported }) => sum + imported, 0)).toBe(7)
    expect(await look(house.shop, sent[0]?.id, 'commentCount')).toEqual({ commentCount: 6 })
  })

  it('waits for whoever sends it just now', async () => {
    const { shop, club } = house
    const told = written({ title: 'Tea', body: 'Tea?' }, 'input')
    const posts = JSON.stringify([
      { ...told, key: 'wait', parent: null, authorKey: 'kay', authorName: 'Kay', at },
    ])
    const where = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
    const [first, second] = await overlapping(where, async (client) => {
      const text = `select thread_import('discord', $1, $2, 'test') as outcome`
      return (await client.query(text, [decodeId(club, 'id').id, posts])).rows[0].outcome
    })
    expect([first.imported, second]).toEqual([1, { is: 'done', post: first.post, imported: 0 }])
  })

  it.each([
    ['posts', []],
    ['posts.0.parent', [{ ...root('x'), parent: 'y' }]],
    ['posts.1.sourceKey', [root('x'), comment('x')]],
    ['posts.1.parent', [root('x'), comment('y', { parent: 'z' }), comment('z')]],
    ['posts.1.parent', [root('x'), comment('y', { parent: 'known' })]],
    ['posts.0.sourceKey', [comment('known-c')]],
    ['network', [root('x')], 'Discord!'],
  ])('is refused whole for its %s', async (field, posts, network = 'discord') => {
    await take(house, [root('known'), comment('known-c')])
    expect(await take(house, posts, network)).toMatchObject({ code: 'BAD_INPUT', field: `input.${field}` })
  })

  it('goes into a space for talk that is open, by the scope for it', async () => {
    const { shop, club, mia } = house
    const input = { network: 'discord', posts: [root('x')] }
    const qa = await makeSpace(shop, 'qa', { kind: 'QA' })
    expect(await shop.do('importThread', { ...input, space: qa })).toMatchObject({ field: 'input.space' })
    await shop.do('disableSpace', { space: qa })
    expect(await shop.do('importThread', { ...input, space: qa })).toMatchObject({
      code: 'SPACE_NOT_ENABLED',
    })
    for (const as of [mia.token, await shop.token('integration', 'x', 'community:write')])
      expect(await shop.do('importThread', { ...input, space: club }, { as })).toMatchObject({
        code: 'FORBIDDEN',
      })
    const bridge = await shop.token('integration', 'bridge', 'community:bridge community:read')
    const said = await shop.do('importThread', { ...input, space: club }, { as: bridge, select: 'imported' })
    expect(said).toMatchObject({ imported: 1 })
  })

  it('is seen by those who see its space, and by nobody once it is taken away', async () => {
    const { shop, mia } = house
    const vip = await makeSpace(shop, 'vip', { see: { attribute: { name: 'vip', equals: true } } })
    const { id } = await take({ ...house, club: vip }, [root('vip')])
    expect([await look(shop, id, 'title', mia), await look(shop, id, 'title')]).toEqual([
      null,
      { title: 'Tea' },
    ])
    const shown = await take(house, [root('gone'), comment('gone-c')])
    await shop.do('removeContribution', { contribution: shown.id })
    await take(house, [root('gone'), comment('gone-d')])
    expect(await look(shop, shown.id, 'title', mia)).toBeNull()
  })
})

describe('a member who is known elsewhere', () => {
  it('wrote what comes in from then on, earns nothing by it, and is told of to nobody', async () => {
    const { shop, mia, aki } = house
    const rule = await shop.do('defineEarnRule', {
      key: 'posting',
      rule: { name: { en: 'Post', ja: 'Post' }, on: { activity: 'post.published' }, points: { fixed: 5 } },
    })
    expect(rule).toMatchObject({ __typename: 'DefineEarnRulePayload' })
    await shop.do('linkIdentity', { member: mia.by, network: 'discord', externalKey: 'mia#1' })
    const post = { ...root('mine'), author: by('mia#1', 'Somebody') }
    const after = await headOf(shop)
    const { id } = await take(house, [post, comment('mine-c', { author: by('aki#1', 'Ak') })])
    const author = { displayName: 'mia', isOutside: false }
    expect(await look(shop, id, 'author { displayName isOutside }', aki)).toEqual({ author })
    await shop.do('removeContribution', { contribution: id })
    await shop.do('restoreContribution', { contribution: id })
    const told = (await history(shop, shop.staff, { after })).map(({ type }) => type)
    // That it came in is news to nobody; that staff took it away and brought it back is told to its author.
    const judged = ['contribution.judged', 'contribution.state_changed']
    expect(told).toEqual([...judged, ...judged])
  })

  it('is one member there, and stays so for twenty who say otherwise at once', async () => {
    const { shop, mia, aki } = house
    const said = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        shop.do('linkIdentity', { member: (i % 2 ? mia : aki).by, network: 'chat', externalKey: 'one' }),
      ),
    )
    expect(said.filter(({ code }) => code === 'BAD_INPUT')).toHaveLength(10)
    const query = '{ viewer { member { identities { network externalKey } } } }'
    const held = [await shop.ask(mia.token, query), await shop.ask(aki.token, query)].map(
      ({ data }) =>
        data.viewer.member.identities.filter(({ network }: { network: string }) => network === 'chat').length,
    )
    expect(held.sort()).toEqual([0, 1])
  })

  it('is one who is there, also when it goes at the same moment', async () => {
    const { shop } = house
    const link = (externalId: string) =>
      shop.do('linkIdentity', { member: { externalId }, network: 'chat', externalKey: externalId })
    expect(await link('nobody')).toMatchObject({ code: 'NOT_FOUND' })
    const goes = await shop.member('goes')
    const ground = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
    const [, late] = await overlapping(ground, async (client, nth) => {
      const text =
        nth === 1
          ? `select member_erase($1, null, 'goes', false, 'test') as outcome`
          : `select identity_link($1, null, 'chat', 'goes') as outcome`
      return (await client.query(text, [decodeId(goes.id, 'id').id])).rows[0].outcome
    })
    expect(late).toMatchObject({ is: 'membership_ended' })
  })

  it('takes it back itself, and cannot claim to be somebody', async () => {
    const { shop, mia, aki } = house
    const identity = { network: 'forum', externalKey: 'm' }
    expect(await shop.do('linkIdentity', { member: mia.by, ...identity }, { as: mia.token })).toMatchObject({
      code: 'FORBIDDEN',
    })
    await shop.do('linkIdentity', { member: mia.by, ...identity })
    expect(await shop.do('unlinkIdentity', identity, { as: aki.token })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await shop.do('unlinkIdentity', identity, { as: mia.token })).toMatchObject({
      __typename: 'UnlinkIdentityPayload',
    })
    const { id } = await take(house, [{ ...root('later'), author: by('m', 'Em') }], 'forum')
    expect(await look(shop, id, 'author { displayName isOutside }')).toEqual({
      author: { displayName: 'Em', isOutside: true },
    })
  })

  it('is nobody there once it is erased, and what came in does not come in again', async () => {
    const { shop } = house
    const eri = await shop.member('eri')
    await shop.do('linkIdentity', { member: eri.by, network: 'discord', externalKey: 'eri#1' })
    const post = { ...root('eri'), author: by('eri#1', 'Eri elsewhere') }
    const { id } = await take(house, [post])
    await shop.do('endMembership', { member: eri.by, end: 'LEFT' })
    const erased = await shop.do('eraseMember', { member: eri.by, texts: 'KEEP' })
    expect(erased).toMatchObject({ __typename: 'EraseMemberPayload' })
    expect(await take(house, [post])).toEqual({ id, imported: 0 })
    const author = { displayName: null, isOutside: false, isFormerMember: true }
    expect(await look(shop, id, 'author { displayName isOutside isFormerMember }')).toEqual({ author })
  })
})

test('a post tells where it stands elsewhere, in each network once', async () => {
  const { shop, club, mia } = house
  const post = await publish(shop, { space: club }, mia)
  const note = (network: string, url: string) => shop.do('noteCrossPost', { post, network, url })
  await Promise.all(Array.from({ length: 20 }, () => note('slack', 'https://slack.example/1')))
  await note('discord', 'https://discord.example/1')
  await note('slack', 'https://slack.example/2')
  const crossPosts = [
    { network: 'discord', url: 'https://discord.example/1' },
    { network: 'slack', url: 'https://slack.example/2' },
  ]
  expect(await look(shop, post, 'crossPosts { network url }', mia)).toEqual({ crossPosts })
  expect(await note('slack', 'javascript:x()')).toMatchObject({ field: 'input.url' })
})
