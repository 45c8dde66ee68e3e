import type pg from 'pg'
import type { Log } from './log.ts'

/** How the clock's work is done. */
export interface DueOptions {
  /** Acts as engawa_system. */
  readonly system: pg.Pool
  readonly log: Log
  /** Books what is due for one tenant (a uuid), or a part; true when there may be more. */
  settle(tenantId: string): Promise<boolean>
  /** Called after something was booked. */
  announced(): void
}

/** A loop that books what the clock brings. */
export interface DueLoop {
  /** Looks no more, and waits for what is under way. */
  stop(): Promise<void>
}

const EVERY_MS = 1_000
/** Looks between two checks for tables that grew since nobody knew their size. */
const LOOKS_PER_ANALYSIS = 5

/**
 * Looks once a second for tenants with something due by their own clocks, and has it booked: one look for all of
 * them, by index, and then only those that have something. Several nodes may run it at once.
 */
export function startDue({ system, log, settle, announced }: DueOptions): DueLoop {
  let isStopping = false
  let running: Promise<void> | undefined
  let looks = 0

  async function look(): Promise<void> {
    try {
      // What a new database is first asked is planned for empty tables, and sessions keep such plans.
      if (looks++ % LOOKS_PER_ANALYSIS === 0) await system.query('select analyze_new_tables()')
      const { rows } = await system.query<{ id: string }>({
        name: 'due_tenants',
        text: 'select id from due_tenants() id',
      })
      for (const { id } of rows) {
        while (!isStopping && (await settle(id)));
      }
      if (rows.length > 0) announced()
    } catch (err) {
      log.warn({ err }, 'What is due could not be booked; trying on.')
    }
  }

  const timer = setInterval(() => {
    running ??= look().finally(() => {
      running = undefined
    })
  }, EVERY_MS)
  return {
    async stop() {
      isStopping = true
      clearInterval(timer)
      await running
    },
  }
}
