// Access ends where it is ended: membership, revocation, expiry; for requests and for what is open.
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'

const openShop = testApp()

test('a member whose membership has ended is refused at the next request', async () => {
  const shop = await openShop()
  const yuki = await shop.member('yuki')
  await shop.do('endMembership', { member: yuki.by, end: 'LEFT' })
  const { errors } = await shop.ask(yuki.token, '{ viewer { member { id } } }')
  expect(errors[0]).toMatchObject({ code: 'FORBIDDEN' })
})
