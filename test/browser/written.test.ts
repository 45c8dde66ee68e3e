// What members write, shown in a page: nothing of it runs, neither from texts nor from titles and names.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'

const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)
if (!executable)
  process.stderr.write('SKIPPED: the tests in a browser need Chromium (apt-get install chromium).\n')

/** From OWASP's cheat sheet of ways past filters; each would call `alert` where it works. */
const VECTORS = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=https://evil.example/xss.js></SCRIPT>',
  '<img src="javascript:alert(1)">',
  '<IMG SRC=JaVaScRiPt:alert(1)>',
  '<IMG SRC=`javascript:alert("1")`>',
  '<a href="javascript:alert(1)" id=click>x</a>',
  '<a onmouseover="alert(1)">xxs link</a>',
  '<IMG """><SCRIPT>alert(1)</SCRIPT>"\\>',
  '<IMG SRC=# onmouseover="alert(1)">',
  '<IMG onmouseover="alert(1)">',
  '<IMG SRC=/nowhere onerror="alert(1)"></img>',
  '<img src=x onerror="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058&#0000097&#0000108&#0000101&#0000114&#0000116&#0000040&#0000049&#0000041">',
  '<a href="&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;&#97;&#108;&#101;&#114;&#116;&#40;&#49;&#41;">x</a>',
  '<a href="&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C&#x65&#x72&#x74&#x28&#x31&#x29">x</a>',
  '<a href="jav\tascript:alert(1);">x</a>',
  '<a href="jav&#x09;ascript:alert(1);">x</a>',
  '<a href="jav&#x0A;ascript:alert(1);">x</a>',
  '<a href=" &#14; javascript:alert(1);">x</a>',
  '<SCRIPT/XSS SRC="https://evil.example/xss.js"></SCRIPT>',
  '<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(1)>',
  '<<SCRIPT>alert(1);//\\<</SCRIPT>',
  '<SCRIPT SRC=//evil.example/.j>',
  '<IMG SRC="`<javascript:alert>`(\'1\')"',
  '</TITLE><SCRIPT>alert(1);</SCRIPT>',
  '<INPUT TYPE="IMAGE" SRC="javascript:alert(1);">',
  '<BODY BACKGROUND="javascript:alert(1)">',
  '<svg/onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<LINK REL="stylesheet" HREF="javascript:alert(1);">',
  '<STYLE>@import"https://evil.example/xss.css";</STYLE>',
  '<DIV STYLE="background-image: url(javascript:alert(1))">x</DIV>',
  '<META HTTP-EQUIV="refresh" CONTENT="0;url=data:text/html base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">',
  '<IFRAME SRC="javascript:alert(1);"></IFRAME>',
  '<IFRAME srcdoc="<script>parent.alert(1)</script>"></IFRAME>',
  '<OBJECT TYPE="text/x-scriptlet" DATA="https://evil.example/scriptlet.html"></OBJECT>',
  '<EMBED SRC="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSkgeG1sbnM9Imh0dHA6Ly93d3cudzMub3JnLzIwMDAvc3ZnIj48L3N2Zz4=">',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '<input autofocus onfocus=alert(1)>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '[x](javascript:alert(1))',
  '![x](javascript:alert(1)) <form action="javascript:alert(1)"><button id=go>x</button></form>',
]

const open = testApp({ role: 'web' })

interface Shown {
  readonly title: string
  readonly html: string
  readonly author: { readonly displayName: string }
}

/** Posts each as Markdown and as HTML, under itself as title, by somebody who is called so; as the API shows it. */
async function written(shop: Shop): Promise<Shown[]> {
  const space = await makeSpace(shop, 'club')
  const query = 'query ($id: ID!) { node(id: $id) { ... on Post { title html author { displayName } } } }'
  const shown: Shown[] = []
  for (const [i, vector] of VECTORS.entries()) {
    const line = vector.replaceAll('\t', ' ')
    const { token } = await shop.member(`m${i}`, { displayName: line.slice(0, 200) })
    for (const format of ['MARKDOWN', 'HTML']) {
      const post = { space, title: line, body: `more than ${format}\n\n${vector}`, format }
      const done = await shop.do('publishPost', post, { as: token, select: 'post { id }' })
      if (!done.post) throw new Error(`${format} ${vector}: ${JSON.stringify(done)}`)
      shown.push((await shop.ask(shop.staff, query, { id: done.post.id })).data.node)
    }
  }
  return shown
}

describe.skipIf(!executable)('what members write, in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ...(executable && { executablePath: executable }),
    })
  })
  afterAll(() => browser?.close())

  /** Shows markup in a page, moves over all of it and clicks everything: what ran, and what was fetched. */
  async function shownAs(markup: readonly string[]) {
    const page = await browser.newPage()
    const asked: string[] = []
    await page.route('**/*', (route) => {
      asked.push(route.request().url())
      return route.fulfill({ contentType: 'text/html', body: '<!doctype html><main></main>' })
    })
    await page.goto('http://shop.example/')
    asked.length = 0
    const ran = await page.evaluate(async (all) => {
      const hits: string[] = []
      let now = ''
      const main = document.querySelector('main') as HTMLElement
      for (const name of ['alert', 'confirm', 'prompt'] as const) {
        Object.assign(window, { [name]: () => hits.push(now) })
      }
      document.addEventListener('click', (event) => {
        const link = (event.target as HTMLElement).closest('a')
        if (link && !link.href.startsWith('javascript:')) event.preventDefault()
      })
      for (const html of all) {
        now = html
        main.innerHTML = html
        for (const element of main.querySelectorAll<HTMLElement>('*')) {
          for (const type of ['mouseover', 'focus', 'click', 'toggle']) {
            element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }))
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return hits
    }, markup)
    await page.close()
    return { ran, asked: asked.filter((url) => url.includes('evil')) }
  }

  it('runs nothing and fetches no script, of forty ways past filters', async () => {
    const shown = await written(await open())
    expect(shown).toHaveLength(VECTORS.length * 2)
    const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    const pages = shown.map(
      ({ title, html, author }) => `<h1>${escaped(title)}</h1><p>${escaped(author.displayName)}</p>${html}`,
    )
    expect(await shownAs(pages)).toEqual({ ran: [], asked: [] })
    expect(shown.filter(({ html }) => !html.includes('more than'))).toEqual([])
    // The same as it was written does run: the page above would have told.
    expect((await shownAs(VECTORS)).ran.length).toBeGreaterThan(8)
  })
})
