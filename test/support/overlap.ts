import type pg from 'pg'
import { onServer } from './server.ts'
import { until } from './until.ts'

/**
 * Calls the same twice, over two connections as the owner of a tenant: the second while the first has not committed,
 * which goes on once the second waits for it. What each answered.
 */
export async function overlapping<Answer>(
  { url, tenantId }: { readonly url: string; readonly tenantId: string },
  call: (client: pg.Client, nth: 1 | 2) => Promise<Answer>,
): Promise<[Answer, Answer]> {
  return onServer(url, (one) =>
    onServer(url, async (other) => {
      for (const client of [one, other])
        await client.query(`select set_config('app.tenant', $1, false)`, [tenantId])
      const { rows } = await other.query<{ pid: number }>('select pg_backend_pid() as pid')
      await one.query('begin')
      const first = await call(one, 1)
      const second = call(other, 2)
      second.catch(() => {})
      await until(async () => {
        const waits = await one.query('select from pg_locks where pid = $1 and not granted', [rows[0]?.pid])
        return waits.rows.length > 0
      })
      await one.query('commit')
      return [first, await second]
    }),
  )
}
