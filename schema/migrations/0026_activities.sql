-- Activities: what members do that is no purchase, and what happens by it. Also what happens on entering a stage or a
-- segment.

set local role engawa_owner;

create table activity (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  member_id  uuid not null,
  name       text not null check (name ~ '^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$'),
  /* The fact's own id where it happened; once for each name. */
  key        text not null check (length(key) between 1 and 200),
  at         timestamptz not null,
  booked_at  timestamptz not null default clock_timestamp(),
  properties jsonb not null default '{}' check (jsonb_typeof(properties) = 'object'),
  primary key (tenant_id, id),
  unique (tenant_id, name, key),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index activity_of_member on activity (tenant_id, member_id, name, at);
call protect('activity');
grant select on activity to engawa_app;

/*
 * Records an activity once for its name and key: earns, activates points that waited for it, slides dates, touches
 * tiers. Returns its id, null when it was known. For rooms that have facts of their own.
 */
create function activity_record(p_member uuid, p_name text, p_key text, p_properties jsonb, p_at timestamptz)
returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_id uuid := uuid_v7();
begin
  perform member_lock(p_member);
  insert into activity (tenant_id, id, member_id, name, key, at, properties)
  values (v_tenant, v_id, p_member, p_name, p_key, p_at, coalesce(p_properties, '{}'))
  on conflict (tenant_id, name, key) do nothing;
  if not found then
    return null;
  end if;
  perform announce('activity.recorded', p_member, jsonb_build_object('activity', v_id), p_at);
  perform points_activate_event(p_member, p_name, p_at);
  perform earn((null, 'engawa:earn:activity:' || v_id, 'activity', v_id::text, p_member, p_at, 'activity', p_name, null,
    null, null, p_properties)::earn_fact, 'engawa');
  perform points_slide(p_member, p_name, p_at);
  perform tiers_touch(array[p_member], p_at);
  perform referral_of_activity(p_member, p_name, p_at);
  return v_id;
end $$;

/*
 * Records an activity that somebody tells of; known already, it is answered again. Outcomes: done {activity, member,
 * is_new}, bad_input, not_found, key_reused, membership_ended.
 */
create function activity_report(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_name text, p_fact_key text, p_at timestamptz,
  p_properties jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_at timestamptz := coalesce(p_at, v_now);
  v_member member := member_find(p_member, p_external_id);
  v_op record;
  v_id uuid;
  v_known activity;
begin
  if v_at > v_now + interval '5 minutes' then
    return bad_input('at', format('An activity cannot lie in the future; the tenant''s clock says %s.',
      to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
  elsif v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'ACTIVITY', p_actor, v_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  v_id := activity_record(v_member.id, p_name, p_fact_key, p_properties, v_at);
  if v_id is null then
    select * into strict v_known from activity a
    where a.tenant_id = v_tenant and a.name = p_name and a.key = p_fact_key;
    if v_known.member_id <> v_member.id then
      return op_finish(p_key, bad_input('key', format('Activity %s %s is another member''s.', p_name, p_fact_key)));
    end if;
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'activity', coalesce(v_id, v_known.id), 'member', v_member.id,
    'is_new', v_id is not null));
end $$;
grant execute on function activity_report(text, bytea, uuid, text, text, text, timestamptz, jsonb, text) to engawa_app;

/* Activities as tiers count them. */
create or replace function tier_activities(p_members uuid[], p_name text, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, amount int)
language plpgsql stable as $$
begin
  return query
  select a.member_id, a.at, a.at, 1 from activity a
  where a.tenant_id = current_tenant() and a.member_id = any(p_members) and a.name = p_name and a.at >= p_since;
end $$;

-- ── Entering a stage ─────────────────────────────────────────────────────────────────────────────

/* A member has entered a stage, by a change that no import brought. Each room adds its line. */
create function stage_entered(p_member uuid, p_stage text, p_change uuid, p_at timestamptz) returns void
language plpgsql as $$
begin
  perform earn((null, 'engawa:earn:stage:' || p_change, 'stage_change', p_change::text, p_member, p_at, 'stage', p_stage,
    null, null, null, null)::earn_fact, 'engawa');
  -- Offers that entering a stage issues.
  perform offers_of_stage(p_member, p_stage, p_at);
end $$;

create function stage_entered_by_change() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform stage_entered(new.member_id, new.to_stage, new.id, new.at);
  return null;
end $$;
create trigger entered after insert on stage_change for each row when (new.cause <> 'IMPORT')
  execute function stage_entered_by_change();

-- ── Entering a segment ───────────────────────────────────────────────────────────────────────────

/* Stays in segments that rules have still to look at: a look may bring more members than one statement can pay. */
create table segment_entry (
  tenant_id uuid not null,
  stay_id   uuid not null,
  member_id uuid not null,
  segment   text not null,
  at        timestamptz not null,
  primary key (tenant_id, stay_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('segment_entry');
create policy system on segment_entry for select to engawa_system using (true);
grant select on segment_entry to engawa_app, engawa_system;

/* Members have entered a segment: p_stays are the stays that a look has begun. Nothing without a rule for it. */
create function segment_entered(p_segment text, p_stays uuid[]) returns void language plpgsql as $$
begin
  if exists (
    select from earn_rule r
    join definition d on (d.tenant_id, d.kind, d.key, d.version) = (r.tenant_id, r.kind, r.key, r.version) and d.is_live
    where r.tenant_id = current_tenant() and r.source = 'segment' and r.source_key = p_segment)
  then
    insert into segment_entry (tenant_id, stay_id, member_id, segment, at)
    select s.tenant_id, s.id, s.member_id, s.segment, s.entered_at from segment_stay s
    where s.tenant_id = current_tenant() and s.id = any(p_stays)
    on conflict do nothing;
  end if;
end $$;

/* Pays for up to p_limit stays that wait; how many. */
create function activities_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_entries segment_entry[] := array(
    select e from segment_entry e where e.tenant_id = v_tenant
    order by e.member_id, e.stay_id limit p_limit for no key update skip locked);
  v_entry segment_entry;
begin
  -- Every member before the first budget.
  perform from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id in (select e.member_id from unnest(v_entries) e)
  order by s.member_id for no key update;
  foreach v_entry in array v_entries loop
    perform earn((null, 'engawa:earn:segment:' || v_entry.stay_id, 'segment_entry', v_entry.stay_id::text,
      v_entry.member_id, v_entry.at, 'segment', v_entry.segment, null, null, null, null)::earn_fact, 'engawa');
    delete from segment_entry e where e.tenant_id = v_tenant and e.stay_id = v_entry.stay_id;
  end loop;
  return cardinality(v_entries);
end $$;
grant execute on function activities_settle_due(int) to engawa_app;
