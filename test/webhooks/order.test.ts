import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { until } from '../support/until.ts'
import { isSignedWith, quick, receive, untilSent } from './receiver.ts'

const open = testApp(quick)

test('an event is posted within moments of its log, signed, under the id that GraphQL gives it', async () => {
  const shop = await open()
  const after = await headOf(shop)
  const receiver = await receive(shop)
  await shop.member('mia')
  await until(() => receiver.accepted.length === 1, 2_000)
  const [event] = await history(shop, shop.staff, { after })
  expect(receiver.accepted).toMatchObject([{ id: event?.id, type: 'member.registered' }])
  const [request] = receiver.provider.requests
  if (!request) return expect.fail('nothing came')
  expect(await isSignedWith(receiver.secret, request)).toBe(true)
  expect(request.headers.get('content-type')).toBe('application/json')
  expect(await receiver.look('lastSuccessAt lastFailureAt backlog nextAttemptAt')).toEqual({
    ...{ lastSuccessAt: expect.any(String), lastFailureAt: null, backlog: 0, nextAttemptAt: null },
  })
})

test('events come in the order of the log, and none before another one that fails at first', async () => {
  const shop = await open()
  const after = await headOf(shop)
  const fails = new Map<string, number>()
  const receiver = await receive(shop, {
    reply({ id }, nth) {
      const times = fails.get(id) ?? 0
      if (times >= nth % 3) return {}
      fails.set(id, times + 1)
      return { status: 500 }
    },
  })
  for (let i = 0; i < 10; i++) await shop.member(`m${i}`)
  await untilSent(shop, receiver)
  const ids = (await history(shop, shop.staff, { after })).map(({ id }) => id)
  expect(ids).toHaveLength(10)
  expect(receiver.accepted.map(({ id }) => id)).toEqual(ids)
  const runs = receiver.tries.map(({ id }) => id).filter((id, i, all) => id !== all[i - 1])
  expect(runs).toEqual(ids)
  expect(receiver.tries.length).toBeGreaterThan(10)
})

test('each try is signed anew, under the same id and with the same body', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  receiver.provider.next({ status: 500 }, { drop: 'afterBody' }, { status: 503 })
  await shop.member('mia')
  await untilSent(shop, receiver)
  const { requests } = receiver.provider
  const ids = requests.map(({ headers }) => headers.get('webhook-id'))
  expect([ids.length, new Set(ids).size, new Set(requests.map(({ text }) => text)).size]).toEqual([4, 1, 1])
  expect(await Promise.all(requests.map((request) => isSignedWith(receiver.secret, request)))).toEqual([
    ...[true, true, true, true],
  ])
})

test('an endpoint that fails, or does not answer, holds up no other', async () => {
  const shop = await open()
  const [failing, silent, well] = [await receive(shop), await receive(shop), await receive(shop)]
  failing.provider.answer({ status: 500 })
  silent.provider.answer({ held: true })
  for (let i = 0; i < 5; i++) await shop.member(`m${i}`)
  await until(() => well.accepted.length === 5, 3_000)
  expect(failing.accepted).toEqual([])
  silent.provider.release()
})

test('an endpoint gets the types that it wants, and its place moves past the others', async () => {
  const shop = await open()
  const receiver = await receive(shop, { types: ['member.updated'] })
  const { by: member } = await shop.member('mia')
  await shop.do('updateMember', { member, displayName: 'Mia' })
  await shop.do('grantPoints', { member, points: 5, reason: 'Welcome' })
  await untilSent(shop, receiver)
  expect(receiver.tries.map(({ type }) => type)).toEqual(['member.updated'])
  await shop.do('updateWebhookEndpoint', { endpoint: receiver.endpoint, types: null, description: 'All' })
  await shop.member('noa')
  await untilSent(shop, receiver)
  expect(receiver.tries.map(({ type }) => type)).toEqual(['member.updated', 'member.registered'])
})

test('what fails waits as long as Retry-After asks for, however short the schedule', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  receiver.provider.answer({ status: 429, headers: { 'retry-after': '3600' } })
  const before = Date.now()
  await shop.member('mia')
  await until(async () => (await receiver.look()).attempt === 1)
  const { nextAttemptAt, lastFault, lastStatus } = await receiver.look('nextAttemptAt lastFault lastStatus')
  expect([lastFault, lastStatus, receiver.tries.length]).toEqual(['STATUS', 429, 0])
  const wait = (Date.parse(nextAttemptAt) - before) / 1000
  expect(wait).toBeGreaterThan(3_590)
  expect(wait).toBeLessThan(3_700)
  receiver.provider.answer()
  await shop.do('enableWebhookEndpoint', { endpoint: receiver.endpoint }) // tries at once
  await untilSent(shop, receiver)
  expect(receiver.accepted).toHaveLength(1)
})

test('a disabled endpoint gets nothing, and goes on from where it stopped', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  const { endpoint } = receiver
  await shop.member('a')
  await untilSent(shop, receiver)
  await shop.do('disableWebhookEndpoint', { endpoint })
  await shop.member('b')
  const other = await receive(shop)
  await shop.member('c')
  await untilSent(shop, other)
  expect(receiver.accepted).toHaveLength(1)
  expect(await receiver.look()).toMatchObject({ state: 'DISABLED', disabledReason: 'STAFF', backlog: 2 })
  await shop.do('enableWebhookEndpoint', { endpoint })
  await untilSent(shop, receiver)
  expect(receiver.accepted).toHaveLength(3)
  await shop.do('removeWebhookEndpoint', { endpoint })
  await shop.member('d')
  await untilSent(shop, other)
  expect([receiver.accepted.length, await receiver.look().catch(() => 'gone')]).toEqual([3, null])
})
