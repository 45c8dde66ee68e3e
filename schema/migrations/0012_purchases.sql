-- Purchases: the use case over the lower rooms. Recording one books it, earns points, moves the stage, plans the
-- first touch and writes the events, in one statement.

set local role engawa_owner;

create table product (
  tenant_id     uuid not null references tenant,
  sku           text not null check (length(sku) between 1 and 100),
  name          text,
  first_seen_at timestamptz not null,
  primary key (tenant_id, sku)
);
call protect('product');
grant select on product to engawa_app;

create table purchase (
  tenant_id    uuid not null,
  id           uuid not null,
  member_id    uuid not null,
  order_id     text not null check (length(order_id) between 1 and 200),
  purchased_at timestamptz not null,
  booked_at    timestamptz not null default clock_timestamp(),
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  /* Minor units of the currency. */
  total        bigint not null check (total >= 0),
  refunded     bigint not null default 0 check (refunded between 0 and total),
  state        text not null default 'COMPLETED' check (state in ('COMPLETED', 'PARTLY_REFUNDED', 'REFUNDED')),
  /* When the last of it was given back. */
  refunded_at  timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, order_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((state = 'REFUNDED') = (refunded_at is not null)),
  check (state <> 'REFUNDED' or refunded = total)
);
create index purchase_of_member on purchase (tenant_id, member_id, purchased_at, id);
call protect('purchase');
grant select on purchase to engawa_app;

create table purchase_line (
  tenant_id         uuid not null,
  purchase_id       uuid not null,
  line              int not null check (line > 0),
  sku               text not null,
  name              text,
  quantity          int not null check (quantity > 0),
  amount            bigint not null check (amount >= 0),
  refunded_quantity int not null default 0 check (refunded_quantity between 0 and quantity),
  refunded_amount   bigint not null default 0 check (refunded_amount between 0 and amount),
  primary key (tenant_id, purchase_id, line),
  foreign key (tenant_id, purchase_id) references purchase (tenant_id, id),
  foreign key (tenant_id, sku) references product (tenant_id, sku)
);
create index purchase_line_sku on purchase_line (tenant_id, sku);
call protect('purchase_line');
grant select on purchase_line to engawa_app;

create table refund (
  tenant_id      uuid not null,
  id             uuid not null default uuid_v7(),
  purchase_id    uuid not null,
  transaction_id uuid not null,
  amount         bigint not null check (amount >= 0),
  /* What was given back by line: [{"line": 1, "quantity": 2, "amount": "500"}]. */
  lines          jsonb not null default '[]',
  at             timestamptz not null,
  booked_at      timestamptz not null default clock_timestamp(),
  reason         text,
  primary key (tenant_id, id),
  unique (tenant_id, transaction_id),
  foreign key (tenant_id, purchase_id) references purchase (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred
);
create index refund_of_purchase on refund (tenant_id, purchase_id);
call protect('refund');
grant select on refund to engawa_app;

/* How purchases earn, versioned. A new tenant: a point for each 100 minor units, dead 12 month ends later. */
create table earn_rule (
  tenant_id       uuid not null references tenant,
  key             text not null,
  version         int not null check (version > 0),
  minor_per_point bigint not null check (minor_per_point > 0),
  expires_months  int check (expires_months > 0),
  reason          text not null,
  published_at    timestamptz not null default now(),
  primary key (tenant_id, key, version)
);
call protect('earn_rule');
grant select on earn_rule to engawa_app;

create function earn_rule_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into earn_rule (tenant_id, key, version, minor_per_point, expires_months, reason)
  values (new.id, 'purchase', 1, 100, 12, 'Purchase');
  return null;
end $$;
create trigger earn_rule_of_new_tenant after insert on tenant
  for each row execute function earn_rule_of_new_tenant();

create function earn_rule_in_force() returns earn_rule language sql stable as $$
  select * from earn_rule r
  where r.tenant_id = current_tenant() and r.key = 'purchase' order by r.version desc limit 1
$$;

create function bad_input(p_field text, p_message text) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'bad_input', 'field', p_field, 'message', p_message) $$;

/* Tells the lifecycle every purchase of a member, for it to derive the stages anew. */
create function purchase_replay(p_member uuid, p_cause text) returns void language sql as $$
  select lifecycle_replay(p_member, array_agg(p.purchased_at order by p.purchased_at, p.id),
                          array_agg(p.refunded_at order by p.purchased_at, p.id), p_cause)
  from purchase p where p.tenant_id = current_tenant() and p.member_id = p_member
$$;

/* Catches up with what an import brought for a member, if anything, before something new happens. */
create function purchase_replay_awaited(p_member uuid) returns void language sql as $$
  select purchase_replay(s.member_id, 'IMPORT') from lifecycle_state s
  where s.tenant_id = current_tenant() and s.member_id = p_member and s.replay_after is not null
$$;

/* Derives the histories that an import left to be derived, for at most p_limit members; how many. It ends an import. */
create function purchase_replay_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_members uuid[] := array(
    select s.member_id from lifecycle_state s where s.tenant_id = current_tenant() and s.replay_after is not null
    order by s.member_id limit p_limit for no key update skip locked);
begin
  perform purchase_replay(m, 'IMPORT') from unnest(v_members) m;
  return cardinality(v_members);
end $$;
grant execute on function purchase_replay_due(int) to engawa_app;

/*
 * The same for an import that was killed: nothing as long as one is still bringing purchases to this tenant, because
 * what is derived from a part of them stands in the history for good.
 */
create function purchase_replay_abandoned(p_limit int) returns int
language sql security definer set search_path = public, pg_temp as $$
  select case when exists (
      select from lifecycle_state s where s.tenant_id = current_tenant() and s.replay_after > clock_timestamp())
    then 0 else purchase_replay_due(p_limit) end
$$;
grant execute on function purchase_replay_abandoned(int) to engawa_app;

/*
 * Records one purchase; p_lines is [{"sku", "name", "quantity", "amount"}] with amount in minor units.
 * Outcomes: done {purchase, member, transaction or null}, bad_input, not_found, key_reused, duplicate_order
 * {purchase}, membership_ended.
 */
create function purchase_record(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_order_id text, p_purchased_at timestamptz,
  p_currency text, p_total bigint, p_lines jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member;
  v_op record;
  v_id uuid := uuid_v7();
  v_rule earn_rule;
  v_points bigint;
begin
  if p_purchased_at > v_now + interval '5 minutes' then
    return bad_input('purchasedAt', format('A purchase cannot lie in the future; the tenant''s clock says %s.',
      to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'EARN', p_actor, p_purchased_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  -- One writer at a time for one member, so that the order of the events is the order of the facts.
  perform from lifecycle_state s where s.tenant_id = v_tenant and s.member_id = v_member.id for no key update;
  perform purchase_replay_awaited(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
  values (v_tenant, v_id, v_member.id, p_order_id, p_purchased_at, p_currency, p_total)
  on conflict (tenant_id, order_id) do nothing;
  if not found then
    return op_finish(p_key, jsonb_build_object('is', 'duplicate_order', 'purchase',
      (select p.id from purchase p where p.tenant_id = v_tenant and p.order_id = p_order_id)));
  end if;
  if jsonb_array_length(p_lines) > 0 then
    insert into product (tenant_id, sku, name, first_seen_at)
    select distinct on (l.sku) v_tenant, l.sku, l.name, p_purchased_at
    from jsonb_to_recordset(p_lines) l (sku text, name text) order by l.sku
    on conflict do nothing;
    insert into purchase_line (tenant_id, purchase_id, line, sku, name, quantity, amount)
    select v_tenant, v_id, l.line, l.row ->> 'sku', l.row ->> 'name', (l.row ->> 'quantity')::int,
           (l.row ->> 'amount')::bigint
    from jsonb_array_elements(p_lines) with ordinality l (row, line);
  end if;
  perform announce('purchase.recorded', v_member.id, jsonb_build_object('purchase', v_id), p_purchased_at);

  v_rule := earn_rule_in_force();
  v_points := p_total / v_rule.minor_per_point;
  if v_points > 0 then
    perform points_earn(v_op.transaction_id, v_member.id, 'POINTS', 'purchase', v_id::text, '', v_rule.key,
      v_rule.version, p_total, v_points, p_purchased_at,
      points_expiry_month_end(p_purchased_at, v_rule.expires_months,
        (select t.time_zone from tenant t where t.id = v_tenant)), v_rule.reason);
  end if;
  if not lifecycle_purchased(v_member.id, p_purchased_at, 'EVENT') then
    perform purchase_replay(v_member.id, 'EVENT');
  end if;
  perform after_purchase_plan(v_member.id, v_id, p_order_id, v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'purchase', v_id, 'member', v_member.id,
    'transaction', case when v_points > 0 then v_op.transaction_id end));
end $$;

/*
 * Gives back a purchase, or a part: by lines [{"sku", "quantity"}], by amount, or (neither) the rest. Takes back
 * the points it earned in proportion, and the stage when nothing of it stands. Outcomes: done {purchase, member,
 * amount}, bad_input, not_found, key_reused, refund_exceeds_purchase {refundable}.
 */
create function purchase_refund(
  p_key text, p_hash bytea, p_order_id text, p_lines jsonb, p_amount bigint, p_refunded_at timestamptz,
  p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_at timestamptz := coalesce(p_refunded_at, v_now);
  v_purchase purchase;
  v_op record;
  v_amount bigint;
  v_lines jsonb := '[]';
  v_unknown record;
  v_is_rest boolean := p_lines is null and p_amount is null;
begin
  select * into v_purchase from purchase p where p.tenant_id = v_tenant and p.order_id = p_order_id;
  if v_purchase.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'purchase');
  end if;
  if v_at > v_now + interval '5 minutes' or v_at < v_purchase.purchased_at then
    return bad_input('refundedAt', 'A refund lies between its purchase and the tenant''s present.');
  end if;
  select l.row ->> 'sku' as sku, l.place - 1 as place into v_unknown
  from jsonb_array_elements(p_lines) with ordinality l (row, place)
  where not exists (select from purchase_line x where x.tenant_id = v_tenant and x.purchase_id = v_purchase.id
                    and x.sku = l.row ->> 'sku')
  order by l.place limit 1;
  if found then
    return bad_input(format('lines.%s.sku', v_unknown.place),
      format('Purchase %s has no line with sku %s.', p_order_id, v_unknown.sku));
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'REFUND_EARN', p_actor, v_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id = v_purchase.member_id for no key update;
  perform purchase_replay_awaited(v_purchase.member_id);
  select * into strict v_purchase from purchase p
  where p.tenant_id = v_tenant and p.id = v_purchase.id for no key update;

  if p_lines is not null then
    v_lines := purchase_refund_lines(v_purchase.id, p_lines);
    v_amount := (select coalesce(sum((l ->> 'amount')::bigint), 0) from jsonb_array_elements(v_lines) l);
  else
    v_amount := coalesce(p_amount, v_purchase.total - v_purchase.refunded);
  end if;
  if v_lines is null or v_purchase.state = 'REFUNDED' or v_amount > v_purchase.total - v_purchase.refunded then
    return op_finish(p_key, jsonb_build_object('is', 'refund_exceeds_purchase',
      'refundable', (v_purchase.total - v_purchase.refunded)::text));
  end if;

  update purchase_line x set refunded_quantity = x.refunded_quantity + (l ->> 'quantity')::int,
                             refunded_amount = x.refunded_amount + (l ->> 'amount')::bigint
  from jsonb_array_elements(v_lines) l
  where x.tenant_id = v_tenant and x.purchase_id = v_purchase.id and x.line = (l ->> 'line')::int;
  if v_is_rest then
    update purchase_line x set refunded_quantity = x.quantity, refunded_amount = x.amount
    where x.tenant_id = v_tenant and x.purchase_id = v_purchase.id;
  end if;
  v_purchase.refunded := v_purchase.refunded + v_amount;
  v_purchase.state := case
    when v_is_rest then 'REFUNDED'
    when v_purchase.refunded < v_purchase.total then 'PARTLY_REFUNDED'
    when v_purchase.total > 0 then 'REFUNDED'
    when exists (select from purchase_line x where x.tenant_id = v_tenant and x.purchase_id = v_purchase.id
                 and x.refunded_quantity < x.quantity) then 'PARTLY_REFUNDED'
    else 'REFUNDED' end;
  update purchase p set refunded = v_purchase.refunded, state = v_purchase.state,
                        refunded_at = case when v_purchase.state = 'REFUNDED' then v_at end
  where p.tenant_id = v_tenant and p.id = v_purchase.id;
  insert into refund (tenant_id, purchase_id, transaction_id, amount, lines, at, reason)
  values (v_tenant, v_purchase.id, v_op.transaction_id, v_amount, v_lines, v_at, p_reason);
  perform announce('purchase.refunded', v_purchase.member_id,
    jsonb_build_object('purchase', v_purchase.id, 'amount', v_amount::text), v_at);
  perform points_claw_back(v_op.transaction_id, 'purchase', v_purchase.id::text, '', v_purchase.refunded, v_at,
    coalesce(p_reason, 'Refund'));
  if v_purchase.state = 'REFUNDED' then
    perform purchase_replay(v_purchase.member_id, 'EVENT');
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'purchase', v_purchase.id, 'member', v_purchase.member_id,
    'amount', v_amount::text));
end $$;

/*
 * What giving back these quantities means line by line: [{"line", "quantity", "amount"}], taken from the lines of
 * each sku in order. The amount is cumulative, floor(amount × quantity given back ÷ quantity), so that parts never
 * add up to more than the line. Null when more is asked than is left.
 */
create function purchase_refund_lines(p_purchase uuid, p_lines jsonb) returns jsonb language plpgsql as $$
declare
  v_asked record;
  v_line purchase_line;
  v_left int;
  v_take int;
  v_lines jsonb := '[]';
begin
  for v_asked in
    select l.sku, sum(l.quantity)::int as quantity from jsonb_to_recordset(p_lines) l (sku text, quantity int)
    group by l.sku order by l.sku
  loop
    v_left := v_asked.quantity;
    for v_line in
      select * from purchase_line x
      where x.tenant_id = current_tenant() and x.purchase_id = p_purchase and x.sku = v_asked.sku
        and x.refunded_quantity < x.quantity
      order by x.line
    loop
      exit when v_left = 0;
      v_take := least(v_left, v_line.quantity - v_line.refunded_quantity);
      v_left := v_left - v_take;
      v_lines := v_lines || jsonb_build_object('line', v_line.line, 'quantity', v_take, 'amount',
        (div(v_line.amount::numeric * (v_line.refunded_quantity + v_take), v_line.quantity::numeric)::bigint
          - v_line.refunded_amount)::text);
    end loop;
    if v_left > 0 then
      return null;
    end if;
  end loop;
  return v_lines;
end $$;

grant execute on function
  purchase_record(text, bytea, uuid, text, text, timestamptz, text, bigint, jsonb, text),
  purchase_refund(text, bytea, text, jsonb, bigint, timestamptz, text, text) to engawa_app;
