import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { registerMember } from '../../api/domains/members/index.ts'
import { receiveOffer, settleOffers } from '../../api/domains/offers/index.ts'
import { recordPurchase, refundPurchase } from '../../api/domains/purchases/index.ts'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { NotFoundError, RefundExceedsPurchaseError } from '../../api/platform/errors/index.ts'
import { testDatabase } from '../support/database.ts'
import { type ModelOffer, OfferModel } from './model.ts'
import { completed, hour, importLog, openTenant, publishOffers } from './tenant.ts'

/*
 * The rule against a model that knows nothing of it: the same facts one at a time, and through the import, complete
 * the same receipts by the same orders. Hours, amounts and thresholds are few, so that ends, ties and thresholds are
 * met exactly.
 */

const OFFERS: readonly ModelOffer[] = (['SPEND_TOTAL', 'SINGLE_PURCHASE'] as const).flatMap((type) =>
  (['AT_LEAST', 'ABOVE'] as const).flatMap((thresholdIs) =>
    (['INCLUSIVE', 'EXCLUSIVE'] as const).flatMap((endIs, i) =>
      [undefined, 'JPY'].map((currency, j) => ({
        key: `${type}-${thresholdIs}-${endIs}-${currency ?? 'any'}`,
        type,
        thresholdIs,
        endIs,
        threshold: type === 'SPEND_TOTAL' ? 6 + j : 4,
        validFor: 4 + 3 * i,
        ...(currency && { currency }),
      })),
    ),
  ),
)

const database = testDatabase()
let db: Db
let oneByOne: TenantClient
let inBatches: TenantClient
let members = 0

beforeAll(async () => {
  db = openDb({ url: database.url, appConnections: 4, systemConnections: 1 })
  oneByOne = await openTenant(db, 100)
  inBatches = await openTenant(db, -24)
  const bodies = OFFERS.map(({ key, validFor, threshold, ...offer }) => [
    key,
    { ...offer, threshold: String(threshold), validFor: `PT${validFor}H` },
  ])
  for (const tx of [oneByOne, inBatches]) await publishOffers(tx, Object.fromEntries(bodies))
  return () => db.close()
})

const at = fc.integer({ min: 0, max: 14 })
const order = fc.integer({ min: 0, max: 11 })
const fact = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ is: fc.constant('receipt' as const), offer: fc.nat(OFFERS.length - 1), at }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      is: fc.constant('purchase' as const),
      at,
      total: fc.integer({ min: 0, max: 6 }),
      currency: fc.constantFrom('JPY', 'JPY', 'USD'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('refund' as const),
      order,
      amount: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('settle' as const) }) },
)
type Fact = typeof fact extends fc.Arbitrary<infer T> ? T : never

const operation = () => ({ key: randomUUID(), hash: Buffer.alloc(32), actor: 'staff:test' })

test('one at a time and in batches, late and out of order, refunded or not: the same completions as the model', async () => {
  const counts = { completions: 0, runs: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fact, { minLength: 8, maxLength: 30 }),
      fc.boolean(),
      async (given, isInOrder) => {
        const facts = isInOrder ? inOrder(given) : given
        const expected = modelled(facts)
        const prefix = `m${members++}-`
        await applyOneByOne(facts, prefix)
        await applyInBatches(facts, prefix)
        expect(await completed(oneByOne, prefix)).toEqual(expected.map((text) => rename(text, prefix)))
        expect(await completed(inBatches, prefix)).toEqual(expected.map((text) => rename(text, prefix)))
        counts.completions += expected.length
        counts.runs++
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 20), seed: Number(process.env.SEED ?? 4), endOnFailure: true },
  )
  console.log(counts)
  expect(counts.completions).toBeGreaterThan(25)
}, 60_000)

/** In time order, as far as facts have a time; those of one instant as they were. */
function inOrder(facts: readonly Fact[]): Fact[] {
  const timed = facts.filter((each) => 'at' in each).toSorted((a, b) => a.at - b.at)
  return [...timed, ...facts.filter((each) => !('at' in each))]
}

const rename = (text: string, prefix: string) => text.replaceAll(/(^|: )/g, `$1${prefix}`)

function modelled(facts: readonly Fact[]): string[] {
  const model = new OfferModel()
  for (const [i, one] of facts.entries()) {
    if (one.is === 'receipt') model.receive(`R${i}`, OFFERS[one.offer] as ModelOffer, one.at)
    if (one.is === 'purchase') model.purchase(`P${i}`, one)
    if (one.is === 'refund') model.refund(orderOf(facts, i), one.amount)
  }
  return model.completions()
}

/** The order that a refund is about: any of those before it. */
function orderOf(facts: readonly Fact[], i: number): string {
  const orders = facts.flatMap((each, j) => (each.is === 'purchase' && j < i ? [`P${j}`] : []))
  const one = facts[i]
  return (one?.is === 'refund' && orders[one.order % Math.max(orders.length, 1)]) || 'P-none'
}

async function applyOneByOne(facts: readonly Fact[], prefix: string): Promise<void> {
  const member = { externalId: `${prefix}x` }
  await registerMember(oneByOne, { ...member, displayName: 'Ann' }, { actor: 'staff:test' })
  for (const [i, one] of facts.entries()) {
    if (one.is === 'settle') await settleOffers(oneByOne, 100)
    if (one.is === 'refund') await refund(oneByOne, `${prefix}${orderOf(facts, i)}`, one.amount)
    if (one.is === 'receipt') {
      const offer = (OFFERS[one.offer] as ModelOffer).key
      const at = new Date(hour(one.at))
      await receiveOffer(
        oneByOne,
        { member, offer, receipt: `${prefix}R${i}`, at, way: 'RECEIVED' },
        operation(),
      )
    }
    if (one.is === 'purchase') {
      const { currency, total } = one
      const bought = { currency, total: BigInt(total), lines: [], purchasedAt: new Date(hour(one.at)) }
      await recordPurchase(oneByOne, { member, orderId: `${prefix}P${i}`, ...bought }, operation())
    }
  }
}

/** Lines go together until a refund comes between; everything twice, the second time for nothing. */
async function applyInBatches(facts: readonly Fact[], prefix: string): Promise<void> {
  const member = `${prefix}x`
  let lines: object[] = []
  const flush = async () => {
    const { rejected } = await importLog(inBatches, lines)
    expect(rejected).toEqual([])
    const { sum } = await importLog(inBatches, lines)
    expect(sum).toMatchObject({ receipts: 0, purchases: 0, known: lines.length })
    lines = []
  }
  for (const [i, one] of facts.entries()) {
    if (one.is === 'refund' && lines.length > 0) await flush()
    if (one.is === 'refund') await refund(inBatches, `${prefix}${orderOf(facts, i)}`, one.amount)
    if (one.is === 'receipt') {
      const offer = (OFFERS[one.offer] as ModelOffer).key
      lines.push({ kind: 'receipt', key: `${prefix}R${i}`, member, offer, at: hour(one.at) })
    }
    if (one.is === 'purchase') {
      const { currency, total } = one
      lines.push({ kind: 'purchase', member, orderId: `${prefix}P${i}`, at: hour(one.at), currency, total })
    }
  }
  if (lines.length > 0) await flush()
}

/** As far as there is so much to give back; the model knows by itself whether there is. */
async function refund(tx: TenantClient, orderId: string, amount: number | null): Promise<void> {
  const given = { orderId, amount: amount === null ? null : BigInt(amount) }
  await refundPurchase(tx, given, operation()).catch((error) => {
    if (!(error instanceof RefundExceedsPurchaseError || error instanceof NotFoundError)) throw error
  })
}
