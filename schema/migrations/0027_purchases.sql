-- Purchases with everything that has come to hang on them. Each room adds its line where it stands in the order:
-- coupons, earning, offers, the stage, tiers, referrals, sliding expiry, the first touch.

set local role engawa_owner;

/* What refunds by amount have given back of a line; refunds by lines count in refunded_amount. */
alter table purchase_line add column refunded_share bigint not null default 0
  check (refunded_share between 0 and amount);

/* The rules' view of a purchase. */
create function purchase_fact(p_purchase purchase, p_lines jsonb, p_transaction uuid, p_op_key text) returns earn_fact
language sql stable as $$
  select (p_transaction, p_op_key, 'purchase', p_purchase.id::text, p_purchase.member_id, p_purchase.purchased_at,
    'purchase', null, p_purchase.currency, p_purchase.total,
    (select coalesce(jsonb_agg(l.row || jsonb_build_object('line', l.n)), '[]')
     from jsonb_array_elements(p_lines) with ordinality l (row, n)), null)::earn_fact
$$;

/*
 * Records one purchase; p_lines is [{"sku", "name", "quantity", "amount"}] with amount in minor units.
 * Outcomes: done {purchase, member, transaction or null}, bad_input, not_found, key_reused, duplicate_order
 * {purchase}, membership_ended.
 */
create or replace function purchase_record(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_order_id text, p_purchased_at timestamptz,
  p_currency text, p_total bigint, p_lines jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member;
  v_op record;
  v_id uuid := uuid_v7();
  v_purchase purchase;
  v_transaction uuid;
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
  perform member_lock(v_member.id);
  perform purchase_replay_awaited(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
  values (v_tenant, v_id, v_member.id, p_order_id, p_purchased_at, p_currency, p_total)
  on conflict (tenant_id, order_id) do nothing returning * into v_purchase;
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

  -- 1 coupons: reserved redemptions with this order id are used.
  perform coupons_of_purchase(v_id);
  -- 2 earning.
  v_transaction := earn(purchase_fact(v_purchase, p_lines, v_op.transaction_id, null), p_actor);
  -- 3 offers.
  perform offers_of_purchase(v_id);
  -- 4 the stage.
  if not lifecycle_purchased(v_member.id, p_purchased_at, 'EVENT') then
    perform purchase_replay(v_member.id, 'EVENT');
  end if;
  -- 5 tiers.
  perform tiers_touch(array[v_member.id], p_purchased_at);
  -- 6 referrals.
  perform referral_of_purchases(array[v_id]);
  -- 7 sliding expiry.
  perform points_slide(v_member.id, 'purchase', p_purchased_at);
  perform after_purchase_plan(v_member.id, v_id, p_order_id, v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'purchase', v_id, 'member', v_member.id,
    'transaction', v_transaction));
end $$;

/*
 * Spreads a refund by amount over the lines of a purchase, for what was earned by line: of what each line has left it
 * gives the part that the amount is of what the purchase had left (p_left), rounded down; what this leaves over of the
 * sum goes to the lines with the largest remainders, the first of equals.
 */
create function purchase_spread(p_purchase uuid, p_amount bigint, p_left bigint) returns void language sql as $$
  with part as (
    select x.line, x.amount - least(x.amount, x.refunded_amount + x.refunded_share) as has
    from purchase_line x where x.tenant_id = current_tenant() and x.purchase_id = p_purchase
  ), share as (
    select p.line, p.has, div(p.has::numeric * p_amount, p_left) as whole, mod(p.has::numeric * p_amount, p_left) as rest,
           div(sum(p.has) over () * p_amount, p_left) as due
    from part p where p.has > 0
  ), given as (
    select s.line, s.whole + (row_number() over (order by s.rest desc, s.line)
                              <= s.due - sum(s.whole) over ())::int as amount
    from share s
  )
  update purchase_line x set refunded_share = x.refunded_share + g.amount
  from given g
  where x.tenant_id = current_tenant() and x.purchase_id = p_purchase and x.line = g.line and g.amount > 0
$$;

/* What was given back of each line so far, as earning takes it. */
create function purchase_refunded_lines(p_purchase uuid) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('line', x.line,
    'refunded', least(x.amount, x.refunded_amount + x.refunded_share),
    'is_back', x.refunded_quantity = x.quantity or x.amount > 0 and x.refunded_amount + x.refunded_share >= x.amount)), '[]')
  from purchase_line x where x.tenant_id = current_tenant() and x.purchase_id = p_purchase
$$;

/*
 * Gives back a purchase, or a part: by lines [{"sku", "quantity"}], by amount, or (neither) the rest. Takes back
 * the points it earned in proportion, and the stage when nothing of it stands. Outcomes: done {purchase, member,
 * amount}, bad_input, not_found, key_reused, refund_exceeds_purchase {refundable}.
 */
create or replace function purchase_refund(
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
  v_is_whole boolean;
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
  perform member_lock(v_purchase.member_id);
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
  elsif p_amount is not null then
    perform purchase_spread(v_purchase.id, p_amount, v_purchase.total - v_purchase.refunded);
  end if;
  v_purchase.refunded := v_purchase.refunded + v_amount;
  v_purchase.state := case
    when v_is_rest then 'REFUNDED'
    when v_purchase.refunded < v_purchase.total then 'PARTLY_REFUNDED'
    when v_purchase.total > 0 then 'REFUNDED'
    when exists (select from purchase_line x where x.tenant_id = v_tenant and x.purchase_id = v_purchase.id
                 and x.refunded_quantity < x.quantity) then 'PARTLY_REFUNDED'
    else 'REFUNDED' end;
  v_is_whole := v_purchase.state = 'REFUNDED';
  update purchase p set refunded = v_purchase.refunded, state = v_purchase.state,
                        refunded_at = case when v_is_whole then v_at end
  where p.tenant_id = v_tenant and p.id = v_purchase.id;
  insert into refund (tenant_id, purchase_id, transaction_id, amount, lines, at, reason)
  values (v_tenant, v_purchase.id, v_op.transaction_id, v_amount, v_lines, v_at, p_reason);
  perform announce('purchase.refunded', v_purchase.member_id,
    jsonb_build_object('purchase', v_purchase.id, 'amount', v_amount::text), v_at);

  -- 1 coupons: released, or not, as their rules say.
  perform coupons_of_refund(v_purchase.id, v_is_whole, v_at);
  -- 2 earning.
  perform earn_take_back(v_op.transaction_id, 'purchase', v_purchase.id::text, v_purchase.refunded,
    purchase_refunded_lines(v_purchase.id), v_is_whole, v_at, coalesce(p_reason, 'Refund'), p_actor);
  -- 3 offers.
  perform offers_of_refund(v_purchase.id, v_at);
  -- 4 the stage.
  if v_is_whole then
    perform purchase_replay(v_purchase.member_id, 'EVENT');
  end if;
  -- 5 tiers.
  perform tiers_touch(array[v_purchase.member_id], v_at);
  -- 6 referrals.
  perform referral_of_refund(v_purchase.id, v_at);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'purchase', v_purchase.id, 'member', v_purchase.member_id,
    'amount', v_amount::text));
end $$;

/*
 * Takes a batch of purchases, p_rows as an array of import_row objects. Members not known yet are registered,
 * orders known already are passed over; stages wait for purchase_replay_due, when every purchase is there. Answers {"members", "purchases", "known", "rejected": [{"line", "reason"}]}.
 */
create or replace function purchase_import(p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = current_tenant());
  v_rows import_row[];
  v_new import_row[];
  v_rejected jsonb;
  v_members int;
begin
  select array_agg(r order by r.line) into v_rows from jsonb_populate_recordset(null::import_row, p_rows) r;
  if v_rows is null then
    return jsonb_build_object('members', 0, 'purchases', 0, 'known', 0, 'rejected', '[]'::jsonb);
  end if;

  v_members := import_members(v_rows, v_now);
  -- One writer at a time for one member, in one order.
  perform from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id in (
    select m.id from member m where m.tenant_id = v_tenant and m.external_id in (select r.external_id from unnest(v_rows) r))
  order by s.member_id for no key update;

  -- Whose each row is, when it was, and which rows are orders already known.
  select array_agg((r.line, r.external_id, r.display_name, r.email, r.order_id, r.purchased_at, r.is_local, r.currency,
    r.total, r.lines, m.id,
    case when r.is_local then r.purchased_at::timestamp at time zone v_zone else r.purchased_at::timestamptz end,
    case when p.id is null then uuid_v7() end, case when p.id is null then uuid_v7() end, null)::import_row
    order by r.line)
  into v_rows
  from unnest(v_rows) r
  join member m on m.tenant_id = v_tenant and m.external_id = r.external_id
  left join purchase p on p.tenant_id = v_tenant and p.order_id = r.order_id;

  v_rejected := import_rejects(v_rows, v_now);
  select array_agg(r order by r.at, r.line) into v_new from unnest(v_rows) r
  where r.purchase_id is not null and r.line not in (select (x ->> 'line')::int from jsonb_array_elements(v_rejected) x);
  if v_new is not null then
    perform import_purchases(v_new);
    -- 1 coupons.
    perform coupons_of_purchases(array(select r.purchase_id from unnest(v_new) r));
    -- 2 earning.
    perform import_earn(v_new, p_actor);
    -- 3 offers.
    perform offers_of_purchases(array(select r.purchase_id from unnest(v_new) r order by r.line));
    -- 4 the stages.
    perform lifecycle_await_replay(array(select distinct r.member_id from unnest(v_new) r));
    -- 5 tiers.
    perform tiers_touch(array(select distinct r.member_id from unnest(v_new) r), v_now, 'IMPORT');
    -- 6 referrals.
    perform referral_of_purchases(array(select r.purchase_id from unnest(v_new) r order by r.line));
    -- 7 sliding expiry.
    perform points_slide_all(array_agg(r.member_id), 'purchase', array_agg(r.at)) from unnest(v_new) r;
  end if;
  return jsonb_build_object('members', v_members, 'purchases', coalesce(cardinality(v_new), 0), 'rejected', v_rejected,
    'known', cardinality(v_rows) - coalesce(cardinality(v_new), 0) - jsonb_array_length(v_rejected));
end $$;

/*
 * What the purchases of a batch earn. The usual program, one plain rule, is computed for all of them in one statement;
 * any other purchase by purchase, in time order.
 */
create function import_earn(p_rows import_row[], p_actor text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_rules earn_rule[] := array(
    select r from earn_rule r
    join definition d on d.tenant_id = r.tenant_id and d.kind = r.kind and d.key = r.key and d.version = r.version
    where r.tenant_id = v_tenant and d.is_live and r.source in ('purchase', 'line', 'label'));
begin
  if cardinality(v_rules) = 1 and v_rules[1].is_plain and not points_policy(v_rules[1].expiry, 'POINTS') ? 'sliding' then
    perform import_points(p_rows, v_rules[1], p_actor);
  elsif cardinality(v_rules) > 0 then
    perform earn(purchase_fact(p, r.lines, null, 'engawa:import:' || r.order_id), p_actor)
    from unnest(p_rows) with ordinality r
    join purchase p on p.tenant_id = v_tenant and p.id = r.purchase_id
    order by r.ordinality;
  end if;
end $$;

/* The points of a batch by one plain rule, each purchase its own transaction; wallets in debt go one by one. */
create function import_points(p_rows import_row[], p_rule earn_rule, p_actor text) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_reason text := text_for(p_rule.name, null);
  v_policy jsonb := points_policy(p_rule.expiry, 'POINTS');
  v_given jsonb;
begin
  select jsonb_agg(jsonb_build_object('transaction', r.transaction_id, 'member', r.member_id, 'order', r.order_id,
    'source', r.purchase_id, 'base', r.total::text, 'points', p.points::text, 'at', r.at,
    'expires_at', points_expiry(v_policy, 'POINTS', r.at)) order by r.at, r.line)
  into v_given
  from unnest(p_rows) r
  cross join lateral (select earn_round(r.total::numeric * p_rule.per_points, p_rule.per_minor, p_rule.rounding) as points) p
  where p.points > 0 and p.points <= 1e17;
  -- What it gives nothing for explains itself, as always.
  perform earn(purchase_fact(p, '[]', null, 'engawa:import:' || r.order_id), p_actor)
  from unnest(p_rows) r
  join purchase p on p.tenant_id = v_tenant and p.id = r.purchase_id
  where r.purchase_id <> all (array(select (g ->> 'source')::uuid from jsonb_array_elements(v_given) g));
  insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at, outcome)
  select v_tenant, 'engawa:import:' || (g ->> 'order'), sha256(convert_to('engawa:import:' || (g ->> 'order'), 'UTF8')),
    (g ->> 'transaction')::uuid, 'EARN', p_actor, (g ->> 'at')::timestamptz,
    jsonb_build_object('is', 'done', 'transaction', g ->> 'transaction')
  from jsonb_array_elements(v_given) g;
  perform points_earn(i.transaction_id, (g ->> 'member')::uuid, 'POINTS', 'purchase', g ->> 'source', '', p_rule.key,
    p_rule.version, (g ->> 'base')::bigint, (g ->> 'points')::bigint, (g ->> 'at')::timestamptz,
    (g ->> 'expires_at')::timestamptz, v_reason)
  from points_earn_import(v_given, 'POINTS', 'purchase', p_rule.key, p_rule.version, v_reason) i
  join jsonb_array_elements(v_given) g on (g ->> 'transaction')::uuid = i.transaction_id;
end $$;

/* What purchases tell the tiers: what was bought, and what refunds took back of it. */
create or replace function tier_purchases(p_members uuid[], p_currency text, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, spent numeric, bought int)
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
  with made as materialized (
    select p.* from purchase p
    where p.tenant_id = current_tenant() and p.member_id = any(p_members) and p.purchased_at >= p_since
      and (p_currency is null or p.currency = p_currency)
  )
  select m.member_id, m.purchased_at, m.purchased_at, m.total::numeric, 1 from made m
  union all
  select m.member_id, m.purchased_at, r.at, -r.amount::numeric, 0
  from made m join refund r on r.tenant_id = current_tenant() and r.purchase_id = m.id
  where m.state <> 'COMPLETED'
  union all
  select m.member_id, m.purchased_at, m.refunded_at, 0, -1 from made m where m.state = 'REFUNDED';
end $$;
