import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownProduct } from '../support/product.ts'

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!browser)
  process.stderr.write('SKIPPED: the tests in a browser need Chromium (apt-get install chromium).\n')

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describe.skipIf(!browser)('GraphiQL in a browser', () => {
  const product = ownProduct()
  const complaints: string[] = []
  const requested = new Set<string>()
  let origin = ''
  let profile = ''
  let context: BrowserContext

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'engawa-browser-'))
    const server = product.serve()
    const options = { headless: true, args: quiet, viewport: { width: 1400, height: 1600 } }
    context = await chromium.launchPersistentContext(profile, {
      ...options,
      ...(browser && { executablePath: browser }),
    })
    origin = (await server).origin
  })
  afterAll(async () => {
    await context?.close()
    await rm(profile, { recursive: true, force: true })
  })

  async function open(): Promise<Page> {
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => requested.add(new URL(request.url()).origin))
    await page.goto(`${origin}/graphql`)
    return page
  }

  it('shows what each tab asks for', async () => {
    const page = await open()
    expect(await run(page, 'MemberHome', /orderId/)).toMatch(/田中 美香.*"available": "385"/s)
    expect(await run(page, 'Community', /"feed"/)).toMatch(/二回づけ.*"author"/s)
    expect(await run(page, 'RecordPurchase', /recordPurchase/)).toMatch(
      /"COMPLETED".*"points": "38".*"available": "423"/s,
    )
    expect(await run(page, 'StaffView', /expectedPurchases/)).toMatch(/"band": "(COOLING|STALE)"/)
    await page.close()
  })

  it('shows live events as they happen', async () => {
    const live = await open()
    await run(live, 'LiveEvents', /cursor/)
    const shop = await open()
    await run(shop, 'RecordPurchase', /recordPurchase/)
    // The worker delivers the thank-you to the inbox: the last of the events that follow.
    expect(await answer(live, /touchpoint\.settled/)).toContain('"displayName": "田中 美香"')
    await Promise.all([live.close(), shop.close()])
  })

  it('knows the schema whoever speaks in the tab', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
    await page.getByText('Who the token speaks for').or(page.getByText('query: Query')).first().waitFor()
    await page.close()
  })

  it('needs nothing from anywhere else, and nothing fails', () => {
    const local = [...requested].filter((from) => from !== 'null')
    expect(local).toEqual([origin])
    expect(complaints).toEqual([])
  })
})

/** Runs a tab until it answers so; the text of the answer. */
async function run(page: Page, tab: string, says: RegExp): Promise<string> {
  const button = page.locator('button.graphiql-tab-button', { hasText: tab })
  // Clicked by the page itself: while the tabs slide into place a mouse would miss them.
  await button.evaluate((element) => (element as unknown as { click(): void }).click())
  await page.locator('.graphiql-tab-active', { hasText: tab }).waitFor()
  while (true) {
    await page.locator('button.graphiql-execute-button').click()
    // For a moment GraphiQL still has the operation of the tab before in mind.
    const text = await answer(page, new RegExp(`${says.source}|Cannot.infer.operation`))
    if (says.test(text)) return text
  }
}

/** The text of the answer, once it says so; the editor holds only the lines that fit into the window. */
async function answer(page: Page, says: RegExp): Promise<string> {
  const result = page.locator('.result-window')
  await result.filter({ hasText: says }).waitFor()
  return (await result.innerText()).replaceAll('\u00a0', ' ')
}
