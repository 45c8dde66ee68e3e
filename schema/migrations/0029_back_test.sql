-- A program as a whole: what each version of it was, a document published in one go, and what a draft would have done.

set local role engawa_owner;

-- ── Versions of the whole ────────────────────────────────────────────────────────────────────────

/* The publication that replaced or retired a version of a definition: with it, every version of the program is known. */
create table definition_end (
  tenant_id       uuid not null,
  kind            text not null,
  key             text not null,
  version         int not null,
  program_version int not null,
  primary key (tenant_id, kind, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, program_version) references program (tenant_id, version)
);
call protect('definition_end');
grant select on definition_end to engawa_app;

create function definition_ended() returns trigger language plpgsql as $$
begin
  insert into definition_end (tenant_id, kind, key, version, program_version)
  select new.tenant_id, new.kind, new.key, new.version, max(p.version) from program p where p.tenant_id = new.tenant_id;
  return null;
end $$;
create trigger definition_ended after update of is_live on definition
  for each row when (old.is_live and not new.is_live) execute function definition_ended();

/* The definitions of one version of the program: [{"kind", "key", "body"}], those of one kind by their keys. */
create function program_definitions(p_version int) returns table (kind text, key text, body jsonb)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
  select d.kind, d.key, d.body from definition d
  left join definition_end e on (e.tenant_id, e.kind, e.key, e.version) = (d.tenant_id, d.kind, d.key, d.version)
  where d.tenant_id = current_tenant() and d.program_version <= p_version
    and (e.program_version is null or e.program_version > p_version);
end $$;
grant execute on function program_definitions(int) to engawa_app;

-- ── A whole program in one go ────────────────────────────────────────────────────────────────────

/* Publishes p_entries, and retires what else is in force of p_kinds. */
create function program_put(p_entries jsonb, p_kinds text[], p_note text, p_actor text) returns jsonb
language plpgsql as $$
begin
  return definition_publish(p_entries || coalesce((
    select jsonb_agg(jsonb_build_object('kind', d.kind, 'key', d.key, 'body', null) order by d.kind, d.key)
    from definition d
    where d.tenant_id = current_tenant() and d.is_live and d.kind = any (p_kinds) and not exists (
      select from jsonb_to_recordset(p_entries) e (kind text, key text) where e.kind = d.kind and e.key = d.key)),
    '[]'), p_note, p_actor);
end $$;

/*
 * Publishes a whole program: what is in force of p_kinds and not among p_entries (see definition_publish) is retired.
 * All or nothing. Refused when another version than p_expected is in force (null: any will do), and when what the rooms make
 * of it refuses it.
 */
create function program_import(
  p_key text, p_hash bytea, p_entries jsonb, p_kinds text[], p_note text, p_expected int, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_replay jsonb;
  v_before int;
  v_done jsonb;
  v_message text;
  v_field text;
  v_constraint text;
begin
  select b.replay into v_replay from op_begin(p_key, p_hash, 'IMPORT_PROGRAM', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('engawa.program.' || v_tenant, 0));
  v_before := (select coalesce(max(p.version), 0) from program p where p.tenant_id = v_tenant);
  if v_before <> p_expected then
    return op_finish(p_key, jsonb_build_object('is', 'program_changed', 'expected', p_expected, 'version', v_before));
  end if;
  begin
    v_done := program_put(p_entries, p_kinds, p_note, p_actor);
    set constraints all immediate;
  exception when sqlstate 'EN400' or integrity_constraint_violation then
    -- A room's own words (definition_refuse), or the rule that its tables are under.
    get stacked diagnostics v_message = message_text, v_field = column_name, v_constraint = constraint_name;
    return op_finish(p_key, jsonb_build_object('is', 'program_invalid', 'problems', jsonb_build_array(jsonb_build_object(
      'path', concat_ws('.', 'document', nullif(v_field, '')),
      'message', case when v_constraint = '' then v_message else format('The rule %s forbids it.', v_constraint) end))));
  end;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'before', v_before, 'program', v_done -> 'program'));
end $$;
grant execute on function program_import(text, bytea, jsonb, text[], text, int, text) to engawa_app;

/* Takes one definition out of force. What began with it goes on. */
create function definition_retire(p_key text, p_hash bytea, p_kind text, p_name text, p_note text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_replay jsonb;
  v_done jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('engawa.program.' || v_tenant, 0));
  if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key)
     and not exists (select from definition d where d.tenant_id = v_tenant and d.kind = p_kind and d.key = p_name and d.is_live) then
    return jsonb_build_object('is', 'not_found', 'what', 'definition');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'RETIRE_DEFINITION', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  v_done := definition_publish(jsonb_build_array(jsonb_build_object('kind', p_kind, 'key', p_name, 'body', null)), p_note, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'before', (v_done ->> 'program')::int - 1, 'program', v_done -> 'program'));
end $$;
grant execute on function definition_retire(text, bytea, text, text, text, text) to engawa_app;

-- ── Back-test ────────────────────────────────────────────────────────────────────────────────────

/* Something that happened to members, as it can be told again: when by the tenant's clock, and its place in the order. */
create type back_test_fact as (at timestamptz, booked_at timestamptz, kind text, body jsonb);

/* A version of the program as definition_publish takes it, in the order of p_kinds. */
create function back_test_program(p_version int, p_kinds text[]) returns jsonb language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'key', d.key, 'body', d.body, 'audiences', coalesce((
        select jsonb_object_agg(x.key, jsonb_build_object('rule', a.rule, 'condition', a.condition, 'compiler', a.compiler))
        from jsonb_each_text(d.audiences) x join audience a on a.tenant_id = d.tenant_id and a.id = x.value::uuid), '{}'))
      order by array_position(p_kinds, d.kind), d.key), '[]')
    from definition d
    left join definition_end e on (e.tenant_id, e.kind, e.key, e.version) = (d.tenant_id, d.kind, d.key, d.version)
    where d.tenant_id = current_tenant() and d.program_version <= p_version
      and (e.program_version is null or e.program_version > p_version));
end $$;

/* Everything that is told again, of these members; and the program before p_from. */
create function back_test_facts(p_members uuid[], p_kinds text[], p_from timestamptz) returns setof back_test_fact
language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  select p.published_at, p.booked_at, 'program', jsonb_build_object('entries', back_test_program(p.version, p_kinds))
  from program p where p.tenant_id = v_tenant and p.published_at < p_from;
  -- A member's id says when it was made; imports bring purchases from before.
  return query
  select least(m.registered_at, x.first_at),
    least(to_timestamp(('x' || left(replace(m.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0), x.first_at), 'member', to_jsonb(m)
  from member m
  cross join lateral (select min(p.purchased_at) as first_at from purchase p
                      where p.tenant_id = v_tenant and p.member_id = m.id) x
  where m.tenant_id = v_tenant and m.id = any (p_members);
  return query
  select o.at, o.booked_at, 'end', jsonb_build_object('member', m.id, 'end', m.membership_end, 'reason', m.membership_reason)
  from op o join member m on m.tenant_id = v_tenant and m.id = (o.outcome ->> 'member')::uuid
  where o.tenant_id = v_tenant and o.kind = 'END_MEMBERSHIP' and o.outcome ->> 'is' = 'done' and m.id = any (p_members)
    and m.ended_at is not null;
  return query
  select p.purchased_at, p.booked_at, case when o.purchase is null then 'import' else 'purchase' end,
    jsonb_build_object('member', p.member_id, 'external_id', m.external_id, 'order_id', p.order_id, 'at', p.purchased_at,
      'currency', p.currency, 'total', p.total, 'lines', coalesce((
        select jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name, 'quantity', l.quantity, 'amount', l.amount)
          order by l.line)
        from purchase_line l where l.tenant_id = v_tenant and l.purchase_id = p.id), '[]'))
  from purchase p
  join member m on m.tenant_id = v_tenant and m.id = p.member_id
  left join (select (x.outcome ->> 'purchase')::uuid as purchase from op x
             where x.tenant_id = v_tenant and x.kind = 'EARN' and x.outcome ->> 'is' = 'done') o on o.purchase = p.id
  where p.tenant_id = v_tenant and p.member_id = any (p_members);
  return query
  select r.at, r.booked_at, 'refund', jsonb_build_object('order_id', p.order_id, 'at', r.at, 'reason', r.reason,
    'lines', (select jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', (x ->> 'quantity')::int))
              from jsonb_array_elements(r.lines) x
              join purchase_line l on l.tenant_id = v_tenant and l.purchase_id = p.id and l.line = (x ->> 'line')::int),
    -- The last one by amount is the rest.
    'amount', case when r.lines = '[]' and r.amount > 0 and not (p.state = 'REFUNDED' and r.booked_at = max(r.booked_at)
                                                                 over (partition by r.purchase_id)) then r.amount end)
  from refund r join purchase p on p.tenant_id = v_tenant and p.id = r.purchase_id
  where r.tenant_id = v_tenant and p.member_id = any (p_members);
  return query
  select c.at, c.booked_at, 'move', jsonb_build_object('member', c.member_id, 'stage', c.to_stage, 'reason', c.reason)
  from stage_change c where c.tenant_id = v_tenant and c.cause = 'MANUAL' and c.member_id = any (p_members);
  return query
  select o.at, o.booked_at, case o.kind when 'GRANT' then 'grant' else 'spend' end, jsonb_build_object('member', w.member_id,
    'transaction', o.transaction_id, 'points', o.points, 'currency', w.currency, 'reason', o.reason,
    'available_at', case when l.available_at > o.at then l.available_at end,
    'expires_at', l.expires_at)
  from op o
  join wallet w on w.tenant_id = v_tenant and w.id = o.wallet_id
  left join lot l on l.tenant_id = v_tenant and o.kind = 'GRANT' and l.wallet_id = w.id and l.transaction_id = o.transaction_id
    and l.source_type = 'grant'
  where o.tenant_id = v_tenant and o.kind in ('GRANT', 'SPEND', 'CAPTURE') and o.outcome ->> 'is' = 'done'
    and o.outcome ->> 'adjustment' is null and w.member_id = any (p_members);
  return query
  select o.at, o.booked_at, 'spend back', jsonb_build_object('points', o.points, 'reason', o.reason, 'transaction', (
    select x.refunds from posting x where x.tenant_id = v_tenant and x.transaction_id = o.transaction_id
      and x.refunds is not null limit 1))
  from op o join wallet w on w.tenant_id = v_tenant and w.id = o.wallet_id
  where o.tenant_id = v_tenant and o.kind = 'REFUND_SPEND' and o.outcome ->> 'is' = 'done' and w.member_id = any (p_members);
  -- What was spent at partners is a spending like others.
  return query
  select m.at, m.booked_at, 'partner', jsonb_build_object('member', m.member_id, 'partner', m.partner,
    'reference', m.reference, 'at', m.at, 'money', p.earn_money, 'total', m.base_minor)
  from partner_movement m join partner p on p.tenant_id = v_tenant and p.key = m.partner and p.version = m.partner_version
  where m.tenant_id = v_tenant and m.direction = 'EARN' and m.member_id = any (p_members);
  -- Of what was given back in parts, the points of each are known and the money of all: the least that comes to them.
  return query
  select x.at, x.booked_at, 'partner back', jsonb_build_object('partner', x.partner, 'reference', x.reference,
    'amount', x.minor - lag(x.minor, 1, 0::bigint) over (partition by x.movement_id order by x.place))
  from (
    select r.movement_id, r.at, r.booked_at, m.partner, m.reference, row_number() over w as place,
      case when lead(r.id) over w is null then m.returned_minor
        else coalesce(ceil(sum(r.points) over w * m.base_minor / nullif(m.points, 0)), 0)::bigint end as minor
    from partner_return r join partner_movement m on m.tenant_id = v_tenant and m.id = r.movement_id
    where r.tenant_id = v_tenant and m.direction = 'EARN' and m.member_id = any (p_members)
    window w as (partition by r.movement_id order by r.booked_at, r.id)) x;
  return query
  select a.at, a.booked_at, 'activity', jsonb_build_object('member', a.member_id, 'name', a.name, 'key', a.key, 'at', a.at,
    'properties', a.properties)
  from activity a where a.tenant_id = v_tenant and a.member_id = any (p_members);
  return query
  select r.received_at, r.booked_at, 'receipt', jsonb_build_object('member', r.member_id, 'offer', r.offer, 'key', r.key,
    'at', r.received_at, 'way', r.way)
  from offer_receipt r where r.tenant_id = v_tenant and r.way <> 'ON_STAGE' and r.member_id = any (p_members);
end $$;

/* What happened to these members and is not told again: [{"kind", "count"}]. */
create function back_test_not_told(p_members uuid[]) returns jsonb language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'count', c.n) order by c.kind), '[]')
    from (
      select x.kind, count(distinct x.id) as n
      from (
        -- Either side of a transfer may be among them.
        select o.kind, coalesce(o.outcome ->> 'from_transaction', o.transaction_id::text) as id
        from op o join wallet w on w.tenant_id = v_tenant and w.id = o.wallet_id
        where o.tenant_id = v_tenant and w.member_id = any (p_members) and o.kind in ('TRANSFER', 'EXTEND')
          and o.outcome ->> 'is' = 'done'
        union all
        select a.kind, a.id::text from adjustment a
        where a.tenant_id = v_tenant and a.member_id = any (p_members) and a.transaction_id is not null
        union all
        select 'HOLD', h.id::text from hold h join wallet w on w.tenant_id = v_tenant and w.id = h.wallet_id
        where h.tenant_id = v_tenant and w.member_id = any (p_members) and h.state <> 'CAPTURED'
          and not exists (select from reward_redemption r where r.tenant_id = v_tenant and r.hold_id = h.id)
        union all
        select 'REWARD', r.id::text from reward_redemption r where r.tenant_id = v_tenant and r.member_id = any (p_members)
        union all
        select 'COUPON', r.id::text from coupon_redemption r
        where r.tenant_id = v_tenant and r.member_id = any (p_members) and r.used_at is not null
        union all
        select 'REFERRAL', r.id::text from referral r
        where r.tenant_id = v_tenant and (r.referrer_id = any (p_members) or r.friend_id = any (p_members))
        union all
        select 'BENEFIT', g.id::text from benefit_grant g
        where g.tenant_id = v_tenant and g.member_id = any (p_members) and g.source_type = 'hand'
        union all
        select 'TIER', d.id::text from tier_decision d
        where d.tenant_id = v_tenant and d.member_id = any (p_members) and d.cause = 'MANUAL'
      ) x group by x.kind) c);
end $$;

/* What a program came to between two instants, for these members of the current tenant. */
create function back_test_measure(p_members uuid[], p_from timestamptz, p_to timestamptz) returns jsonb
language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return (
    with lots as materialized (
      select w.member_id, w.currency, l.rule, l.source_type, l.granted, coalesce(b.revoked, 0) as revoked,
             o.at >= p_from and o.at < p_to and l.source_type not in ('grant', 'delight', 'adjustment') and l.parent_lot_id is null as counts,
             l.pending + l.held + case when l.expires_at <= p_to then 0 else l.available end as outstanding, l.unit_cost_micro
      from wallet w
      join lot l on l.tenant_id = v_tenant and l.wallet_id = w.id
      join op o on o.tenant_id = v_tenant and o.transaction_id = l.transaction_id
      left join earn_basis b on b.tenant_id = v_tenant and b.wallet_id = w.id and b.lot_id = l.id
      where w.tenant_id = v_tenant and w.member_id = any (p_members)
    )
    select jsonb_build_object(
      'rules', (select coalesce(jsonb_object_agg(concat_ws(' ', r.currency, r.rule),
          jsonb_build_object('granted', r.granted, 'revoked', r.revoked)), '{}')
        from (select x.currency, coalesce(nullif(x.rule, ''), x.source_type) as rule, sum(x.granted) as granted, sum(x.revoked) as revoked
              from lots x where x.counts group by 1, 2) r),
      'currencies', (select coalesce(jsonb_object_agg(c.currency, jsonb_build_object('outstanding', c.outstanding, 'cost', c.cost)), '{}')
        from (select x.currency, sum(x.outstanding) as outstanding,
                     floor(sum(x.outstanding * x.unit_cost_micro) / 1000000) as cost
              from lots x group by 1) c),
      'members', (select coalesce(jsonb_object_agg(m.member_id, m.points), '{}')
        from (select x.member_id, sum(x.granted - x.revoked) as points from lots x where x.counts group by 1) m),
      'tiers', (select coalesce(jsonb_object_agg(t.move, t.members), '{}')
        from (select concat_ws(' ', d.ladder, coalesce(d.from_tier, '-'), coalesce(d.to_tier, '-')) as move, count(*) as members
              from tier_decision d
              where d.tenant_id = v_tenant and d.member_id = any (p_members) and d.at >= p_from and d.at < p_to
                and d.from_tier is distinct from d.to_tier
              group by 1) t),
      'offers', (select coalesce(jsonb_object_agg(f.offer, f.completions), '{}')
        from (select r.offer, count(*) as completions from offer_completion c
              join offer_receipt r on r.tenant_id = v_tenant and r.id = c.receipt_id
              where c.tenant_id = v_tenant and c.reversed_at is null and c.at >= p_from and c.at < p_to
                and r.member_id = any (p_members)
              group by 1) f)));
end $$;

/* Tells one fact again to the current tenant; what it answered. */
create function back_test_tell(p_fact back_test_fact, p_n int, p_kinds text[]) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_body jsonb := p_fact.body;
  v_member uuid := (v_body ->> 'member')::uuid;
  -- The transaction that something later names, else a key of its own.
  v_key text := 'back-test ' || coalesce(case when p_fact.kind in ('grant', 'spend') then v_body ->> 'transaction' end, p_n::text);
begin
  case p_fact.kind
  when 'program' then
    return jsonb_build_object('is', 'done') || program_put(v_body -> 'entries', p_kinds, null, 'engawa');
  when 'member' then
    insert into member
    select (jsonb_populate_record(null::member, v_body || jsonb_build_object('tenant_id', v_tenant, 'membership', 'ACTIVE',
      'membership_since', p_fact.at, 'ended_at', null, 'membership_end', null, 'membership_reason', null))).*;
    return '{"is": "done"}';
  when 'end' then
    return membership_end(v_key, '', v_member, null, v_body ->> 'end', v_body ->> 'reason', 'engawa');
  when 'purchase' then
    return purchase_record(v_key, '', v_member, null, v_body ->> 'order_id', (v_body ->> 'at')::timestamptz,
      v_body ->> 'currency', (v_body ->> 'total')::bigint, v_body -> 'lines', 'engawa');
  when 'import' then
    return jsonb_build_object('is', 'done') || purchase_import(jsonb_build_array(jsonb_build_object('line', 1,
      'external_id', v_body ->> 'external_id', 'order_id', v_body ->> 'order_id', 'purchased_at', v_body ->> 'at',
      'is_local', false, 'currency', v_body ->> 'currency', 'total', (v_body ->> 'total')::bigint, 'lines', v_body -> 'lines')),
      'engawa');
  when 'refund' then
    return purchase_refund(v_key, '', v_body ->> 'order_id', nullif(v_body -> 'lines', 'null'), (v_body ->> 'amount')::bigint,
      (v_body ->> 'at')::timestamptz, v_body ->> 'reason', 'engawa');
  when 'partner' then
    return partner_earn(v_key, '', v_member, null, v_body ->> 'partner', v_body ->> 'reference',
      (v_body ->> 'at')::timestamptz, v_body ->> 'money', (v_body ->> 'total')::bigint, 'engawa');
  when 'partner back' then
    if (v_body ->> 'amount')::bigint = 0 then
      return '{"is": "done"}';
    end if;
    return partner_give_back(v_key, '', v_body ->> 'partner', v_body ->> 'reference', (v_body ->> 'amount')::bigint,
      'Given back', 'engawa');
  when 'activity' then
    return jsonb_build_object('is', 'done', 'activity', activity_record(v_member, v_body ->> 'name', v_body ->> 'key',
      v_body -> 'properties', (v_body ->> 'at')::timestamptz));
  when 'move' then
    return member_move(v_key, '', v_member, null, v_body ->> 'stage', v_body ->> 'reason', 'engawa');
  when 'grant' then
    return points_grant(v_key, '', v_member, null, (v_body ->> 'points')::bigint, v_body ->> 'currency', v_body ->> 'reason',
      (v_body ->> 'available_at')::timestamptz, (v_body ->> 'expires_at')::timestamptz, 'engawa');
  when 'spend' then
    return points_spend(v_key, '', v_member, null, (v_body ->> 'points')::bigint, v_body ->> 'currency', v_body ->> 'reason', 'engawa');
  when 'spend back' then
    return points_refund_spend(v_key, '', (
      select o.transaction_id from op o where o.tenant_id = v_tenant
        and o.idempotency_key = 'back-test ' || (v_body ->> 'transaction')),
      (v_body ->> 'points')::bigint, v_body ->> 'reason', 'engawa');
  when 'receipt' then
    return offer_receive(v_key, '', v_member, null, v_body ->> 'offer', v_body ->> 'key', (v_body ->> 'at')::timestamptz,
      v_body ->> 'way', 'engawa');
  end case;
end $$;

/* Moves the clock of the current tenant, a shadow, on; every message on the way arrives. */
create function back_test_clock(p_to timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_step jsonb;
begin
  loop
    exit when purchase_replay_due(1000) = 0;
  end loop;
  if p_to > v_now and (clock_next(v_tenant) > p_to) is not false then
    -- Nothing falls due on the way: looking at every room would be most of the work.
    update tenant set clock_at = p_to where id = v_tenant;
    return;
  end if;
  loop
    update touchpoint p set state = 'DELIVERED', settled_at = v_now
    where p.tenant_id = v_tenant and p.state = 'PLANNED' and p.due_at <= v_now;
    v_step := clock_advance(greatest(p_to, v_now), 100000);
    v_now := (v_step ->> 'now')::timestamptz;
    exit when v_step ->> 'is_there' = 'true';
  end loop;
end $$;

/*
 * What a draft (p_entries, a whole program) would have come to since p_from. A shadow of the tenant is made on a clock
 * of its own; everything that happened to the members is told to it again in order, by the same functions, first under
 * the program as it was, from p_from on under the draft. All of it is undone before this answers: {"is": "done", "facts",
 * "members", "draft": see back_test_measure, "actual": the same of what really happened, "refused": [{"kind", "is",
 * "count"}], "not_told": [{"kind", "count"}]}. Outcomes besides: too_many {facts}, of which p_most may be.
 */
create function back_test(p_entries jsonb, p_kinds text[], p_from timestamptz, p_sample int, p_most int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant tenant := (select t from tenant t where t.id = current_tenant());
  v_to timestamptz := tenant_now(v_tenant.id);
  v_shadow uuid := uuid_v7();
  v_members uuid[];
  v_facts back_test_fact[];
  v_fact back_test_fact;
  v_actual jsonb;
  v_not_told jsonb;
  v_clock timestamptz;
  v_n int := 0;
  v_is_draft boolean := false;
  v_answer jsonb;
  v_refused jsonb := '{}';
  v_draft back_test_fact := (p_from, null, 'program', jsonb_build_object('entries', p_entries))::back_test_fact;
begin
  v_members := array(select m.id from member m where m.tenant_id = v_tenant.id order by md5(m.id::text) limit p_sample);
  v_n := (select count(*) from purchase p where p.tenant_id = v_tenant.id and p.member_id = any (v_members));
  if v_n <= p_most then
    -- In the order in which it was recorded, as far as that is known: a test clock does not say when, nor does an import.
    v_facts := array(
      select (f.at, case when v_tenant.clock_at is not null or f.kind = 'import' then f.at else f.booked_at end, f.kind,
        f.body)::back_test_fact
      from back_test_facts(v_members, p_kinds, p_from) f
      order by case when v_tenant.clock_at is not null or f.kind = 'import' then f.at else f.booked_at end, f.booked_at);
    v_n := cardinality(v_facts);
  end if;
  if v_n > p_most then
    return jsonb_build_object('is', 'too_many', 'facts', v_n);
  end if;
  v_actual := back_test_measure(v_members, p_from, v_to + interval '1 microsecond');
  v_not_told := back_test_not_told(v_members);
  begin
    v_clock := least(p_from, (select min(least(f.at, f.booked_at)) from unnest(v_facts) f));
    perform set_config('app.tenant', v_shadow::text, true);
    insert into tenant (id, key, name, time_zone, locale, clock_at)
    values (v_shadow, 'back-test-' || v_shadow, v_tenant.name, v_tenant.time_zone, v_tenant.locale, v_clock);
    insert into touch_plan (tenant_id, key, version, touches)
    select p.tenant_id, p.key, max(p.version) + 1, '[]' from touch_plan p where p.tenant_id = v_shadow group by p.tenant_id, p.key;
    v_n := 0;
    foreach v_fact in array v_facts loop
      v_n := v_n + 1;
      v_clock := greatest(v_clock, v_fact.booked_at);
      if v_clock >= p_from and not v_is_draft then
        perform back_test_clock(p_from);
        perform back_test_tell(v_draft, 0, p_kinds);
        v_is_draft := true;
      end if;
      perform back_test_clock(v_clock);
      v_answer := back_test_tell(v_fact, v_n, p_kinds);
      if v_answer ->> 'is' <> 'done' then
        v_refused := v_refused || jsonb_build_object(v_fact.kind || ' ' || (v_answer ->> 'is'),
          coalesce((v_refused ->> (v_fact.kind || ' ' || (v_answer ->> 'is')))::int, 0) + 1);
      end if;
    end loop;
    if not v_is_draft then
      perform back_test_clock(p_from);
      perform back_test_tell(v_draft, 0, p_kinds);
    end if;
    perform back_test_clock(v_to);
    v_answer := jsonb_build_object('is', 'done', 'facts', v_n, 'members', cardinality(v_members), 'from', p_from, 'to', v_to,
      'draft', back_test_measure(v_members, p_from, v_to + interval '1 microsecond'), 'actual', v_actual,
      'refused', v_refused, 'not_told', v_not_told);
    raise exception using errcode = 'EN001', message = 'a back-test is undone', detail = v_answer::text;
  exception when sqlstate 'EN001' then
    get stacked diagnostics v_answer = pg_exception_detail;
  end;
  return v_answer;
end $$;
grant execute on function back_test(jsonb, text[], timestamptz, int, int) to engawa_app;
