import { deliverDue } from '../domains/touchpoints/index.ts'
import type { Db } from '../platform/db.ts'
import { type Outcome, raise } from '../platform/errors/index.ts'
import { call } from '../platform/operation.ts'
import type { Tenant } from '../platform/tenancy.ts'
import { command, UsageError } from './command.ts'
import { type Ports, withPorts } from './delivery.ts'
import { Obstacle } from './explain.ts'
import { instantOf } from './instant.ts'
import { openProgress, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  set: { value: 'INSTANT', is: 'move it there: an instant, or a date' },
  advance: { value: 'P30D', is: 'move it on by so much: an ISO 8601 duration' },
} as const

/** Moves a test clock forward; everything that falls due on the way happens, in order. */
export default command(options, ({ tenant: key, set, advance }) => {
  if ((set === undefined) === (advance === undefined))
    throw new UsageError('Give either --set INSTANT or --advance P30D.')
  return atWork(async (workplace) => {
    const { db } = workplace
    const tenant = await findTenant(db, key)
    if (!tenant.hasTestClock) {
      throw new Obstacle(
        `${key} lives on the real clock; only a tenant created with --clock has a test clock.`,
      )
    }
    const to =
      set === undefined
        ? await later(db, tenant, advance ?? '')
        : await instantOf(db.system, set, { option: '--set', timeZone: tenant.timeZone })
    await withPorts(workplace, (ports) => advanceClock(db, tenant, { to, ports }))
    result(`The clock of ${key} stands at ${to.toISOString()}.`)
  })
})

/** Stops on the way in one transaction, which has to end long before a statement may not run any longer. */
const steps = 20

interface Advance {
  readonly to: Date
  readonly ports: Ports
}

/**
 * Moves a test clock, stopping wherever something is due: lapses, bands and points are booked there, and touches
 * delivered there, before it goes on. Throws BadInputError for an instant that has passed already.
 */
async function advanceClock(db: Db, tenant: Tenant, { to, ports }: Advance): Promise<void> {
  const client = db.tenant(tenant.id)
  const progress = openProgress('Advancing')
  try {
    let start: number | undefined
    while (true) {
      const step = raise(
        await call<Outcome<Step>>(client, 'select clock_advance($1, $2) as outcome', [to, steps]),
      )
      if (step.touches) await deliverDue(db, tenant.id, ports)
      if (step.is_there) return
      const now = new Date(step.now).getTime()
      start ??= now
      progress.update(now - start, to.getTime() - start, step.now.slice(0, 10))
    }
  } finally {
    progress.stop()
  }
}

/** What clock_advance of 0014_clock.sql answers. */
interface Step {
  /** ISO 8601. */
  readonly now: string
  readonly is_there: boolean
  readonly touches: boolean
}

/** The instant so much later, by the calendar of the tenant. */
async function later({ system }: Db, tenant: Tenant, duration: string): Promise<Date> {
  const wrong = new UsageError(`--advance ${duration} is not a duration such as P30D, P1Y or PT12H.`)
  if (
    !/^P(?=.)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,6}D)?(T(?=.)(\d{1,6}H)?(\d{1,6}M)?(\d{1,9}S)?)?$/.test(
      duration,
    )
  )
    throw wrong
  const { rows } = await system.query<{ at: Date }>(
    'select (tenant_now($1) at time zone $2 + $3::interval) at time zone $2 as at',
    [tenant.id, tenant.timeZone, duration],
  )
  const [row] = rows
  if (!row) throw wrong
  return row.at
}
