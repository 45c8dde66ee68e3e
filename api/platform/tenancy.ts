import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { BadInputError } from './errors/index.ts'

/** A tenant as the rest of the product needs it. */
export interface Tenant {
  /** A uuid. */
  readonly id: string
  /** The short name, as in addresses. Unique, and never changes. */
  readonly key: string
  readonly name: string
  /** An IANA time zone. */
  readonly timeZone: string
  /** A BCP 47 tag. */
  readonly locale: string
  /** Whether the tenant lives on a test clock. Decided when it is made. */
  readonly hasTestClock: boolean
}

/** Looks tenants up; answers may be up to two seconds old. Undefined when there is no such tenant. */
export interface TenantDirectory {
  byId(id: string): Promise<Tenant | undefined>
  byKey(key: string): Promise<Tenant | undefined>
}

/** What a new tenant is made of. `testClock` is where its test clock starts; without it, it has none. */
export interface NewTenant {
  readonly key: string
  readonly name: string
  readonly timeZone: string
  readonly locale: string
  readonly testClock?: Date
}

const scope = new AsyncLocalStorage<string>()

/**
 * Runs the work as one tenant: the scoped pool reads the tenant from here. Whatever the work starts
 * and returns runs inside, lazy promises such as Prisma's too. The id is a uuid.
 */
export function inTenant<T>(tenantId: string, work: () => PromiseLike<T>): Promise<T> {
  // The await is what starts a lazy promise, so it has to happen in here.
  return scope.run(tenantId, async () => await work())
}

/** The tenant that `inTenant` runs for, if any. */
export function currentTenant(): string | undefined {
  return scope.getStore()
}

const FRESH_FOR_MS = 2_000
const REMEMBERED = 10_000

/** The directory over the system pool. It remembers what it read, absences too, for two seconds. */
export function openTenants(system: pg.Pool): TenantDirectory {
  const known = new Map<string, { readonly until: number; readonly tenant: Promise<Tenant | undefined> }>()

  function find(column: 'id' | 'key', value: string): Promise<Tenant | undefined> {
    const name = `${column}:${value}`
    const now = performance.now()
    const before = known.get(name)
    if (before && before.until > now) return before.tenant

    const tenant = readTenant(system, column, value)
    if (known.size >= REMEMBERED) known.clear()
    known.set(name, { until: now + FRESH_FOR_MS, tenant })
    tenant.catch(() => known.delete(name))
    return tenant
  }

  return {
    byId: async (id) => (UUID.test(id) ? find('id', id.toLowerCase()) : undefined),
    byKey: async (key) => (KEY.test(key) ? find('key', key) : undefined),
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const KEY = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Whether the text is a uuid in its usual form. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}

interface TenantRow {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly time_zone: string
  readonly locale: string
  readonly has_test_clock: boolean
}

const COLUMNS = 'id, key, name, time_zone, locale, clock_at is not null as has_test_clock'

async function readTenant(system: pg.Pool, column: 'id' | 'key', value: string): Promise<Tenant | undefined> {
  const { rows } = await system.query<TenantRow>({
    name: `tenant_by_${column}`,
    text: `select ${COLUMNS} from tenant where ${column} = $1`,
    values: [value],
  })
  return rows[0] && toTenant(rows[0])
}

function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    timeZone: row.time_zone,
    locale: row.locale,
    hasTestClock: row.has_test_clock,
  }
}

/**
 * Makes a tenant. Throws BadInputError, naming the field, for a key that is taken or malformed, a
 * name that is empty or longer than 200 characters, and an unknown time zone or locale.
 */
export async function createTenant(system: pg.Pool, input: NewTenant): Promise<Tenant> {
  if (!KEY.test(input.key)) {
    throw new BadInputError(
      'key',
      'A key is 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen.',
    )
  }
  const name = input.name.trim()
  if (name === '' || [...name].length > 200) {
    throw new BadInputError('name', 'A name has 1 to 200 characters.')
  }
  const timeZone = knownTimeZone(input.timeZone)
  const locale = knownLocale(input.locale)
  try {
    const { rows } = await system.query<TenantRow>(
      // The condition makes the database judge the zone too: it brings its own list.
      `insert into tenant (id, key, name, time_zone, locale, clock_at)
       select uuid_v7(), $1, $2, $3, $4, $5 where now() at time zone $3 is not null
       returning ${COLUMNS}`,
      [input.key, name, timeZone, locale, input.testClock ?? null],
    )
    const [row] = rows
    if (!row) throw new TypeError('the insert returned no tenant')
    return toTenant(row)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '23505')
      throw new BadInputError('key', `There is a tenant with the key ${input.key} already.`)
    if (code === '22023') throw unknownTimeZone(input.timeZone)
    throw error
  }
}

function knownTimeZone(given: string): string {
  // A letter first: an offset such as +09:00 is no zone, it has no daylight saving.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(given)) throw unknownTimeZone(given)
  try {
    new Intl.DateTimeFormat('en', { timeZone: given })
    return given
  } catch {
    throw unknownTimeZone(given)
  }
}

function unknownTimeZone(given: string): BadInputError {
  return new BadInputError('timeZone', `${given} is not a time zone. Give an IANA name such as Asia/Tokyo.`)
}

function knownLocale(given: string): string {
  try {
    const [locale] = Intl.getCanonicalLocales(given)
    if (locale !== undefined) return locale
  } catch {
    // Fall through to the same answer.
  }
  throw new BadInputError('locale', `${given} is not a language tag. Give one such as ja-JP.`)
}
