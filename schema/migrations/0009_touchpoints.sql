-- Touchpoints: planned contacts, and the deliveries that carry them through a channel.

set local role engawa_owner;

create table touchpoint (
  tenant_id       uuid not null references tenant,
  id              uuid not null default uuid_v7(),
  member_id       uuid not null,
  /* Ids of channels, in the order in which they are tried; `channel` is the present one. */
  channels        text[] not null check (cardinality(channels) between 1 and 10
    and array_to_string(channels, ' ') ~ '^[a-z][a-z0-9-]{0,39}( [a-z][a-z0-9-]{0,39})*$'),
  channel         text not null,
  purpose         text not null check (length(purpose) between 1 and 100),
  /* The purpose's, when it was planned. */
  class           text not null default 'MARKETING' check (class in ('SERVICE', 'MARKETING')),
  /* Where several compete for a member, the highest goes first. */
  priority        int not null default 50 check (priority between 0 and 100),
  /* Whether to risk a miss or a duplicate, where a channel cannot tell what came of a message. */
  wish            text not null default 'preferMiss' check (wish in ('preferMiss', 'preferDuplicate')),
  state           text not null default 'PLANNED' check (state in (
    'PLANNED', 'CLAIMED', 'ACCEPTED', 'DELIVERED', 'REFUSED', 'UNKNOWN', 'NOT_SENT', 'CANCELLED')),
  /* The instant that was planned. It never moves. */
  planned_at      timestamptz not null,
  /* When the worker looks at it next, by the tenant's clock: planned_at, or later when it was put off. */
  due_at          timestamptz not null,
  settled_at      timestamptz,
  /* After this nobody wants it any more: then it is not sent. */
  expires_at      timestamptz,
  /* The local time that was meant, such as Monday 08:00 of the member; planned_at is what it came to. */
  intent          jsonb check (jsonb_typeof(intent) = 'object'),
  /* What it follows from: a kind of thing, its id, and the how-manieth touch of this purpose it causes. */
  source_type     text not null,
  source_id       text not null,
  occurrence      int not null default 1 check (occurrence >= 1),
  /* {"template": key, "parameters": {…}}; written out in the member's language when it is delivered. */
  content         jsonb not null check (jsonb_typeof(content) = 'object'),
  /* The only address that it may go to; null: every one that a channel finds. */
  address_id      uuid,
  not_sent_reason text check (not_sent_reason ~ '^[A-Z_]+$'),
  /* Real time: until when a worker or a queued job has it for itself. */
  claimed_until   timestamptz,
  primary key (tenant_id, id),
  /* One row per member, touch and occurrence, whatever is retried or raced. */
  unique (tenant_id, member_id, purpose, source_type, source_id, occurrence),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, address_id) references address (tenant_id, id),
  check (channel = any (channels)),
  check ((state in ('PLANNED', 'CLAIMED')) = (settled_at is null)),
  check ((state = 'CLAIMED') = (claimed_until is not null)),
  check ((state = 'NOT_SENT') = (not_sent_reason is not null))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
create index touchpoint_due on touchpoint (tenant_id, due_at, id) where state = 'PLANNED';
create index touchpoint_claimed on touchpoint (claimed_until) where state = 'CLAIMED';
create index touchpoint_next on touchpoint (tenant_id, member_id, due_at, id) where settled_at is null;
create index touchpoint_timeline on touchpoint (tenant_id, member_id, planned_at, id);
call protect('touchpoint');
-- The due scan crosses tenants: it may look, and claim.
create policy system on touchpoint to engawa_system using (true) with check (true);
grant select on touchpoint to engawa_app, engawa_system;
grant update (state, claimed_until) on touchpoint to engawa_system;

create table delivery (
  tenant_id        uuid not null references tenant,
  id               uuid not null default uuid_v7(),
  touchpoint_id    uuid not null,
  member_id        uuid not null,
  channel          text not null,
  /* Where it goes: an address of the member, and what suppression knows it by. Null where the member is the address. */
  address_id       uuid,
  identity         text,
  /* Handed to the provider; the same on every attempt. */
  key              uuid not null default gen_random_uuid(),
  state            text not null check (state in (
    'CLAIMED', 'WAITING', 'ACCEPTED', 'DELIVERED', 'REFUSED', 'UNKNOWN', 'CANCELLED')),
  attempt          int not null default 1 check (attempt >= 1),
  /* Goes up with each claim; a worker that settles with an older one is refused. */
  fence            bigint not null default 1,
  /* What is said, in the member's language: written before the first attempt, the same on every attempt. */
  content          jsonb not null check (jsonb_typeof(content) = 'object'),
  /* What the last finished attempt answered: accepted, refused with its fault, or unknown. */
  outcome          jsonb,
  /* The last outcome that nobody could tell, a lost worker included: since then something may have arrived. */
  unknown          jsonb,
  /* Whether the last attempt, or the one of that outcome, was given a reply token: no key guards a reply. */
  is_reply         boolean not null default false,
  doubt            text check (doubt in ('POSSIBLE_MISS', 'POSSIBLE_DUPLICATE')),
  /* Of a refusal: whether it ends the touch, whatever channels remain. */
  is_final         boolean not null default false,
  provider_id      text,
  /* What the provider charged: {"amount", "currency", "units"}. */
  cost             jsonb,
  /* By the tenant's clock. due_at: when it is tried again, while it waits. */
  first_attempt_at timestamptz not null,
  due_at           timestamptz,
  accepted_at      timestamptz,
  settled_at       timestamptz,
  read_at          timestamptz,
  /* Real time. */
  claimed_at       timestamptz not null default clock_timestamp(),
  claimed_until    timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  unique nulls not distinct (tenant_id, touchpoint_id, channel, address_id),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, address_id) references address (tenant_id, id),
  check ((state = 'CLAIMED') = (claimed_until is not null)),
  check ((state in ('CLAIMED', 'WAITING')) = (settled_at is null)),
  check ((state = 'WAITING') = (due_at is not null)),
  check (state not in ('ACCEPTED', 'DELIVERED') or accepted_at is not null)
) with (fillfactor = 85);
/* What a member got through a channel, by time. Of the channel inbox, an accepted delivery is the item. */
create index delivery_of_member on delivery (tenant_id, member_id, channel, accepted_at, id);
/* What may have been missed, or may have come twice. */
create index delivery_doubtful on delivery (tenant_id, doubt, first_attempt_at, id) where doubt is not null;
call protect('delivery');
grant select on delivery to engawa_app;
grant update (read_at) on delivery to engawa_app;

/*
 * Why a touch was not sent, or not yet, or not this way: one row per touch, channel and reason, counted up when
 * the same is decided again.
 */
create table touch_decision (
  tenant_id     uuid not null references tenant,
  id            uuid not null default uuid_v7(),
  touchpoint_id uuid not null,
  channel       text not null,
  decision      text not null check (decision in ('DEFERRED', 'NEXT_CHANNEL', 'NOT_SENT', 'HELD')),
  reason        text not null check (reason in (
    'NO_CONSENT', 'SUPPRESSED', 'UNREACHABLE', 'QUIET_HOURS', 'FREQUENCY_CAP', 'TOO_SOON', 'STAGE_POLICY', 'IGNORED',
    'OUTRANKED', 'QUOTA', 'CIRCUIT_OPEN', 'CHANNEL_DISABLED', 'CHANNEL_MISSING', 'CONTENT', 'EXPIRED', 'PAUSED',
    'MEMBERSHIP_ENDED', 'PROVIDER', 'CANCELLED')),
  /* Until when it was put off. */
  until         timestamptz,
  /* When it was first and last decided, by the tenant's clock, and how often. */
  since         timestamptz not null,
  at            timestamptz not null,
  times         int not null default 1 check (times >= 1),
  /* Facts of the reason: ids, codes and numbers; no personal data. */
  detail        jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
  primary key (tenant_id, id),
  unique (tenant_id, touchpoint_id, channel, reason),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id)
) with (fillfactor = 85);
create index touch_decision_held on touch_decision (tenant_id, channel, touchpoint_id) where decision = 'HELD';
call protect('touch_decision');
grant select on touch_decision to engawa_app;

/*
 * Plans one touch, once per (member, purpose, source, occurrence): repeated or raced, the first row stands and
 * its id is returned. p_channels is the order in which channels are tried. p_due_at is by the tenant's clock;
 * p_at is when it was decided, and dates the event. p_options: priority (0 to 100; 50), expires_at, intent, wish (the
 * purpose's), address (the id of the only one that it may go to).
 */
create function touchpoint_plan(
  p_member uuid, p_channels text[], p_purpose text, p_content jsonb, p_due_at timestamptz, p_source_type text,
  p_source_id text, p_at timestamptz, p_occurrence int default 1, p_options jsonb default '{}'
) returns uuid language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_purpose purpose := purpose_of(p_purpose);
  v_id uuid;
begin
  insert into touchpoint (tenant_id, member_id, channels, channel, purpose, class, content, planned_at, due_at,
                          source_type, source_id, occurrence, priority, expires_at, intent, wish, address_id)
  select v_tenant, p_member, c.channels, c.channels[1], p_purpose, v_purpose.class, p_content, p_due_at, p_due_at,
         p_source_type, p_source_id, p_occurrence, coalesce((p_options ->> 'priority')::int, 50),
         (p_options ->> 'expires_at')::timestamptz, nullif(p_options -> 'intent', 'null'),
         coalesce(p_options ->> 'wish', v_purpose.wish), (p_options ->> 'address')::uuid
  from (select array_agg(c.channel order by c.place) as channels
        from (select u.channel, min(u.place) as place from unnest(p_channels) with ordinality u (channel, place)
              group by u.channel) c) c
  on conflict (tenant_id, member_id, purpose, source_type, source_id, occurrence) do nothing
  returning id into v_id;
  if found then
    perform announce('touchpoint.planned', p_member, jsonb_build_object('touchpoint', v_id), p_at);
    return v_id;
  end if;
  select t.id into strict v_id from touchpoint t
  where t.tenant_id = v_tenant and t.member_id = p_member and t.purpose = p_purpose
    and t.source_type = p_source_type and t.source_id = p_source_id and t.occurrence = p_occurrence;
  return v_id;
end $$;

/*
 * What follows when something happens, versioned: touches is [{"purpose", "channels", "template", "after"}],
 * after being an ISO 8601 duration. A new tenant thanks for each purchase, at once, in the member's inbox.
 */
create table touch_plan (
  tenant_id    uuid not null references tenant,
  key          text not null,
  version      int not null check (version >= 1),
  touches      jsonb not null check (jsonb_typeof(touches) = 'array'),
  published_at timestamptz not null default now(),
  primary key (tenant_id, key, version)
);
call protect('touch_plan');
grant select on touch_plan to engawa_app;

create function touch_plan_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into touch_plan (tenant_id, key, version, touches) values (new.id, 'after-purchase', 1,
    '[{"purpose": "thank-you", "channels": ["inbox"], "template": "thank-you", "after": "PT0S"}]');
  return null;
end $$;
create trigger touch_plan_of_new_tenant after insert on tenant
  for each row execute function touch_plan_of_new_tenant();

/* Plans what follows a purchase, counted from p_at, by the newest version of the tenant's plan. */
create function after_purchase_plan(p_member uuid, p_purchase uuid, p_order_id text, p_at timestamptz) returns void
language sql as $$
  select touchpoint_plan(p_member, array(select jsonb_array_elements_text(t -> 'channels')), t ->> 'purpose',
    jsonb_build_object('template', t ->> 'template', 'parameters', jsonb_build_object('order', p_order_id)),
    p_at + (t ->> 'after')::interval, 'purchase', p_purchase::text, p_at)
  from (select p.touches from touch_plan p
        where p.tenant_id = current_tenant() and p.key = 'after-purchase'
        order by p.version desc limit 1) newest,
    jsonb_array_elements(newest.touches) t
$$;

/*
 * Takes what is due, at most p_limit of each tenant, earliest first, each tenant by its own clock, and keeps it
 * for p_lease of real time. A touch whose worker was lost comes back when its lease has lapsed. Two scans at
 * once never take the same touch. Runs as the system role, in the transaction that enqueues the jobs.
 */
create function touchpoint_due(p_limit int, p_lease interval) returns table (tenant_id uuid, touchpoint_id uuid)
language plpgsql volatile as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp(); -- read once: an index cannot be asked for a moving instant
  v_tenants uuid[];
  v_ids uuid[];
begin
  with due as (
    select d.tenant_id, d.id
    from tenant t
    cross join lateral (
      select p.tenant_id, p.id from touchpoint p
      where p.tenant_id = t.id and p.state = 'PLANNED' and p.due_at <= coalesce(t.clock_at, now())
      order by p.due_at, p.id
      limit p_limit
      for no key update skip locked
    ) d
  ), lapsed as (
    select p.tenant_id, p.id from touchpoint p
    where p.state = 'CLAIMED' and p.claimed_until <= v_now
    order by p.claimed_until
    limit p_limit
    for no key update skip locked
  )
  select array_agg(d.tenant_id), array_agg(d.id) into v_tenants, v_ids
  from (select * from due union all select * from lapsed) d;
  -- By arrays: joined to the lists above, the update would be planned as a scan of every touch.
  return query
  update touchpoint p set state = 'CLAIMED', claimed_until = v_now + p_lease
  from unnest(v_tenants, v_ids) d (tenant_id, id)
  where p.tenant_id = d.tenant_id and p.id = d.id
  returning p.tenant_id, p.id;
end $$;

-- ── What was decided ─────────────────────────────────────────────────────────────────────────────
-- The functions of this part are given a touch that their caller has locked.

/* Stores a decision about the present channel of a touch, or counts it up; the newest word stands. */
create function touch_decide(
  p_touch touchpoint, p_decision text, p_reason text, p_until timestamptz, p_detail jsonb
) returns touch_decision language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_touch.tenant_id);
  v_decision touch_decision;
begin
  insert into touch_decision as d (tenant_id, touchpoint_id, channel, decision, reason, until, since, at, detail)
  values (p_touch.tenant_id, p_touch.id, p_touch.channel, p_decision, p_reason, p_until, v_now, v_now,
          coalesce(nullif(p_detail, 'null'), '{}'))
  on conflict (tenant_id, touchpoint_id, channel, reason) do update set
    decision = excluded.decision, until = excluded.until, at = excluded.at, times = d.times + 1,
    detail = excluded.detail
  returning * into v_decision;
  return v_decision;
end $$;

/* Ends a touch, once, and announces it. */
create function touchpoint_close(p_touch touchpoint, p_state text, p_reason text) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_touch.tenant_id);
begin
  update touchpoint t set state = p_state, settled_at = v_now, claimed_until = null, not_sent_reason = p_reason
  where t.tenant_id = p_touch.tenant_id and t.id = p_touch.id;
  perform announce('touchpoint.settled', p_touch.member_id, jsonb_build_object('touchpoint', p_touch.id), v_now);
  return jsonb_build_object('is', 'settled');
end $$;

/* Announces that a delivery came to an end. */
create function delivery_announce(p_delivery delivery) returns void language sql as $$
  select announce('delivery.settled', p_delivery.member_id,
    jsonb_build_object('delivery', p_delivery.id, 'touchpoint', p_delivery.touchpoint_id,
                       'channel', p_delivery.channel, 'state', p_delivery.state), p_delivery.settled_at)
$$;

/*
 * Gives up what is still under way through the present channel: at these addresses, or at all when null. Where
 * something may have arrived, nobody can tell: a possible miss.
 */
create function deliveries_abandon(p_touch touchpoint, p_deliveries uuid[]) returns void language plpgsql as $$
declare
  v_delivery delivery;
begin
  for v_delivery in
    update delivery d set
      state = case when d.state = 'CLAIMED' or d.unknown is not null then 'UNKNOWN' else 'CANCELLED' end,
      doubt = case when d.state = 'CLAIMED' or d.unknown is not null then coalesce(d.doubt, 'POSSIBLE_MISS') end,
      claimed_until = null, due_at = null, settled_at = tenant_now(d.tenant_id)
    where d.tenant_id = p_touch.tenant_id and d.touchpoint_id = p_touch.id and d.channel = p_touch.channel
      and d.state in ('CLAIMED', 'WAITING') and (p_deliveries is null or d.id = any (p_deliveries))
    returning d.*
  loop
    perform delivery_announce(v_delivery);
  end loop;
end $$;

/* The channel that comes after the present one; null when none is left. */
create function touch_next_channel(p_touch touchpoint) returns text language sql immutable as
$$ select p_touch.channels[array_position(p_touch.channels, p_touch.channel) + 1] $$;

/*
 * What a touch is once nothing of its present channel is under way. Where anything was accepted it was; else where
 * nobody can tell, nobody can, and no other channel is tried. Else nothing arrived: p_reason says why not this way,
 * and the next channel is tried, unless p_is_over. Answers {"is": "moved", "channel"} or {"is": "settled"}.
 */
create function touch_conclude(p_touch touchpoint, p_reason text, p_detail jsonb, p_is_over boolean) returns jsonb
language plpgsql as $$
declare
  v_accepted boolean;
  v_unknown boolean;
  v_refused boolean;
  v_next text := touch_next_channel(p_touch);
begin
  select coalesce(bool_or(d.state in ('ACCEPTED', 'DELIVERED')), false), coalesce(bool_or(d.state = 'UNKNOWN'), false),
         coalesce(bool_or(d.state = 'REFUSED'), false)
  into v_accepted, v_unknown, v_refused
  from delivery d where d.tenant_id = p_touch.tenant_id and d.touchpoint_id = p_touch.id;
  if v_accepted or v_unknown then
    if p_reason <> 'PROVIDER' then
      perform touch_decide(p_touch, 'NOT_SENT', p_reason, null, p_detail);
    end if;
    return touchpoint_close(p_touch, case when v_accepted then 'ACCEPTED' else 'UNKNOWN' end, null);
  elsif v_next is not null and not p_is_over then
    perform touch_decide(p_touch, 'NEXT_CHANNEL', p_reason, null, p_detail);
    update touchpoint t set channel = v_next, state = 'PLANNED', claimed_until = null,
                            due_at = tenant_now(t.tenant_id)
    where t.tenant_id = p_touch.tenant_id and t.id = p_touch.id;
    return jsonb_build_object('is', 'moved', 'channel', v_next);
  end if;
  perform touch_decide(p_touch, 'NOT_SENT', p_reason, null, p_detail);
  if v_refused then
    return touchpoint_close(p_touch, 'REFUSED', null);
  end if;
  -- Of several channels the reason that tells most: what concerns the member before what concerns the way.
  return touchpoint_close(p_touch, 'NOT_SENT', case when p_is_over then p_reason else (
    select d.reason from touch_decision d
    where d.tenant_id = p_touch.tenant_id and d.touchpoint_id = p_touch.id
      and d.decision in ('NEXT_CHANNEL', 'NOT_SENT')
    order by array_position(array['NO_CONSENT', 'SUPPRESSED', 'PAUSED', 'IGNORED', 'STAGE_POLICY', 'FREQUENCY_CAP',
      'TOO_SOON', 'OUTRANKED', 'QUIET_HOURS', 'CONTENT', 'PROVIDER', 'QUOTA', 'CIRCUIT_OPEN', 'CHANNEL_DISABLED',
      'UNREACHABLE', 'CHANNEL_MISSING'], d.reason), d.id
    limit 1) end);
end $$;

/* Decides that a touch does not go through its present channel, and why; p_is_over: through no other either. */
create function touch_pass(p_touch touchpoint, p_reason text, p_detail jsonb, p_is_over boolean default false)
returns jsonb language plpgsql as $$
begin
  perform deliveries_abandon(p_touch, null);
  return touch_conclude(p_touch, p_reason, p_detail, p_is_over);
end $$;

/*
 * Puts a touch off (DEFERRED) or keeps it (HELD) until p_until; everything is looked at anew then. A touch that will
 * have expired by then does not go this way. Nor does one that the channel itself kept waiting for too long
 * (p_is_of_channel): a day where another channel remains, three days where none does and it never expires.
 * Announced once for each channel and reason. Answers {"is": "put_off"}, or what became of it instead.
 */
create function touch_put_off(
  p_touch touchpoint, p_decision text, p_reason text, p_until timestamptz, p_detail jsonb, p_is_of_channel boolean
) returns jsonb language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_touch.tenant_id);
  v_until timestamptz := greatest(p_until, v_now + interval '1 second');
  v_patience interval := case when touch_next_channel(p_touch) is not null then interval '1 day'
    when p_touch.expires_at is null then interval '3 days' end;
  v_decision touch_decision;
begin
  if v_until >= p_touch.expires_at then
    return touch_pass(p_touch, p_reason, p_detail);
  elsif p_is_of_channel and v_until - coalesce(
      (select d.since from touch_decision d
       where d.tenant_id = p_touch.tenant_id and d.touchpoint_id = p_touch.id and d.channel = p_touch.channel
         and d.reason = p_reason), v_now) > v_patience then
    return touch_pass(p_touch, p_reason, p_detail);
  end if;
  v_decision := touch_decide(p_touch, p_decision, p_reason, v_until, p_detail);
  update touchpoint t set state = 'PLANNED', due_at = v_until, claimed_until = null
  where t.tenant_id = p_touch.tenant_id and t.id = p_touch.id;
  if v_decision.times = 1 then
    perform announce('touchpoint.put_off', p_touch.member_id,
      jsonb_build_object('touchpoint', p_touch.id, 'reason', p_reason), v_now);
  end if;
  return jsonb_build_object('is', 'put_off');
end $$;

-- ── Delivering ───────────────────────────────────────────────────────────────────────────────────

/*
 * A touch, locked, that may be worked on through p_channel now. Else is_not: not_found, settled, not_due, busy (an
 * attempt is running), or moved {channel} when it stands at another channel by now.
 */
create function touchpoint_take(p_touchpoint uuid, p_channel text, out touch touchpoint, out is_not jsonb)
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  select * into touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint for no key update;
  is_not := case
    when touch.id is null then jsonb_build_object('is', 'not_found', 'what', 'Touchpoint')
    when touch.settled_at is not null then jsonb_build_object('is', 'settled')
    when touch.due_at > tenant_now(v_tenant) then jsonb_build_object('is', 'not_due')
    when touch.channel <> p_channel then jsonb_build_object('is', 'moved', 'channel', touch.channel)
    when exists (
      select from delivery d
      where d.tenant_id = v_tenant and d.touchpoint_id = p_touchpoint and d.claimed_until > clock_timestamp())
      then jsonb_build_object('is', 'busy')
  end;
end $$;

/*
 * Decides that a touch does not go through a channel, for a reason that the caller found, such as CONTENT. Outcomes:
 * moved {channel}, settled, and those of touchpoint_take.
 */
create function touchpoint_pass(p_touchpoint uuid, p_channel text, p_reason text, p_detail jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_taken record;
  v_touch touchpoint;
begin
  select * into v_taken from touchpoint_take(p_touchpoint, p_channel);
  v_touch := v_taken.touch;
  if v_taken.is_not is not null then
    return v_taken.is_not;
  end if;
  return touch_pass(v_touch, p_reason, p_detail);
end $$;

/*
 * Keeps a touch for p_for, because its channel cannot be used as it is; where there is no such channel at all
 * (CHANNEL_MISSING) and another one remains, that is tried. Outcomes: put_off, moved {channel}, settled, and those of
 * touchpoint_take.
 */
create function touchpoint_hold(
  p_touchpoint uuid, p_channel text, p_reason text, p_for interval, p_detail jsonb
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_taken record;
  v_touch touchpoint;
begin
  select * into v_taken from touchpoint_take(p_touchpoint, p_channel);
  v_touch := v_taken.touch;
  if v_taken.is_not is not null then
    return v_taken.is_not;
  elsif p_reason = 'CHANNEL_MISSING' and touch_next_channel(v_touch) is not null then
    return touch_pass(v_touch, p_reason, p_detail);
  end if;
  return touch_put_off(v_touch, 'HELD', p_reason, tenant_now(v_touch.tenant_id) + p_for, p_detail, true);
end $$;

/*
 * Calls a touch off. Outcomes: done, settled (it came to an end before), busy (it is being sent), not_found. What may
 * have arrived by then leaves it UNKNOWN.
 */
create function touchpoint_cancel(p_touchpoint uuid, p_detail jsonb default '{}') returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_touch touchpoint;
begin
  select * into v_touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint for no key update;
  if v_touch.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'touchpoint');
  elsif v_touch.settled_at is not null then
    return jsonb_build_object('is', 'settled', 'state', v_touch.state);
  elsif exists (
      select from delivery d
      where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.claimed_until > clock_timestamp()) then
    return jsonb_build_object('is', 'busy');
  end if;
  perform deliveries_abandon(v_touch, null);
  perform touch_decide(v_touch, 'NOT_SENT', 'CANCELLED', null, p_detail);
  perform touchpoint_close(v_touch, case
    when exists (select from delivery d
                 where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.state in ('ACCEPTED', 'DELIVERED'))
      then 'ACCEPTED'
    when exists (select from delivery d
                 where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.state = 'UNKNOWN') then 'UNKNOWN'
    else 'CANCELLED' end, null);
  return jsonb_build_object('is', 'done');
end $$;

/*
 * Claims a touch for one attempt through p_channel, for p_lease of real time, and writes a delivery for each address;
 * committed before the channel is called. Everything that can speak against it is asked here, in the transaction that
 * claims, the members one at a time: the membership, the life of the message, pauses, consent, addresses and
 * suppression, the tenant's contact policy, and last the channel itself; each decision not to send is stored.
 * p_kind: which addresses the channel uses; p_is_own: the member is the address. p_content is what is to be said;
 * deliveries that exist keep what they have, and their addresses.
 * Outcomes: claimed {deliveries: [{delivery, key, fence, attempt, content, address, unknown, first_attempt_at,
 * is_reply, reply_token}]}, where unknown is the last outcome that nobody could tell, {"is": "unknown", "evidence": "crash"} when a worker was
 * lost, null when there was none; put_off, moved {channel}, settled; not_due, busy, not_found.
 */
create function touchpoint_claim(
  p_touchpoint uuid, p_channel text, p_kind text, p_is_own boolean, p_content jsonb, p_lease interval
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_until timestamptz := clock_timestamp() + p_lease;
  v_taken record;
  v_touch touchpoint;
  v_answer jsonb;
  v_reason text;
  v_is_new boolean;
  v_lost uuid[];
  v_places jsonb;
  v_suppressed text;
  v_deliveries jsonb;
begin
  select * into v_taken from touchpoint_take(p_touchpoint, p_channel);
  v_touch := v_taken.touch;
  if v_taken.is_not is not null then
    return v_taken.is_not;
  end if;
  -- Of two touches of one member the second sees what the first did.
  perform pg_advisory_xact_lock(hashtextextended(v_tenant::text || v_touch.member_id::text, 7));
  perform from member m
  where m.tenant_id = v_tenant and m.id = v_touch.member_id and m.membership <> 'ENDED' for share;
  if not found then
    return touch_pass(v_touch, 'MEMBERSHIP_ENDED', null, true);
  elsif v_touch.expires_at <= v_now then
    return touch_pass(v_touch, 'EXPIRED', null, true);
  end if;

  v_answer := touches_paused(v_touch.member_id, v_touch.purpose);
  if v_answer ->> 'until' is not null then
    return touch_put_off(v_touch, 'DEFERRED', 'PAUSED', (v_answer ->> 'until')::timestamptz, v_answer - 'until', false);
  elsif v_answer is not null then
    return touch_pass(v_touch, 'PAUSED', v_answer - 'until', true);
  end if;

  v_reason := consent_missing(v_touch.member_id, v_touch.purpose, p_channel, p_kind);
  if v_reason is not null then
    return touch_pass(v_touch, v_reason, null);
  end if;

  if p_is_own then
    v_places := jsonb_build_array(jsonb_build_object('id', null, 'value', v_touch.member_id, 'identity', null));
  else
    select jsonb_agg(jsonb_build_object('id', a.address_id, 'value', a.value, 'identity', a.identity))
             filter (where a.suppressed is null),
           min(a.suppressed)
    into v_places, v_suppressed
    from addresses_for(v_touch.member_id, p_channel, p_kind, v_touch.purpose) a
    where v_touch.address_id is null or a.address_id = v_touch.address_id;
  end if;
  v_is_new := not exists (
    select from delivery d where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = p_channel);
  if v_places is null then
    return touch_pass(v_touch, case when v_suppressed is null then 'UNREACHABLE' else 'SUPPRESSED' end,
                      jsonb_strip_nulls(jsonb_build_object('suppressed', v_suppressed)));
  elsif not v_is_new then
    -- An address that went, or may not be used any more, is not tried again.
    select array_agg(d.id) into v_lost from delivery d
    where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = p_channel
      and d.state in ('CLAIMED', 'WAITING') and not exists (
        select from jsonb_array_elements(v_places) p where (p ->> 'id')::uuid is not distinct from d.address_id);
    if v_lost is not null then
      perform deliveries_abandon(v_touch, v_lost);
      v_answer := touch_continue(v_touch, case when v_suppressed is null then 'UNREACHABLE' else 'SUPPRESSED' end,
                                 jsonb_strip_nulls(jsonb_build_object('suppressed', v_suppressed)));
      if v_answer ->> 'is' <> 'due' then
        return v_answer;
      end if;
    end if;
  end if;

  v_answer := contact_refusal(v_touch.id, p_channel, v_now);
  if v_answer ->> 'until' is not null then
    return touch_put_off(v_touch, 'DEFERRED', v_answer ->> 'reason', (v_answer ->> 'until')::timestamptz,
                         v_answer -> 'detail', false);
  elsif v_answer is not null then
    return touch_pass(v_touch, v_answer ->> 'reason', v_answer -> 'detail');
  end if;
  -- Last, because who is let through to try a channel that rests has to try it.
  v_answer := channel_gate(p_channel, v_now, v_touch.class = 'SERVICE');
  if v_answer ->> 'until' is not null then
    return touch_put_off(v_touch, 'DEFERRED', v_answer ->> 'reason', (v_answer ->> 'until')::timestamptz, null, true);
  elsif v_answer is not null and touch_next_channel(v_touch) is not null then
    return touch_pass(v_touch, v_answer ->> 'reason', null);
  elsif v_answer is not null then
    -- People switched it off, and may switch it on again.
    return touch_put_off(v_touch, 'HELD', v_answer ->> 'reason', v_now + interval '15 minutes', null, true);
  end if;

  if v_is_new then
    insert into delivery (tenant_id, touchpoint_id, member_id, channel, address_id, identity, state, content,
                          first_attempt_at, claimed_until)
    select v_tenant, v_touch.id, v_touch.member_id, p_channel, (p ->> 'id')::uuid, p ->> 'identity', 'CLAIMED',
           p_content, v_now, v_until
    from jsonb_array_elements(v_places) p;
  else
    -- What was reported meanwhile of an attempt whose worker was lost.
    perform delivery_hear(d.id) from delivery d
    where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = p_channel and d.state = 'CLAIMED';
    update delivery d set
      state = 'CLAIMED', attempt = d.attempt + 1, fence = d.fence + 1, claimed_at = clock_timestamp(),
      claimed_until = v_until, due_at = null,
      unknown = case d.state when 'CLAIMED' then '{"is": "unknown", "evidence": "crash"}' else d.unknown end,
      is_reply = d.is_reply and (d.state = 'CLAIMED' or d.unknown is not null)
    where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = p_channel
      and (d.state = 'CLAIMED' or d.state = 'WAITING' and d.due_at <= v_now);
  end if;
  select jsonb_agg(jsonb_build_object('delivery', d.id, 'key', d.key, 'fence', d.fence::text, 'attempt', d.attempt,
      'content', d.content, 'unknown', d.unknown, 'first_attempt_at', d.first_attempt_at, 'address', p -> 'value',
      'is_reply', d.is_reply,
      'reply_token', case d.attempt when 1 then reply_token_take(p_channel, p_kind, d.identity, v_now) end)
    order by d.id)
  into v_deliveries
  from delivery d
  join jsonb_array_elements(v_places) p on (p ->> 'id')::uuid is not distinct from d.address_id
  where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = p_channel and d.state = 'CLAIMED';
  if v_deliveries is null then
    return touch_continue(v_touch, 'PROVIDER', null);
  end if;
  -- Known before it is sent, so that a lost worker's reply is not followed by a message.
  update delivery d set is_reply = true
  from jsonb_array_elements(v_deliveries) c
  where d.tenant_id = v_tenant and d.id = (c ->> 'delivery')::uuid and c ->> 'reply_token' is not null;
  update touchpoint t set state = 'CLAIMED', claimed_until = v_until
  where t.tenant_id = v_tenant and t.id = v_touch.id;
  perform channel_taken(p_channel, jsonb_array_length(v_deliveries));
  return jsonb_build_object('is', 'claimed', 'deliveries', v_deliveries);
end $$;

/*
 * Where a touch stands after something of its present channel ended or was put off: open (an attempt is still
 * running), due (something can be tried now), put_off, or what touch_conclude answers when all is over.
 */
create function touch_continue(p_touch touchpoint, p_reason text, p_detail jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_touch.tenant_id);
  v_running boolean;
  v_due_at timestamptz;
  v_is_final boolean;
begin
  select coalesce(bool_or(d.claimed_until > clock_timestamp()), false),
         min(case d.state when 'CLAIMED' then v_now else d.due_at end),
         coalesce(bool_or(d.state = 'REFUSED' and d.is_final), false)
  into v_running, v_due_at, v_is_final
  from delivery d
  where d.tenant_id = p_touch.tenant_id and d.touchpoint_id = p_touch.id and d.channel = p_touch.channel;
  if v_running then
    return jsonb_build_object('is', 'open');
  elsif v_due_at is null then
    return touch_conclude(p_touch, p_reason, p_detail, v_is_final);
  elsif v_due_at <= v_now then
    return jsonb_build_object('is', 'due');
  end if;
  update touchpoint t set state = 'PLANNED', due_at = v_due_at, claimed_until = null
  where t.tenant_id = p_touch.tenant_id and t.id = p_touch.id;
  return jsonb_build_object('is', 'put_off');
end $$;

/*
 * Books what an attempt came to: p_settlement {state, outcome, doubt, due_at, is_held, is_final, is_well}. state is
 * ACCEPTED, REFUSED, UNKNOWN, or WAITING until due_at. is_well is what the attempt told of the channel, null when
 * nothing. p_kind: which addresses the channel uses. What the outcome suppresses is suppressed.
 * Outcomes: moved {channel}, put_off, settled, or open while other deliveries of the touch are on their way; stale
 * when the fence is not the newest or the attempt was booked already, and then nothing is written; not_found.
 */
create function touchpoint_settle(p_delivery uuid, p_fence bigint, p_kind text, p_settlement jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_state text := p_settlement ->> 'state';
  v_outcome jsonb := p_settlement -> 'outcome';
  v_fault jsonb := v_outcome -> 'fault';
  v_told jsonb := jsonb_strip_nulls(jsonb_build_object('cause', v_fault -> 'cause', 'code', v_fault -> 'code',
                                                       'evidence', v_outcome -> 'evidence'));
  v_touch touchpoint;
  v_delivery delivery;
  v_decision touch_decision;
  v_answer jsonb;
begin
  -- The touch first, as the claim does.
  select t.* into v_touch from touchpoint t
  where t.tenant_id = v_tenant
    and t.id = (select d.touchpoint_id from delivery d where d.tenant_id = v_tenant and d.id = p_delivery)
  for no key update;
  if v_touch.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'Delivery');
  end if;
  update delivery d set
    state = v_state, outcome = v_outcome, provider_id = coalesce(v_outcome ->> 'providerId', d.provider_id),
    cost = coalesce(v_outcome -> 'cost', d.cost), doubt = coalesce(p_settlement ->> 'doubt', d.doubt),
    is_final = coalesce((p_settlement ->> 'is_final')::boolean, false), claimed_until = null,
    unknown = case when v_outcome ->> 'is' = 'unknown' then v_outcome else d.unknown end,
    due_at = case when v_state = 'WAITING' then (p_settlement ->> 'due_at')::timestamptz end,
    accepted_at = case when v_state = 'ACCEPTED' then v_now end,
    settled_at = case when v_state <> 'WAITING' then v_now end
  where d.tenant_id = v_tenant and d.id = p_delivery and d.fence = p_fence and d.state = 'CLAIMED'
  returning * into v_delivery;
  if v_delivery.id is null then
    return jsonb_build_object('is', 'stale');
  end if;
  if v_state = 'WAITING' then
    v_decision := touch_decide(v_touch, case when (p_settlement ->> 'is_held')::boolean then 'HELD' else 'DEFERRED' end,
                               'PROVIDER', v_delivery.due_at, v_told);
    if v_decision.times = 1 then
      perform announce('touchpoint.put_off', v_touch.member_id,
        jsonb_build_object('touchpoint', v_touch.id, 'reason', 'PROVIDER'), v_now);
    end if;
  else
    perform delivery_announce(v_delivery);
  end if;
  v_answer := touch_continue(v_touch, 'PROVIDER', v_told);
  if v_fault -> 'suppress' is not null then
    perform suppress_identity(p_kind, v_delivery.identity,
      case when v_delivery.identity is null or v_fault #>> '{suppress,scope}' = 'memberChannel'
        then 'MEMBER_CHANNEL' else 'ADDRESS' end,
      v_touch.member_id, v_touch.channel,
      case v_fault ->> 'cause' when 'address' then 'GONE' when 'recipient' then 'BLOCKED' else 'PROVIDER' end,
      (v_fault #>> '{suppress,until}')::timestamptz, v_now, v_told || jsonb_build_object('delivery', v_delivery.id));
  end if;
  -- Last, because all attempts of the channel meet here.
  if p_settlement ->> 'is_well' is not null then
    perform channel_result(v_delivery.channel, (p_settlement ->> 'is_well')::boolean, v_now);
  end if;
  return v_answer;
end $$;

/* What was held for a channel until people see to it is looked at again as soon as they have. */
create function touches_of_channel_set() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update touchpoint t set due_at = tenant_now(new.tenant_id)
  from touch_decision d
  where d.tenant_id = new.tenant_id and d.channel = new.channel and d.decision = 'HELD'
    and t.tenant_id = d.tenant_id and t.id = d.touchpoint_id and t.channel = d.channel and t.state = 'PLANNED'
    and t.due_at = d.until and t.due_at > tenant_now(new.tenant_id);
  return null;
end $$;
create trigger touches_of_channel_set after insert or update of revision on channel_setting
  for each row when (new.is_enabled) execute function touches_of_channel_set();

grant execute on function
  touchpoint_plan(uuid, text[], text, jsonb, timestamptz, text, text, timestamptz, int, jsonb),
  touchpoint_pass(uuid, text, text, jsonb),
  touchpoint_hold(uuid, text, text, interval, jsonb),
  touchpoint_cancel(uuid, jsonb),
  touchpoint_claim(uuid, text, text, boolean, jsonb, interval),
  touchpoint_settle(uuid, bigint, text, jsonb) to engawa_app;
grant execute on function touchpoint_due(int, interval) to engawa_system;
