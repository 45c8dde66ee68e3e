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
  not_sent_reason text check (not_sent_reason ~ '^[A-Z_]+$'),
  /* Real time: until when a worker or a queued job has it for itself. */
  claimed_until   timestamptz,
  primary key (tenant_id, id),
  /* One row per member, touch and occurrence, whatever is retried or raced. */
  unique (tenant_id, member_id, purpose, source_type, source_id, occurrence),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
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
  doubt            text check (doubt in ('POSSIBLE_MISS', 'POSSIBLE_DUPLICATE')),
  provider_id      text,
  /* By the tenant's clock. */
  first_attempt_at timestamptz not null,
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
  check ((state = 'CLAIMED') = (claimed_until is not null)),
  check ((state in ('CLAIMED', 'WAITING')) = (settled_at is null)),
  check (state not in ('ACCEPTED', 'DELIVERED') or accepted_at is not null)
) with (fillfactor = 85);
/* What a member got through a channel, by time. Of the channel inbox, an accepted delivery is the item. */
create index delivery_of_member on delivery (tenant_id, member_id, channel, accepted_at, id);
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
    'OUTRANKED', 'QUOTA', 'CIRCUIT_OPEN', 'CHANNEL_DISABLED', 'CHANNEL_MISSING', 'CONTENT', 'EXPIRED',
    'MEMBERSHIP_ENDED', 'PROVIDER', 'CANCELLED')),
  /* Until when it was put off. */
  until         timestamptz,
  /* When it was last decided, by the tenant's clock, and how often. */
  at            timestamptz not null,
  times         int not null default 1 check (times >= 1),
  /* Facts of the reason: ids, codes and numbers; no personal data. */
  detail        jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
  primary key (tenant_id, id),
  unique (tenant_id, touchpoint_id, channel, reason),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id)
) with (fillfactor = 85);
call protect('touch_decision');
grant select on touch_decision to engawa_app;

/* Stores a decision, or counts it up. The newest word stands. */
create function touch_decide(
  p_touchpoint uuid, p_channel text, p_decision text, p_reason text, p_until timestamptz, p_at timestamptz,
  p_detail jsonb default '{}'
) returns void language sql as $$
  insert into touch_decision as d (tenant_id, touchpoint_id, channel, decision, reason, until, at, detail)
  values (current_tenant(), p_touchpoint, p_channel, p_decision, p_reason, p_until, p_at, coalesce(p_detail, '{}'))
  on conflict (tenant_id, touchpoint_id, channel, reason) do update set
    decision = excluded.decision, until = excluded.until, at = excluded.at, times = d.times + 1, detail = excluded.detail
$$;

/*
 * Plans one touch, once per (member, purpose, source, occurrence): repeated or raced, the first row stands and
 * its id is returned. p_channels is the order in which channels are tried. p_due_at is by the tenant's clock;
 * p_at is when it was decided, and dates the event. p_options: priority (0 to 100), expires_at, intent, wish.
 */
create function touchpoint_plan(
  p_member uuid, p_channels text[], p_purpose text, p_content jsonb, p_due_at timestamptz, p_source_type text,
  p_source_id text, p_at timestamptz, p_occurrence int default 1, p_options jsonb default '{}'
) returns uuid language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_id uuid;
begin
  insert into touchpoint (tenant_id, member_id, channels, channel, purpose, content, planned_at, due_at, source_type,
                          source_id, occurrence, priority, expires_at, intent, wish)
  values (v_tenant, p_member, p_channels, p_channels[1], p_purpose, p_content, p_due_at, p_due_at, p_source_type,
          p_source_id, p_occurrence, coalesce((p_options ->> 'priority')::int, 50),
          (p_options ->> 'expires_at')::timestamptz, nullif(p_options -> 'intent', 'null'),
          coalesce(p_options ->> 'wish', 'preferMiss'))
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

/* Ends a touch that its caller has locked, once, and announces it. */
create function touchpoint_close(p_touchpoint touchpoint, p_state text, p_reason text) returns void
language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_touchpoint.tenant_id);
begin
  update touchpoint t set state = p_state, settled_at = v_now, claimed_until = null, not_sent_reason = p_reason
  where t.tenant_id = p_touchpoint.tenant_id and t.id = p_touchpoint.id;
  perform announce('touchpoint.settled', p_touchpoint.member_id,
    jsonb_build_object('touchpoint', p_touchpoint.id), v_now);
end $$;

/*
 * Decides that a touch is not sent, and why. An earlier attempt of unknown outcome leaves it UNKNOWN, because
 * something may have arrived. Outcomes: settled, busy (an attempt is running), not_found.
 */
create function touchpoint_decline(p_touchpoint uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_touch touchpoint;
  v_delivery delivery;
begin
  select * into v_touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint for no key update;
  if v_touch.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'Touchpoint');
  elsif v_touch.settled_at is not null then
    return jsonb_build_object('is', 'settled');
  end if;
  select * into v_delivery from delivery d
  where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = v_touch.channel;
  if v_delivery.claimed_until > clock_timestamp() then
    return jsonb_build_object('is', 'busy');
  elsif v_delivery.state = 'CLAIMED' or v_delivery.unknown is not null then
    update delivery d set state = 'UNKNOWN', doubt = coalesce(d.doubt, 'POSSIBLE_MISS'), claimed_until = null,
                          settled_at = tenant_now(v_tenant)
    where d.tenant_id = v_tenant and d.id = v_delivery.id;
    perform touchpoint_close(v_touch, 'UNKNOWN', null);
  else
    update delivery d set state = 'CANCELLED', settled_at = tenant_now(v_tenant)
    where d.tenant_id = v_tenant and d.id = v_delivery.id;
    perform touchpoint_close(v_touch, 'NOT_SENT', p_reason);
  end if;
  return jsonb_build_object('is', 'settled');
end $$;

/*
 * Claims one touch for one attempt, for p_lease of real time, and writes its delivery row. Committed before the
 * channel is called. p_content is what is to be said; a delivery that exists keeps what it has. Outcomes:
 * claimed {delivery, key, fence, attempt, content, unknown, first_attempt_at}; unknown is the last outcome that
 * nobody could tell, {"is": "unknown", "evidence": "crash"} when a worker was lost, null when there was none;
 * settled (nothing left to do, or nothing to be sent any more), not_due, busy, not_found.
 */
create function touchpoint_claim(p_touchpoint uuid, p_content jsonb, p_lease interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_until timestamptz := clock_timestamp() + p_lease;
  v_touch touchpoint;
  v_delivery delivery;
begin
  select * into v_touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint for no key update;
  if v_touch.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'Touchpoint');
  elsif v_touch.settled_at is not null then
    return jsonb_build_object('is', 'settled');
  elsif v_touch.due_at > v_now then
    return jsonb_build_object('is', 'not_due');
  end if;
  select * into v_delivery from delivery d
  where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id and d.channel = v_touch.channel;
  if v_delivery.claimed_until > clock_timestamp() then
    return jsonb_build_object('is', 'busy');
  end if;
  if exists (select from member m
             where m.tenant_id = v_tenant and m.id = v_touch.member_id and m.membership = 'ENDED') then
    return touchpoint_decline(v_touch.id, 'MEMBERSHIP_ENDED');
  end if;
  insert into delivery as d (tenant_id, touchpoint_id, member_id, channel, state, content, first_attempt_at,
                             claimed_until)
  values (v_tenant, v_touch.id, v_touch.member_id, v_touch.channel, 'CLAIMED', p_content, v_now, v_until)
  on conflict (tenant_id, touchpoint_id, channel, address_id) do update set
    state = 'CLAIMED', attempt = d.attempt + 1, fence = d.fence + 1, claimed_at = clock_timestamp(),
    claimed_until = v_until,
    unknown = case d.state when 'CLAIMED' then '{"is": "unknown", "evidence": "crash"}' else d.unknown end
  returning * into v_delivery;
  update touchpoint t set state = 'CLAIMED', claimed_until = v_until
  where t.tenant_id = v_tenant and t.id = v_touch.id;
  return jsonb_build_object('is', 'claimed', 'delivery', v_delivery.id, 'key', v_delivery.key,
    'fence', v_delivery.fence::text, 'attempt', v_delivery.attempt, 'content', v_delivery.content,
    'unknown', v_delivery.unknown, 'first_attempt_at', v_delivery.first_attempt_at);
end $$;

/*
 * Books what an attempt came to. p_state is ACCEPTED, REFUSED or UNKNOWN, which settle the touch, or WAITING,
 * which puts it off until p_due_at. Outcomes: done; stale when the fence is not the newest or the attempt was
 * booked already, and then nothing is written; not_found.
 */
create function touchpoint_settle(
  p_delivery uuid, p_fence bigint, p_state text, p_outcome jsonb, p_provider_id text, p_doubt text,
  p_due_at timestamptz
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_touch touchpoint;
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
    state = p_state, outcome = p_outcome, provider_id = coalesce(p_provider_id, d.provider_id),
    doubt = coalesce(p_doubt, d.doubt), claimed_until = null,
    unknown = case when p_outcome ->> 'is' = 'unknown' then p_outcome else d.unknown end,
    accepted_at = case when p_state = 'ACCEPTED' then v_now end,
    settled_at = case when p_state <> 'WAITING' then v_now end
  where d.tenant_id = v_tenant and d.id = p_delivery and d.fence = p_fence and d.state = 'CLAIMED';
  if not found then
    return jsonb_build_object('is', 'stale');
  end if;
  if p_state = 'WAITING' then
    update touchpoint t set state = 'PLANNED', due_at = p_due_at, claimed_until = null
    where t.tenant_id = v_tenant and t.id = v_touch.id;
  else
    perform touchpoint_close(v_touch, p_state, null);
  end if;
  return jsonb_build_object('is', 'done');
end $$;

/*
 * Each member's next touch, or why there is none (MEMBERSHIP_ENDED, NOTHING_PLANNED); one row per member of
 * p_members that the tenant knows. Exactly one of touchpoint_id and reason is null.
 */
create function next_touch(p_members uuid[]) returns table (
  member_id uuid, reason text, touchpoint_id uuid, channel text, purpose text, state text,
  planned_at timestamptz, due_at timestamptz
) language sql stable as $$
  select m.id,
    case when m.membership = 'ENDED' then 'MEMBERSHIP_ENDED' when t.id is null then 'NOTHING_PLANNED' end,
    t.id, t.channel, t.purpose, t.state, t.planned_at, t.due_at
  from member m
  left join lateral (
    select * from touchpoint p
    where p.tenant_id = m.tenant_id and p.member_id = m.id and p.settled_at is null and m.membership <> 'ENDED'
    order by p.due_at, p.id
    limit 1
  ) t on true
  where m.tenant_id = (select app_tenant()) and m.id = any (p_members)
$$;

grant execute on function
  touchpoint_plan(uuid, text[], text, jsonb, timestamptz, text, text, timestamptz, int, jsonb),
  touchpoint_decline(uuid, text),
  touchpoint_claim(uuid, jsonb, interval),
  touchpoint_settle(uuid, bigint, text, jsonb, text, text, timestamptz),
  next_touch(uuid[]) to engawa_app;
grant execute on function touchpoint_due(int, interval) to engawa_system;
