import { expect, it } from 'vitest'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { testApp } from '../support/app.ts'
import { CARD, listed, makeSite, node, publish } from './site.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const insiders = { attribute: { name: 'club', in: ['gold'] } }

async function house() {
  const shop = await open({ testClock: NOW })
  const site = await makeSite(shop)
  const mia = await shop.member('mia', { attributes: { club: 'gold' } })
  const aki = await shop.member('aki')
  return { shop, site, mia, aki }
}
const cardOf = (id: string) => encodeId('ContentCard', decodeId(id, 'id').id)
const teased = { facts: { isTeased: true, teaser: 'What gold members do.' }, audience: insiders }

it('shows content to members who see into the space, with its text', async () => {
  const { shop, site, aki } = await house()
  const id = await publish(shop, site)
  expect(await listed(shop, aki.token)).toMatchObject([
    {
      id: cardOf(id),
      visibility: 'MEMBERS',
      lock: null,
      content: { id, html: expect.stringContaining('<strong>little</strong>') },
    },
  ])
  expect(await node(shop, aki.token, id, '... on Content { title card { kind } }')).toEqual({
    title: 'Dry skin in winter',
    card: { kind: 'ARTICLE' },
  })
})

it('teases what is gated by title, teaser and what opens it, and gives the text to those alone who may read it', async () => {
  const { shop, site, mia, aki } = await house()
  const id = await publish(shop, site, teased)
  expect(await listed(shop, aki.token)).toMatchObject([
    {
      title: 'Dry skin in winter',
      teaser: 'What gold members do.',
      visibility: 'AUDIENCE',
      lock: { reason: 'AUDIENCE', unlock: insiders },
      content: null,
    },
  ])
  expect(await node(shop, aki.token, id, 'id')).toBeNull()
  expect(await node(shop, aki.token, cardOf(id), `... on ContentCard { ${CARD} }`)).toMatchObject({
    content: null,
  })
  expect(await listed(shop, mia.token)).toMatchObject([{ lock: null, content: { id } }])
})

it('hides what is gated and not teased from lists, counts and ids alike', async () => {
  const { shop, site, mia, aki } = await house()
  const id = await publish(shop, site, { audience: insiders })
  expect(await listed(shop, aki.token)).toEqual([])
  expect(await node(shop, aki.token, cardOf(id), 'id')).toBeNull()
  expect(await listed(shop, mia.token)).toHaveLength(1)
})

it('shows nothing to strangers and those who left, and drafts to staff alone', async () => {
  const { shop, site, mia } = await house()
  await publish(shop, site, teased)
  const draft = await publish(shop, site, { isDraft: true })
  const stranger = await shop.token('member', 'nobody')
  expect(await listed(shop, stranger)).toEqual([])
  expect(await listed(shop, mia.token, '{"state": "DRAFT"}')).toEqual([])
  expect(await listed(shop, shop.staff, '{"state": "DRAFT"}')).toMatchObject([{ content: { id: draft } }])
  await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  const query = '{ content { nodes { id } } }'
  expect((await shop.ask(mia.token, query)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})
