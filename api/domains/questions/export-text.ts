import { isDay } from '../../platform/calendar.ts'
import { searchText } from '../../platform/text/index.ts'
import { plainText, safeHtml } from '../contributions/index.ts'
import type { ExportRow } from './export-rows.ts'

/** A row that cannot be taken, and why. */
export class UnusableRowError extends Error {}

const LONGEST_BODY = 100_000

/** A question or an answer as question_import_texts takes it. Throws UnusableRowError. */
export function postOf(row: ExportRow): object {
  const title = row.Title?.trim().slice(0, 300)
  return {
    id: idOf(row),
    parent: row.ParentId,
    title: row.PostTypeId === '1' ? title || `#${row.Id}` : undefined,
    ...textOf(row.Body ?? '', 'HTML', title ?? ''),
    tags: tagsOf(row.Tags ?? ''),
    owner: row.OwnerUserId,
    created: instantOf(row, 'CreationDate'),
    edited: row.LastEditDate && instantOf(row, 'LastEditDate'),
    active: row.LastActivityDate && instantOf(row, 'LastActivityDate'),
    closed: row.ClosedDate && instantOf(row, 'ClosedDate'),
    views: wholeOf(row, 'ViewCount'),
  }
}

/** A comment likewise; whoever it is from, its score is told only as a sum. */
export function commentOf(row: ExportRow): object {
  const score = wholeOf(row, 'Score') ?? 0
  return {
    id: idOf(row),
    parent: row.PostId,
    ...textOf(row.Text ?? '', 'MARKDOWN', ''),
    owner: row.UserId,
    created: instantOf(row, 'CreationDate'),
    up: Math.max(score, 0),
    down: Math.max(-score, 0),
  }
}

/** A post's own counters, and the key of the answer that it accepts. Throws UnusableRowError. */
export function countersOf(row: ExportRow): Counters {
  return {
    id: idOf(row),
    score: wholeOf(row, 'Score'),
    answers: wholeOf(row, 'AnswerCount'),
    comments: wholeOf(row, 'CommentCount'),
    accepted: row.AcceptedAnswerId,
  }
}

/** What a site counts for a post; undefined where it does not tell. */
export interface Counters {
  readonly id: string
  readonly score: number | undefined
  readonly answers: number | undefined
  readonly comments: number | undefined
  readonly accepted: string | undefined
}

/** The instant in an attribute: exports are in UTC and do not say so. Throws UnusableRowError. */
export function instantOf(row: ExportRow, name: string): string {
  const text = row[name] ?? ''
  const known = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/.exec(text)
  const instant = known?.[3] ? text : `${text}Z`
  if (!isDay(known?.[1] ?? '') || Number.isNaN(Date.parse(instant))) {
    throw new UnusableRowError(`row ${row.Id}: ${name} ${JSON.stringify(text)} is no date and time`)
  }
  return instant
}

/** The whole number in an attribute; undefined when it is empty or not there. Throws UnusableRowError. */
function wholeOf(row: ExportRow, name: string): number | undefined {
  const text = row[name]?.trim()
  if (text === undefined || text === '') return undefined
  if (!/^-?\d{1,9}$/.test(text)) {
    throw new UnusableRowError(
      `row ${row.Id}: ${name} ${JSON.stringify(text)} is no whole number of at most 9 digits`,
    )
  }
  return Number(text)
}

/** The key of a row. Throws UnusableRowError. */
export function idOf(row: ExportRow): string {
  if (!hasKey(row)) {
    throw new UnusableRowError(`a row without a whole number as its Id: ${JSON.stringify(row.Id)}`)
  }
  return row.Id
}

/** Whether a row has a key. */
export function hasKey(row: ExportRow): row is ExportRow & { readonly Id: string } {
  return /^-?\d{1,18}$/.test(row.Id ?? '')
}

function textOf(body: string, format: 'HTML' | 'MARKDOWN', title: string): object {
  if (body.length > LONGEST_BODY)
    throw new UnusableRowError(`a text of ${body.length} characters is too long`)
  const html = safeHtml(body, format)
  return { body, format, html, search: searchText({ title, body: plainText(html) }) }
}

/** `<sour-dough><rye>`, or `|sour-dough|rye|` in newer exports. */
function tagsOf(text: string): string[] {
  const tags = text.split(/[<>|]+/).filter((tag) => tag !== '')
  return [...new Set(tags.map((tag) => tag.normalize('NFKC').toLowerCase().slice(0, 50)))]
}
