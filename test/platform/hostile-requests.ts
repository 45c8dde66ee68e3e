import type { ScopedPool } from '../../api/platform/scoped-pool.ts'
import { inTenant } from '../../api/platform/tenancy.ts'

/** What one hostile request may use: its tenant, another tenant to trespass on, and where to report. */
export interface Hostile {
  readonly pool: ScopedPool
  readonly mine: string
  readonly other: string
  /** Judges what a read of every visible row returned. */
  saw(rows: readonly Row[]): void
}

/** A row of the table `secret`, of which each tenant has the same number of rows. */
export interface Row {
  readonly tenant_id: string
}

type Request = (at: Hostile) => Promise<unknown>

const ALL = 'select tenant_id from secret'
const PREPARED = { name: 'all', text: ALL }

const read: Request = async ({ pool, mine, saw }) => saw((await pool.queryAs<Row>(mine, PREPARED)).rows)

/** Does something that may fail, and reads with the same connection afterwards. */
const onOneConnection =
  (...texts: readonly string[]): Request =>
  async ({ pool, mine, other, saw }) => {
    const connection = await pool.connectAs(mine)
    try {
      for (const text of texts) {
        const { rows } = await connection.send<Row>({ text: text.replaceAll('$other', `'${other}'`) })
        if (text === ALL) saw(rows)
      }
    } finally {
      connection.release()
    }
  }

/** Sends texts through the pool, whatever becomes of them, and reads. */
const throughPool =
  (...texts: readonly string[]): Request =>
  async (at) => {
    for (const text of texts) {
      await at.pool.queryAs(at.mine, { text: text.replaceAll('$other', `'${at.other}'`) }).catch(() => {})
    }
    await read(at)
  }

/** How often each request comes, and what it does. */
export const REQUESTS: Readonly<Record<string, readonly [share: number, Request]>> = {
  'a prepared read': [400, read],
  'a text without values': [
    200,
    async ({ pool, mine, saw }) =>
      saw((await inTenant<{ rows: Row[] }>(mine, async () => pool.query(ALL))).rows),
  ],
  'two tenants in one turn': [
    100,
    async (at) => {
      await Promise.all([read(at), at.pool.queryAs(at.other, { text: 'select 1' }), read(at)])
    },
  ],
  'an error in the statement': [60, throughPool('select 1 / (n - n) from secret')],
  'a text that is no SQL': [30, throughPool('selec')],
  "a write to another tenant's rows": [
    40,
    throughPool(
      'insert into secret (tenant_id, id) values ($other, gen_random_uuid())',
      'delete from secret',
    ),
  ],
  'a value that cannot be sent': [
    3,
    async ({ pool, mine }) =>
      pool.queryAs(mine, { name: 'big', text: 'select $1::jsonb', values: [{ n: 1n }] }),
  ],
  'a setting for the session': [
    60,
    throughPool("select set_config('app.tenant', $other, false)", 'set app.tenant = $other'),
  ],
  'prepared statements thrown away': [3, throughPool('deallocate all', 'discard all')],
  'a whole transaction': [100, onOneConnection('begin', ALL, ALL, 'commit')],
  'a transaction with its own isolation': [
    20,
    onOneConnection('begin isolation level serializable', ALL, 'commit'),
  ],
  'a savepoint that is rolled back': [
    40,
    onOneConnection('begin', 'savepoint a', ALL, "set local app.tenant = ''", 'rollback to a', ALL, 'commit'),
  ],
  'a failed transaction that goes on': [8, onOneConnection('begin', 'select 1 / 0', ALL)],
  'a failed transaction that is rolled back': [
    40,
    async ({ pool, mine, saw }) => {
      const connection = await pool.connectAs(mine)
      try {
        await connection.send({ text: 'begin' })
        await connection.send({ text: 'select 1 / 0' }).catch(() => {})
        await connection.send({ text: 'rollback' })
        saw((await connection.send<Row>(PREPARED)).rows)
      } finally {
        connection.release()
      }
    },
  ],
  'a release inside a transaction': [
    8,
    onOneConnection(
      'begin',
      'set local app.tenant = $other',
      "select set_config('app.tenant', $other, false)",
    ),
  ],
  'a pool statement that opens a transaction': [
    4,
    throughPool('begin', 'begin isolation level serializable'),
  ],
  'a release with the answer outstanding': [
    6,
    async ({ pool, mine }) => {
      const connection = await pool.connectAs(mine)
      const answer = connection.send(PREPARED)
      connection.release()
      await answer
    },
  ],
  'a statement after the release': [
    20,
    async ({ pool, mine }) => {
      const connection = await pool.connectAs(mine)
      connection.release()
      await connection.send(PREPARED)
    },
  ],
  "a connection taken into another tenant's scope": [
    20,
    async ({ pool, mine, other }) => {
      const connection = await pool.connectAs(mine)
      await inTenant(other, () => connection.send(PREPARED)).finally(() => connection.release())
    },
  ],
  'no tenant': [20, async ({ pool }) => pool.query(ALL)],
  'a statement past the server time-out': [
    3,
    async ({ pool, mine }) => pool.queryAs(mine, { text: 'select pg_sleep(1), tenant_id from secret' }),
  ],
  'a statement past the client time-out': [
    1,
    onOneConnection('begin', 'set local statement_timeout = 0', 'select pg_sleep(5), tenant_id from secret'),
  ],
}
