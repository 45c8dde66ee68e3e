import { randomUUID } from 'node:crypto'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { reportOpened } from '../support/opened.ts'
import { onServer } from '../support/server.ts'
import type { Shop, TestMember } from '../support/shop.ts'

/** How many rows of each table, of every schema, hold the word, also in bytes. Tables without a hit are left out. */
export async function canaries(shop: Shop): Promise<Readonly<Record<string, number>>> {
  return onServer(shop.ground.databaseUrl, async (client) => {
    const { rows: tables } = await client.query<{ name: string; tenant: boolean }>(`
      select format('%I.%I', n.nspname, c.relname) as name,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenant
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'm') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'`)
    const counts = tables.map(
      ({ name, tenant }) => `select '${name}' as name, count(*)::int as n from ${name} t
        where t::text ~* 'canar|63616e6172' ${tenant ? `and t.tenant_id = '${shop.tenant.id}'` : ''}`,
    )
    const { rows } = await client.query<{ name: string; n: number }>(counts.join(' union all '))
    return Object.fromEntries(rows.filter(({ n }) => n > 0).map(({ name, n }) => [name, n]))
  })
}

/** A member of whom everything that can be told was told, with the word in it. */
export async function liveAsCanary(shop: Shop): Promise<TestMember> {
  const gone = await shop.member('canary-of-tokyo', {
    displayName: 'Canary Sato',
    email: 'sato@canary.example',
    attributes: { nickname: 'Canarina', phones: ['canary-0312345678'] },
  })
  const { by: member, token } = gone
  const now = new Date().toISOString()
  const lines = [{ sku: 'soap', quantity: 2, amount: 5000 }]
  await shop.do('recordPurchase', {
    member,
    orderId: 'o-1',
    purchasedAt: now,
    currency: 'JPY',
    total: 5000,
    lines,
    idempotencyKey: 'canary bought',
  })
  await shop.do('refundPurchase', { orderId: 'o-1', amount: 100, reason: 'Canary was unhappy' })
  await shop.do('grantPoints', { member, points: 500, reason: 'Canary was sad' })
  await shop.do('spendPoints', {
    member,
    points: 9_999,
    reason: 'For Canary',
  })
  await shop.do('holdPoints', { member, points: 5, expiresIn: 'PT1H', reason: 'Canary cart' })
  await shop.do('adjustPoints', { member, points: 10_001, reason: 'Canary phoned' })
  await shop.do('moveMember', { member, stage: 'repeat', reason: 'Canary wished so' })
  await shop.do('recordActivity', {
    member,
    name: 'visit',
    key: 'canary-visit',
    properties: { note: 'Canary' },
  })
  const benefit = { money: { amount: 500, currency: 'JPY' } }
  const given = await shop.do(
    'giveBenefit',
    { member, benefit, reason: 'For Canary' },
    { select: 'benefit { id }' },
  )
  await shop.do('takeBackBenefit', { benefit: given.benefit.id, reason: 'Canary left' })
  await shop.do('addAddress', { member, channel: 'line', value: `U${randomUUID().replaceAll('-', '')}` })
  const consent = { member, purpose: 'newsletter', channel: 'email', source: 'Form of Canary' }
  await shop.do('giveConsent', { ...consent, textVersion: 'canary-1', proof: { ip: 'canary' } })
  await shop.do('pauseTouches', { reason: 'Canary is ill' }, { as: token })
  await shop.do('resumeTouches', {}, { as: token })
  await shop.do('suppressAddress', {
    target: { member: { member, channel: 'line' } },
    reason: 'Canary asked',
  })
  await shop.do('pauseMembership', { reason: 'Canary travels' }, { as: token })
  await shop.do('resumeMembership', {}, { as: token })
  await shop.do('reportStumble', { feature: 'The canary button', note: 'Canary fell' }, { as: token })
  await shop.do(
    'saveProfile',
    {
      ...{ isListed: true, isOpenToIntroductions: true, messagesFrom: 'MEMBERS', interests: ['Canaries'] },
      fields: [{ field: 'ABOUT', value: 'I am Canary.', sight: 'MEMBERS' }],
    },
    { as: token },
  )
  await beWrittenTo(shop, member)
  await write(shop, gone)
  return gone
}

/** What is said to the member, reported of it, and asked of staff. */
async function beWrittenTo(shop: Shop, member: object): Promise<void> {
  const said = {
    channels: ['inbox'],
    content: { title: 'Dear Canary', body: 'You are Canary.' },
    purpose: 'service',
  }
  await shop.do('sendTouchpoint', { to: { member }, ...said })
  const call = {
    channels: ['task'],
    content: { title: 'Call Canary', body: 'Canary waits.', data: { kind: 'CALL' } },
  }
  await shop.do('sendTouchpoint', { to: { member }, ...call, purpose: 'service' })
  const { app } = shop.ground
  await deliverDue(app.db, shop.tenant.id, app.delivery)
  const query =
    'query ($by: MemberBy!) { member(by: $by) { inbox { nodes { touchpoint { deliveries { id } } } } } }'
  const { data } = await shop.ask(shop.staff, query, { by: member })
  await reportOpened(shop, data.member.inbox.nodes[0].touchpoint.deliveries[0].id)
}

/** What it writes in a space, and what somebody else writes to it there. */
async function write(shop: Shop, { id, by }: TestMember): Promise<void> {
  const other = await shop.member('neighbour')
  await shop.do('saveProfile', { isOpenToIntroductions: true, messagesFrom: 'MEMBERS' }, { as: other.token })
  const own = { as: await shop.token('member', by.externalId) }
  await shop.do('proposeIntroduction', { to: other.id, note: 'Canary here' }, own)
  await shop.do('sendMessage', { to: other.id, body: 'Canary says hello' }, own)
  await shop.do('sendMessage', { to: id, body: 'Hello Canary' }, { as: other.token })
  const [author, neighbour] = [id, other.id].map((each) => decodeId(each, 'id').id)
  const search = (text: string) => ({
    title: '',
    norm: text,
    grams: text.split(' '),
    words: text.split(' '),
    version: 1,
  })
  const text = (body: string, norm: string) => ({
    body,
    format: 'MARKDOWN',
    html: `<p>${body}</p>`,
    search: search(norm),
  })
  await onServer(shop.ground.databaseUrl, async (client) => {
    await client.query("select set_config('app.tenant', $1, false)", [shop.tenant.id])
    const made = await client.query(
      `insert into space (tenant_id, key, kind, version, name, purpose, join_mode, is_listed, created_at)
       values ($1, 'talk', 'COMMUNITY', 1, '{}', '{}', 'OPEN', true, now()) returning id`,
      [shop.tenant.id],
    )
    const space = made.rows[0].id
    const wrote = async (member: string | undefined, what: object) =>
      (
        await client.query("select contribution_write($1, $2, $3) ->> 'contribution' as id", [
          member,
          `member:${member === author ? by.externalId : 'neighbour'}`,
          JSON.stringify(what),
        ])
      ).rows[0].id
    const post = await wrote(author, {
      kind: 'POST',
      space,
      title: 'Canary here',
      ...text('I was Canary Ito.', 'i was canary ito.'),
    })
    await client.query('select contribution_edit($1, $2, $3, $4)', [
      post,
      author,
      `member:${by.externalId}`,
      JSON.stringify({ title: 'Hello', ...text('I am Canary Sato.', 'i am canary sato.') }),
    ])
    await wrote(neighbour, {
      kind: 'COMMENT',
      parent: post,
      mentions: [by.externalId],
      ...text(`Hello @${by.externalId}!`, `hello @${by.externalId} !`),
    })
    await client.query("insert into follow values ($1, $2, 'MEMBER', $3, now())", [
      shop.tenant.id,
      neighbour,
      author,
    ])
  })
}
