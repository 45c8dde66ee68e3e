import { createHash } from 'node:crypto'
import { settleLifecycle } from '../domains/lifecycle/index.ts'
import { registerMember } from '../domains/members/index.ts'
import { settleDue } from '../domains/points/index.ts'
import {
  importPurchases,
  type NewPurchase,
  recordPurchase,
  refundPurchase,
} from '../domains/purchases/index.ts'
import { settleTiers } from '../domains/tiers/index.ts'
import { type DeliveryPorts, deliverDue } from '../domains/touchpoints/index.ts'
import type { Db, Tx } from '../platform/db.ts'
import type { Operation } from '../platform/operation.ts'
import { fillSpaces } from './community.ts'
import { type LoadingDay, loadingDay } from './day.ts'
import { known, makePeople, type Person } from './people.ts'
import { publishProgram } from './program.ts'
import { type DemoPurchase, makePurchases } from './purchases.ts'
import { type Article, companions, lotion } from './shop.ts'

/** What loading the demo needs. */
export interface DemoPorts extends DeliveryPorts {
  readonly db: Db
}

/** Which tenant is filled. Days count back from the one it was made on, so that a load cut short goes on as it began. */
export interface Filling {
  readonly tenantId: string
  readonly madeAt: Date
  /** Hears of shares from 0 to 1. */
  onProgress(share: number): void
}

const MEMBERS = 300
const actor = 'operator:demo'

/** Fills the demo tenant; all of it may have been done before. */
export async function fillDemo(ports: DemoPorts, { tenantId, madeAt, onProgress }: Filling): Promise<void> {
  const tenant = ports.db.tenant(tenantId)
  const day = loadingDay(madeAt)
  const people = makePeople(MEMBERS)
  const purchases = makePurchases(people, day.monthOf)
  await registerAll(tenant, people, (share) => onProgress(0.2 * share))
  await publishProgram(tenant, actor)
  await importPurchases(tenant, rowsOf(purchases, day), {
    actor,
    rejected: ({ line, reason }) => {
      throw new TypeError(`purchase ${line} of the demo was rejected: ${reason}`)
    },
    committed: (sum) => onProgress(0.2 + (0.6 * (sum.purchases + sum.known)) / purchases.length),
  })
  await giveBack(tenant, purchases, day)
  onProgress(0.9)
  while ((await settleLifecycle(tenant, 500)) > 0);
  while ((await settleDue(tenant)) > 0);
  while ((await settleTiers(tenant, 500)) > 0);
  await recordFirst(tenant, people, madeAt)
  await fillSpaces(tenant, operation)
  await recordLast(tenant, people, madeAt)
  await deliverDue(ports.db, tenantId, ports)
  ports.announced?.()
  onProgress(1)
}

/** True once everything is there. */
export async function isFilled(tenant: Tx): Promise<boolean> {
  const rows = await tenant.query({
    text: 'select from purchase where own() and order_id = $1',
    values: [lastOrderId],
  })
  return rows.length > 0
}

const atOnce = 8

async function registerAll(
  tenant: Tx,
  people: readonly Person[],
  onProgress: (share: number) => void,
): Promise<void> {
  for (let i = 0; i < people.length; i += atOnce) {
    await Promise.all(
      people.slice(i, i + atOnce).map(({ member }) => registerMember(tenant, member, { actor })),
    )
    onProgress(i / people.length)
  }
}

async function* rowsOf(purchases: readonly DemoPurchase[], day: LoadingDay) {
  for (const [i, { person, daysAgo, minute, basket }] of purchases.entries()) {
    const lines = basket.map((item) => lineOf(person, item))
    yield {
      line: i + 1,
      externalId: person.member.externalId,
      orderId: orderIdOf(i),
      purchasedAt: day.at(daysAgo, minute).toISOString(),
      isLocal: false,
      currency: 'JPY',
      total: lines.reduce((sum, { amount }) => sum + amount, 0n),
      lines,
    }
  }
}

function orderIdOf(index: number): string {
  return `HS-${String(10_001 + index)}`
}

function lineOf({ member }: Person, { article, quantity }: { article: Article; quantity: number }) {
  return {
    sku: article.sku,
    name: article[member.locale],
    quantity,
    amount: BigInt(article.price * quantity),
  }
}

async function giveBack(tenant: Tx, purchases: readonly DemoPurchase[], day: LoadingDay): Promise<void> {
  for (const [i, { person, daysAgo, minute, returnedAfter }] of purchases.entries()) {
    if (returnedAfter === undefined) continue
    const orderId = orderIdOf(i)
    const refundedAt = day.at(daysAgo - returnedAfter, minute)
    const reason = person.member.locale === 'ja' ? '肌に合わなかったため' : 'It did not suit my skin'
    await refundPurchase(tenant, { orderId, refundedAt, reason }, operation(`refund:${orderId}`))
  }
}

/** The last order to be recorded: when it is there, all is. */
const lastOrderId = 'HS-20002'

/** The newest purchases come the everyday way, so that thank-yous are planned and found in the inbox: Anna's first one… */
async function recordFirst(tenant: Tx, people: readonly Person[], madeAt: Date): Promise<void> {
  await record(tenant, {
    person: find(people, known.anna),
    orderId: 'HS-20001',
    articles: [lotion],
    at: minutesBefore(madeAt, 95),
  })
}

/** … and one of Mika's. */
async function recordLast(tenant: Tx, people: readonly Person[], madeAt: Date): Promise<void> {
  const serum = companions.filter(({ sku }) => sku === 'SERUM-30')
  await record(tenant, {
    person: find(people, known.mika),
    orderId: lastOrderId,
    articles: [lotion, ...serum],
    at: minutesBefore(madeAt, 40),
  })
}

interface Sale {
  readonly person: Person
  readonly orderId: string
  readonly articles: readonly Article[]
  readonly at: Date
}

async function record(tenant: Tx, { person, orderId, articles, at }: Sale): Promise<void> {
  const lines = articles.map((article) => lineOf(person, { article, quantity: 1 }))
  const purchase: NewPurchase = {
    member: { externalId: person.member.externalId },
    orderId,
    purchasedAt: at,
    currency: 'JPY',
    total: lines.reduce((sum, { amount }) => sum + amount, 0n),
    lines,
  }
  await recordPurchase(tenant, purchase, operation(`purchase:${orderId}`))
}

function find(people: readonly Person[], externalId: string): Person {
  const person = people.find(({ member }) => member.externalId === externalId)
  if (!person) throw new TypeError(`the demo has nobody called ${externalId}`)
  return person
}

function minutesBefore(at: Date, minutes: number): Date {
  return new Date(at.getTime() - minutes * 60_000)
}

/** The same request at each run, so that it counts once. */
function operation(what: string): Operation {
  return { key: `demo:${what}`, hash: createHash('sha256').update(what).digest(), actor }
}
