import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, openDb, type Statement, type TenantClient } from '../../api/platform/db.ts'
import { firstWall } from '../../api/platform/first-wall.ts'
import { newId } from '../../api/platform/ids.ts'
import { type ReadArgs, type Reader, reader } from '../../api/platform/read/index.ts'
import { MODELS } from '../../api/platform/read/model.ts'
import { testDatabase } from '../support/database.ts'

/*
 * The reader answers exactly what Prisma's own client answers: whole random selections, with conditions, orders,
 * pages and cursors, over a small tenant beside another with the same names in it.
 */

const database = testDatabase()
let db: Db
let tenant: TenantClient
const texts: string[] = []
/** The models that are compared, with what the tenant holds of them. */
const tables = new Map<string, Record<string, unknown>[]>()

beforeAll(async () => {
  db = openDb({ url: database.url })
  const [ours, theirs] = [await settled('ours'), await settled('theirs')]
  tenant = ours
  for (const name of READ) tables.set(name, await prisma(name).findMany({}))
  for (const [name, rows] of tables) expect(rows.length, name).toBeGreaterThan(1)
  expect(await reader(theirs).member?.findMany()).toHaveLength(5)
})
afterAll(() => db.close())

const READ = [
  'Member',
  'Wallet',
  'Posting',
  'Op',
  'Lot',
  'Hold',
  'Purchase',
  'PurchaseLine',
  'StageChange',
  'LifecycleState',
  'Touchpoint',
]

/** Five members, of whom four bought; one purchase was given back, points were spent and one hold is open. */
async function settled(key: string): Promise<TenantClient> {
  const id = newId()
  await db.system.query(
    `insert into tenant (id, key, name, time_zone, locale) values ($1, $2, 'Shop', 'Asia/Tokyo', 'ja')`,
    [id, key],
  )
  const client = db.tenant(id)
  const call = (text: string, values: unknown[]) => client.query({ text: `select ${text}`, values })
  const hash = Buffer.alloc(32)
  for (const [i, name] of ['mia', 'noa', 'aoi', "o'hara", '花'].entries()) {
    await call(`member_register(null, null, $1, $2, $3, null, null, '{"skin": "dry"}', 'test')`, [
      name,
      name,
      i % 2 ? null : 'a@b',
    ])
    for (let n = 0; n < i; n++) {
      const at = new Date(Date.UTC(2026, 0, 1 + 3 * n + i, 0, 0, 0, 123))
      const lines = JSON.stringify([
        { sku: 'LOTION', quantity: 2, amount: '700' },
        { sku: 'SOAP', quantity: 1, amount: '300' },
      ])
      await call(`purchase_record($1, $2, null, $3, $1, $4, 'JPY', $5, $6, 'test')`, [
        `${name} ${n}`,
        hash,
        name,
        at,
        1000 + n,
        lines,
      ])
    }
    if (i > 1)
      await call(`points_spend($1, $2, null, $3, 3, null, 'Tea', 'test')`, [`spend ${name}`, hash, name])
    if (i > 2)
      await call(`points_hold($1, $2, null, $3, 2, null, 'P1D', 'Till', 'test')`, [
        `hold ${name}`,
        hash,
        name,
      ])
  }
  await call(`purchase_refund('refund', $1, '花 1', null, null, null, 'broken', 'test')`, [hash])
  return client
}

interface Delegate {
  findMany(args: object): Promise<Record<string, unknown>[]>
  findFirst(args: object): Promise<Record<string, unknown> | null>
}

function prisma(model: string): Delegate {
  return Reflect.get(tenant.prisma, lower(model)) as Delegate // the generated client has one for every model
}

function ours(model: string, client: TenantClient = heard(tenant)) {
  return (reader(client) as Reader)[lower(model)] ?? expect.fail(`there is no ${model}`)
}

/** The tenant, and what is sent for it. */
function heard(client: TenantClient): TenantClient {
  return {
    ...client,
    tenantId: client.tenantId,
    query: (statement) => {
      texts.push(statement.text)
      return client.query(statement)
    },
  }
}

const lower = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

// ── Random arguments ─────────────────────────────────────────────────────────────────────────────

const model = (name: string) => MODELS.get(name) ?? expect.fail(name)
const columnsOf = (name: string) => [...model(name).columns.values()].filter(({ isList }) => !isList)
/** Columns that can be sorted and compared by. */
const plainOf = (name: string) =>
  columnsOf(name)
    .filter(({ type }) => !['Json', 'Bytes'].includes(type))
    .map((c) => c.name)
const byKey = (name: string) =>
  model(name)
    .key.filter((column) => column !== 'tenantId')
    .map((column) => ({ [column]: 'asc' as const }))
const relationsOf = (name: string) =>
  [...model(name).relations.values()].filter(({ target }) => READ.includes(target))

const sampleOf = (name: string, column: string) =>
  fc.constantFrom(...(tables.get(name) ?? []).map((row) => row[column]))

/** A condition on one column, as Prisma lets it be written. */
function condition(name: string): fc.Arbitrary<Record<string, unknown>> {
  return fc.constantFrom(...plainOf(name)).chain((column) => {
    const value = sampleOf(name, column)
    const some = fc
      .uniqueArray(value, { minLength: 1, maxLength: 3 })
      .map((all) => ({ in: all.filter((each) => each !== null) }))
    const isNullable = (tables.get(name) ?? []).some((row) => row[column] === null)
    const isBoolean = model(name).columns.get(column)?.type === 'Boolean'
    const operand = fc.oneof(
      value,
      value.map((equals) => ({ equals })),
      ...(isBoolean ? [] : [some]),
      ...(isNullable ? [fc.constant({ not: null }), fc.constant(null)] : []),
    )
    return operand.map((asked) => ({ [column]: asked }))
  })
}

/** Conditions on the row and on the rows that it belongs to. */
function conditions(name: string): fc.Arbitrary<Record<string, unknown>> {
  const owners = relationsOf(name).filter(({ isList }) => !isList)
  const related = owners.map(({ name: field, target }) =>
    fc
      .oneof(
        condition(target),
        fc.array(condition(target), { minLength: 1, maxLength: 2 }).map((AND) => ({ AND })),
      )
      .map((of) => ({ [field]: of })),
  )
  const all = fc.array(fc.oneof(condition(name), ...related), { maxLength: 2 }).map((AND) => ({ AND }))
  return fc.oneof(fc.constant({}), condition(name), all, ...related)
}

/** Total orders: the key comes last. With `oneWay` all columns go the same way and none holds null, for cursors. */
function orders(name: string, oneWay: boolean) {
  const nullable = (column: string) => (tables.get(name) ?? []).some((row) => row[column] === null)
  const columns = plainOf(name).filter(
    (column) => !model(name).key.includes(column) && !(oneWay && nullable(column)),
  )
  const direction = fc.constantFrom('asc' as const, 'desc' as const)
  return fc
    .tuple(
      fc.shuffledSubarray(columns).map((all) => all.slice(0, 2)),
      direction,
      fc.array(direction, { minLength: 9, maxLength: 9 }),
    )
    .map(([chosen, way, ways]) => {
      const key = model(name).key.filter((column) => column !== 'tenantId')
      return [...chosen, ...key].map((column, i) => ({ [column]: oneWay ? way : (ways[i] ?? way) }))
    })
}

function selections(name: string, depth: number): fc.Arbitrary<object> {
  const columns = fc.subarray(
    columnsOf(name).map((column) => column.name),
    { minLength: 1 },
  )
  const relations =
    depth > 0 ? fc.shuffledSubarray(relationsOf(name)).map((all) => all.slice(0, 2)) : fc.constant([])
  return fc.tuple(columns, relations).chain(([chosen, related]) => {
    const inner = related.map(({ name: field, target, isList }) =>
      (isList ? pages(target, depth - 1) : selections(target, depth - 1)).map((of) => [field, of] as const),
    )
    return fc.tuple(fc.boolean(), ...inner).map(([includes, ...fields]) => {
      const children = Object.fromEntries(fields)
      if (includes && fields.length > 0) return { include: children }
      return { select: { ...Object.fromEntries(chosen.map((column) => [column, true])), ...children } }
    })
  })
}

/** A page of a list, the last rows of it when `take` is negative. */
function pages(name: string, depth: number): fc.Arbitrary<object> {
  const take = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: -4, max: -1 }),
  )
  return fc
    .tuple(
      selections(name, depth),
      conditions(name),
      orders(name, false),
      take,
      fc.integer({ min: 0, max: 2 }),
    )
    .map(([fields, where, orderBy, size, skip]) => ({
      ...fields,
      where,
      orderBy,
      ...(size !== undefined && { take: size, skip }),
    }))
}

/** One model with random arguments that read it; made when the tenant is there. */
const questions = (of: (name: string) => fc.Arbitrary<object>) =>
  fc.constantFrom(...READ).chain((name) => of(name).map((args) => ({ name, args: args as ReadArgs })))

describe('the reader answers as Prisma does', () => {
  test('lists with conditions, orders, pages and whatever belongs to their rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        questions((name) => pages(name, 2)),
        async ({ name, args }) => {
          expect(await ours(name).findMany(args)).toEqual(await prisma(name).findMany(args))
        },
      ),
      { numRuns: 250 },
    )
  })

  test('first rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        questions((name) => pages(name, 1)),
        async ({ name, args: { take: _, ...args } }) => {
          expect(await ours(name).findFirst(args)).toEqual(await prisma(name).findFirst(args))
        },
      ),
      { numRuns: 100 },
    )
  })

  test('pages from a cursor on, and after it, in both directions', async () => {
    const cursors = questions((name) =>
      fc.record({
        orderBy: orders(name, true),
        take: fc.integer({ min: -4, max: 4 }).filter((size) => size !== 0),
        skip: fc.integer({ min: 0, max: 3 }),
        at: fc.nat(50),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cursors, async ({ name, args }) => {
        const { at, ...page } = args as ReadArgs & { at: number }
        const rows = tables.get(name) ?? []
        const row = rows[at % rows.length] ?? {}
        const { key } = model(name)
        const cursor = { [key.join('_')]: Object.fromEntries(key.map((column) => [column, row[column]])) }
        expect(await ours(name).findMany({ ...page, cursor })).toEqual(
          await prisma(name).findMany({ ...page, cursor }),
        )
      }),
      { numRuns: 150 },
    )
  })
})

test('rows by key that are asked for in one tick are one statement, and null where there is none', async () => {
  const members = tables.get('Member') ?? []
  const before = texts.length
  const member = ours('Member')
  const ids = [...members.map(({ id }) => id), newId()]
  const found = await Promise.all(
    ids.map((id) =>
      member.findUnique({
        where: { tenantId_id: { tenantId: tenant.tenantId, id } },
        select: { externalId: true },
      }),
    ),
  )
  expect(found.map((row) => row?.externalId)).toEqual([
    ...members.map(({ externalId }) => externalId),
    undefined,
  ])
  expect(texts.length - before).toBe(1)
})

test('every statement carries the first wall, which alone keeps the other tenant out', async () => {
  expect(texts.length).toBeGreaterThan(500)
  expect(texts.filter((text) => !text.includes(' where own(t0)'))).toEqual([])
  const isJoined = (text: string) =>
    [...text.matchAll(/ (t[1-9]\d*) where /g)].every(([, alias]) => text.includes(`${alias}.tenant_id = t`))
  expect(texts.filter((text) => !isJoined(text))).toEqual([])
  // The superuser passes the second wall.
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const walled = firstWall({ without: false, nameOf: () => '' })
  const query = async <Row>(statement: Statement) =>
    (await pool.query(walled(tenant.tenantId, statement))).rows as Row[] // what the statement returns
  const bare = { ...tenant, tenantId: tenant.tenantId, query }
  for (const name of READ) {
    const include = Object.fromEntries(
      relationsOf(name).map(({ name: field, target, isList }) => [
        field,
        isList ? { orderBy: byKey(target) } : true,
      ]),
    )
    const args = { orderBy: byKey(name), include }
    expect(await ours(name, bare).findMany(args), name).toEqual(await prisma(name).findMany(args))
  }
  await pool.end()
})

test.each([
  [
    'an operator',
    'Member',
    { where: { externalId: { startsWith: 'm' } } },
    'the reader does not know the operator startsWith',
  ],
  ['a comparison', 'Purchase', { where: { total: { gt: 1n } } }, 'the reader does not know the operator gt'],
  ['a negation', 'Member', { where: { email: { not: 'a@b' } } }, 'the reader does not know the operator not'],
  ['a column of conditions', 'Member', { where: { nickname: 'm' } }, 'Member cannot be asked by nickname'],
  ['an alternative', 'Member', { where: { OR: [{ externalId: 'm' }] } }, 'Member cannot be asked by OR'],
  ['a condition on nothing', 'Purchase', { where: { member: {} } }, 'nothing is asked of member'],
  ['a field', 'Member', { select: { nickname: true } }, 'Member has no field nickname'],
  ['an order', 'Member', { orderBy: { nickname: 'asc' } }, 'Member has no column nickname'],
  [
    'a cursor of two ways',
    'Purchase',
    { orderBy: [{ total: 'asc' }, { id: 'desc' }], take: 1, cursor: { id: newId() } },
    'a cursor needs an order whose columns all go the same way',
  ],
] as const)('%s that is unknown is refused, not left out', async (_, name, args, message) => {
  await expect(ours(name).findMany(args)).rejects.toThrow(message)
})

test('the same shape with other values is the same statement', async () => {
  const before = texts.length
  const ask = (externalId: string, take: number) =>
    ours('Member').findMany({ where: { externalId }, take, select: { displayName: true } })
  expect(await ask('mia', 1)).toEqual([{ displayName: 'mia' }])
  expect(await ask("o'hara", 2)).toEqual([{ displayName: "o'hara" }])
  expect(new Set(texts.slice(before)).size).toBe(1)
})

test('nothing is another question than something, and before than after', async () => {
  const names = async (args: ReadArgs) =>
    (
      await ours('Member').findMany({ ...args, select: { externalId: true }, orderBy: { externalId: 'asc' } })
    ).map(({ externalId }) => externalId)
  expect(await names({ where: { email: null } })).toEqual(['noa', "o'hara"])
  expect(await names({ where: { email: 'a@b' } })).toEqual(['aoi', 'mia', '花'])
  expect(await names({ where: { email: { equals: null } } })).toEqual(['noa', "o'hara"])
  expect(await names({ where: { email: { equals: 'a@b' } } })).toEqual(['aoi', 'mia', '花'])
  expect(await names({ take: 2 })).toEqual(['aoi', 'mia'])
  expect(await names({ take: -2 })).toEqual(["o'hara", '花'])
  expect(await names({ take: 2, skip: 1 })).toEqual(['mia', 'noa'])
})
