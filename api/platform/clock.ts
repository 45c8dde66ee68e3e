import type pg from 'pg'

/** The part of a tenant that decides which clock it lives on. */
export interface ClockTenant {
  readonly id: string
  /** True for a tenant that was created on a test clock; it never changes. */
  readonly hasTestClock: boolean
}

/** Time for code. Rules inside SQL read `tenant_now` themselves; this gives code the same answer. */
export interface Clock {
  /**
   * Real time by the database's clock: this process's clock, corrected by the offset measured at
   * boot and once a minute since. Tokens, cost buckets, retention and sockets live on it.
   */
  now(): Date
  /** The time that the tenant's rules see: its test clock where it stands now, which is read, else `now()` at once. */
  tenantNow(tenant: ClockTenant): Date | Promise<Date>
  /** Stops measuring. The clock still answers. */
  close(): void
}

/**
 * Measures how far this process's clock is from the database's and keeps correcting it.
 * `system` acts as engawa_system, which may read every tenant's clock.
 */
export async function openClock(system: pg.Pool): Promise<Clock> {
  let offset = await measureOffset(system)
  const timer = setInterval(() => {
    measureOffset(system).then(
      (measured) => {
        offset = measured
      },
      // The database is away: the last offset is still the best answer.
      () => {},
    )
  }, 60_000).unref()
  const now = () => new Date(Date.now() + offset)
  return {
    now,
    tenantNow: ({ id, hasTestClock }) => (hasTestClock ? readTestClock(system, id) : now()),
    close: () => clearInterval(timer),
  }
}

async function readTestClock(system: pg.Pool, tenantId: string): Promise<Date> {
  const { rows } = await system.query<{ now: Date }>({
    name: 'clock_tenant_now',
    text: 'select tenant_now($1) as now',
    values: [tenantId],
  })
  const [row] = rows
  if (!row) throw new Error('tenant_now gave no row')
  return row.now
}

/** The process's own clock, for what happens before there is a database, such as signing a development token. */
export const processClock: Pick<Clock, 'now'> = { now: () => new Date() }

/** Milliseconds to add to this process's clock. The quickest of three answers is the most exact one. */
async function measureOffset(system: pg.Pool): Promise<number> {
  let best = { trip: Number.POSITIVE_INFINITY, offset: 0 }
  for (let i = 0; i < 3; i++) {
    const before = Date.now()
    const { rows } = await system.query<{ ms: string }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::text as ms',
    )
    const after = Date.now()
    const trip = after - before
    if (trip < best.trip) best = { trip, offset: Number(rows[0]?.ms) - (before + after) / 2 }
  }
  // Below one round trip the difference is noise, and one machine should agree with itself.
  return Math.abs(best.offset) <= best.trip + 1 ? 0 : Math.round(best.offset)
}
