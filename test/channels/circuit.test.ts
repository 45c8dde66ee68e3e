import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Ground, openGround } from './tenant.ts'

const database = testDatabase()
const start = Date.parse('2026-04-01T00:00:00Z')
const at = (seconds: number) => new Date(start + seconds * 1000)

interface Gate {
  readonly reason: string
  readonly until: string | null
}

/** Seconds after the start until which the channel is closed for us; null when it is open. */
async function gate({ value }: Ground, seconds: number, channel = 'acme') {
  const answer = await value<Gate | null>('channel_gate($1, $2)', channel, at(seconds))
  return answer && [answer.reason, (Date.parse(answer.until ?? '') - start) / 1000]
}

async function result({ value }: Ground, seconds: number, ...isWell: boolean[]) {
  for (const each of isWell) await value('channel_result($1, $2, $3)', 'acme', each, at(seconds))
}

const five = Array.from({ length: 5 }, () => false)

test('five failures in a row open the circuit for 30 seconds, for this tenant and channel alone', async () => {
  const [ground, other] = [await openGround(database.url), await openGround(database.url)]
  await result(ground, 0, ...five.slice(1))
  expect(await gate(ground, 0)).toBeNull()
  await result(ground, 0, false)
  expect(await gate(ground, 1)).toEqual(['CIRCUIT_OPEN', 30])
  expect(await gate(ground, 1, 'inbox')).toBeNull()
  expect(await gate(other, 1)).toBeNull()
})

test('an attempt that went well begins the count anew', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, false, false, false, false, true, false, false, false, false)
  expect(await gate(ground, 0)).toBeNull()
})

test('once it has rested, exactly one of twenty who ask at once is let through', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, ...five)
  for (let attempt = 0; attempt < 20; attempt++) {
    const now = 31 + attempt * 31
    const gates = await Promise.all(Array.from({ length: 20 }, () => gate(ground, now)))
    expect(gates.filter((each) => each === null)).toHaveLength(1)
    expect(gates.filter((each) => each !== null)).toEqual(
      Array.from({ length: 19 }, () => ['CIRCUIT_OPEN', now + 30]),
    )
  }
})

test('when that one goes well the circuit closes; when it fails, it opens twice as long, at most 15 minutes', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, ...five)
  let now = 30
  const rests: number[] = []
  for (let opening = 0; opening < 7; opening++) {
    expect(await gate(ground, now)).toBeNull()
    await result(ground, now, false)
    const [, until] = (await gate(ground, now)) ?? []
    rests.push(Number(until) - now)
    now = Number(until)
  }
  expect(rests).toEqual([60, 120, 240, 480, 900, 900, 900])
  expect(await gate(ground, now)).toBeNull()
  await result(ground, now, true)
  expect(await gate(ground, now)).toBeNull()
  await result(ground, now, ...five)
  expect(await gate(ground, now)).toEqual(['CIRCUIT_OPEN', now + 30])
})

test('what was sent before it opened neither closes it nor prolongs it', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, ...five)
  await result(ground, 5, true, false, false)
  expect(await gate(ground, 6)).toEqual(['CIRCUIT_OPEN', 30])
})

test('an attempt that was let through and never heard of gives way after 30 seconds', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, ...five)
  expect(await gate(ground, 30)).toBeNull()
  expect(await gate(ground, 59)).toEqual(['CIRCUIT_OPEN', 60])
  expect(await gate(ground, 60)).toBeNull()
})

test('a channel that works leaves no row', async () => {
  const ground = await openGround(database.url)
  await result(ground, 0, true, true)
  const { rows } = await ground.everything.query('select from channel_circuit where tenant_id = $1', [
    ground.tenant.tenantId,
  ])
  expect(rows).toEqual([])
})

async function budget({ everything, tenant }: Ground, limit: number | null, used: number, reserve = 0) {
  await everything.query(
    `insert into channel_quota (tenant_id, channel, quota_limit, used, resets_at, asked_at)
     values ($1, 'acme', $2, $3, $4, now())`,
    [tenant.tenantId, limit, used, at(3600)],
  )
  await everything.query(
    `insert into channel_setting (tenant_id, channel, config, config_version, quota_reserve, updated_at, updated_by)
     values ($1, 'acme', '{}', 1, $2, now(), 'test')`,
    [tenant.tenantId, reserve],
  )
}

test('what is left of the budget is given out once, whoever asks at once', async () => {
  const ground = await openGround(database.url)
  await budget(ground, 100, 93)
  const sent = await Promise.all(
    Array.from({ length: 20 }, () =>
      ground.tenant.transaction(async (tx) => {
        const ask = { text: `select channel_gate('acme', $1) as gate`, values: [at(0)] }
        const [row] = await tx.query<{ gate: Gate | null }>(ask)
        if (!row?.gate) await tx.query({ text: `select channel_taken('acme')`, values: [] })
        return row?.gate?.reason ?? 'SENT'
      }),
    ),
  )
  expect(sent.filter((each) => each === 'SENT')).toHaveLength(7)
  expect(sent.filter((each) => each === 'QUOTA')).toHaveLength(13)
})

test('the reserve is for urgent messages; all of it comes back when the budget begins anew', async () => {
  const ground = await openGround(database.url)
  await budget(ground, 100, 90, 10)
  const urgent = () => ground.value<Gate | null>('channel_gate($1, $2, true)', 'acme', at(0))
  expect(await gate(ground, 0)).toEqual(['QUOTA', 3600])
  expect(await urgent()).toBeNull()
  await ground.value('channel_taken($1, 10)', 'acme')
  expect(await urgent()).toMatchObject({ reason: 'QUOTA' })
  expect(await gate(ground, 3600)).toBeNull()
})

test('without a limit everything goes', async () => {
  const ground = await openGround(database.url)
  await budget(ground, null, 1_000_000, 10)
  expect(await gate(ground, 0)).toBeNull()
})
