/** Everything that is known of a member, told in pages: whoever asks until there is no more has it all. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError } from '../../platform/errors/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { type ExportPlace, findMember, readExport } from './export.store.ts'

/** One thing that is known. */
export interface ExportEntry {
  /** What kind of thing, such as purchase. */
  readonly section: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A page of it. */
export interface ExportPage {
  readonly entries: readonly ExportEntry[]
  /** Where to go on; null at the end. */
  readonly next: string | null
}

/** How many entries a page has. */
export const EXPORT_PAGE = 500

/**
 * A page of what is known of a member, null when there is none; for the member itself without what is the staff's alone.
 * Throws BadInputError for a place that no page gave.
 */
export async function exportPage(
  tx: Tx,
  by: MemberBy,
  { after, isOwn }: { after: string | null; isOwn: boolean },
): Promise<ExportPage | null> {
  const member = await findMember(tx, namesOf(by))
  if (!member) return null
  return pageOf(tx, member.id, { after: after === null ? null : placeOf(after, member.id), isOwn })
}

/** The whole of it as one JSON document, in pieces of text, for whoever may see it all. Throws NotFoundError. */
export async function* exportDocument(tx: Tx, by: MemberBy): AsyncGenerator<string, void, undefined> {
  const member = await findMember(tx, namesOf(by))
  if (!member) throw new NotFoundError('member')
  yield `{"externalId":${JSON.stringify(member.externalId)},"sections":{`
  let section: string | undefined
  let after: ExportPlace | null = null
  do {
    const page: Page = await pageOf(tx, member.id, { after, isOwn: false })
    for (const entry of page.entries) {
      const begins = section === undefined ? '' : '],'
      yield entry.section === section ? ',\n' : `${begins}\n"${entry.section}":[\n`
      section = entry.section
      yield JSON.stringify(entry.data)
    }
    after = page.place
  } while (after)
  yield section === undefined ? '}}\n' : ']}}\n'
}

interface Page extends ExportPage {
  readonly place: ExportPlace | null
}

async function pageOf(
  tx: Tx,
  member: string,
  { after, isOwn }: { after: ExportPlace | null; isOwn: boolean },
): Promise<Page> {
  const rows = await readExport(tx, member, { after, most: EXPORT_PAGE + 1, isOwn })
  const last = rows.length > EXPORT_PAGE ? rows[EXPORT_PAGE - 1] : undefined
  const place = last ? { section: last.section, key: last.key } : null
  return {
    entries: rows
      .slice(0, EXPORT_PAGE)
      .map(({ section, data }) => ({ section: camel(section), data: camelKeys(data) })),
    next: place && Buffer.from(JSON.stringify([member, place.section, ...place.key])).toString('base64url'),
    place,
  }
}

/** Reads a place back, which has to be one of the same member's. */
function placeOf(text: string, member: string): ExportPlace {
  try {
    const [whose, section, ...key]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString())
    const isKey = key.every((part) => typeof part === 'string' && part.length <= 500)
    if (whose === member && typeof section === 'string' && key.length > 0 && isKey)
      return { section, key: key as string[] } // as just seen
  } catch {
    // Fall through to the same answer.
  }
  throw new BadInputError('after', 'after must be the next of an earlier page of the same member.')
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

const camelKeys = (row: object) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value]))
