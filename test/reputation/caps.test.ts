import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type TestMember, testApp } from '../support/app.ts'
import { openReputation, uuidOf } from './house.ts'

const open = testApp({ role: 'web' })

/** Half of them accept. A thousand when faults are sought. */
const TOGGLES = process.env.ENGAWA_FAULTS ? 1000 : 200

it('counts a day by the calendar of the tenant, and an accepted answer beyond the cap', async () => {
  const caps = { perDay: 25, perPairAndDay: 1000 }
  const house = await openReputation(open, { testClock: '2026-04-01T14:59:00Z', policy: caps })
  const [ken, ...voters] = await house.people('ken', 'a', 'b', 'c', 'd')
  const [mia] = voters
  if (!ken || !mia) throw new Error('nobody')
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  for (const voter of voters.slice(0, 3)) await house.vote(voter, answer)
  expect(await house.causes(ken)).toEqual(['VOTE_UP 10', 'VOTE_UP 10', 'VOTE_UP 5'])
  await house.accept(mia, question, answer)
  expect(await house.totals(ken)).toEqual([40])
  await house.shop.clock('2026-04-01T15:00:00Z') // midnight in Tokyo
  await house.vote(voters[3] as TestMember, answer)
  expect(await house.totals(ken)).toEqual([50])
})

it('gives one member no more from another than the cap of the pair, nor a text more than its own', async () => {
  const house = await openReputation(open, { policy: { perPairAndDay: 25, perContribution: 12 } })
  const [ken, mia, noa] = (await house.people('ken', 'mia', 'noa')) as [TestMember, TestMember, TestMember]
  const answers: string[] = []
  for (let i = 0; i < 3; i++) answers.push(await house.answer(ken, await house.ask(noa)))
  for (const answer of answers) await house.vote(mia, answer)
  expect(await house.causes(ken)).toEqual(['VOTE_UP 10', 'VOTE_UP 10', 'VOTE_UP 5'])
  await house.vote(noa, answers[0] ?? '')
  expect(await house.totals(ken)).toEqual([27])
})

it('gives no room back that was taken: what was cut stays cut, and what is given again is worth what it was', async () => {
  const house = await openReputation(open, { policy: { perDay: 10 } })
  const [ken, mia, noa, lea] = (await house.people('ken', 'mia', 'noa', 'lea')) as [
    ...[TestMember, TestMember, TestMember, TestMember],
  ]
  const answer = await house.answer(ken, await house.ask(mia))
  await house.vote(mia, answer)
  await house.vote(mia, answer, 'UP', false)
  await house.vote(noa, answer)
  await house.vote(lea, answer)
  expect(await house.causes(ken)).toEqual(['VOTE_UP 0', 'VOTE_UP 0'])
  await house.vote(mia, answer)
  await house.shop.do('defineReputation', {
    ...{ amounts: [], perDay: 0, perPairAndDay: 0, perContribution: 0, exempt: [], floor: 0 },
  })
  await house.vote(mia, answer, 'UP', false)
  await house.vote(mia, answer)
  expect(await house.totals(ken)).toEqual([10])
})

/** What may happen to one answer of three, by one of three voters. */
const step = fc.record({
  what: fc.constantFrom('up', 'down', 'none', 'accept', 'unaccept', 'remove', 'restore', 'thank'),
  answer: fc.nat({ max: 2 }),
  voter: fc.nat({ max: 2 }),
})

it('is, after anything in any order, what stands, each cause at what it was first worth', async () => {
  const house = await openReputation(open, { policy: { perDay: 42, perPairAndDay: 23, perContribution: 31 } })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const [ken, mia, ...others] = await house.people('ken', 'mia', 'noa', 'lea')
      if (!ken || !mia) throw new Error('nobody')
      const voters = [mia, ...others]
      const question = await house.ask(mia)
      const answers: string[] = []
      for (let i = 0; i < 3; i++) answers.push(await house.answer(ken, question))
      const worth = new Map<string, number>()
      const stands = new Map<string, number>()
      const gone = new Set<number>()
      let accepted = -1
      /** A cause, when it first came, by the caps of then. */
      const give = (answer: number, cause: string, voter: number, amount: number) => {
        const key = `${answer} ${cause} ${voter}`
        if (!worth.has(key)) {
          const used = (of: (a: number, c: string, v: number) => boolean) =>
            [...worth].reduce((sum, [each, kept]) => {
              const [a = '', c = '', v = ''] = each.split(' ')
              return of(Number(a), c, Number(v)) && kept * amount > 0 ? sum + Math.abs(kept) : sum
            }, 0)
          const isExempt = cause === 'ACCEPTED'
          const left = Math.min(
            Math.abs(amount),
            23 - used((_a, _c, v) => v === voter),
            isExempt || amount < 0 ? 1000 : 42 - used((_a, c) => c !== 'ACCEPTED'),
            isExempt ? 1000 : 31 - used((a, c) => a === answer && c !== 'ACCEPTED'),
          )
          worth.set(key, Math.sign(amount) * Math.max(left, 0))
        }
        stands.set(key, answer)
      }
      const take = (answer: number, cause: string, voter: number) =>
        stands.delete(`${answer} ${cause} ${voter}`)
      for (const { what, answer, voter } of steps) {
        const [id, by] = [answers[answer] ?? '', voters[voter] ?? mia]
        if (what === 'remove' || what === 'restore') {
          await house.put(id, what === 'remove' ? 'REMOVED' : 'PUBLISHED')
          if (what === 'restore') gone.delete(answer)
          else {
            gone.add(answer)
            if (accepted === answer) {
              take(answer, 'ACCEPTED', 0)
              accepted = -1
            }
          }
        } else if (what === 'unaccept') {
          await house.accept(mia, question, null)
          take(accepted, 'ACCEPTED', 0)
          accepted = -1
        } else if (gone.has(answer)) {
        } else if (what === 'accept') {
          await house.accept(mia, question, id)
          if (accepted !== answer) take(accepted, 'ACCEPTED', 0)
          give(answer, 'ACCEPTED', 0, 15)
          accepted = answer
        } else if (what === 'thank') {
          await house.thank(by, id)
          give(answer, 'THANKED', voter, 2)
        } else {
          const [kind, other] = what === 'down' ? (['DOWN', 'UP'] as const) : (['UP', 'DOWN'] as const)
          if (what === 'none') for (const each of [kind, other]) await house.vote(by, id, each, false)
          else await house.vote(by, id, kind)
          take(answer, other, voter)
          if (what === 'none') take(answer, kind, voter)
          else give(answer, kind, voter, what === 'up' ? 10 : -2)
        }
      }
      const expected = [...stands].reduce(
        (sum, [key, answer]) => sum + (gone.has(answer) ? 0 : (worth.get(key) ?? 0)),
        0,
      )
      expect(await house.totals(ken)).toEqual([expected])
    }),
    { numRuns: 5 },
  )
  expect(await house.wrong()).toEqual([])
})

it('keeps to the caps and to the sum when everybody votes at once, twenty times over', async () => {
  const house = await openReputation(open, { policy: { perDay: 95, perContribution: 1000 } })
  const [ken, mia, ...voters] = await house.people(
    'ken',
    'mia',
    ...Array.from({ length: 20 }, (_, i) => `v${i}`),
  )
  if (!ken || !mia) throw new Error('nobody')
  const answers: string[] = []
  for (let i = 0; i < 2; i++) answers.push(await house.answer(ken, await house.ask(mia)))
  const votes = voters.map(async (voter, i) => {
    for (const isOn of [true, false, true]) await house.vote(voter, answers[i % 2] ?? '', 'UP', isOn)
  })
  await Promise.all(votes)
  expect(await house.totals(ken)).toEqual([95])
  expect(await house.wrong()).toEqual([])
})

it('lets two accept each other, and both be removed, at the same time: nobody waits for ever', async () => {
  const house = await openReputation(open, { policy: { perPairAndDay: 100_000, perDay: 100_000 } })
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const pairs: { asker: TestMember; question: string; answer: string }[] = []
  for (let i = 0; i < 20; i++) {
    const [asker, helper] = i % 2 === 0 ? [mia, ken] : [ken, mia]
    const question = await house.ask(asker)
    pairs.push({ asker, question, answer: await house.answer(helper, question) })
  }
  const done = await Promise.all(
    pairs.map(({ asker, question, answer }) => house.accept(asker, question, answer)),
  )
  expect(new Set(done)).toEqual(new Set(['done']))
  expect(await house.totals(mia, ken)).toEqual([170, 170])
  await Promise.all(pairs.map(({ answer }) => house.put(answer, 'REMOVED')))
  expect(await house.totals(mia, ken)).toEqual([0, 0])
  expect(await house.wrong()).toEqual([])
})

it('comes out of a storm of acceptances that are taken back with nothing lost and nothing made', async () => {
  const house = await openReputation(open)
  const [mia, ken] = (await house.people('mia', 'ken')) as [TestMember, TestMember]
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  const toggle = (from: number, to: number) =>
    house.query(
      `select i from generate_series($1::int, $2::int) i, lateral answer_accept('storm ' || i, sha256(i::text::bytea), $3::uuid,
         case when i % 2 = 1 then $4::uuid end, null, $5::uuid, $6) o order by i`,
      [from, to, question, answer, uuidOf(mia), `member:${mia.by.externalId}`],
    )
  for (let i = 0; i < TOGGLES; i += 100) await toggle(1 + i, 100 + i)
  expect([await house.totals(mia, ken), await house.points(ken)]).toEqual([[0, 0], [0]])
  await toggle(TOGGLES + 1, TOGGLES + 1)
  expect([await house.totals(mia, ken), await house.points(ken)]).toEqual([[2, 15], [10]])
  const { data } = await house.shop.ask(house.shop.staff, '{ ledgerCheck { differences { expected } } }')
  expect(data.ledgerCheck.differences).toEqual([])
  const [kept] = await house.query<object>('select count(*)::int as rows from reputation_entry', [])
  expect(kept).toEqual({ rows: 2 })
})
