// Personal data stays where it belongs: not in logs, events, jobs, errors or figures.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, openApp } from '../../api/app.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'
import type { Answer } from '../support/asking.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'
import { Shop, type TestMember } from '../support/shop.ts'
import { until } from '../support/until.ts'
import { rowsOf } from './foreign.ts'
import { openSocket } from './open-ends.ts'

/** Whatever is personal here has this word in it. */
const CANARY = /canar/i
const SATO = {
  externalId: 'canary-of-tokyo',
  displayName: 'Canary Sato',
  email: 'sato@canary.example',
  attributes: {
    nickname: 'Canarina',
    address: { street: '1-2-3 Canary-cho', phones: ['canary-0312345678'] },
  },
}
/** Names that faults of ours are provoked with. */
const [BROKEN, REFUSED, UNDELIVERED] = ['Canary Broken', 'Canary Refused', 'Canary Undelivered']

const lines: string[] = []
/** Every refusal, typed or not, as it was answered. */
const refusals: string[] = []
let database: TestDatabase
let dataDir: string
let app: App
let shop: Shop
let tokens: string[]

beforeAll(async () => {
  database = await openTestDatabase()
  dataDir = await mkdtemp(join(tmpdir(), 'engawa-canary-'))
  app = await openApp({
    config: readConfig({ PORT: '0', ENGAWA_DATA_DIR: dataDir }),
    databaseUrl: database.url,
    role: 'both',
    log: openLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } }),
    deployment,
  })
  await prepare()
  shop = await Shop.open({ app, url: app.url ?? '', databaseUrl: database.url, dataDir, statements: [] })
  await live()
  await fail()
  await rowsOf(shop) // when it is told, everything is logged
})
afterAll(async () => {
  await app.close()
  await database[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

/** Keeps what passes through the outbox and the queue, and breaks the database for certain names. */
async function prepare() {
  const keeps = ['outbox', 'pgboss.job'].map(
    (table) =>
      `create trigger keeps after insert or update on ${table} for each row execute function keeps();`,
  )
  await onServer(database.url, (client) =>
    client.query(`
      create table kept (place text, whole text);
      create function keeps() returns trigger language plpgsql security definer set search_path = public as $$
      begin insert into kept values (tg_table_schema || '.' || tg_table_name, new::text); return null; end $$;
      ${keeps.join('\n')}
      alter table member add constraint broken check (display_name <> '${REFUSED}');
      create function breaks() returns trigger language plpgsql as $$
      begin if new.display_name = '${BROKEN}' then perform new.display_name::int; end if; return new; end $$;
      create trigger breaks before insert or update on member for each row execute function breaks();
      create function undelivered() returns trigger language plpgsql security definer set search_path = public as $$
      declare name text := (select m.display_name from touchpoint t
        join member m on m.tenant_id = t.tenant_id and m.id = t.member_id
        where t.tenant_id = new.tenant_id and t.id = new.touchpoint_id);
      begin if name = '${UNDELIVERED}' then perform name::int; end if; return new; end $$;
      create trigger undelivered before insert or update on delivery for each row execute function undelivered();`),
  )
}

async function ask(token: string, query: string, variables: object = {}): Promise<Answer> {
  const answer = await shop.ask(token, query, variables)
  refusals.push(...answer.errors.map((error) => JSON.stringify(error)))
  return answer
}

async function act(mutation: string, input: object, as?: string): Promise<Answer['data']> {
  const result = await shop.do(mutation, input, as === undefined ? {} : { as })
  if (!result.__typename?.endsWith('Payload')) refusals.push(JSON.stringify(result))
  return result
}

/** A member's whole life, and every expected refusal. */
async function live() {
  const sato = await shop.member(SATO.externalId, SATO)
  tokens = [sato.token, shop.staff, shop.integration]
  const member = sato.by
  await act('updateMember', { member, displayName: 'Canary Suzuki', attributes: { nickname: 'Canarissima' } })
  const lines = [{ sku: 'canary-1', name: 'Soap for Canary Sato', quantity: 2, amount: 5000 }]
  const now = new Date().toISOString()
  const bought = { member, orderId: 'canary-order', purchasedAt: now, currency: 'JPY', total: 5000, lines }
  await act('recordPurchase', bought)
  await act('recordPurchase', bought)
  await act('grantPoints', { member, points: 500, reason: 'Canary Sato was sad' })
  await act('spendPoints', { member, points: 9_999, reason: 'For Canary Sato' })
  const key = { idempotencyKey: 'canary-key', member }
  await act('spendPoints', { ...key, points: 1, reason: 'For Canary Sato' })
  await act('spendPoints', { ...key, points: 2, reason: 'For Canary Sato' })
  const { hold } = await act('holdPoints', { member, points: 5, expiresIn: 'PT1H', reason: 'Canary cart' })
  await act('voidHold', { hold: hold.id })
  await act('captureHold', { hold: hold.id })
  await act('moveMember', { member, stage: 'repeat', reason: 'Canary wished so' })
  await act('refundPurchase', { orderId: 'canary-order', amount: 100, reason: 'Canary Sato was unhappy' })
  await act('refundPurchase', { orderId: 'canary-order', amount: 99_999, reason: 'Canary Sato was unhappy' })
  await consents(sato)
  const inbox = '{ viewer { member { displayName email attributes inbox { nodes { id title body } } } } }'
  const read = async () => (await ask(sato.token, inbox)).data.viewer.member
  await until(async () => (await read()).inbox.nodes.length === 1)
  expect(CANARY.test(JSON.stringify(await read()))).toBe(true)
  const socket = await openSocket(shop.url, sato.token, true)
  await act('markInboxRead', { item: (await read()).inbox.nodes[0].id }, sato.token)
  await ask(shop.staff, 'query ($search: String) { members(search: $search) { nodes { displayName } } }', {
    search: 'Canary',
  })
  await act('endMembership', { member, end: 'LEFT', reason: 'Canary Sato moved away' })
  await socket.ended
  await act('updateMember', { member, displayName: 'Canary Sato' })
  await act('updateMember', { member: { externalId: 'canary-nobody' }, displayName: 'Canary Sato' })
  await ask(sato.token, '{ viewer { member { id } } }')
  await act('revokeTokens', { subject: { kind: 'MEMBER', sub: SATO.externalId } })
  await ask(sato.token, '{ viewer { member { id } } }')
}

/** Addresses, consents and wishes, given, confirmed, refused and taken back. */
async function consents({ by: member, token, id }: TestMember) {
  const second = { channel: 'email', value: 'second@canary.example' }
  const { address } = await act('addAddress', { member, ...second })
  await act('addAddress', { ...second, value: 'canary at nowhere' }, token)
  await act('addAddress', { member: { externalId: 'canary-2' }, ...second }, token)
  await act('requestAddressVerification', { address: address.id }, token)
  const consent = { member, purpose: 'newsletter', channel: 'email', source: 'Form of Canary Sato' }
  await act('giveConsent', { ...consent, textVersion: 'canary-1', proof: { ip: 'canary', name: 'Canary' } })
  await act('giveConsent', { ...consent, textVersion: 'canary-1', proof: 'Canary' })
  await act('giveConsent', { ...consent, textVersion: 'v1', purpose: 'sato@canary.example' })
  await act('withdrawConsent', { ...consent, source: 'Canary phoned' })
  await act('pauseTouches', { reason: 'Canary is ill' }, token)
  await act('pauseTouches', { reason: 'Canary '.repeat(50) }, token)
  await act('suppressAddress', { target: { value: second }, reason: 'Canary Sato asked' })
  await act('verifyAddress', { token: 'canary' }, token)
  await act('resumeTouches', { member })
  await act('removeAddress', { address: address.id })
  const about = { tenant: shop.tenant.id, member: decodeId(id, 'id').id, purpose: 'offers', channel: 'email' }
  const url = app.links.unsubscribeUrl(about)
  for (const link of [url, `${url}canary`, url.replace('unsubscribe', 'confirm')]) {
    for (const method of ['GET', 'POST'])
      await fetch(link, { method, headers: { 'accept-language': 'canary' } })
  }
}

/** Bad input of every kind, and faults of ours whose errors quote personal data. */
async function fail() {
  const person = { externalId: 'canary-2', displayName: 'Canary Ito' }
  for (const bad of [
    { email: 'canary at nowhere' },
    { locale: 'canary locale' },
    { timeZone: 'Canary/Islands' },
    { attributes: ['Canary'] },
    { displayName: 'Canary\0Ito' },
    { displayName: 'Canary '.repeat(100) },
    { displayName: { first: 'Canary' } },
    { externalId: '', displayName: 'Canary Ito' },
  ]) {
    await act('registerMember', { ...person, ...bad })
  }
  await ask(shop.staff, '{ members(first: "Canary") { nodes { id } } }')
  await ask(shop.staff, '{ members(orderBy: "Canary") { nodes { id } } }')
  await ask(shop.staff, '{ member(by: "Canary Ito") { id } }')
  const by = 'query ($by: MemberBy!) { member(by: $by) { id } }'
  await ask(shop.staff, by, { by: { id: 'Canary Ito' } })
  await ask(shop.staff, by, { by: { id: 'Canary', externalId: 'Canary' } })
  await ask(shop.staff, 'query ($first: Int) { members(first: $first) { nodes { id } } }', {
    first: 'Canary',
  })
  await ask(shop.staff, 'query ($after: String) { members(after: $after) { nodes { id } } }', {
    after: 'Canary',
  })
  const order = 'query ($order: MemberOrder) { members(orderBy: $order) { nodes { id } } }'
  await ask(shop.staff, order, { order: 'Canary' })
  await ask(`${shop.staff}canary`, '{ viewer { kind } }')
  await ask('canary token', '{ viewer { kind } }')

  for (const displayName of [BROKEN, REFUSED]) {
    const result = await act('registerMember', { externalId: displayName, displayName, email: SATO.email })
    expect(result).toMatchObject({ code: 'INTERNAL' })
  }
  const { by: member } = await shop.member('canary-3', { displayName: UNDELIVERED })
  const now = new Date().toISOString()
  await act('recordPurchase', { member, orderId: 'canary-3', purchasedAt: now, currency: 'JPY', total: 5000 })
  await until(() => lines.some((line) => line.includes('A job failed.')))
}

/** The text around each canary, short. */
function canariesIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.match(/.{0,80}canar.{0,40}/i) ?? [])
}

async function textsOf(query: string): Promise<string[]> {
  const { rows } = await onServer(database.url, (client) => client.query<{ whole: string }>(query))
  return rows.map((row) => row.whole)
}

test('no line of the log tells it, not even where faults quote it', () => {
  expect(lines.filter((line) => line.includes('A fault of ours.')).length).toBe(2)
  expect(canariesIn(lines)).toEqual([])
})

test('no line of the log and no error holds a token', () => {
  for (const token of tokens) {
    const [, claims = '', signature = ''] = token.split('.')
    const telling = [...lines, ...refusals].filter(
      (text) => text.includes(claims) || text.includes(signature),
    )
    expect(telling).toEqual([])
  }
})

test('no event tells it, neither while it waits nor in the log', async () => {
  const events = await textsOf(
    `select whole from kept where place = 'public.outbox' union all select e::text from event_log e`,
  )
  expect(events.length).toBeGreaterThan(20)
  expect(canariesIn(events)).toEqual([])
})

test('no job tells it, failed ones included', async () => {
  const tables = await textsOf(`select format('select t::text as whole from pgboss.%I t', relname) as whole
    from pg_class where relnamespace = 'pgboss'::regnamespace and relkind = 'r'`)
  const jobs = await textsOf(
    [`select whole from kept where place like 'pgboss.%'`, ...tables].join(' union all '),
  )
  expect(jobs.some((job) => job.includes('redacted'))).toBe(true)
  expect(canariesIn(jobs)).toEqual([])
})

test('no refusal repeats it', () => {
  expect(refusals.length).toBeGreaterThan(20)
  expect(canariesIn(refusals)).toEqual([])
})

test('no figure tells it', async () => {
  const response = await fetch(new URL('/metrics', shop.url))
  expect(canariesIn([await response.text()])).toEqual([])
})
