// Personal data stays where it belongs: not in logs, events, jobs or errors.
import { expect, test } from 'vitest'
import { usingApp } from '../support/app.ts'

test('the log of a registration does not say who it was', async () => {
  const lines: string[] = []
  const openShop = await usingApp({ onLog: (line) => lines.push(line) })
  const shop = await openShop()
  await shop.member('yuki', { displayName: 'Canary Sato', email: 'canary@example.com' })
  expect(lines.filter((line) => /canary/i.test(line))).toEqual([])
})
