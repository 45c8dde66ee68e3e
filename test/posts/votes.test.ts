import { beforeAll, describe, expect, it } from 'vitest'
import type { TestMember } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { type House, houses, look, publish } from './house.ts'

const open = houses()
let house: House
beforeAll(async () => {
  house = await open()
})

const newIdea = (by: TestMember) =>
  publish(house.shop, { space: house.club, kind: 'IDEA', title: 'Wish' }, by)
const vote = (by: TestMember, post: string, votes: number) =>
  house.shop.do('voteForIdea', { post, votes }, { as: by.token, select: 'remaining' })
const ideaOf = (post: string, by?: TestMember) =>
  look(house.shop, post, 'idea { status votes voters viewerVotes note mergedInto { id } }', by)

describe('the votes for an idea', () => {
  it('come out of a budget for the space, which what is decided gives back', async () => {
    const { shop, mia, mod, club } = house
    const voter = await shop.member('voter')
    const [one, two] = [await newIdea(mia), await newIdea(mia)]
    expect(await vote(voter, one, 7)).toMatchObject({ remaining: 3 })
    expect(await vote(voter, two, 4)).toMatchObject({
      __typename: 'AccessDeniedError',
      reason: 'VOTES_USED_UP',
    })
    expect(await vote(voter, two, 3)).toMatchObject({ remaining: 0 })
    expect((await ideaOf(one, voter)).idea).toMatchObject({ votes: 7, voters: 1, viewerVotes: 7 })
    await shop.do('setIdeaStatus', { post: one, status: 'DECLINED', note: 'Too dear.' }, { as: mod.token })
    const left = '{ space(key: "club") { viewerVotesLeft } }'
    expect((await shop.ask(voter.token, left)).data.space.viewerVotesLeft).toBe(7)
    expect(await vote(voter, one, 1)).toMatchObject({ reason: 'IDEA_CLOSED' })
    await shop.do('setIdeaVotes', { space: club, votes: 2 })
    expect(await vote(voter, two, 4)).toMatchObject({ reason: 'VOTES_USED_UP' })
    expect(await vote(voter, two, 2)).toMatchObject({ remaining: 0 })
    await shop.do('setIdeaVotes', { space: club, votes: 10 })
  })

  it('of twenty racers stay within the budget of one member, and all count', async () => {
    const { shop, mia } = house
    const racer = await shop.member('racer')
    const ideas = await Promise.all(Array.from({ length: 20 }, () => newIdea(mia)))
    const said = await Promise.all(ideas.map((post) => vote(racer, post, 1)))
    const given = said.filter(({ remaining }) => remaining !== undefined)
    expect(given).toHaveLength(10)
    expect(given.map(({ remaining }) => remaining).sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
    const all = await Promise.all(ideas.map((post) => ideaOf(post)))
    expect(all.reduce((sum, { idea }) => sum + idea.votes, 0)).toBe(10)
  })

  it('of twenty members at once are all counted', async () => {
    const { shop, mia } = house
    const post = await newIdea(mia)
    const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.member(`crowd ${i}`)))
    await Promise.all(crowd.map((by) => vote(by, post, 2)))
    expect((await ideaOf(post)).idea).toMatchObject({ votes: 40, voters: 20 })
  })

  it('go to the idea that it is merged into, each member’s the larger; and all are told', async () => {
    const { shop, mia, aki, mod } = house
    const [from, into] = [await newIdea(mia), await newIdea(mia)]
    const [one, two] = [await shop.member('one'), await shop.member('two')]
    await vote(one, from, 3)
    await vote(one, into, 1)
    await vote(two, from, 2)
    const before = await headOf(shop)
    const merge = { post: from, status: 'MERGED', mergedInto: into }
    expect(await shop.do('setIdeaStatus', merge, { as: aki.token })).toMatchObject({
      reason: 'NOT_MODERATOR',
    })
    await shop.do('setIdeaStatus', merge, { as: mod.token })
    expect(await ideaOf(from)).toMatchObject({ idea: { status: 'MERGED', mergedInto: { id: into } } })
    expect((await ideaOf(into)).idea).toMatchObject({ votes: 5, voters: 2 })
    const told = await history(shop, shop.staff, { after: before, types: ['idea.status_changed'] })
    expect(told.map(({ member }) => member?.id).sort()).toEqual([mia.id, one.id, two.id].sort())
    expect(await shop.do('setIdeaStatus', { ...merge, mergedInto: from }, { as: mod.token })).toMatchObject({
      field: 'input.mergedInto',
    })
  })
})

describe('a poll', () => {
  const newPoll = (more: object = {}) => {
    const poll = { options: ['Tea', 'Rice', 'Soap'], ...more }
    return publish(house.shop, { space: house.club, poll }, house.mia)
  }
  const choose = (by: TestMember, post: string, options: number[]) =>
    house.shop.do('voteInPoll', { post, options }, { as: by.token })
  const resultsOf = async (post: string, by?: TestMember) => {
    const { poll } = await look(house.shop, post, 'poll { isClosed voters options { votes isViewers } }', by)
    return [poll.voters, ...poll.options.map(({ votes }: { votes: number | null }) => votes)]
  }

  it('tells its results to who voted, and to all when it is closed', async () => {
    const { shop, mia, aki } = house
    const post = await newPoll({ closesAt: '2026-04-05T00:00:00Z' })
    await choose(mia, post, [2])
    expect(await resultsOf(post, mia)).toEqual([1, 0, 1, 0])
    expect(await resultsOf(post, aki)).toEqual([1, null, null, null])
    await shop.clock('2026-04-05T00:00:00Z')
    expect(await resultsOf(post, aki)).toEqual([1, 0, 1, 0])
    expect(await choose(aki, post, [1])).toMatchObject({ reason: 'POLL_CLOSED' })
  })

  it('takes one choice, or several when it says so, and another choice instead', async () => {
    const { mia, aki } = house
    const [single, multiple] = [await newPoll(), await newPoll({ isMultiple: true })]
    expect(await choose(mia, single, [1, 2])).toMatchObject({ field: 'input.options' })
    expect(await choose(mia, single, [4])).toMatchObject({ field: 'input.options' })
    await choose(mia, single, [1])
    await choose(mia, single, [3])
    await choose(mia, multiple, [1, 2])
    await choose(aki, multiple, [2])
    expect([await resultsOf(single), await resultsOf(multiple)]).toEqual([
      [1, 0, 0, 1],
      [2, 1, 2, 0],
    ])
    await choose(aki, multiple, [])
    expect(await resultsOf(multiple)).toEqual([1, 1, 1, 0])
  })

  it('counts twenty who vote at once', async () => {
    const { shop } = house
    const post = await newPoll()
    const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.member(`poll ${i}`)))
    await Promise.all(crowd.map((by, i) => choose(by, post, [(i % 2) + 1])))
    expect(await resultsOf(post)).toEqual([20, 10, 10, 0])
  })
})
