import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  captureHold,
  grantPoints,
  holdPoints,
  refundSpend,
  settleDue,
  spendPoints,
} from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(() => ledger[Symbol.asyncDispose]())

/** The points events of a member since the last look, as [type, kind of the transaction, at]. */
async function announced(member: string) {
  const { rows } = await ledger.owner.query(
    `select x.type, x.at, o.kind, x.payload from outbox x
     left join op o on o.transaction_id = (x.payload ->> 'transaction')::uuid
     where x.member_id = $1 and x.type like 'points.%' order by x.n`,
    [member],
  )
  await ledger.owner.query('reset role')
  await ledger.owner.query('delete from outbox where member_id = $1', [member])
  await ledger.owner.query('set role engawa_owner')
  return rows
}

test('each points transaction is announced once, at the instant it happened, with ids alone', async () => {
  const id = await ledger.member()
  const some = { member: { id }, points: 10n, reason: 'Tea' }
  const granted = await grantPoints(ledger.tx, { ...some, expiresAt: day(3) }, operation())
  const held = await holdPoints(ledger.tx, { ...some, points: 6n, expiresIn: 'P1D' }, operation())
  if (granted.is !== 'done' || held.is !== 'done') throw new Error('refused')
  await spendPoints(ledger.tx, some, operation())
  const { wallet } = held
  expect(await announced(id)).toEqual([
    {
      type: 'points.posted',
      kind: 'GRANT',
      at: day(0),
      payload: { transaction: granted.transaction, wallet },
    },
    { type: 'points.posted', kind: 'HOLD', at: day(0), payload: { transaction: held.transaction, wallet } },
    { type: 'points.held', kind: null, at: day(0), payload: { hold: held.hold } },
  ])
  await captureHold(ledger.tx, { hold: held.hold, points: 5n }, operation())
  await ledger.setClock(day(9))
  await settleDue(ledger.tx)
  expect((await announced(id)).map(({ type, kind, at }) => [type, kind, at])).toEqual([
    ['points.posted', 'CAPTURE', day(0)],
    ['points.posted', 'EXPIRE', day(3)],
    ['points.expired', 'EXPIRE', day(3)],
  ])
})

test('points that die inside another transaction are announced as expired with it', async () => {
  const id = await ledger.member()
  const grant = { member: { id }, points: 10n, reason: 'Hello', expiresAt: day(11) }
  await grantPoints(ledger.tx, grant, operation())
  const spent = await spendPoints(ledger.tx, { member: { id }, points: 4n, reason: 'Tea' }, operation())
  if (spent.is !== 'done') throw new Error(spent.is)
  await ledger.setClock(day(12))
  await announced(id)
  await refundSpend(ledger.tx, { transaction: spent.transaction, reason: 'Back' }, operation())
  expect((await announced(id)).map(({ type, kind, at }) => [type, kind, at])).toEqual([
    ['points.posted', 'EXPIRE', day(11)],
    ['points.expired', 'EXPIRE', day(11)],
    ['points.posted', 'REFUND_SPEND', day(12)],
    ['points.expired', 'REFUND_SPEND', day(12)],
  ])
})

test('a refusal announces nothing, and neither does a replay', async () => {
  const id = await ledger.member()
  const grant = { member: { id }, points: 10n, reason: 'Hello' }
  const once = operation()
  await grantPoints(ledger.tx, grant, once)
  await announced(id)
  await grantPoints(ledger.tx, grant, once)
  await spendPoints(ledger.tx, { member: { id }, points: 11n, reason: 'Tea' }, operation())
  expect(await announced(id)).toEqual([])
})
