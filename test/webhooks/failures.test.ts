import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { type Posted, quick, type Receiver, receive, untilSent } from './receiver.ts'

const open = testApp(quick)

/** A receiver that never takes certain events, by their number in the log since it was added, until it is healed. */
async function allergic(shop: Shop, ...numbers: number[]) {
  const known: string[] = []
  const numberOf = ({ id }: Posted) => {
    if (!known.includes(id)) known.push(id)
    return known.indexOf(id) + 1
  }
  let isHealed = false
  const receiver = await receive(shop, {
    reply: (webhook) => (numbers.includes(numberOf(webhook)) && !isHealed ? { status: 422 } : {}),
  })
  return {
    ...receiver,
    heal: () => {
      isHealed = true
    },
    told: () => receiver.accepted.map(numberOf),
    tried: () => receiver.tries.map(numberOf),
  }
}

/** So many events, one after the other. */
async function happen(shop: Shop, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await shop.member(randomUUID())
}

const untilListed = (receiver: Receiver, count: number) =>
  until(async () => (await receiver.failures()).length === count)

test('a poison event goes to the failure list after its last try, and the others come', async () => {
  const shop = await open()
  const after = await headOf(shop)
  const receiver = await allergic(shop, 2)
  await happen(shop, 3)
  await untilSent(shop, receiver)
  expect(receiver.tried()).toEqual([1, 2, 2, 2, 2, 3])
  const [, poison] = await history(shop, shop.staff, { after })
  expect(await receiver.failures()).toMatchObject([
    {
      kind: 'GIVEN_UP',
      event: poison?.id,
      type: 'member.registered',
      events: 1,
      attempts: 4,
      lastStatus: 422,
    },
  ])
  expect(await receiver.look()).toMatchObject({ state: 'ENABLED', attempt: 0, backlog: 0 })
})

test('failures that are replayed come in the order of the log, before anything new, and leave the list', async () => {
  const shop = await open()
  const receiver = await allergic(shop, 2, 4)
  await happen(shop, 4)
  await untilListed(receiver, 2)
  receiver.heal()
  const failures = (await receiver.failures()).map(({ id }) => id)
  await shop.do('disableWebhookEndpoint', { endpoint: receiver.endpoint })
  await happen(shop, 1)
  await shop.do('replayWebhookEvents', { endpoint: receiver.endpoint, failures })
  expect((await receiver.failures()).map(({ isReplaying }) => isReplaying)).toEqual([true, true])
  await shop.do('enableWebhookEndpoint', { endpoint: receiver.endpoint })
  await until(() => receiver.accepted.length === 5)
  await untilListed(receiver, 0)
  expect(receiver.told()).toEqual([1, 3, 2, 4, 5])
  expect(receiver.tried().filter((number) => number === 2)).toHaveLength(5) // under the same id as in vain
})

test('a replay that fails again is back on the list after three tries, and holds nobody up for days', async () => {
  const shop = await open()
  const receiver = await allergic(shop, 2)
  await happen(shop, 2)
  await untilListed(receiver, 1)
  const [failure] = await receiver.failures()
  await shop.do('replayWebhookEvents', { endpoint: receiver.endpoint, failures: [failure?.id] })
  await until(async () => (await receiver.failures())[0]?.attempts === 7)
  expect(await receiver.failures()).toMatchObject([{ id: failure?.id, isReplaying: false }])
  await happen(shop, 1)
  await until(() => receiver.told().includes(3))
})

test('a rewind sends everything again from there, in order, and takes what it passes off the list', async () => {
  const shop = await open()
  const receiver = await allergic(shop, 2)
  const start = await headOf(shop)
  await happen(shop, 2)
  await untilListed(receiver, 1)
  const middle = new Date().toISOString()
  await happen(shop, 1)
  await untilSent(shop, receiver)
  receiver.heal()
  const select = 'endpoint { backlog failures { nodes { id } } }'
  const rewound = await shop.do(
    'replayWebhookEvents',
    { endpoint: receiver.endpoint, after: start },
    { select },
  )
  expect(rewound).toMatchObject({ endpoint: { failures: { nodes: [] } } })
  await until(() => receiver.accepted.length === 5)
  expect(receiver.told()).toEqual([1, 3, 1, 2, 3])
  await untilSent(shop, receiver) // what was accepted is noted as well
  await shop.do('replayWebhookEvents', { endpoint: receiver.endpoint, since: middle })
  await until(() => receiver.accepted.length === 6)
  expect(receiver.told().at(-1)).toBe(3)
})

test('a replay with the same key happens once, whatever has become of the failures', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  const after = await headOf(shop)
  await happen(shop, 1)
  await untilSent(shop, receiver)
  const { endpoint } = receiver
  const input = { idempotencyKey: 'again', endpoint, after }
  for (let i = 0; i < 3; i++) {
    expect(await shop.do('replayWebhookEvents', input)).toMatchObject({ endpoint: { id: endpoint } })
    await untilSent(shop, receiver)
  }
  expect(receiver.accepted).toHaveLength(2)
  const other = { idempotencyKey: 'again', endpoint, since: '2026-01-01T00:00:00Z' }
  expect(await shop.do('replayWebhookEvents', other)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test.each([
  [{}, 'input.failures'],
  [{ since: '2026-01-01T00:00:00Z', after: 'CURSOR' }, 'input.after'],
  [{ failures: [] }, 'input.failures'],
  [{ failures: Array(101).fill('FAILURE') }, 'input.failures'],
])('a replay of %j is bad input at %s', async (what, field) => {
  const shop = await open()
  const { endpoint } = await receive(shop)
  const failure = Buffer.from('WebhookFailure:0197a1b2-0000-7000-8000-000000000001').toString('base64url')
  const input = JSON.parse(
    JSON.stringify(what)
      .replaceAll('CURSOR', await headOf(shop))
      .replaceAll('FAILURE', failure),
  )
  expect(await shop.do('replayWebhookEvents', { endpoint, ...input })).toMatchObject({
    code: 'BAD_INPUT',
    field,
  })
})

test('410 disables the endpoint at once, and the event is not lost', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  receiver.provider.next({ status: 410 })
  await happen(shop, 1)
  await until(async () => (await receiver.look()).state === 'DISABLED')
  expect(await receiver.look()).toMatchObject({ disabledReason: 'GONE', lastFault: 'GONE', lastStatus: 410 })
  await shop.do('enableWebhookEndpoint', { endpoint: receiver.endpoint })
  await untilSent(shop, receiver)
  expect([receiver.accepted.length, await receiver.failures()]).toEqual([1, []])
})

test('events that the log forgot before they could be sent are one entry of the list, and the rest comes', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  await shop.do('disableWebhookEndpoint', { endpoint: receiver.endpoint })
  await happen(shop, 3)
  await untilSent(shop)
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query('delete from event_log where tenant_id = $1 and pos <= 2', [shop.tenant.id]),
  )
  await shop.do('enableWebhookEndpoint', { endpoint: receiver.endpoint })
  await untilSent(shop, receiver)
  expect(receiver.accepted).toHaveLength(1)
  const failures = await receiver.failures()
  expect(failures).toMatchObject([{ kind: 'EXPIRED', events: 2, event: null, type: null, attempts: 0 }])
  const replayed = await shop.do('replayWebhookEvents', {
    ...{ endpoint: receiver.endpoint, failures: failures.map(({ id }) => id) },
  })
  expect(replayed).toMatchObject({ code: 'BAD_INPUT', field: 'input.failures.0' })
})

test('an event that would be 20 kB or more is given up at once', async () => {
  const shop = await open()
  const receiver = await receive(shop)
  await shop.ground.app.db.tenant(shop.tenant.id).query({
    text: `insert into outbox (tenant_id, type, payload, at)
      values (current_tenant(), 'membership.ended', jsonb_build_object('end', repeat('x', 20000)), now())`,
    values: [],
  })
  await happen(shop, 1)
  await untilSent(shop, receiver)
  expect(receiver.tries.map(({ type }) => type)).toEqual(['member.registered'])
  expect(await receiver.failures()).toMatchObject([
    { type: 'membership.ended', attempts: 1, lastFault: 'EVENT' },
  ])
})

test('failures of more than thirty days are forgotten, whoever’s they are', async () => {
  const shop = await open()
  const receiver = await allergic(shop, 1, 2)
  await happen(shop, 2)
  await untilListed(receiver, 2)
  const [latest] = await receiver.failures()
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `update webhook_failure set failed_at = now() - interval '31 days'
      where pos = (select min(pos) from webhook_failure where tenant_id = $1) and tenant_id = $1`,
      [shop.tenant.id],
    ),
  )
  await shop.ground.app.db.system.query('select webhook_failures_forget(1000)')
  expect(await receiver.failures()).toEqual([latest])
})
