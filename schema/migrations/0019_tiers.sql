-- Tiers: where a member stands on a ladder is a recorded decision, made from facts that nothing but a refund reduces.
-- This room knows neither purchases nor activities: it asks for their facts by functions that those rooms replace.

set local role engawa_owner;

-- ── Tables ───────────────────────────────────────────────────────────────────────────────────────

/* A ladder in one version: what is measured, over which window, and how a member falls. */
create table tier_ladder (
  tenant_id   uuid not null,
  kind        text not null generated always as ('tierLadder') stored,
  key         text not null,
  version     int not null,
  measure     text not null check (measure in ('POINTS', 'BALANCE', 'SPEND', 'PURCHASES', 'ACTIVITIES')),
  /* The currency of the points or the money, or the name of the activity. */
  unit        text check ((unit is null) = (measure = 'PURCHASES')),
  /* Whether points given by hand count as well as earned ones. */
  with_grants boolean not null,
  window_kind text not null check (window_kind in ('CALENDAR', 'ROLLING', 'ANNIVERSARY', 'TIER_START', 'EVER')),
  period      text check ((period is null) = (window_kind <> 'CALENDAR') and period in ('YEAR', 'HALF', 'QUARTER', 'MONTH')),
  /* How long a fact counts in a rolling window. */
  span        interval check ((span is null) = (window_kind <> 'ROLLING')),
  /* How long a tier that was reached is valid before the facts are asked again; null where the window says so. */
  term        interval,
  term_end    text check (term_end in ('MONTH', 'QUARTER', 'HALF', 'YEAR')),
  falls       text not null check (falls in ('NEVER', 'ONE_LEVEL', 'FULL')),
  grace       interval,
  grace_end   text check (grace_end in ('MONTH', 'QUARTER', 'HALF', 'YEAR')),
  /* The tiers, lowest first; level 1 is the first of them, level 0 is none. */
  keys        text[] not null check (cardinality(keys) between 1 and 20),
  thresholds  bigint[] not null check (cardinality(thresholds) = cardinality(keys)),
  never_falls boolean[] not null check (cardinality(never_falls) = cardinality(keys)),
  /* Texts by language for each tier: [{"en": …, "ja": …}]. */
  names       jsonb not null,
  is_live     boolean not null default true,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition
);
create unique index tier_ladder_live on tier_ladder (tenant_id, key) where is_live;
call protect('tier_ladder');
grant select on tier_ladder to engawa_app;

/* Where a member stands on a ladder now, and what it was decided from. Rows of nobody's interest hold level 0. */
create table tier_standing (
  tenant_id     uuid not null,
  member_id     uuid not null,
  ladder        text not null,
  /* The version that the last decision was made by; null: none was yet. */
  version       int,
  /* The tier held, by its key, and its place on the ladder. Null and 0: none. */
  tier          text,
  level         int not null default 0,
  since         timestamptz,
  /* Up to when it holds without anything more; null: until facts change. */
  valid_until   timestamptz,
  /* Decisions so far. */
  n             int not null default 0,
  /* What the facts alone make of it; a move by hand stands beside it. */
  earned        int not null default 0,
  manual_level  int,
  manual_until  timestamptz,
  /* Moved down by hand: facts do not raise it before that ends. */
  manual_caps   boolean not null default false,
  /* The running window: facts from one instant, up to the other. */
  cycle_from    timestamptz,
  cycle_until   timestamptz,
  /* With windows that begin with the tier: what of its facts was used up by the tiers before. */
  used          bigint not null default 0,
  /* What the held tier rests on: the level before, the window that was asked and what it allowed. */
  basis         text not null default 'NONE' check (basis in ('NONE', 'RISE', 'END', 'HELD')),
  entered       int not null default 0,
  entered_until timestamptz,
  asked_from    timestamptz,
  asked_until   timestamptz,
  asked_at      timestamptz,
  asked_used    bigint not null default 0,
  asked_value   bigint,
  asked_most    int,
  grace_until   timestamptz,
  /* When it is to be asked again; null: only when facts change. */
  due_at        timestamptz,
  primary key (tenant_id, member_id, ladder),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, ladder, version) references tier_ladder (tenant_id, key, version),
  check ((tier is null) = (level = 0))
) with (fillfactor = 80);
create index tier_standing_due on tier_standing (tenant_id, due_at) where due_at is not null;
create index tier_standing_tier on tier_standing (tenant_id, ladder, tier);
call protect('tier_standing');
grant select on tier_standing to engawa_app;

/* What was decided about a member on a ladder, and from what. Append-only. */
create table tier_decision (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  member_id   uuid not null,
  ladder      text not null,
  version     int not null,
  /* The place in the member's history on this ladder: 1, 2, 3 … */
  n           int not null check (n > 0),
  from_tier   text,
  to_tier     text,
  /* When it was decided, and from when on it holds. */
  at          timestamptz not null,
  booked_at   timestamptz not null default clock_timestamp(),
  cause       text not null check (cause in ('RISE', 'FALL', 'KEEP', 'MANUAL', 'PROGRAM', 'IMPORT')),
  /* What it was decided from: {"measured", "threshold", "from", "until", …}. */
  inputs      jsonb not null,
  /* When it is asked again, if nothing happens before. */
  valid_until timestamptz,
  reason      text,
  actor       text,
  primary key (tenant_id, id),
  unique (tenant_id, member_id, ladder, n),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, member_id, ladder) references tier_standing (tenant_id, member_id, ladder),
  foreign key (tenant_id, ladder, version) references tier_ladder (tenant_id, key, version),
  check ((cause = 'MANUAL') = (actor is not null and reason is not null))
);
call protect('tier_decision');
grant select on tier_decision to engawa_app;
create trigger append_only before update or delete or truncate on tier_decision
  for each statement execute function refuse_change('what was decided stays');

/* A ladder whose members have yet to be asked anew, because a version came into force. Gone when all were. */
create table tier_pass (
  tenant_id    uuid not null,
  ladder       text not null,
  version      int not null,
  /* How far it has come; null: not begun. */
  after_member uuid,
  primary key (tenant_id, ladder),
  foreign key (tenant_id, ladder, version) references tier_ladder (tenant_id, key, version)
);
call protect('tier_pass');

/* Members whose points changed and whose tiers are to be asked. Only ever added to and taken from, never waited for. */
create table tier_nudge (
  tenant_id uuid not null references tenant,
  n         bigint generated always as identity (cache 1),
  member_id uuid not null,
  primary key (tenant_id, n)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index tier_nudge_member on tier_nudge (tenant_id, member_id);
call protect('tier_nudge');

/* Points that a claw-back asked back, by lot and with its instant, which earn_basis only sums up. */
create table tier_revocation (
  tenant_id uuid not null,
  lot_id    uuid not null,
  /* Asked back of this lot so far, this included. */
  total     bigint not null,
  points    bigint not null check (points > 0),
  at        timestamptz not null,
  primary key (tenant_id, lot_id, total),
  foreign key (tenant_id, lot_id) references lot (tenant_id, id)
);
call protect('tier_revocation');

create policy system on tier_standing for select to engawa_system using (true);
create policy system on tier_pass for select to engawa_system using (true);
create policy system on tier_nudge for select to engawa_system using (true);
grant select (tenant_id, due_at) on tier_standing to engawa_system;
grant select (tenant_id) on tier_pass, tier_nudge to engawa_system;

-- ── From a definition to a ladder ────────────────────────────────────────────────────────────────

/* {"days": n} or {"months": n} as an interval; null stays null. */
create function tier_span(p_span jsonb) returns interval language sql immutable as $$
  select make_interval(months => coalesce((p_span ->> 'months')::int, 0), days => coalesce((p_span ->> 'days')::int, 0))
  where jsonb_typeof(p_span) = 'object'
$$;

/* The ladder that a body describes; nothing is written. */
create function tier_ladder_of(p_key text, p_version int, p_body jsonb) returns tier_ladder
language plpgsql stable as $$
declare
  v tier_ladder;
begin
  v.tenant_id := current_tenant();
  v.key := p_key;
  v.version := p_version;
  v.measure := case when p_body -> 'measure' ? 'pointsEarned' then 'POINTS' when p_body -> 'measure' ? 'balance' then 'BALANCE'
    when p_body -> 'measure' ? 'spend' then 'SPEND' when p_body -> 'measure' ? 'purchases' then 'PURCHASES' else 'ACTIVITIES' end;
  v.unit := coalesce(p_body #>> '{measure,pointsEarned,currency}', p_body #>> '{measure,balance,currency}',
    p_body #>> '{measure,spend,currency}', p_body #>> '{measure,activities,name}');
  v.with_grants := coalesce((p_body #>> '{measure,pointsEarned,withGrants}')::boolean, false);
  v.window_kind := case when p_body -> 'window' ? 'calendar' then 'CALENDAR' when p_body -> 'window' ? 'rolling' then 'ROLLING'
    when p_body -> 'window' ? 'anniversary' then 'ANNIVERSARY' when p_body -> 'window' ? 'sinceTierStart' then 'TIER_START'
    else 'EVER' end;
  v.period := p_body #>> '{window,calendar}';
  v.span := tier_span(p_body #> '{window,rolling}');
  v.term := tier_span(p_body -> 'validFor');
  v.term_end := p_body #>> '{validFor,endOf}';
  v.falls := p_body ->> 'falls';
  v.grace := tier_span(p_body -> 'grace');
  v.grace_end := p_body #>> '{grace,endOf}';
  v.is_live := true;
  select array_agg(t ->> 'key' order by i), array_agg((t ->> 'threshold')::bigint order by i),
         array_agg(coalesce((t ->> 'neverFalls')::boolean, false) order by i), jsonb_agg(t -> 'name' order by i)
  into v.keys, v.thresholds, v.never_falls, v.names
  from jsonb_array_elements(p_body -> 'tiers') with ordinality t (t, i);
  return v;
end $$;

create function tier_ladder_of_definition() returns trigger language plpgsql as $$
declare
  v tier_ladder := tier_ladder_of(new.key, new.version, new.body);
begin
  insert into tier_ladder (tenant_id, key, version, measure, unit, with_grants, window_kind, period, span, term, term_end,
                           falls, grace, grace_end, keys, thresholds, never_falls, names)
  values (v.tenant_id, v.key, v.version, v.measure, v.unit, v.with_grants, v.window_kind, v.period, v.span, v.term,
          v.term_end, v.falls, v.grace, v.grace_end, v.keys, v.thresholds, v.never_falls, v.names);
  insert into tier_pass (tenant_id, ladder, version) values (v.tenant_id, v.key, v.version)
  on conflict (tenant_id, ladder) do update set version = excluded.version, after_member = null;
  return null;
end $$;
create trigger tier_ladder_of_definition after insert on definition for each row
  when (new.kind = 'tierLadder') execute function tier_ladder_of_definition();

/* A ladder that was retired decides nothing any more; its history stays. */
create function tier_ladder_retires() returns trigger language plpgsql as $$
begin
  update tier_ladder l set is_live = false
  where l.tenant_id = new.tenant_id and l.key = new.key and l.version = new.version;
  return null;
end $$;
create trigger tier_ladder_retires after update on definition for each row
  when (new.kind = 'tierLadder' and old.is_live and not new.is_live) execute function tier_ladder_retires();

-- ── Time, in the tenant's zone ───────────────────────────────────────────────────────────────────

/* The beginning of the period that holds a local time. */
create function tier_period_start(p_local timestamp, p_period text) returns timestamp language sql immutable as $$
  select case p_period
    when 'HALF' then date_trunc('year', p_local) + case when extract(month from p_local) > 6 then interval '6 months' else '0' end
    else date_trunc(lower(p_period), p_local) end
$$;
create function tier_period_length(p_period text) returns interval language sql immutable as $$
  select case p_period when 'YEAR' then interval '1 year' when 'HALF' then interval '6 months'
                       when 'QUARTER' then interval '3 months' else interval '1 month' end
$$;

/*
 * A while after an instant, by the calendar of the zone: 31 January and a month is the end of February. With an end it
 * goes on to the end of that month, quarter, half or year; an instant that is one already stays.
 */
create function tier_after(p_at timestamptz, p_span interval, p_end text, p_zone text) returns timestamptz
language plpgsql immutable as $$
declare
  v_local timestamp := (p_at at time zone p_zone) + p_span;
  v_start timestamp;
begin
  if p_end is not null then
    v_start := tier_period_start(v_local, p_end);
    v_local := case when v_start = v_local then v_local else v_start + tier_period_length(p_end) end;
  end if;
  return local_instant(v_local, p_zone);
end $$;

/*
 * The window of the calendar, or of the member's own years, that holds an instant; p_back is how many windows before.
 * Years of membership begin with the day of the registration, the 29th of February's on the 28th in common years.
 */
create function tier_window(
  p_ladder tier_ladder, p_registered timestamptz, p_at timestamptz, p_zone text, p_back int,
  out from_at timestamptz, out until_at timestamptz
) language plpgsql immutable as $$
declare
  v_local timestamp := p_at at time zone p_zone;
  v_start timestamp;
  v_length interval;
  v_day date;
  v_years int;
begin
  if p_ladder.window_kind = 'CALENDAR' then
    v_length := tier_period_length(p_ladder.period);
    v_start := tier_period_start(v_local, p_ladder.period);
    -- A midnight that clocks skip makes the period begin later than its local name.
    if local_instant(v_start + v_length, p_zone) <= p_at then
      v_start := v_start + v_length;
    end if;
    from_at := local_instant(v_start - v_length * p_back, p_zone);
    until_at := local_instant(v_start - v_length * (p_back - 1), p_zone);
  else
    v_day := (p_registered at time zone p_zone)::date;
    v_years := greatest(0, (extract(year from v_local) - extract(year from v_day))::int);
    if v_years > 0 and local_instant(v_day + make_interval(years => v_years), p_zone) > p_at then
      v_years := v_years - 1;
    end if;
    from_at := local_instant(v_day + make_interval(years => v_years - p_back), p_zone);
    until_at := local_instant(v_day + make_interval(years => v_years - p_back + 1), p_zone);
  end if;
end $$;

-- ── Facts ────────────────────────────────────────────────────────────────────────────────────────
-- A fact is a row (member, at, known_at, amount). What takes it back is a row with the same `at`, a negative amount and
-- the instant at which it was taken back, so that a refund counts where the purchase did, and from then on.

/* Purchases of these members since an instant, in a currency or (null) in any. The room of purchases replaces it. */
create function tier_purchases(p_members uuid[], p_currency text, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, spent numeric, bought int)
language plpgsql stable as $$
begin
  return;
end $$;

/* Activities of these members by name since an instant. The room of activities replaces it. */
create function tier_activities(p_members uuid[], p_name text, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, amount int)
language plpgsql stable as $$
begin
  return;
end $$;

/* Points that these members earned since an instant, and what claw-backs took of them; spending takes nothing. */
create function tier_points(p_members uuid[], p_currency text, p_with_grants boolean, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, amount bigint)
language sql stable as $$
  with earned as materialized (
    select w.member_id, l.id as lot_id, o.at, l.granted
    from wallet w
    join lot l on l.tenant_id = w.tenant_id and l.wallet_id = w.id
    join op o on o.tenant_id = l.tenant_id and o.transaction_id = l.transaction_id
    left join earn_basis b on b.tenant_id = l.tenant_id and b.source_type = l.source_type and b.source_id = l.source_id
      and b.line = l.line and b.rule = l.rule and b.lot_id = l.id
    where w.tenant_id = current_tenant() and w.member_id = any(p_members) and w.currency = p_currency
      and l.available_at >= p_since and (b.lot_id is not null or (p_with_grants and o.kind = 'GRANT'))
  )
  select e.member_id, e.at, e.at, e.granted from earned e
  union all
  select e.member_id, e.at, r.at, -r.points
  from earned e join tier_revocation r on r.tenant_id = current_tenant() and r.lot_id = e.lot_id
$$;

/*
 * Every fact that a ladder measures of these members since an instant. In a rolling window it counts until leaves_at,
 * elsewhere for ever. A balance is one fact without a time.
 */
create function tier_facts(p_ladder tier_ladder, p_members uuid[], p_since timestamptz, p_zone text)
returns table (member_id uuid, at timestamptz, leaves_at timestamptz, known_at timestamptz, amount numeric)
language plpgsql stable as $$
#variable_conflict use_column
begin
  if p_ladder.measure = 'BALANCE' then
    return query
    select w.member_id, '-infinity'::timestamptz, 'infinity'::timestamptz, '-infinity'::timestamptz, n.available::numeric
    from wallet w join wallets_now(array(
      select x.id from wallet x
      where x.tenant_id = current_tenant() and x.member_id = any(p_members) and x.currency = p_ladder.unit)) n on n.wallet_id = w.id
    where w.tenant_id = current_tenant();
    return;
  end if;
  return query
  select f.member_id, f.at, case when p_ladder.span is null then 'infinity'
    else tier_after(f.at, p_ladder.span, null, p_zone) end, f.known_at, f.amount
  from (
    select p.member_id, p.at, p.known_at, p.amount::numeric
    from tier_points(p_members, p_ladder.unit, p_ladder.with_grants, p_since) p where p_ladder.measure = 'POINTS'
    union all
    select p.member_id, p.at, p.known_at, case p_ladder.measure when 'SPEND' then p.spent else p.bought end
    from tier_purchases(p_members, p_ladder.unit, p_since) p where p_ladder.measure in ('SPEND', 'PURCHASES')
    union all
    select a.member_id, a.at, a.known_at, a.amount
    from tier_activities(p_members, p_ladder.unit, p_since) a where p_ladder.measure = 'ACTIVITIES'
  ) f
  where f.amount <> 0;
end $$;

/* The place on the ladder that an amount allows; 0: below all. */
create function tier_level(p_thresholds bigint[], p_amount numeric) returns int language sql immutable as $$
  select count(*)::int from unnest(p_thresholds) t where t <= p_amount
$$;

/* Where somebody falls from a level whose facts allow less: as the ladder says, and never below a level that keeps. */
create function tier_fallen(p_ladder tier_ladder, p_from int, p_allowed int) returns int language plpgsql immutable as $$
begin
  return greatest(
    case p_ladder.falls when 'NEVER' then p_from when 'ONE_LEVEL' then greatest(p_allowed, p_from - 1) else p_allowed end,
    (select coalesce(max(i), 0) from generate_series(1, p_from) i where p_ladder.never_falls[i]));
end $$;

-- ── The engine ───────────────────────────────────────────────────────────────────────────────────

/* How a ladder ends a tier: CYCLE with its windows, TERM a while after it was reached, FLOW whenever facts leave. */
create function tier_mode(p_ladder tier_ladder) returns text language sql immutable as $$
  select case when p_ladder.window_kind in ('CALENDAR', 'ANNIVERSARY') then 'CYCLE'
    when p_ladder.term is not null or p_ladder.window_kind = 'TIER_START'
      or (p_ladder.window_kind = 'ROLLING' and p_ladder.falls = 'NEVER') then 'TERM'
    else 'FLOW' end
$$;

/* The end of a term that begins at an instant; null: it has none. */
create function tier_term(p_ladder tier_ladder, p_at timestamptz, p_zone text) returns timestamptz language sql immutable as $$
  select case when p_ladder.term is not null and p_ladder.falls <> 'NEVER'
    then tier_after(p_at, p_ladder.term, p_ladder.term_end, p_zone) end
$$;

/*
 * A standing made ready to be asked at an instant: a new one begins, one of another version is carried over with the
 * tier it holds, and windows that ended without anything to decide have passed.
 */
create function tier_opened(
  p_standing tier_standing, p_ladder tier_ladder, p_was text[], p_at timestamptz, p_is_due boolean, p_zone text,
  p_registered timestamptz
) returns tier_standing language plpgsql immutable as $$
declare
  s tier_standing := p_standing;
  v_mode text := tier_mode(p_ladder);
  v_is_new boolean := s.version is distinct from p_ladder.version;
begin
  if v_is_new and s.version is not null then
    -- Held by key. A tier that is gone leaves its members on the nearest one below it that is still there.
    s.earned := coalesce((select max(array_position(p_ladder.keys, p_was[i])) from generate_series(1, s.earned) i), 0);
    s.manual_level := case when s.manual_level is not null then
      coalesce((select max(array_position(p_ladder.keys, p_was[i])) from generate_series(1, s.manual_level) i), 0) end;
    s.grace_until := null;
  end if;
  if v_mode = 'CYCLE' and (v_is_new or s.cycle_until < p_at or (s.cycle_until = p_at and not p_is_due)) then
    select w.from_at, w.until_at into s.cycle_from, s.cycle_until from tier_window(p_ladder, p_registered, p_at, p_zone, 0) w;
    -- What the window before allowed holds in this one.
    s.basis := 'RISE';
    s.entered := s.earned;
    s.asked_most := null;
    s.asked_value := 0;
    s.asked_at := s.cycle_from;
    s.asked_until := s.cycle_from;
    s.asked_from := (select w.from_at from tier_window(p_ladder, p_registered, p_at, p_zone, 1) w);
  elsif v_is_new then
    s.basis := case when s.earned > 0 then 'HELD' else 'NONE' end;
    s.entered := s.earned;
    s.cycle_from := case when s.earned = 0 and p_ladder.window_kind = 'TIER_START' then '-infinity' else p_at end;
    s.cycle_until := case when s.earned > 0 and v_mode = 'TERM' then
      case when s.cycle_until > p_at then s.cycle_until else tier_term(p_ladder, p_at, p_zone) end end;
    s.asked_from := '-infinity';
    s.used := 0;
  end if;
  return s;
end $$;

/* A standing whose earned and manual levels were set, with all that follows from these: the tier, since and until when. */
create function tier_closed(p_standing tier_standing, p_ladder tier_ladder, p_at timestamptz) returns tier_standing
language plpgsql immutable as $$
declare
  s tier_standing := p_standing;
  -- Nothing is asked of who has nothing to lose, as on a first tier that wants nothing.
  v_can_fall boolean := tier_fallen(p_ladder, s.earned, tier_level(p_ladder.thresholds, 0)) < s.earned;
begin
  s.version := p_ladder.version;
  s.level := case when s.manual_level is null then s.earned when s.manual_caps then s.manual_level
                  else greatest(s.manual_level, s.earned) end;
  s.tier := p_ladder.keys[s.level];
  if s.tier is distinct from p_standing.tier then
    s.since := p_at;
  end if;
  s.due_at := least(case when v_can_fall then least(s.cycle_until, s.grace_until) end, s.manual_until);
  s.valid_until := case when s.level = 0 then null
    when s.manual_level is not null and (s.manual_caps or s.manual_level > s.earned) then s.manual_until
    when v_can_fall then coalesce(s.grace_until, s.cycle_until) end;
  return s;
end $$;

/*
 * Asks the ladder once: p_current is what the running window amounts to, p_asked what the window amounts to that the
 * tier rests on, p_closed the same without its grace, p_leaves when the current amount stops being enough in a rolling window, p_next_end when a window that
 * begins now would end. With p_is_due the instant is the standing's own due_at. Answers the standing after it, and whether that is worth a decision.
 */
create function tier_asked(
  s tier_standing, p_ladder tier_ladder, p_at timestamptz, p_zone text, p_is_due boolean,
  p_current numeric, p_asked numeric, p_closed numeric, p_leaves timestamptz, p_next_end timestamptz, out next tier_standing, out is_decided boolean, out inputs jsonb
) language plpgsql immutable as $$
declare
  v_mode text := tier_mode(p_ladder);
  v_is_balance boolean := p_ladder.measure = 'BALANCE';
  v_allows int := tier_level(p_ladder.thresholds, p_current);
  v_is_end boolean := coalesce(tier_mode(p_ladder) <> 'FLOW' and p_is_due and s.cycle_until <= p_at, false);
  v_bottom int := tier_level(p_ladder.thresholds, 0);
  v_from timestamptz := case p_ladder.window_kind when 'ROLLING' then tier_after(p_at, -p_ladder.span, null, p_zone)
    when 'EVER' then null else nullif(s.cycle_from, '-infinity') end;
  v_asked numeric := p_asked;
  v_closed numeric := p_closed;
  v_grace timestamptz;
  v_base int;
  v_held int;
begin
  next := s;
  inputs := jsonb_build_object('measured', p_current::text);
  if next.manual_until <= p_at then
    next.manual_level := null;
    next.manual_until := null;
    next.manual_caps := false;
  end if;

  if v_mode = 'FLOW' then
    if v_allows >= s.earned or (p_ladder.window_kind = 'EVER' and not v_is_balance) then
      next.earned := v_allows;
      next.grace_until := null;
    else
      v_held := tier_fallen(p_ladder, s.earned, v_allows);
      if p_ladder.grace is not null and v_held < s.earned and s.grace_until is null then
        next.grace_until := tier_after(p_at, p_ladder.grace, p_ladder.grace_end, p_zone);
      end if;
      if v_held = s.earned then
        next.grace_until := null;
      elsif next.grace_until is null or next.grace_until <= p_at then
        next.earned := v_held;
        next.grace_until := null;
      end if;
    end if;
    next.cycle_until := case when next.grace_until is null and next.earned = v_allows
      and tier_fallen(p_ladder, next.earned, v_bottom) < next.earned then p_leaves end;
  else
    if v_is_end then
      -- A window is over. While the question of an earlier one stays open in its grace, it stays that one's.
      if s.grace_until is null or v_allows >= s.earned then
        next.basis := 'END';
        next.entered := s.earned;
        next.entered_until := null;
        next.asked_from := case p_ladder.window_kind when 'ROLLING' then p_at else s.cycle_from end;
        next.asked_used := s.used;
        next.asked_at := p_at;
        next.asked_until := coalesce(tier_after(p_at, p_ladder.grace, p_ladder.grace_end, p_zone), p_at);
        next.asked_value := p_current;
        v_asked := p_current;
        v_closed := p_current;
      end if;
      next.cycle_from := p_at;
      next.cycle_until := case when v_mode = 'TERM' then tier_term(p_ladder, p_at, p_zone) else p_next_end end;
      next.used := 0;
      if p_ladder.window_kind not in ('ROLLING', 'EVER') then
        v_allows := 0;
      end if;
      inputs := jsonb_build_object('measured', v_asked::text);
    end if;

    -- What the window behind the tier allows, with all that was taken back or told late.
    if v_is_balance then
      v_asked := case when next.basis = 'END' and next.asked_until > p_at then p_current else next.asked_value end;
      next.asked_value := coalesce(v_asked, next.asked_value);
      v_closed := 0;
    end if;
    v_base := tier_level(p_ladder.thresholds, coalesce(v_asked, 0));
    next.grace_until := null;
    if next.basis = 'NONE' then
      v_base := 0;
    elsif next.basis = 'HELD' or p_ladder.falls = 'NEVER' and next.basis = 'END' then
      v_base := next.entered;
    elsif next.basis = 'RISE' then
      v_base := greatest(next.entered, least(v_base, coalesce(next.asked_most, v_base)));
    elsif v_base >= next.entered then
      v_base := next.entered;
    else
      v_held := tier_fallen(p_ladder, next.entered, v_base);
      if v_held < next.entered and next.asked_until > p_at then
        next.grace_until := next.asked_until;
        v_base := next.entered;
      else
        v_base := v_held;
      end if;
    end if;
    -- What was told late of the window itself raises as well; what came in its grace only keeps.
    if next.basis = 'END' then
      v_base := greatest(v_base, tier_level(p_ladder.thresholds, v_closed));
      if v_base > next.entered then
        next.grace_until := null;
      end if;
    end if;
    if v_is_balance and not v_is_end and (s.grace_until <= p_at) is not true then
      v_base := greatest(v_base, s.earned);
    end if;
    next.earned := greatest(v_base, v_allows);

    if v_mode = 'TERM' then
      if v_allows > v_base then
        -- Reached, and valid from now on; the tier before and its date are kept for when this is taken back.
        next.entered := v_base;
        next.entered_until := next.cycle_until;
        next.basis := 'RISE';
        next.asked_from := case p_ladder.window_kind when 'ROLLING' then p_at when 'TIER_START' then s.cycle_from else '-infinity' end;
        next.asked_until := 'infinity';
        next.asked_at := p_at;
        next.asked_used := s.used;
        next.asked_value := p_current;
        next.asked_most := v_allows;
        next.grace_until := null;
        next.cycle_until := tier_term(p_ladder, p_at, p_zone);
        if p_ladder.window_kind = 'TIER_START' then
          next.used := s.used + p_current;
        end if;
      elsif next.basis = 'RISE' and next.earned = next.entered and next.earned < s.earned then
        -- What carried the rise was taken back: as before it.
        next.basis := case when next.earned > 0 then 'HELD' else 'NONE' end;
        next.cycle_until := case when next.earned > 0 then greatest(next.entered_until, p_at) end;
        next.used := next.asked_used;
      end if;
    end if;
  end if;

  next := tier_closed(next, p_ladder, p_at);
  is_decided := next.level <> s.level or next.tier is distinct from s.tier
    or (next.level > 0 and (v_is_end or next.grace_until is distinct from s.grace_until));
  inputs := inputs || jsonb_build_object('threshold', p_ladder.thresholds[greatest(next.level, 1)]::text, 'from', v_from, 'until', p_at);
  if v_mode <> 'FLOW' and next.basis <> 'NONE' and v_asked is not null then
    inputs := inputs || jsonb_build_object('rests_on', v_asked::text);
  end if;
  if next.grace_until is not null then
    inputs := inputs || jsonb_build_object('grace_until', next.grace_until);
  end if;
end $$;

/*
 * What asking a ladder about these members would make of their standings: at their own due instants, or all at one.
 * Writes nothing. One statement, however many they are.
 */
create function tiers_reckon(p_ladder tier_ladder, p_standings tier_standing[], p_at timestamptz, p_is_due boolean)
returns table (before tier_standing, after tier_standing, at timestamptz, is_decided boolean, inputs jsonb)
language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
  v_kind text := p_ladder.window_kind;
  v_is_rolling boolean := p_ladder.window_kind = 'ROLLING';
  v_members uuid[] := array(select s.member_id from unnest(p_standings) s);
begin
  return query
  with opened as materialized (
    select s.member_id, s as before, x.at,
      tier_opened(s, p_ladder, l.keys, x.at, p_is_due, v_zone, m.registered_at) as s, m.registered_at
    from unnest(p_standings) s
    join member m on m.tenant_id = v_tenant and m.id = s.member_id
    left join tier_ladder l on l.tenant_id = v_tenant and l.key = s.ladder and l.version = s.version
    cross join lateral (select case when p_is_due then s.due_at else p_at end as at) x
  ), windowed as materialized (
    select o.*,
      case when v_is_rolling then o.at when v_kind = 'EVER' then '-infinity' else (o.s).cycle_from end as from_at,
      case when p_is_due then o.at when v_kind in ('CALENDAR', 'ANNIVERSARY') then (o.s).cycle_until else 'infinity' end as until_at,
      case when p_is_due then o.at else 'infinity' end as known_before
    from opened o
  ), fact as materialized (
    select f.member_id, f.at, f.known_at, f.amount, f.leaves_at,
      case when v_is_rolling then f.leaves_at - interval '1 microsecond' else f.at end as counts_from
    from (select min(least(w.from_at, (w.s).asked_from)) as at from windowed w) since
    cross join lateral tier_facts(p_ladder, v_members,
      case when v_is_rolling then since.at - p_ladder.span - interval '3 days' else since.at end, v_zone) f
  ), summed as (
    select w.member_id,
      greatest(0, coalesce(sum(f.amount) filter (where p_ladder.measure = 'BALANCE' or (f.counts_from >= w.from_at and f.at < w.until_at
        and f.known_at < w.known_before)), 0) - (w.s).used) as current_amount,
      greatest(0, coalesce(sum(f.amount) filter (where f.counts_from >= (w.s).asked_from and f.at < (w.s).asked_until
        and f.known_at < w.known_before and (not p_is_due or f.at < w.at)), 0) - (w.s).asked_used) as asked_amount,
      greatest(0, coalesce(sum(f.amount) filter (where f.counts_from >= (w.s).asked_from and f.at < (w.s).asked_at
        and f.known_at < w.known_before), 0) - (w.s).asked_used) as closed_amount
    from windowed w left join fact f on f.member_id = w.member_id
    group by w.member_id, (w.s).used, (w.s).asked_used
  ), remaining as (
    -- How much of a rolling window is still there from each instant at which a part of it leaves.
    select w.member_id, f.leaves_at, sum(f.amount) over (partition by w.member_id order by f.leaves_at desc) as amount
    from windowed w join fact f on f.member_id = w.member_id
    where v_is_rolling and tier_mode(p_ladder) = 'FLOW' and f.leaves_at > w.at and f.at < w.until_at and f.known_at < w.known_before
  ), leaving as (
    select s.member_id, max(r.leaves_at) as at
    from summed s join remaining r on r.member_id = s.member_id
    where r.amount >= p_ladder.thresholds[tier_level(p_ladder.thresholds, s.current_amount)]
    group by s.member_id
  )
  select w.before, a.next, w.at, a.is_decided, a.inputs
  from windowed w
  join summed s on s.member_id = w.member_id
  left join leaving l on l.member_id = w.member_id
  cross join lateral tier_asked(w.s, p_ladder, w.at, v_zone, p_is_due, s.current_amount, s.asked_amount, s.closed_amount, l.at,
    case when p_is_due and v_kind in ('CALENDAR', 'ANNIVERSARY') then
      (select n.until_at from tier_window(p_ladder, w.registered_at, w.at, v_zone, 0) n) end) a;
end $$;

/* Asks a ladder about these members, whose standings are locked, and books what it answers; how many were asked. */
create function tiers_ask(p_ladder tier_ladder, p_members uuid[], p_at timestamptz, p_is_due boolean, p_cause text)
returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_standings tier_standing[];
begin
  select array_agg(s) into v_standings from tier_standing s
  where s.tenant_id = v_tenant and s.ladder = p_ladder.key and s.member_id = any(p_members)
    and (not p_is_due or s.due_at <= p_at);
  if v_standings is null then
    return 0;
  end if;
  with asked as materialized (
    select (r.before).tier as from_tier, r.at, r.is_decided, r.inputs, (r.after).*, uuid_v7() as decision,
      case when (r.before).version <> p_ladder.version then 'PROGRAM'
           when (r.before).tier is not distinct from (r.after).tier then 'KEEP'
           when p_cause is not null then p_cause
           when (r.before).level < (r.after).level then 'RISE' else 'FALL' end as cause
    from tiers_reckon(p_ladder, v_standings, p_at, p_is_due) r
  ), moved as (
    update tier_standing s set version = a.version, tier = a.tier, level = a.level, since = a.since,
      valid_until = a.valid_until, n = a.n + a.is_decided::int, earned = a.earned, manual_level = a.manual_level,
      manual_until = a.manual_until, manual_caps = a.manual_caps, cycle_from = a.cycle_from, cycle_until = a.cycle_until,
      used = a.used, basis = a.basis, entered = a.entered, entered_until = a.entered_until, asked_from = a.asked_from,
      asked_until = a.asked_until, asked_at = a.asked_at, asked_used = a.asked_used, asked_value = a.asked_value,
      asked_most = a.asked_most, grace_until = a.grace_until, due_at = a.due_at
    from asked a
    where s.tenant_id = v_tenant and s.ladder = p_ladder.key and s.member_id = a.member_id
  ), decided as (
    insert into tier_decision (tenant_id, id, member_id, ladder, version, n, from_tier, to_tier, at, cause, inputs, valid_until)
    select v_tenant, a.decision, a.member_id, p_ladder.key, p_ladder.version, a.n + 1, a.from_tier, a.tier, a.at, a.cause,
           a.inputs, a.valid_until
    from asked a where a.is_decided
    order by a.at, a.member_id
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'tier.changed', a.member_id, jsonb_build_object('decision', a.decision), a.at
  from asked a where a.is_decided and a.from_tier is distinct from a.tier
  order by a.at, a.member_id;
  return cardinality(v_standings);
end $$;

/*
 * Asks every ladder about these members now, after what the clock had brought them before; for the rooms above, when
 * facts of theirs have changed. Callers hold the members' locks. Costs a look at an index where there is no ladder. The
 * plans below are made once: for a list of members they would otherwise be made at each call.
 * p_at, when the fact was, decides nothing: a decision is of the present.
 */
create function tiers_touch(p_members uuid[], p_at timestamptz, p_cause text default null) returns void
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz;
  v_ladder tier_ladder;
begin
  for v_ladder in select * from tier_ladder l where l.tenant_id = v_tenant and l.is_live order by l.key loop
    v_now := tenant_now(v_tenant);
    insert into tier_standing (tenant_id, member_id, ladder)
    select distinct v_tenant, m, v_ladder.key from unnest(p_members) m
    where not exists (select from tier_standing s where s.tenant_id = v_tenant and s.member_id = m and s.ladder = v_ladder.key)
    order by m
    on conflict do nothing;
    perform from tier_standing s where s.tenant_id = v_tenant and s.ladder = v_ladder.key and s.member_id = any(p_members)
    order by s.member_id for no key update;
    loop
      exit when tiers_ask(v_ladder, p_members, v_now, true, null) = 0;
    end loop;
    perform tiers_ask(v_ladder, p_members, v_now, false, p_cause);
  end loop;
  if v_now is not null then
    delete from tier_nudge n where n.tenant_id = v_tenant and n.member_id = any(p_members);
  end if;
end $$;

/* Locks those of these members that nobody else works on, and answers them. */
create function members_free(p_members uuid[]) returns uuid[] language sql as $$
  select coalesce(array_agg(x.member_id), '{}') from (
    select s.member_id from lifecycle_state s
    where s.tenant_id = current_tenant() and s.member_id = any(p_members)
    order by s.member_id for no key update skip locked) x
$$;

/*
 * Books what is due for at most p_limit members of this tenant, in this order: members to be asked anew because a ladder
 * changed, members whose points changed, tiers whose validity ended. Returns how many members it looked at; 0: no more.
 */
create function tiers_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_pass tier_pass;
  v_members uuid[];
  v_ladder tier_ladder;
begin
  select * into v_pass from tier_pass p where p.tenant_id = v_tenant order by p.ladder limit 1 for update skip locked;
  if found then
    v_members := array(select m.id from member m where m.tenant_id = v_tenant
      and m.id > coalesce(v_pass.after_member, '00000000-0000-0000-0000-000000000000') order by m.id limit p_limit);
    perform from lifecycle_state s where s.tenant_id = v_tenant and s.member_id = any(v_members) order by s.member_id for no key update;
    perform tiers_touch(v_members, v_now);
    if cardinality(v_members) < p_limit then
      delete from tier_pass p where p.tenant_id = v_tenant and p.ladder = v_pass.ladder;
    else
      update tier_pass p set after_member = v_members[cardinality(v_members)]
      where p.tenant_id = v_tenant and p.ladder = v_pass.ladder;
    end if;
    return greatest(1, cardinality(v_members));
  end if;

  v_members := members_free(array(
    select distinct n.member_id from (select * from tier_nudge n where n.tenant_id = v_tenant order by n.n limit p_limit) n));
  if cardinality(v_members) > 0 then
    perform tiers_touch(v_members, v_now);
    return cardinality(v_members);
  end if;

  v_members := members_free(array(
    select s.member_id from tier_standing s where s.tenant_id = v_tenant and s.due_at <= v_now order by s.due_at limit p_limit));
  -- A ladder that was retired decides nothing any more.
  update tier_standing s set due_at = null
  where s.tenant_id = v_tenant and s.member_id = any(v_members) and s.due_at <= v_now
    and not exists (select from tier_ladder l where l.tenant_id = v_tenant and l.key = s.ladder and l.is_live);
  for v_ladder in select * from tier_ladder l where l.tenant_id = v_tenant and l.is_live order by l.key loop
    perform from tier_standing s where s.tenant_id = v_tenant and s.ladder = v_ladder.key and s.member_id = any(v_members)
    order by s.member_id for no key update;
    loop
      exit when tiers_ask(v_ladder, v_members, v_now, true, null) = 0;
    end loop;
  end loop;
  return cardinality(v_members);
end $$;
grant execute on function tiers_settle_due(int) to engawa_app;

/*
 * Moves a member to a tier by hand, until an instant or (null) for good: raised, the member stands no lower, and facts
 * may raise further; lowered, the member stands there whatever the facts. A null tier ends what was moved by hand.
 * Outcomes: done {member, ladder, decision or null}, bad_input, not_found, key_reused, membership_ended.
 */
create function tier_move(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_ladder text, p_tier text, p_until timestamptz,
  p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_ladder tier_ladder;
  v_before tier_standing;
  v_after tier_standing;
  v_level int;
  v_replay jsonb;
  v_decision uuid := uuid_v7();
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_ladder from tier_ladder l where l.tenant_id = v_tenant and l.key = p_ladder and l.is_live;
  if v_ladder.key is null then
    return jsonb_build_object('is', 'not_found', 'what', 'ladder');
  end if;
  v_level := array_position(v_ladder.keys, p_tier);
  if p_tier is not null and v_level is null then
    return jsonb_build_object('is', 'not_found', 'what', 'tier');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'MOVE_TIER', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  if p_until <= v_now then
    return op_finish(p_key, jsonb_build_object('is', 'bad_input', 'field', 'until', 'message',
      'until must lie ahead by the tenant''s clock.'));
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  perform tiers_touch(array[v_member.id], v_now);
  select * into strict v_before from tier_standing s
  where s.tenant_id = v_tenant and s.member_id = v_member.id and s.ladder = p_ladder;
  if v_level is null and v_before.manual_level is null then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id, 'ladder', p_ladder, 'decision', null));
  end if;
  v_after := v_before;
  v_after.manual_level := v_level;
  v_after.manual_until := case when v_level is not null then p_until end;
  v_after.manual_caps := coalesce(v_level < v_before.earned, false);
  v_after := tier_closed(v_after, v_ladder, v_now);
  update tier_standing s set tier = v_after.tier, level = v_after.level, since = v_after.since, n = v_before.n + 1,
    valid_until = v_after.valid_until, due_at = v_after.due_at, manual_level = v_after.manual_level,
    manual_until = v_after.manual_until, manual_caps = v_after.manual_caps
  where s.tenant_id = v_tenant and s.member_id = v_member.id and s.ladder = p_ladder;
  insert into tier_decision (tenant_id, id, member_id, ladder, version, n, from_tier, to_tier, at, cause, inputs, valid_until,
                             reason, actor)
  values (v_tenant, v_decision, v_member.id, p_ladder, v_ladder.version, v_before.n + 1, v_before.tier, v_after.tier, v_now,
    'MANUAL', jsonb_build_object('earned', v_ladder.keys[v_after.earned]), v_after.valid_until, p_reason, p_actor);
  if v_before.tier is distinct from v_after.tier then
    perform announce('tier.changed', v_member.id, jsonb_build_object('decision', v_decision), v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id, 'ladder', p_ladder, 'decision', v_decision));
end $$;

/*
 * How many members a ladder with this body would move, from which tier to which, if it came into force now; nothing is
 * written. Answers [{"from", "to", "members"}], tiers by key, null for none; who would stay is not in it.
 */
create function tier_preview(p_key text, p_body jsonb) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_ladder tier_ladder := tier_ladder_of(p_key, 1 + (select coalesce(max(l.version), 0) from tier_ladder l
                                                     where l.tenant_id = current_tenant() and l.key = p_key), p_body);
  v_standings tier_standing[];
  v_after uuid := '00000000-0000-0000-0000-000000000000';
  v_moves jsonb := '[]';
begin
  loop
    select array_agg(x.s order by m.id), max(m.id::text)::uuid into v_standings, v_after
    from (select m.id from member m where m.tenant_id = v_tenant and m.id > v_after order by m.id limit 5000) m
    cross join lateral (
      select coalesce((select s from tier_standing s where s.tenant_id = v_tenant and s.member_id = m.id and s.ladder = p_key),
                      tier_blank(m.id, p_key)) as s) x;
    exit when v_standings is null;
    v_moves := v_moves || coalesce((
      select jsonb_agg(jsonb_build_object('from', x.from_tier, 'to', x.to_tier, 'members', x.members))
      from (select (r.before).tier as from_tier, (r.after).tier as to_tier, count(*) as members
            from tiers_reckon(v_ladder, v_standings, v_now, false) r
            where (r.before).tier is distinct from (r.after).tier group by 1, 2) x), '[]');
  end loop;
  return coalesce((
    select jsonb_agg(jsonb_build_object('from', x.from_tier, 'to', x.to_tier, 'members', x.members)
                     order by array_position(v_ladder.keys, x.to_tier) desc nulls last, x.from_tier)
    from (select m."from" as from_tier, m."to" as to_tier, sum(m.members)::int as members
          from jsonb_to_recordset(v_moves) m ("from" text, "to" text, members int) group by 1, 2) x), '[]');
end $$;

/* A standing before anything was decided. */
create function tier_blank(p_member uuid, p_ladder text) returns tier_standing language plpgsql stable as $$
declare
  s tier_standing;
begin
  s.tenant_id := current_tenant();
  s.member_id := p_member;
  s.ladder := p_ladder;
  s.level := 0;
  s.n := 0;
  s.earned := 0;
  s.manual_caps := false;
  s.used := 0;
  s.basis := 'NONE';
  s.entered := 0;
  s.asked_used := 0;
  return s;
end $$;

/*
 * Where these members stand on a live ladder, and what that is measured against: `measured` counts now, `staying` will
 * count at stay_by, when the held tier is asked, of what there is now; next_by is when what counts towards the next tier
 * begins to leave. One statement, however many they are.
 */
create function tier_sight(p_members uuid[], p_ladder text)
returns table (member_id uuid, level int, since timestamptz, valid_until timestamptz, is_manual boolean, is_grace boolean,
               measured bigint, staying bigint, stay_by timestamptz, next_by timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
  v_ladder tier_ladder;
  v_is_rolling boolean;
begin
  select * into v_ladder from tier_ladder l where l.tenant_id = v_tenant and l.key = p_ladder and l.is_live;
  v_is_rolling := v_ladder.window_kind = 'ROLLING';
  return query
  with opened as materialized (
    select m.id as member_id, x.s as held, tier_opened(x.s, v_ladder, l.keys, v_now, false, v_zone, m.registered_at) as s
    from member m
    cross join lateral (
      select coalesce((select s from tier_standing s
                       where s.tenant_id = v_tenant and s.member_id = m.id and s.ladder = p_ladder), tier_blank(m.id, p_ladder)) as s) x
    left join tier_ladder l on l.tenant_id = v_tenant and l.key = p_ladder and l.version = (x.s).version
    where m.tenant_id = v_tenant and m.id = any(p_members) and v_ladder.key is not null
  ), windowed as materialized (
    select o.*,
      case v_ladder.window_kind when 'ROLLING' then v_now when 'EVER' then '-infinity' else (o.s).cycle_from end as from_at,
      case when v_ladder.window_kind in ('CALENDAR', 'ANNIVERSARY') then (o.s).cycle_until else 'infinity' end as until_at,
      coalesce((o.s).grace_until, (o.s).cycle_until) as stay_by,
      (o.s).grace_until is not null and tier_mode(v_ladder) <> 'FLOW' as is_extended
    from opened o
  ), fact as materialized (
    select f.member_id, f.at, f.leaves_at, f.amount,
      case when v_is_rolling then f.leaves_at - interval '1 microsecond' else f.at end as counts_from
    from (select min(least(w.from_at, case when w.is_extended then (w.s).asked_from end)) as at from windowed w) since
    cross join lateral tier_facts(v_ladder, p_members,
      case when v_is_rolling then since.at - v_ladder.span - interval '3 days' else since.at end, v_zone) f
    where since.at is not null
  ), summed as (
    select w.member_id,
      greatest(0, coalesce(sum(f.amount) filter (where v_ladder.measure = 'BALANCE'
        or (f.counts_from >= w.from_at and f.at < w.until_at)), 0) - (w.s).used)::bigint as measured,
      greatest(0, coalesce(sum(f.amount) filter (where v_ladder.measure = 'BALANCE'
        or (f.counts_from >= w.from_at and f.at < w.until_at and f.leaves_at > w.stay_by)), 0) - (w.s).used)::bigint as staying,
      greatest(0, coalesce(sum(f.amount) filter (where f.counts_from >= (w.s).asked_from and f.at < (w.s).asked_until), 0)
        - (w.s).asked_used)::bigint as extended,
      min(f.leaves_at) filter (where f.leaves_at > v_now and isfinite(f.leaves_at)) as leaves_at
    from windowed w left join fact f on f.member_id = w.member_id
    group by w.member_id, (w.s).used, (w.s).asked_used
  )
  select w.member_id, (w.held).level, (w.held).since, (w.held).valid_until,
    coalesce((w.held).manual_level is not null and (w.held).level = (w.held).manual_level and (w.held).level <> (w.held).earned, false),
    (w.held).grace_until is not null, s.measured,
    case when w.is_extended and v_ladder.measure <> 'BALANCE' then s.extended else s.staying end, w.stay_by,
    case v_ladder.window_kind when 'ROLLING' then s.leaves_at when 'EVER' then null else w.stay_by end
  from windowed w join summed s on s.member_id = w.member_id;
end $$;

grant execute on function
  tier_move(text, bytea, uuid, text, text, text, timestamptz, text, text), tier_preview(text, jsonb),
  tier_sight(uuid[], text) to engawa_app;

-- ── What happens in the rooms below ──────────────────────────────────────────────────────────────

/* Whether a live ladder measures these; the guard of what follows. */
create function tiers_measure(p_measures text[]) returns boolean language sql stable as $$
  select exists (select from tier_ladder l where l.tenant_id = current_tenant() and l.is_live and l.measure = any(p_measures))
$$;

create function tiers_of_new_members() returns trigger language plpgsql as $$
begin
  if exists (select from tier_ladder l where l.tenant_id = current_tenant() and l.is_live) then
    perform tiers_touch(array(select m.id from new_member m), null);
  end if;
  return null;
end $$;
create trigger tiers_of_new_members after insert on member
  referencing new table as new_member for each statement execute function tiers_of_new_members();

create function tiers_of_new_lots() returns trigger language plpgsql as $$
begin
  if tiers_measure('{POINTS}') then
    insert into tier_nudge (tenant_id, member_id)
    select distinct l.tenant_id, w.member_id from new_lot l join wallet w on w.tenant_id = l.tenant_id and w.id = l.wallet_id;
  end if;
  return null;
end $$;
create trigger tiers_of_new_lots after insert on lot
  referencing new table as new_lot for each statement execute function tiers_of_new_lots();

create function tiers_of_claw_back() returns trigger language plpgsql as $$
begin
  insert into tier_revocation (tenant_id, lot_id, total, points, at)
  values (new.tenant_id, new.lot_id, new.revoked, new.revoked - old.revoked, tenant_now(new.tenant_id));
  if tiers_measure('{POINTS}') then
    insert into tier_nudge (tenant_id, member_id)
    select w.tenant_id, w.member_id from wallet w where w.tenant_id = new.tenant_id and w.id = new.wallet_id;
  end if;
  return null;
end $$;
create trigger tiers_of_claw_back after update of revoked on earn_basis for each row
  when (new.revoked > old.revoked) execute function tiers_of_claw_back();

create function tiers_of_balance() returns trigger language plpgsql as $$
begin
  if tiers_measure('{BALANCE}') then
    insert into tier_nudge (tenant_id, member_id) values (new.tenant_id, new.member_id);
  end if;
  return null;
end $$;
create trigger tiers_of_balance after update of available on wallet for each row
  when (new.available <> old.available) execute function tiers_of_balance();

/* What was clawed back before there were tiers counts from when it was earned. */
do $$
declare
  v_tenant uuid;
begin
  for v_tenant in select every_tenant() loop
    perform set_config('app.tenant', v_tenant::text, true);
    insert into tier_revocation (tenant_id, lot_id, total, points, at)
    select b.tenant_id, b.lot_id, b.revoked, b.revoked, o.at
    from earn_basis b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    join op o on o.tenant_id = l.tenant_id and o.transaction_id = l.transaction_id
    where b.tenant_id = v_tenant and b.revoked > 0;
  end loop;
  perform set_config('app.tenant', '', true);
end $$;
