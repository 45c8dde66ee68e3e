import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  captureHold,
  grantPoints,
  holdPoints,
  spendPoints,
  voidHold,
} from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

async function heldBy(points: bigint, of: bigint): Promise<{ member: string; hold: string }> {
  const id = await ledger.member()
  await grantPoints(ledger.tx, { member: { id }, points: of, reason: 'Hello' }, operation())
  const hold = { member: { id }, points, expiresIn: 'PT1H', reason: 'Checkout' }
  const held = await holdPoints(ledger.tx, hold, operation())
  if (held.is !== 'done') throw new Error(held.is)
  return { member: id, hold: held.hold }
}

test('held points cannot be spent or held again', async () => {
  const { member: id } = await heldBy(70n, 100n)
  expect(await spendPoints(ledger.tx, { member: { id }, points: 31n, reason: 'Tea' }, operation())).toEqual({
    is: 'insufficient_points',
    available: '30',
    required: '31',
  })
  expect(await ledger.wallet(id)).toMatchObject({ available: 30n, held: 70n, version: 2n })
})

test('a hold is captured once, and later tries are told so', async () => {
  const { member, hold } = await heldBy(70n, 100n)
  const once = operation()
  const captured = await captureHold(ledger.tx, { hold }, once)
  expect(captured).toMatchObject({ is: 'done', hold })
  expect(await captureHold(ledger.tx, { hold }, once)).toEqual(captured)
  expect(await captureHold(ledger.tx, { hold }, operation())).toEqual({
    is: 'hold_resolved',
    state: 'CAPTURED',
  })
  expect(await voidHold(ledger.tx, hold, operation())).toEqual({ is: 'hold_resolved', state: 'CAPTURED' })
  expect(await ledger.wallet(member)).toMatchObject({ available: 30n, held: 0n, spent: 70n })
})

test('a voided hold gives everything back, and later tries are told so', async () => {
  const { member, hold } = await heldBy(70n, 100n)
  const once = operation()
  const voided = await voidHold(ledger.tx, hold, once)
  expect(voided).toMatchObject({ is: 'done', hold })
  expect(await voidHold(ledger.tx, hold, once)).toEqual(voided)
  expect(await captureHold(ledger.tx, { hold }, operation())).toEqual({
    is: 'hold_resolved',
    state: 'VOIDED',
  })
  expect(await ledger.wallet(member)).toMatchObject({ available: 100n, held: 0n, spent: 0n })
})

test('a hold lapses at its instant, the refused capture books it, and it stays lapsed', async () => {
  const { member, hold } = await heldBy(70n, 100n)
  await ledger.setClock(new Date(day(0).getTime() + 3_600_000))
  const { rows } = await ledger.owner.query('select expires_at from hold where id = $1', [hold])
  const refused = await captureHold(ledger.tx, { hold }, operation())
  expect(refused).toMatchObject({ is: 'hold_expired' })
  expect(refused.is === 'hold_expired' && new Date(refused.expired_at)).toEqual(rows[0].expires_at)
  expect(await voidHold(ledger.tx, hold, operation())).toEqual(refused)
  expect(await ledger.wallet(member)).toMatchObject({ available: 100n, held: 0n, version: 3n })
})

test('nobody captures more than was reserved, and the hold stays open', async () => {
  const { member, hold } = await heldBy(70n, 100n)
  expect(await captureHold(ledger.tx, { hold, points: 71n }, operation())).toMatchObject({
    is: 'bad_input',
    field: 'points',
  })
  expect(await captureHold(ledger.tx, { hold, points: 0n }, operation())).toMatchObject({
    is: 'bad_input',
    field: 'points',
  })
  expect(await ledger.wallet(member)).toMatchObject({ held: 70n })
})

test('what names nothing is not found and not remembered', async () => {
  const nobody = '00000000-0000-7000-8000-000000000000'
  const once = operation()
  expect(await captureHold(ledger.tx, { hold: nobody }, once)).toEqual({ is: 'not_found', what: 'hold' })
  expect(await voidHold(ledger.tx, nobody, once)).toEqual({ is: 'not_found', what: 'hold' })
  const spend = { member: { externalId: 'nobody' }, points: 1n, reason: 'Tea' }
  expect(await spendPoints(ledger.tx, spend, once)).toEqual({ is: 'not_found', what: 'member' })
  const { rows } = await ledger.owner.query('select count(*)::int from op where idempotency_key = $1', [
    once.key,
  ])
  expect(rows).toEqual([{ count: 0 }])
})

test('an ended member receives, spends and reserves nothing; holds under way still end', async () => {
  const { member: id, hold } = await heldBy(70n, 100n)
  const { hold: other } = await heldBy(5n, 5n)
  await ledger.owner.query(
    "select membership_end(gen_random_uuid()::text, '\\x01', $1, null, 'LEFT', null, 'test')",
    [id],
  )
  const ended = { is: 'membership_ended', ended_at: expect.any(String) }
  const some = { member: { id }, points: 1n, reason: 'Tea' }
  expect(await grantPoints(ledger.tx, some, operation())).toEqual(ended)
  expect(await spendPoints(ledger.tx, some, operation())).toEqual(ended)
  expect(await holdPoints(ledger.tx, { ...some, expiresIn: 'PT1H' }, operation())).toEqual(ended)
  expect(await ledger.wallet(id)).toMatchObject({ available: 30n, held: 70n, version: 2n })
  expect(await captureHold(ledger.tx, { hold, points: 60n }, operation())).toMatchObject({ is: 'done' })
  expect(await voidHold(ledger.tx, other, operation())).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 40n, held: 0n, spent: 60n })
})
