import { BadInputError } from '../../platform/errors/index.ts'
import { type SearchText, searchText } from '../../platform/text/index.ts'
import { type Format, plainText, safeHtml } from './html.ts'

/** What somebody writes, as the API takes it. */
export interface Draft {
  readonly title?: string | null | undefined
  readonly body: string
  /** MARKDOWN when left out. */
  readonly format?: Format | null | undefined
  readonly tags?: readonly string[] | null | undefined
  readonly sku?: string | null | undefined
}

/** The same, checked and made ready to be kept: JSON for contribution_write and contribution_edit. */
export interface Written {
  readonly title: string | null
  readonly body: string
  readonly format: Format
  /** Sanitised. */
  readonly html: string
  readonly tags?: readonly string[]
  readonly sku: string | null
  readonly search: SearchText
  /** External ids of those who are named as @id. */
  readonly mentions: readonly string[]
}

const LONGEST = { title: 300, body: 30_000, tag: 50, sku: 100 }
const MOST = { tags: 10, mentions: 20 }

/**
 * Checks what somebody wrote and makes it ready to be kept. Throws BadInputError naming the place under `field`, which
 * is `input` as a rule.
 */
export function written({ title, body, format, tags, sku }: Draft, field: string): Written {
  const known = format ?? 'MARKDOWN'
  const checked = bodyOf(body, `${field}.body`)
  const html = safeHtml(checked, known)
  if (html === '') throw new BadInputError(`${field}.body`, `${field}.body must say something.`)
  const named = title == null ? null : lineOf(title, `${field}.title`, LONGEST.title)
  const plain = plainText(html)
  return {
    title: named,
    body: checked,
    format: known,
    html,
    ...(tags && { tags: tagsOf(tags, `${field}.tags`) }),
    sku: sku == null ? null : lineOf(sku, `${field}.sku`, LONGEST.sku),
    search: searchText({ title: named ?? '', body: plain }),
    mentions: [...new Set([...plain.matchAll(MENTION)].map(([, id = '']) => id))].slice(0, MOST.mentions),
  }
}

const MENTION = /(?<![\p{L}\p{N}_@])@([A-Za-z0-9][A-Za-z0-9_.-]{0,99}(?<![.-]))/gu

function lineOf(line: string, field: string, most: number): string {
  const trimmed = line.trim()
  if (trimmed === '' || trimmed.length > most || /\p{Cc}/u.test(trimmed)) {
    throw new BadInputError(field, `${field} must be one line of 1 to ${most} characters.`)
  }
  return trimmed
}

function bodyOf(body: string, field: string): string {
  const trimmed = body.trim()
  if (trimmed === '' || trimmed.length > LONGEST.body) {
    throw new BadInputError(field, `${field} must have 1 to ${LONGEST.body.toLocaleString('en')} characters.`)
  }
  return trimmed
}

function tagsOf(tags: readonly string[], field: string): string[] {
  if (tags.length > MOST.tags) throw new BadInputError(field, `${field} may hold at most ${MOST.tags} tags.`)
  const folded = tags.map((tag, i) => {
    const trimmed = lineOf(tag, `${field}.${i}`, LONGEST.tag).normalize('NFKC').toLowerCase()
    if (/[\s,]/.test(trimmed)) {
      throw new BadInputError(`${field}.${i}`, `${field}.${i} must be one word, such as dry-skin.`)
    }
    return trimmed
  })
  return [...new Set(folded)]
}
