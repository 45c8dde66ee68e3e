import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import type { Shop } from '../support/shop.ts'
import { type Acme, withAcme } from './acme.ts'

const acme: Acme = {}
const open = testApp({ role: 'web', deployment: withAcme(acme) })

const CHANNEL = `key kind isConfigured isEnabled problem config secrets { name isSet } quotaReserve inboundPath
  check { isOk notes cause code detail } circuit { state failures retriesAt }
  capabilities { idempotency receipts maxLength lengthUnit maxBytes canReply hasQuota }`
const select = `channel { ${CHANNEL} }`

const config = { url: 'https://acme.example', token: 'canary-token' }
const configure = (shop: Shop, input: object) =>
  shop.do('configureChannel', { channel: 'acme', ...input }, { select })

async function channelsOf(shop: Shop) {
  const { data, errors } = await shop.ask(shop.staff, `{ channels { ${CHANNEL} } }`)
  return data?.channels ?? errors
}

/** What the plugin is given now. */
async function given(shop: Shop): Promise<unknown> {
  let seen: unknown
  acme.check = async (ctx) => {
    seen = ctx.config
    return { ok: true }
  }
  await shop.do('checkChannel', { channel: 'acme' }, { select })
  delete acme.check
  return seen
}

test('every channel is listed, set or not, with what it can do and where its provider posts', async () => {
  const shop = await open()
  expect(await channelsOf(shop)).toEqual([
    {
      ...{ key: 'acme', kind: 'acme', isConfigured: false, isEnabled: false, config: null },
      problem: 'The channel is not configured.',
      secrets: [
        { name: 'token', isSet: false },
        { name: 'oldToken', isSet: false },
      ],
      ...{ quotaReserve: 0, check: null, circuit: { state: 'CLOSED', failures: 0, retriesAt: null } },
      inboundPath: `/inbound/${shop.tenant.key}/acme/callback`,
      capabilities: {
        ...{ idempotency: 'NATIVE', maxLength: 100, lengthUnit: 'CODEPOINT', maxBytes: null },
        receipts: ['ACCEPTED', 'DELIVERED', 'BOUNCED', 'REPLIED'],
        ...{ canReply: true, hasQuota: true },
      },
    },
    expect.objectContaining({
      key: 'inbox',
      isConfigured: true,
      isEnabled: true,
      problem: null,
      inboundPath: null,
    }),
  ])
})

test('what is set is given to the plugin, and told without the secrets', async () => {
  const shop = await open()
  const { channel } = await configure(shop, { config: { ...config, sender: 'Hana' }, quotaReserve: 50 })
  expect(channel).toMatchObject({
    ...{ isConfigured: true, isEnabled: true, problem: null, quotaReserve: 50 },
    config: { url: 'https://acme.example', sender: 'Hana' },
    secrets: [
      { name: 'token', isSet: true },
      { name: 'oldToken', isSet: false },
    ],
  })
  expect((await channelsOf(shop))[0]).toEqual(channel)
  expect(await given(shop)).toEqual({ ...config, sender: 'Hana' })
})

test('secrets that are left out stay, a null one goes, and all else is as it is given', async () => {
  const shop = await open()
  await configure(shop, { config: { ...config, oldToken: 'canary-older', sender: 'Hana' }, isEnabled: false })
  await configure(shop, { config: { url: 'https://acme2.example', oldToken: null } })
  expect(await given(shop)).toEqual({ url: 'https://acme2.example', token: 'canary-token', sender: 'Shop' })
  const { channel } = await configure(shop, { quotaReserve: 5, isEnabled: true })
  expect(channel).toMatchObject({
    config: { url: 'https://acme2.example' },
    isEnabled: true,
    quotaReserve: 5,
  })
})

test.each([
  [{ config: { ...config, url: 'nonsense' } }, 'input.config.url'],
  [{ config: { ...config, token: 'canary' } }, 'input.config.token'],
  [{ config: { url: config.url } }, 'input.config.token'],
  [{ config: { ...config, sender: 7 } }, 'input.config.sender'],
  [{ config: { ...config, tokem: 'canary-token' } }, 'input.config'],
  [{ config: ['canary-token'] }, 'input.config'],
  [{ config: { ...config, sender: 'x'.repeat(70_000) } }, 'input.config'],
  [{ config, quotaReserve: -1 }, 'input.quotaReserve'],
])('%o is refused by %s, and changes nothing', async (input, field) => {
  const shop = await open()
  const refusal = await configure(shop, input)
  expect(refusal).toMatchObject({ code: 'BAD_INPUT', field })
  expect(refusal.message).not.toContain('canary')
  expect((await channelsOf(shop))[0]).toMatchObject({ isConfigured: false, config: null })
})

test('a channel that is not of this deployment is not there to be set, checked or disabled', async () => {
  const shop = await open()
  for (const mutation of ['configureChannel', 'checkChannel', 'disableChannel']) {
    expect(await shop.do(mutation, { channel: 'fax' }, { select })).toMatchObject({
      code: 'NOT_FOUND',
      what: 'channel',
    })
  }
})

test('twenty changes at once: none is lost in part, and the last one stands whole', async () => {
  const shop = await open()
  await configure(shop, { config })
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      configure(shop, { config: { ...config, token: `canary-${n}-token`, sender: `n-${n}` } }),
    ),
  )
  const done = results.filter(({ channel }) => channel)
  expect(done.length).toBeGreaterThan(0)
  expect(results.filter(({ channel }) => !channel).every(({ code }) => code === 'UNAVAILABLE')).toBe(true)
  const { sender, token } = Object(await given(shop))
  expect(token).toBe(`canary-${sender.slice(2)}-token`)
})

test('what the check says is kept for what is set now, without any secret', async () => {
  const shop = await open()
  await configure(shop, { config })
  acme.check = async (ctx) => ({
    ok: false,
    fault: {
      cause: 'auth',
      disposition: { do: 'hold' },
      code: '535',
      detail: `no such token ${ctx.config.token}`,
    },
  })
  const { check, channel } = await shop.do(
    'checkChannel',
    { channel: 'acme' },
    { select: `check { isOk cause code detail } ${select}` },
  )
  delete acme.check
  expect(check).toEqual({ isOk: false, cause: 'auth', code: '535', detail: 'no such token [redacted]' })
  expect(channel.check).toEqual({ ...check, notes: [] })
  expect((await configure(shop, { config })).channel.check).toBeNull()
  const good = await shop.do('checkChannel', { channel: 'acme' }, { select })
  expect(good.channel.check).toMatchObject({ isOk: true, notes: ['signed in'] })
})

test('a check that throws tells no more than that; one that is not configured says so', async () => {
  const shop = await open()
  const ask = async () =>
    (await shop.do('checkChannel', { channel: 'acme' }, { select: 'check { isOk cause code detail }' })).check
  expect(await ask()).toEqual({
    ...{ isOk: false, cause: 'config', code: 'NOT_CONFIGURED' },
    detail: 'The channel is not configured.',
  })
  await configure(shop, { config })
  acme.check = () => Promise.reject(new TypeError('canary-token'))
  expect(await ask()).toEqual({
    isOk: false,
    cause: 'provider',
    code: null,
    detail: 'The plugin threw TypeError.',
  })
  delete acme.check
})

test('a disabled channel keeps what was set, and sends nothing', async () => {
  const shop = await open()
  await configure(shop, { config })
  for (const channel of ['acme', 'inbox']) {
    const done = await shop.do('disableChannel', { channel }, { select })
    expect(done.channel).toMatchObject({ key: channel, isEnabled: false, isConfigured: true })
    const [row] = await shop.ground.app.db
      .tenant(shop.tenant.id)
      .query<{ gate: object }>({ text: 'select channel_gate($1, now()) as gate', values: [channel] })
    expect(row?.gate).toEqual({ reason: 'CHANNEL_DISABLED', until: null })
  }
  expect(await given(shop)).toEqual({ ...config, sender: 'Shop' })
})

test('what an older version of the plugin saved is read as it is meant, and saved anew when it is set', async () => {
  const shop = await open()
  await configure(shop, { config })
  const tenant = shop.ground.app.db.tenant(shop.tenant.id)
  const text = `select channel_configure('acme', 1, '{"address": "https://old.example"}', $1, true, 0, s.secrets, s.sealed,
    s.data_key, s.key_id, 'test') as outcome from channel_setting s where own(s) and s.channel = 'acme'`
  await tenant.query({ text, values: [1] })
  expect(await given(shop)).toEqual({ url: 'https://old.example', token: 'canary-token', sender: 'Shop' })
  const { channel } = await configure(shop, { quotaReserve: 1 })
  expect(channel.config).toEqual({ url: 'https://old.example' })
  const rows = await tenant.query({
    text: 'select s.config_version from channel_setting s where own(s)',
    values: [],
  })
  expect(rows).toEqual([{ config_version: 2 }])
})

test('what a newer version of the plugin saved is kept and not guessed at', async () => {
  const shop = await open()
  await configure(shop, { config })
  const tenant = shop.ground.app.db.tenant(shop.tenant.id)
  const text = `select channel_configure('acme', 1, '{"url": "https://new.example"}', 3, true, 0, '{}', null, null, null, 'test')`
  await tenant.query({ text, values: [] })
  const [channel] = await channelsOf(shop)
  expect(channel).toMatchObject({
    isConfigured: false,
    problem: "It was configured for version 3 of the plugin's configuration; this is 2.",
  })
})

test('only staff with the scope settings may see or set channels', async () => {
  const shop = await open()
  const mika = await shop.member('mika')
  const narrow = await shop.token('staff', 'berta', 'members:read')
  for (const as of [mika.token, shop.integration, narrow]) {
    expect(await shop.ask(as, `{ channels { key } }`)).toMatchObject({ errors: [{ code: 'FORBIDDEN' }] })
    for (const mutation of ['configureChannel', 'checkChannel', 'disableChannel']) {
      expect(await shop.do(mutation, { channel: 'acme' }, { as, select })).toMatchObject({
        code: 'FORBIDDEN',
      })
    }
  }
})

test('one tenant’s settings are nobody else’s, and the list takes one statement', async () => {
  const [shop, other] = [await open(), await open()]
  await configure(shop, { config })
  expect((await channelsOf(other))[0]).toMatchObject({ isConfigured: false, config: null })
  const { statements } = await shop.ask(shop.staff, `{ channels { ${CHANNEL} } }`)
  expect(statements).toHaveLength(1)
})
