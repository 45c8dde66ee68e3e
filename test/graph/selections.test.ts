import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import type { TestMember } from '../support/shop.ts'

/*
 * However often one thing is asked for in one question, under whatever names and with whatever arguments, each answer
 * is its own: what was read for one is never taken for the other.
 */

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open()
  mia = await shop.member('mia')
  await shop.do('grantPoints', { member: mia.by, points: 7, currency: 'MILES', reason: 'flight' })
  for (let i = 0; i < 4; i++) {
    const purchasedAt = new Date(Date.now() - 60_000 + i * 1_000).toISOString()
    const lines = [
      { sku: 'LOTION', amount: 900 },
      { sku: 'SOAP', amount: 300 + i },
    ]
    await shop.do('recordPurchase', {
      member: mia.by,
      orderId: `o${i}`,
      purchasedAt,
      currency: 'JPY',
      total: 1200 + 100 * i,
      lines,
    })
  }
})

const ask = async (selection: string) => {
  const { data, errors } = await shop.ask(
    shop.staff,
    `{ member(by: { externalId: "mia" }) { ${selection} } }`,
  )
  expect(errors).toEqual([])
  return data.member
}

test('two wallets beside each other', async () => {
  const member = await ask(
    'points: wallet { currency available } miles: wallet(currency: "MILES") { currency held available } none: wallet(currency: "X") { id }',
  )
  expect(member).toEqual({
    points: { currency: 'POINTS', available: '54' },
    miles: { currency: 'MILES', held: '0', available: '7' },
    none: null,
  })
})

test('pages of one list, from its front, from its back and after one another', async () => {
  const { all } = await ask('all: purchases { edges { cursor } }')
  const after = all.edges[1].cursor
  const page = '{ nodes { orderId } pageInfo { hasNextPage hasPreviousPage } }'
  expect(
    await ask(
      `a: purchases(first: 1) ${page} b: purchases(last: 2) ${page} c: purchases(first: 1, after: "${after}") ${page} d: purchases(first: 4) { pageInfo { hasNextPage } }`,
    ),
  ).toEqual({
    a: { nodes: [{ orderId: 'o3' }], pageInfo: { hasNextPage: true, hasPreviousPage: false } },
    b: {
      nodes: [{ orderId: 'o1' }, { orderId: 'o0' }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    },
    c: { nodes: [{ orderId: 'o1' }], pageInfo: { hasNextPage: true, hasPreviousPage: true } },
    d: { pageInfo: { hasNextPage: false } },
  })
})

test('a member inside its own purchases, with pages of its own', async () => {
  const { purchases } = await ask(
    'purchases(first: 2) { nodes { total member { externalId purchases(first: 1) { nodes { total lines { sku amount } } } } } }',
  )
  const newest = {
    total: '1500',
    lines: [
      { sku: 'LOTION', amount: '900' },
      { sku: 'SOAP', amount: '303' },
    ],
  }
  const member = { externalId: 'mia', purchases: { nodes: [newest] } }
  expect(purchases.nodes).toEqual([
    { total: '1500', member },
    { total: '1400', member },
  ])
})

test('one thing named by several fragments has the fields of all of them', async () => {
  const query = `query ($id: ID!) {
    a: node(id: $id) { ...Names ... on Member { stage { key } wallet { id ...Points } } }
    b: node(id: $id) { id ... on Member { wallet { available postings(last: 1) { nodes { transaction { reason } } } } } }
  }
  fragment Names on Member { externalId wallet { currency postings(first: 1) { nodes { points } } } }
  fragment Points on Wallet { available postings(first: 1) { nodes { at transaction { kind } } } }`
  const { data, errors } = await shop.ask(shop.staff, query, { id: mia.id })
  expect(errors).toEqual([])
  expect(data).toEqual({
    a: {
      externalId: 'mia',
      stage: { key: 'repeat' },
      wallet: {
        id: expect.any(String),
        currency: 'POINTS',
        available: '54',
        postings: { nodes: [{ points: '15', at: expect.any(String), transaction: { kind: 'EARN' } }] },
      },
    },
    b: {
      id: mia.id,
      wallet: { available: '54', postings: { nodes: [{ transaction: { reason: 'お買い物' } }] } },
    },
  })
})

test('a timeline’s entries have their own fields, whatever the entry itself is called', async () => {
  const { timeline } = await ask(
    'timeline(last: 3) { nodes { __typename ... on Purchase { id state total } ... on PointsTransaction { id kind points at } ... on StageChange { id at cause } } }',
  )
  expect(timeline.nodes.map(({ id, at, ...entry }: Record<string, unknown>) => entry)).toEqual([
    { __typename: 'StageChange', cause: 'EVENT' },
    { __typename: 'PointsTransaction', kind: 'EARN', points: '12' },
    { __typename: 'Purchase', state: 'COMPLETED', total: '1200' },
  ])
})
