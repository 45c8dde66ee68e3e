import { expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const NEXT = 'nextTouch { ... on PlannedTouch { at touchpoint { decisions { decision reason } } } }'

test('a touch that was held for a channel goes on as soon as staff have set the channel', async () => {
  const shop = await open({ testClock: NOW })
  const { by: member } = await shop.member('mia', { email: 'mia@example.com' })
  const consent = { member, purpose: 'offers', channel: 'email', textVersion: '1', source: 'shop' }
  await shop.do('giveConsent', consent)
  const said = { to: { member }, purpose: 'offers', content: { title: 'Spring', body: 'It is here.' } }
  await shop.do('sendTouchpoint', { ...said, channels: ['email'] })
  const { app } = shop.ground
  const next = async () => {
    await deliverDue(app.db, shop.tenant.id, app.delivery)
    const { data } = await shop.ask(shop.staff, `{ member(by: { externalId: "mia" }) { ${NEXT} } }`)
    return data.member.nextTouch
  }
  const held = await next()
  expect(held).toMatchObject({ touchpoint: { decisions: [{ decision: 'HELD' }] } })
  expect(Date.parse(held.at)).toBeGreaterThan(Date.parse(NOW))

  const config = { host: 'mail.invalid', from: 'shop@shop.example' }
  await shop.do('disableChannel', { channel: 'email' })
  await shop.do('configureChannel', { channel: 'email', config, isEnabled: false })
  expect((await next()).at).toBe(held.at)
  await shop.do('configureChannel', { channel: 'email', isEnabled: true })
  const client = app.db.tenant(shop.tenant.id)
  const text = `select t.due_at as due from touchpoint t where own(t) and t.settled_at is null`
  expect(await client.query({ text, values: [] })).toEqual([{ due: new Date(NOW) }])
})
