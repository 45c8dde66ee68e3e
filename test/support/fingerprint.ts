import { onServer } from './server.ts'

/** These move by themselves; the events in them are counted together instead. */
const MOVING = /^(outbox|event_head|event_log(_\d+)?|sequencer)$/

/** A digest of every row of every table, by table; and how many events were ever announced. */
export function fingerprint(url: string): Promise<Record<string, string>> {
  return onServer(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
    )
    const digests = tables
      .filter(({ name }) => !MOVING.test(name))
      .map(({ name }) => `'${name}', (select md5(string_agg(t::text, '|' order by t::text)) from ${name} t)`)
    const events = `(select count(*) from outbox) + (select coalesce(sum(pos), 0) from event_head)`
    const { rows } = await client.query(
      `select jsonb_build_object('events', ${events}) || ${inParts(digests).join(' || ')} as is`,
    )
    return rows[0].is
  })
}

/** A function of PostgreSQL takes at most a hundred arguments. */
function inParts(pairs: readonly string[]): string[] {
  const parts: string[] = []
  for (let i = 0; i < pairs.length; i += 40)
    parts.push(`jsonb_build_object(${pairs.slice(i, i + 40).join(', ')})`)
  return parts
}
