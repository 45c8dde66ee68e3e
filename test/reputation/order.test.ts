// One order of locks: in a thread what was written last first, then what it answers; contributions before members; members
// by their ids. So two who meet wait for each other, and neither is turned away.
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { meeting } from '../support/overlap.ts'
import { openReputation, type ReputationHouse, uuidOf } from './house.ts'

const open = testApp({ role: 'web' })

const POLICY = {
  limits: [{ action: 'FLAG', most: 1000, per: 'P1D' }],
  ...{ repeatWithin: 'PT1S', reviewFirst: 0, hideAt: 1, trust: [], keepFor: 'P14D', keepShare: 90 },
}

/** A house where one flag hides, unless a policy says otherwise, with three members, two of them by their ids. */
async function openOrder(policy: object = {}) {
  const house = await openReputation(open)
  await house.shop.do('defineModeration', { ...POLICY, ...policy })
  const [low, high, other] = (await house.people('a', 'b', 'c')).sort((a, b) =>
    uuidOf(a) < uuidOf(b) ? -1 : 1,
  ) as [TestMember, TestMember, TestMember]
  /** Lets calls meet who all wait for what a statement of the owner locks. */
  const meet = (locks: string, id: string, calls: Call[]) =>
    meeting(
      { url: house.shop.ground.databaseUrl, tenantId: house.shop.tenant.id },
      (client) => client.query(locks, [id]),
      calls,
    )
  return { house, low, high, other, meet }
}

type Call = (client: pg.Client) => Promise<string>

const MEMBER = 'select member_lock($1)'
const TEXT = { body: 'Well.', format: 'MARKDOWN', html: '<p>Well.</p>' }
const once = () => [randomUUID(), Buffer.alloc(32)]

/** Calls a function of the database; how that came out. */
const calls =
  (name: string, ...values: unknown[]): Call =>
  async (client) => {
    const places = values.map((_, i) => `$${i + 1}`).join(', ')
    const { rows } = await client.query(`select ${name}(${places}) as outcome`, values)
    return rows[0].outcome.is
  }

const comments = (by: TestMember, parent: string) =>
  calls('comment_write', ...once(), uuidOf(by), 'test', JSON.stringify({ ...TEXT, parent }))

/** That one member accepts what another answered it: both get something by it, and are locked by their ids. */
async function accepting(house: ReputationHouse, asker: TestMember, answerer: TestMember): Promise<Call> {
  const question = await house.ask(asker)
  const answer = await house.answer(answerer, question)
  return calls('answer_accept', ...once(), question, answer, null, uuidOf(asker), 'test')
}

describe('two members, of whom one accepts what the other answered,', () => {
  it('are not in the way of a flag of the one that hides what the other wrote', async () => {
    const { house, low, high, other, meet } = await openOrder()
    const answer = await house.answer(low, await house.ask(other))
    await house.vote(other, answer)
    const flags = calls('contribution_flag', ...once(), answer, uuidOf(high), 'test', 'SPAM', null)
    expect(await meet(MEMBER, uuidOf(low), [await accepting(house, low, high), flags])).toEqual([
      'done',
      'done',
    ])
    expect([await house.totals(low, high), await house.wrong()]).toEqual([[0, 15], []])
  })

  it('are not in the way of what the one changes in such an answer, and somebody has to look at', async () => {
    const { house, low, high, meet } = await openOrder()
    const question = await house.ask(low)
    const answer = await house.answer(high, question)
    await house.accept(low, question, answer)
    const changed = JSON.stringify({ ...TEXT, check: { is: 'REVIEW' } })
    const edits = calls('contribution_edit', answer, uuidOf(high), 'test', changed)
    expect(await meet(MEMBER, uuidOf(low), [await accepting(house, low, high), edits])).toEqual([
      'done',
      'done',
    ])
    expect([await house.totals(low, high), await house.wrong()]).toEqual([[0, 15], []])
  })

  it('are not in the way of a thread of the one, where the other has its votes, that comes back', async () => {
    const { house, low, high, other, meet } = await openOrder()
    const thread = await house.ask(low)
    await house.vote(other, await house.answer(high, thread))
    const { id: hall } = decodeId(await makeSpace(house.shop, 'hall'), 'id')
    await house.query('select question_to_post($1, $2, $3, $4, null, $5)', [...once(), thread, hall, 'test'])
    await house.put(thread, 'REMOVED')
    const returns = calls('contribution_set_state', thread, null, 'PUBLISHED', 'test')
    expect(await meet(MEMBER, uuidOf(low), [await accepting(house, low, high), returns])).toEqual([
      'done',
      'done',
    ])
    expect([await house.totals(low, high), await house.wrong()]).toEqual([[0, 25], []])
  })
})

describe('who writes under an answer', () => {
  it('is not in the way of a vote for the thread, which is its own', async () => {
    const { house, low, high, meet } = await openOrder()
    const thread = await house.ask(low)
    const answer = await house.answer(high, thread)
    const votes = calls('contribution_react', thread, uuidOf(high), 'UP', true)
    expect(await meet(MEMBER, uuidOf(low), [comments(low, answer), votes])).toEqual(['done', 'done'])
    expect(await house.totals(low)).toEqual([10])
  })

  it.each([
    [
      'it is taken away',
      (thread: string) => calls('contribution_set_state', thread, null, 'REMOVED', 'test'),
    ],
    [
      'a case of it is decided',
      (thread: string) => calls('moderation_decide', thread, null, 'test', 2, 'SPAM', null),
    ],
  ])('is not in the way of the thread when %s', async (_how, removes) => {
    const { house, low, high, other, meet } = await openOrder({ hideAt: 2 })
    const thread = await house.ask(low)
    const answer = await house.answer(high, thread)
    await house.query('select contribution_flag($1, $2, $3, $4, $5, $6, null)', [
      ...[...once(), thread, uuidOf(other)],
      ...['test', 'SPAM'],
    ])
    const row = 'select from contribution where id = $1 for no key update'
    expect(await meet(row, answer, [comments(low, answer), removes(thread)])).toEqual(['done', 'done'])
    expect(await house.query('select from contribution where root_state = $1', ['PUBLISHED'])).toEqual([])
  })
})
