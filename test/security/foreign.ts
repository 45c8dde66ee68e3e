import { onServer } from '../support/server.ts'
import type { Shop } from '../support/shop.ts'
import { until } from '../support/until.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Every row of a tenant, by table, as text. Everything that it announced is logged by then. */
export async function rowsOf({ ground, tenant }: Shop): Promise<Record<string, string>> {
  return onServer(ground.databaseUrl, async (client) => {
    const waiting = () => client.query('select from outbox where tenant_id = $1 limit 1', [tenant.id])
    await until(async () => (await waiting()).rowCount === 0)
    const { rows: tables } = await client.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
    )
    const each = tables.map(
      ({ name }) =>
        `select '${name}' as name, coalesce(string_agg(t::text, E'\\n' order by t::text), '') as rows from ${name} t where tenant_id = $1`,
    )
    const { rows } = await client.query<{ name: string; rows: string }>(each.join(' union all '), [tenant.id])
    return Object.fromEntries(rows.map((row) => [row.name, row.rows]))
  })
}

/** What must not be told of a tenant: its ids, and whatever holds one of these words. */
export interface Secrets {
  readonly ids: ReadonlySet<string>
  readonly words: RegExp
}

/** The ids of a tenant's rows that none of the others' has. */
export function idsOf(rows: Record<string, string>, others: Record<string, string>): Set<string> {
  const theirs = new Set(Object.values(others).join().match(UUID))
  const ids = Object.values(rows).join().match(UUID) ?? []
  return new Set(ids.filter((id) => !theirs.has(id)))
}

/** Every text of an answer that tells a secret, other than what was sent. Opaque texts are looked into. */
export function told(answer: unknown, { ids, words }: Secrets, sent?: string): string[] {
  if (typeof answer === 'string') {
    if (answer === sent) return []
    const plain = `${answer} ${Buffer.from(answer, 'base64url').toString('latin1')}`
    const isSecret = words.test(plain) || plain.match(UUID)?.some((id) => ids.has(id))
    return isSecret ? [answer] : []
  }
  if (typeof answer !== 'object' || answer === null) return []
  return Object.values(answer).flatMap((part) => told(part, { ids, words }, sent))
}
