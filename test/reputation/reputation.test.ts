import { expect, it } from 'vitest'
import { type TestMember, testApp } from '../support/app.ts'
import { openReputation, type ReputationHouse, uuidOf } from './house.ts'

const open = testApp({ role: 'web' })

/** A question of mia's with an answer of ken's. */
async function answered(house: ReputationHouse, mia: TestMember, ken: TestMember) {
  const question = await house.ask(mia)
  return { question, answer: await house.answer(ken, question) }
}

it('gives for votes, thanks and an accepted answer, each once, and says what for', async () => {
  const house = await openReputation(open)
  const [mia, ken, noa] = (await house.people('mia', 'ken', 'noa')) as [TestMember, TestMember, TestMember]
  const { question, answer } = await answered(house, mia, ken)
  await house.vote(noa, answer)
  await house.vote(noa, answer)
  await house.vote(mia, answer, 'DOWN')
  await house.vote(ken, question)
  await house.thank(mia, answer)
  await house.thank(mia, answer)
  await house.accept(mia, question, answer)
  expect(await house.causes(ken)).toEqual(['VOTE_UP 10', 'VOTE_DOWN -2', 'THANKED 2', 'ACCEPTED 15'])
  expect(await house.causes(mia)).toEqual(['VOTE_UP 10', 'ACCEPTING 2'])
  expect(await house.totals(mia, ken, noa)).toEqual([12, 25, 0])
  await house.vote(mia, answer, 'UP')
  expect(await house.causes(ken)).toEqual(['VOTE_UP 10', 'THANKED 2', 'ACCEPTED 15', 'VOTE_UP 10'])
  expect(await house.wrong()).toEqual([])
})

it('gives nobody anything of itself, and staff nothing', async () => {
  const house = await openReputation(open)
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const question = await house.ask(mia)
  await house.accept(mia, question, await house.answer(mia, question))
  await house.accept(mia, question, await house.answer(null, question))
  expect(await house.totals(mia)).toEqual([0])
  const asked = await house.ask(null)
  const answer = await house.answer(ken, asked)
  await house.accept(null, asked, answer)
  expect(await house.causes(ken)).toEqual(['ACCEPTED 15'])
})

it('gives whoever asked nothing for what staff accepted', async () => {
  const house = await openReputation(open)
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const { question, answer } = await answered(house, mia, ken)
  await house.accept(null, question, answer)
  expect(await house.totals(mia, ken)).toEqual([0, 15])
})

it('takes back with whatever carried it, and counts again once when that is back', async () => {
  const house = await openReputation(open)
  const [mia, ken, noa] = (await house.people('mia', 'ken', 'noa')) as [TestMember, TestMember, TestMember]
  const { question, answer } = await answered(house, mia, ken)
  await house.vote(noa, question)
  await house.vote(noa, answer)
  await house.accept(mia, question, answer)
  expect(await house.totals(mia, ken)).toEqual([12, 25])
  for (const [what, state, after] of [
    [answer, 'REMOVED', [10, 0]],
    [answer, 'PUBLISHED', [10, 10]], // whose acceptance ended with it
    [question, 'DELETED', [0, 0]],
    [question, 'PUBLISHED', [10, 10]],
    [question, 'PENDING', [0, 0]],
    [question, 'PUBLISHED', [10, 10]],
  ] as const) {
    await house.put(what, state)
    expect([state, await house.totals(mia, ken)]).toEqual([state, after])
  }
  await house.put(question, 'REMOVED')
  const [entry] = await house.query<object>(
    "select ended_why from reputation_entry where contribution_id = $1 and cause = 'VOTE_UP'",
    [answer],
  )
  expect(entry).toEqual({ ended_why: 'GONE' })
  await house.put(question, 'PUBLISHED')
  await house.accept(mia, question, answer)
  expect(await house.totals(mia, ken)).toEqual([12, 25])
  expect(await house.wrong()).toEqual([])
})

it('gives for nothing that was imported', async () => {
  const house = await openReputation(open)
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const { question, answer } = await answered(house, mia, ken)
  await house.asOwner(
    "update contribution set source_key = 'se:post:' || case id when $1 then 1 else 2 end where id in ($1, $2)",
    [question, answer],
  )
  const voter = JSON.stringify([{ id: '9', post: '2', up: true, voter: 'x', at: '2026-01-01T00:00:00Z' }])
  await house.query('select question_import_members(\'se\', \'[{"id": "x", "name": "X"}]\')', [])
  await house.query("select question_import_votes('se', $1)", [voter])
  const pairs = JSON.stringify([{ question: '1', answer: '2' }])
  await house.query("select question_import_accepted('se', $1, 'import')", [pairs])
  expect(await house.accepted(question)).toBe(answer)
  expect(await house.query('select from reputation_entry', [])).toEqual([])
})

it('shows a member what it came from, everybody the sum, and nobody who gave it', async () => {
  const house = await openReputation(open)
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const { question, answer } = await answered(house, mia, ken)
  await house.vote(mia, answer, 'DOWN')
  const { shop } = house
  const own = `{ viewer { member { reputation reputationEntries { nodes {
    cause worth kept endedWhy contribution { html author { reputation } } } } } } }`
  const entry = { cause: 'VOTE_DOWN', worth: -2, kept: -2, endedWhy: null }
  const contribution = { html: '<p>How?</p>', author: { reputation: 1 } }
  expect((await shop.ask(ken.token, own)).data.viewer.member).toEqual({
    reputation: 1, // never less
    reputationEntries: { nodes: [{ ...entry, contribution }] },
  })
  await house.put(question, 'REMOVED')
  const { data } = await shop.ask(ken.token, own)
  expect(data.viewer.member.reputationEntries.nodes).toEqual([{ ...entry, endedWhy: 'GONE', contribution }])
  const rows = await shop.ground.app.db
    .tenant(shop.tenant.id)
    .as(uuidOf(mia))
    .query({ text: 'select from reputation_entry e where own(e)', values: [] })
  expect(rows).toEqual([])
  const others = '{ member(by: { id: "#" }) { reputationEntries { nodes { cause } } } }'.replace('#', ken.id)
  expect((await shop.ask(mia.token, others)).data.member?.reputationEntries ?? null).toBeNull()
  const reads = await shop.token('staff', 'anna', 'members:read')
  expect((await shop.ask(reads, others)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})
