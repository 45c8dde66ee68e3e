import { afterAll, beforeAll, expect, test } from 'vitest'
import { adjustPoints, decideAdjustment, grantPoints } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url, { connections: 10 })
  await limits({ approvalAbove: 100, dailyPerOperator: 1_000, monthlyPerOperator: 300 })
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

async function limits(of: { approvalAbove: number; dailyPerOperator: number; monthlyPerOperator: number }) {
  const { monthlyPerOperator, ...adjustment } = of
  const body = { adjustment, delight: { monthlyPerOperator } }
  const entry = { kind: 'operations', key: 'operations', body }
  await ledger.owner.query('select definition_publish($1, null, $2)', [JSON.stringify([entry]), 'staff:test'])
}

const by = (actor: string) => ({ ...operation(), actor })
const adjust = (
  id: string,
  points: bigint,
  actor = 'staff:anna',
  kind: 'ADJUSTMENT' | 'DELIGHT' = 'ADJUSTMENT',
) => adjustPoints(ledger.tx, { kind, member: { id }, points, reason: 'A mistake of ours' }, by(actor))
const decide = (adjustment: string, approves: boolean, actor: string) =>
  decideAdjustment(ledger.tx, { adjustment, approves, note: 'Seen' }, by(actor))
const owner = async (text: string, values: unknown[] = []) => (await ledger.owner.query(text, values)).rows
const used = async (actor: string, kind = 'ADJUSTMENT') =>
  (
    await owner('select used from operator_counter where operator = $1 and kind = $2 order by period', [
      actor,
      kind,
    ])
  ).map((row) => row.used)

async function asked(id: string, points: bigint, actor = 'staff:anna'): Promise<string> {
  const answer = await adjust(id, points, actor)
  if (answer.is !== 'done') throw new Error(answer.is)
  expect(answer.transaction).toBe(null)
  return answer.adjustment
}

test('an adjustment within the limit is done at once, up or down', async () => {
  const id = await ledger.member()
  expect(await adjust(id, 100n, 'staff:u')).toMatchObject({ is: 'done', transaction: expect.any(String) })
  expect(await adjust(id, -30n, 'staff:u')).toMatchObject({ is: 'done', transaction: expect.any(String) })
  expect(await ledger.wallet(id)).toMatchObject({ available: 70n, revoked: 30n })
  expect(await adjust(id, -71n, 'staff:u')).toEqual({
    is: 'insufficient_points',
    available: '70',
    required: '71',
  })
  expect(await used('staff:u')).toEqual([130n])
  const [lot] = await owner(
    `select class, expires_at from lot where source_type = 'adjustment' and granted = 100`,
  )
  // The policy of POINTS: the end of the month in twelve months, in Tokyo.
  expect(lot).toEqual({ class: 'EARNED', expires_at: new Date('2026-01-31T15:00:00Z') })
})

test('more than the limit moves nothing until somebody else approves, never whoever asked', async () => {
  const id = await ledger.member()
  const adjustment = await asked(id, 101n)
  expect(await ledger.wallet(id)).toMatchObject({ issued: 0n })
  expect(await decide(adjustment, true, 'staff:anna')).toEqual({ is: 'own_request' })
  expect(await decide(adjustment, false, 'staff:anna')).toEqual({ is: 'own_request' })
  expect(await decide(adjustment, true, 'staff:bob')).toMatchObject({ is: 'done' })
  expect(await decide(adjustment, false, 'staff:eve')).toEqual({ is: 'already_decided', state: 'APPROVED' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 101n })
})

test('a rejection moves nothing and gives the operator the limit back', async () => {
  const id = await ledger.member()
  const adjustment = await asked(id, 400n, 'staff:r')
  expect(await used('staff:r')).toEqual([400n])
  expect(await decide(adjustment, false, 'staff:bob')).toMatchObject({ is: 'done', transaction: null })
  expect(await used('staff:r')).toEqual([0n])
  expect(await decide(adjustment, true, 'staff:bob')).toEqual({ is: 'already_decided', state: 'REJECTED' })
  expect(await ledger.wallet(id)).toMatchObject({ issued: 0n })
})

test('an approval for which the points are gone is refused, and can be made later', async () => {
  const id = await ledger.member()
  const adjustment = await asked(id, -150n)
  expect(await decide(adjustment, true, 'staff:bob')).toMatchObject({
    is: 'insufficient_points',
    available: '0',
  })
  await grantPoints(ledger.tx, { member: { id }, points: 200n, reason: 'Hello' }, operation())
  expect(await decide(adjustment, true, 'staff:bob')).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 50n })
})

test('of twenty who decide at once, some approving and some rejecting, one decides', async () => {
  const id = await ledger.member()
  const adjustment = await asked(id, 200n, 'staff:x')
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => decide(adjustment, i % 2 === 0, `staff:decider-${i}`)),
  )
  const done = answers.filter(({ is }) => is === 'done')
  expect(done).toHaveLength(1)
  const [row] = await owner(
    'select state, transaction_id is not null as is_moved from adjustment where id = $1',
    [adjustment],
  )
  expect(await ledger.wallet(id)).toMatchObject({ available: row?.state === 'APPROVED' ? 200n : 0n })
})

test('the limit of a day cannot be passed by twenty at once, and begins anew at midnight of the tenant', async () => {
  const id = await ledger.member()
  await ledger.setClock(new Date('2025-01-01T14:59:59Z'))
  const answers = await Promise.all(Array.from({ length: 20 }, () => adjust(id, 90n, 'staff:race')))
  expect(answers.filter(({ is }) => is === 'done')).toHaveLength(11)
  const left = { limit: '1000', left: '10' }
  const refused = answers.filter(({ is }) => is !== 'done')
  expect(refused.every((answer) => answer.is === 'operator_limit_reached' && answer.left === left.left)).toBe(
    true,
  )
  expect(await ledger.wallet(id)).toMatchObject({ available: 990n })
  const last = refused[0]
  expect(last?.is === 'operator_limit_reached' && new Date(last.resets_at)).toEqual(
    new Date('2025-01-01T15:00:00Z'),
  )
  await ledger.setClock(new Date('2025-01-01T15:00:00Z'))
  expect(await adjust(id, 90n, 'staff:race')).toMatchObject({ is: 'done' })
  expect(await used('staff:race')).toEqual([990n, 90n])
})

test('a request counts against the limit when it is asked for, so that no flood of them can be', async () => {
  const id = await ledger.member()
  await asked(id, 900n, 'staff:flood')
  expect(await adjust(id, 150n, 'staff:flood')).toMatchObject({ is: 'operator_limit_reached', left: '100' })
  expect(await adjust(id, 100n, 'staff:flood')).toMatchObject({ is: 'done' })
})

test('delight comes out of the budget of the month, and leaves its trace', async () => {
  const id = await ledger.member()
  expect(await adjust(id, 200n, 'staff:kind', 'DELIGHT')).toMatchObject({ is: 'done' })
  expect(await adjust(id, 101n, 'staff:kind', 'DELIGHT')).toMatchObject({
    is: 'operator_limit_reached',
    left: '100',
  })
  expect(await adjust(id, 100n, 'staff:kind', 'DELIGHT')).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 300n })
  const rows = await owner(
    `select a.points, a.reason, a.requested_by, a.state, l.class from adjustment a
     join lot l on l.source_id = a.id::text and l.source_type = 'delight' where a.requested_by = 'staff:kind' order by a.id`,
  )
  const trace = {
    reason: 'A mistake of ours',
    requested_by: 'staff:kind',
    state: 'DONE',
    class: 'PROMOTIONAL',
  }
  expect(rows).toEqual([
    { points: 200n, ...trace },
    { points: 100n, ...trace },
  ])
})

test('a lower limit counts from the next move on, whatever was moved before', async () => {
  const id = await ledger.member()
  await adjust(id, 90n, 'staff:low')
  await limits({ approvalAbove: 100, dailyPerOperator: 80, monthlyPerOperator: 300 })
  expect(await adjust(id, 1n, 'staff:low')).toMatchObject({
    is: 'operator_limit_reached',
    limit: '80',
    left: '0',
  })
  expect(await adjust(id, 81n, 'staff:new')).toMatchObject({ is: 'operator_limit_reached', left: '80' })
  await limits({ approvalAbove: 100, dailyPerOperator: 1_000, monthlyPerOperator: 300 })
})

const CHECK = '23514'

test.each([
  [
    'decided by whoever asked',
    `update adjustment set state = 'REJECTED', decided_by = requested_by, decided_at = now()`,
  ],
  [
    'approved without a move',
    `update adjustment set state = 'APPROVED', decided_by = 'x', decided_at = now()`,
  ],
  ['decided by nobody', `update adjustment set state = 'REJECTED'`],
  ['made larger', 'update adjustment set points = points + 1'],
  ['removed', 'delete from adjustment'],
])('not even the owner of the tables can have a request %s', async (_, sql) => {
  const id = await ledger.member()
  const adjustment = await asked(id, 101n, `staff:${_}`)
  await expect(owner(`${sql} where id = $1`, [adjustment])).rejects.toMatchObject({ code: CHECK })
})

test('nor decide one again, nor pass the limit of an operator', async () => {
  const id = await ledger.member()
  const adjustment = await asked(id, 101n, 'staff:o')
  await decide(adjustment, false, 'staff:bob')
  const again = `update adjustment set note = 'other' where id = $1`
  await expect(owner(again, [adjustment])).rejects.toMatchObject({ code: CHECK })
  await expect(owner('update operator_counter set used = cap + 1')).rejects.toMatchObject({ code: CHECK })
})
