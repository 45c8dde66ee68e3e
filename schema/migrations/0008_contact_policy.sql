-- Contact policy: when, how often and through what a member may be approached, whatever was planned.

set local role engawa_owner;

-- ── Local time ───────────────────────────────────────────────────────────────────────────────────

/* How far a zone's clocks are ahead of UTC at an instant. */
create function zone_offset(p_zone text, p_at timestamptz) returns interval
language sql immutable parallel safe as $$ select (p_at at time zone p_zone) - (p_at at time zone 'UTC') $$;

/*
 * The instant at which a zone's clocks show a time, one for each. A time that they skip is the first instant after
 * the gap; of a time that they show twice it is the first showing.
 */
create function local_instant(p_local timestamp, p_zone text) returns timestamptz
language plpgsql immutable strict parallel safe as $$
declare
  v_at timestamptz := p_local at time zone p_zone;
  -- In seconds, as everywhere here: a day of an interval is as long as the session's zone has it.
  v_missing int := extract(epoch from (v_at at time zone p_zone) - p_local);
  v_first timestamptz;
  v_low timestamptz;
  v_middle timestamptz;
  v_after interval;
begin
  if v_missing = 0 then
    -- Of two showings PostgreSQL takes the second; the first goes by the offset of before the change.
    v_first := (p_local - zone_offset(p_zone, v_at - interval '24 hours')) at time zone 'UTC';
    return case when v_first < v_at and v_first at time zone p_zone = p_local then v_first else v_at end;
  end if;
  -- In a gap PostgreSQL goes by the offset of before it, and so lands after it: look for its end, to the second.
  v_low := v_at - make_interval(secs => v_missing);
  v_after := zone_offset(p_zone, v_at);
  while v_at - v_low > interval '1 second' loop
    v_middle := v_low + make_interval(secs => trunc(extract(epoch from v_at - v_low) / 2)::int);
    if zone_offset(p_zone, v_middle) = v_after then
      v_at := v_middle;
    else
      v_low := v_middle;
    end if;
  end loop;
  return v_at;
end $$;

/*
 * When a local time that was meant comes in a zone, at p_after at the earliest: {"time": "08:00"}, with
 * {"weekdays": ["MON", …]} only on these, with {"date": "2026-04-01"} on that day, even when it is over.
 */
create function local_due(p_intent jsonb, p_zone text, p_after timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select case
    when p_intent ? 'date' then
      local_instant((p_intent ->> 'date')::date + (p_intent ->> 'time')::time, p_zone)
    else (
      select min(at)
      from (
        select local_instant(day + (p_intent ->> 'time')::time, p_zone) as at
        from (select (p_after at time zone p_zone)::date + n as day from generate_series(-1, 8) n) days
        where coalesce(jsonb_array_length(p_intent -> 'weekdays'), 0) = 0
          or p_intent -> 'weekdays' ? (array['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])[extract(isodow from day)]
      ) instants
      where at >= p_after)
  end
$$;
grant execute on function local_due(jsonb, text, timestamptz) to engawa_app;

-- ── The policy ───────────────────────────────────────────────────────────────────────────────────

/*
 * What a tenant allows itself, versioned; the newest is in force. A tenant that saved none allows itself everything.
 * The policy, as saveContactPolicy writes it, every part may be missing:
 *   quietHours       {"periods": [{"from": "21:00", "to": "08:00", "weekdays": […]}], "channels": […]}
 *   exemptPurposes   [key]: these keep no quiet hours
 *   caps             [{"class", "channel", "most", "within"}], channel null for all of them together
 *   stages           [{"stage", "purposes", "channels", "shortestSilence", "longestSilence"}], null for any
 *   ignored          {"after", "response": "STOP" or "NEXT_CHANNEL"}
 *   channelRules     [{"audience", "channels"}], and defaultChannels
 */
create table contact_policy (
  tenant_id    uuid not null references tenant,
  version      int not null check (version >= 1),
  policy       jsonb not null check (jsonb_typeof(policy) = 'object'),
  actor        text not null,
  published_at timestamptz not null,
  primary key (tenant_id, version)
);
call protect('contact_policy');
grant select on contact_policy to engawa_app;

/* Saves the next version. */
create function contact_policy_save(p_policy jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_version int;
begin
  perform pg_advisory_xact_lock(hashtext('engawa.contact_policy'), hashtext(v_tenant::text));
  insert into contact_policy (tenant_id, version, policy, actor, published_at)
  select v_tenant, coalesce(max(c.version), 0) + 1, p_policy, p_actor, tenant_now(v_tenant)
  from contact_policy c where c.tenant_id = v_tenant
  returning version into v_version;
  return jsonb_build_object('is', 'done', 'version', v_version);
end $$;
grant execute on function contact_policy_save(jsonb, text) to engawa_app;

/* An instant and an ISO 8601 length of time later; months and days are those of UTC. */
create function later_by(p_at timestamptz, p_by text) returns timestamptz language sql stable parallel safe as
$$ select ((p_at at time zone 'UTC') + p_by::interval) at time zone 'UTC' $$;

/* When the quiet hours end in which an instant lies, in a zone; null when it lies in none. A period that ends where it
   begins, or before, ends on the next day; its weekdays are those on which it begins. */
create function quiet_until(p_periods jsonb, p_zone text, p_now timestamptz) returns timestamptz
language sql stable as $$
  select max(q.ends)
  from (
    select local_instant(d.day + (p ->> 'from')::time, p_zone) as starts,
      local_instant(d.day + ((p ->> 'to')::time <= (p ->> 'from')::time)::int + (p ->> 'to')::time, p_zone) as ends
    from jsonb_array_elements(p_periods) p,
      (select (p_now at time zone p_zone)::date - n as day from generate_series(0, 2) n) d
    where coalesce(jsonb_array_length(nullif(p -> 'weekdays', 'null')), 0) = 0
      or p -> 'weekdays' ? (array['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])[extract(isodow from d.day)]
  ) q
  where q.starts <= p_now and p_now < q.ends
$$;
