// A canary secret goes everywhere that a secret goes, and is found nowhere.
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { type Acme, withAcme } from './acme.ts'

const canary = 'canary-secret-0417'
const address = 'canary-0417@mail.example'
const lines: string[] = []
const echo: Acme = {
  check: async (ctx) => {
    ctx.log(`signing in with ${ctx.config.token}`, { token: ctx.config.token, [ctx.config.token]: 1 })
    const detail = `refused ${ctx.config.token}`
    return {
      ok: false,
      fault: { cause: 'auth', disposition: { do: 'hold' }, code: ctx.config.token, detail },
    }
  },
  // Says all it knows, wherever it can: in the log, in refusals, in what it throws.
  send: async (ctx, text) => {
    const all = `${ctx.config.token} to ${address}`
    ctx.log(`sending ${all}`, { all, [address]: [{ deep: all }] })
    if (text === 'throws') throw new Error(all)
    if (text === 'unknown') return { is: 'unknown', evidence: 'timeout', detail: all }
    if (text === 'accepted') return { is: 'accepted', at: ctx.clock.now(), providerId: 'p-1' }
    return { is: 'refused', fault: { cause: 'policy', disposition: { do: 'never' }, code: all, detail: all } }
  },
}
const open = testApp({ deployment: withAcme(echo), onLog: (line) => lines.push(line) })

/** Every row of every table as text; what is bytes, as hexadecimal digits. */
async function everything(url: string): Promise<string[]> {
  return onServer(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'pgboss') and c.relkind = 'r'`)
    const text = tables.map(({ name }) => `select t::text as row from ${name} t`).join(' union all ')
    return (await client.query<{ row: string }>(text)).rows.map(({ row }) => row)
  })
}

test('no table, log line, event, job, refusal or answer has it', async () => {
  const shop = await open()
  const answers: unknown[] = []
  const select = 'channel { config problem check { isOk code detail notes } secrets { name isSet } }'
  const config = { url: 'https://acme.example', token: canary, oldToken: `${canary}-older` }
  for (const each of [config, { ...config, url: canary }, { ...config, tokem: canary }, { token: canary }]) {
    answers.push(await shop.do('configureChannel', { channel: 'acme', config: each }, { select }))
  }
  answers.push(await shop.do('checkChannel', { channel: 'acme' }, { select }))
  answers.push(
    await shop.ask(shop.staff, `{ channels { key config problem check { detail } secrets { name isSet } } }`),
  )
  answers.push(
    await shop.ask(
      shop.staff,
      `mutation { configureChannel(input: { config: "${canary}" }) { __typename } }`,
    ),
  )
  const rows = await everything(shop.ground.databaseUrl)
  const hidden = new RegExp(`${canary}|${Buffer.from(canary).toString('hex')}|${btoa(canary).slice(0, 20)}`)
  expect(rows.some((row) => row.includes('https://acme.example'))).toBe(true)
  expect(rows.filter((row) => hidden.test(row))).toEqual([])
  expect(lines.some((line) => line.includes('signing in with [redacted]'))).toBe(true)
  expect(lines.filter((line) => hidden.test(line))).toEqual([])
  expect(JSON.stringify(answers)).toContain('refused [redacted]')
  expect(JSON.stringify(answers)).not.toMatch(hidden)
})

test('sends that say all they know leave no secret anywhere, and no address but where addresses are kept', async () => {
  const shop = await open()
  const config = { url: 'https://acme.example', token: canary }
  await shop.do('configureChannel', { channel: 'acme', config })
  const { by: member } = await shop.member('mia')
  await shop.do('addAddress', { member, channel: 'acme', value: address })
  const consent = { member, purpose: 'offers', channel: 'acme', textVersion: '1', source: 'shop' }
  await shop.do('giveConsent', consent)
  const answers: unknown[] = []
  for (const title of ['throws', 'unknown', 'accepted', 'refused']) {
    const sent = { to: { member }, channels: ['acme'], purpose: 'offers', content: { title, body: 'Hi.' } }
    answers.push(await shop.do('sendTouchpoint', sent))
  }
  const asked = `{ member(by: { externalId: "mia" }) { timeline { nodes { ... on Touchpoint {
    state decisions { reason code } deliveries { state attempts cause code doubt } } } } } }`
  const told = async () => (await shop.ask(shop.staff, asked)).data.member.timeline.nodes
  const tries = ({ deliveries }: { deliveries: { attempts: number }[] }) => (deliveries[0]?.attempts ?? 0) > 0
  await until(async () => (await told()).every(tries))
  answers.push(await told())

  const rows = await everything(shop.ground.databaseUrl)
  const hidden = new RegExp(`${canary}|${Buffer.from(canary).toString('hex')}`)
  expect(rows.filter((row) => hidden.test(row))).toEqual([])
  const isSeen = (text: string) => text.includes(address)
  const kept = await onServer(shop.ground.databaseUrl, async (client) => {
    const text = `select 'outcome' as place, outcome::text || coalesce(unknown::text, '') as row from delivery
      union all select 'event', payload::text from event_log union all select 'outbox', payload::text from outbox
      union all select 'job', data::text || coalesce(output::text, '') from pgboss.job
      union all select 'decision', detail::text from touch_decision`
    return (await client.query<{ place: string; row: string }>(text)).rows
  })
  expect(new Set(kept.map(({ place }) => place))).toContain('outcome')
  expect(kept.filter(({ row }) => isSeen(row))).toEqual([])
  expect(lines.some((line) => line.includes('sending [redacted] to address:'))).toBe(true)
  expect(lines.filter((line) => hidden.test(line) || isSeen(line))).toEqual([])
  expect(JSON.stringify(answers)).not.toMatch(hidden)
  expect(JSON.stringify(answers)).not.toContain(address)
})

test('with another key the channel says so, and a new secret puts it right', async () => {
  const shop = await open()
  const config = { url: 'https://acme.example', token: canary }
  const select = 'channel { isConfigured problem }'
  await shop.do('configureChannel', { channel: 'acme', config }, { select })
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(`update channel_setting set key_id = 'another' where tenant_id = $1`, [shop.tenant.id]),
  )
  const problem = 'The stored secrets cannot be opened with this ENGAWA_SECRET_KEY.'
  const checked = await shop.do(
    'checkChannel',
    { channel: 'acme' },
    { select: `check { code detail } ${select}` },
  )
  expect(checked).toMatchObject({
    check: { code: 'SEALED', detail: problem },
    channel: { isConfigured: false, problem },
  })
  const kept = await shop.do('configureChannel', { channel: 'acme', quotaReserve: 1 }, { select })
  expect(kept).toMatchObject({ code: 'BAD_INPUT', field: 'input.config' })
  const anew = await shop.do('configureChannel', { channel: 'acme', config }, { select })
  expect(anew.channel).toEqual({ isConfigured: true, problem: null })
})
