import { createHash } from 'node:crypto'

/** The languages that pages for members are written in. */
export type Language = 'en' | 'ja'

/** What a page says. Texts are plain: they are escaped here. */
export interface PageText {
  readonly language: Language
  /** The tenant's name; empty when nobody knows whose page it is. */
  readonly tenant: string
  readonly title: string
  readonly paragraphs: readonly string[]
  /** What the button says; without it there is none. It posts to where the page came from. */
  readonly button?: string
  /** A list below, such as of what else is sent. */
  readonly list?: { readonly title: string; readonly items: readonly string[] }
}

/** A page of HTML that needs no script and nothing from anywhere else. */
export function htmlPage({ language, tenant, title, paragraphs, button, list }: PageText): string {
  const name = tenant && `<p class="tenant">${escaped(tenant)}</p>`
  const form =
    button === undefined
      ? ''
      : `<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button type="submit">${escaped(button)}</button></form>`
  const items = list?.items.map((item) => `<li>${escaped(item)}</li>`).join('')
  const more = list && items ? `<h2>${escaped(list.title)}</h2><ul>${items}</ul>` : ''
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${name}
<h1>${escaped(title)}</h1>
${paragraphs.map((text) => `<p>${escaped(text)}</p>`).join('\n')}
${form}
${more}
</main>
</body>
</html>
`
}

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; }
main { max-width: 34rem; margin: 3rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { font-size: 1.125rem; margin-top: 2.5rem; }
.tenant { margin: 0; font-weight: 600; }
button { font: inherit; font-weight: 600; padding: .7rem 1.4rem; border: 2px solid; border-radius: .5rem;
  background: CanvasText; color: Canvas; cursor: pointer; }
button:focus-visible { outline: 3px solid Highlight; outline-offset: 3px; }
`

/** What such a page is sent with: nobody keeps it, frames it, or learns its address from it. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'cross-origin-opener-policy': 'same-origin',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * The language for a reader: the first of these BCP 47 tags that pages are written in, else the best that the
 * browser's Accept-Language wants, else English.
 */
export function languageOf(locales: readonly (string | null)[], acceptLanguage = ''): Language {
  const wanted = acceptLanguage
    .slice(0, 500)
    .split(',')
    .map((part, i) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim())
      const q = parameters.find((parameter) => parameter.startsWith('q='))
      return { tag, q: q ? Number(q.slice(2)) || 0 : 1, i }
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || a.i - b.i)
    .map(({ tag }) => tag)
  for (const tag of [...locales, ...wanted]) {
    const language = tag?.toLowerCase().split('-')[0]
    if (language === 'ja' || language === 'en') return language
  }
  return 'en'
}
