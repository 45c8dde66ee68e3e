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
})

test('events come in the order of the log, also when some of them fail at first', async () => {
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
  for (let i = 0; i < 20; i++) await shop.member(`m${i}`)
  await untilSent(receiver)
  const ids = (await history(shop, shop.staff, { after })).map(({ id }) => id)
  expect(ids).toHaveLength(20)
  expect(receiver.accepted.map(({ id }) => id)).toEqual(ids)
  // No other event between two tries of one.
  const runs = receiver.tries.map(({ id }) => id).filter((id, i, all) => id !== all[i - 1])
  expect(runs).toEqual(ids)
  expect(receiver.tries.length).toBeGreaterThan(20)
})
