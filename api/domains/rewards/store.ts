import type { Tx } from '../../platform/db.ts'
import type { RewardRefusal } from '../../platform/errors/index.ts'

/** A reward as it stands, and as it is to one member when one was asked about. */
export interface RewardNow {
  /** Null: no end of them. */
  readonly left: number | null
  readonly viewer: {
    /** Points: what one costs the member, and what it has to spend. */
    readonly cost: bigint
    readonly available: bigint
    /** How many more it may have now; null: no limit. */
    readonly allowance: number | null
    readonly refusal: RewardRefusal | null
  } | null
}

/** rewards_now of 0022_rewards.sql: one statement for all of the keys. */
export async function rewardsNow(
  tx: Tx,
  keys: readonly string[],
  member: string | null,
): Promise<ReadonlyMap<string, RewardNow>> {
  const rows = await tx.query<{
    key: string
    left_over: number | null
    cost: string | null
    available: string | null
    allowance: number | null
    refusal: RewardRefusal | null
  }>({
    name: 'rewards_now',
    text: 'select key, left_over, cost, available, allowance, refusal from rewards_now($1, $2)',
    values: [keys, member],
  })
  return new Map(
    rows.map(({ key, left_over, cost, available, allowance, refusal }) => [
      key,
      {
        left: left_over,
        viewer:
          cost === null
            ? null
            : { cost: BigInt(cost), available: BigInt(available ?? 0), allowance, refusal },
      },
    ]),
  )
}

/** rewards_settle_due of 0022_rewards.sql. */
export async function settleBatch(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'rewards_settle_due',
    text: 'select rewards_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
