import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { compileRule, readRule, type StoredRule } from '../audiences/index.ts'
import { recommendedSql } from './policy.channels.ts'
import { readPolicy, type SavedPolicy } from './policy.store.ts'

/** Members asked in one statement. */
const CHUNK = 1_000

/** How far to go. */
export interface Extent {
  /** Statements at most, so that one tenant does not keep the others waiting. */
  readonly chunks: number
  /** Members in one statement; 1,000 unless a test says otherwise. */
  readonly chunk?: number
}

/**
 * Goes on with the broadcasts of a tenant that are due by its clock: asks the members in the order of their ids,
 * plans the touches of those who match now, and winds down what was called off. Any number of workers may do it at
 * once, and be killed at any moment: each chunk is planned with the place that it reaches. True when there is more. Rejects with
 * what failed first, after the other broadcasts were gone on with.
 */
export async function extendBroadcasts(tx: Tx, { chunks, chunk = CHUNK }: Extent): Promise<boolean> {
  const due = await tx.query<{ id: string; isCancelled: boolean }>({
    name: 'broadcasts_due',
    text: 'select broadcast_id as id, is_cancelled as "isCancelled" from broadcasts_due()',
    values: [],
  })
  let left = chunks
  const failures: unknown[] = []
  for (const { id, isCancelled } of due) {
    try {
      left = isCancelled ? await windDown(tx, id, { left, chunk }) : await extend(tx, id, { left, chunk })
    } catch (error) {
      failures.push(error)
    }
    if (left <= 0) break
  }
  if (failures.length > 0) throw failures[0]
  return left <= 0
}

interface Budget {
  readonly left: number
  readonly chunk: number
}

/** What broadcast_look answers. */
type Look = { readonly is: 'idle' } | Sending

interface Sending {
  readonly is: 'sending'
  readonly reached: string | null
  readonly audience: StoredRule
  readonly channels: readonly string[] | null
  readonly zones: readonly string[] | null
  readonly dues: readonly string[] | null
}

async function extend(tx: Tx, id: string, { left, chunk }: Budget): Promise<number> {
  const policy = await readPolicy(tx)
  let remaining = left
  let look: Look = await call<Look>(tx, 'select broadcast_look($1) as outcome', [id])
  let reached = look.is === 'sending' ? look.reached : null
  while (look.is === 'sending' && remaining > 0) {
    remaining -= 1
    const answer: Extended = await extendOnce(tx, id, { ...look, reached }, { policy, chunk })
    // Somebody else is at it: leave it to them.
    if (answer.is === 'stale') return remaining
    if (answer.is === 'more') reached = answer.reached
    else {
      look = await call<Look>(tx, 'select broadcast_look($1) as outcome', [id])
      reached = null
    }
  }
  return remaining
}

/** What broadcast_extend answers. */
type Extended = { readonly is: 'looked' | 'stale' } | { readonly is: 'more'; readonly reached: string }

/** One chunk, in one statement: who comes next, who of them matches, and their touches. */
async function extendOnce(
  tx: Tx,
  id: string,
  { reached, audience, channels, zones, dues }: Sending,
  { policy, chunk }: { policy: SavedPolicy | undefined; chunk: number },
): Promise<Extended> {
  const values: unknown[] = [id, reached, chunk]
  const place = (more: readonly unknown[]) => values.push(...more) - more.length + 1
  const rule = compileRule(readRule(audience), values.length + 1)
  place(rule.values)
  const suiting = channels
    ? { text: `$${values.length + 1}::text[]`, values: [channels] }
    : recommendedSql(policy, values.length + 1)
  place(suiting.values)
  const hour = zones && dues ? place([zones, dues]) : undefined
  const inTime =
    hour === undefined
      ? ''
      : `join unnest($${hour}::text[], $${hour + 1}::timestamptz[]) h (zone, due)
         on h.zone = m.time_zone and m.registered_at <= greatest(h.due, b.created_at)`
  const [row] = await tx.query<{ outcome: Extended }>({
    text: `with asked as materialized (
       select m.* from member m
       where own(m) and m.id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
       order by m.id limit $3
     ), found as materialized (
       select m.id, array_to_string(${suiting.text}, ' ') as channels
       from asked m
       join broadcast b on b.tenant_id = m.tenant_id and b.id = $1
       ${inTime}
       where m.membership <> 'ENDED' and (${rule.text}) and not exists (
         select from touchpoint t where t.tenant_id = m.tenant_id and t.member_id = m.id and t.purpose = b.purpose
           and t.source_type = 'broadcast' and t.source_id = b.id::text)
     )
     select broadcast_extend($1, $2, (select a.id from asked a order by a.id desc limit 1),
       array(select f.id from found f order by f.id), array(select f.channels from found f order by f.id),
       (select count(*) < $3 from asked)) as outcome`,
    values,
  })
  if (!row) throw new TypeError('broadcast_extend answered no row')
  return row.outcome
}

async function windDown(tx: Tx, id: string, { left, chunk }: Budget): Promise<number> {
  let remaining = left
  let hasMore = true
  while (hasMore && remaining > 0) {
    remaining -= 1
    hasMore = await call<boolean>(tx, 'select broadcast_wind_down($1, $2) as outcome', [id, chunk])
  }
  return remaining
}
