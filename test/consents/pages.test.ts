import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'

/** A member who gets offers and care tips by e-mail, and the link to stop the offers. */
async function subscribed(locale = 'ja') {
  const shop = await open({ testClock: NOW, name: '花屋 <Hana>' })
  const member = await shop.member('hana', { locale })
  for (const purpose of ['offers', 'care']) await give(shop, member, purpose)
  const about = { tenant: shop.tenant.id, member: uuidOf(member), purpose: 'offers', channel: 'email' }
  return { shop, member, url: shop.ground.app.links.unsubscribeUrl(about) }
}

/** The uuid behind an id. */
function uuidOf({ id }: TestMember): string {
  const [, uuid = ''] = Buffer.from(id, 'base64url').toString().split(':')
  return uuid
}

async function give({ ground, tenant }: Shop, member: TestMember, purpose: string) {
  const given = { purpose, channel: 'email', kind: 'email', text_version: 'v1', source: 'form' }
  await ground.app.db.tenant(tenant.id).query({
    text: `select consent_give($1, '\\x00', $2, null, $3, 'test')`,
    values: [`${purpose} ${member.id}`, uuidOf(member), JSON.stringify(given)],
  })
}

async function states({ ground, tenant }: Shop): Promise<Record<string, string>> {
  const text = `select c.purpose, c.state from consent c where own(c)`
  const rows = await ground.app.db
    .tenant(tenant.id)
    .query<{ purpose: string; state: string }>({ text, values: [] })
  return Object.fromEntries(rows.map(({ purpose, state }) => [purpose, state]))
}

const oneClick = (url: string) =>
  fetch(url, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) })

test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s of the link stops nothing', async (method) => {
  const { shop, url } = await subscribed()
  const response = await fetch(url, { method })
  expect(response.status).toBe(method === 'GET' || method === 'HEAD' ? 200 : 405)
  expect(await states(shop)).toEqual({ offers: 'LIVE', care: 'LIVE' })
})

test('one click stops this purpose on this channel, once, however often it is posted', async () => {
  const { shop, url } = await subscribed()
  await shop.clock('2036-04-01T00:00:00Z') // a link never gets too old
  for (let i = 0; i < 3; i++) expect((await oneClick(url)).status).toBe(200)
  expect(await states(shop)).toEqual({ offers: 'WITHDRAWN', care: 'LIVE' })
  const text = `select array_agg(e.what || ' ' || e.purpose || ' ' || e.source order by e.id) as said
    from consent_event e where own(e)`
  const [history] = await shop.ground.app.db.tenant(shop.tenant.id).query({ text, values: [] })
  expect(history).toEqual({ said: ['GIVEN offers form', 'GIVEN care form', 'WITHDRAWN offers one-click'] })
})

test('a post of multipart, as some send it, or of nothing at all stops as well', async () => {
  const body = new FormData()
  body.set('List-Unsubscribe', 'One-Click')
  for (const init of [{ body }, {}]) {
    const { shop, url } = await subscribed()
    await fetch(url, { method: 'POST', ...init })
    expect(await states(shop)).toEqual({ offers: 'WITHDRAWN', care: 'LIVE' })
  }
})

test('the page speaks the language of the member, escapes what it says, and shows what else comes', async () => {
  const { url } = await subscribed('ja-JP')
  const before = await (await fetch(url, { headers: { 'accept-language': 'en' } })).text()
  expect(before).toContain('<html lang="ja">')
  expect(before).toContain('花屋 &#60;Hana&#62;からの「特典のご案内」（メール）の配信を停止します。')
  expect(before).toContain('<li>お手入れのご案内（メール）</li>')
  const after = await (await oneClick(url)).text()
  expect(after).toContain('<h1>配信を停止しました</h1>')
  expect(after).not.toContain('<button')
  expect(await (await fetch(url)).text()).toBe(after)
})

test.each([
  ['en-GB', 'ja', 'en'],
  ['fr', 'de;q=0.9, ja;q=0.3, en;q=0.2', 'ja'],
  ['fr', 'ja;q=0, en;q=0.1', 'en'],
  ['fr', '*', 'en'],
])('for a member who reads %s in a browser that wants %s it is %s', async (locale, wanted, language) => {
  const { url } = await subscribed(locale)
  const page = await fetch(url, { headers: { 'accept-language': wanted } })
  expect(await page.text()).toContain(`<html lang="${language}">`)
})

test('the page sets no cookie, runs no script, and lets nobody frame it or learn its address', async () => {
  const { url } = await subscribed()
  const { headers } = await fetch(url)
  expect(headers.get('set-cookie')).toBeNull()
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  const policy = headers.get('content-security-policy')
  expect(policy).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src data:; form-action 'self'/,
  )
  expect(policy).toContain("frame-ancestors 'none'")
})

test('a link that nobody made leads nowhere, whatever is done with it', async () => {
  const { shop, url } = await subscribed()
  const token = url.slice(url.lastIndexOf('/') + 1)
  const nobody = shop.ground.app.links.unsubscribeUrl({
    ...{ tenant: shop.tenant.id, member: shop.tenant.id, purpose: 'offers', channel: 'email' },
  })
  const wrong = [url.slice(0, -2), url.replace(token, 'nonsense'), url.replace(token, ''), nobody]
  for (const link of [...wrong, `${url}/`, url.replace('unsubscribe', 'confirm')]) {
    const [seen, posted] = [await fetch(link), await oneClick(link)]
    expect([seen.status, posted.status]).toEqual([404, 404])
    expect(await seen.text()).toContain('There is nothing here')
  }
  expect(await states(shop)).toEqual({ offers: 'LIVE', care: 'LIVE' })
})

test('a newsletter is confirmed by the button, not by the visit, and only while the link is good', async () => {
  const shop = await open({ testClock: NOW })
  const member = await shop.member('hana', { email: 'hana@example.com' })
  await give(shop, member, 'newsletter')
  const tenant = shop.ground.app.db.tenant(shop.tenant.id)
  const [asked] = await tenant.query<{ id: string }>({
    text: 'select q.id from confirmation q where own(q)',
    values: [],
  })
  const url = shop.ground.app.links.confirmUrl({ tenant: shop.tenant.id, confirmation: asked?.id ?? '' })
  expect(await (await fetch(url)).text()).toContain('ご登録の確認')
  expect(await states(shop)).toEqual({ newsletter: 'PENDING' })
  for (let i = 0; i < 2; i++) {
    const done = await fetch(url, { method: 'POST' })
    expect([done.status, await states(shop)]).toEqual([200, { newsletter: 'LIVE' }])
    expect(await done.text()).toContain('ご登録ありがとうございます')
  }
  const about = { tenant: shop.tenant.id, member: uuidOf(member), purpose: 'newsletter', channel: 'email' }
  await oneClick(shop.ground.app.links.unsubscribeUrl(about))
  const again = await fetch(url, { method: 'POST' })
  expect([again.status, await states(shop)]).toEqual([410, { newsletter: 'WITHDRAWN' }])
})
