-- Coupons and campaigns: stock, budgets and limits that hold whatever runs at the same moment. A redemption is the only
-- thing that anybody writes; what it takes from code, counter, budget and slots is written by its own triggers, each as
-- one guarded row, and what must hold is a constraint.

set local role engawa_owner;

-- ── Campaigns ────────────────────────────────────────────────────────────────────────────────────

create table campaign (
  tenant_id    uuid not null,
  kind         text not null generated always as ('campaign') stored,
  key          text not null,
  version      int not null,
  name         jsonb not null check (jsonb_typeof(name) = 'object'),
  /* Null: when somebody starts it. */
  starts_at    timestamptz,
  /* Exclusive. Null: when somebody ends it. */
  ends_at      timestamptz,
  audience_id  uuid,
  published_at timestamptz not null,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  constraint campaign_lasts check (ends_at > starts_at)
);
call protect('campaign');
grant select on campaign to engawa_app;

/* The most that a campaign gives of each; the largest bigint stands for without limit. */
create table campaign_cap (
  tenant_id uuid not null,
  campaign  text not null,
  version   int not null,
  unit      text not null check (unit in ('STOCK', 'MONEY', 'POINTS')),
  /* MONEY: of which currency, in minor units. POINTS: of which currency of points. */
  currency  text,
  cap       bigint not null check (cap >= 0),
  primary key (tenant_id, campaign, version, unit),
  unique (tenant_id, campaign, version, unit, cap),
  foreign key (tenant_id, campaign, version) references campaign (tenant_id, key, version),
  constraint campaign_cap_currency check ((currency is not null) = (unit <> 'STOCK' and cap < 9223372036854775807))
);
call protect('campaign_cap');
grant select on campaign_cap to engawa_app;

/* How a campaign runs. It ends once. */
create table campaign_run (
  tenant_id  uuid not null references tenant,
  campaign   text not null,
  state      text not null default 'DRAFT' check (state in ('DRAFT', 'ACTIVE', 'PAUSED', 'ENDED')),
  /* The state before; the pair of both is the move that was made. */
  previous   text,
  changed_at timestamptz not null,
  /* When the clock starts or ends it; null: never. */
  due_at     timestamptz,
  primary key (tenant_id, campaign),
  constraint campaign_moves check (case when previous is null then state = 'DRAFT' else (previous, state) in (
    ('DRAFT', 'ACTIVE'), ('DRAFT', 'PAUSED'), ('DRAFT', 'ENDED'), ('ACTIVE', 'PAUSED'), ('ACTIVE', 'ENDED'),
    ('PAUSED', 'ACTIVE'), ('PAUSED', 'ENDED')) end)
);
create index campaign_run_due on campaign_run (tenant_id, due_at) where due_at is not null;
call protect('campaign_run');
grant select on campaign_run to engawa_app;

/* What a campaign gave of one unit so far, against its cap. Every amount stands in a sum that the row itself checks. */
create table budget (
  tenant_id uuid not null,
  campaign  text not null,
  unit      text not null,
  /* The version whose cap holds. */
  version   int not null,
  cap       bigint not null,
  reserved  bigint not null default 0 check (reserved >= 0),
  used      bigint not null default 0 check (used >= 0),
  /* Given back. */
  released  bigint not null default 0 check (released >= 0),
  /* Everything that was ever taken. */
  taken     bigint not null default 0 check (taken >= 0),
  /* It changed since it was last told of. */
  is_stale  boolean not null default false,
  primary key (tenant_id, campaign, unit),
  foreign key (tenant_id, campaign) references campaign_run (tenant_id, campaign),
  foreign key (tenant_id, campaign, version, unit, cap) references campaign_cap (tenant_id, campaign, version, unit, cap),
  constraint budget_within_cap check (used <= cap - reserved),
  constraint budget_balanced check (reserved + used + released = taken)
) with (fillfactor = 50);
create index budget_stale on budget (tenant_id) where is_stale;
call protect('budget');
grant select on budget to engawa_app;

/* What one fact took of a campaign: a coupon, an offer, a rule. Once for each fact; it resolves once. */
create table campaign_use (
  tenant_id   uuid not null,
  source_type text not null check (source_type ~ '^[a-z][a-zA-Z_]{0,39}$'),
  source_id   text not null check (length(source_id) between 1 and 200),
  campaign    text not null,
  state       text not null check (state in ('RESERVED', 'USED', 'RELEASED')),
  units       bigint not null check (units >= 0),
  minor       bigint not null check (minor >= 0),
  currency    text,
  points      bigint not null check (points >= 0),
  /* The currency of points. */
  points_in   text,
  primary key (tenant_id, source_type, source_id),
  foreign key (tenant_id, campaign) references campaign_run (tenant_id, campaign)
);
create index campaign_use_of on campaign_use (tenant_id, campaign);
call protect('campaign_use');
grant select on campaign_use to engawa_app;

-- ── Coupons ──────────────────────────────────────────────────────────────────────────────────────

create table coupon (
  tenant_id    uuid not null,
  kind         text not null generated always as ('coupon') stored,
  key          text not null,
  version      int not null,
  name         jsonb not null check (jsonb_typeof(name) = 'object'),
  benefit      jsonb not null check (jsonb_typeof(benefit) = 'object'),
  starts_at    timestamptz,
  /* Exclusive. */
  ends_at      timestamptz,
  audience_id  uuid,
  campaign     text,
  /* How often it is redeemed by everybody together; the largest bigint: without limit. */
  total        bigint not null check (total >= 1),
  /* How often one of its bulk codes is. */
  per_code     bigint not null check (per_code >= 1),
  /* How long a reservation lasts. */
  reserved_for interval not null check (reserved_for > interval '0'),
  /* What a full refund of the order does to it. */
  on_refund    text not null check (on_refund in ('RELEASE', 'KEEP')),
  category     text,
  published_at timestamptz not null,
  primary key (tenant_id, key, version),
  unique (tenant_id, key, version, total),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  constraint coupon_lasts check (ends_at > starts_at)
);
call protect('coupon');
grant select on coupon to engawa_app;

/* How often one member may redeem it, ever or in each day, week, month or year of the tenant's calendar. */
create table coupon_limit (
  tenant_id uuid not null,
  coupon    text not null,
  version   int not null,
  per       text not null check (per in ('EVER', 'DAY', 'WEEK', 'MONTH', 'YEAR')),
  most      int not null check (most between 1 and 10000),
  primary key (tenant_id, coupon, version, per),
  unique (tenant_id, coupon, version, per, most),
  foreign key (tenant_id, coupon, version) references coupon (tenant_id, key, version)
);
call protect('coupon_limit');
grant select on coupon_limit to engawa_app;

/* How often a coupon is taken, against its total; written only where there is a limit. */
create table coupon_counter (
  tenant_id uuid not null,
  coupon    text not null,
  /* The version whose total holds. */
  version   int not null,
  cap       bigint not null,
  reserved  bigint not null default 0 check (reserved >= 0),
  used      bigint not null default 0 check (used >= 0),
  released  bigint not null default 0 check (released >= 0),
  taken     bigint not null default 0 check (taken >= 0),
  is_stale  boolean not null default false,
  primary key (tenant_id, coupon),
  foreign key (tenant_id, coupon, version, cap) references coupon (tenant_id, key, version, total),
  constraint coupon_counter_within_cap check (used <= cap - reserved),
  constraint coupon_counter_balanced check (reserved + used + released = taken)
) with (fillfactor = 50);
create index coupon_counter_stale on coupon_counter (tenant_id) where is_stale;
call protect('coupon_counter');
grant select on coupon_counter to engawa_app;

/* What opens a coupon. The code itself is nowhere: only what HMAC makes of it under the tenant's key. */
create table coupon_code (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  coupon     text not null,
  /* BULK: one of many; MEMBER: bound to one member; WORD: known to everybody. */
  kind       text not null check (kind in ('BULK', 'MEMBER', 'WORD')),
  hash       bytea not null check (length(hash) = 32),
  member_id  uuid,
  /* How often it works; the largest bigint: without limit, and then nothing is counted here. */
  cap        bigint not null check (cap >= 1),
  reserved   bigint not null default 0 check (reserved >= 0),
  used       bigint not null default 0 check (used >= 0),
  released   bigint not null default 0 check (released >= 0),
  taken      bigint not null default 0 check (taken >= 0),
  issued_at  timestamptz not null,
  /* Exclusive. Null: as long as the coupon. */
  expires_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, id, coupon),
  constraint coupon_code_once unique (tenant_id, hash),
  foreign key (tenant_id, coupon) references coupon_counter (tenant_id, coupon),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  constraint coupon_code_bound check ((kind = 'MEMBER') = (member_id is not null)),
  constraint coupon_code_within_cap check (used <= cap - reserved),
  constraint coupon_code_balanced check (reserved + used + released = taken)
) with (fillfactor = 90);
create index coupon_code_of_member on coupon_code (tenant_id, member_id, id) where member_id is not null;
call protect('coupon_code');
grant select on coupon_code to engawa_app;

/* The key of a tenant's codes, random, sealed in the vault; it never changes. */
create table coupon_key (
  tenant_id  uuid primary key references tenant,
  sealed     bytea not null,
  data_key   bytea not null,
  key_id     text not null,
  created_at timestamptz not null default clock_timestamp()
);
call protect('coupon_key');
-- The key rotation crosses tenants: it looks for old keys, and wraps data keys anew.
create policy system on coupon_key to engawa_system using (true) with check (true);
grant select on coupon_key to engawa_app, engawa_system;
grant update (data_key, key_id) on coupon_key to engawa_system;

create table coupon_redemption (
  tenant_id      uuid not null,
  id             uuid not null default uuid_v7(),
  coupon         text not null,
  /* The version that it began with, and keeps. */
  version        int not null,
  code_id        uuid not null,
  member_id      uuid not null,
  transaction_id uuid not null,
  order_id       text check (length(order_id) between 1 and 200),
  state          text not null check (state in ('RESERVED', 'USED', 'RELEASED')),
  /* What it takes of the campaign: nothing without one. */
  campaign       text,
  minor          bigint not null default 0 check (minor >= 0),
  currency       text,
  points         bigint not null default 0 check (points >= 0),
  points_in      text,
  made_at        timestamptz not null,
  /* Exclusive: at this instant a reservation lapses. */
  expires_at     timestamptz,
  used_at        timestamptz,
  released_at    timestamptz,
  released_by    text check (released_by in ('CLOCK', 'CALLER', 'STAFF', 'REFUND')),
  reason         text check (length(reason) between 1 and 200),
  primary key (tenant_id, id),
  unique (tenant_id, transaction_id),
  foreign key (tenant_id, coupon, version) references coupon (tenant_id, key, version),
  foreign key (tenant_id, code_id, coupon) references coupon_code (tenant_id, id, coupon),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  constraint coupon_redemption_reserved check (state <> 'RESERVED' or (expires_at is not null and used_at is null)),
  constraint coupon_redemption_used check (state <> 'USED' or used_at is not null),
  constraint coupon_redemption_released check ((state = 'RELEASED') = (released_at is not null)
    and (state = 'RELEASED') = (released_by is not null)),
  constraint coupon_redemption_counted check (campaign is not null or (minor = 0 and points = 0))
) with (fillfactor = 80);
create index coupon_redemption_of_member on coupon_redemption (tenant_id, member_id, id);
create index coupon_redemption_of_code on coupon_redemption (tenant_id, code_id, id);
create index coupon_redemption_due on coupon_redemption (tenant_id, expires_at) where state = 'RESERVED';
create index coupon_redemption_lapsing on coupon_redemption (tenant_id, coupon, expires_at) where state = 'RESERVED';
/* A code counts once for an order, however often it is sent. */
create unique index coupon_redemption_of_order on coupon_redemption (tenant_id, order_id, code_id)
  where order_id is not null and state <> 'RELEASED';
call protect('coupon_redemption');
grant select on coupon_redemption to engawa_app;

/* A use of a coupon by a member in a period. The primary key is the member's limit. */
create table coupon_slot (
  tenant_id     uuid not null,
  coupon        text not null,
  member_id     uuid not null,
  /* As in 2026-07-14, 2026-W29, 2026-07, 2026; empty for ever. */
  period        text not null,
  slot          int not null,
  per           text not null,
  version       int not null,
  most          int not null,
  redemption_id uuid not null,
  primary key (tenant_id, coupon, member_id, period, slot),
  unique (tenant_id, redemption_id, per),
  foreign key (tenant_id, coupon, version, per, most) references coupon_limit (tenant_id, coupon, version, per, most),
  foreign key (tenant_id, redemption_id) references coupon_redemption (tenant_id, id),
  constraint coupon_slot_within_limit check (slot between 1 and most),
  constraint coupon_slot_period check (period ~ case per when 'EVER' then '^$' when 'DAY' then '^\d{4}-\d\d-\d\d$'
    when 'WEEK' then '^\d{4}-W\d\d$' when 'MONTH' then '^\d{4}-\d\d$' else '^\d{4}$' end)
);
call protect('coupon_slot');
grant select on coupon_slot to engawa_app;

/*
 * Tries of codes that opened nothing, as a bucket that drains: a subject may try while it is not full. On real time,
 * whatever the tenant's clock says.
 */
create table coupon_guess (
  tenant_id  uuid not null references tenant,
  /* member:<id>, token:<digest>, or tenant. */
  subject    text not null,
  /* When the bucket is empty again. */
  drained_at timestamptz not null,
  primary key (tenant_id, subject)
) with (fillfactor = 50);
create index coupon_guess_old on coupon_guess (tenant_id, drained_at);
call protect('coupon_guess');

-- ── What the tables do by themselves ─────────────────────────────────────────────────────────────

create trigger kept before delete or truncate on campaign_run
  for each statement execute function refuse_change('campaigns stay');
create trigger kept before delete or truncate on budget
  for each statement execute function refuse_change('budgets stay');
create trigger kept before delete or truncate on campaign_use
  for each statement execute function refuse_change('what was taken stays');
create trigger kept before delete or truncate on coupon_counter
  for each statement execute function refuse_change('counters stay');
create trigger kept before delete or truncate on coupon_code
  for each statement execute function refuse_change('codes stay');
create trigger kept before delete or truncate on coupon_redemption
  for each statement execute function refuse_change('redemptions stay');
create trigger kept before update or delete or truncate on campaign
  for each statement execute function refuse_change('a version never changes');
create trigger kept before update or delete or truncate on campaign_cap
  for each statement execute function refuse_change('a version never changes');
create trigger kept before update or delete or truncate on coupon
  for each statement execute function refuse_change('a version never changes');
create trigger kept before update or delete or truncate on coupon_limit
  for each statement execute function refuse_change('a version never changes');

create trigger born_draft before insert on campaign_run for each row when (new.state <> 'DRAFT')
  execute function refuse_change('a campaign is born as a draft');
create trigger moves_on before update on campaign_run for each row
  when (new.tenant_id <> old.tenant_id or new.campaign <> old.campaign
    or (new.state, new.previous) is distinct from (old.state, old.previous)
      and (new.state = old.state or new.previous is distinct from old.state))
  execute function refuse_change('a campaign moves from the state it is in');
create trigger born_empty before insert on budget for each row when (new.taken <> 0)
  execute function refuse_change('a budget is born empty');
create trigger same_budget before update of tenant_id, campaign, unit on budget
  for each row execute function refuse_change('a budget stays whose it is');
create trigger born_taken before insert on campaign_use for each row when (new.state = 'RELEASED')
  execute function refuse_change('what is taken is born reserved or used');
create trigger same_use before update on campaign_use for each row
  when ((new.tenant_id, new.source_type, new.source_id, new.campaign, new.units, new.minor, new.currency, new.points,
         new.points_in)
      is distinct from (old.tenant_id, old.source_type, old.source_id, old.campaign, old.units, old.minor, old.currency,
         old.points, old.points_in)
    or not ((old.state = 'RESERVED' and new.state in ('USED', 'RELEASED'))
      or (old.state = 'USED' and new.state = 'RELEASED')))
  execute function refuse_change('what was taken resolves once');
create trigger born_empty before insert on coupon_counter for each row when (new.taken <> 0)
  execute function refuse_change('a counter is born empty');
create trigger same_counter before update of tenant_id, coupon on coupon_counter
  for each row execute function refuse_change('a counter stays whose it is');
create trigger born_empty before insert on coupon_code for each row when (new.taken <> 0)
  execute function refuse_change('a code is born unused');
create trigger same_code before update of tenant_id, id, coupon, kind, hash, member_id, cap, issued_at, expires_at
  on coupon_code for each row execute function refuse_change('a code stays what it was made as');
create trigger born_taken before insert on coupon_redemption for each row when (new.state = 'RELEASED')
  execute function refuse_change('a redemption is born reserved or used');
create trigger resolves_once before update on coupon_redemption for each row
  when ((new.tenant_id, new.id, new.coupon, new.version, new.code_id, new.member_id, new.transaction_id, new.order_id,
         new.campaign, new.minor, new.currency, new.points, new.points_in, new.made_at, new.expires_at)
      is distinct from (old.tenant_id, old.id, old.coupon, old.version, old.code_id, old.member_id, old.transaction_id,
         old.order_id, old.campaign, old.minor, old.currency, old.points, old.points_in, old.made_at, old.expires_at)
    or not ((old.state = 'RESERVED' and new.state in ('USED', 'RELEASED'))
      or (old.state = 'USED' and new.state = 'RELEASED' and new.used_at = old.used_at)))
  execute function refuse_change('a redemption resolves once');
create trigger same_slot before update or truncate on coupon_slot
  for each statement execute function refuse_change('a slot stays whose it is');

/* A slot is freed only by the release of what holds it. */
create function coupon_slot_freed() returns trigger language plpgsql as $$
begin
  if exists (select from coupon_redemption r
             where r.tenant_id = old.tenant_id and r.id = old.redemption_id and r.state <> 'RELEASED') then
    raise exception 'delete of coupon_slot is refused: its redemption holds it' using errcode = '23514';
  end if;
  return old;
end $$;
create trigger freed before delete on coupon_slot for each row execute function coupon_slot_freed();

/* What a change of state means for a sum of one state. */
create function state_delta(p_state text, p_from text, p_to text) returns int language sql immutable as
$$ select (p_to = p_state)::int - (coalesce(p_from, '') = p_state)::int $$;

/* Keeps the budgets: one guarded row for each unit that has a limit. */
create function campaign_use_apply() returns trigger language plpgsql as $$
declare
  v_from text := case when tg_op = 'UPDATE' then old.state end;
begin
  update budget b set
    reserved = b.reserved + state_delta('RESERVED', v_from, new.state) * a.amount,
    used = b.used + state_delta('USED', v_from, new.state) * a.amount,
    released = b.released + state_delta('RELEASED', v_from, new.state) * a.amount,
    taken = b.taken + case when v_from is null then a.amount else 0 end,
    is_stale = true
  from (values ('STOCK', new.units), ('MONEY', new.minor), ('POINTS', new.points)) a (unit, amount)
  where b.tenant_id = new.tenant_id and b.campaign = new.campaign and b.unit = a.unit and a.amount > 0
    and b.cap < 9223372036854775807;
  return null;
end $$;
create trigger apply after insert or update on campaign_use for each row execute function campaign_use_apply();

/* The period of the tenant's calendar that an instant lies in. */
create function coupon_period(p_per text, p_at timestamptz, p_zone text) returns text language sql stable as $$
  select case p_per when 'EVER' then '' else to_char(p_at at time zone p_zone, case p_per
    when 'DAY' then 'YYYY-MM-DD' when 'WEEK' then 'IYYY-"W"IW' when 'MONTH' then 'YYYY-MM' else 'YYYY' end) end
$$;

/* Keeps code, counter, slots and campaign in step with a redemption. */
create function coupon_redemption_apply() returns trigger language plpgsql as $$
declare
  v_from text := case when tg_op = 'UPDATE' then old.state end;
  v_new int := (v_from is null)::int;
begin
  update coupon_code c set
    reserved = c.reserved + state_delta('RESERVED', v_from, new.state),
    used = c.used + state_delta('USED', v_from, new.state),
    released = c.released + state_delta('RELEASED', v_from, new.state), taken = c.taken + v_new
  where c.tenant_id = new.tenant_id and c.id = new.code_id and c.cap < 9223372036854775807;
  update coupon_counter c set
    reserved = c.reserved + state_delta('RESERVED', v_from, new.state),
    used = c.used + state_delta('USED', v_from, new.state),
    released = c.released + state_delta('RELEASED', v_from, new.state), taken = c.taken + v_new, is_stale = true
  where c.tenant_id = new.tenant_id and c.coupon = new.coupon and c.cap < 9223372036854775807;
  if new.state = 'RELEASED' then
    delete from coupon_slot s where s.tenant_id = new.tenant_id and s.redemption_id = new.id;
  elsif v_from is null then
    insert into coupon_slot (tenant_id, coupon, member_id, period, slot, per, version, most, redemption_id)
    select new.tenant_id, new.coupon, new.member_id, p.period, coalesce((
        select min(n) from generate_series(1, l.most) n
        where not exists (select from coupon_slot s where s.tenant_id = new.tenant_id and s.coupon = new.coupon
          and s.member_id = new.member_id and s.period = p.period and s.slot = n)), l.most + 1),
      l.per, l.version, l.most, new.id
    from coupon_limit l
    join tenant t on t.id = l.tenant_id
    cross join lateral (select coupon_period(l.per, new.made_at, t.time_zone) as period) p
    where l.tenant_id = new.tenant_id and l.coupon = new.coupon and l.version = new.version;
  end if;
  if new.campaign is not null then
    if v_from is null then
      insert into campaign_use (tenant_id, source_type, source_id, campaign, state, units, minor, currency, points,
                                points_in)
      values (new.tenant_id, 'coupon', new.id::text, new.campaign, new.state, 1, new.minor, new.currency, new.points,
              new.points_in);
    else
      update campaign_use u set state = new.state
      where u.tenant_id = new.tenant_id and u.source_type = 'coupon' and u.source_id = new.id::text;
    end if;
  end if;
  return null;
end $$;
create trigger apply after insert or update on coupon_redemption
  for each row execute function coupon_redemption_apply();

-- ── Definitions ──────────────────────────────────────────────────────────────────────────────────

/* When the clock has something to do with a campaign that stands so; null: never. */
create function campaign_due(p_state text, p_starts_at timestamptz, p_ends_at timestamptz) returns timestamptz
language sql immutable as $$
  select case p_state when 'ENDED' then null when 'DRAFT' then coalesce(p_starts_at, p_ends_at) else p_ends_at end
$$;

create function campaign_of_definition() returns trigger language plpgsql as $$
declare
  v_starts_at timestamptz := (new.body -> 'window' ->> 'from')::timestamptz;
  v_ends_at timestamptz := (new.body -> 'window' ->> 'to')::timestamptz;
  v_money jsonb := new.body -> 'budget' -> 'money';
  v_points jsonb := new.body -> 'budget' -> 'points';
  v_budget budget;
  v_sum record;
begin
  insert into campaign (tenant_id, key, version, name, starts_at, ends_at, audience_id, published_at)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', v_starts_at, v_ends_at,
          (new.audiences ->> 'audience')::uuid, new.published_at);
  insert into campaign_cap (tenant_id, campaign, version, unit, currency, cap) values
    (new.tenant_id, new.key, new.version, 'STOCK', null,
     coalesce((new.body ->> 'stock')::bigint, 9223372036854775807)),
    (new.tenant_id, new.key, new.version, 'MONEY', v_money ->> 'currency',
     coalesce((v_money ->> 'amount')::bigint, 9223372036854775807)),
    (new.tenant_id, new.key, new.version, 'POINTS',
     case when v_points is not null then coalesce(v_points ->> 'currency', 'POINTS') end,
     coalesce((v_points ->> 'amount')::bigint, 9223372036854775807));
  insert into campaign_run (tenant_id, campaign, changed_at) values (new.tenant_id, new.key, new.published_at)
  on conflict do nothing;
  -- Whoever takes something of it holds this row shared: nothing is under way while the caps change.
  perform from campaign_run r where r.tenant_id = new.tenant_id and r.campaign = new.key for update;
  update campaign_run r set due_at = campaign_due(r.state, v_starts_at, v_ends_at)
  where r.tenant_id = new.tenant_id and r.campaign = new.key;
  insert into budget (tenant_id, campaign, unit, version, cap)
  select c.tenant_id, c.campaign, c.unit, c.version, c.cap from campaign_cap c
  where c.tenant_id = new.tenant_id and c.campaign = new.key and c.version = new.version
  on conflict do nothing;
  for v_budget in
    select b.* from budget b where b.tenant_id = new.tenant_id and b.campaign = new.key and b.version <> new.version
    order by b.unit for no key update
  loop
    -- What had no limit was not counted.
    select coalesce(sum(a.amount) filter (where u.state = 'RESERVED'), 0) as reserved,
           coalesce(sum(a.amount) filter (where u.state = 'USED'), 0) as used,
           coalesce(sum(a.amount) filter (where u.state = 'RELEASED'), 0) as released,
           coalesce(sum(a.amount), 0) as taken into v_sum
    from campaign_use u
    cross join lateral (select case v_budget.unit when 'STOCK' then u.units
      when 'MONEY' then case when u.currency = v_money ->> 'currency' then u.minor else 0 end
      else case when u.points_in = coalesce(v_points ->> 'currency', 'POINTS') then u.points else 0 end end as amount) a
    where u.tenant_id = new.tenant_id and u.campaign = new.key;
    if v_sum.reserved + v_sum.used > (select c.cap from campaign_cap c where c.tenant_id = new.tenant_id
        and c.campaign = new.key and c.version = new.version and c.unit = v_budget.unit) then
      raise exception '% of this are taken already; it cannot be less.', v_sum.reserved + v_sum.used
      using errcode = 'EN400', column = case v_budget.unit when 'STOCK' then 'campaign.stock'
        when 'MONEY' then 'campaign.budget.money.amount' else 'campaign.budget.points.amount' end;
    end if;
    update budget b set version = new.version, cap = c.cap, reserved = v_sum.reserved, used = v_sum.used,
      released = v_sum.released, taken = v_sum.taken, is_stale = true
    from campaign_cap c
    where b.tenant_id = new.tenant_id and b.campaign = new.key and b.unit = v_budget.unit
      and c.tenant_id = b.tenant_id and c.campaign = b.campaign and c.version = new.version and c.unit = b.unit;
  end loop;
  return null;
end $$;
create trigger campaign_of_definition after insert on definition for each row
  when (new.kind = 'campaign' and new.body is not null) execute function campaign_of_definition();

create function coupon_of_definition() returns trigger language plpgsql as $$
declare
  v_limits jsonb := coalesce(new.body -> 'limits', '{}');
  v_counter coupon_counter;
  v_sum record;
  v_total bigint := coalesce((v_limits ->> 'total')::bigint, 9223372036854775807);
begin
  perform benefit_check(new.body -> 'benefit', 'coupon.benefit');
  insert into coupon (tenant_id, key, version, name, benefit, starts_at, ends_at, audience_id, campaign, total, per_code,
                      reserved_for, on_refund, category, published_at)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', new.body -> 'benefit',
    (new.body -> 'window' ->> 'from')::timestamptz, (new.body -> 'window' ->> 'to')::timestamptz,
    (new.audiences ->> 'audience')::uuid, new.body ->> 'campaign', v_total,
    coalesce((v_limits ->> 'perCode')::bigint, 1),
    coalesce((new.body -> 'reservation' ->> 'for')::interval, interval '30 minutes'),
    coalesce(new.body ->> 'onRefund', 'RELEASE'), new.body ->> 'category', new.published_at);
  insert into coupon_limit (tenant_id, coupon, version, per, most)
  select new.tenant_id, new.key, new.version, p.per, p.most::int
  from (select 'EVER' as per, v_limits ->> 'perMember' as most
        union all select * from jsonb_each_text(coalesce(v_limits -> 'perMemberPer', '{}'))) p
  where p.most is not null;
  insert into coupon_counter (tenant_id, coupon, version, cap) values (new.tenant_id, new.key, new.version, v_total)
  on conflict do nothing;
  -- Whoever redeems it holds this row: nothing is under way while the limit changes.
  select * into strict v_counter from coupon_counter c
  where c.tenant_id = new.tenant_id and c.coupon = new.key for update;
  if v_counter.version <> new.version then
    -- What had no limit was not counted.
    select count(*) filter (where r.state = 'RESERVED') as reserved, count(*) filter (where r.state = 'USED') as used,
           count(*) filter (where r.state = 'RELEASED') as released, count(*) as taken into v_sum
    from coupon_redemption r where r.tenant_id = new.tenant_id and r.coupon = new.key;
    if v_sum.reserved + v_sum.used > v_total then
      raise exception '% of this coupon are taken already; its total cannot be less.', v_sum.reserved + v_sum.used
      using errcode = 'EN400', column = 'coupon.limits.total';
    end if;
    update coupon_counter c set version = new.version, cap = v_total, reserved = v_sum.reserved, used = v_sum.used,
                                released = v_sum.released, taken = v_sum.taken, is_stale = true
    where c.tenant_id = new.tenant_id and c.coupon = new.key;
  end if;
  return null;
end $$;
create trigger coupon_of_definition after insert on definition for each row
  when (new.kind = 'coupon' and new.body is not null) execute function coupon_of_definition();

/* The version of a coupon that is live; a row of nulls when there is none. */
create function coupon_live(p_coupon text) returns coupon language sql stable as $$
  select c.* from coupon c
  join definition d on d.tenant_id = c.tenant_id and d.kind = 'coupon' and d.key = c.key and d.version = c.version
  where c.tenant_id = current_tenant() and c.key = p_coupon and d.is_live
$$;
create function campaign_live(p_campaign text) returns campaign language sql stable as $$
  select c.* from campaign c
  join definition d on d.tenant_id = c.tenant_id and d.kind = 'campaign' and d.key = c.key and d.version = c.version
  where c.tenant_id = current_tenant() and c.key = p_campaign and d.is_live
$$;

-- ── What a campaign gives ────────────────────────────────────────────────────────────────────────

/* How a campaign stands at an instant, whether or not the clock has booked it. */
create function campaign_state_at(p_state text, p_starts_at timestamptz, p_ends_at timestamptz, p_at timestamptz)
returns text language sql immutable as $$
  select case when p_ends_at <= p_at then 'ENDED' when p_state = 'DRAFT' and p_starts_at <= p_at then 'ACTIVE'
    else p_state end
$$;

/*
 * Why a campaign gives nothing now: CAMPAIGN_NOT_RUNNING, NOT_IN_AUDIENCE; null: it does. Whoever asks with p_is_taking
 * holds it as it runs until the end of the transaction. A null member: anybody.
 */
create function campaign_closed(p_campaign text, p_member uuid, p_is_taking boolean) returns text
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_campaign campaign := campaign_live(p_campaign);
  v_run campaign_run;
begin
  if p_is_taking then
    select * into v_run from campaign_run r where r.tenant_id = v_tenant and r.campaign = p_campaign for share;
  else
    select * into v_run from campaign_run r where r.tenant_id = v_tenant and r.campaign = p_campaign;
  end if;
  if v_campaign.key is null or v_run.campaign is null or campaign_state_at(v_run.state, v_campaign.starts_at,
      v_campaign.ends_at, tenant_now(v_tenant)) <> 'ACTIVE' then
    return 'CAMPAIGN_NOT_RUNNING';
  elsif p_member is not null and not audience_has(v_campaign.audience_id, p_member) then
    return 'NOT_IN_AUDIENCE';
  end if;
  return null;
end $$;

/* What is missing for taking this much of a campaign: STOCK_USED_UP, BUDGET_USED_UP, BUDGET_CURRENCY; null: nothing. */
create function campaign_short(
  p_campaign text, p_units bigint, p_minor bigint, p_currency text, p_points bigint, p_points_in text
) returns text language sql stable as $$
  select case when b.unit = 'STOCK' then 'STOCK_USED_UP'
    when a.currency is distinct from c.currency then 'BUDGET_CURRENCY' else 'BUDGET_USED_UP' end
  from (values ('STOCK', p_units, null), ('MONEY', p_minor, p_currency), ('POINTS', p_points, p_points_in))
    a (unit, amount, currency)
  join budget b on b.tenant_id = current_tenant() and b.campaign = p_campaign and b.unit = a.unit
  join campaign_cap c on c.tenant_id = b.tenant_id and c.campaign = b.campaign and c.version = b.version and c.unit = b.unit
  where a.amount > 0 and b.cap < 9223372036854775807
    and (b.used > b.cap - b.reserved - a.amount or a.currency is distinct from c.currency)
  order by b.unit desc limit 1
$$;

/* Locks the budgets of campaigns that have a limit, in one order. */
create function budget_lock(p_campaigns text[]) returns void language plpgsql as $$
begin
  perform from budget b where b.tenant_id = current_tenant() and b.campaign = any (p_campaigns)
    and b.cap < 9223372036854775807
  order by b.campaign, b.unit for no key update;
end $$;

/*
 * Takes of a campaign for a fact of a member (null: of nobody), within the caller's transaction: so many units of its
 * stock, so much money in minor units, so many points. True: it is taken, or was for this fact before. False: the
 * campaign does not run, is not for this member, or has not that much left; nothing is taken then. Lock the member
 * first.
 */
create function campaign_take(
  p_campaign text, p_member uuid, p_source_type text, p_source_id text, p_units bigint default 1,
  p_minor bigint default 0, p_currency text default null, p_points bigint default 0, p_points_in text default null
) returns boolean language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_points_in text := case when p_points > 0 then coalesce(p_points_in, 'POINTS') end;
begin
  if exists (select from campaign_use u
             where u.tenant_id = v_tenant and u.source_type = p_source_type and u.source_id = p_source_id) then
    return true;
  elsif campaign_closed(p_campaign, p_member, true) is not null then
    return false;
  end if;
  perform budget_lock(array[p_campaign]);
  if campaign_short(p_campaign, p_units, p_minor, p_currency, p_points, v_points_in) is not null then
    return false;
  end if;
  insert into campaign_use (tenant_id, source_type, source_id, campaign, state, units, minor, currency, points, points_in)
  values (v_tenant, p_source_type, p_source_id, p_campaign, 'USED', p_units, p_minor,
          case when p_minor > 0 then p_currency end, p_points, v_points_in);
  return true;
end $$;

/* Gives back what was taken of a campaign for a fact; false when nothing was, or it was given back before. */
create function campaign_give_back(p_source_type text, p_source_id text) returns boolean language plpgsql as $$
begin
  update campaign_use u set state = 'RELEASED'
  where u.tenant_id = current_tenant() and u.source_type = p_source_type and u.source_id = p_source_id
    and u.state <> 'RELEASED';
  return found;
end $$;

/* Moves a campaign, which is locked, to another state. */
create function campaign_moved(p_run campaign_run, p_to text, p_at timestamptz) returns campaign_run
language plpgsql as $$
declare
  v_run campaign_run;
  v_campaign campaign := campaign_live(p_run.campaign);
begin
  update campaign_run r set state = p_to, previous = r.state, changed_at = p_at,
                            due_at = campaign_due(p_to, v_campaign.starts_at, v_campaign.ends_at)
  where r.tenant_id = p_run.tenant_id and r.campaign = p_run.campaign
  returning * into v_run;
  perform announce('campaign.state_changed', null,
    jsonb_build_object('campaign', p_run.campaign, 'from', p_run.state, 'to', p_to), p_at);
  return v_run;
end $$;

/* Books what the clock did to a campaign, which is locked: its start, its end, each at its instant. */
create function campaign_settle(p_run campaign_run, p_now timestamptz) returns campaign_run language plpgsql as $$
declare
  v_run campaign_run := p_run;
  v_campaign campaign := campaign_live(p_run.campaign);
begin
  if v_campaign.key is null then -- retired: the clock has no business with it
    update campaign_run r set due_at = null where r.tenant_id = v_run.tenant_id and r.campaign = v_run.campaign;
    v_run.due_at := null;
    return v_run;
  end if;
  while v_run.due_at <= p_now loop
    v_run := campaign_moved(v_run,
      case when v_run.state = 'DRAFT' and (v_campaign.ends_at is null or v_campaign.starts_at < v_campaign.ends_at)
        then 'ACTIVE' else 'ENDED' end, v_run.due_at);
  end loop;
  return v_run;
end $$;

/*
 * Starts, pauses or ends a campaign by hand: p_to is ACTIVE, PAUSED or ENDED. Outcomes: done {campaign}, bad_input,
 * not_found, key_reused, campaign_state {state}.
 */
create function campaign_move(p_key text, p_hash bytea, p_campaign text, p_to text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_campaign campaign := campaign_live(p_campaign);
  v_replay jsonb;
  v_run campaign_run;
begin
  if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    if v_campaign.key is null then
      return jsonb_build_object('is', 'not_found', 'what', 'campaign');
    elsif p_to = 'ACTIVE' and v_campaign.starts_at > v_now then
      return bad_input('campaign', format('Its window begins at %s; the clock starts it then.',
        to_char(v_campaign.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
    end if;
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'MOVE_CAMPAIGN', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  select * into strict v_run from campaign_run r
  where r.tenant_id = v_tenant and r.campaign = p_campaign for no key update;
  v_run := campaign_settle(v_run, v_now);
  if v_run.state = p_to or v_run.state = 'ENDED' then
    return op_finish(p_key, jsonb_build_object('is', 'campaign_state', 'state', v_run.state));
  end if;
  v_run := campaign_moved(v_run, p_to, v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'campaign', p_campaign));
end $$;

-- ── Making codes ─────────────────────────────────────────────────────────────────────────────────

/* Keeps the key of a tenant's codes, unless it has one. */
create function coupon_key_keep(p_sealed bytea, p_data_key bytea, p_key_id text) returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into coupon_key (tenant_id, sealed, data_key, key_id) values (current_tenant(), p_sealed, p_data_key, p_key_id)
  on conflict do nothing
$$;

/*
 * Keeps codes by their hashes. p_kind BULK: as many as there are; WORD: one that is known to everybody. A null key: the
 * command line's. Outcomes: done {coupon, made}, bad_input, not_found, key_reused.
 */
create function coupon_make(
  p_key text, p_hash bytea, p_coupon text, p_kind text, p_hashes bytea[], p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_coupon coupon := coupon_live(p_coupon);
  v_replay jsonb;
  v_made int;
begin
  if p_key is null or not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    if v_coupon.key is null then
      return jsonb_build_object('is', 'not_found', 'what', 'coupon');
    elsif p_kind = 'WORD' and exists (select from coupon_code c
                                      where c.tenant_id = v_tenant and c.hash = any (p_hashes)) then
      return bad_input('word', 'This word opens a coupon already.');
    end if;
  end if;
  if p_key is not null then
    select b.replay into v_replay from op_begin(p_key, p_hash, 'MAKE_COUPONS', p_actor, v_now) b;
    if v_replay is not null then
      return v_replay;
    end if;
  end if;
  insert into coupon_code (tenant_id, coupon, kind, hash, cap, issued_at)
  select v_tenant, p_coupon, p_kind, h, case p_kind when 'BULK' then v_coupon.per_code else 9223372036854775807 end, v_now
  from unnest(p_hashes) h
  on conflict on constraint coupon_code_once do nothing;
  get diagnostics v_made = row_count;
  if v_made < cardinality(p_hashes) then
    raise exception 'of % codes % were there already', cardinality(p_hashes), cardinality(p_hashes) - v_made;
  end if;
  if p_key is not null then
    -- Whoever asks again is told how many there are, and not which.
    perform op_finish(p_key, jsonb_build_object('is', 'done', 'coupon', p_coupon, 'made', v_made, 'is_new', false));
  end if;
  return jsonb_build_object('is', 'done', 'coupon', p_coupon, 'made', v_made, 'is_new', true);
end $$;

/*
 * Binds a coupon to a member, by the first of these hashes that is free; p_place tells which, from 1. It lives for
 * p_valid_for, as long as the coupon when null. Outcomes: done {code, member, place, is_new}, not_found, key_reused,
 * membership_ended.
 */
create function coupon_issue(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_coupon text, p_hashes bytea[], p_valid_for interval,
  p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_coupon coupon := coupon_live(p_coupon);
  v_replay jsonb;
  v_id uuid;
  v_place int := 0;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_coupon.key is null
      and not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    return jsonb_build_object('is', 'not_found', 'what', 'coupon');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'ISSUE_COUPON', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  while v_id is null loop
    v_place := v_place + 1;
    if v_place > cardinality(p_hashes) then
      raise exception 'none of % codes is free', cardinality(p_hashes);
    end if;
    insert into coupon_code (tenant_id, coupon, kind, hash, member_id, cap, issued_at, expires_at)
    values (v_tenant, p_coupon, 'MEMBER', p_hashes[v_place], v_member.id, 1, v_now,
            (v_now at time zone v_zone + p_valid_for) at time zone v_zone)
    on conflict on constraint coupon_code_once do nothing
    returning id into v_id;
  end loop;
  perform announce('coupon.issued', v_member.id, jsonb_build_object('coupon', p_coupon, 'issued', v_id), v_now);
  -- Whoever asks again is told which it was, and not its code.
  perform op_finish(p_key, jsonb_build_object('is', 'done', 'code', v_id, 'member', v_member.id, 'is_new', false));
  return jsonb_build_object('is', 'done', 'code', v_id, 'member', v_member.id, 'place', v_place, 'is_new', true);
end $$;

-- ── Guesses ──────────────────────────────────────────────────────────────────────────────────────

/* How many wrong codes a subject may try in ten minutes: a member, a token of a program or of staff, a tenant. */
create function coupon_guesses(p_subject text) returns int language sql immutable as $$
  select case split_part(p_subject, ':', 1) when 'member' then 10 when 'token' then 300 else 1000 end
$$;

/* Seconds until the bucket of a subject has room again, by its row; null or less than nothing: it has. */
create function coupon_guess_full(p_subject text, p_drained_at timestamptz) returns interval language sql stable as $$
  select p_drained_at - clock_timestamp() - interval '10 minutes' * (1 - 1.0 / coupon_guesses(p_subject))
$$;

/*
 * How many seconds these must wait before they may try a code; null: they may. What a whole tenant may try stops only
 * who was wrong lately: others keep one try, so that nobody shuts a shop by guessing.
 */
create function coupon_guess_wait(p_member uuid, p_token text) returns int language plpgsql as $$
declare
  v_wait interval;
begin
  select max(coupon_guess_full(g.subject, g.drained_at)) into v_wait from coupon_guess g
  where g.tenant_id = current_tenant() and g.subject = any (array['member:' || p_member, 'token:' || p_token, 'tenant'])
    and (g.subject <> 'tenant' or exists (
      select from coupon_guess o where o.tenant_id = g.tenant_id and o.drained_at > clock_timestamp()
        and o.subject = any (array['member:' || p_member, 'token:' || p_token])));
  return case when v_wait > interval '0' then ceil(extract(epoch from v_wait))::int end;
end $$;

/* Adds a wrong code to the bucket of a subject, unless it is full. */
create function coupon_guess_add(p_subject text) returns boolean language plpgsql as $$
declare
  v_step interval := interval '10 minutes' / coupon_guesses(p_subject);
begin
  insert into coupon_guess as g (tenant_id, subject, drained_at)
  values (current_tenant(), p_subject, clock_timestamp() + v_step)
  on conflict (tenant_id, subject) do update
  set drained_at = greatest(g.drained_at, clock_timestamp()) + v_step
  where coupon_guess_full(g.subject, g.drained_at) <= interval '0';
  return found;
end $$;

/* Counts a wrong code; the seconds to wait when somebody else's try was faster, null when it was counted. */
create function coupon_guess_count(p_member uuid, p_token text) returns int language plpgsql as $$
begin
  if coupon_guess_add('member:' || p_member) and coupon_guess_add('token:' || p_token) then
    perform coupon_guess_add('tenant');
    return null;
  end if;
  return coalesce(coupon_guess_wait(p_member, p_token), 1);
end $$;

create function coupon_too_many(p_wait int) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'too_many_attempts', 'retry_after', p_wait) $$;

-- ── Looking at a code ────────────────────────────────────────────────────────────────────────────

/* Whether whoever asked so may have been guessing. */
create function coupon_is_guess(p_reason text) returns boolean language sql immutable as
$$ select p_reason in ('UNKNOWN', 'NOT_THEIRS') $$;

/* Why this code is not for this member now, whatever is left of it; null: it is. */
create function coupon_refusal(
  p_code coupon_code, p_coupon coupon, p_member uuid, p_order_id text, p_is_taking boolean
) returns text language plpgsql as $$
declare
  v_now timestamptz := tenant_now(current_tenant());
begin
  if p_code.id is null then
    return 'UNKNOWN';
  elsif p_code.member_id <> p_member then
    return 'NOT_THEIRS';
  elsif p_coupon.key is null then
    return 'WITHDRAWN';
  elsif p_coupon.starts_at > v_now then
    return 'NOT_STARTED';
  elsif least(p_coupon.ends_at, p_code.expires_at) <= v_now then
    return 'EXPIRED';
  elsif not audience_has(p_coupon.audience_id, p_member) then
    return 'NOT_IN_AUDIENCE';
  elsif p_order_id is not null and exists (
      select from coupon_redemption r
      where r.tenant_id = p_code.tenant_id and r.order_id = p_order_id and r.code_id = p_code.id
        and r.state <> 'RELEASED' and (r.state = 'USED' or r.expires_at > v_now)) then
    return 'ON_ORDER';
  elsif p_coupon.campaign is not null then
    return campaign_closed(p_coupon.campaign, p_member, p_is_taking);
  end if;
  return null;
end $$;

/*
 * What is missing for one more redemption; null: nothing. What lapsed counts as free already, but not for whoever is
 * taking, who released it before.
 */
create function coupon_shortage(
  p_code uuid, p_coupon coupon, p_member uuid, p_charge jsonb, p_is_taking boolean
) returns text language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_code coupon_code;
  v_counter coupon_counter;
  v_per text;
begin
  select * into strict v_code from coupon_code c where c.tenant_id = v_tenant and c.id = p_code;
  if v_code.cap < 9223372036854775807 and v_code.used + v_code.reserved - (case when p_is_taking then 0 else (
      select count(*) from coupon_redemption r where r.tenant_id = v_tenant and r.code_id = p_code
      and r.state = 'RESERVED' and r.expires_at <= v_now) end) >= v_code.cap then
    return case when exists (select from coupon_redemption r where r.tenant_id = v_tenant and r.code_id = p_code
      and r.member_id = p_member and r.state <> 'RELEASED') then 'MEMBER_LIMIT' else 'CODE_USED' end;
  end if;
  select l.per into v_per from coupon_limit l join tenant t on t.id = l.tenant_id
  where l.tenant_id = v_tenant and l.coupon = p_coupon.key and l.version = p_coupon.version and l.most <= (
    select count(*) from coupon_slot s
    join coupon_redemption r on r.tenant_id = s.tenant_id and r.id = s.redemption_id
    where s.tenant_id = v_tenant and s.coupon = p_coupon.key and s.member_id = p_member
      and s.period = coupon_period(l.per, v_now, t.time_zone) and (r.state = 'USED' or r.expires_at > v_now))
  order by l.per = 'EVER' desc limit 1;
  if found then
    return case v_per when 'EVER' then 'MEMBER_LIMIT' else 'PERIOD_LIMIT' end;
  end if;
  select * into strict v_counter from coupon_counter c where c.tenant_id = v_tenant and c.coupon = p_coupon.key;
  if v_counter.used + v_counter.reserved >= v_counter.cap and (p_is_taking
      or v_counter.used + v_counter.reserved - (
        select count(*) from coupon_redemption r where r.tenant_id = v_tenant and r.coupon = p_coupon.key
        and r.state = 'RESERVED' and r.expires_at <= v_now) >= v_counter.cap) then
    return 'STOCK_USED_UP';
  end if;
  return case when p_coupon.campaign is not null then
    campaign_short(p_coupon.campaign, 1, (p_charge ->> 'minor')::bigint, p_charge ->> 'currency',
      (p_charge ->> 'points')::bigint, p_charge ->> 'points_in') end;
end $$;

/* What a redemption takes of a campaign's budgets: {"minor", "currency", "points", "points_in"}. */
create function coupon_charge(p_coupon coupon, p_discount bigint, p_currency text) returns jsonb language plpgsql as $$
declare
  v_money jsonb := p_coupon.benefit -> 'money';
  v_points jsonb := p_coupon.benefit -> 'points';
  v_is_percent boolean := coalesce(p_coupon.benefit ? 'percent', false) and p_discount > 0;
begin
  return jsonb_build_object(
    'minor', coalesce(v_money ->> 'amount', case when v_is_percent then p_discount::text end, '0'),
    'currency', case when v_is_percent then p_currency else v_money ->> 'currency' end,
    'points', coalesce(v_points ->> 'amount', '0'),
    'points_in', case when v_points is not null then coalesce(v_points ->> 'currency', 'POINTS') end);
end $$;

/* What happened to a redemption, told. */
create function coupon_told(p_type text, p_redemption coupon_redemption, p_at timestamptz) returns void
language sql as $$
  select announce(p_type, (p_redemption).member_id,
    jsonb_build_object('redemption', (p_redemption).id, 'coupon', (p_redemption).coupon), p_at)
$$;

/* Locks what redemptions of these codes, coupons and campaigns count on, in one order: codes, counters, budgets. */
create function coupon_lock(p_codes uuid[], p_coupons text[], p_campaigns text[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  perform from coupon_code c where c.tenant_id = v_tenant and c.id = any (p_codes) and c.cap < 9223372036854775807
  order by c.id for no key update;
  -- A counter that counts nothing is held shared: who redeems stands in nobody's way but in that of a new limit.
  perform coupon_counter_lock(k) from (select distinct k from unnest(p_coupons) k order by k) k;
  perform budget_lock(p_campaigns);
end $$;
create function coupon_counter_lock(p_coupon text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  perform from coupon_counter c where c.tenant_id = v_tenant and c.coupon = p_coupon and c.cap = 9223372036854775807
  for share;
  if not found then
    perform from coupon_counter c where c.tenant_id = v_tenant and c.coupon = p_coupon for no key update;
  end if;
end $$;

/* Releases reservations whose time is over, which are locked; what they count on is locked as well. */
create function coupon_lapse(p_redemptions uuid[]) returns int language plpgsql as $$
declare
  v_lapsed int;
begin
  with lapsed as (
    update coupon_redemption r set state = 'RELEASED', released_at = r.expires_at, released_by = 'CLOCK'
    where r.tenant_id = current_tenant() and r.id = any (p_redemptions) and r.state = 'RESERVED'
    returning r.*
  )
  select count(coupon_told('coupon.released', l, l.expires_at)) into v_lapsed from lapsed l;
  return v_lapsed;
end $$;

-- ── Redeeming ────────────────────────────────────────────────────────────────────────────────────

/*
 * Whether a code would be taken now, without taking it: {"is": "done", "coupon"}, coupon_not_usable {reason},
 * too_many_attempts {retry_after}, not_found. A wrong code counts as a guess.
 */
create function coupon_usable(p_member uuid, p_external_id text, p_code bytea, p_token text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_member member := member_find(p_member, p_external_id);
  v_wait int := coupon_guess_wait(v_member.id, p_token);
  v_code coupon_code;
  v_coupon coupon;
  v_reason text;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_wait is not null then
    return coupon_too_many(v_wait);
  end if;
  select * into v_code from coupon_code c where c.tenant_id = current_tenant() and c.hash = p_code;
  v_coupon := coupon_live(v_code.coupon);
  v_reason := coupon_refusal(v_code, v_coupon, v_member.id, null, false);
  v_reason := coalesce(v_reason,
    coupon_shortage(v_code.id, v_coupon, v_member.id, coupon_charge(v_coupon, 0, null), false));
  if v_reason is null then
    return jsonb_build_object('is', 'done', 'coupon', v_coupon.key, 'version', v_coupon.version);
  elsif coupon_is_guess(v_reason) then
    v_wait := coupon_guess_count(v_member.id, p_token);
    if v_wait is not null then
      return coupon_too_many(v_wait);
    end if;
  end if;
  return jsonb_build_object('is', 'coupon_not_usable', 'reason', v_reason);
end $$;

/* The same for several codes of one member, one after the other: an array of what coupon_usable answers. */
create function coupons_usable(p_member uuid, p_codes bytea[], p_token text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_code bytea;
  v_all jsonb := '[]';
begin
  foreach v_code in array p_codes loop
    v_all := v_all || jsonb_build_array(coupon_usable(p_member, null, v_code, p_token));
  end loop;
  return v_all;
end $$;
grant execute on function coupons_usable(uuid, bytea[], text) to engawa_app;

/*
 * Redeems a code: reserved when p_holds, else used at once. p_discount is what it takes off the order, in minor units of
 * p_currency, where a percentage counts against a budget. Outcomes: done {redemption, member}, bad_input, not_found,
 * key_reused, membership_ended, coupon_not_usable {reason}, too_many_attempts {retry_after}; the last is not remembered.
 */
create function coupon_redeem(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_code bytea, p_order_id text, p_holds boolean,
  p_discount bigint, p_currency text, p_token text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_op record;
  v_wait int;
  v_code coupon_code;
  v_coupon coupon;
  v_reason text;
  v_charge jsonb;
  v_lapsed uuid[];
  v_made coupon_redemption;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    v_wait := coupon_guess_wait(v_member.id, p_token);
    if v_wait is not null then
      return coupon_too_many(v_wait);
    end if;
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'REDEEM_COUPON', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  select * into v_code from coupon_code c where c.tenant_id = v_tenant and c.hash = p_code;
  v_coupon := coupon_live(v_code.coupon);
  v_charge := coupon_charge(v_coupon, p_discount, p_currency);
  -- A look that holds nothing answers most of those who come too late.
  v_reason := coupon_refusal(v_code, v_coupon, v_member.id, p_order_id, true);
  v_reason := coalesce(v_reason, coupon_shortage(v_code.id, v_coupon, v_member.id, v_charge, false));
  if v_reason is null then
    v_lapsed := coupon_lapsed(v_member.id, v_code, v_now);
    perform coupon_lock(
      array(select r.code_id from coupon_redemption r where r.tenant_id = v_tenant and r.id = any (v_lapsed))
        || v_code.id,
      array[v_coupon.key], array(
        select distinct r.campaign from coupon_redemption r
        where r.tenant_id = v_tenant and r.id = any (v_lapsed) and r.campaign is not null) || v_coupon.campaign);
    perform coupon_lapse(v_lapsed);
    v_reason := coupon_shortage(v_code.id, v_coupon, v_member.id, v_charge, true);
  end if;
  if v_reason is null and v_coupon.benefit ? 'percent' and p_discount is null and exists (
      select from budget b where b.tenant_id = v_tenant and b.campaign = v_coupon.campaign and b.unit = 'MONEY'
        and b.cap < 9223372036854775807) then
    delete from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key;
    return bad_input('discount', 'Its campaign has a budget of money: say what it takes off the order.');
  end if;
  if coupon_is_guess(v_reason) then
    v_wait := coupon_guess_count(v_member.id, p_token);
    if v_wait is not null then
      delete from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key;
      return coupon_too_many(v_wait);
    end if;
  end if;
  if v_reason is not null then
    return op_finish(p_key, jsonb_build_object('is', 'coupon_not_usable', 'reason', v_reason));
  end if;
  insert into coupon_redemption (tenant_id, coupon, version, code_id, member_id, transaction_id, order_id, state, campaign,
    minor, currency, points, points_in, made_at, expires_at, used_at)
  values (v_tenant, v_coupon.key, v_coupon.version, v_code.id, v_member.id, v_op.transaction_id, p_order_id,
    case when p_holds then 'RESERVED' else 'USED' end, v_coupon.campaign,
    case when v_coupon.campaign is null then 0 else (v_charge ->> 'minor')::bigint end, v_charge ->> 'currency',
    case when v_coupon.campaign is null then 0 else (v_charge ->> 'points')::bigint end, v_charge ->> 'points_in',
    v_now, case when p_holds then v_now + v_coupon.reserved_for end, case when not p_holds then v_now end)
  returning * into v_made;
  if p_holds then
    perform coupon_told('coupon.reserved', v_made, v_now);
  else
    perform coupon_give(v_made, v_coupon, v_now, p_actor);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'redemption', v_made.id, 'member', v_member.id));
end $$;

/*
 * The reservations whose time is over that stand in the way of a redemption, locked: the member's own of this coupon,
 * those of this code, and, where the stock or the campaign is used up, a few of others.
 */
create function coupon_lapsed(p_member uuid, p_code coupon_code, p_now timestamptz) returns uuid[]
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_lapsed uuid[];
begin
  v_lapsed := array(
    select r.id from coupon_redemption r
    where r.tenant_id = v_tenant and r.coupon = p_code.coupon and r.state = 'RESERVED' and r.expires_at <= p_now
      and (r.member_id = p_member or r.code_id = p_code.id)
    order by r.id for update);
  if exists (select from coupon_counter c where c.tenant_id = v_tenant and c.coupon = p_code.coupon
             and c.used >= c.cap - c.reserved) then
    v_lapsed := v_lapsed || array(
      select r.id from coupon_redemption r
      where r.tenant_id = v_tenant and r.coupon = p_code.coupon and r.state = 'RESERVED' and r.expires_at <= p_now
        and r.id <> all (v_lapsed)
      order by r.expires_at limit 20 for update skip locked);
  end if;
  return v_lapsed;
end $$;

/* Gives what a redemption that was used just now is good for, and tells of it. */
create function coupon_give(p_redemption coupon_redemption, p_coupon coupon, p_at timestamptz, p_actor text)
returns void language plpgsql as $$
begin
  perform benefit_give(p_redemption.member_id, p_coupon.benefit, 'coupon', p_redemption.id::text, p_at,
    coupon_name(p_coupon.name), p_actor);
  perform coupon_told('coupon.redeemed', p_redemption, p_at);
end $$;

/* A name in the tenant's language, or in any that there is. */
create function coupon_name(p_name jsonb) returns text language sql stable as $$
  select left(coalesce((select p_name ->> split_part(lower(t.locale), '-', 1) from tenant t where t.id = current_tenant()),
    p_name ->> 'en', (select min(n.value) from jsonb_each_text(p_name) n)), 200)
$$;

/* Releases a redemption, which is locked with what it counts on; takes back what it gave. */
create function coupon_let_go(p_redemption coupon_redemption, p_by text, p_at timestamptz, p_reason text) returns void
language plpgsql as $$
begin
  update coupon_redemption r set state = 'RELEASED', released_at = p_at, released_by = p_by, reason = p_reason
  where r.tenant_id = p_redemption.tenant_id and r.id = p_redemption.id;
  if p_redemption.state = 'USED' then
    perform benefit_take_back('coupon', p_redemption.id::text, p_at, coalesce(p_reason, 'Coupon'));
  end if;
  perform coupon_told('coupon.released', p_redemption, p_at);
end $$;

/*
 * Releases a redemption: a reservation, or with p_takes_back also a use, whose benefit is taken back then. Of p_only
 * alone unless null. Outcomes: done {redemption, member}, not_found, key_reused, redemption_resolved {state}.
 */
create function coupon_release(
  p_key text, p_hash bytea, p_redemption uuid, p_only uuid, p_takes_back boolean, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_made coupon_redemption;
  v_op record;
begin
  select * into v_made from coupon_redemption r
  where r.tenant_id = v_tenant and r.id = p_redemption and (p_only is null or r.member_id = p_only);
  if v_made.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'redemption');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'RELEASE_COUPON', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_made.member_id);
  select * into strict v_made from coupon_redemption r
  where r.tenant_id = v_tenant and r.id = p_redemption for update;
  perform coupon_lock(array[v_made.code_id], array[v_made.coupon], array[v_made.campaign]);
  if v_made.state = 'RESERVED' and v_made.expires_at <= v_now then
    perform coupon_lapse(array[v_made.id]);
    v_made.state := 'RELEASED';
  end if;
  if v_made.state = 'RELEASED' or (v_made.state = 'USED' and not p_takes_back) then
    return op_finish(p_key, jsonb_build_object('is', 'redemption_resolved', 'state', v_made.state));
  end if;
  perform coupon_let_go(v_made, case when p_takes_back then 'STAFF' else 'CALLER' end, v_now, p_reason);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'redemption', v_made.id, 'member', v_made.member_id));
end $$;

-- ── Purchases ────────────────────────────────────────────────────────────────────────────────────

/*
 * Uses the reservations that members made for the orders of these purchases, unless they had lapsed when the purchase
 * was made. Within the transaction that records them; the members are locked.
 */
create function coupons_of_purchases(p_purchases uuid[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_made coupon_redemption[];
  v_each record;
begin
  if not exists (select from coupon_redemption r where r.tenant_id = v_tenant and r.state = 'RESERVED') then
    return;
  end if;
  perform member_lock(m.id) from (
    select distinct r.member_id as id from purchase p
    join coupon_redemption r on r.tenant_id = p.tenant_id and r.order_id = p.order_id and r.member_id = p.member_id
    where p.tenant_id = v_tenant and p.id = any (p_purchases) and r.state = 'RESERVED'
    order by r.member_id) m;
  v_made := array(
    select r from purchase p
    join coupon_redemption r on r.tenant_id = p.tenant_id and r.order_id = p.order_id and r.member_id = p.member_id
    where p.tenant_id = v_tenant and p.id = any (p_purchases) and r.state = 'RESERVED' and r.expires_at > p.purchased_at
    order by r.id for update of r);
  if cardinality(v_made) = 0 then
    return;
  end if;
  perform coupon_lock(array(select m.code_id from unnest(v_made) m), array(select m.coupon from unnest(v_made) m),
    array(select m.campaign from unnest(v_made) m where m.campaign is not null));
  for v_each in
    select m.id, p.purchased_at, c from unnest(v_made) m
    join purchase p on p.tenant_id = v_tenant and p.order_id = m.order_id
    join coupon c on c.tenant_id = v_tenant and c.key = m.coupon and c.version = m.version
    order by m.id
  loop
    update coupon_redemption r set state = 'USED', used_at = greatest(r.made_at, v_each.purchased_at)
    where r.tenant_id = v_tenant and r.id = v_each.id;
    perform coupon_give(r, v_each.c, v_each.purchased_at, 'engawa')
    from coupon_redemption r where r.tenant_id = v_tenant and r.id = v_each.id;
  end loop;
end $$;

/* The same for one purchase. */
create function coupons_of_purchase(p_purchase uuid) returns void language sql as
$$ select coupons_of_purchases(array[p_purchase]) $$;

/*
 * When all of a purchase was given back: its coupons are released with what they gave, or stay used, as their rule says.
 * The member is locked.
 */
create function coupons_of_refund(p_purchase uuid, p_is_whole boolean, p_at timestamptz) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_made coupon_redemption[];
  v_each coupon_redemption;
begin
  if not p_is_whole then
    return;
  end if;
  v_made := array(
    select r from purchase p
    join coupon_redemption r on r.tenant_id = p.tenant_id and r.order_id = p.order_id and r.member_id = p.member_id
    join coupon c on c.tenant_id = r.tenant_id and c.key = r.coupon and c.version = r.version
    where p.tenant_id = v_tenant and p.id = p_purchase and r.state = 'USED' and c.on_refund = 'RELEASE'
    order by r.id for update of r);
  if cardinality(v_made) = 0 then
    return;
  end if;
  perform coupon_lock(array(select m.code_id from unnest(v_made) m), array(select m.coupon from unnest(v_made) m),
    array(select m.campaign from unnest(v_made) m where m.campaign is not null));
  foreach v_each in array v_made loop
    perform coupon_let_go(v_each, 'REFUND', p_at, 'Refund');
  end loop;
end $$;

-- ── The clock ────────────────────────────────────────────────────────────────────────────────────

/*
 * Starts and ends campaigns, releases reservations whose time is over, forgets old guesses, and tells of changed stocks, each at most once a
 * batch: at most p_limit of each. How many; when none, nothing is left to do.
 */
create function coupons_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_run campaign_run;
  v_lapsed coupon_redemption[];
  v_done int := 0;
begin
  for v_run in
    select * from campaign_run r where r.tenant_id = v_tenant and r.due_at <= v_now
    order by r.due_at, r.campaign limit p_limit for no key update skip locked
  loop
    perform campaign_settle(v_run, v_now);
    v_done := v_done + 1;
  end loop;
  v_lapsed := array(
    select r from coupon_redemption r
    where r.tenant_id = v_tenant and r.state = 'RESERVED' and r.expires_at <= v_now
    order by r.expires_at, r.id limit p_limit for update skip locked);
  if cardinality(v_lapsed) > 0 then
    perform coupon_lock(array(select l.code_id from unnest(v_lapsed) l), array(select l.coupon from unnest(v_lapsed) l),
      array(select l.campaign from unnest(v_lapsed) l where l.campaign is not null));
    v_done := v_done + coupon_lapse(array(select l.id from unnest(v_lapsed) l));
  end if;
  delete from coupon_guess g where g.tenant_id = v_tenant and g.drained_at < clock_timestamp() - interval '1 hour';
  return v_done + coupons_tell_stock(p_limit, v_now);
end $$;

/* Tells once of each coupon and campaign whose stock or budget changed since the last time. */
create function coupons_tell_stock(p_limit int, p_now timestamptz) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_told int;
  v_campaigns int;
begin
  with changed as (
    update coupon_counter c set is_stale = false
    from (select coupon from coupon_counter where tenant_id = v_tenant and is_stale order by coupon
          limit p_limit for no key update skip locked) s
    where c.tenant_id = v_tenant and c.coupon = s.coupon
    returning c.*
  )
  select count(announce('coupon.stock_changed', null, jsonb_strip_nulls(jsonb_build_object('coupon', c.coupon,
    'remaining', case when c.cap < 9223372036854775807 then (c.cap - c.used - c.reserved)::text end)), p_now))
  into v_told from changed c;
  with changed as (
    update budget b set is_stale = false
    from (select campaign, unit from budget where tenant_id = v_tenant and is_stale order by campaign, unit
          limit p_limit for no key update skip locked) s
    where b.tenant_id = v_tenant and b.campaign = s.campaign and b.unit = s.unit
    returning b.campaign
  )
  select count(announce('campaign.stock_changed', null, jsonb_build_object('campaign', c.campaign), p_now))
  into v_campaigns from (select distinct campaign from changed) c;
  return v_told + v_campaigns;
end $$;

-- The look for what is due crosses tenants.
create policy system on campaign_run for select to engawa_system using (true);
create policy system on budget for select to engawa_system using (true);
create policy system on coupon_counter for select to engawa_system using (true);
create policy system on coupon_redemption for select to engawa_system using (true);
grant select on campaign_run, budget, coupon_counter, coupon_redemption to engawa_system;

-- ── Whether the books are right ──────────────────────────────────────────────────────────────────

/* Where a counter, a code, a budget or a member's slots are not what the redemptions say; no rows: all is right. */
create function coupons_verify() returns table (what text, expected text, found text) language sql stable
security definer set search_path = public, pg_temp as $$
  with t as (select current_tenant() as id)
  select 'coupon ' || c.coupon, format('%s/%s/%s', r.reserved, r.used, r.released),
         format('%s/%s/%s', c.reserved, c.used, c.released)
  from t join coupon_counter c on c.tenant_id = t.id
  cross join lateral (
    select count(*) filter (where r.state = 'RESERVED') as reserved, count(*) filter (where r.state = 'USED') as used,
           count(*) filter (where r.state = 'RELEASED') as released
    from coupon_redemption r where r.tenant_id = c.tenant_id and r.coupon = c.coupon) r
  where c.cap < 9223372036854775807 and (c.reserved, c.used, c.released) <> (r.reserved, r.used, r.released)
  union all
  select 'code ' || c.id, format('%s/%s/%s', coalesce(r.reserved, 0), coalesce(r.used, 0), coalesce(r.released, 0)),
         format('%s/%s/%s', c.reserved, c.used, c.released)
  from t join coupon_code c on c.tenant_id = t.id
  left join (
    select r.code_id, count(*) filter (where r.state = 'RESERVED') as reserved,
           count(*) filter (where r.state = 'USED') as used, count(*) filter (where r.state = 'RELEASED') as released
    from t join coupon_redemption r on r.tenant_id = t.id group by r.code_id) r on r.code_id = c.id
  where c.cap < 9223372036854775807
    and (c.reserved, c.used, c.released) <> (coalesce(r.reserved, 0), coalesce(r.used, 0), coalesce(r.released, 0))
  union all
  select format('budget %s %s', b.campaign, b.unit), format('%s/%s/%s', u.reserved, u.used, u.released),
         format('%s/%s/%s', b.reserved, b.used, b.released)
  from t join budget b on b.tenant_id = t.id
  join campaign_cap c on c.tenant_id = b.tenant_id and c.campaign = b.campaign and c.version = b.version and c.unit = b.unit
  cross join lateral (
    select coalesce(sum(a.amount) filter (where u.state = 'RESERVED'), 0) as reserved,
           coalesce(sum(a.amount) filter (where u.state = 'USED'), 0) as used,
           coalesce(sum(a.amount) filter (where u.state = 'RELEASED'), 0) as released
    from campaign_use u
    cross join lateral (select case b.unit when 'STOCK' then u.units
      when 'MONEY' then case when u.currency = c.currency then u.minor else 0 end
      else case when u.points_in = c.currency then u.points else 0 end end as amount) a
    where u.tenant_id = b.tenant_id and u.campaign = b.campaign) u
  where b.cap < 9223372036854775807 and (b.reserved, b.used, b.released) <> (u.reserved, u.used, u.released)
  union all
  select 'redemption ' || r.id, format('%s slots', n.expected), format('%s slots', n.found)
  from t join coupon_redemption r on r.tenant_id = t.id
  cross join lateral (
    select case when r.state = 'RELEASED' then 0 else (
        select count(*) from coupon_limit l
        where l.tenant_id = r.tenant_id and l.coupon = r.coupon and l.version = r.version) end as expected,
      (select count(*) from coupon_slot s where s.tenant_id = r.tenant_id and s.redemption_id = r.id) as found) n
  where n.expected <> n.found
$$;

grant execute on function
  campaign_move(text, bytea, text, text, text),
  coupon_key_keep(bytea, bytea, text),
  coupon_make(text, bytea, text, text, bytea[], text),
  coupon_issue(text, bytea, uuid, text, text, bytea[], interval, text),
  coupon_usable(uuid, text, bytea, text),
  coupon_redeem(text, bytea, uuid, text, bytea, text, boolean, bigint, text, text, text),
  coupon_release(text, bytea, uuid, uuid, boolean, text, text),
  coupons_settle_due(int), coupons_verify(), campaign_state_at(text, timestamptz, timestamptz, timestamptz) to engawa_app;
