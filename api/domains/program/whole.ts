import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, ProgramInvalidError, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type Definition, type Document, documentOf, readDocument } from './document.ts'
import { parts } from './parts.ts'
import { type Entry, withAudiences } from './service.ts'

/** One publication of the program. */
export interface ProgramVersion {
  /** 0 while nothing was ever published. */
  readonly version: number
  readonly note: string | null
  readonly actor: string | null
  readonly publishedAt: Date | null
}

const NEVER: ProgramVersion = { version: 0, note: null, actor: null, publishedAt: null }

/** The publications, newest first, from below a version on; at most 100. */
export function readVersions(tx: Tx, below: number | null): Promise<ProgramVersion[]> {
  return tx.query<ProgramVersion>({
    text: `select p.version, p.note, p.actor, p.published_at as "publishedAt" from program p
      where own(p) and p.version < coalesce($1, 2147483647) order by p.version desc limit 100`,
    values: [below],
  })
}

/** A version of the program, the one in force unless told; undefined for one that never was. */
export async function readVersion(tx: Tx, version: number | null): Promise<ProgramVersion | undefined> {
  const [found] = await tx.query<ProgramVersion>({
    text: `select p.version, p.note, p.actor, p.published_at as "publishedAt" from program p
      where own(p) and p.version = coalesce($1, p.version) order by p.version desc limit 1`,
    values: [version],
  })
  return found ?? (version === null || version === 0 ? NEVER : undefined)
}

/** What was in force with a version of the program. */
export async function documentAt(tx: Tx, version: number): Promise<Document> {
  const text = 'select d.kind, d.key, d.body from program_definitions($1) d'
  return documentOf(await tx.query<Definition>({ text, values: [version] }))
}

/** One definition that differs between two documents. */
export interface Change {
  readonly kind: string
  readonly key: string
  readonly what: 'ADDED' | 'CHANGED' | 'RETIRED'
  readonly before: object | null
  readonly after: object | null
}

/** What differs, in the order of the sections and of the keys. */
export function diffOf(before: Document, after: Document): Change[] {
  return parts().flatMap(({ kind, section }) => {
    const [old, now] = [before[section] ?? {}, after[section] ?? {}]
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()
    return keys.flatMap((key): Change[] => {
      const [was, is] = [old[key] ?? null, now[key] ?? null]
      // Both were sorted, so that equal meanings are equal text.
      if (JSON.stringify(was) === JSON.stringify(is)) return []
      return [{ kind, key, what: !was ? 'ADDED' : !is ? 'RETIRED' : 'CHANGED', before: was, after: is }]
    })
  })
}

/** A draft as a document. Throws BadInputError naming what is wrong first. */
export function draftOf(given: unknown): Document {
  const { entries, problems } = readDocument(given)
  const [first] = problems
  if (first) throw new BadInputError(first.path, first.message)
  return documentOf(entries)
}

/** A draft as the database publishes it. Throws BadInputError naming what is wrong first. */
export function entriesOf(given: unknown): readonly object[] {
  const { entries, problems } = readDocument(given)
  const [first] = problems
  if (first) throw new BadInputError(first.path, first.message)
  return withAudiences(entries)
}

/** The kinds of definitions, in the order in which they stand on one another. */
export function kinds(): readonly string[] {
  return parts().map(({ kind }) => kind)
}

/** What came of a publication: the version in force before, and since. */
export interface Published {
  readonly before: number
  readonly program: number
}

/** What an import may say besides. */
export interface ImportOptions {
  readonly note?: string | null | undefined
  /** Refused when another one is in force. */
  readonly expectedVersion?: number | null | undefined
}

/**
 * Publishes a whole document: what is not in it is retired. All or nothing. Throws ProgramInvalidError with every
 * problem, and ProgramChangedError when another version is in force than was expected.
 */
export async function importProgram(
  tx: Tx,
  document: unknown,
  { note, expectedVersion, op }: ImportOptions & { readonly op: Operation },
): Promise<Published> {
  const { entries, problems } = readDocument(document)
  if (problems.length > 0) throw new ProgramInvalidError(problems)
  return raise(
    await call<Outcome<Published>>(
      tx,
      'select program_import($1, $2, $3::jsonb, $4::text[], $5, $6, $7) as outcome',
      [
        op.key,
        op.hash,
        JSON.stringify(withAudiences(entries)),
        kinds(),
        note ?? null,
        expectedVersion ?? null,
        op.actor,
      ],
    ),
  )
}

/** Takes one definition out of force. Throws NotFoundError when it is not in force. */
export async function retireDefinition(
  tx: Tx,
  { kind, key }: Pick<Entry, 'kind' | 'key'>,
  { note, op }: { readonly note?: string | null | undefined; readonly op: Operation },
): Promise<Published> {
  const text = 'select definition_retire($1, $2, $3, $4, $5, $6) as outcome'
  const values = [op.key, op.hash, kind, key, note ?? null, op.actor]
  return raise(await call<Outcome<Published>>(tx, text, values))
}
