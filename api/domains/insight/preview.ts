import type { Tx } from '../../platform/db.ts'
import { type Problem, ProgramInvalidError } from '../../platform/errors/index.ts'
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
import { type LadderMove, previewLadders } from '../tiers/index.ts'
import { type LintContext, lint, type Warning } from './lint.ts'

/** What publishing a draft would come to. */
export interface Preview {
  /** What it would change; none while it has problems. */
  readonly changes: readonly Change[]
  /** Why it would be refused. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Warning[]
  /** Whom its ladders that are new or changed would move, if it came into force now. */
  readonly tierMoves: readonly LadderMove[]
}

/** Looks at a draft, down to publishing it in a transaction that is rolled back. */
export async function previewProgram(tx: Tx, document: unknown, context: LintContext): Promise<Preview> {
  const { problems } = readDocument(document)
  if (problems.length > 0) return { changes: [], problems, warnings: [], tierMoves: [] }
  const draft = draftOf(document)
  const live = await readVersion(tx, null)
  const changes = diffOf(await documentAt(tx, live?.version ?? 0), draft)
  const refusals = await tried(tx, document)
  const warnings = lint(draft, context)
  if (refusals.length > 0) return { changes: [], problems: refusals, warnings, tierMoves: [] }
  return { changes, problems: [], warnings, tierMoves: await tierMoves(tx, changes) }
}

function tierMoves(tx: Tx, changes: readonly Change[]): Promise<LadderMove[]> {
  const ladders = changes.flatMap(({ kind, key, after }) =>
    kind === 'tierLadder' && after ? [{ key, body: after }] : [],
  )
  return previewLadders(tx, ladders)
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
