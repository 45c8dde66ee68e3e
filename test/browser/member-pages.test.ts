// What a member sees who follows a link in a message: with scripts forbidden, in either language.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'

const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)
if (!executable)
  process.stderr.write('SKIPPED: the tests in a browser need Chromium (apt-get install chromium).\n')

const open = testApp({ role: 'web' })

describe.skipIf(!executable)('the page to stop messages, in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ...(executable && { executablePath: executable }),
    })
  })
  afterAll(() => browser?.close())

  async function subscribed(locale: string) {
    const shop = await open({ name: 'Hana', locale: 'ja' })
    const { by: member, id } = await shop.member('hana', { locale })
    for (const purpose of ['offers', 'care']) {
      await shop.do('giveConsent', { member, purpose, channel: 'line', textVersion: 'v1', source: 'form' })
    }
    const about = {
      tenant: shop.tenant.id,
      member: decodeId(id, 'id').id,
      purpose: 'offers',
      channel: 'line',
    }
    return { shop, url: shop.ground.app.links.unsubscribeUrl(about) }
  }

  async function states(shop: Shop): Promise<string[]> {
    const query = '{ member(by: {externalId: "hana"}) { consents { nodes { purpose state } } } }'
    const { nodes } = (await shop.ask(shop.staff, query)).data.member.consents
    return nodes.map(({ purpose, state }: Record<string, string>) => `${purpose} ${state}`).sort()
  }

  it.each([
    ['ja-JP', '配信を停止しますか', '配信を停止する', '配信を停止しました', 'お手入れのご案内（LINE）'],
    [
      'en-GB',
      'Stop these messages?',
      'Stop these messages',
      'You will not get these messages any more',
      'Care tips (LINE)',
    ],
  ])(
    'in %s stops nothing when it is looked at, and does by its button',
    async (locale, asks, button, says, other) => {
      const { shop, url } = await subscribed(locale)
      const context = await browser.newContext({ javaScriptEnabled: false, locale: 'de-DE' })
      const page = await context.newPage()
      const complaints: string[] = []
      const asked = new Set<string>()
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('request', (request) => asked.add(new URL(request.url()).origin))

      await page.goto(url)
      expect(await page.title()).toBe(asks)
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(asks)
      expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2))
      expect(await page.getByRole('listitem').allInnerTexts()).toEqual([other])
      await page.reload()
      expect(await states(shop)).toEqual(['care LIVE', 'offers LIVE'])

      // By the keyboard alone, as some have to.
      await page.keyboard.press('Tab')
      expect(await page.locator(':focus').innerText()).toBe(button)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: says }).waitFor()
      expect(await states(shop)).toEqual(['care LIVE', 'offers WITHDRAWN'])
      expect(await page.getByRole('button').count()).toBe(0)
      expect(await context.cookies()).toEqual([])
      expect(complaints).toEqual([])
      expect([...asked].filter((origin) => origin !== 'null')).toEqual([new URL(url).origin])
      await context.close()
    },
  )
})
