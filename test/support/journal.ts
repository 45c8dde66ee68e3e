import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ask, mutationOf } from './asking.ts'
import type { Fleet } from './fleet.ts'
import { onServer } from './server.ts'

/** What a client was told of one request: the transaction, and how often it had to ask. */
interface Entry {
  readonly transaction: string
  readonly tries: number
}

/** What clients did to one wallet, each request until it was answered. */
export interface Journal {
  /** By idempotency key. */
  readonly acknowledged: ReadonlyMap<string, Entry>
  /** Answers to a key that differed from an earlier answer to it. */
  readonly wrongReplays: number
  /** Answers since it began; grows while clients work. */
  readonly answers: number
}

/** Clients who grant points to one member, each under keys of its own, until they are told to stop. */
export class Clients {
  readonly journal = { acknowledged: new Map<string, Entry>(), wrongReplays: 0, answers: 0 }
  readonly #fleet: Fleet
  readonly #working: Promise<unknown>
  #isOver = false

  constructor(fleet: Fleet, token: string, member: string, count: number) {
    this.#fleet = fleet
    this.#working = Promise.all(Array.from({ length: count }, () => this.#work(token, member)))
    this.#working.catch(() => {}) // whoever stops them hears of it
  }

  /** Resolves when every request that was begun is answered. */
  async stop(): Promise<Journal> {
    this.#isOver = true
    await this.#working
    return this.journal
  }

  async #work(token: string, member: string): Promise<void> {
    while (!this.#isOver) {
      const idempotencyKey = randomUUID()
      const input = { idempotencyKey, member: { externalId: member }, points: 1, reason: 'Traffic' }
      await this.#until(token, input)
      // Now and then an answered request is sent again, as a client that crashed would.
      if (Math.random() < 0.2) await this.#until(token, input)
      await delay(Math.random() * 20) // leaves the processors to what is being proven
    }
  }

  /** Asks any node, again and again with the same key, until one answers. */
  async #until(token: string, input: { idempotencyKey: string }): Promise<void> {
    for (let tries = 1; ; tries++) {
      const node = this.#fleet.nodes[Math.floor(Math.random() * this.#fleet.nodes.length)]
      const answer = await ask(node?.url ?? '', token, mutationOf('grantPoints', input)).catch(
        () => undefined,
      )
      const transaction = answer?.data?.grantPoints?.transaction?.id
      if (transaction) return this.#note(input.idempotencyKey, { transaction, tries })
      // It may be done although the answer could not be read: only the next try tells.
      const refusal = answer?.errors.find(({ code }) => code !== 'UNAVAILABLE')
      if (refusal) throw new Error(`${refusal.code}: ${refusal.message}`)
      await delay(20 + Math.random() * 60)
    }
  }

  #note(key: string, entry: Entry): void {
    const { journal } = this
    journal.answers++
    const before = journal.acknowledged.get(key)
    if (!before) journal.acknowledged.set(key, entry)
    else if (before.transaction !== entry.transaction) journal.wrongReplays++
  }
}

/** What a journal and the database disagree about. All zero: nothing was lost, doubled or answered wrongly. */
export async function compare(fleet: Fleet, { acknowledged, wrongReplays }: Journal) {
  return onServer(fleet.databaseUrl, async (client) => {
    const { rows } = await client.query<{ key: string; id: string; postings: number; points: string }>(
      `select o.idempotency_key as key, o.transaction_id as id, count(p.seq)::int as postings, o.points
       from op o left join posting p using (tenant_id, transaction_id)
       where o.tenant_id = $1 and o.kind = 'GRANT' group by o.tenant_id, o.idempotency_key`,
      [fleet.tenant.id],
    )
    const booked = new Map(rows.map(({ key, id, postings }) => [key, { id: encoded(id), postings }]))
    const [figures] = (
      await client.query(
        `select (select coalesce(sum(available), 0)::int from wallet where tenant_id = $1) as balance,
                (select count(*)::int from lot where tenant_id = $1) as lots`,
        [fleet.tenant.id],
      )
    ).rows
    const entries = [...acknowledged]
    return {
      lost: entries.filter(([key]) => booked.get(key)?.postings !== 1).length,
      double:
        rows.length - acknowledged.size + (figures.lots - rows.length) + (figures.balance - rows.length),
      wrongReplays:
        wrongReplays + entries.filter(([key, { transaction }]) => booked.get(key)?.id !== transaction).length,
    }
  })
}

function encoded(transaction: string): string {
  return Buffer.from(`PointsTransaction:${transaction}`).toString('base64url')
}

/** What is wrong with the tenant's log once everything announced is in it, and what `verify` finds in the books. */
export async function checkBooks(fleet: Fleet) {
  return onServer(fleet.databaseUrl, async (client) => {
    for (;;) {
      const { rows } = await client.query('select from outbox limit 1')
      if (rows.length === 0) break
      await delay(20)
    }
    await client.query(`select set_config('app.tenant', $1, false)`, [fleet.tenant.id])
    const { rows } = await client.query(
      `select (select count(*)::int from points_verify()) as differences,
         (select (max(pos) - count(*))::int from event_log where tenant_id = $1) as gaps,
         (select count(*)::int from op where tenant_id = $1 and wallet_id is not null)
           - (select count(distinct payload ->> 'transaction')::int from event_log where tenant_id = $1 and type = 'points.posted') as untold,
         (select count(*) - count(distinct payload ->> 'transaction') from event_log where tenant_id = $1 and type = 'points.posted')::int as "toldTwice"`,
      [fleet.tenant.id],
    )
    return rows[0]
  })
}
