import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { ContactPolicy } from './policy.ts'

/** A version of a tenant's contact policy. */
export interface SavedPolicy extends ContactPolicy {
  readonly version: number
  readonly savedAt: Date
}

/** The policy in force; undefined while none was saved. */
export async function readPolicy(tx: Tx): Promise<SavedPolicy | undefined> {
  const [row] = await tx.query<{ version: number; policy: ContactPolicy; savedAt: Date }>({
    name: 'contact_policy',
    text: `select c.version, c.policy, c.published_at as "savedAt" from contact_policy c
      where own(c) order by c.version desc limit 1`,
    values: [],
  })
  return row && { ...row.policy, version: row.version, savedAt: row.savedAt }
}

/** contact_policy_save of 0008_contact_policy.sql. */
export function savePolicy(tx: Tx, policy: ContactPolicy, actor: string) {
  return call<{ readonly is: 'done'; readonly version: number }>(
    tx,
    'select contact_policy_save($1, $2) as outcome',
    [JSON.stringify(policy), actor],
  )
}
