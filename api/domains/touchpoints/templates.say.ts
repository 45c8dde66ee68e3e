import type { Content } from '@engawa/sdk'
import { checkText, type Place, type Scope, type TextProblem, writeText } from './templates.liquid.ts'

/** What a template says in one language, to every kind of channel or to one. */
export interface TemplateText {
  /** A BCP 47 tag. */
  readonly locale: string
  /** The only kind of channel that it is for; null for all that have none of their own. */
  readonly kind: string | null
  /** Each in LiquidJS: see templates.liquid.ts. */
  readonly title: string
  readonly body: string
  readonly html: string | null
  readonly url: string | null
  /** JSON for one kind of channel; every text in it is LiquidJS, and what is written stays one text. */
  readonly data: unknown
}

/** A part of a text. */
export type Part = 'title' | 'body' | 'html' | 'url' | 'data'

/** Why a text cannot be said, and in which part. `code` is for programs. */
export interface PartProblem extends TextProblem {
  readonly part: Part
  readonly code: 'TEMPLATE' | 'TOO_LARGE' | 'UNSAFE' | 'EMPTY'
}

/** Content for a channel, or what is wrong with it. */
export type Said =
  | { readonly ok: true; readonly content: Content; readonly locale: string }
  | { readonly ok: false; readonly problem: PartProblem; readonly locale: string }

const PLACES: Readonly<Record<Exclude<Part, 'data'>, Place>> = {
  title: 'line',
  body: 'text',
  html: 'html',
  url: 'url',
}

/** The most characters of each part, as a template and as what it comes to. */
const MOST: Readonly<Record<Part, number>> = {
  title: 200,
  body: 20_000,
  html: 100_000,
  url: 2_000,
  data: 20_000,
}
/** The most texts of a template. */
export const MOST_TEXTS = 50
/** Texts in the JSON of one part. */
const MOST_LEAVES = 500

/** Looks for what is wrong with a text before anybody is told it; undefined when nothing is. */
export function problemOfText(text: TemplateText): PartProblem | undefined {
  const parts = (['title', 'body', 'html', 'url'] as const).flatMap((part) => {
    const source = text[part]
    return source == null ? [] : [{ part, source, place: PLACES[part] }]
  })
  for (const { part, source, place } of parts) {
    if (source.trim() === '' && part !== 'html') return fault(part, 'EMPTY', `The ${part} says nothing.`)
    // A template may be longer than what it says: it names variables.
    if (source.length > MOST[part] * 2) return tooLarge(part, source.length, MOST[part] * 2)
    if (part === 'title' && /[\r\n]/.test(source)) return fault(part, 'UNSAFE', 'A title is one line.')
    const problem = checkText(source, place)
    if (problem) return { ...problem, part, code: 'TEMPLATE' }
  }
  const size = text.data == null ? 0 : JSON.stringify(text.data).length
  if (size > MOST.data) return tooLarge('data', size, MOST.data)
  const leaves = leavesOf(text.data)
  if (leaves.length > MOST_LEAVES)
    return fault('data', 'TOO_LARGE', `The data has at most ${MOST_LEAVES} texts.`)
  for (const leaf of leaves) {
    const problem = checkText(leaf, 'text')
    if (problem) return { ...problem, part: 'data', code: 'TEMPLATE' }
  }
  return undefined
}

/**
 * Says a template to a member through a kind of channel, in the first of their languages that it is written in:
 * the member's (`ja-JP`, then `ja`), the tenant's, English, then whatever there is. Undefined of no texts at all.
 */
export function say(texts: readonly TemplateText[], scope: Scope, kind: string): Said | undefined {
  const text = textFor(texts, [scope.member.locale, scope.tenant.locale, 'en'], kind)
  if (!text) return undefined
  const problem = (part: Part, found: TextProblem): Said => ({
    ok: false,
    problem: { ...found, part, code: 'TEMPLATE' },
    locale: text.locale,
  })
  const parts: { -readonly [Name in keyof Content]: Content[Name] } = { title: '', body: '' }
  for (const part of ['title', 'body', 'html', 'url'] as const) {
    const source = text[part]
    if (source == null) continue
    const written = writeText(source, PLACES[part], scope)
    if (!written.ok) return problem(part, written.problem)
    parts[part] = written.text
  }
  if (text.data != null) {
    let failed: TextProblem | undefined
    parts.data = withLeaves(text.data, (leaf) => {
      const written = writeText(leaf, 'text', scope)
      if (written.ok) return written.text
      failed ??= written.problem
      return ''
    })
    if (failed) return problem('data', failed)
  }
  return checkContent(parts, text.locale)
}

/** Makes content safe to hand to any channel, or says what is wrong with it. */
export function checkContent(given: Content, locale: string): Said {
  const title = given.title.trim()
  const content: Content = {
    title,
    body: withoutControls(given.body),
    ...(given.html !== undefined && { html: withoutControls(given.html) }),
    ...(given.url !== undefined && { url: given.url.trim() }),
    ...(given.data !== undefined && { data: given.data }),
  }
  const problem = problemOfContent(content)
  return problem ? { ok: false, problem, locale } : { ok: true, content, locale }
}

function problemOfContent({ title, body, html, url, data }: Content): PartProblem | undefined {
  if (title === '') return fault('title', 'EMPTY', 'The title says nothing.')
  // A line break in a subject begins another header, and other signs of control hide what follows.
  if (/[\p{Cc}\u2028\u2029]/u.test(title))
    return fault('title', 'UNSAFE', 'A title has no line breaks or control characters.')
  // A list opened as a spreadsheet would run it.
  if (/^[=+\-@＝＋－＠]/.test(title))
    return fault('title', 'UNSAFE', 'A title does not begin with =, +, - or @.')
  if (body.trim() === '') return fault('body', 'EMPTY', 'The body says nothing.')
  if (url !== undefined && !isAddress(url)) return fault('url', 'UNSAFE', 'The url is an https address.')
  const sizes: Record<Part, number> = {
    title: title.length,
    body: body.length,
    html: html?.length ?? 0,
    url: url?.length ?? 0,
    data: data === undefined ? 0 : JSON.stringify(data).length,
  }
  const large = (Object.keys(sizes) as Part[]).find((part) => sizes[part] > MOST[part]) // its own keys, as declared
  return large && tooLarge(large, sizes[large], MOST[large])
}

/** The text in the first of these languages, each shortened from the right; of a language the kind's own first. */
export function textFor(
  texts: readonly TemplateText[],
  locales: readonly string[],
  kind: string,
): TemplateText | undefined {
  const fit = texts.filter((text) => text.kind === null || text.kind === kind)
  for (const wanted of locales.flatMap(shortened)) {
    const found = fit.filter(({ locale }) => locale.toLowerCase() === wanted)
    const text = found.find((each) => each.kind === kind) ?? found[0]
    if (text) return text
  }
  return fit.find((each) => each.kind === kind) ?? fit[0]
}

function shortened(locale: string): string[] {
  const parts = locale.toLowerCase().split('-')
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('-'))
}

function isAddress(text: string): boolean {
  if (!URL.canParse(text) || /[\s\p{Cc}]/u.test(text)) return false
  const { protocol, hostname } = new URL(text)
  const isHere = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
  return protocol === 'https:' || (protocol === 'http:' && isHere)
}

/** Line breaks as \n, tabs as they are, and nothing else that controls. */
function withoutControls(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/(?![\n\t])\p{Cc}/gu, '')
}

function leavesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : []
}

function withLeaves(value: unknown, write: (leaf: string) => string): unknown {
  if (typeof value === 'string') return write(value)
  if (Array.isArray(value)) return value.map((each) => withLeaves(each, write))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withLeaves(each, write)]))
}

function tooLarge(part: Part, size: number, most: number): PartProblem {
  return fault(part, 'TOO_LARGE', `The ${part} has ${size} characters; ${most} are the most.`)
}

function fault(part: Part, code: PartProblem['code'], message: string): PartProblem {
  return { part, code, message, line: 1 }
}
