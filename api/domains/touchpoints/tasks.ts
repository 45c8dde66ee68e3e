import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'

/** What came of a task. The cost is in minor units. */
export interface TaskResult {
  readonly outcome: 'DONE' | 'NOT_REACHED' | 'DECLINED'
  readonly note: string | null
  readonly cost: { readonly amount: bigint; readonly currency: string } | null
}

/** Books what came of a task (a uuid), once. Throws NotFoundError, also when it is completed; IdempotencyKeyReusedError. */
export async function completeTask(
  tx: Tx,
  task: string,
  { outcome, note, cost }: TaskResult,
  { key, hash, actor }: Operation,
): Promise<void> {
  const result = { outcome, note, cost: cost && String(cost.amount), currency: cost?.currency }
  raise(
    await call<Outcome<{ readonly task: string }>>(
      tx,
      'select task_complete($1, $2, $3, $4, $5) as outcome',
      [key, hash, task, JSON.stringify(result), actor],
    ),
  )
}
