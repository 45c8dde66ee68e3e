import type { Tx } from '../../platform/db.ts'
import { type Problem, ProgramInvalidError } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import {
  type Change,
  diffOf,
  documentAt,
  draftOf,
  importProgram,
  readDocument,
  readVersion,
} from '../program/index.ts'
import { type LintContext, lint, type Warning } from './lint.ts'

/** What publishing a draft would come to. */
export interface Preview {
  /** What it would change; none while it has problems. */
  readonly changes: readonly Change[]
  /** Why it would be refused. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Warning[]
}

/** Looks at a draft, down to publishing it in a transaction that is rolled back. */
export async function previewProgram(tx: Tx, document: unknown, context: LintContext): Promise<Preview> {
  const { problems } = readDocument(document)
  if (problems.length > 0) return { changes: [], problems, warnings: [] }
  const draft = draftOf(document)
  const live = await readVersion(tx, null)
  const changes = diffOf(await documentAt(tx, live?.version ?? 0), draft)
  const refusals = await tried(tx, document)
  return { changes: refusals.length > 0 ? [] : changes, problems: refusals, warnings: lint(draft, context) }
}

/** Carries the transaction to its end, which is that nothing of it happened. */
class Undone extends Error {}

async function tried(tx: Tx, document: unknown): Promise<readonly Problem[]> {
  const op = { key: `preview ${newId()}`, hash: Buffer.alloc(32), actor: 'engawa' }
  try {
    await tx.transaction(async (inner) => {
      await importProgram(inner, document, { op })
      throw new Undone()
    })
  } catch (error) {
    if (error instanceof ProgramInvalidError) return error.problems
    if (!(error instanceof Undone)) throw error
  }
  return []
}
