-- Import: many purchases of the past in one statement, by the same rules as one at a time. Plans no touches.

set local role engawa_owner;

/* One purchase of an import file. `line` is where it stands there; a date without a time means local midnight. */
create type import_row as (
  line int, external_id text, display_name text, email text, order_id text, purchased_at text, is_local boolean,
  currency text, total bigint, lines jsonb,
  -- Filled in on the way.
  member_id uuid, at timestamptz, purchase_id uuid, transaction_id uuid, points bigint
);

/*
 * Takes a batch of purchases, p_rows as an array of import_row objects. Members not known yet are registered,
 * orders known already are passed over; stages wait for purchase_replay_due, when every purchase is there. Answers {"members", "purchases", "known", "rejected": [{"line", "reason"}]}.
 */
create function purchase_import(p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = current_tenant());
  v_rule earn_rule := earn_rule_in_force();
  v_rows import_row[];
  v_new import_row[];
  v_rejected jsonb;
  v_members int;
  v_row import_row;
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
    case when p.id is null then uuid_v7() end, case when p.id is null then uuid_v7() end,
    r.total / v_rule.minor_per_point)::import_row order by r.line)
  into v_rows
  from unnest(v_rows) r
  join member m on m.tenant_id = v_tenant and m.external_id = r.external_id
  left join purchase p on p.tenant_id = v_tenant and p.order_id = r.order_id;

  v_rejected := import_rejects(v_rows, v_now);
  select array_agg(r order by r.at, r.line) into v_new from unnest(v_rows) r
  where r.purchase_id is not null and r.line not in (select (x ->> 'line')::int from jsonb_array_elements(v_rejected) x);
  if v_new is not null then
    perform import_purchases(v_new);
    perform import_points(v_new, v_rule, v_zone, p_actor);
    perform lifecycle_await_replay(array(select distinct r.member_id from unnest(v_new) r));
  end if;
  return jsonb_build_object('members', v_members, 'purchases', coalesce(cardinality(v_new), 0), 'rejected', v_rejected,
    'known', cardinality(v_rows) - coalesce(cardinality(v_new), 0) - jsonb_array_length(v_rejected));
end $$;
grant execute on function purchase_import(jsonb, text) to engawa_app;

/* Registers the members that are not known yet; how many those were. */
create function import_members(p_rows import_row[], p_now timestamptz) returns int language plpgsql as $$
declare
  v_registered int;
begin
  with registered as (
    insert into member (tenant_id, external_id, display_name, email, locale, time_zone, registered_at, membership_since)
    select distinct on (r.external_id) t.id, r.external_id, coalesce(r.display_name, r.external_id), r.email, t.locale,
           t.time_zone, p_now, p_now
    from unnest(p_rows) r join tenant t on t.id = current_tenant()
    order by r.external_id, r.line
    on conflict (tenant_id, external_id) do nothing
    returning id, external_id
  ), announced as (
    insert into outbox (tenant_id, type, member_id, at)
    select current_tenant(), 'member.registered', id, p_now from registered order by external_id
  )
  select count(*) into v_registered from registered;
  return v_registered;
end $$;

/* The rows that cannot be taken, and why: [{"line", "reason"}]. */
create function import_rejects(p_rows import_row[], p_now timestamptz) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('line', x.line, 'reason', x.reason) order by x.line), '[]')
  from (
    select r.line, case
      when r.at > p_now + interval '5 minutes' then format('purchased_at %s lies in the future', r.purchased_at)
      when m.membership = 'ENDED' then format('the membership of %s has ended', r.external_id)
      when p.id is not null and (p.member_id, p.total, p.currency, p.purchased_at)
                                is distinct from (r.member_id, r.total, r.currency, r.at)
        then format('order %s is recorded already, with other contents', r.order_id)
      when r.purchase_id is not null
        and r.line > min(r.line) over (partition by r.order_id) then format('order %s stands in the file twice', r.order_id)
      end as reason
    from unnest(p_rows) r
    join member m on m.tenant_id = current_tenant() and m.id = r.member_id
    left join purchase p on p.tenant_id = current_tenant() and p.order_id = r.order_id
  ) x where x.reason is not null
$$;

create function import_purchases(p_rows import_row[]) returns void language plpgsql as $$
begin
  insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
  select current_tenant(), r.purchase_id, r.member_id, r.order_id, r.at, r.currency, r.total from unnest(p_rows) r;
  insert into product (tenant_id, sku, name, first_seen_at)
  select distinct on (l ->> 'sku') current_tenant(), l ->> 'sku', l ->> 'name', r.at
  from unnest(p_rows) r, jsonb_array_elements(r.lines) l order by l ->> 'sku', r.at
  on conflict do nothing;
  insert into purchase_line (tenant_id, purchase_id, line, sku, name, quantity, amount)
  select current_tenant(), r.purchase_id, l.n, l.row ->> 'sku', l.row ->> 'name', (l.row ->> 'quantity')::int,
         (l.row ->> 'amount')::bigint
  from unnest(p_rows) r, jsonb_array_elements(r.lines) with ordinality l (row, n);
  insert into outbox (tenant_id, type, member_id, payload, at)
  select current_tenant(), 'purchase.recorded', r.member_id, jsonb_build_object('purchase', r.purchase_id), r.at
  from unnest(p_rows) with ordinality r order by r.ordinality;
end $$;

/* The points of the batch, each purchase its own transaction; wallets in debt go through the single path. */
create function import_points(p_rows import_row[], p_rule earn_rule, p_zone text, p_actor text) returns void
language plpgsql as $$
declare
  v_left record;
begin
  insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at, outcome)
  select current_tenant(), 'engawa:import:' || r.order_id, sha256(convert_to(r.order_id, 'utf8')), r.transaction_id,
    'EARN', p_actor, r.at, jsonb_build_object('is', 'done', 'purchase', r.purchase_id, 'member', r.member_id,
      'transaction', r.transaction_id)
  from unnest(p_rows) r where r.points > 0;
  for v_left in select * from points_earn_import(
    (select jsonb_agg(jsonb_build_object('transaction', r.transaction_id, 'member', r.member_id,
       'source', r.purchase_id, 'base', r.total::text, 'points', r.points::text, 'at', r.at,
       'expires_at', points_expiry_month_end(r.at, p_rule.expires_months, p_zone)) order by r.at, r.line)
     from unnest(p_rows) r where r.points > 0),
    'POINTS', 'purchase', p_rule.key, p_rule.version, p_rule.reason)
  loop
    perform points_earn(r.transaction_id, r.member_id, 'POINTS', 'purchase', r.purchase_id::text, '', p_rule.key,
      p_rule.version, r.total, r.points, r.at, points_expiry_month_end(r.at, p_rule.expires_months, p_zone), p_rule.reason)
    from unnest(p_rows) r where r.transaction_id = v_left.transaction_id;
  end loop;
end $$;

/*
 * Tells the planner how large the tables have become: an import fills them faster than autovacuum looks, and its
 * statements are planned for empty tables until then.
 */
create function import_statistics() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  analyze member, lifecycle_state, wallet, op, product, purchase, purchase_line, lot, posting, earn_basis;
end $$;
grant execute on function import_statistics() to engawa_app;
