// A question that is asked twice, closed, merged and contested.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'

const open = testApp()
const TITLE = 'How long does tea keep?'

/** A shop with a space for questions, members who ask and help, and a moderator. */
async function openHall() {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const space = await makeSpace(shop, 'qa', { kind: 'QA' })
  const [mia, ken, noa] = [await shop.member('mia'), await shop.member('ken'), await shop.member('noa')]
  await shop.do('placeInSpace', { space, member: noa.by, standing: 'JOINED', role: 'MODERATOR' })
  const ask = async (by: TestMember, given: object = {}) => {
    const select = 'isNew state question { id }'
    const done = await shop.do(
      'askQuestion',
      { space, title: TITLE, body: `Tell me ${randomUUID()}.`, ...given },
      { as: by.token, select },
    )
    expect(done.state).toBe('PUBLISHED')
    return [done.question.id as string, done.isNew as boolean] as const
  }
  return { shop, space, mia, ken, noa, ask }
}

const close = (shop: Shop, question: string, reason: string, as = shop.staff, duplicateOf?: string) =>
  shop.do('closeQuestion', { question, reason, duplicateOf }, { as })
const reopen = (shop: Shop, question: string, as = shop.staff) =>
  shop.do('reopenQuestion', { question }, { as })

async function seen(shop: Shop, id: string, what: string, as = shop.staff) {
  const query = `query ($id: ID!) { node(id: $id) { ... on Question { ${what} } } }`
  const { data, errors } = await shop.ask(as, query, { id })
  expect(errors).toEqual([])
  return data.node
}

test('a title within five minutes is the same question, however it is spelled; later, elsewhere or by others it is another', async () => {
  const { shop, mia, ken, ask } = await openHall()
  const space = await makeSpace(shop, 'other', { kind: 'QA' })
  const [first] = await ask(mia, { body: 'It is green.' })
  expect(await ask(mia, { title: ' ｈｏｗ long does  TEA keep? ', body: 'Black.' })).toEqual([first, false])
  expect((await seen(shop, first, 'body')).body).toBe('It is green.')
  const others = [
    await ask(ken),
    await ask(mia, { space }),
    await ask(mia, { title: 'How long does it keep?' }),
  ]
  others.push(await ask(mia, { isPrivate: true }), await ask(mia, { kind: 'CONSULTATION' }))
  await shop.clock('2026-04-01T00:05:00Z')
  others.push(await ask(mia))
  expect(others.map(([, isNew]) => isNew)).toEqual(Array(6).fill(true))
  expect(new Set([first, ...others.map(([id]) => id)]).size).toBe(7)
})

test('a title that comes twice at the same moment is one question', async () => {
  const { shop, space, mia } = await openHall()
  const at = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  const member = decodeId(mia.id, 'id').id
  const asked = await overlapping(at, async (client, nth) => {
    const what = {
      space: decodeId(space, 'id').id,
      title: TITLE,
      body: `${nth}`,
      format: 'MARKDOWN',
      html: '',
    }
    const text = `select question_ask($1, '', $2, 'member:mia', $3) as o`
    return (await client.query(text, [`k ${nth}`, member, what])).rows[0].o
  })
  expect(asked).toEqual([expect.objectContaining({ is_new: true }), { ...asked[0], is_new: false }])
})

test('a duplicate hands over whoever followed it or had the same trouble, as far as they see the other', async () => {
  const { shop, mia, ken, noa, ask } = await openHall()
  const club = await makeSpace(shop, 'club', { kind: 'QA', join: 'INVITATION' })
  for (const { by } of [ken, noa])
    await shop.do('placeInSpace', { space: club, member: by, standing: 'JOINED' })
  const [original] = await ask(noa, { space: club })
  const [duplicate] = await ask(mia)
  for (const { token } of [ken, noa]) await shop.do('addMeToo', { question: duplicate }, { as: token })
  await close(shop, duplicate, 'DUPLICATE', shop.staff, original)
  // Noa asked it herself, and Mia does not see into the club.
  expect(await seen(shop, original, 'meTooCount')).toEqual({ meTooCount: 1 })
  expect(await seen(shop, original, 'isMeToo isFollowed', ken.token)).toEqual({
    isMeToo: true,
    isFollowed: true,
  })
  expect(await seen(shop, duplicate, 'standing closedReason duplicateOf { id }', mia.token)).toEqual({
    ...{ standing: 'CLOSED', closedReason: 'DUPLICATE', duplicateOf: [] },
  })
  expect((await seen(shop, duplicate, 'duplicateOf { id }', ken.token)).duplicateOf).toEqual([
    { id: original },
  ])
})

test('no question is a duplicate of itself, round a ring, or of what one does not see', async () => {
  const { shop, mia, ken, ask } = await openHall()
  const hidden = await makeSpace(shop, 'club', { kind: 'QA', join: 'INVITATION' })
  await shop.do('placeInSpace', { space: hidden, member: ken.by, standing: 'JOINED' })
  const [a, b, c] = [(await ask(mia))[0], (await ask(ken))[0], (await ask(ken, { space: hidden }))[0]]
  expect(await close(shop, a, 'DUPLICATE', mia.token, a)).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.duplicateOf',
  })
  expect(await close(shop, a, 'DUPLICATE', mia.token, c)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await close(shop, a, 'DUPLICATE', mia.token, b)).not.toHaveProperty('code')
  expect(await close(shop, b, 'DUPLICATE', shop.staff, a)).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.duplicateOf',
  })
  expect(await close(shop, b, 'SOLVED', mia.token)).toMatchObject({
    code: 'ACCESS_DENIED',
    reason: 'NOT_AUTHOR',
  })
})

test('whoever asked is told that others closed it, and not of what it closed itself', async () => {
  const { shop, mia, noa, ask } = await openHall()
  const [first, second] = [(await ask(mia))[0], (await ask(mia, { title: 'And coffee?' }))[0]]
  await close(shop, first, 'SOLVED', mia.token)
  await close(shop, second, 'OFF_TOPIC', noa.token)
  await shop.clock('2026-04-01T00:02:00Z')
  const query = '{ viewer { member { notifications(first: 5) { nodes { kind object { title } } } } } }'
  expect((await shop.ask(mia.token, query)).data.viewer.member.notifications.nodes).toEqual([
    { kind: 'QUESTION_CLOSED', object: { title: 'And coffee?' } },
  ])
})

test('whoever asked contests once that it is a duplicate; the rest that others closed is theirs to open', async () => {
  const { shop, mia, ken, noa, ask } = await openHall()
  const [original] = await ask(ken)
  const [question] = await ask(mia)
  await close(shop, question, 'UNCLEAR')
  const refused = { code: 'ACCESS_DENIED', reason: 'NOT_MODERATOR' }
  expect(await reopen(shop, question, mia.token)).toMatchObject(refused)
  expect(await reopen(shop, question, noa.token)).not.toHaveProperty('code')
  await close(shop, question, 'DUPLICATE', noa.token, original)
  expect(await close(shop, question, 'SOLVED', mia.token)).toMatchObject(refused)
  await shop.clock('2026-04-02T00:00:00Z')
  expect(await reopen(shop, question, mia.token)).not.toHaveProperty('code')
  expect(await seen(shop, question, 'standing contestedAt closedReason duplicateOf { id }')).toEqual({
    ...{ standing: 'OPEN', contestedAt: '2026-04-02T00:00:00.000Z', closedReason: null, duplicateOf: [] },
  })
  expect(await seen(shop, original, 'meTooCount')).toEqual({ meTooCount: 0 })
  await close(shop, question, 'DUPLICATE', noa.token, original)
  expect(await reopen(shop, question, mia.token)).toMatchObject(refused)
  expect(await reopen(shop, question)).not.toHaveProperty('code')
  await close(shop, question, 'SOLVED', mia.token)
  expect(await reopen(shop, question, mia.token)).not.toHaveProperty('code')
})
