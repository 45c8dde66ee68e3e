import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
// The rooms bring their parts of a program when the app is wired.
import '../app.ts'
import {
  type Change,
  type Document,
  documentAt,
  importProgram,
  readVersion,
} from '../domains/program/index.ts'
import type { TenantClient } from '../platform/db.ts'
import { ProgramInvalidError } from '../platform/errors/index.ts'
import { UsageError } from './command.ts'
import { note, result } from './terminal.ts'

/** The program in force with a version, the newest one unless told. */
export async function exported(tenant: TenantClient, version?: number): Promise<Document> {
  const found = await readVersion(tenant, version ?? null)
  if (!found) throw new UsageError(`There is no version ${version} of this program.`)
  return documentAt(tenant, found.version)
}

/** A document from a file. */
export async function documentFrom(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}.`) // what JSON.parse throws
  }
}

/** A version given on the command line. */
export function versionOf(given: string | undefined, option: string): number | undefined {
  if (given === undefined) return undefined
  if (!/^\d{1,9}$/.test(given)) throw new UsageError(`--${option} ${given} is not the number of a version.`)
  return Number(given)
}

/** One line for each change. */
export function tell(changes: readonly Change[]): void {
  const signs = { ADDED: '+', CHANGED: '~', RETIRED: '-' }
  for (const { what, kind, key } of changes) result(`${signs[what]} ${kind} ${key}`)
}

/** Publishes a document. Answers the exit code: 1 when it was refused, with every problem on stderr. */
export async function published(
  tenant: TenantClient,
  document: unknown,
  options: { readonly note?: string | undefined; readonly expectedVersion?: number | undefined },
): Promise<number> {
  const key = `operator ${randomUUID()}`
  const op = { key, hash: createHash('sha256').update(key).digest(), actor: 'operator:program' }
  try {
    const { before, program } = await importProgram(tenant, document, { ...options, op })
    result(
      before === program
        ? `Nothing to change: version ${program} is in force.`
        : `Version ${program} is in force.`,
    )
    return 0
  } catch (error) {
    if (!(error instanceof ProgramInvalidError)) throw error
    for (const { path, message } of error.problems) note(`${path}: ${message.replace(`${path}: `, '')}`)
    note(`Nothing was published: ${error.problems.length} problems.`)
    return 1
  }
}
