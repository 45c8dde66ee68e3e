// A canary secret goes everywhere that a secret goes, and is found nowhere.
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { type Acme, withAcme } from './acme.ts'

const canary = 'canary-secret-0417'
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
