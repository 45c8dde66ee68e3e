import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { publish, registerParts } from '../../api/domains/program/index.ts'
import { ladderPart } from '../../api/domains/tiers/ladder.ts'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'

/** A tenant on a test clock with ladders, and what the rooms above would tell them. */
export interface House extends AsyncDisposable {
  /** The application, as services take it. */
  readonly tx: TenantClient
  /** A session as the owner of the tables, inside the tenant. */
  readonly owner: pg.Client
  /** Publishes a ladder, its members not yet asked. */
  define(body: object, key?: string): Promise<void>
  /** Registers a member now. */
  member(): Promise<string>
  /** Registers that many at once. */
  members(count: number): Promise<string[]>
  /** A purchase of a member; now unless told. Answers its id. */
  buy(member: string, amount: number, at?: string): Promise<string>
  /** Gives back of a purchase, now. */
  refund(purchase: string, amount: number): Promise<void>
  /** Moves the clock, and books on the way what is due, each at its instant. */
  until(at: string): Promise<void>
  /** Books what is due now; how often there was something. */
  settle(): Promise<number>
  /** The member's decisions so far as "cause tier at", with the instant in the tenant's zone. */
  story(member: string, ladder?: string): Promise<string[]>
  /** The tier held; null: none. */
  tier(member: string, ladder?: string): Promise<string | null>
}

registerParts(ladderPart)

/** Opens a new tenant. Whoever opens it disposes of it. */
export async function openHouse(
  url: string,
  { zone = 'Asia/Tokyo', start = '2025-01-01T00:00:00Z', connections = 2 } = {},
): Promise<House> {
  const tenantId = randomUUID()
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  await owner.query(ROOMS_ABOVE)
  await owner.query(
    `insert into tenant (id, key, name, time_zone, locale, clock_at) values ($1, $2, 'T', $3, 'ja', $4)`,
    [tenantId, `t-${tenantId}`, zone, start],
  )
  await owner.query(`select set_config('app.tenant', $1, false)`, [tenantId])
  await owner.query('set role engawa_owner')
  const db: Db = openDb({ url, appConnections: connections, systemConnections: 1 })
  const tx = db.tenant(tenantId)
  const value = async <Value>(text: string, values: unknown[] = []): Promise<Value> =>
    Object.values((await owner.query(text, values)).rows[0] ?? {})[0] as Value

  const house: House = {
    tx,
    owner,
    async define(body, key = 'default') {
      await publish(tx, [{ kind: 'tierLadder', key, body: ladderPart.read(body, 'ladder') }], {
        actor: 'staff:test',
      })
    },
    member: async () => (await house.members(1))[0] ?? '',
    async members(count) {
      const text = `insert into member (tenant_id, external_id, display_name, locale, time_zone, registered_at, membership_since)
        select t.id, gen_random_uuid()::text, 'Ann', t.locale, t.time_zone, t.clock_at, t.clock_at
        from tenant t, generate_series(1, $1) where t.id = current_tenant() returning id`
      return (await owner.query(text, [count])).rows.map(({ id }) => id)
    },
    buy: (member, amount, at) => value('select test_buy($1, $2, $3)', [member, amount, at ?? null]),
    async refund(purchase, amount) {
      await owner.query('select test_refund($1, $2)', [purchase, amount])
    },
    async until(at) {
      await owner.query('select test_until($1, $2)', [tenantId, at])
    },
    settle: () => value('select test_settle()'),
    async story(member, ladder = 'default') {
      const text = `select d.cause || ' ' || coalesce(d.to_tier, 'none') || ' ' ||
          to_char(d.at at time zone t.time_zone, 'YYYY-MM-DD HH24:MI') as line
        from tier_decision d join tenant t on t.id = d.tenant_id where d.member_id = $1 and d.ladder = $2 order by d.n`
      return (await owner.query(text, [member, ladder])).rows.map(({ line }) => line)
    },
    tier: (member, ladder = 'default') =>
      value('select tier from tier_standing where member_id = $1 and ladder = $2', [member, ladder]),
    async [Symbol.asyncDispose]() {
      await owner.end()
      await db.close()
    },
  }
  return house
}

/** Three tiers by what was spent, in yen; `more` says the rest. */
export const spending = (more: object): object => ({
  tiers: [
    { key: 'bronze', name: { en: 'Bronze', ja: 'ブロンズ' }, threshold: 0 },
    { key: 'silver', name: { en: 'Silver', ja: 'シルバー' }, threshold: 100 },
    { key: 'gold', name: { en: 'Gold', ja: 'ゴールド' }, threshold: 300 },
  ],
  measure: { spend: { currency: 'JPY' } },
  falls: 'FULL',
  ...more,
})

/** What the room of purchases does around the tiers, without the rest of it, and a clock that only tiers look at. */
const ROOMS_ABOVE = `
  create or replace function test_buy(p_member uuid, p_amount bigint, p_at timestamptz) returns uuid
  language plpgsql security definer as $$
  declare v_id uuid := uuid_v7(); v_at timestamptz := coalesce(p_at, tenant_now(current_tenant()));
  begin
    perform member_lock(p_member);
    insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
    values (current_tenant(), v_id, p_member, v_id::text, v_at, 'JPY', p_amount);
    perform tiers_touch(array[p_member], v_at);
    return v_id;
  end $$;
  create or replace function test_refund(p_purchase uuid, p_amount bigint) returns void
  language plpgsql security definer as $$
  declare v purchase; v_op record; v_now timestamptz := tenant_now(current_tenant());
  begin
    select * into strict v from purchase p where p.tenant_id = current_tenant() and p.id = p_purchase;
    perform member_lock(v.member_id);
    select * into v_op from op_begin('refund ' || gen_random_uuid(), '\\x01', 'REFUND_EARN', 'test', v_now);
    update purchase p set refunded = p.refunded + p_amount,
      state = case when p.refunded + p_amount = p.total then 'REFUNDED' else 'PARTLY_REFUNDED' end,
      refunded_at = case when p.refunded + p_amount = p.total then v_now end
    where p.tenant_id = current_tenant() and p.id = p_purchase;
    insert into refund (tenant_id, purchase_id, transaction_id, amount, at)
    values (current_tenant(), p_purchase, v_op.transaction_id, p_amount, v_now);
    perform tiers_touch(array[v.member_id], v_now);
  end $$;
  create or replace function test_settle() returns int language plpgsql as $$
  declare v_times int := 0;
  begin
    loop
      exit when tiers_settle_due(1000) = 0;
      v_times := v_times + 1;
    end loop;
    return v_times;
  end $$;
  create or replace function test_until(p_tenant uuid, p_to timestamptz) returns void language plpgsql security definer as $$
  declare v_next timestamptz;
  begin
    loop
      perform test_settle();
      v_next := least(p_to, (select min(s.due_at) from tier_standing s where s.tenant_id = p_tenant));
      update tenant t set clock_at = greatest(t.clock_at, v_next) where t.id = p_tenant;
      exit when v_next = p_to;
    end loop;
    perform test_settle();
  end $$;
  grant execute on function test_buy, test_refund, test_settle, test_until to public;
`
