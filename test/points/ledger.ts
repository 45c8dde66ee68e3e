import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { offerPart } from '../../api/domains/offers/index.ts'
import { earnRulePart } from '../../api/domains/points/index.ts'
import { type Part, publish, registerParts } from '../../api/domains/program/index.ts'
import { ladderPart } from '../../api/domains/tiers/index.ts'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import type { Operation } from '../../api/platform/operation.ts'

/** A tenant on a test clock, and the two sides of its ledger: the application, and the owner of the tables. */
export interface Ledger extends AsyncDisposable {
  readonly db: Db
  /** The application, as services take it. */
  readonly tx: TenantClient
  /** A session as the owner of the tables, inside the tenant. */
  readonly owner: pg.Client
  /** Moves the tenant's clock. */
  setClock(at: Date): Promise<void>
  /** Registers a member and returns its id. */
  member(): Promise<string>
  /** Registers that many. */
  members(count: number): Promise<string[]>
  /** Earns points for a source, as the rooms above do: an operation of its own. Returns the transaction. */
  earn(earning: Earning): Promise<string>
  /** Earns for many sources at once, in one statement; returns the sources that it left for the single path. */
  import(earnings: readonly Earning[]): Promise<string[]>
  /** Takes back what a source earned, for the money refunded so far. Returns the transaction. */
  clawBack(source: string, refundedMinor: bigint, at: Date): Promise<string>
  /** The booked row of a member's wallet. */
  wallet(member: string): Promise<WalletRow>
  /** The differences that `verify` finds. */
  differences(): Promise<unknown[]>
}

/** What a rule grants for a purchase. */
export interface Earning {
  readonly member: string
  readonly source: string
  readonly base: bigint
  readonly points: bigint
  readonly at: Date
  readonly expiresAt: Date | null
  /** Until when it is pending, as points_pending reads it. */
  readonly pending?: object
  /** How it dies, as points_expiry reads it; then `expiresAt` does not count. */
  readonly expiry?: object
}

/** A wallet as it is booked. */
export interface WalletRow {
  readonly id: string
  readonly issued: bigint
  readonly pending: bigint
  readonly available: bigint
  readonly held: bigint
  readonly spent: bigint
  readonly expired: bigint
  readonly revoked: bigint
  readonly debt: bigint
  readonly version: bigint
  readonly due_at: Date | null
}

/** The instant at which every ledger of the tests starts. */
export const START = new Date('2025-01-01T00:00:00Z')

/** That many days after the start. */
export const day = (days: number): Date => new Date(START.getTime() + days * 86_400_000)

/** An operation nobody made before; the same key twice is the same request. */
export const operation = (key: string = randomUUID()): Operation => ({
  key,
  hash: Buffer.from('11'.repeat(32), 'hex'),
  actor: 'staff:test',
})

/** Opens a new tenant in Tokyo, on a clock that stands at the start. Whoever opens it disposes of it. */
export async function openLedger(url: string, { connections = 4 } = {}): Promise<Ledger> {
  const tenantId = randomUUID()
  const owner = new pg.Client({ connectionString: url, types: { getTypeParser } })
  await owner.connect()
  await owner.query(ROOMS_ABOVE)
  await owner.query(
    `insert into tenant (id, key, name, time_zone, locale, clock_at) values ($1, $2, 'T', 'Asia/Tokyo', 'ja', $3)`,
    [tenantId, `t-${tenantId}`, START],
  )
  await owner.query(`select set_config('app.tenant', $1, false)`, [tenantId])
  await owner.query('set role engawa_owner')
  const db = openDb({ url, appConnections: connections, systemConnections: 1 })
  const tx = db.tenant(tenantId)

  const entry = (part: Part, body: object) => ({ kind: part.kind, key: 'all', body: part.read(body, 'body') })
  const entries = [entry(ladderPart, LADDER), entry(earnRulePart, RULE), entry(offerPart, OFFER)]
  await publish(tx, entries, { actor: 'staff:test' })

  async function one<Row>(text: string, values: unknown[]): Promise<Row> {
    const { rows } = await owner.query(text, values)
    return rows[0] as Row
  }

  async function members(count: number): Promise<string[]> {
    const text = `select member_register(null, null, gen_random_uuid()::text, 'Ann', null, null, null, null, 'staff:test')
        ->> 'member' as id from generate_series(1, $1)`
    return (await owner.query(text, [count])).rows.map(({ id }) => id)
  }

  return {
    db,
    tx,
    owner,
    async setClock(at) {
      await db.system.query('update tenant set clock_at = $1 where id = $2', [at, tenantId])
    },
    member: async () => (await members(1))[0] ?? '',
    members,
    async earn({ member, source, base, points, at, expiresAt, pending, expiry }) {
      const values = [member, source, base, points, at, expiresAt, pending ?? null, expiry ?? null]
      return (await one<{ id: string }>('select test_earn($1, $2, $3, $4, $5, $6, $7, $8) as id', values)).id
    },
    async import(earnings) {
      const given = earnings.map(({ expiresAt, ...rest }) => ({
        ...rest,
        transaction: randomUUID(),
        base: String(rest.base),
        points: String(rest.points),
        expires_at: expiresAt,
      }))
      const { rows } = await owner.query('select source from test_import($1)', [JSON.stringify(given)])
      return rows.map(({ source }) => source)
    },
    async clawBack(source, refundedMinor, at) {
      return (
        await one<{ id: string }>('select test_claw_back($1, $2, $3) as id', [source, refundedMinor, at])
      ).id
    },
    wallet: (member) => one('select * from wallet where member_id = $1', [member]),
    differences: async () => (await owner.query('select * from points_verify()')).rows,
    async [Symbol.asyncDispose]() {
      await owner.end()
      await db.close()
    },
  }
}

const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 ? BigInt : pg.types.getTypeParser(oid, format)

registerParts(ladderPart, earnRulePart, offerPart)

/** What else a tenant has switched on: tiers that go by the balance, a rule with a cap and a budget, an offer. */
const LADDER = {
  tiers: [
    { key: 'bronze', name: { en: 'Bronze', ja: '銅' }, threshold: '0' },
    { key: 'gold', name: { en: 'Gold', ja: '金' }, threshold: '50' },
  ],
  measure: { balance: { currency: 'POINTS' } },
  window: { ever: true },
  falls: 'FULL',
}
const RULE = {
  name: { en: 'Visit', ja: '来店' },
  on: { activity: 'visit' },
  points: { fixed: '5' },
  caps: { perMember: { points: '10', per: 'DAY' } },
  budget: '1000',
}
const OFFER = {
  name: { en: 'Spend and get', ja: 'お買い物特典' },
  type: 'SPEND_TOTAL',
  threshold: '1000',
  thresholdIs: 'AT_LEAST',
  validFor: 'P30D',
  endIs: 'INCLUSIVE',
  howGiven: 'CLAIMED',
  benefits: [{ points: { amount: '10' } }],
}

/** What the room of purchases does around the ledger, without the rest of it. */
const ROOMS_ABOVE = `
  create or replace function test_earn(p_member uuid, p_source text, p_base bigint, p_points bigint, p_at timestamptz,
                                       p_expires_at timestamptz, p_pending jsonb, p_expiry jsonb) returns uuid language plpgsql as $$
  declare v_op record;
  begin
    select * into v_op from op_begin('earn ' || gen_random_uuid(), '\\x01', 'EARN', 'test', p_at);
    perform points_earn(v_op.transaction_id, p_member, 'POINTS', 'purchase', p_source, '', 'purchase', 1, p_base, p_points,
                        p_at, p_expires_at, 'Purchase', p_pending, p_expiry);
    return v_op.transaction_id;
  end $$;
  create or replace function test_claw_back(p_source text, p_refunded bigint, p_at timestamptz) returns uuid
  language plpgsql as $$
  declare v_op record;
  begin
    select * into v_op from op_begin('back ' || gen_random_uuid(), '\\x01', 'REFUND_EARN', 'test', p_at);
    perform points_claw_back(v_op.transaction_id, 'purchase', p_source, '', p_refunded, p_at, 'Refund');
    return v_op.transaction_id;
  end $$;
  create or replace function test_import(p_rows jsonb) returns table (source text) language sql as $$
    insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at)
    select current_tenant(), 'import ' || (r ->> 'transaction'), '\\x01', (r ->> 'transaction')::uuid, 'EARN', 'test',
           (r ->> 'at')::timestamptz
    from jsonb_array_elements(p_rows) r;
    select r ->> 'source'
    from points_earn_import(p_rows, 'POINTS', 'purchase', 'purchase', 1, 'Purchase') i
    join jsonb_array_elements(p_rows) r on (r ->> 'transaction')::uuid = i.transaction_id;
  $$;
  grant execute on function test_earn, test_claw_back, test_import to public;
`
