// Returned mail as its server hands it in: over HTTP, by the path that the classes of the command line are read by.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { mail } from './received.ts'

const open = testApp({ role: 'web' })
const inboundSecret = '0123456789abcdef'
const TARO = 'taro@example.net'

/** What holds after a message came in, three times: why the member's address is suppressed, and the consent. */
async function after(name: string): Promise<{ suppressed: string | null; offers: string }> {
  const shop = await open()
  const config = { host: 'mail.invalid', from: 'news@hanasaku.example', inboundSecret }
  await shop.do('configureChannel', { channel: 'email', config })
  const { by: member } = await shop.member('taro', { email: TARO })
  const consent = { member, purpose: 'offers', channel: 'email', textVersion: '1', source: 'shop' }
  await shop.do('giveConsent', consent)
  const body = mail(name)
  for (let n = 0; n < 3; n++) {
    const t = Math.floor(Date.now() / 1000)
    const v1 = createHmac('sha256', inboundSecret).update(`${t}.`).update(body).digest('hex')
    const headers = { 'content-type': 'message/rfc822', 'engawa-signature': `t=${t},v1=${v1}` }
    const url = new URL(`/inbound/${shop.tenant.key}/email`, shop.url)
    expect((await fetch(url, { method: 'POST', body: new Uint8Array(body), headers })).status).toBe(200)
  }
  return onServer(shop.ground.databaseUrl, async (client) => {
    const of = async (text: string) => (await client.query(text, [shop.tenant.id])).rows
    await of("select set_config('app.tenant', $1::text, false)")
    const [address] = await of(`select a.suppressed from member m,
      addresses_for(m.id, 'email', 'email', 'offers') a where m.tenant_id = $1`)
    const [given] = await of('select state from consent where tenant_id = $1')
    return { suppressed: address.suppressed, offers: given.state }
  })
}

test.each([
  ['report-permanent', 'BOUNCED', 'LIVE'],
  ['opt-out', null, 'WITHDRAWN'],
  ['reply-stop', null, 'WITHDRAWN'],
  ['report-transient', null, 'LIVE'],
  ['report-delayed', null, 'LIVE'],
  ['notice-exim', null, 'LIVE'],
  ['auto-reply', null, 'LIVE'],
  ['reply', null, 'LIVE'],
  ['ordinary', null, 'LIVE'],
])(
  '%s, handed in three times: suppressed for %j, and the consent is %s',
  async (name, suppressed, offers) => {
    expect(await after(name)).toEqual({ suppressed, offers })
  },
)
