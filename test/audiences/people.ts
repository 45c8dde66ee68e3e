/** A small town of members: written to a database, and asked by a plain reading of the same rules. */
import fc from 'fast-check'
import pg from 'pg'
import { BANDS, bandAt } from '../../api/domains/lifecycle/freshness.ts'
import { newId } from '../../api/platform/ids.ts'

/** Where the tenant's test clock stands. */
export const NOW = new Date('2026-03-31T09:00:00.000Z')

const HOUR = 3_600_000

/** One member with everything that a rule can ask about. Spans are in hours before NOW; negative lies ahead. */
export interface Person {
  readonly id: string
  readonly membership: 'ACTIVE' | 'PAUSED' | 'ENDED'
  readonly attributes: Readonly<Record<string, unknown>>
  /** Null: nothing is known of the lifecycle. */
  readonly lifecycle: {
    readonly stage: string
    readonly silent: { readonly since: number; readonly stage: string } | null
    readonly band: string
    readonly crossing: number | null
    readonly last: number
    readonly A: number
    readonly B: number
    readonly k: number
  } | null
  readonly purchases: readonly {
    readonly ago: number
    readonly state: 'COMPLETED' | 'PARTLY_REFUNDED' | 'REFUNDED'
    readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly refunded: number }[]
  }[]
}

export const STAGES = ['visitor', 'prospect', 'customer', 'repeat', 'lapsed']
export const SKUS = ['LOTION', 'SOAP', "O'Neill; --"]
/** Values that look alike but differ as JSON, and text whose order depends on how it is compared. */
export const VALUES = [
  0,
  1,
  1.5,
  -2,
  30,
  1e21,
  '1',
  '30',
  '',
  'dry',
  'Dry',
  'ö',
  '～',
  '𝕏',
  "' or true --",
  true,
  false,
]
export const NAMES = ['age', 'skin', 'vip', 'own(m)', "x' or '1'='1"]

const hours = fc.integer({ min: -2, max: 24 * 60 })
const line = fc
  .record({ sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 2 }), refunded: fc.nat(2) })
  .map((each) => ({ ...each, refunded: Math.min(each.refunded, each.quantity) }))

/** Any person. */
export const anyPerson: fc.Arbitrary<Person> = fc.record({
  id: fc.constant(0).map(newId),
  membership: fc.constantFrom('ACTIVE', 'PAUSED', 'ENDED'),
  attributes: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES, null, ['dry'], { age: 1 })),
  lifecycle: fc.option(
    fc.record({
      stage: fc.constantFrom(...STAGES),
      silent: fc.option(fc.record({ since: hours, stage: fc.constantFrom(...STAGES) })),
      band: fc.constantFrom(...BANDS),
      crossing: fc.option(hours),
      last: fc.nat(24 * 400),
      A: fc.double({ min: 0.5, max: 20, noNaN: true }),
      B: fc.double({ min: 1, max: 60, noNaN: true }),
      k: fc.constantFrom(1, 2),
    }),
    { freq: 8 },
  ),
  purchases: fc.array(
    fc.record({
      ago: hours,
      state: fc.constantFrom('COMPLETED', 'COMPLETED', 'PARTLY_REFUNDED', 'REFUNDED'),
      lines: fc.array(line, { maxLength: 2 }),
    }),
    { maxLength: 4 },
  ),
})

/** Writes a tenant with these members, as somebody who may do everything. Returns the tenant's id. */
export async function settle(url: string, people: readonly Person[]): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const tenant = newId()
  const at = (ago: number) => new Date(NOW.getTime() - ago * HOUR)
  try {
    await client.query('begin')
    await client.query("select set_config('app.tenant', $1, true)", [tenant])
    await client.query(
      `insert into tenant (id, key, name, time_zone, locale, clock_at) values ($1, $2, 'Town', 'Asia/Tokyo', 'ja', $3)`,
      [tenant, `town-${tenant}`, NOW],
    )
    for (const sku of SKUS) {
      await client.query('insert into product (tenant_id, sku, first_seen_at) values ($1, $2, $3)', [
        tenant,
        sku,
        NOW,
      ])
    }
    for (const person of people) await move(client, tenant, person, at)
    await client.query('commit')
  } finally {
    await client.end()
  }
  return tenant
}

async function move(
  client: pg.Client,
  tenant: string,
  person: Person,
  at: (ago: number) => Date,
): Promise<void> {
  const { id, membership, lifecycle: life } = person
  const end = membership === 'ENDED' ? NOW : null
  await client.query(
    `insert into member (tenant_id, id, external_id, display_name, locale, time_zone, attributes, registered_at,
       membership, membership_since, ended_at, membership_end)
     values ($1, $2::uuid, $2::uuid::text, 'Somebody', 'ja', 'Asia/Tokyo', $3, $4, $5, $4, $6, $7)`,
    [tenant, id, JSON.stringify(person.attributes), NOW, membership, end, end && 'LEFT'],
  )
  await client.query('delete from lifecycle_state where tenant_id = $1 and member_id = $2', [tenant, id])
  if (life) {
    await client.query(
      `insert into lifecycle_state (tenant_id, member_id, stage, silent_at, silent_stage, band, next_band_at, first_at,
         last_at, rhythm_a, rhythm_b, rhythm_k) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11)`,
      [
        tenant,
        id,
        life.stage,
        life.silent && at(life.silent.since),
        life.silent?.stage,
        life.band,
        life.crossing === null ? null : at(life.crossing),
        at(life.last),
        life.A,
        life.B,
        life.k,
      ],
    )
  }
  for (const { ago, state, lines } of person.purchases) {
    const purchase = newId()
    await client.query(
      `insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total, refunded, state, refunded_at)
       values ($1, $2::uuid, $3, $2::uuid::text, $4, 'JPY', 100, case $5::text when 'REFUNDED' then 100 else 0 end, $5,
               case $5::text when 'REFUNDED' then $4::timestamptz end)`,
      [tenant, purchase, id, at(ago), state],
    )
    for (const [i, { sku, quantity, refunded }] of lines.entries()) {
      await client.query(
        `insert into purchase_line (tenant_id, purchase_id, line, sku, quantity, amount, refunded_quantity)
         values ($1, $2, $3, $4, $5, 50, $6)`,
        [tenant, purchase, i + 1, sku, quantity, refunded],
      )
    }
  }
}

/** A rule as JSON; any of the language. */
export type Json = Readonly<Record<string, unknown>>

/** Whether a person matches a rule, read as plainly as the documentation says it. */
export function matches(person: Person, rule: Json): boolean {
  const [entry] = Object.entries(rule)
  const [word, given] = entry ?? ['', undefined]
  const read = readings[word]
  if (!read) throw new TypeError(`no reading of ${word}`)
  return read(person, given as never) // each reading says what its word is given
}

interface Attribute {
  readonly name: string
  readonly equals?: unknown
  readonly in?: readonly unknown[]
  readonly atLeast?: string | number
  readonly atMost?: string | number
}
interface Count {
  readonly atLeast?: number
  readonly atMost?: number
  readonly within?: keyof typeof HOURS
  readonly sku?: string
}
/** Lengths of time that rules use here. */
export const HOURS = { P7D: 168, P30D: 720, PT12H: 12, P1W: 168 } as const

const readings: Record<string, (person: Person, given: never) => boolean> = {
  all: (person, rules: readonly Json[]) => rules.every((rule) => matches(person, rule)),
  any: (person, rules: readonly Json[]) => rules.some((rule) => matches(person, rule)),
  not: (person, rule: Json) => !matches(person, rule),
  membership: (person, statuses: readonly string[]) => statuses.includes(person.membership),
  stage({ lifecycle: life }, stages: readonly string[]) {
    if (!life) return false
    return stages.includes(life.silent && life.silent.since > 0 ? life.silent.stage : life.stage)
  },
  freshnessBand({ lifecycle: life }, bands: readonly string[]) {
    if (!life) return false
    const isDue = life.crossing !== null && life.crossing >= 0
    return bands.includes(
      isDue ? bandAt({ ...life, lastAt: new Date(NOW.getTime() - life.last * HOUR) }, NOW) : life.band,
    )
  },
  attribute({ attributes }, { name, equals, in: values, atLeast, atMost }: Attribute) {
    if (!Object.hasOwn(attributes, name)) return false
    const value = attributes[name]
    if (equals !== undefined) return value === equals
    if (values) return values.includes(value)
    return (
      (atLeast === undefined || order(value, atLeast) >= 0) &&
      (atMost === undefined || order(value, atMost) <= 0)
    )
  },
  purchases({ purchases }, { atLeast = 0, atMost = Infinity, within, sku }: Count) {
    const standing = purchases.filter(
      ({ ago, state, lines }) =>
        state !== 'REFUNDED' &&
        (!within || ago <= HOURS[within]) &&
        (!sku || lines.some((each) => each.sku === sku && each.refunded < each.quantity)),
    )
    return standing.length >= atLeast && standing.length <= atMost
  },
}

/** Order of two values of one type, by number or by code point; NaN when the types differ. */
function order(value: unknown, bound: string | number): number {
  if (typeof value === 'number' && typeof bound === 'number') return value - bound
  if (typeof value === 'string' && typeof bound === 'string')
    return Buffer.compare(Buffer.from(value), Buffer.from(bound))
  return Number.NaN
}
