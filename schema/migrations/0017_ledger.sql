-- The ledger of Loyalty: policies of expiry, currencies, dates of lots that move, transfers, adjustments, statements.

set local role engawa_owner;

-- ── Currencies: the kinds of points that a tenant has ────────────────────────────────────────────

create table currency (
  tenant_id      uuid not null,
  kind           text generated always as ('currency') stored,
  key            text not null check (key ~ '^[A-Z][A-Z0-9_]{0,31}$'),
  version        int not null,
  name           jsonb not null,
  /* How points die unless something else is said; as in points_expiry. */
  expiry         jsonb not null,
  /* What a point is worth, in millionths of a minor unit; lots keep it as they are granted. */
  value_currency text check (value_currency ~ '^[A-Z]{3}$'),
  value_micro    bigint check (value_micro >= 0),
  /* What new wallets may owe; null: no limit. */
  debt_limit     bigint check (debt_limit >= 0),
  /* Members are told so long before their points die, for this purpose; who cannot be told keeps them so much longer. */
  warn_before    interval check (warn_before > interval '0'),
  warn_extend_by interval check (warn_extend_by > interval '0'),
  warn_purpose   text,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  check (num_nonnulls(value_currency, value_micro) in (0, 2)),
  check (num_nonnulls(warn_before, warn_extend_by, warn_purpose) in (0, 3))
);
call protect('currency');
grant select on currency to engawa_app;

create function currency_of_definition() returns trigger language plpgsql as $$
begin
  insert into currency (tenant_id, key, version, name, expiry, value_currency, value_micro, debt_limit, warn_before,
                        warn_extend_by, warn_purpose)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', new.body -> 'expiry', new.body #>> '{value,currency}',
    (new.body #>> '{value,micro}')::bigint, (new.body ->> 'debtLimit')::bigint,
    (new.body #>> '{warning,before}')::interval, (new.body #>> '{warning,extendBy}')::interval,
    new.body #>> '{warning,purpose}');
  return null;
end $$;
create trigger currency_of_definition after insert on definition
  for each row when (new.kind = 'currency') execute function currency_of_definition();

/* The version in force of a currency; a row of nulls when it is not defined. Null: the usual points. */
create function currency_live(p_currency text) returns currency language plpgsql stable as $$
declare
  v_currency currency;
begin
  select c.* into v_currency from definition d
  join currency c on (c.tenant_id, c.key, c.version) = (d.tenant_id, d.key, d.version)
  where d.tenant_id = current_tenant() and d.kind = 'currency' and d.key = coalesce(p_currency, 'POINTS') and d.is_live;
  return v_currency;
end $$;
grant execute on function currency_live(text) to engawa_app;

create function currency_preset(p_tenant uuid) returns void language sql as $$
  select definition_preset(p_tenant, 'currency', 'POINTS', '{"name": {"en": "Points", "ja": "ポイント"},
    "expiry": {"rolling": {"months": 12, "endOf": "MONTH"}}}')
$$;
create function currency_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform currency_preset(new.id);
  return null;
end $$;
create trigger currency_of_new_tenant after insert on tenant for each row execute function currency_of_new_tenant();
select currency_preset(t) from every_tenant() t;

/* A new wallet may owe what its currency says. */
create function wallet_limit() returns trigger language plpgsql as $$
begin
  new.debt_limit := (currency_live(new.currency)).debt_limit;
  return new;
end $$;
create trigger limited before insert on wallet for each row when (new.debt_limit is null) execute function wallet_limit();

/* A lot keeps what a point was worth when it was granted; one that came from another lot keeps that one's. */
create function lot_worth() returns trigger language plpgsql as $$
begin
  new.unit_cost_micro := (
    select (currency_live(w.currency)).value_micro from wallet w where w.tenant_id = new.tenant_id and w.id = new.wallet_id);
  return new;
end $$;
create trigger worth before insert on lot for each row
  when (new.unit_cost_micro is null and new.parent_lot_id is null) execute function lot_worth();

-- ── When points die ──────────────────────────────────────────────────────────────────────────────

/* The policy that decides: the one given, else the currency's, else never. */
create function points_policy(p_policy jsonb, p_currency text) returns jsonb language plpgsql stable as $$
begin
  return coalesce(p_policy, (currency_live(p_currency)).expiry, '{"never": true}');
end $$;

/* The last day of the month, quarter, half or year that a day lies in; the day itself without a unit. */
create function points_period_end(p_day date, p_unit text) returns date language sql immutable as $$
  select case p_unit
    when 'MONTH' then (date_trunc('month', p_day::timestamp) + interval '1 month')::date - 1
    when 'QUARTER' then (date_trunc('quarter', p_day::timestamp) + interval '3 months')::date - 1
    when 'HALF' then make_date(extract(year from p_day)::int, case when extract(month from p_day) < 7 then 6 else 12 end,
                               case when extract(month from p_day) < 7 then 30 else 31 end)
    when 'YEAR' then make_date(extract(year from p_day)::int, 12, 31)
    else p_day end
$$;

/* The first of these days of the year, each as MM-DD, that is not before p_day; 29 February is the 28th in most years. */
create function points_fixed_day(p_days jsonb, p_day date) returns date language sql immutable as $$
  select min(x.day)
  from jsonb_array_elements_text(p_days) d, generate_series(0, 1) later,
    lateral (select make_date(extract(year from p_day)::int + later, left(d, 2)::int, 1) as month) m,
    lateral (select least(m.month + right(d, 2)::int - 1, points_period_end(m.month, 'MONTH')) as day) x
  where x.day >= p_day
$$;

/*
 * From which instant on points that start their clock at p_from are dead; null: never. Days are the tenant's: what
 * lives n days or months lives through that whole day, and is dead at the midnight after it. 31 January and a month
 * is the end of February. The policy is {"never": true}, {"rolling": {"days" | "months", "endOf"?}},
 * {"sliding": {"days" | "months"}}, {"fixed": ["MM-DD"]} or {"at": instant}; null: the currency's.
 */
create function points_expiry(p_policy jsonb, p_currency text, p_from timestamptz) returns timestamptz
language plpgsql stable as $$
declare
  v_policy jsonb := points_policy(p_policy, p_currency);
  v_span jsonb := coalesce(v_policy -> 'rolling', v_policy -> 'sliding');
  v_zone text;
  v_day date;
begin
  if v_policy ? 'never' then
    return null;
  elsif v_policy ? 'at' then
    return (v_policy ->> 'at')::timestamptz;
  end if;
  v_zone := (select t.time_zone from tenant t where t.id = current_tenant());
  v_day := (p_from at time zone v_zone)::date;
  v_day := case
    when v_policy ? 'fixed' then points_fixed_day(v_policy -> 'fixed', v_day)
    when v_span ? 'days' then v_day + (v_span ->> 'days')::int
    when v_span ? 'months' then (v_day + make_interval(months => (v_span ->> 'months')::int))::date end;
  if v_day is null then
    raise exception 'no policy of expiry: %', v_policy;
  end if;
  return (points_period_end(v_day, v_span ->> 'endOf') + 1)::timestamp at time zone v_zone;
end $$;
grant execute on function points_policy(jsonb, text), points_period_end(date, text), points_fixed_day(jsonb, date),
  points_expiry(jsonb, text, timestamptz) to engawa_app;

/* That long after an instant by the tenant's calendar: a day later is the same time of the next day. */
create function points_later(p_at timestamptz, p_by interval) returns timestamptz language plpgsql stable as $$
declare
  v_zone text := (select t.time_zone from tenant t where t.id = current_tenant());
begin
  return (p_at at time zone v_zone + p_by) at time zone v_zone;
end $$;

/*
 * Until when points earned at p_at are pending: {"for": "P14D"}, {"until": instant}, or {"event", "cancelAfter"},
 * which waits for an event until it is cancelled. Null: they are not.
 */
create function points_pending(
  p_pending jsonb, p_at timestamptz, out available_at timestamptz, out awaits text
) language plpgsql stable as $$
begin
  awaits := p_pending ->> 'event';
  available_at := case
    when p_pending is null then p_at
    when p_pending ? 'for' then points_later(p_at, (p_pending ->> 'for')::interval)
    when p_pending ? 'until' then greatest(p_at, (p_pending ->> 'until')::timestamptz)
    when p_pending ? 'cancelAfter' then points_later(p_at, (p_pending ->> 'cancelAfter')::interval) end;
  if available_at is null then
    raise exception 'pending until when: %', p_pending;
  end if;
end $$;

-- ── Dates of lots ────────────────────────────────────────────────────────────────────────────────

alter table lot
  /* The event that it waits for: then available_at is when it is cancelled if that has not come. */
  add column awaits text check (awaits <> ''),
  /* How its dates go on: kept by lots that wait for an event, or whose policy is sliding. */
  add column expiry jsonb;
create index lot_moving on lot (tenant_id, wallet_id) where expiry is not null;

/* The only way in which the dates of a lot change: a row for each change, booked before the old instant. */
create table lot_date (
  tenant_id    uuid not null,
  lot_id       uuid not null,
  n            int not null check (n > 0),
  available_at timestamptz not null,
  expires_at   timestamptz,
  cause        text not null check (cause in ('ACTIVATION', 'SLIDING', 'EXTENSION')),
  /* When what caused it happened, and when it was booked, both by the tenant's clock. */
  at           timestamptz not null,
  booked       timestamptz not null,
  primary key (tenant_id, lot_id, n),
  foreign key (tenant_id, lot_id) references lot (tenant_id, id),
  check (expires_at > available_at)
);
call protect('lot_date');
grant select on lot_date to engawa_app;
create trigger append_only before update or delete or truncate on lot_date
  for each statement execute function refuse_change('dates of lots are append-only');

/* Numbers a new row, stamps it with the tenant's clock, and refuses what comes too late or takes life away. */
create function lot_date_check() returns trigger language plpgsql as $$
declare
  v_lot lot;
begin
  select * into strict v_lot from lot l where l.tenant_id = new.tenant_id and l.id = new.lot_id for no key update;
  new.booked := tenant_now(new.tenant_id);
  new.n := 1 + (select coalesce(max(d.n), 0) from lot_date d where d.tenant_id = new.tenant_id and d.lot_id = new.lot_id);
  if new.cause = 'ACTIVATION' then
    if v_lot.awaits is null or v_lot.pending = 0 or new.booked >= v_lot.available_at then
      raise exception 'lot % does not wait for an event any more', new.lot_id using errcode = '23514';
    end if;
  elsif new.available_at <> v_lot.available_at or (new.booked < v_lot.expires_at) is not true
      or new.expires_at <= v_lot.expires_at then
    raise exception 'the date of lot % has passed, or would come nearer', new.lot_id using errcode = '23514';
  end if;
  return new;
end $$;
create trigger checked before insert on lot_date for each row execute function lot_date_check();

/* The lot follows its last row, and its wallet is looked at in time. */
create function lot_date_apply() returns trigger language plpgsql as $$
begin
  update lot l set available_at = d.available_at, expires_at = d.expires_at,
                   awaits = case when d.cause <> 'ACTIVATION' then l.awaits end
  from new_date d
  where l.tenant_id = d.tenant_id and l.id = d.lot_id;
  update wallet w set due_at = x.due_at
  from (
    select l.tenant_id, l.wallet_id, min(d.available_at) as due_at
    from new_date d join lot l on l.tenant_id = d.tenant_id and l.id = d.lot_id
    where d.cause = 'ACTIVATION'
    group by l.tenant_id, l.wallet_id
  ) x
  where w.tenant_id = x.tenant_id and w.id = x.wallet_id and (w.due_at <= x.due_at) is not true;
  return null;
end $$;
create trigger apply after insert on lot_date referencing new table as new_date
  for each statement execute function lot_date_apply();

/* Dates of a lot are those of its last row, or those it was granted with. */
create function lot_dated() returns trigger language plpgsql as $$
declare
  v_last lot_date;
begin
  select * into v_last from lot_date d
  where d.tenant_id = new.tenant_id and d.lot_id = new.id order by d.n desc limit 1;
  if v_last.n is null or v_last.available_at <> new.available_at or v_last.expires_at is distinct from new.expires_at
      or (new.awaits is distinct from old.awaits and (new.awaits is not null or v_last.cause <> 'ACTIVATION')) then
    raise exception 'update of lot is refused: its dates change by rows of lot_date' using errcode = '23514';
  end if;
  return new;
end $$;
drop trigger same_lot on lot;
create trigger same_lot before update of tenant_id, id, wallet_id, transaction_id, wallet_version, source_type,
    source_id, line, rule, rule_version, parent_lot_id, priority, class, unit_cost_micro, expiry on lot
  for each row execute function refuse_change('a lot stays what it was granted as');
create trigger dated before update of available_at, expires_at, awaits on lot
  for each row execute function lot_dated();

-- ── Earning, pending or not ──────────────────────────────────────────────────────────────────────

drop function points_earn(uuid, uuid, text, text, text, text, text, int, bigint, bigint, timestamptz, timestamptz, text);

/*
 * Earns points for a fact, within the caller's operation, which becomes a points transaction; returns the wallet, or
 * null when there is nothing to earn. The same fact, line and rule a second time is an error (lot_once). p_pending as
 * in points_pending. p_expiry is a policy (points_policy(null, currency) for the currency's own) and starts its
 * clock when the points become available; without one they die at p_expires_at.
 */
create function points_earn(
  p_transaction uuid, p_member uuid, p_currency text, p_source_type text, p_source_id text, p_line text, p_rule text,
  p_rule_version int, p_base_minor bigint, p_points bigint, p_at timestamptz, p_expires_at timestamptz, p_reason text,
  p_pending jsonb default null, p_expiry jsonb default null, p_class lot_class default 'EARNED'
) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet;
  v_lot uuid := uuid_v7();
  v_wait record;
  v_is_pending boolean;
begin
  if p_points = 0 then
    return null;
  end if;
  v_wallet := points_wallet_made(v_tenant, p_member, p_currency);
  select * into v_wait from points_pending(p_pending, p_at);
  if v_wait.awaits is not null and p_expiry is null then
    v_wait.available_at := least(v_wait.available_at, p_expires_at);
  end if;
  v_is_pending := v_wait.awaits is not null or p_pending is not null and v_wait.available_at > v_now;
  insert into lot (tenant_id, id, wallet_id, transaction_id, wallet_version, source_type, source_id, line, rule,
                   rule_version, class, available_at, awaits, expires_at, expiry, granted, pending, available)
  values (v_tenant, v_lot, v_wallet.id, p_transaction, v_wallet.version + 1, p_source_type, p_source_id, p_line, p_rule,
          p_rule_version, p_class, v_wait.available_at, v_wait.awaits,
          case when v_wait.awaits is not null then null
               when p_expiry is not null then points_expiry(p_expiry, p_currency, v_wait.available_at)
               else p_expires_at end,
          case when v_wait.awaits is not null then coalesce(p_expiry,
                 case when p_expires_at is null then '{"never": true}' else jsonb_build_object('at', p_expires_at) end)
               when p_expiry ? 'sliding' then p_expiry end,
          p_points, case when v_is_pending then p_points else 0 end, case when v_is_pending then 0 else p_points end);
  insert into earn_basis (tenant_id, source_type, source_id, line, rule, wallet_id, lot_id, base_minor, granted)
  values (v_tenant, p_source_type, p_source_id, p_line, p_rule, v_wallet.id, v_lot, p_base_minor, p_points);
  perform points_repay(v_wallet, p_transaction, v_now);
  perform points_close(v_wallet, p_transaction, p_points, p_reason, null);
  return v_wallet.id;
end $$;

-- ── Settling, with lots that wait for an event ───────────────────────────────────────────────────

/*
 * Books what fell due at p_at in one wallet, which is locked: activations, lapsed holds, then deaths and what waited
 * for an event in vain, in this order, each as a transaction of that instant.
 */
create or replace function points_settle_instant(p_wallet wallet, p_at timestamptz) returns void language plpgsql as $$
declare
  v_wallet wallet := p_wallet;
  v_transaction uuid;
  v_points bigint;
  v_hold hold;
begin
  if exists (select from lot l where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id
             and l.pending > 0 and l.available_at <= p_at and l.awaits is null) then
    v_transaction := points_clock_op(v_wallet, 'ACTIVATE', p_at);
    with moved as (
      insert into posting
        (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
      select l.tenant_id, v_transaction, row_number() over (order by l.id), l.wallet_id, v_wallet.version + 1, l.id,
             'PENDING', 'AVAILABLE', l.pending
      from lot l
      where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id and l.pending > 0
        and l.available_at <= p_at and l.awaits is null
      returning amount
    )
    select sum(amount) into v_points from moved;
    perform points_repay(v_wallet, v_transaction, p_at);
    perform points_close(v_wallet, v_transaction, v_points, 'activation',
      jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_transaction));
    v_wallet := points_locked(v_wallet.tenant_id, v_wallet.id);
  end if;

  for v_hold in
    select * from hold h
    where h.tenant_id = v_wallet.tenant_id and h.wallet_id = v_wallet.id and h.state = 'OPEN' and h.expires_at <= p_at
    order by h.id
  loop
    v_transaction := points_clock_op(v_wallet, 'VOID', p_at);
    perform points_resolve(v_wallet, v_hold, v_transaction, 'EXPIRED', 0, p_at, v_hold.reason);
    v_wallet := points_locked(v_wallet.tenant_id, v_wallet.id);
  end loop;

  if exists (select from lot l where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id
             and (l.open and l.expires_at <= p_at or l.pending > 0 and l.available_at <= p_at)) then
    v_transaction := points_clock_op(v_wallet, 'EXPIRE', p_at);
    with moved as (
      insert into posting
        (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
      select l.tenant_id, v_transaction, row_number() over (order by l.id), l.wallet_id, v_wallet.version + 1, l.id,
             case when l.open then 'AVAILABLE'::bucket else 'PENDING' end, 'EXPIRED', l.available + l.pending
      from lot l
      where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id
        and (l.open and l.expires_at <= p_at or l.pending > 0 and l.available_at <= p_at)
      returning amount
    )
    select sum(amount) into v_points from moved;
    perform points_close(v_wallet, v_transaction, v_points, 'expiry',
      jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_transaction));
    perform points_tell_expired(v_wallet, v_transaction, p_at);
  end if;
end $$;

/*
 * Books, for up to p_limit wallets of this tenant that nobody else works on, all that the clock has done already,
 * just as points_settle does one by one. Returns how many wallets it settled; 0: nothing is left to do here.
 */
create or replace function points_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallets uuid[];
  v_owing uuid[];
  v_wallet uuid;
begin
  perform analyze_new_tables();
  select coalesce(array_agg(x.id) filter (where x.debt = 0), '{}'),
         coalesce(array_agg(x.id) filter (where x.debt > 0), '{}')
  into v_wallets, v_owing
  from (
    select w.id, w.debt from wallet w
    where w.tenant_id = v_tenant and w.due_at <= v_now and w.id = any(array(
      select d.id from wallet d where d.tenant_id = v_tenant and d.due_at <= v_now order by d.due_at limit p_limit))
    order by w.id for no key update skip locked
  ) x;
  -- Debt makes the order of events matter within a wallet; the others are booked together.
  foreach v_wallet in array v_owing loop
    perform points_settle(v_wallet);
  end loop;
  if cardinality(v_wallets) = 0 then
    return cardinality(v_owing);
  end if;

  with activated as (
    select l.wallet_id, l.id as lot_id, l.available_at as at, l.pending as amount, l.expires_at
    from lot l
    where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.pending > 0 and l.available_at <= v_now
      and l.awaits is null
  ), lapsed as (
    select h.wallet_id, h.id as hold_id, h.expires_at as at, h.reason, p.lot_id, p.seq, p.amount, l.expires_at,
      case when l.expires_at <= h.expires_at then 'EXPIRED'::bucket else 'AVAILABLE' end as to_bucket
    from hold h
    join posting p on p.tenant_id = v_tenant and p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'
    join lot l on l.tenant_id = v_tenant and l.id = p.lot_id
    where h.tenant_id = v_tenant and h.wallet_id = any(v_wallets) and h.state = 'OPEN' and h.expires_at <= v_now
  ), dead as (
    select d.wallet_id, d.lot_id, d.expires_at as at, d.from_bucket, sum(d.amount)::bigint as amount
    from (
      select l.wallet_id, l.id as lot_id, l.expires_at, 'AVAILABLE'::bucket as from_bucket, l.available as amount
      from lot l
      where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.open and l.expires_at <= v_now
      union all
      select a.wallet_id, a.lot_id, a.expires_at, 'AVAILABLE', a.amount from activated a where a.expires_at <= v_now
      union all
      select h.wallet_id, h.lot_id, h.expires_at, 'AVAILABLE', h.amount from lapsed h
      where h.to_bucket = 'AVAILABLE' and h.expires_at <= v_now
      union all
      select l.wallet_id, l.id, l.available_at, 'PENDING', l.pending from lot l
      where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.pending > 0 and l.available_at <= v_now
        and l.awaits is not null
    ) d
    group by d.wallet_id, d.lot_id, d.expires_at, d.from_bucket
  ), move as (
    select m.*, row_number() over (partition by m.wallet_id, m.at, m.step, m.hold_id order by m.seq, m.lot_id) as n
    from (
      select a.wallet_id, a.at, 1 as step, null::uuid as hold_id, 'activation' as reason, 0 as seq, a.lot_id,
             'PENDING'::bucket as from_bucket, 'AVAILABLE'::bucket as to_bucket, a.amount
      from activated a
      union all
      select h.wallet_id, h.at, 2, h.hold_id, h.reason, h.seq, h.lot_id, 'HELD', h.to_bucket, h.amount from lapsed h
      union all
      select d.wallet_id, d.at, 3, null, 'expiry', 0, d.lot_id, d.from_bucket, 'EXPIRED', d.amount from dead d
    ) m
  ), done as materialized (
    select m.wallet_id, m.at, m.step, m.hold_id, m.reason, (array['ACTIVATE', 'VOID', 'EXPIRE'])[m.step] as kind,
      sum(m.amount)::bigint as points, bool_or(m.to_bucket = 'EXPIRED') as has_expired, uuid_v7() as transaction_id,
      row_number() over (partition by m.wallet_id order by m.at, m.step, m.hold_id) as n,
      string_agg(points_leaf_line(m.n, m.lot_id, m.from_bucket, m.to_bucket, m.amount), e'\n' order by m.n) as postings
    from move m
    group by m.wallet_id, m.at, m.step, m.hold_id, m.reason
  ), chained as materialized (
    select d.*, w.member_id, w.version + d.n as version, format('engawa:%s:%s:%s', lower(d.kind), w.id, w.version + d.n) as key,
      points_chain(w.head_hash, points_leaf(w.version + d.n, d.transaction_id, d.kind, d.at, d.postings, null))
        over (partition by d.wallet_id order by d.n) as chain_hash
    from done d join wallet w on w.tenant_id = v_tenant and w.id = d.wallet_id
  ), opened as (
    insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, outcome, actor, at, wallet_id, points, reason,
                    wallet_version, chain_hash)
    select v_tenant, c.key, sha256(convert_to(c.key, 'UTF8')), c.transaction_id, c.kind,
           jsonb_build_object('is', 'done', 'wallet', c.wallet_id, 'transaction', c.transaction_id)
             || case when c.hold_id is null then '{}' else jsonb_build_object('hold', c.hold_id) end,
           'engawa', c.at, c.wallet_id, c.points, c.reason, c.version, c.chain_hash
    from chained c
  ), posted as (
    insert into posting
      (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
    select v_tenant, c.transaction_id, m.n, m.wallet_id, c.version, m.lot_id, m.from_bucket, m.to_bucket, m.amount
    from move m
    join chained c on (c.wallet_id, c.at, c.step) = (m.wallet_id, m.at, m.step) and c.hold_id is not distinct from m.hold_id
  ), resolved as (
    update hold h set state = 'EXPIRED', released = h.amount, resolved_transaction_id = c.transaction_id
    from chained c
    where h.tenant_id = v_tenant and h.id = c.hold_id
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, e.type, c.member_id, e.payload, c.at
  from chained c cross join lateral (values
    (1, 'points.posted', jsonb_build_object('transaction', c.transaction_id, 'wallet', c.wallet_id)),
    (2, 'points.expired', jsonb_build_object('transaction', c.transaction_id))
  ) e (n, type, payload)
  where e.n = 1 or c.has_expired
  order by c.at, c.wallet_id, c.n, e.n;

  update wallet w set version = coalesce(d.version, w.version), head_hash = coalesce(d.head_hash, w.head_hash),
                      due_at = points_next_due(v_tenant, w.id)
  from unnest(v_wallets) x (id)
  left join lateral (
    select o.wallet_version as version, o.chain_hash as head_hash from op o
    where o.tenant_id = v_tenant and o.wallet_id = x.id order by o.wallet_version desc limit 1
  ) d on true
  where w.tenant_id = v_tenant and w.id = x.id;
  return cardinality(v_wallets) + cardinality(v_owing);
end $$;

/*
 * Where the points of these wallets are at p_now, as if all that is due were booked: a row for each lot, and for each
 * amount that an activation or a lapsed hold adds to one, after what of it repays debt.
 */
create or replace function points_parts_now(p_tenant uuid, p_wallets uuid[], p_now timestamptz)
returns table (wallet_id uuid, expires_at timestamptz, available bigint, activated bigint, lapsed bigint, repaid bigint)
language plpgsql stable as $$
begin
  return query
  with arrival as (
    select l.wallet_id, l.available_at as at, 1 as step, null::uuid as hold_id, l.priority, l.expires_at, l.class,
           l.available_at, l.id, l.pending as amount
    from lot l
    where l.tenant_id = p_tenant and l.wallet_id = any(p_wallets) and l.pending > 0 and l.available_at <= p_now
      and l.awaits is null
    union all
    select h.wallet_id, h.expires_at, 2, h.id, l.priority, l.expires_at, l.class, l.available_at, l.id, p.amount
    from hold h
    join posting p on p.tenant_id = p_tenant and p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'
    join lot l on l.tenant_id = p_tenant and l.id = p.lot_id
    where h.tenant_id = p_tenant and h.wallet_id = any(p_wallets) and h.state = 'OPEN' and h.expires_at <= p_now
  ), live as (
    select a.*, a.expires_at is null or a.expires_at > a.at as is_live from arrival a
  ), taken as (
    select a.*, case when a.is_live then least(a.amount, greatest(0, w.debt
      - (sum(case when a.is_live then a.amount else 0 end) over (
           partition by a.wallet_id
           order by a.at, a.step, a.hold_id, a.priority, a.expires_at, a.class, a.available_at, a.id
           rows unbounded preceding) - a.amount)))::bigint else 0 end as repaid
    from live a join wallet w on w.tenant_id = p_tenant and w.id = a.wallet_id
  )
  select t.wallet_id, t.expires_at, case when t.is_live then t.amount - t.repaid else 0 end,
         case when t.step = 1 then t.amount else 0 end, case when t.step = 2 then t.amount else 0 end, t.repaid
  from taken t
  union all
  -- What waited for an event in vain has left pending, and gone nowhere.
  select l.wallet_id, l.expires_at, 0, l.pending, 0, 0
  from lot l
  where l.tenant_id = p_tenant and l.wallet_id = any(p_wallets) and l.pending > 0 and l.available_at <= p_now
    and l.awaits is not null
  union all
  select l.wallet_id, l.expires_at, l.available, 0, 0, 0
  from lot l
  where l.tenant_id = p_tenant and l.wallet_id = any(p_wallets) and l.open;
end $$;

-- ── How dates go on ──────────────────────────────────────────────────────────────────────────────

/*
 * A member did something that keeps points alive: lots of sliding policies that count it live on from there. Returns
 * how many lots do. Next to nothing for a tenant without such lots.
 */
create function points_slide(p_member uuid, p_activity text, p_at timestamptz) returns int language plpgsql as $$
begin
  return points_slide_all(array[p_member], p_activity, array[p_at]);
end $$;

/* The same for many members at once, each with the instant of its last such activity. */
create function points_slide_all(p_members uuid[], p_activity text, p_ats timestamptz[]) returns int
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_moved int;
begin
  if not exists (select from lot l where l.tenant_id = v_tenant and l.expiry is not null) then
    return 0;
  end if;
  perform from wallet w
  where w.tenant_id = v_tenant and w.member_id = any(p_members)
    and exists (select from lot l where l.tenant_id = v_tenant and l.wallet_id = w.id and l.expiry is not null)
  order by w.id for no key update;
  insert into lot_date (tenant_id, lot_id, available_at, expires_at, cause, at)
  select v_tenant, l.id, l.available_at, x.expires_at, 'SLIDING', f.at
  from (select m.member_id, max(m.at) as at from unnest(p_members, p_ats) m (member_id, at) group by m.member_id) f
  join wallet w on w.tenant_id = v_tenant and w.member_id = f.member_id
  join lot l on l.tenant_id = v_tenant and l.wallet_id = w.id and l.expiry is not null
  cross join lateral (select points_expiry(l.expiry, w.currency, least(f.at, v_now)) as expires_at) x
  where l.expiry ? 'sliding' and l.expires_at > v_now and x.expires_at > l.expires_at
    and (l.expiry -> 'sliding' -> 'activities' is null or l.expiry -> 'sliding' -> 'activities' ? p_activity)
    and l.pending + l.available + l.held > 0
  order by l.id;
  get diagnostics v_moved = row_count;
  return v_moved;
end $$;

/*
 * The event that pending points wait for has come, after they were granted and before they were cancelled: they are
 * available from p_at on, and start their clock there. Returns how many lots.
 */
create function points_activate_event(p_member uuid, p_event text, p_at timestamptz) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_at timestamptz := least(p_at, tenant_now(v_tenant));
  v_wallets uuid[] := array(
    select w.id from wallet w
    where w.tenant_id = v_tenant and w.member_id = p_member and exists (
      select from lot l where l.tenant_id = v_tenant and l.wallet_id = w.id and l.expiry is not null
        and l.awaits = p_event and l.pending > 0)
    order by w.id);
  v_wallet uuid;
  v_moved int;
begin
  if cardinality(v_wallets) = 0 then
    return 0;
  end if;
  foreach v_wallet in array v_wallets loop
    perform points_settle(v_wallet);
  end loop;
  insert into lot_date (tenant_id, lot_id, available_at, expires_at, cause, at)
  select v_tenant, l.id, v_at, points_expiry(l.expiry, w.currency, v_at), 'ACTIVATION', v_at
  from lot l
  join wallet w on w.tenant_id = v_tenant and w.id = l.wallet_id
  join op o on o.tenant_id = v_tenant and o.transaction_id = l.transaction_id
  where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.expiry is not null and l.awaits = p_event
    and l.pending > 0 and o.at <= v_at
  order by l.id;
  get diagnostics v_moved = row_count;
  foreach v_wallet in array v_wallets loop
    perform points_settle(v_wallet);
  end loop;
  return v_moved;
end $$;

-- ── Extending ────────────────────────────────────────────────────────────────────────────────────

/* Lots that are alive and die some day live that much longer; tells how many points of each wallet do. */
create function points_extend_lots(p_lots uuid[], p_by interval, p_at timestamptz)
returns table (wallet_id uuid, points bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_lots uuid[];
begin
  perform from wallet w
  where w.tenant_id = v_tenant and w.id in (select l.wallet_id from lot l where l.tenant_id = v_tenant and l.id = any(p_lots))
  order by w.id for no key update;
  v_lots := array(
    select l.id from lot l
    where l.tenant_id = v_tenant and l.id = any(p_lots) and l.expires_at > v_now and l.pending + l.available + l.held > 0
    order by l.id);
  insert into lot_date (tenant_id, lot_id, available_at, expires_at, cause, at)
  select v_tenant, l.id, l.available_at, points_later(l.expires_at, p_by), 'EXTENSION', p_at
  from lot l where l.tenant_id = v_tenant and l.id = any(v_lots)
  order by l.id;
  return query
  select l.wallet_id, sum(l.pending + l.available + l.held)::bigint
  from lot l where l.tenant_id = v_tenant and l.id = any(v_lots)
  group by l.wallet_id order by l.wallet_id;
end $$;

/*
 * The points of a member that die within p_within live p_by longer. Outcomes: done {wallet, points}, bad_input,
 * not_found, key_reused, membership_ended.
 */
create function points_extend(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_currency text, p_within interval, p_by interval,
  p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member;
  v_op record;
  v_wallet wallet;
  v_points bigint;
  v_outcome jsonb := points_bad_input(1, p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  elsif points_later(v_now, p_by) <= v_now then
    return jsonb_build_object('is', 'bad_input', 'field', 'by', 'message', 'Points are extended by more than no time.');
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return points_not_found('member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'EXTEND', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_wallet(v_tenant, v_member.id, p_currency);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  elsif v_wallet.id is null then
    return op_finish(p_key, points_not_found('wallet'));
  end if;
  select coalesce(sum(e.points), 0)::bigint into v_points
  from points_extend_lots(array(
    select l.id from lot l
    where l.tenant_id = v_tenant and l.wallet_id = v_wallet.id and l.expires_at > v_now
      and l.expires_at <= points_later(v_now, p_within)), p_by, v_now) e;
  update op o set reason = p_reason where o.tenant_id = v_tenant and o.idempotency_key = p_key;
  if v_points > 0 then
    perform announce('points.extended', v_member.id,
      jsonb_build_object('wallet', v_wallet.id, 'points', v_points::text), v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'points', v_points::text));
end $$;
grant execute on function points_extend(text, bytea, uuid, text, text, interval, interval, text, text) to engawa_app;

-- ── From member to member ────────────────────────────────────────────────────────────────────────

/*
 * Moves points from one member to another in burn order. What arrives keeps the dates, class, priority, worth and
 * policy of the lot it came from, and names it. Two operations, one for each wallet, each naming the other; the
 * wallets are locked in the order of their ids. Outcomes: done {wallet, transaction, to_wallet, to_transaction},
 * bad_input, not_found, key_reused, membership_ended, insufficient_points {available, required}.
 */
create function points_transfer(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_to_member uuid, p_to_external_id text, p_points bigint,
  p_currency text, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_from member;
  v_to member;
  v_op record;
  v_in record;
  v_in_key text;
  v_giver wallet;
  v_taker wallet;
  v_outcome jsonb := points_bad_input(p_points, p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  v_from := member_find(p_member, p_external_id);
  v_to := member_find(p_to_member, p_to_external_id);
  if v_from.id is null or v_to.id is null then
    return points_not_found('member');
  elsif v_from.id = v_to.id then
    return jsonb_build_object('is', 'bad_input', 'field', 'to', 'message', 'Points are moved to another member.');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'TRANSFER', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  if v_from.membership = 'ENDED' or v_to.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(case when v_from.membership = 'ENDED' then v_from else v_to end));
  end if;
  insert into wallet (tenant_id, member_id, currency) values (v_tenant, v_to.id, coalesce(p_currency, 'POINTS'))
  on conflict (tenant_id, member_id, currency) do nothing;
  perform from wallet w
  where w.tenant_id = v_tenant and w.member_id in (v_from.id, v_to.id) and w.currency = coalesce(p_currency, 'POINTS')
  order by w.id for no key update;
  v_giver := points_wallet(v_tenant, v_from.id, p_currency);
  if coalesce(v_giver.available, 0) < p_points then
    return op_finish(p_key, points_insufficient(v_giver.available, p_points));
  end if;
  v_taker := points_wallet(v_tenant, v_to.id, p_currency);
  if points_burn(v_giver, v_op.transaction_id, 0, p_points, 'SPENT', v_now, null) <> p_points then
    raise exception 'the lots of wallet % hold less than the wallet', v_giver.id;
  end if;
  v_in_key := 'engawa:transfer:' || v_op.transaction_id;
  select * into v_in from op_begin(v_in_key, sha256(convert_to(v_in_key, 'UTF8')), 'TRANSFER', p_actor, v_now);
  insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, line, parent_lot_id,
                   priority, class, available_at, expires_at, expiry, unit_cost_micro, granted, available)
  select v_tenant, v_taker.id, v_in.transaction_id, v_taker.version + 1, 'transfer', v_op.transaction_id::text,
         l.id::text, l.id, l.priority, l.class, l.available_at, l.expires_at, l.expiry, l.unit_cost_micro, p.amount, p.amount
  from posting p join lot l on l.tenant_id = v_tenant and l.id = p.lot_id
  where p.tenant_id = v_tenant and p.transaction_id = v_op.transaction_id
  order by p.seq;
  perform points_repay(v_taker, v_in.transaction_id, v_now);
  v_outcome := jsonb_build_object('is', 'done', 'wallet', v_giver.id, 'transaction', v_op.transaction_id,
                                  'to_wallet', v_taker.id, 'to_transaction', v_in.transaction_id);
  perform points_close(v_giver, v_op.transaction_id, p_points, p_reason, v_outcome);
  perform points_close(v_taker, v_in.transaction_id, p_points, p_reason, jsonb_build_object('is', 'done',
    'wallet', v_taker.id, 'transaction', v_in.transaction_id, 'from_transaction', v_op.transaction_id));
  perform announce('points.transferred', x.member_id, jsonb_build_object('transaction', x.transaction_id), v_now)
  from (values (1, v_from.id, v_op.transaction_id), (2, v_to.id, v_in.transaction_id)) x (n, member_id, transaction_id)
  order by x.n;
  return v_outcome;
end $$;
grant execute on function points_transfer(text, bytea, uuid, text, uuid, text, bigint, text, text, text) to engawa_app;

-- ── By hand: adjustments with four eyes, delight within a budget ─────────────────────────────────

/* What staff may do by hand, in points of any one currency. */
create table operations (
  tenant_id            uuid not null,
  kind                 text generated always as ('operations') stored,
  key                  text not null check (key = 'operations'),
  version              int not null,
  /* An adjustment of more needs another's eyes. */
  approval_above       bigint not null check (approval_above >= 0),
  /* What one of them may adjust a day, and give away for delight a month. */
  daily_per_operator   bigint not null check (daily_per_operator >= 0),
  monthly_per_operator bigint not null check (monthly_per_operator >= 0),
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version)
);
call protect('operations');
grant select on operations to engawa_app;

create function operations_of_definition() returns trigger language plpgsql as $$
begin
  insert into operations (tenant_id, key, version, approval_above, daily_per_operator, monthly_per_operator)
  values (new.tenant_id, new.key, new.version, (new.body #>> '{adjustment,approvalAbove}')::bigint,
    (new.body #>> '{adjustment,dailyPerOperator}')::bigint, (new.body #>> '{delight,monthlyPerOperator}')::bigint);
  return null;
end $$;
create trigger operations_of_definition after insert on definition
  for each row when (new.kind = 'operations') execute function operations_of_definition();

create function operations_live() returns operations language plpgsql stable as $$
declare
  v_operations operations;
begin
  select o.* into v_operations from definition d
  join operations o on (o.tenant_id, o.key, o.version) = (d.tenant_id, d.key, d.version)
  where d.tenant_id = current_tenant() and d.kind = 'operations' and d.is_live;
  return v_operations;
end $$;

create function operations_preset(p_tenant uuid) returns void language sql as $$
  select definition_preset(p_tenant, 'operations', 'operations', '{"adjustment": {"approvalAbove": "10000",
    "dailyPerOperator": "50000"}, "delight": {"monthlyPerOperator": "10000"}}')
$$;
create function operations_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform operations_preset(new.id);
  return null;
end $$;
create trigger operations_of_new_tenant after insert on tenant
  for each row execute function operations_of_new_tenant();
select operations_preset(t) from every_tenant() t;

/* What one operator has moved by hand in a period: the limit is the row's own. */
create table operator_counter (
  tenant_id uuid not null references tenant,
  kind      text not null check (kind in ('ADJUSTMENT', 'DELIGHT')),
  operator  text not null,
  currency  text not null,
  /* The day, or the first of the month, of the tenant's calendar. */
  period    date not null,
  used      bigint not null check (used >= 0),
  cap       bigint not null,
  primary key (tenant_id, kind, operator, currency, period),
  constraint operator_counter_within check (used <= cap)
);
call protect('operator_counter');
grant select on operator_counter to engawa_app;

/* A move of points by hand: done at once, or asked for and then decided by somebody else, once. */
create table adjustment (
  tenant_id      uuid not null,
  id             uuid not null default uuid_v7(),
  kind           text not null check (kind in ('ADJUSTMENT', 'DELIGHT')),
  member_id      uuid not null,
  currency       text not null,
  /* Below zero: taken away. */
  points         bigint not null check (points <> 0),
  reason         text not null,
  requested_by   text not null,
  requested_at   timestamptz not null,
  /* The period of the operator's counter that it counts in. */
  period         date not null,
  state          text not null check (state in ('DONE', 'REQUESTED', 'APPROVED', 'REJECTED')),
  decided_by     text,
  decided_at     timestamptz,
  note           text,
  transaction_id uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id),
  constraint adjustment_four_eyes check (decided_by <> requested_by),
  constraint adjustment_decided check ((state in ('APPROVED', 'REJECTED')) = (decided_by is not null)
    and (decided_by is null) = (decided_at is null)),
  constraint adjustment_moved check ((state in ('DONE', 'APPROVED')) = (transaction_id is not null)),
  constraint adjustment_delight check (kind = 'ADJUSTMENT' or state = 'DONE' and points > 0)
);
create index adjustment_latest on adjustment (tenant_id, requested_at, id);
create index adjustment_of_member on adjustment (tenant_id, member_id);
call protect('adjustment');
grant select on adjustment to engawa_app;
create trigger kept before delete or truncate on adjustment
  for each statement execute function refuse_change('adjustments stay');
create trigger decided_once before update on adjustment for each row
  when (old.state <> 'REQUESTED' or (new.tenant_id, new.id, new.kind, new.member_id, new.currency, new.points, new.reason,
    new.requested_by, new.requested_at, new.period) is distinct from (old.tenant_id, old.id, old.kind, old.member_id,
    old.currency, old.points, old.reason, old.requested_by, old.requested_at, old.period))
  execute function refuse_change('an adjustment is decided once, as it was asked for');

/* Counts points against an operator's limit; what there is left of it when they do not fit, else null. */
create function operator_take(
  p_kind text, p_operator text, p_currency text, p_period date, p_points bigint, p_cap bigint
) returns bigint language plpgsql as $$
begin
  insert into operator_counter as c (tenant_id, kind, operator, currency, period, used, cap)
  select current_tenant(), p_kind, p_operator, p_currency, p_period, p_points, p_cap where p_points <= p_cap
  on conflict (tenant_id, kind, operator, currency, period)
    do update set used = c.used + excluded.used, cap = excluded.cap where c.used + excluded.used <= excluded.cap;
  if found then
    return null;
  end if;
  return greatest(0, p_cap - coalesce((
    select c.used from operator_counter c
    where (c.tenant_id, c.kind, c.operator, c.currency, c.period)
        = (current_tenant(), p_kind, p_operator, p_currency, p_period)), 0));
end $$;

create function operator_give_back(
  p_kind text, p_operator text, p_currency text, p_period date, p_points bigint
) returns void language plpgsql as $$
begin
  update operator_counter c set used = c.used - p_points
  where (c.tenant_id, c.kind, c.operator, c.currency, c.period)
      = (current_tenant(), p_kind, p_operator, p_currency, p_period);
end $$;

/* What a limit that is reached answers: when the operator's next period begins. */
create function points_limit_reached(p_limit bigint, p_left bigint, p_next date) returns jsonb language plpgsql stable as $$
begin
  return jsonb_build_object('is', 'operator_limit_reached', 'limit', p_limit::text, 'left', p_left::text,
    'resets_at', p_next::timestamp at time zone (select t.time_zone from tenant t where t.id = current_tenant()));
end $$;

/* Moves points by hand within an operation; the refusal when they are not there, else null. */
create function points_move_by_hand(
  p_transaction uuid, p_adjustment uuid, p_kind text, p_member uuid, p_currency text, p_points bigint, p_reason text
) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet;
  v_policy jsonb := points_policy(null, p_currency);
begin
  if p_points < 0 then
    v_wallet := points_wallet(v_tenant, p_member, p_currency);
    if coalesce(v_wallet.available, 0) < -p_points then
      return points_insufficient(v_wallet.available, -p_points);
    end if;
    perform points_burn(v_wallet, p_transaction, 0, -p_points, 'REVOKED', v_now, null);
  else
    v_wallet := points_wallet_made(v_tenant, p_member, p_currency);
    insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, class, available_at,
                     expires_at, expiry, granted, available)
    values (v_tenant, v_wallet.id, p_transaction, v_wallet.version + 1, lower(p_kind), p_adjustment::text,
            case p_kind when 'DELIGHT' then 'PROMOTIONAL'::lot_class else 'EARNED' end, v_now,
            points_expiry(v_policy, p_currency, v_now), case when v_policy ? 'sliding' then v_policy end, p_points, p_points);
    perform points_repay(v_wallet, p_transaction, v_now);
  end if;
  perform points_close(v_wallet, p_transaction, abs(p_points), p_reason, null);
  return null;
end $$;

/*
 * Adds points by hand, or takes them away (below zero), within the operator's limit of the day; more than may be
 * done alone is only asked for. p_kind DELIGHT adds within the budget of the month. Outcomes: done {adjustment,
 * wallet and transaction or null}, bad_input, not_found, key_reused, membership_ended, insufficient_points,
 * operator_limit_reached {limit, left, resets_at}.
 */
create function points_adjust(
  p_key text, p_hash bytea, p_kind text, p_member uuid, p_external_id text, p_points bigint, p_currency text,
  p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_today date := (v_now at time zone (select t.time_zone from tenant t where t.id = v_tenant))::date;
  v_period date := case p_kind when 'DELIGHT' then date_trunc('month', v_today)::date else v_today end;
  v_next date := case p_kind when 'DELIGHT' then v_period + interval '1 month' else v_today + 1 end;
  v_currency text := coalesce(p_currency, 'POINTS');
  v_operations operations := operations_live();
  v_limit bigint := coalesce(
    case p_kind when 'DELIGHT' then v_operations.monthly_per_operator else v_operations.daily_per_operator end, 0);
  v_asks boolean := p_kind = 'ADJUSTMENT' and abs(p_points) > coalesce(v_operations.approval_above, 0);
  v_member member;
  v_op record;
  v_left bigint;
  v_id uuid := uuid_v7();
  v_outcome jsonb := points_bad_input(abs(p_points), p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return points_not_found('member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, case p_kind when 'DELIGHT' then 'GRANT' else 'ADJUST' end, p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  v_left := operator_take(p_kind, p_actor, v_currency, v_period, abs(p_points), v_limit);
  if v_left is not null then
    return op_finish(p_key, points_limit_reached(v_limit, v_left, v_next));
  end if;
  if not v_asks then
    v_outcome := points_move_by_hand(v_op.transaction_id, v_id, p_kind, v_member.id, v_currency, p_points, p_reason);
    if v_outcome is not null then
      perform operator_give_back(p_kind, p_actor, v_currency, v_period, abs(p_points));
      return op_finish(p_key, v_outcome);
    end if;
  end if;
  insert into adjustment (tenant_id, id, kind, member_id, currency, points, reason, requested_by, requested_at, period,
                          state, transaction_id)
  values (v_tenant, v_id, p_kind, v_member.id, v_currency, p_points, p_reason, p_actor, v_now, v_period,
          case when v_asks then 'REQUESTED' else 'DONE' end, case when not v_asks then v_op.transaction_id end);
  if v_asks then
    -- For staff alone: nothing has happened to the member.
    perform announce('points.adjustment_requested', null, jsonb_build_object('adjustment', v_id), v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'adjustment', v_id, 'transaction',
    case when not v_asks then v_op.transaction_id end));
end $$;

/*
 * Decides, once, an adjustment that another operator asked for. Outcomes: done {adjustment, transaction or null},
 * not_found, key_reused, own_request, already_decided {state}, membership_ended, insufficient_points. A refused
 * approval leaves it asked for; a rejection gives the requester's limit back.
 */
create function points_adjustment_decide(
  p_key text, p_hash bytea, p_adjustment uuid, p_approves boolean, p_note text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_asked adjustment;
  v_member member;
  v_op record;
  v_outcome jsonb;
begin
  select * into v_asked from adjustment a where a.tenant_id = v_tenant and a.id = p_adjustment;
  if v_asked.id is null then
    return points_not_found('adjustment');
  end if;
  select * into v_op from op_begin(p_key, p_hash, case when p_approves then 'ADJUST' else 'REJECT' end, p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_asked.member_id);
  select * into strict v_asked from adjustment a where a.tenant_id = v_tenant and a.id = p_adjustment for no key update;
  if v_asked.requested_by = p_actor then
    return op_finish(p_key, '{"is": "own_request"}');
  elsif v_asked.state <> 'REQUESTED' then
    return op_finish(p_key, jsonb_build_object('is', 'already_decided', 'state', v_asked.state));
  end if;
  if p_approves then
    v_member := member_find(v_asked.member_id, null);
    if v_member.membership = 'ENDED' then
      return op_finish(p_key, membership_ended(v_member));
    end if;
    v_outcome := points_move_by_hand(v_op.transaction_id, v_asked.id, v_asked.kind, v_asked.member_id, v_asked.currency,
      v_asked.points, v_asked.reason);
    if v_outcome is not null then
      return op_finish(p_key, v_outcome);
    end if;
  else
    perform operator_give_back(v_asked.kind, v_asked.requested_by, v_asked.currency, v_asked.period, abs(v_asked.points));
  end if;
  update adjustment a set state = case when p_approves then 'APPROVED' else 'REJECTED' end, decided_by = p_actor,
    decided_at = v_now, note = p_note, transaction_id = case when p_approves then v_op.transaction_id end
  where a.tenant_id = v_tenant and a.id = p_adjustment;
  perform announce('points.adjustment_decided', null, jsonb_build_object('adjustment', p_adjustment), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'adjustment', p_adjustment, 'transaction',
    case when p_approves then v_op.transaction_id end));
end $$;
grant execute on function points_adjust(text, bytea, text, uuid, text, bigint, text, text, text),
  points_adjustment_decide(text, bytea, uuid, boolean, text, text) to engawa_app;


-- ── What is owed to members in points ────────────────────────────────────────────────────────────

/*
 * The points of a currency that members could still use at p_at, from the postings up to then: a row for each class of
 * lots and each month of the tenant in which they die (null: never), with what they are worth by the lots' own
 * worth, in whole minor units. Lots past their date count as dead whether or not that was booked.
 */
create function points_liability(p_currency text, p_at timestamptz)
returns table (class text, month date, points bigint, value_minor bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_zone text := (select t.time_zone from tenant t where t.id = current_tenant());
begin
  return query
  with moved as (
    select p.lot_id,
      sum(bucket_delta('HELD', p.from_bucket, p.to_bucket, p.amount)) as held,
      sum(bucket_delta('PENDING', p.from_bucket, p.to_bucket, p.amount)
        + bucket_delta('AVAILABLE', p.from_bucket, p.to_bucket, p.amount)) as free
    from wallet w
    join posting p on p.tenant_id = v_tenant and p.wallet_id = w.id
    join op o on o.tenant_id = v_tenant and o.transaction_id = p.transaction_id
    where w.tenant_id = v_tenant and w.currency = p_currency and o.at <= p_at
    group by p.lot_id
  ), alive as (
    select l.class, date_trunc('month', (l.expires_at - interval '1 microsecond') at time zone v_zone)::date as month,
      l.unit_cost_micro, (m.held + case when l.expires_at <= p_at or l.awaits is not null and l.available_at <= p_at
        then 0 else m.free end)::bigint as points
    from moved m join lot l on l.tenant_id = v_tenant and l.id = m.lot_id
  )
  select a.class::text, a.month, sum(a.points)::bigint,
         div(sum(a.points::numeric * coalesce(a.unit_cost_micro, 0)), 1000000)::bigint
  from alive a where a.points > 0
  group by a.class, a.month
  order by a.class, a.month;
end $$;

/*
 * What became of the points of a currency up to p_at: redeemed (net of what was given back, without transfers), and
 * dead (net of what was given back; what has died and is not booked yet as well). Its share of both, in basis points
 * rounded down, is the breakage that history lets expect.
 */
create function points_breakage(
  p_currency text, p_at timestamptz, out redeemed bigint, out expired bigint, out basis_points int
) language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  select coalesce(sum(case when o.kind <> 'TRANSFER' then bucket_delta('SPENT', p.from_bucket, p.to_bucket, p.amount) end), 0),
         coalesce(sum(bucket_delta('EXPIRED', p.from_bucket, p.to_bucket, p.amount)), 0)
  into redeemed, expired
  from wallet w
  join posting p on p.tenant_id = v_tenant and p.wallet_id = w.id
  join op o on o.tenant_id = v_tenant and o.transaction_id = p.transaction_id
  where w.tenant_id = v_tenant and w.currency = p_currency and o.at <= p_at;
  expired := expired + (
    select coalesce(sum(l.available + l.pending), 0) from wallet w
    join lot l on l.tenant_id = v_tenant and l.wallet_id = w.id
    where w.tenant_id = v_tenant and w.currency = p_currency
      and (l.open and l.expires_at <= p_at or l.pending > 0 and l.awaits is not null and l.available_at <= p_at));
  basis_points := case when redeemed + expired = 0 then null
    else div(expired::numeric * 10000, redeemed + expired)::int end;
end $$;
grant execute on function points_liability(text, timestamptz), points_breakage(text, timestamptz) to engawa_app;

-- ── Verifying ────────────────────────────────────────────────────────────────────────────────────

/*
 * Recomputes the wallets of this tenant from what is append-only, and their chains; returns each difference. No rows:
 * the books are right. Takes the wallets with ids after p_after up to p_through; all by default.
 */
create or replace function points_verify(
  p_after uuid default '00000000-0000-0000-0000-000000000000', p_through uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
) returns table (wallet_id uuid, expected text, found text)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with moved as (
    select p.wallet_id, p.lot_id,
      sum(case when p.from_bucket = 'ISSUE' then p.amount else 0 end) as issued,
      sum(bucket_delta('PENDING', p.from_bucket, p.to_bucket, p.amount)) as pending,
      sum(bucket_delta('AVAILABLE', p.from_bucket, p.to_bucket, p.amount)) as available,
      sum(bucket_delta('HELD', p.from_bucket, p.to_bucket, p.amount)) as held,
      sum(bucket_delta('SPENT', p.from_bucket, p.to_bucket, p.amount)) as spent,
      sum(bucket_delta('EXPIRED', p.from_bucket, p.to_bucket, p.amount)) as expired,
      sum(bucket_delta('REVOKED', p.from_bucket, p.to_bucket, p.amount)) as revoked
    from posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.wallet_id, p.lot_id
  ), owed as (
    select p.wallet_id, sum(case when p.kind = 'RAISED' then p.amount else 0 end) as raised,
           sum(case when p.kind = 'REPAID' then p.amount else 0 end) as repaid
    from debt_posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.wallet_id
  ), reserved as (
    select h.wallet_id, sum(h.amount) as held from hold h
    where h.tenant_id = v_tenant and h.state = 'OPEN' and h.wallet_id > p_after and h.wallet_id <= p_through
    group by h.wallet_id
  ), posted as (
    select p.transaction_id, min(p.wallet_version) as version, bool_and(p.wallet_id = o.wallet_id) as is_one,
           max(p.wallet_version) = min(p.wallet_version) and min(p.wallet_version) = o.wallet_version as is_version,
           string_agg(points_leaf_line(p.seq, p.lot_id, p.from_bucket, p.to_bucket, p.amount), e'\n' order by p.seq) as leaf,
           min(p.wallet_id::text)::uuid as wallet_id
    from posting p
    join op o on o.tenant_id = v_tenant and o.transaction_id = p.transaction_id
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.transaction_id, o.wallet_version
  ), debts as (
    select p.transaction_id, string_agg(points_leaf_debt(p.seq, p.kind, p.amount), e'\n' order by p.seq) as leaf
    from debt_posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.transaction_id
  ), chain as (
    select o.wallet_id, o.transaction_id, o.wallet_version, o.chain_hash,
      row_number() over w as n,
      points_link(lag(o.chain_hash) over w,
        points_leaf(o.wallet_version, o.transaction_id, o.kind, o.at, p.leaf, d.leaf)) as link
    from op o
    left join posted p on p.transaction_id = o.transaction_id
    left join debts d on d.transaction_id = o.transaction_id
    where o.tenant_id = v_tenant and o.wallet_id > p_after and o.wallet_id <= p_through
    window w as (partition by o.wallet_id order by o.wallet_version)
  ), difference as (
    -- Wallets against their postings, debt postings, open holds and transactions.
    select w.id as wallet_id, v.what, v.expected, v.found
    from wallet w
    left join (
      select m.wallet_id, sum(m.issued) as issued, sum(m.pending) as pending, sum(m.available) as available,
             sum(m.held) as held, sum(m.spent) as spent, sum(m.expired) as expired, sum(m.revoked) as revoked
      from moved m group by m.wallet_id
    ) m on m.wallet_id = w.id
    left join owed d on d.wallet_id = w.id
    left join reserved r on r.wallet_id = w.id
    left join (select c.wallet_id, count(*) as n from chain c group by c.wallet_id) c on c.wallet_id = w.id
    cross join lateral (values
      ('issued', coalesce(m.issued, 0)::text, w.issued::text),
      ('pending', coalesce(m.pending, 0)::text, w.pending::text),
      ('available', coalesce(m.available, 0)::text, w.available::text),
      ('held', coalesce(m.held, 0)::text, w.held::text),
      ('held by open holds', coalesce(r.held, 0)::text, w.held::text),
      ('spent', coalesce(m.spent, 0)::text, w.spent::text),
      ('expired', coalesce(m.expired, 0)::text, w.expired::text),
      ('revoked', coalesce(m.revoked, 0)::text, w.revoked::text),
      ('debt raised', coalesce(d.raised, 0)::text, w.debt_raised::text),
      ('debt repaid', coalesce(d.repaid, 0)::text, w.debt_repaid::text),
      ('version', coalesce(c.n, 0)::text, w.version::text)
    ) v (what, expected, found)
    where w.tenant_id = v_tenant and w.id > p_after and w.id <= p_through
    union all
    -- What is due must not be forgotten: too early costs a look, too late would show dead points.
    select w.id, 'due no later than', d.due_at::text, w.due_at::text
    from wallet w
    join (
      select x.wallet_id, min(x.due_at) as due_at
      from (
        select l.wallet_id, l.available_at as due_at from lot l
        where l.tenant_id = v_tenant and l.pending > 0 and l.wallet_id > p_after and l.wallet_id <= p_through
        union all
        select l.wallet_id, l.expires_at from lot l
        where l.tenant_id = v_tenant and l.open and l.wallet_id > p_after and l.wallet_id <= p_through
        union all
        select h.wallet_id, h.expires_at from hold h
        where h.tenant_id = v_tenant and h.state = 'OPEN' and h.wallet_id > p_after and h.wallet_id <= p_through
      ) x
      group by x.wallet_id
    ) d on d.wallet_id = w.id
    where w.tenant_id = v_tenant and (w.due_at <= d.due_at) is not true and d.due_at is not null
    union all
    -- Lots against their postings.
    select l.wallet_id, format('lot %s: %s', l.id, v.what), v.expected::text, v.found::text
    from lot l
    left join moved m on m.lot_id = l.id
    cross join lateral (values
      ('granted', m.issued, l.granted), ('pending', m.pending, l.pending), ('available', m.available, l.available),
      ('held', m.held, l.held), ('spent', m.spent, l.spent), ('expired', m.expired, l.expired),
      ('revoked', m.revoked, l.revoked)
    ) v (what, expected, found)
    where l.tenant_id = v_tenant and l.wallet_id > p_after and l.wallet_id <= p_through
    union all
    -- Lots against the last row of their dates.
    select l.wallet_id, format('lot %s: %s', l.id, v.what), v.expected, v.found
    from lot l
    join (
      select d.lot_id, max(d.n) as n, count(*) as rows, bool_or(d.cause = 'ACTIVATION') as is_activated from lot_date d
      where d.tenant_id = v_tenant group by d.lot_id
    ) x on x.lot_id = l.id
    join lot_date d on d.tenant_id = v_tenant and d.lot_id = l.id and d.n = x.n
    cross join lateral (values
      ('available from', d.available_at::text, l.available_at::text),
      ('dead from', d.expires_at::text, l.expires_at::text),
      ('dates', x.rows::text, d.n::text),
      ('waits', case when x.is_activated then null else l.awaits end, l.awaits)
    ) v (what, expected, found)
    where l.tenant_id = v_tenant and l.wallet_id > p_after and l.wallet_id <= p_through
    union all
    -- What came from another wallet, against what left that one, and the lot it left.
    select l.wallet_id, format('lot %s: %s', l.id, v.what), v.expected, v.found
    from lot l
    join lot f on f.tenant_id = v_tenant and f.id = l.parent_lot_id
    cross join lateral (
      select sum(p.amount) as amount, min(o.kind) as kind from posting p
      join op o on o.tenant_id = v_tenant and o.transaction_id = p.transaction_id
      where p.tenant_id = v_tenant and p.transaction_id = l.source_id::uuid and p.lot_id = f.id and p.to_bucket = 'SPENT'
    ) p
    cross join lateral (values
      ('moved', p.amount::text, l.granted::text), ('moved by', 'TRANSFER', p.kind),
      ('class', f.class::text, l.class::text), ('priority', f.priority::text, l.priority::text),
      ('worth', f.unit_cost_micro::text, l.unit_cost_micro::text),
      ('dead from', f.expires_at::text, case when not exists (
        select from lot_date d where d.tenant_id = v_tenant and d.lot_id in (l.id, f.id))
        then l.expires_at::text else f.expires_at::text end)
    ) v (what, expected, found)
    where l.tenant_id = v_tenant and l.source_type = 'transfer' and l.wallet_id > p_after and l.wallet_id <= p_through
    union all
    -- What left by a transfer, against what arrived.
    select o.wallet_id, format('transaction %s: arrived', o.transaction_id), o.points::text,
           coalesce(sum(c.granted), 0)::text
    from op o
    left join lot c on c.tenant_id = v_tenant and c.source_type = 'transfer' and c.source_id = o.transaction_id::text
    where o.tenant_id = v_tenant and o.kind = 'TRANSFER' and o.wallet_id > p_after and o.wallet_id <= p_through
      and o.outcome ? 'to_wallet'
    group by o.wallet_id, o.transaction_id, o.points
    union all
    -- What was asked back against the money given back.
    select b.wallet_id, format('%s %s %s %s: %s', b.source_type, b.source_id, b.line, b.rule, v.what),
           v.expected::text, v.found::text
    from earn_basis b
    join lot l on l.tenant_id = v_tenant and l.id = b.lot_id
    cross join lateral (values
      ('granted', l.granted::numeric, b.granted),
      ('revoked', case when b.base_minor = 0 then 0
                  else div(b.granted::numeric * b.refunded_minor, b.base_minor) end, b.revoked)
    ) v (what, expected, found)
    where b.tenant_id = v_tenant and b.wallet_id > p_after and b.wallet_id <= p_through
    union all
    -- Holds against what they reserved and how they ended.
    select h.wallet_id, format('hold %s: %s', h.id, v.what), v.expected::text, v.found::text
    from hold h
    cross join lateral (
      select coalesce(sum(p.amount) filter (where p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'), 0) as held,
             coalesce(sum(p.amount) filter (where p.transaction_id = h.resolved_transaction_id
                                            and p.from_bucket = 'HELD' and p.to_bucket = 'SPENT'), 0) as captured,
             coalesce(sum(p.amount) filter (where p.transaction_id = h.resolved_transaction_id
                                            and p.from_bucket = 'HELD' and p.to_bucket <> 'SPENT'), 0) as released
      from posting p
      where p.tenant_id = v_tenant and p.transaction_id in (h.transaction_id, h.resolved_transaction_id)
    ) p
    cross join lateral (values
      ('amount', p.held, h.amount), ('captured', p.captured, h.captured), ('released', p.released, h.released)
    ) v (what, expected, found)
    where h.tenant_id = v_tenant and h.wallet_id > p_after and h.wallet_id <= p_through
    union all
    -- The chain, link by link, and its head.
    select c.wallet_id, format('transaction %s: version', c.transaction_id), c.n::text, c.wallet_version::text from chain c
    union all
    select c.wallet_id, format('transaction %s: link', c.transaction_id), encode(c.link, 'hex'), encode(c.chain_hash, 'hex')
    from chain c
    union all
    select w.id, 'head', encode(c.chain_hash, 'hex'), encode(w.head_hash, 'hex')
    from wallet w left join chain c on c.wallet_id = w.id and c.wallet_version = w.version
    where w.tenant_id = v_tenant and w.id > p_after and w.id <= p_through
    union all
    select p.wallet_id, format('transaction %s: of one wallet and version', p.transaction_id), 'true',
           coalesce(p.is_one and p.is_version, false)::text
    from posted p
  )
  select d.wallet_id, d.what || ' ' || coalesce(d.expected, 'none'), d.what || ' ' || coalesce(d.found, 'none')
  from difference d
  where d.expected is distinct from d.found
  order by d.wallet_id, d.what;
end $$;
