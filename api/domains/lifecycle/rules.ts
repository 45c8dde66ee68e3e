import type { TenantClient } from '../../platform/db.ts'
import type { BandEdges, FreshnessModel } from './freshness.ts'

/** A stage of the lifecycle in force. */
export interface StageRow {
  readonly key: string
  readonly position: number
  /** Texts by language. */
  readonly name: Readonly<Record<string, string>>
  readonly goal: Readonly<Record<string, string>> | null
}

/** What a tenant has declared: its stages in order, and the model behind freshness. */
export interface LifecycleRules {
  readonly stages: readonly StageRow[]
  readonly model: FreshnessModel
  readonly basis: 'DECLARED' | 'FITTED'
  readonly edges: BandEdges
}

const FRESH_FOR_MS = 2_000
const REMEMBERED = 10_000
const known = new Map<string, { readonly until: number; rules: LifecycleRules | Promise<LifecycleRules> }>()

/** The rules in force, one statement; what it read it remembers for two seconds, and then answers at once. */
export function rulesOf(db: TenantClient): LifecycleRules | Promise<LifecycleRules> {
  const now = performance.now()
  const found = known.get(db.tenantId)
  if (found && found.until > now) return found.rules
  if (known.size >= REMEMBERED) known.clear()
  const reading = readRules(db)
  const entry = { until: now + FRESH_FOR_MS, rules: reading as LifecycleRules | Promise<LifecycleRules> }
  known.set(db.tenantId, entry)
  reading.then(
    (rules) => {
      entry.rules = rules
    },
    () => known.delete(db.tenantId),
  )
  return reading
}

async function readRules(db: TenantClient): Promise<LifecycleRules> {
  const [row] = await db.query<FreshnessModel & Omit<LifecycleRules, 'model'>>({
    name: 'lifecycle_rules',
    text: `select f.r, f.alpha, f.a, f.b, f.k, f.basis, f.edges, (
             select json_agg(json_build_object('key', s.key, 'position', s.position, 'name', s.name, 'goal', s.goal)
                             order by s.position)
             from stage s where s.tenant_id = f.tenant_id
               and s.version = (select max(l.version) from lifecycle l where l.tenant_id = f.tenant_id)
           ) as stages
           from freshness_model f where own(f)`,
    values: [],
  })
  if (!row) throw new TypeError('the tenant has no lifecycle')
  const { stages, basis, edges, ...model } = row
  return { stages, basis, edges, model }
}

/** A stage of the tenant by its key. Throws when the rules know none. */
export function stageOf({ stages }: LifecycleRules, key: string): StageRow {
  const stage = stages.find((each) => each.key === key)
  if (!stage) throw new TypeError(`no stage ${key}`)
  return stage
}
