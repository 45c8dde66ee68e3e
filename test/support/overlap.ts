import type pg from 'pg'
import { onServer } from './server.ts'
import { until } from './until.ts'

/** A database, and the tenant for which it is asked. */
interface Ground {
  readonly url: string
  readonly tenantId: string
}

/**
 * Calls the same twice, over two connections as the owner of a tenant: the second while the first has not committed,
 * which goes on once the second waits for it. What each answered.
 */
export async function overlapping<Answer>(
  ground: Ground,
  call: (client: pg.Client, nth: 1 | 2) => Promise<Answer>,
): Promise<[Answer, Answer]> {
  return holding(ground, async (one) => {
    const first = await call(one, 1)
    const second = await waiting(ground, one, (other) => call(other, 2))
    await one.query('commit')
    return [first, await second.answer]
  })
}

/**
 * Lets calls, each over its own connection as the owner of a tenant, come to wait in their order for what `hold` locks,
 * and then go on at once: so they meet where each has taken what it takes before. What each answered.
 */
export async function meeting<Answer>(
  ground: Ground,
  hold: (client: pg.Client) => Promise<unknown>,
  calls: readonly ((client: pg.Client) => Promise<Answer>)[],
): Promise<Answer[]> {
  return holding(ground, async (holder) => {
    await hold(holder)
    const all: Promise<Answer>[] = []
    for (const call of calls) all.push((await waiting(ground, holder, call)).answer)
    await holder.query('commit')
    return Promise.all(all)
  })
}

function holding<Result>(ground: Ground, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return connected(ground, async (client) => {
    await client.query('begin')
    return use(client)
  })
}

/** Begins a call, which goes on by itself; answers when it waits for a lock, as `watcher` sees. */
async function waiting<Answer>(
  ground: Ground,
  watcher: pg.Client,
  call: (client: pg.Client) => Promise<Answer>,
): Promise<{ readonly answer: Promise<Answer> }> {
  const pid = Promise.withResolvers<number>()
  const answer = connected(ground, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    pid.resolve(rows[0]?.pid ?? 0)
    return call(client)
  })
  answer.catch(pid.reject)
  const isOver = answer.then((what) => Promise.reject(new Error(`It waited for nothing: ${what}`)))
  isOver.catch(() => {})
  const values = [await pid.promise]
  const waits = until(async () => {
    const { rows } = await watcher.query('select from pg_locks where pid = $1 and not granted', values)
    return rows.length > 0
  })
  await Promise.race([waits, isOver])
  return { answer }
}

function connected<Result>(
  { url, tenantId }: Ground,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return onServer(url, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [tenantId])
    return use(client)
  })
}
