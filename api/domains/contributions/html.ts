import MarkdownIt from 'markdown-it'
import sanitize from 'sanitize-html'

/** What was written in Markdown, or in HTML that somebody else's system kept. */
export type Format = 'MARKDOWN' | 'HTML'

// HTML inside of Markdown is text; a bare address is a link.
const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false })

/** The same for Markdown and for imported HTML: nothing that runs, loads on its own or covers the page is let through. */
const ALLOWED: sanitize.IOptions = {
  allowedTags: [
    ...[
      'p',
      'br',
      'hr',
      'h1',
      'h2',
      'h3',
      'h4',
      'h5',
      'h6',
      'blockquote',
      'pre',
      'code',
      'kbd',
      'ul',
      'ol',
      'li',
    ],
    ...['strong', 'b', 'em', 'i', 's', 'strike', 'del', 'sup', 'sub', 'a', 'img'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  allowedAttributes: { a: ['href', 'title', 'rel'], img: ['src', 'alt', 'title'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesByTag: { img: ['https', 'http'] },
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  transformTags: { a: sanitize.simpleTransform('a', { rel: 'nofollow ugc noopener noreferrer' }) },
}

/** The text as HTML that is safe to put into a page. */
export function safeHtml(body: string, format: Format): string {
  return sanitize(format === 'MARKDOWN' ? markdown.render(body) : body, ALLOWED).trim()
}

/** The text without any of its marks, for search and for short lines. */
export function plainText(html: string): string {
  const spaced = html.replace(/<(br|\/p|\/li|\/h\d|\/tr|\/pre|\/blockquote)\b[^>]*>/gi, '$&\n')
  const bare = sanitize(spaced, { allowedTags: [], allowedAttributes: {} })
  return bare
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .trim()
}
