-- Lifecycle: stages as versioned data, derived from facts, and the rhythm behind freshness.
-- This room knows no purchases: the rooms above tell it the instants of the facts.

set local role engawa_owner;

create table lifecycle (
  tenant_id    uuid not null references tenant,
  version      int not null check (version > 0),
  preset       text not null,
  published_at timestamptz not null default now(),
  primary key (tenant_id, version)
);
call protect('lifecycle');
grant select on lifecycle to engawa_app;

create table stage (
  tenant_id     uuid not null,
  version       int not null,
  key           text not null check (key ~ '^[a-z][a-z0-9_]{0,49}$'),
  position      int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name          jsonb not null,
  goal          jsonb,
  /* How a member comes to stand here. */
  entry         text not null check (entry in ('MANUAL', 'PURCHASES', 'SILENCE')),
  min_purchases int check (min_purchases > 0),
  silent_days   int check (silent_days > 0),
  is_initial    boolean not null default false,
  primary key (tenant_id, version, key),
  unique (tenant_id, version, position),
  foreign key (tenant_id, version) references lifecycle,
  check ((entry = 'PURCHASES') = (min_purchases is not null)),
  check ((entry = 'SILENCE') = (silent_days is not null)),
  check (not is_initial or entry = 'MANUAL')
);
create unique index stage_initial on stage (tenant_id, version) where is_initial;
create unique index stage_silence on stage (tenant_id, version) where entry = 'SILENCE';
call protect('stage');
grant select on stage to engawa_app;

/* The model behind freshness; declared until one is fitted. */
create table freshness_model (
  tenant_id uuid primary key references tenant,
  basis     text not null default 'DECLARED' check (basis in ('DECLARED', 'FITTED')),
  r         float8 not null default 0.525 check (r > 0),
  /* Weeks. */
  alpha     float8 not null default 6.18 check (alpha > 0),
  a         float8 not null default 0.891 check (a > 0),
  b         float8 not null default 1.614 check (b > 0),
  k         int not null default 1 check (k between 1 and 6),
  /* Scores at which a member becomes COOLING, STALE, COLD. */
  edges     float8[] not null default '{0.5,0.2,0.05}' check (cardinality(edges) = 3)
);
call protect('freshness_model');
grant select on freshness_model to engawa_app;

create table lifecycle_state (
  tenant_id           uuid not null,
  member_id           uuid not null,
  /* The booked stage; silent_stage holds instead once the clock is past silent_at. */
  stage               text not null,
  stage_since         timestamptz,
  manual_stage        text,
  silent_at           timestamptz,
  silent_stage        text,
  /* How many changes the history holds. */
  changes             int not null default 0,
  completed_purchases int not null default 0 check (completed_purchases >= 0),
  /* Repeat purchases, one a day at most. */
  repeat_count        int not null default 0 check (repeat_count >= 0),
  first_at            timestamptz not null,
  /* Where the silence begins: the last purchase, else the registration. */
  last_at             timestamptz not null,
  rhythm_a            float8 not null,
  rhythm_b            float8 not null,
  rhythm_k            int not null,
  band                text not null default 'FRESH' check (band in ('FRESH', 'COOLING', 'STALE', 'COLD')),
  next_band_at        timestamptz,
  due_at              timestamptz generated always as (least(silent_at, next_band_at)) stored,
  /* An import brought facts that the history does not tell yet; it is derived anew when the import ends, or, when
     none came to its end, after this instant of real time. */
  replay_after        timestamptz,
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((silent_at is null) = (silent_stage is null))
) with (fillfactor = 80);
create index lifecycle_state_due on lifecycle_state (tenant_id, due_at) where due_at is not null;
create index lifecycle_state_awaiting on lifecycle_state (tenant_id, replay_after) where replay_after is not null;
create index lifecycle_state_stage on lifecycle_state (tenant_id, stage);
call protect('lifecycle_state');
grant select on lifecycle_state to engawa_app, engawa_system;
create policy system on lifecycle_state for select to engawa_system using (true);

create table stage_change (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  member_id  uuid not null,
  /* The place in the member's history: 1, 2, 3 … */
  n          int not null check (n > 0),
  from_stage text not null,
  to_stage   text not null check (to_stage <> from_stage),
  at         timestamptz not null,
  booked_at  timestamptz not null default clock_timestamp(),
  cause      text not null check (cause in ('EVENT', 'CLOCK', 'MANUAL', 'IMPORT')),
  reason     text,
  actor      text,
  primary key (tenant_id, id),
  unique (tenant_id, member_id, n),
  foreign key (tenant_id, member_id) references lifecycle_state (tenant_id, member_id),
  check ((cause = 'MANUAL') = (actor is not null and reason is not null))
);
call protect('stage_change');
grant select on stage_change to engawa_app;

create function stage_change_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'stage history is append-only' using errcode = '42501';
end $$;
create trigger append_only before update or delete on stage_change
  for each statement execute function stage_change_is_append_only();

/* The lifecycle in force, read once per call: thresholds ascending, the silence rule, the first stage. */
create type lifecycle_rule as (
  version int, initial text, counts int[], count_stages text[], silence text, silent_days int, zone text
);

create function lifecycle_in_force() returns lifecycle_rule language sql stable as $$
  select s.version,
    min(s.key) filter (where s.is_initial),
    array_agg(s.min_purchases order by s.min_purchases) filter (where s.entry = 'PURCHASES'),
    array_agg(s.key order by s.min_purchases) filter (where s.entry = 'PURCHASES'),
    min(s.key) filter (where s.entry = 'SILENCE'),
    min(s.silent_days) filter (where s.entry = 'SILENCE'),
    (select t.time_zone from tenant t where t.id = current_tenant())
  from stage s
  where s.tenant_id = current_tenant()
    and s.version = (select max(l.version) from lifecycle l where l.tenant_id = current_tenant())
  group by s.version
$$;

/* The stage of a member with so many completed purchases and no silence. */
create function lifecycle_stage_for(p_rule lifecycle_rule, p_completed int, p_manual text) returns text
language sql immutable as $$
  select coalesce(
    (p_rule.count_stages)[(select count(*) from unnest(p_rule.counts) c where c <= p_completed)],
    p_manual, p_rule.initial)
$$;

/* The instant after which a member silent since p_last has lapsed; days are the tenant's. */
create function lifecycle_silent_after(p_rule lifecycle_rule, p_last timestamptz) returns timestamptz
language sql stable as $$
  select ((p_last at time zone p_rule.zone) + make_interval(days => p_rule.silent_days)) at time zone p_rule.zone
$$;

/* A span in the model's unit. */
create function weeks_between(p_from timestamptz, p_to timestamptz) returns float8 language sql immutable as
$$ select extract(epoch from p_to - p_from)::float8 / 604800 $$;

/* The score edge below which the band after this one begins; null after the last. */
create function band_edge(p_edges float8[], p_band text) returns float8 language sql immutable as $$
  select p_edges[array_position(array['FRESH', 'COOLING', 'STALE'], p_band)]
$$;

create function band_after(p_band text) returns text language sql immutable as
$$ select (array['COOLING', 'STALE', 'COLD'])[array_position(array['FRESH', 'COOLING', 'STALE'], p_band)] $$;

/* When a member with this rhythm leaves a band by silence alone; null when it is the last. */
create function band_ends_at(
  p_last timestamptz, p_a float8, p_b float8, p_k int, p_edges float8[], p_band text
) returns timestamptz language sql stable as $$
  select freshness_crossing_at(p_last, p_a, p_b, p_k, band_edge(p_edges, p_band))
$$;

/* Appends one change to a member's history and announces it. */
create function stage_change_book(
  p_member uuid, p_n int, p_from text, p_to text, p_at timestamptz, p_cause text, p_reason text, p_actor text
) returns uuid language plpgsql as $$
declare
  v_id uuid := uuid_v7();
begin
  insert into stage_change (tenant_id, id, member_id, n, from_stage, to_stage, at, cause, reason, actor)
  values (current_tenant(), v_id, p_member, p_n, p_from, p_to, p_at, p_cause, p_reason, p_actor);
  perform announce('member.stage_changed', p_member, jsonb_build_object('change', v_id), p_at);
  return v_id;
end $$;

/* Sets the rhythm of a state row, its band as of now and the next crossing; announces a change of band. */
create function lifecycle_set_rhythm(
  p_state lifecycle_state, p_zone text, p_repeats int, p_first timestamptz, p_last timestamptz,
  p_now timestamptz, p_is_quiet boolean
) returns lifecycle_state language plpgsql as $$
declare
  v_model freshness_model;
  v_band text := 'FRESH';
  v_ends timestamptz;
begin
  select * into strict v_model from freshness_model f where f.tenant_id = p_state.tenant_id;
  p_state.repeat_count := p_repeats;
  p_state.first_at := p_first;
  p_state.last_at := p_last;
  p_state.rhythm_k := v_model.k;
  p_state.rhythm_a := v_model.r + v_model.k * p_repeats;
  p_state.rhythm_b := v_model.alpha + weeks_between(p_first, p_last);
  loop
    v_ends := band_ends_at(p_last, p_state.rhythm_a, p_state.rhythm_b, v_model.k, v_model.edges, v_band);
    exit when v_ends is null or v_ends > p_now;
    v_band := band_after(v_band);
  end loop;
  if v_band <> p_state.band and not p_is_quiet then
    perform announce('member.freshness_band_changed', p_state.member_id,
      jsonb_build_object('from', p_state.band, 'to', v_band),
      case when v_band = 'FRESH' then least(p_last, p_now) else p_now end);
  end if;
  p_state.band := v_band;
  p_state.next_band_at := v_ends;
  return p_state;
end $$;

/*
 * Takes a purchase that follows everything known of the member, the common case. False, with nothing done,
 * when it does not: then the room above calls lifecycle_replay with all the facts.
 */
create function lifecycle_purchased(p_member uuid, p_at timestamptz, p_cause text) returns boolean
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_rule lifecycle_rule := lifecycle_in_force();
  v_state lifecycle_state;
  v_stage text;
  v_is_first boolean;
begin
  select * into strict v_state from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id = p_member for no key update;
  v_is_first := v_state.completed_purchases = 0;
  if p_at < v_state.stage_since or (not v_is_first and p_at < v_state.last_at) then
    return false;
  end if;
  if v_state.silent_at < p_at then
    v_state.changes := v_state.changes + 1;
    perform stage_change_book(p_member, v_state.changes, v_state.stage, v_state.silent_stage, v_state.silent_at,
      case p_cause when 'IMPORT' then 'IMPORT' else 'CLOCK' end, null, null);
    v_state.stage := v_state.silent_stage;
  end if;
  perform freshness_settle(v_state, least(p_at, v_now));
  v_state.completed_purchases := v_state.completed_purchases + 1;
  v_stage := lifecycle_stage_for(v_rule, v_state.completed_purchases, v_state.manual_stage);
  if v_stage <> v_state.stage then
    v_state.changes := v_state.changes + 1;
    perform stage_change_book(p_member, v_state.changes, v_state.stage, v_stage, p_at, p_cause, null, null);
    v_state.stage := v_stage;
    v_state.stage_since := p_at;
  end if;
  v_state.silent_stage := v_rule.silence;
  v_state.silent_at := lifecycle_silent_after(v_rule, p_at);
  if v_state.silent_at < v_now then
    v_state.changes := v_state.changes + 1;
    perform stage_change_book(p_member, v_state.changes, v_state.stage, v_rule.silence, v_state.silent_at,
      case p_cause when 'IMPORT' then 'IMPORT' else 'CLOCK' end, null, null);
    v_state.stage := v_rule.silence;
    v_state.stage_since := v_state.silent_at;
    v_state.silent_at := null;
    v_state.silent_stage := null;
  end if;
  v_state.band := (select s.band from lifecycle_state s where s.tenant_id = v_tenant and s.member_id = p_member);
  v_state := lifecycle_set_rhythm(v_state, v_rule.zone,
    case when v_is_first then 0
         else v_state.repeat_count
           + ((p_at at time zone v_rule.zone)::date > (v_state.last_at at time zone v_rule.zone)::date)::int end,
    case when v_is_first then p_at else v_state.first_at end, p_at, v_now, p_cause = 'IMPORT');
  perform lifecycle_store(v_state);
  return true;
end $$;

create function lifecycle_store(p_state lifecycle_state) returns void language sql as $$
  update lifecycle_state s set
    stage = p_state.stage, stage_since = p_state.stage_since, manual_stage = p_state.manual_stage,
    silent_at = p_state.silent_at, silent_stage = p_state.silent_stage, changes = p_state.changes,
    completed_purchases = p_state.completed_purchases, repeat_count = p_state.repeat_count,
    first_at = p_state.first_at, last_at = p_state.last_at, rhythm_a = p_state.rhythm_a,
    rhythm_b = p_state.rhythm_b, rhythm_k = p_state.rhythm_k, band = p_state.band,
    next_band_at = p_state.next_band_at, replay_after = null
  where s.tenant_id = p_state.tenant_id and s.member_id = p_state.member_id
$$;

/* Books the crossings of a member's bands up to an instant, each at its own. */
create function freshness_settle(p_state lifecycle_state, p_until timestamptz) returns void
language plpgsql as $$
declare
  v_edges float8[];
  v_to text;
begin
  if p_state.next_band_at is null or p_state.next_band_at > p_until then
    return;
  end if;
  select f.edges into strict v_edges from freshness_model f where f.tenant_id = p_state.tenant_id;
  while p_state.next_band_at <= p_until loop
    v_to := band_after(p_state.band);
    perform announce('member.freshness_band_changed', p_state.member_id,
      jsonb_build_object('from', p_state.band, 'to', v_to), p_state.next_band_at);
    p_state.band := v_to;
    p_state.next_band_at := band_ends_at(p_state.last_at, p_state.rhythm_a, p_state.rhythm_b, p_state.rhythm_k,
                                         v_edges, v_to);
  end loop;
  update lifecycle_state s set band = p_state.band, next_band_at = p_state.next_band_at
  where s.tenant_id = p_state.tenant_id and s.member_id = p_state.member_id;
end $$;

/*
 * Derives a member's whole history of stages from all the facts and books what is missing: p_purchased holds
 * every purchase in time order, p_refunded beside it the instant it was fully refunded, or null. What is
 * booked already stands; when it is no beginning of the derived history, one change corrects the present.
 */
create function lifecycle_replay(
  p_member uuid, p_purchased timestamptz[], p_refunded timestamptz[], p_cause text
) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_rule lifecycle_rule := lifecycle_in_force();
  v_state lifecycle_state;
  v_clock text := case p_cause when 'IMPORT' then 'IMPORT' else 'CLOCK' end;
  v_ats timestamptz[] := '{}';
  v_tos text[] := '{}';
  v_causes text[] := '{}';
  v_stage text;
  v_next text;
  v_silent_at timestamptz;
  v_count int := 0;
  v_last timestamptz;
  v_fact record;
  v_booked int;
  v_is_prefix boolean;
  v_from int;
  v_standing timestamptz[];
begin
  select * into strict v_state from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id = p_member for no key update;
  perform freshness_settle(v_state, v_now);
  select s.band into strict v_state.band from lifecycle_state s where s.tenant_id = v_tenant and s.member_id = p_member;
  v_stage := coalesce(v_state.manual_stage, v_rule.initial);

  for v_fact in
    select f.at, f.delta, f.i from (
      select at, 1 as delta, i from unnest(p_purchased) with ordinality p (at, i)
      union all
      select greatest(at, p_purchased[i]), -1, i from unnest(p_refunded) with ordinality r (at, i) where at is not null
    ) f order by f.at, f.delta desc, f.i
  loop
    if v_silent_at < v_fact.at then
      v_ats := v_ats || v_silent_at; v_tos := v_tos || v_rule.silence; v_causes := v_causes || v_clock;
      v_stage := v_rule.silence;
    end if;
    v_count := v_count + v_fact.delta;
    if v_fact.delta = 1 then
      v_last := v_fact.at;
    else
      select max(p.at) into v_last
      from unnest(p_purchased, p_refunded) p (at, gone) where p.at <= v_fact.at and (p.gone is null or greatest(p.gone, p.at) > v_fact.at);
    end if;
    v_silent_at := case when v_count > 0 then lifecycle_silent_after(v_rule, v_last) end;
    v_next := case when v_silent_at < v_fact.at then v_rule.silence
                   else lifecycle_stage_for(v_rule, v_count, v_state.manual_stage) end;
    if v_next <> v_stage then
      v_ats := v_ats || v_fact.at; v_tos := v_tos || v_next; v_causes := v_causes || p_cause;
      v_stage := v_next;
    end if;
    if v_stage = v_rule.silence then
      v_silent_at := null;
    end if;
  end loop;
  if v_silent_at < v_now then
    v_ats := v_ats || v_silent_at; v_tos := v_tos || v_rule.silence; v_causes := v_causes || v_clock;
    v_stage := v_rule.silence;
    v_silent_at := null;
  end if;

  select count(*), coalesce(bool_and(c.at is not distinct from v_ats[c.i] and c.to_stage is not distinct from v_tos[c.i]), true)
  into v_booked, v_is_prefix
  from (select at, to_stage, row_number() over (order by n) as i from stage_change
        where tenant_id = v_tenant and member_id = p_member and cause <> 'MANUAL') c;
  if v_is_prefix then
    v_from := v_booked + 1;
  elsif v_stage <> v_state.stage then
    v_from := greatest(cardinality(v_ats), 1);
    if cardinality(v_ats) = 0 then
      v_ats := array[v_now]; v_tos := array[v_stage]; v_causes := array[p_cause];
    end if;
  else
    v_from := cardinality(v_ats) + 1;
  end if;
  for i in v_from .. cardinality(v_ats) loop
    if v_tos[i] <> v_state.stage then
      v_state.changes := v_state.changes + 1;
      perform stage_change_book(p_member, v_state.changes, v_state.stage, v_tos[i], v_ats[i], v_causes[i], null, null);
      v_state.stage := v_tos[i];
      v_state.stage_since := v_ats[i];
    end if;
  end loop;
  v_state.silent_at := v_silent_at;
  v_state.silent_stage := case when v_silent_at is not null then v_rule.silence end;

  select array_agg(p.at order by p.at) into v_standing
  from unnest(p_purchased, p_refunded) p (at, gone) where p.gone is null;
  v_state.completed_purchases := coalesce(cardinality(v_standing), 0);
  if v_state.completed_purchases = 0 then
    v_standing := (select array[m.registered_at] from member m where m.tenant_id = v_tenant and m.id = p_member);
  end if;
  v_state := lifecycle_set_rhythm(v_state, v_rule.zone,
    (select count(distinct (at at time zone v_rule.zone)::date)::int - 1 from unnest(v_standing) at),
    v_standing[1], v_standing[cardinality(v_standing)], v_now, p_cause = 'IMPORT');
  perform lifecycle_store(v_state);
end $$;

/* Says that facts of these members were imported: their histories are to be derived anew when no more of them come. */
create function lifecycle_await_replay(p_members uuid[]) returns void language sql as $$
  update lifecycle_state s set replay_after = clock_timestamp() + interval '1 minute'
  where s.tenant_id = current_tenant() and s.member_id = any (p_members)
    and (s.replay_after is null or s.replay_after < clock_timestamp() + interval '30 seconds')
$$;

/*
 * A move by hand. Only between the stages that facts do not decide. Outcomes: done {member, change},
 * not_found, key_reused, membership_ended, transition_not_allowed {from, to, allowed}.
 */
create function member_move(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_stage text, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_state lifecycle_state;
  v_current text;
  v_manual text[];
  v_replay jsonb;
  v_change uuid;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select array_agg(s.key order by s.position) into v_manual from stage s
  where s.tenant_id = v_tenant and s.entry = 'MANUAL' and s.version = (lifecycle_in_force()).version;
  if not exists (select from stage s where s.tenant_id = v_tenant and s.key = p_stage
                 and s.version = (lifecycle_in_force()).version) then
    return jsonb_build_object('is', 'not_found', 'what', 'stage');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'MOVE', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  select * into strict v_state from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id = v_member.id for no key update;
  v_current := case when v_state.silent_at < v_now then v_state.silent_stage else v_state.stage end;
  if v_current <> all (v_manual) or p_stage <> all (v_manual) or p_stage = v_current then
    return op_finish(p_key, jsonb_build_object('is', 'transition_not_allowed', 'from', v_current, 'to', p_stage,
      'allowed', case when v_current = any (v_manual) then to_jsonb(array_remove(v_manual, v_current)) else '[]' end));
  end if;
  v_state.changes := v_state.changes + 1;
  v_change := stage_change_book(v_member.id, v_state.changes, v_current, p_stage, v_now, 'MANUAL', p_reason, p_actor);
  v_state.stage := p_stage;
  v_state.stage_since := v_now;
  v_state.manual_stage := p_stage;
  perform lifecycle_store(v_state);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id, 'change', v_change));
end $$;
grant execute on function member_move(text, bytea, uuid, text, text, text, text) to engawa_app;

/*
 * Books what the clock has brought for this tenant: lapses and band crossings, each at its own instant, for at
 * most p_limit members. Returns how many members it settled.
 */
create function lifecycle_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_state lifecycle_state;
  v_settled int := 0;
begin
  for v_state in
    select * from lifecycle_state s
    where s.tenant_id = v_tenant and s.due_at <= v_now
      and (s.silent_at < v_now or s.next_band_at <= v_now)
    order by s.due_at, s.member_id limit p_limit for no key update skip locked
  loop
    v_settled := v_settled + 1;
    if v_state.silent_at < v_now and (v_state.next_band_at is null or v_state.silent_at <= v_state.next_band_at) then
      v_state := lifecycle_lapse(v_state);
    end if;
    perform freshness_settle(v_state, v_now);
    if v_state.silent_at < v_now then
      perform lifecycle_lapse(v_state);
    end if;
  end loop;
  return v_settled;
end $$;
grant execute on function lifecycle_settle_due(int) to engawa_app;

/* Books the lapse that a state row has waiting. */
create function lifecycle_lapse(p_state lifecycle_state) returns lifecycle_state language plpgsql as $$
begin
  p_state.changes := p_state.changes + 1;
  perform stage_change_book(p_state.member_id, p_state.changes, p_state.stage, p_state.silent_stage,
    p_state.silent_at, 'CLOCK', null, null);
  update lifecycle_state s set stage = p_state.silent_stage, stage_since = p_state.silent_at, silent_at = null,
                               silent_stage = null, changes = p_state.changes
  where s.tenant_id = p_state.tenant_id and s.member_id = p_state.member_id;
  p_state.stage := p_state.silent_stage;
  p_state.stage_since := p_state.silent_at;
  p_state.silent_at := null;
  p_state.silent_stage := null;
  return p_state;
end $$;

-- ── What a new tenant and a new member begin with ────────────────────────────────────────────────

create function lifecycle_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into freshness_model (tenant_id) values (new.id);
  insert into lifecycle (tenant_id, version, preset) values (new.id, 1, 'SIX_STAGES');
  insert into stage (tenant_id, version, position, key, entry, min_purchases, silent_days, is_initial, name, goal)
  values
    (new.id, 1, 1, 'visitor', 'MANUAL', null, null, false, '{"en": "Visitor", "ja": "訪問者"}',
     '{"en": "Give reasons to come back regularly.", "ja": "定期的に訪れる理由をつくる。"}'),
    (new.id, 1, 2, 'prospect', 'MANUAL', null, null, true, '{"en": "Prospect", "ja": "見込み客"}',
     '{"en": "Inform until the first purchase feels right.", "ja": "最初の購入に納得できる情報を届ける。"}'),
    (new.id, 1, 3, 'negotiation', 'MANUAL', null, null, false, '{"en": "Negotiation", "ja": "商談中"}',
     '{"en": "Answer what still stands in the way.", "ja": "残る疑問に答える。"}'),
    (new.id, 1, 4, 'customer', 'PURCHASES', 1, null, false, '{"en": "Customer", "ja": "顧客"}',
     '{"en": "Care after the purchase and win the second one.", "ja": "購入後を支え、二度目の購入につなげる。"}'),
    (new.id, 1, 5, 'repeat', 'PURCHASES', 2, null, false, '{"en": "Repeat customer", "ja": "リピーター"}',
     '{"en": "Listen, and widen what they love.", "ja": "声を聴き、楽しみを広げる。"}'),
    (new.id, 1, 6, 'lapsed', 'SILENCE', null, 365, false, '{"en": "Lapsed", "ja": "離脱客"}',
     '{"en": "Find out why, and win them back.", "ja": "理由を知り、戻ってもらう。"}');
  return null;
end $$;
create trigger lifecycle_of_new_tenant after insert on tenant
  for each row execute function lifecycle_of_new_tenant();

create function lifecycle_of_new_members() returns trigger language plpgsql as $$
begin
  insert into lifecycle_state (tenant_id, member_id, stage, first_at, last_at, rhythm_a, rhythm_b, rhythm_k, next_band_at)
  select m.tenant_id, m.id, (lifecycle_in_force()).initial, m.registered_at, m.registered_at, f.r, f.alpha, f.k,
         band_ends_at(m.registered_at, f.r, f.alpha, f.k, f.edges, 'FRESH')
  from new_member m join freshness_model f on f.tenant_id = m.tenant_id;
  return null;
end $$;
create trigger lifecycle_of_new_members after insert on member
  referencing new table as new_member for each statement execute function lifecycle_of_new_members();
