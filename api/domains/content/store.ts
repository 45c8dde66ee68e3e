import type { Tx } from '../../platform/db.ts'

/** How much published content fits one stage, product and persona. */
export interface MatrixCell {
  readonly stage: string
  readonly sku: string | null
  readonly persona: string | null
  readonly fitting: number
}

/** content_matrix of 0038_content.sql, in the order of the stages. */
export function readMatrix(
  tx: Tx,
  skus: readonly string[],
  personas: readonly string[],
): Promise<MatrixCell[]> {
  return tx.query<MatrixCell>({
    name: 'content_matrix',
    text: 'select stage, sku, persona, fitting from content_matrix($1, $2)',
    values: [skus, personas],
  })
}

/** content_settle_due of 0038_content.sql. */
export async function settleBatch(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'content_settle_due',
    text: 'select content_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
