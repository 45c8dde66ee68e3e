import type { Db } from '../platform/db.ts'
import { createTenant } from '../platform/tenancy.ts'
import { demoTenant } from './day.ts'
import { type DemoPorts, fillDemo, isFilled } from './fill.ts'

/** What there is of the demo. */
export interface Demo {
  /** False when it was there already. */
  readonly isNew: boolean
  readonly members: number
  readonly purchases: number
}

/** Whoever holds this advisory lock loads the demo: "demo" in bytes. */
const loading = 0x64656d6f

/** True while the database has no tenant at all, or a demo whose loading was cut short. */
export async function wantsDemo(db: Db): Promise<boolean> {
  const { rows } = await db.system.query<{ count: number }>('select count(*)::int from tenant')
  if (rows[0]?.count === 0) return true
  const begun = await findTenant(db)
  return begun !== undefined && !(await isFilled(db.tenant(begun.id)))
}

/** What the demo holds; undefined when there is none, or not all of it. */
export async function seeDemo(db: Db): Promise<Demo | undefined> {
  const begun = await findTenant(db)
  if (!begun || !(await isFilled(db.tenant(begun.id)))) return undefined
  return { ...(await count(db, begun.id)), isNew: false }
}

/**
 * Makes the demo tenant and fills it, by the product's own services; what a load that was cut short has done stays.
 * One process at a time loads, others wait and find it there. `onProgress` hears of shares from 0 to 1.
 */
export async function loadDemo(
  ports: DemoPorts,
  onProgress: (share: number) => void = () => {},
): Promise<Demo> {
  const { db } = ports
  const turn = await db.system.connect()
  try {
    await turn.query('select pg_advisory_lock($1)', [loading])
    const there = await seeDemo(db)
    if (there) return there
    const { id, madeAt } = (await findTenant(db)) ?? (await makeTenant(db))
    await fillDemo(ports, { tenantId: id, madeAt, onProgress })
    return { ...(await count(db, id)), isNew: true }
  } finally {
    // Closed, not given back: that ends the lock, whatever happened.
    turn.release(true)
  }
}

interface Begun {
  readonly id: string
  readonly madeAt: Date
}

async function findTenant({ system }: Db): Promise<Begun | undefined> {
  const { rows } = await system.query<Begun>('select id, created_at as "madeAt" from tenant where key = $1', [
    demoTenant.key,
  ])
  return rows[0]
}

async function makeTenant(db: Db): Promise<Begun> {
  await createTenant(db.system, demoTenant)
  const made = await findTenant(db)
  if (!made) throw new TypeError('the demo tenant was not made')
  return made
}

async function count(db: Db, tenantId: string): Promise<Pick<Demo, 'members' | 'purchases'>> {
  const [row] = await db.tenant(tenantId).query<{ members: bigint; purchases: bigint }>({
    text: `select (select count(*) from member m where own(m)) as members,
             (select count(*) from purchase p where own(p)) as purchases`,
    values: [],
  })
  return { members: Number(row?.members ?? 0), purchases: Number(row?.purchases ?? 0) }
}
