import { expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, scripted } from './shop.ts'

const database = testDatabase()
const NOW = new Date('2026-04-01T16:00:00Z') // the night in Tokyo

/** A shop with a channel of the kind email, and what it was given to send. */
async function openMail(locale: string) {
  const shop = await openShop(database.url, { clockAt: NOW })
  const channel = scripted({ mode: 'none' }, [{ is: 'accepted', at: NOW }], undefined, {
    ...{ id: 'email', kind: 'email', own: false },
  })
  const links = {
    confirmUrl: ({ confirmation }: { confirmation: string }) =>
      `https://shop.example/confirm/${confirmation}`,
    unsubscribeUrl: () => 'https://shop.example/unsubscribe',
  }
  const ports = { channels: await channelsOf(channel.plugins), clock: processClock, links }
  const member = await shop.member({ name: 'Mia', locale })
  return { shop, channel, member, deliver: () => deliverDue(shop.db, shop.tenant.tenantId, ports) }
}

test.each([
  ['ja', 'お申し込みの確認をお願いいたします', 'Mia 様'],
  ['en-GB', 'Please confirm your subscription', 'Dear Mia,'],
])(
  'who subscribes (%s) is asked at once to confirm it, by a link to that question',
  async (locale, title, opening) => {
    const { shop, channel, member, deliver } = await openMail(locale)
    await shop.address(member, 'email', 'mia@example.com')
    await shop.tenant.query({
      text: `select contact_policy_save('{"quietHours": {"periods": [{"from": "00:00", "to": "00:00"}]}}', 'test')`,
      values: [],
    })
    await shop.agree(member, 'email', { purpose: 'newsletter' })
    await deliver()
    expect(channel.places).toEqual(['mia@example.com'])
    const { rows } = await shop.everything.query(
      `select d.content, q.id, q.expires_at, t.expires_at as until, t.priority
     from delivery d join touchpoint t on t.id = d.touchpoint_id join confirmation q on q.id::text = t.source_id
     where d.member_id = $1`,
      [member],
    )
    const [{ content, id, expires_at, until, priority }] = rows
    expect([content.title, until, priority]).toEqual([title, expires_at, 100])
    expect(content.body.startsWith(opening)).toBe(true)
    expect(content.body).toContain(`\n\nhttps://shop.example/confirm/${id}\n\n`)
  },
)

test('an address is asked for its confirmation by a message to itself alone', async () => {
  const { shop, channel, member, deliver } = await openMail('en')
  await shop.address(member, 'email', 'old@example.com')
  const address = await shop.address(member, 'email', 'new@example.com')
  const client = await shop.everything.connect()
  await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.tenantId])
  const ask = () => client.query(`select confirmation_ask($1, null, $2, 'email')`, [member, address])
  await ask()
  await ask()
  client.release(true)
  await deliver()
  expect(channel.places).toEqual(['new@example.com'])
  const { rows } = await shop.everything.query('select content from delivery where member_id = $1', [member])
  expect(rows[0]?.content.title).toBe('Please confirm your address')
})
