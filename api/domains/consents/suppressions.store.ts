import type { Tx } from '../../platform/db.ts'

/** Why nothing is sent to an address any more. */
export type Reason = 'BOUNCED' | 'COMPLAINED' | 'GONE' | 'BLOCKED' | 'UNSUBSCRIBED' | 'MANUAL' | 'PROVIDER'

/** Of these addresses (uuids) those that nothing is sent to now, each with the first reason. One statement. */
export async function readSuppressed(
  tx: Tx,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, Reason>> {
  const rows = await tx.query<{ id: string; reason: Reason }>({
    name: 'addresses_suppressed',
    text: `select distinct on (a.id) a.id, s.reason from address a
      join suppression s on s.tenant_id = a.tenant_id and s.key = a.key
      where own(a) and a.id in (select asked::uuid from json_array_elements_text($1) asked)
        and s.lifted_at is null and (s.until is null or s.until > tenant_now(a.tenant_id))
      order by a.id, s.since, s.id`,
    values: [JSON.stringify(addresses)],
  })
  return new Map(rows.map(({ id, reason }) => [id, reason]))
}
