import { expect, test } from 'vitest'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { scripted } from './shop.ts'
import { accepted, openStage, refused, type Stage, unknown } from './stage.ts'

const database = testDatabase()
const channel = (id: string, ...script: Parameters<typeof scripted>[1]) =>
  scripted({ mode: 'none' }, script, undefined, { id })

/** Makes a channel fail until its circuit opens: for thirty seconds, from now on. */
async function exhaust(stage: Stage, id: string): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const text = `select channel_result($1, false, tenant_now(current_tenant()))`
    await stage.tenant.query({ text, values: [id] })
  }
}

/** A touch that was put off because its channel rests. */
async function putOff(stage: Stage, touch: Parameters<Stage['touch']>[1] = {}) {
  await exhaust(stage, 'line')
  const planned = await stage.touch(['line'], touch)
  expect(await stage.run(planned.id)).toBe('put_off')
  return planned
}

test('while a channel rests its touches are put off; afterwards one tries, and then they go', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  const { id } = await putOff(stage)
  expect(line.sent).toHaveLength(0)
  expect(await stage.touchpoint(id)).toMatchObject({
    state: 'PLANNED',
    due_at: new Date('2026-04-01T00:00:30Z'),
    planned_at: new Date('2026-04-01T00:00:00Z'),
  })
  expect(await stage.delivery(id)).toBeUndefined()
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(line.sent).toHaveLength(1)
})

test('five attempts that nobody answers put off the sixth, of whatever member', async () => {
  const line = channel('line', unknown)
  const stage = await openStage(database.url, line)
  for (let i = 0; i < 5; i++) await stage.run((await stage.touch(['line'])).id)
  const { id } = await stage.touch(['line'])
  expect(await stage.run(id)).toBe('put_off')
  expect(line.sent).toHaveLength(5)
  expect(await stage.decisions(id)).toEqual(['line DEFERRED CIRCUIT_OPEN 1'])
})

test('refusals of single messages, and of the pace, leave the circuit closed', async () => {
  const line = channel('line', ...Array(5).fill(refused('recipient', 'never')), refused('rate', 'later'))
  const stage = await openStage(database.url, line)
  for (let i = 0; i < 12; i++) await stage.run((await stage.touch(['line'])).id)
  expect(line.sent).toHaveLength(12)
})

test('a decision that is taken again is counted up, and announced once', async () => {
  const stage = await openStage(database.url, channel('line', accepted))
  const { id } = await putOff(stage)
  for (const second of ['30', '50']) {
    await stage.at(`2026-04-01T00:00:${second}Z`)
    await exhaust(stage, 'line')
    await stage.runWhenDue(id)
  }
  expect(await stage.decisions(id)).toHaveLength(1)
  expect(await stage.decisions(id)).toEqual([expect.stringMatching(/^line DEFERRED CIRCUIT_OPEN [23]$/)])
  expect(await stage.announced('touchpoint.put_off', id)).toBe(1)
})

test('a consent that was withdrawn meanwhile counts when the touch wakes', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  const { member, id } = await putOff(stage)
  // The inbox needs no consent; any other kind does.
  await stage.everything.query(`update consent set kind = 'line' where member_id = $1`, [member])
  await stage.withdraw(member, 'line')
  await stage.at('2026-04-01T00:01:00Z')
  expect(await claimAs(stage, id, 'line')).toBe('settled')
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'NOT_SENT', not_sent_reason: 'NO_CONSENT' })
  expect(await stage.decisions(id)).toEqual(['line DEFERRED CIRCUIT_OPEN 1', 'line NOT_SENT NO_CONSENT 1'])
})

/** Claims through a channel of this kind, whose address is the member. */
async function claimAs(stage: Stage, touchpoint: string, kind: string): Promise<string> {
  const text = `select touchpoint_claim($1, 'line', $2, true, '{}', interval '1 minute') ->> 'is' as is`
  const [row] = await stage.tenant.query<{ is: string }>({ text, values: [touchpoint, kind] })
  return row?.is ?? ''
}

test('a message whose time is over when it wakes is not sent', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  const { id } = await putOff(stage, { options: { expires_at: '2026-04-01T00:00:40Z' } })
  await stage.at('2026-04-01T00:00:40Z')
  expect(await stage.run(id)).toBe('settled')
  expect(line.sent).toHaveLength(0)
  expect(await stage.touchpoint(id)).toMatchObject({ state: 'NOT_SENT', not_sent_reason: 'EXPIRED' })
})

test('a message that would wake too late does not wait: it is not sent, or goes another way', async () => {
  const [line, mail] = [channel('line', accepted), channel('mail', accepted)]
  const stage = await openStage(database.url, line, mail)
  await exhaust(stage, 'line')
  const options = { expires_at: '2026-04-01T00:00:20Z' }
  const alone = await stage.touch(['line'], { options })
  const two = await stage.touch(['line', 'mail'], { options })
  expect([await stage.run(alone.id), await stage.run(two.id)]).toEqual(['settled', 'settled'])
  expect(await stage.touchpoint(alone.id)).toMatchObject({
    state: 'NOT_SENT',
    not_sent_reason: 'CIRCUIT_OPEN',
  })
  expect([line.sent.length, mail.sent.length]).toEqual([0, 1])
})

test('a membership that ended meanwhile counts when the touch wakes', async () => {
  const stage = await openStage(database.url, channel('line', accepted))
  const { member, id } = await putOff(stage)
  await stage.end(member)
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(await stage.touchpoint(id)).toMatchObject({ not_sent_reason: 'MEMBERSHIP_ENDED' })
})

test('a pause puts off until it ends; one without an end leaves the touch unsent', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  const pause = (member: string, until: string | null) =>
    stage.everything.query(
      `insert into touch_pause (tenant_id, member_id, paused_by, since, until, actor) values ($1, $2, 'STAFF', now(), $3, 'test')`,
      [stage.tenant.tenantId, member, until],
    )
  const [short, long] = [await stage.touch(['line']), await stage.touch(['line'])]
  await pause(short.member, '2026-04-03T00:00:00Z')
  await pause(long.member, null)
  expect([await stage.run(short.id), await stage.run(long.id)]).toEqual(['put_off', 'settled'])
  expect(await stage.touchpoint(long.id)).toMatchObject({ state: 'NOT_SENT', not_sent_reason: 'PAUSED' })
  expect(await stage.touchpoint(short.id)).toMatchObject({ due_at: new Date('2026-04-03T00:00:00Z') })
  expect(await stage.runWhenDue(short.id)).toBe('settled')
  expect(line.sent).toHaveLength(1)
})

test('a refusal to hold keeps the touch, even from its next channel, until the channel is put right', async () => {
  const [line, mail] = [channel('line', refused('auth', 'hold'), accepted), channel('mail', accepted)]
  const stage = await openStage(database.url, line, mail)
  const { id } = await stage.touch(['line', 'mail'])
  expect(await stage.run(id)).toBe('put_off')
  expect(await stage.decisions(id)).toEqual(['line HELD PROVIDER 1'])
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect([line.sent.length, mail.sent.length]).toEqual([2, 0])
})

test('a channel that stays away is given up after three days, where none remains', async () => {
  const stage = await openStage(database.url)
  const { id } = await stage.touch(['gone'])
  await stage.run(id)
  await stage.at('2026-04-03T23:45:00Z')
  expect(await stage.runWhenDue(id)).toBe('put_off')
  await stage.at('2026-04-04T00:00:00Z')
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(await stage.touchpoint(id)).toMatchObject({ not_sent_reason: 'CHANNEL_MISSING' })
})

test('a channel that rests for a day hands over to the next one', async () => {
  const [line, mail] = [channel('line', accepted), channel('mail', accepted)]
  const stage = await openStage(database.url, line, mail)
  const { id } = await stage.touch(['line', 'mail'])
  for (const hour of ['00', '12', '23']) {
    await stage.at(`2026-04-01T${hour}:55:00Z`)
    await exhaust(stage, 'line')
    expect(await stage.runWhenDue(id)).toBe('put_off')
  }
  await stage.at('2026-04-02T00:55:00Z')
  await exhaust(stage, 'line')
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect([line.sent.length, mail.sent.length]).toEqual([0, 1])
})

test('a budget that is used up puts off until it is filled again, a message of service only when all is gone', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  await stage.everything.query(
    `insert into channel_setting (tenant_id, channel, config, config_version, quota_reserve, updated_at, updated_by)
     values ($1, 'line', '{}', 1, 1, now(), 'test')`,
    [stage.tenant.tenantId],
  )
  await stage.everything.query(
    `insert into channel_quota (tenant_id, channel, quota_limit, used, resets_at, asked_at)
     values ($1, 'line', 10, 8, '2026-04-02T00:00:00Z', now())`,
    [stage.tenant.tenantId],
  )
  const touches = [
    await stage.touch(['line']),
    await stage.touch(['line']),
    await stage.touch(['line'], { purpose: 'service' }),
    await stage.touch(['line'], { purpose: 'service' }),
  ]
  const answers = []
  for (const { id } of touches) answers.push(await stage.run(id))
  expect(answers).toEqual(['settled', 'put_off', 'settled', 'put_off'])
  expect(await stage.decisions(touches[1]?.id ?? '')).toEqual(['line DEFERRED QUOTA 1'])
  await stage.at('2026-04-02T00:00:00Z')
  expect(await stage.run(touches[1]?.id ?? '')).toBe('settled')
})

test('twenty claims at a budget of three take three', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  await stage.everything.query(
    `insert into channel_quota (tenant_id, channel, quota_limit, used, resets_at, asked_at)
     values ($1, 'line', 3, 0, '2026-04-02T00:00:00Z', now())`,
    [stage.tenant.tenantId],
  )
  const touches = await Promise.all(Array.from({ length: 20 }, () => stage.touch(['line'])))
  const answers = await Promise.all(touches.map(({ id }) => stage.run(id)))
  expect(answers.filter((answer) => answer === 'settled')).toHaveLength(3)
  expect(line.sent).toHaveLength(3)
})

test('a touch that is called off is not sent; one that is being sent cannot be', async () => {
  const line = channel('line', accepted)
  const stage = await openStage(database.url, line)
  const cancel = async (id: string) => {
    const text = 'select touchpoint_cancel($1) as outcome'
    const [row] = await stage.tenant.query<{ outcome: object }>({ text, values: [id] })
    return row?.outcome
  }
  const { id } = await putOff(stage)
  expect(await cancel(id)).toEqual({ is: 'done' })
  expect(await cancel(id)).toEqual({ is: 'settled', state: 'CANCELLED' })
  expect(await stage.runWhenDue(id)).toBe('settled')
  expect(line.sent).toHaveLength(0)
  expect(await stage.announced('touchpoint.settled', id)).toBe(1)
  await stage.at('2026-04-01T00:02:00Z')
  const sending = await stage.touch(['line'])
  expect(await claimAs(stage, sending.id, 'inbox')).toBe('claimed')
  expect(await cancel(sending.id)).toEqual({ is: 'busy' })
  expect(await cancel(newId())).toEqual({ is: 'not_found', what: 'touchpoint' })
})
