// Whatever is done dry is answered as it would be, and leaves nothing.
import { isUnionType } from 'graphql'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { schema } from '../../api/schema.ts'
import { OWN, type Side } from '../security/own.ts'
import { testApp } from '../support/app.ts'
import { mutationOf } from '../support/asking.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { until } from '../support/until.ts'
import { makeWorld } from '../support/world.ts'
import { askDry, type DryAnswer } from './dry.ts'

const MUTATIONS = Object.keys(schema.getMutationType()?.getFields() ?? {})

/** They reach beyond the database, or count tries. */
const REFUSED = [
  'addIssuer',
  'checkChannel',
  ...MUTATIONS.filter((name) => {
    const type = schema.getType(`${name.slice(0, 1).toUpperCase()}${name.slice(1)}Result`)
    return isUnionType(type) && type.getTypes().some((each) => each.name === 'TooManyAttemptsError')
  }),
]

describe('every mutation', () => {
  const open = testApp({ role: 'web' })
  let side: Side
  let before: Record<string, string>
  const inputs: Record<string, object> = {}
  const dry: Record<string, DryAnswer> = {}

  beforeAll(async () => {
    const shop = await open()
    side = { shop, world: await makeWorld(shop, 'yuki') }
    for (const name of MUTATIONS) inputs[name] = await inputOf(name, side)
    before = await fingerprint(shop.ground.databaseUrl)
  })

  const asked = (name: string) => mutationOf(name, inputs[name] ?? {})

  test.each(MUTATIONS.filter((name) => !REFUSED.includes(name)))('%s', async (name) => {
    const { shop, world } = side
    const { query, variables } = asked(name)

    let answer = await askDry(shop, query, variables)
    if (answer.errors?.[0]?.extensions.code === 'FORBIDDEN')
      answer = await askDry(shop, query, variables, world.token)

    expect(answer).toMatchObject({ data: { [name]: { __typename: expect.stringMatching(/Payload$/) } } })
    expect(answer.extensions.dryRun).toBe(true)
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
    dry[name] = answer
  })

  test.each(REFUSED)('%s is refused, and says why', async (name) => {
    const { query, variables } = asked(name)
    const { errors } = await askDry(side.shop, query, variables)
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT', field: '@dryRun' } }])
    expect(await fingerprint(side.shop.ground.databaseUrl)).toEqual(before)
  })

  test('is answered alike when it is done for good', async () => {
    const { shop, world } = side
    // A whole program retires what others look for: it comes last.
    const last = ([name]: [string, unknown]) => Number(name === 'importProgram')
    for (const [name, { data }] of Object.entries(dry).sort((a, b) => last(a) - last(b))) {
      const { query, variables } = asked(name)
      const given = await shop.ask(shop.staff, query, variables)
      const isMembers = given.errors[0]?.code === 'FORBIDDEN'
      const real = isMembers ? await shop.ask(world.token, query, variables) : given
      expect([name, shapeOf(real.data)]).toEqual([name, shapeOf(data)])
    }
    expect(await fingerprint(shop.ground.databaseUrl)).not.toEqual(before)
  })
})

async function inputOf(name: string, side: Side): Promise<object> {
  const own = await OWN[`Mutation.${name}`]?.(side)
  if (own && 'input' in own) return Object(own.input)
  // The one that is looked at apart elsewhere.
  const jwks = { keys: [] }
  return { issuer: 'https://id.example', audience: 'shop', jwks, algorithms: ['ES256'] }
}

/** What kinds of things an answer holds: ids and instants are new each time. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return 'list'
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === '__typename' ? item : shapeOf(item)]),
  )
}

describe('a dry run', () => {
  const open = testApp({ role: 'both' })

  it('lets each mutation see what those before it did, refusals too, and leaves nothing', async () => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
    const before = await fingerprint(shop.ground.databaseUrl)
    const purchase = (total: number, key: string) => `recordPurchase(input: {idempotencyKey: "${key}",
      member: {externalId: "mia"}, orderId: "o-1", purchasedAt: "2026-04-01T00:00:00Z", currency: "JPY", total: ${total}}) {
      ... on RecordPurchasePayload { purchase { orderId } transaction { points } }
      ... on DuplicateOrderError { code purchase { total } } }`
    const { data, errors, extensions } = await askDry(
      shop,
      `mutation {
        registerMember(input: {idempotencyKey: "a", externalId: "mia", displayName: "Mia"}) {
          ... on RegisterMemberPayload { isNew member { displayName } } }
        first: ${purchase(1000, 'b')}
        again: ${purchase(900, 'c')}
        late: spendPoints(input: {idempotencyKey: "d", member: {externalId: "mia"}, points: 11, reason: "Soap"}) {
          ... on Error { code } }
        spendPoints(input: {idempotencyKey: "e", member: {externalId: "mia"}, points: 4, reason: "Soap"}) {
          ... on SpendPointsPayload { wallet { available } } }
      }`,
    )
    expect(errors).toBeUndefined()
    expect(data).toEqual({
      registerMember: { isNew: true, member: { displayName: 'Mia' } },
      first: { purchase: { orderId: 'o-1' }, transaction: { points: '10' } },
      again: { code: 'DUPLICATE_ORDER', purchase: { total: '1000' } },
      late: { code: 'INSUFFICIENT_POINTS' },
      spendPoints: { wallet: { available: '6' } },
    })
    expect(extensions).toMatchObject({ dryRun: true, cost: expect.anything() })
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  })

  it('remembers no key: the same request counts when it comes for good', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia')
    const { query, variables } = mutationOf('grantPoints', {
      member,
      points: 10,
      reason: 'Hi',
      idempotencyKey: 'k',
    })
    for (let i = 0; i < 2; i++) await askDry(shop, query, variables)
    expect((await shop.ask(shop.staff, query, variables)).data.grantPoints).toHaveProperty('transaction.id')
  })

  it('is as forbidden as the mutation itself', async () => {
    const shop = await open()
    const { by: member, token } = await shop.member('mia')
    const { query, variables } = mutationOf('grantPoints', { member, points: 10, reason: 'Hi' })
    const { errors } = await askDry(shop, query, variables, token)
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect((await askDry(shop, query, variables, '')).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ])
  })

  it('is only for mutations', async () => {
    const shop = await open()
    const { errors } = await askDry(shop, 'query { viewer { kind } }')
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' } }])
  })

  it('gives its locks back: what waited for it goes on', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia')
    await shop.do('grantPoints', { member, points: 10, reason: 'Hi' })
    const spend = mutationOf('spendPoints', { member, points: 1, reason: 'Soap' })
    const dry = Array.from({ length: 3 }, () => askDry(shop, spend.query, spend.variables))
    const real = Array.from({ length: 5 }, () =>
      shop.do('spendPoints', { member, points: 1, reason: 'Soap' }),
    )
    await Promise.all([...dry, ...real])
    const select = 'wallet { available }'
    const granted = await shop.do('grantPoints', { member, points: 1, reason: 'Hi' }, { select })
    expect(granted.wallet.available).toBe('6')
    await until(async () => (await shop.ground.app.db.system.query('select from outbox')).rowCount === 0)
  })
})
