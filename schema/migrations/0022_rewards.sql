-- Rewards: what members spend points on. A definition says what it costs and who may have it; the shelf counts what is
-- left; a redemption is one member's taking, from the points reserved or spent to the thing in hand.

set local role engawa_owner;

-- ── What rewards there are ───────────────────────────────────────────────────────────────────────

/* A version of a reward's definition. */
create table reward (
  tenant_id       uuid not null,
  kind            text not null generated always as ('reward') stored,
  key             text not null,
  version         int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name            jsonb not null,
  description     jsonb,
  /* What one costs those for whom no lower price is written. */
  points          bigint not null check (points > 0),
  currency        text not null default 'POINTS',
  audience_id     uuid,
  starts_at       timestamptz,
  ends_at         timestamptz,
  /* How many there ever are; null: no end. */
  stock           int check (stock >= 0),
  /* How many a member may have in one period; null: no limit. */
  per_member      int check (per_member between 1 and 1000),
  /* Null: ever. */
  per_period      text check (per_period in ('DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR')),
  /* What the program gives; null: goods, which somebody sends. */
  benefit         jsonb,
  goods           jsonb,
  fulfilment      text not null check (fulfilment in ('AT_ONCE', 'MANUAL')),
  /* ISO 8601: for how long its points are held until it is fulfilled; null: they are spent at once. */
  reservation_for text,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check (starts_at < ends_at),
  check (per_member is not null or per_period is null),
  check (num_nonnulls(benefit, goods) = 1),
  check (fulfilment = 'MANUAL' or (benefit is not null and reservation_for is null))
);
call protect('reward');
grant select on reward to engawa_app;

/* A price for some: the lowest that a member is in for counts. */
create table reward_price (
  tenant_id   uuid not null,
  key         text not null,
  version     int not null,
  n           int not null,
  audience_id uuid not null,
  points      bigint not null check (points > 0),
  primary key (tenant_id, key, version, n),
  foreign key (tenant_id, key, version) references reward (tenant_id, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id)
);
call protect('reward_price');
grant select on reward_price to engawa_app;

/* A reward as it stands: which version is live, and what is left of it. */
create table reward_shelf (
  tenant_id    uuid not null references tenant,
  id           uuid not null default uuid_v7(),
  key          text not null,
  /* The newest version; is_live is false once the reward was retired. */
  version      int not null,
  is_live      boolean not null,
  /* As its version says, but never fewer than are gone; null: no end. */
  stock        int,
  /* Fulfilled, and promised to somebody. */
  taken        int not null default 0 check (taken >= 0),
  reserved     int not null default 0 check (reserved >= 0),
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, key, version) references reward (tenant_id, key, version),
  constraint reward_in_stock check (taken + reserved <= stock)
) with (fillfactor = 70);
call protect('reward_shelf');
grant select on reward_shelf to engawa_app;

create table reward_redemption (
  tenant_id       uuid not null,
  id              uuid not null,
  member_id       uuid not null,
  key             text not null,
  version         int not null,
  quantity        int not null check (quantity between 1 and 100),
  /* Of all of it, as it was agreed. */
  points          bigint not null check (points > 0),
  currency        text not null,
  state           text not null check (state in ('REQUESTED', 'RESERVED', 'FULFILLED', 'CANCELLED', 'LAPSED')),
  redeemed_at     timestamptz not null,
  /* Exclusive: from here on a reservation has lapsed. */
  reserved_until  timestamptz,
  fulfilled_at    timestamptz,
  closed_at       timestamptz,
  /* What the sender calls it, such as a tracking number. */
  reference       text check (length(reference) between 1 and 200),
  hold_id         uuid,
  /* The transaction that spent the points. */
  spend_id        uuid,
  /* Who moved it last, and why; the history copies them. */
  actor           text not null,
  reason          text check (length(reason) between 1 and 200),
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, key) references reward_shelf (tenant_id, key),
  foreign key (tenant_id, key, version) references reward (tenant_id, key, version),
  foreign key (tenant_id, hold_id) references hold (tenant_id, id),
  foreign key (tenant_id, spend_id) references op (tenant_id, transaction_id),
  constraint redemption_reserved check ((state in ('RESERVED', 'LAPSED')) <= (reserved_until is not null)),
  constraint redemption_paid check (
    hold_id is not null or (spend_id is not null and state in ('REQUESTED', 'FULFILLED', 'CANCELLED'))),
  constraint redemption_closed check ((state in ('CANCELLED', 'LAPSED')) = (closed_at is not null)),
  constraint redemption_fulfilled check (state <> 'FULFILLED' or fulfilled_at is not null)
) with (fillfactor = 85);
create index reward_redemption_of_member on reward_redemption (tenant_id, member_id, id);
create index reward_redemption_state on reward_redemption (tenant_id, state, id);
create index reward_redemption_due on reward_redemption (tenant_id, reserved_until) where state = 'RESERVED';
call protect('reward_redemption');
grant select on reward_redemption to engawa_app;
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on reward_redemption for select to engawa_system using (true);
grant select (tenant_id, state, reserved_until) on reward_redemption to engawa_system;

/* Each piece that counts towards a member's limit; the key is the limit. */
create table reward_slot (
  tenant_id     uuid not null,
  reward_key    text not null,
  member_id     uuid not null,
  /* The first day of the period, by the tenant's zone; -infinity where the limit is for ever. */
  period        date not null,
  slot          int not null check (slot > 0),
  redemption_id uuid not null,
  primary key (tenant_id, reward_key, member_id, period, slot),
  foreign key (tenant_id, redemption_id) references reward_redemption (tenant_id, id)
);
create index reward_slot_of on reward_slot (tenant_id, redemption_id);
call protect('reward_slot');
grant select on reward_slot to engawa_app;

create table reward_redemption_change (
  tenant_id     uuid not null,
  id            uuid not null default uuid_v7(),
  redemption_id uuid not null,
  from_state    text,
  to_state      text not null,
  at            timestamptz not null,
  actor         text not null,
  reason        text,
  primary key (tenant_id, id),
  foreign key (tenant_id, redemption_id) references reward_redemption (tenant_id, id),
  constraint redemption_step check (coalesce(from_state, '') || '>' || to_state in (
    '>REQUESTED', '>RESERVED', '>FULFILLED', 'REQUESTED>FULFILLED', 'REQUESTED>CANCELLED', 'RESERVED>FULFILLED',
    'RESERVED>CANCELLED', 'RESERVED>LAPSED', 'FULFILLED>CANCELLED'))
);
create index reward_redemption_change_of on reward_redemption_change (tenant_id, redemption_id, id);
call protect('reward_redemption_change');
grant select on reward_redemption_change to engawa_app;
create trigger append_only before update or delete or truncate on reward_redemption_change
  for each statement execute function refuse_change('the history of a redemption is append-only');
create trigger kept before delete or truncate on reward_redemption
  for each statement execute function refuse_change('redemptions stay');

/* Writes the history. A step that is not allowed is refused by redemption_step. */
create function reward_redemption_moved() returns trigger language plpgsql as $$
begin
  insert into reward_redemption_change (tenant_id, redemption_id, from_state, to_state, at, actor, reason)
  values (new.tenant_id, new.id, case when tg_op = 'UPDATE' then old.state end, new.state,
          case when new.state = 'LAPSED' then new.reserved_until else tenant_now(new.tenant_id) end, new.actor, new.reason);
  return null;
end $$;
create trigger born after insert on reward_redemption for each row execute function reward_redemption_moved();
create trigger moved after update of state on reward_redemption
  for each row when (old.state <> new.state) execute function reward_redemption_moved();

/* Compiles a version of a definition, and puts it onto the shelf. */
create function reward_of_definition() returns trigger language plpgsql as $$
declare
  v_body jsonb := new.body;
begin
  perform benefit_check(v_body -> 'benefit', 'reward.benefit');
  insert into reward (tenant_id, key, version, name, description, points, currency, audience_id, starts_at, ends_at, stock,
                      per_member, per_period, benefit, goods, fulfilment, reservation_for)
  values (new.tenant_id, new.key, new.version, v_body -> 'name', v_body -> 'description',
          (v_body #>> '{cost,points}')::bigint, coalesce(v_body #>> '{cost,currency}', 'POINTS'),
          (new.audiences ->> 'audience')::uuid, (v_body #>> '{window,from}')::timestamptz,
          (v_body #>> '{window,until}')::timestamptz, (v_body ->> 'stock')::int, (v_body #>> '{perMember,limit}')::int,
          v_body #>> '{perMember,period}', v_body -> 'benefit', v_body -> 'goods', v_body ->> 'fulfilment',
          v_body #>> '{reservation,for}');
  insert into reward_price (tenant_id, key, version, n, audience_id, points)
  select new.tenant_id, new.key, new.version, c.n, (new.audiences ->> ('costs.' || c.n - 1))::uuid,
         (c.row ->> 'points')::bigint
  from jsonb_array_elements(coalesce(v_body -> 'costs', '[]')) with ordinality c (row, n);
  insert into reward_shelf as s (tenant_id, key, version, is_live, stock)
  values (new.tenant_id, new.key, new.version, true, (v_body ->> 'stock')::int)
  on conflict (tenant_id, key) do update set
    version = excluded.version, is_live = true, stock = greatest(excluded.stock, case when excluded.stock is not null
      then s.taken + s.reserved end);
  return null;
end $$;
create trigger reward_of_definition after insert on definition
  for each row when (new.kind = 'reward') execute function reward_of_definition();

/* A retired reward leaves the shelf; a version that another one follows does so for a moment. */
create function reward_retired() returns trigger language plpgsql as $$
begin
  update reward_shelf s set is_live = false where s.tenant_id = new.tenant_id and s.key = new.key;
  return null;
end $$;
create trigger reward_retired after update of is_live on definition
  for each row when (new.kind = 'reward' and old.is_live and not new.is_live) execute function reward_retired();

-- ── What it costs, and whether it may be had ─────────────────────────────────────────────────────

/* What one costs this member. */
create function reward_cost(p_reward reward, p_member uuid) returns bigint language plpgsql stable as $$
begin
  return least((p_reward).points, (
    select min(p.points) from reward_price p
    where p.tenant_id = (p_reward).tenant_id and p.key = (p_reward).key and p.version = (p_reward).version
      and audience_has(p.audience_id, p_member)));
end $$;

/* The first day, by the tenant's zone, of the period in which a limit counts. */
create function reward_period(p_reward reward, p_at timestamptz) returns date language plpgsql stable as $$
begin
  return case when (p_reward).per_period is null then '-infinity'::date
    else date_trunc(lower((p_reward).per_period), p_at at time zone
      (select t.time_zone from tenant t where t.id = (p_reward).tenant_id))::date end;
end $$;

/* How many more the member may have now, as far as its own limit goes; null: no limit. */
create function reward_allowance(p_reward reward, p_member uuid, p_at timestamptz) returns int language plpgsql stable as $$
begin
  return (p_reward).per_member - (
    select count(*) from reward_slot s
    join reward_redemption r on r.tenant_id = s.tenant_id and r.id = s.redemption_id
    where s.tenant_id = (p_reward).tenant_id and s.reward_key = (p_reward).key and s.member_id = p_member
      and s.period = reward_period(p_reward, p_at) and not (r.state = 'RESERVED' and r.reserved_until <= p_at));
end $$;

/* How many are left, lapsed reservations counted; null: no end of them. */
create function reward_left(p_shelf reward_shelf, p_at timestamptz) returns int language plpgsql stable as $$
begin
  return case when (p_shelf).stock is not null then (p_shelf).stock - (p_shelf).taken - (p_shelf).reserved + (
    select coalesce(sum(r.quantity), 0) from reward_redemption r
    where r.tenant_id = (p_shelf).tenant_id and r.state = 'RESERVED' and r.reserved_until <= p_at
      and r.key = (p_shelf).key) end;
end $$;

/* Why so many may not be had at p_at, whoever asks in vain first: null: nothing stands against it but points. */
create function reward_refusal(
  p_reward reward, p_is_live boolean, p_left int, p_member uuid, p_quantity int, p_at timestamptz
) returns text language plpgsql stable as $$
begin
  return case
    when not p_is_live then 'RETIRED'
    when (p_reward).starts_at > p_at then 'NOT_STARTED'
    when (p_reward).ends_at <= p_at then 'ENDED'
    when not audience_has((p_reward).audience_id, p_member) then 'NOT_FOR_MEMBER'
    when reward_allowance(p_reward, p_member, p_at) < p_quantity then 'LIMIT_REACHED'
    when p_left < p_quantity then 'SOLD_OUT' end;
end $$;

/*
 * These rewards as they stand now, and as they are to one member when p_member is given: what one costs it, what it
 * has to spend, how many more it may have, and why it may not.
 */
create function rewards_now(p_keys text[], p_member uuid)
returns table (key text, left_over int, cost bigint, available bigint, allowance int, refusal text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  return query
  with shelf as materialized (
    select s as shelf, r as reward, reward_left(s, v_now) as n
    from reward_shelf s join reward r on r.tenant_id = s.tenant_id and r.key = s.key and r.version = s.version
    where s.tenant_id = v_tenant and s.key = any(p_keys)
  ), purse as materialized (
    select w.currency, n.available from wallet w
    join wallets_now(array(
      select x.id from wallet x where x.tenant_id = v_tenant and x.member_id = p_member)) n on n.wallet_id = w.id
    where w.tenant_id = v_tenant and w.member_id = p_member
  )
  select (s.reward).key, s.n, reward_cost(s.reward, p_member), coalesce(p.available, 0),
         reward_allowance(s.reward, p_member, v_now),
         reward_refusal(s.reward, (s.shelf).is_live, s.n, p_member, 1, v_now)
  from shelf s left join purse p on p.currency = (s.reward).currency
  where p_member is not null
  union all
  select (s.reward).key, s.n, null, null, null, null from shelf s where p_member is null;
end $$;
grant execute on function rewards_now(text[], uuid) to engawa_app;

-- ── Giving back what was promised ────────────────────────────────────────────────────────────────

/* Takes redemptions, which are locked, off the shelf's counters and the members' limits. */
create function reward_return(p_redemptions reward_redemption[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  delete from reward_slot s using unnest(p_redemptions) r where s.tenant_id = v_tenant and s.redemption_id = r.id;
  perform from reward_shelf s
  where s.tenant_id = v_tenant and s.key in (select r.key from unnest(p_redemptions) r)
  order by s.key for no key update;
  update reward_shelf s set taken = s.taken - d.taken, reserved = s.reserved - d.reserved
  from (
    select r.key, coalesce(sum(r.quantity) filter (where r.state = 'FULFILLED'), 0) as taken,
           coalesce(sum(r.quantity) filter (where r.state <> 'FULFILLED'), 0) as reserved
    from unnest(p_redemptions) r group by r.key
  ) d
  where s.tenant_id = v_tenant and s.key = d.key;
end $$;

/*
 * Books the reservations that have lapsed, of one reward or of all, at most p_limit; how many. Their holds lapse at the
 * same instant by themselves.
 */
create function rewards_lapse(p_reward text, p_limit int) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_due reward_redemption[] := array(
    select r from (
      select * from reward_redemption r
      where r.tenant_id = v_tenant and r.state = 'RESERVED' and r.reserved_until <= v_now
        and r.key = coalesce(p_reward, r.key)
      order by r.id limit p_limit for no key update) r);
begin
  if cardinality(v_due) = 0 then
    return 0;
  end if;
  perform reward_return(v_due);
  update reward_redemption r set state = 'LAPSED', closed_at = r.reserved_until, actor = 'engawa', reason = null
  where r.tenant_id = v_tenant and r.id in (select d.id from unnest(v_due) d);
  perform announce('reward.lapsed', d.member_id, jsonb_build_object('redemption', d.id), d.reserved_until)
  from unnest(v_due) d;
  return cardinality(v_due);
end $$;

/* Books what the clock has brought; how many reservations that was. */
create function rewards_settle_due(p_limit int) returns int
language sql security definer set search_path = public, pg_temp as $$ select rewards_lapse(null, p_limit) $$;
grant execute on function rewards_settle_due(int) to engawa_app;

-- ── Points, inside the operations of this room ───────────────────────────────────────────────────

/* Says which kind of points transaction an operation became. */
create function reward_op_is(p_transaction uuid, p_kind text) returns void language sql as $$
  update op o set kind = p_kind where o.tenant_id = current_tenant() and o.transaction_id = p_transaction
$$;

/* Spends or, until an instant, holds points of a wallet that is locked and has them; the hold, if it is one. */
create function reward_pay(
  p_wallet wallet, p_transaction uuid, p_points bigint, p_until timestamptz, p_at timestamptz, p_reason text
) returns uuid language plpgsql as $$
declare
  v_hold uuid := case when p_until is not null then uuid_v7() end;
begin
  perform reward_op_is(p_transaction, case when v_hold is null then 'SPEND' else 'HOLD' end);
  if points_burn(p_wallet, p_transaction, 0, p_points, case when v_hold is null then 'SPENT'::bucket else 'HELD' end, p_at,
                 null) <> p_points then
    raise exception 'the lots of wallet % hold less than the wallet', p_wallet.id;
  end if;
  if v_hold is not null then
    insert into hold (tenant_id, id, wallet_id, transaction_id, amount, expires_at, reason)
    values (p_wallet.tenant_id, v_hold, p_wallet.id, p_transaction, p_points, p_until, p_reason);
  end if;
  perform points_close(p_wallet, p_transaction, p_points, p_reason, null);
  if v_hold is not null then
    perform announce('points.held', p_wallet.member_id, jsonb_build_object('hold', v_hold), p_at);
  end if;
  return v_hold;
end $$;

/* Captures or voids a hold; false when it is not open any more. */
create function reward_resolve(p_hold uuid, p_transaction uuid, p_is_captured boolean, p_at timestamptz) returns boolean
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_hold hold;
  v_wallet wallet;
begin
  select * into strict v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  v_wallet := points_settle(v_hold.wallet_id);
  select * into strict v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  if v_hold.state <> 'OPEN' then
    return false;
  end if;
  perform reward_op_is(p_transaction, case when p_is_captured then 'CAPTURE' else 'VOID' end);
  perform points_resolve(v_wallet, v_hold, p_transaction, case when p_is_captured then 'CAPTURED' else 'VOIDED' end,
    case when p_is_captured then v_hold.amount else 0 end, p_at, v_hold.reason);
  return true;
end $$;

/*
 * Gives what is left of a spend back to the lots it came from; what comes back to a lot past its date dies at once.
 * How many points that was.
 */
create function reward_refund(p_spend uuid, p_transaction uuid, p_at timestamptz, p_reason text) returns bigint
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_wallet wallet := points_settle(
    (select o.wallet_id from op o where o.tenant_id = current_tenant() and o.transaction_id = p_spend));
  v_points bigint;
begin
  with taken as (
    select p.lot_id, p.seq, p.amount - coalesce((
      select sum(r.amount) from posting r
      where r.tenant_id = v_tenant and r.refunds = p_spend and r.lot_id = p.lot_id), 0)::bigint as amount
    from posting p
    where p.tenant_id = v_tenant and p.transaction_id = p_spend and p.to_bucket = 'SPENT'
  ), back as (
    insert into posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount,
                         refunds)
    select v_tenant, p_transaction, row_number() over (order by t.seq desc), v_wallet.id, v_wallet.version + 1, t.lot_id,
           'SPENT', case when l.expires_at <= p_at then 'EXPIRED'::bucket else 'AVAILABLE' end, t.amount, p_spend
    from taken t join lot l on l.tenant_id = v_tenant and l.id = t.lot_id
    where t.amount > 0
    returning amount
  )
  select coalesce(sum(b.amount), 0) into v_points from back b;
  if v_points > 0 then
    perform reward_op_is(p_transaction, 'REFUND_SPEND');
    perform points_repay(v_wallet, p_transaction, p_at);
    perform points_close(v_wallet, p_transaction, v_points, p_reason, null);
    perform points_tell_expired(v_wallet, p_transaction, p_at);
  end if;
  return v_points;
end $$;

/* Gives the benefit of a redemption, once for each piece. */
create function reward_give(p_redemption reward_redemption, p_at timestamptz, p_actor text) returns void
language plpgsql as $$
begin
  perform benefit_give(p_redemption.member_id, r.benefit, 'reward', p_redemption.id || ':' || n, p_at,
    text_for(r.name, p_redemption.member_id), p_actor)
  from reward r, generate_series(1, p_redemption.quantity) n
  where r.tenant_id = p_redemption.tenant_id and r.key = p_redemption.key and r.version = p_redemption.version
    and r.benefit is not null
  order by n;
end $$;

-- ── Operations ───────────────────────────────────────────────────────────────────────────────────

/*
 * Redeems a reward: takes it off the shelf and counts it towards the member's limit, holds its points where it is
 * reserved, else spends them, and gives its benefit where it is fulfilled at once. Outcomes: done {redemption, member,
 * transaction}, not_found, key_reused, membership_ended, reward_unavailable {reason}, insufficient_points.
 */
create function reward_redeem(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_reward text, p_quantity int, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_shelf reward_shelf;
  v_reward reward;
  v_op record;
  v_wallet wallet;
  v_redemption reward_redemption;
  v_reason text;
begin
  if v_member.id is null then
    return points_not_found('member');
  end if;
  if not exists (select from reward_shelf s where s.tenant_id = v_tenant and s.key = p_reward) then
    return points_not_found('reward');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'REDEEM_REWARD', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  perform rewards_lapse(p_reward, 100);
  select * into strict v_shelf from reward_shelf s where s.tenant_id = v_tenant and s.key = p_reward for no key update;
  select * into strict v_reward from reward r where r.tenant_id = v_tenant and r.key = p_reward and r.version = v_shelf.version;
  v_reason := reward_refusal(v_reward, v_shelf.is_live, v_shelf.stock - v_shelf.taken - v_shelf.reserved, v_member.id,
    p_quantity, v_now);
  if v_reason is not null then
    return op_finish(p_key, jsonb_build_object('is', 'reward_unavailable', 'reason', v_reason));
  end if;
  v_redemption := row(v_tenant, uuid_v7(), v_member.id, p_reward, v_reward.version, p_quantity,
    reward_cost(v_reward, v_member.id) * p_quantity, v_reward.currency,
    case when v_reward.fulfilment = 'AT_ONCE' then 'FULFILLED' when v_reward.reservation_for is null then 'REQUESTED'
      else 'RESERVED' end, v_now, v_now + v_reward.reservation_for::interval,
    case when v_reward.fulfilment = 'AT_ONCE' then v_now end, null, null, null, null, p_actor, null)::reward_redemption;
  v_wallet := points_wallet(v_tenant, v_member.id, v_reward.currency);
  if coalesce(v_wallet.available, 0) < v_redemption.points then
    return op_finish(p_key, points_insufficient(v_wallet.available, v_redemption.points));
  end if;
  v_redemption.hold_id := reward_pay(v_wallet, v_op.transaction_id, v_redemption.points, v_redemption.reserved_until,
    v_now, text_for(v_reward.name, v_member.id));
  v_redemption.spend_id := case when v_redemption.hold_id is null then v_op.transaction_id end;
  update reward_shelf s set
    taken = s.taken + case when v_redemption.state = 'FULFILLED' then p_quantity else 0 end,
    reserved = s.reserved + case when v_redemption.state = 'FULFILLED' then 0 else p_quantity end
  where s.tenant_id = v_tenant and s.key = p_reward;
  insert into reward_redemption select v_redemption.*;
  if v_reward.per_member is not null then
    insert into reward_slot (tenant_id, reward_key, member_id, period, slot, redemption_id)
    select v_tenant, p_reward, v_member.id, reward_period(v_reward, v_now), n, v_redemption.id
    from generate_series(1, v_reward.per_member) n
    where not exists (select from reward_slot s where s.tenant_id = v_tenant and s.reward_key = p_reward
      and s.member_id = v_member.id and s.period = reward_period(v_reward, v_now) and s.slot = n)
    order by n limit p_quantity;
  end if;
  perform announce('reward.redeemed', v_member.id, jsonb_build_object('redemption', v_redemption.id), v_now);
  if v_redemption.state = 'FULFILLED' then
    perform reward_give(v_redemption, v_now, p_actor);
    perform announce('reward.fulfilled', v_member.id, jsonb_build_object('redemption', v_redemption.id), v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'redemption', v_redemption.id, 'member', v_member.id,
    'transaction', v_op.transaction_id));
end $$;

/* What a redemption that cannot go this way any more answers. */
create function redemption_closed(p_state text) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'redemption_closed', 'state', p_state) $$;

/* Locks a redemption after its member, and books its lapse when it is due. */
create function redemption_locked(p_redemption uuid) returns reward_redemption language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_redemption reward_redemption;
begin
  perform member_lock(r.member_id) from reward_redemption r where r.tenant_id = v_tenant and r.id = p_redemption;
  perform rewards_lapse(r.key, 100) from reward_redemption r where r.tenant_id = v_tenant and r.id = p_redemption
    and r.state = 'RESERVED' and r.reserved_until <= tenant_now(v_tenant);
  select * into strict v_redemption from reward_redemption r
  where r.tenant_id = v_tenant and r.id = p_redemption for no key update;
  return v_redemption;
end $$;

/*
 * Fulfils a redemption: captures its points where they were held, and gives its benefit. Outcomes: done {redemption,
 * member, transaction or null}, not_found, key_reused, redemption_closed {state}, hold_resolved {state}.
 */
create function reward_fulfil(p_key text, p_hash bytea, p_redemption uuid, p_reference text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_redemption reward_redemption;
begin
  if not exists (select from reward_redemption r where r.tenant_id = v_tenant and r.id = p_redemption) then
    return points_not_found('redemption');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'FULFIL_REWARD', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_redemption := redemption_locked(p_redemption);
  if v_redemption.state not in ('REQUESTED', 'RESERVED') then
    return op_finish(p_key, redemption_closed(v_redemption.state));
  end if;
  perform from reward_shelf s where s.tenant_id = v_tenant and s.key = v_redemption.key for no key update;
  if v_redemption.hold_id is not null and not reward_resolve(v_redemption.hold_id, v_op.transaction_id, true, v_now) then
    return op_finish(p_key, (select points_hold_closed(h) from hold h
                             where h.tenant_id = v_tenant and h.id = v_redemption.hold_id));
  end if;
  update reward_shelf s set taken = s.taken + v_redemption.quantity, reserved = s.reserved - v_redemption.quantity
  where s.tenant_id = v_tenant and s.key = v_redemption.key;
  update reward_redemption r set
    state = 'FULFILLED', fulfilled_at = v_now, reference = p_reference, actor = p_actor, reason = null,
    spend_id = case when r.hold_id is null then r.spend_id else v_op.transaction_id end
  where r.tenant_id = v_tenant and r.id = p_redemption;
  perform reward_give(v_redemption, v_now, p_actor);
  perform announce('reward.fulfilled', v_redemption.member_id, jsonb_build_object('redemption', p_redemption), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'redemption', p_redemption, 'member', v_redemption.member_id,
    'transaction', case when v_redemption.hold_id is not null then v_op.transaction_id end));
end $$;

/*
 * Calls a redemption off: gives back its points, the place on the shelf and in the member's limit. With p_member it must
 * be that member's own, and nothing of it may have been fulfilled; without, what was fulfilled is taken back as well.
 * Outcomes: done {redemption, member, transaction or null}, not_found, key_reused, redemption_closed {state}.
 */
create function reward_cancel(
  p_key text, p_hash bytea, p_redemption uuid, p_member uuid, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_redemption reward_redemption;
  v_word text;
  v_is_moved boolean;
begin
  if not exists (select from reward_redemption r where r.tenant_id = v_tenant and r.id = p_redemption
                 and r.member_id = coalesce(p_member, r.member_id)) then
    return points_not_found('redemption');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'CANCEL_REDEMPTION', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_redemption := redemption_locked(p_redemption);
  if v_redemption.state in ('CANCELLED', 'LAPSED') or (p_member is not null and v_redemption.state = 'FULFILLED') then
    return op_finish(p_key, redemption_closed(v_redemption.state));
  end if;
  v_word := text_for((select r.name from reward r where r.tenant_id = v_tenant and r.key = v_redemption.key
                         and r.version = v_redemption.version), v_redemption.member_id);
  perform reward_return(array[v_redemption]);
  v_is_moved := case
    when v_redemption.spend_id is not null then reward_refund(v_redemption.spend_id, v_op.transaction_id, v_now, v_word) > 0
    when v_redemption.hold_id is not null then reward_resolve(v_redemption.hold_id, v_op.transaction_id, false, v_now)
    else false end;
  if v_redemption.state = 'FULFILLED' then
    perform benefit_take_back('reward', v_redemption.id || ':' || n, v_now, coalesce(p_reason, v_word))
    from generate_series(1, v_redemption.quantity) n;
  end if;
  update reward_redemption r set state = 'CANCELLED', closed_at = v_now, actor = p_actor, reason = p_reason
  where r.tenant_id = v_tenant and r.id = p_redemption;
  perform announce('reward.cancelled', v_redemption.member_id, jsonb_build_object('redemption', p_redemption), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'redemption', p_redemption, 'member', v_redemption.member_id,
    'transaction', case when v_is_moved then v_op.transaction_id end));
end $$;

grant execute on function
  reward_redeem(text, bytea, uuid, text, text, int, text), reward_fulfil(text, bytea, uuid, text, text),
  reward_cancel(text, bytea, uuid, uuid, text, text) to engawa_app;
