import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ScopedPool } from '../../api/platform/scoped-pool.ts'
import { inTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { addTenants } from '../support/event-writer.ts'
import { until } from '../support/until.ts'
import { REQUESTS, type Row } from './hostile-requests.ts'

const ROWS = 5
const database = testDatabase()
let admin: pg.Client
let tenants: string[]
let pool: ScopedPool

beforeAll(async () => {
  admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  tenants = await addTenants(database.url, 8)
  await admin.query(`
    set role engawa_owner;
    create table secret (tenant_id uuid, id uuid default uuid_v7(), n int, primary key (tenant_id, id))`)
  await admin.query(
    'insert into secret select t, uuid_v7(), n from unnest($1::uuid[]) t, generate_series(1, $2) n',
    [tenants, ROWS],
  )
  await admin.query(`
    call protect('secret');
    grant select, insert on secret to engawa_app;
    reset role`)
})
afterAll(() => admin.end())

beforeEach(() => {
  pool = new ScopedPool({ url: database.url, connections: 2, statementTimeout: 60, answerTimeout: 150 })
})
afterEach(() => pool.end())

const first = () => tenants[0] as string
const second = () => tenants[1] as string
const visible = { name: 'visible', text: 'select distinct tenant_id from secret' }
const pid = async () => {
  const { rows } = await pool.queryAs<{ pid: number }>(first(), { text: 'select pg_backend_pid() as pid' })
  return rows[0]?.pid
}

async function lent<T>(
  work: (send: (text: string) => Promise<pg.QueryResultRow[]>) => Promise<T>,
): Promise<T> {
  const connection = await pool.connectAs(first())
  try {
    return await work(async (text) => (await connection.send({ text })).rows)
  } finally {
    connection.release()
  }
}

test('a statement sees the rows of its tenant, prepared or not, with values or without', async () => {
  for (const tenant of [first(), second(), first()]) {
    expect((await pool.queryAs(tenant, visible)).rows).toEqual([{ tenant_id: tenant }])
    expect((await pool.queryAs(tenant, { text: visible.text })).rows).toEqual([{ tenant_id: tenant }])
    const some = { text: `${visible.text} where n > $1`, values: [ROWS - 1] }
    expect((await pool.queryAs(tenant, some)).rows).toEqual([{ tenant_id: tenant }])
    expect(await inTenant(tenant, async () => pool.query(visible.text))).toMatchObject({
      rows: [{ tenant_id: tenant }],
      rowCount: 1,
      command: 'SELECT',
    })
  }
})

test('without a tenant nothing is sent', async () => {
  const refusal = { name: 'TenantScopeError', message: 'The scoped pool needs a tenant; see inTenant.' }
  await expect(pool.query('select 1')).rejects.toMatchObject(refusal)
  await expect(pool.connect()).rejects.toMatchObject(refusal)
  expect(pool.totalCount).toBe(0)
})

test('query objects and callbacks, which could not carry the tenant, are refused', async () => {
  await inTenant(first(), async () => {
    await expect(pool.query(new pg.Query('select 1'))).rejects.toThrow('no query object')
    await expect(pool.query('select 1', () => {})).rejects.toThrow('not callbacks')
  })
})

test('a statement that fails keeps its connection', async () => {
  const before = await pid()
  await expect(pool.queryAs(first(), { text: 'select 1 / 0' })).rejects.toThrow('division by zero')
  await until(() => pool.idleCount === 1)
  expect(await pid()).toBe(before)
})

test.each(['begin', 'begin; select 1 / 0'])('a connection released after "%s" is closed', async (texts) => {
  const before = await pid()
  const connection = await pool.connectAs(first())
  for (const text of texts.split('; ')) await connection.send({ text }).catch(() => {})
  connection.release()
  expect(pool.totalCount).toBe(0)
  expect(await pid()).not.toBe(before)
})

test('a connection released with its answer outstanding is closed', async () => {
  const connection = await pool.connectAs(first())
  const answer = connection.send(visible)
  connection.release()
  await expect(answer).rejects.toThrow('Connection terminated')
  expect(pool.totalCount).toBe(0)
})

test('a transaction may choose its isolation, and goes on after a roll-back to a savepoint', async () => {
  const rows = await lent(async (send) => {
    await send('begin')
    await send('set transaction isolation level serializable')
    await send('savepoint a')
    await expect(send('select 1 / 0')).rejects.toThrow('division by zero')
    await send('rollback to a')
    const seen = await send(visible.text)
    await send('commit')
    return seen
  })
  expect(rows).toEqual([{ tenant_id: first() }])
  expect(pool.idleCount).toBe(1)
})

test('a failed transaction is ended by a statement that goes alone', async () => {
  await lent(async (send) => {
    await send('begin')
    await expect(send('select 1 / 0')).rejects.toThrow('division by zero')
    await send('/* whatever it looks like */ rollback')
  })
  expect(pool.idleCount).toBe(1)
})

test('a backend that dies, idle or lent, costs one statement at most', async () => {
  const connection = await pool.connectAs(first())
  await pid()
  await admin.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  )
  await until(() => pool.idleCount === 0)
  await expect(connection.send(visible)).rejects.toThrow()
  connection.release()
  expect((await pool.queryAs(first(), visible)).rows).toEqual([{ tenant_id: first() }])
})

test('a connection whose answer stays out too long is cut', async () => {
  await lent(async (send) => {
    await send('begin')
    await send('set local statement_timeout = 0')
    await expect(send('select pg_sleep(20)')).rejects.toThrow('did not answer in time')
  })
  expect(pool.totalCount).toBe(0)
})

test('10,000 hostile requests of mixed tenants over two connections leak nothing', {
  timeout: 120_000,
}, async () => {
  const counts = { requests: 0, reads: 0, leaks: 0, blind: 0, failed: 0, cancels: 0, terminations: 0 }
  const chance = dice(7)
  const bag = Object.entries(REQUESTS).flatMap(([name, [share]]) => Array<string>(share).fill(name))
  const failures = new Map<string, number>()
  const any = <T>(list: readonly T[]) => list[Math.floor(chance() * list.length)] as T
  const disturbance = disturb(counts)
  const one = async () => {
    const mine = any(tenants)
    const other = any(tenants.filter((tenant) => tenant !== mine))
    const saw = (rows: readonly Row[]) => {
      counts.reads++
      if (rows.some((row) => row.tenant_id !== mine)) counts.leaks++
      if (rows.length < ROWS) counts.blind++
    }
    const name = any(bag)
    await REQUESTS[name]?.[1]({ pool, mine, other, saw }).catch((error: Error) => {
      counts.failed++
      failures.set(error.message, (failures.get(error.message) ?? 0) + 1)
    })
  }
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (counts.requests++ < 10_000) await one()
    }),
  )
  await disturbance.stop()
  counts.requests = 10_000
  console.log(JSON.stringify(counts))
  console.log([...failures].map(([message, times]) => `${times} × ${message}`).join('\n'))
  expect(counts).toMatchObject({ leaks: 0, blind: 0 })
  expect(counts.reads).toBeGreaterThan(10_000)
  for (const trouble of TROUBLES) expect([...failures.keys()]).toContain(trouble)
  expect(await pid()).toBeTypeOf('number')
})

/** What has to have happened for the run to prove anything. */
const TROUBLES = [
  'division by zero',
  'canceling statement due to statement timeout',
  'canceling statement due to user request',
  'terminating connection due to administrator command',
  'The database did not answer in time.',
  'prepared statement "app_scope" does not exist',
  'Connection terminated',
]

/** Cancels a statement, or ends a connection, of the pool every few milliseconds. */
function disturb(counts: { cancels: number; terminations: number }) {
  let stopped = false
  const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query not like '%sleep%' limit 1`
  const loop = (async () => {
    for (let i = 0; !stopped; i++) {
      const end = i % 8 === 0
      const { rowCount } = await admin.query(
        `select ${end ? 'pg_terminate_backend' : 'pg_cancel_backend'}(pid) ${others}`,
      )
      counts[end ? 'terminations' : 'cancels'] += rowCount ?? 0
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  return {
    stop: () => {
      stopped = true
      return loop
    },
  }
}

/** The same numbers between 0 and 1 in every run. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
