import { beforeAll, expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  mia = await shop.member('mia', { displayName: 'Mia <b>', locale: 'en-GB' })
})

const TEXT = 'locale kind title body html url data'
const ja = { locale: 'ja', title: 'こんにちは', body: '{{ member.displayName }}' }

const save = (key: string, texts: object[], as = shop.staff) =>
  shop.do(
    'saveTemplate',
    { key, texts },
    { as, select: `template { id key version savedAt texts { ${TEXT} } }` },
  )

async function preview(
  key: string,
  { version = null as number | null, parameters = {}, channel = 'inbox' } = {},
) {
  const query = `query ($key: String!, $version: Int, $member: MemberBy!, $parameters: JSON, $channel: String!) {
    previewTemplate(key: $key, version: $version, member: $member, channel: $channel, parameters: $parameters) {
      locale title body html url data size problem { part line variable message } } }`
  const { data, errors } = await shop.ask(shop.staff, query, {
    key,
    version,
    member: mia.by,
    parameters,
    channel,
  })
  return data?.previewTemplate ?? errors
}

test('each save is a new version, the same texts are none, and an older one is still there', async () => {
  const [first, again] = [await save('greeting', [ja]), await save('greeting', [ja])]
  expect(first.template).toMatchObject({ key: 'greeting', version: 1, savedAt: '2026-04-01T00:00:00.000Z' })
  expect(first.template.texts).toEqual([{ ...ja, kind: null, html: null, url: null, data: null }])
  expect(again.template.id).toBe(first.template.id)
  const second = await save('greeting', [{ ...ja, title: 'どうも' }])
  expect(second.template.version).toBe(2)
  const { data } = await shop.ask(
    shop.staff,
    '{ template(key: "greeting") { version } old: template(key: "greeting", version: 1) { texts { title } } none: template(key: "nothing") { id } }',
  )
  expect(data).toEqual({ template: { version: 2 }, old: { texts: [{ title: 'こんにちは' }] }, none: null })
})

test('twenty that save at once make twenty versions', async () => {
  const saved = await Promise.all(
    Array.from({ length: 20 }, (_, i) => save('raced', [{ ...ja, title: `${i}` }])),
  )
  const versions = saved.map(({ template }) => template.version)
  expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('the templates are listed by key in their newest versions, those of a new tenant among them', async () => {
  const own = await open()
  await own.do('saveTemplate', { key: 'care', texts: [ja] })
  await own.do('saveTemplate', { key: 'care', texts: [{ ...ja, title: 'x' }] })
  const { data, statements } = await own.ask(own.staff, '{ templates { nodes { key version } } }')
  expect(data.templates.nodes).toEqual([
    { key: 'address-confirmation', version: 1 },
    { key: 'care', version: 2 },
    { key: 'consent-confirmation', version: 1 },
    { key: 'digest', version: 1 },
    { key: 'notification', version: 1 },
    { key: 'points-expiring', version: 1 },
    { key: 'thank-you', version: 1 },
  ])
  expect(statements).toHaveLength(1)
})

test.each([
  [{ key: 'Greeting', texts: [ja] }, 'input.key'],
  [{ key: 'x', texts: [] }, 'input.texts'],
  [{ key: 'x', texts: [{ ...ja, locale: 'not a locale' }] }, 'input.texts.0.locale'],
  [{ key: 'x', texts: [{ ...ja, kind: 'E-Mail' }] }, 'input.texts.0.kind'],
  [{ key: 'x', texts: [ja, { ...ja, locale: 'JA' }] }, 'input.texts.1'],
  [{ key: 'x', texts: [ja, { ...ja, locale: 'en', body: 'a\n{% if %}' }] }, 'input.texts.1.body'],
])('%j is bad input at %s', async (input, field) => {
  expect(await shop.do('saveTemplate', input)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('the refusal of a template names the line', async () => {
  const { message } = await shop.do('saveTemplate', {
    key: 'x',
    texts: [{ ...ja, body: 'a\n\n{{ nobody }}' }],
  })
  expect(message).toBe(
    'Line 3: There is no nobody; there are member.displayName, member.locale, member.timeZone, member.attributes, tenant.name, tenant.locale, parameters.….',
  )
})

test('a preview tells a real member what it would read, in the language of the member, and how large it is', async () => {
  const title = 'Thank you for your purchase'
  const body = [
    'Dear Mia <b>,',
    '',
    'Thank you for your order A-7. We hope you will enjoy it for a long time.',
    'If anything is unclear or not quite right, please write to us. We are glad to help.',
  ].join('\n')
  expect(await preview('thank-you', { parameters: { order: 'A-7' } })).toEqual({
    ...{ locale: 'en', title, body, html: null, url: null, data: null },
    size: title.length + body.length,
    problem: null,
  })
})

test('a preview names the variable that is not there, and asks the version that it is told', async () => {
  expect(await preview('thank-you')).toMatchObject({
    title: null,
    problem: {
      part: 'BODY',
      line: 3,
      variable: 'parameters.order',
      message: 'There is no parameters.order to speak of.',
    },
  })
  await save('versions', [{ ...ja, title: 'one' }])
  await save('versions', [{ ...ja, title: 'two' }])
  expect(await preview('versions', { version: 1 })).toMatchObject({ title: 'one' })
  expect(await preview('versions')).toMatchObject({ title: 'two' })
  expect(await preview('versions', { version: 3 })).toEqual([])
})

test('a preview through a channel that cannot find the member says so', async () => {
  expect(await preview('thank-you', { channel: 'line', parameters: { order: '1' } })).toMatchObject({
    title: 'Thank you for your purchase',
    size: null,
    problem: { part: null, message: 'The member has no address for this channel.' },
  })
  expect(await preview('thank-you', { channel: 'pigeon' })).toMatchObject([
    { code: 'BAD_INPUT', field: 'channel' },
  ])
})

test('a touch says what its template said when it was planned', async () => {
  const own = await open({ testClock: '2026-04-01T00:00:00Z' })
  const ken = await own.member('ken')
  const line = { orderId: 'A-1', purchasedAt: '2026-04-01T00:00:00Z', currency: 'JPY', total: 100 }
  await own.do('recordPurchase', { member: ken.by, ...line })
  await own.do('saveTemplate', { key: 'thank-you', texts: [{ ...ja, title: 'Later' }] })
  await deliverDue(own.ground.app.db, own.tenant.id, own.ground.app.delivery)
  await own.do('recordPurchase', { member: ken.by, ...line, orderId: 'A-2' })
  await deliverDue(own.ground.app.db, own.tenant.id, own.ground.app.delivery)
  const { data } = await own.ask(ken.token, '{ viewer { member { inbox { nodes { title } } } } }')
  expect(data.viewer.member.inbox.nodes).toEqual([
    { title: 'Later' },
    { title: 'ご購入ありがとうございます' },
  ])
})

test('members may not see templates, and integrations need their scopes', async () => {
  const { data, errors } = await shop.ask(
    mia.token,
    '{ template(key: "thank-you") { key } templates { nodes { key } } }',
  )
  expect(data).toEqual({ template: null, templates: null })
  expect(errors.map(({ code }) => code)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
  const reader = await shop.token('integration', 'till', 'touchpoints:read')
  expect(await save('forbidden', [ja], reader)).toMatchObject({ code: 'FORBIDDEN' })
})
