-- Outgoing webhooks: addresses of integrators, to which the event log is posted, each in the order of the log.

set local role engawa_owner;

create table webhook_endpoint (
  tenant_id       uuid not null references tenant,
  id              uuid not null,
  url             text not null check (length(url) between 1 and 2000),
  description     text check (length(description) between 1 and 200),
  /* The types of events that it wants; null: all of them. */
  types           text[] check (cardinality(types) > 0),
  /* What it may see: the scopes of whoever changed it last. */
  scopes          text[] not null,
  state           text not null default 'ENABLED' check (state in ('ENABLED', 'DISABLED')),
  disabled_reason text check (disabled_reason in ('STAFF', 'GONE')),
  disabled_at     timestamptz,
  created_at      timestamptz not null default clock_timestamp(),
  /* Its place in the log: everything up to here was accepted, was not for it, or is on its failure list. */
  pos             bigint not null check (pos >= 0),
  /* The event, or the failure that is sent again, that is tried now, and how often it was. */
  attempt_of      uuid,
  attempt         int not null default 0 check (attempt >= 0),
  /* From here on real time. When it is looked at next, also when its worker was lost; null: when the log has grown. */
  due_at          timestamptz,
  is_claimed      boolean not null default false,
  /* Goes up with each claim; what a worker books with an older one is refused. */
  fence           bigint not null default 0,
  /* Goes up when staff change what is sent or where to; what failed before that does not count. */
  version         bigint not null default 1,
  /* Goes up when staff take it back in the log; what was sent before that is not booked. */
  rewinds         bigint not null default 0,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  /* What the last failure was: {"fault", "status"}. */
  last_failure    jsonb,
  primary key (tenant_id, id),
  check ((state = 'DISABLED') = (disabled_at is not null) and (state = 'DISABLED') = (disabled_reason is not null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index webhook_endpoint_due on webhook_endpoint (due_at) where state = 'ENABLED' and due_at is not null;
create index webhook_endpoint_idle on webhook_endpoint (tenant_id, pos) where state = 'ENABLED' and due_at is null;
call protect('webhook_endpoint');
-- The worker's look crosses tenants: it may look, and claim.
create policy system on webhook_endpoint to engawa_system using (true) with check (true);
grant select on webhook_endpoint to engawa_app, engawa_system;
grant update (due_at, is_claimed, fence) on webhook_endpoint to engawa_system;

/* What an endpoint's webhooks are signed with: all that have not expired, so that a rotation breaks nothing. */
create table webhook_secret (
  tenant_id   uuid not null references tenant,
  id          uuid not null,
  endpoint_id uuid not null,
  /* Under AES-256-GCM, the key that opens it under the master key of key_id. */
  sealed      bytea not null,
  data_key    bytea not null,
  key_id      text not null,
  created_at  timestamptz not null default clock_timestamp(),
  /* Real time; null for the newest. */
  expires_at  timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references webhook_endpoint (tenant_id, id) on delete cascade
);
create index webhook_secret_of_endpoint on webhook_secret (tenant_id, endpoint_id);
call protect('webhook_secret');
-- The key rotation crosses tenants: it looks for old keys, and wraps data keys anew.
create policy system on webhook_secret to engawa_system using (true) with check (true);
grant select on webhook_secret to engawa_app, engawa_system;
grant update (data_key, key_id) on webhook_secret to engawa_system;

/*
 * What an endpoint did not get: an event that was given up after its last try, kept whole, because the log forgets; or
 * a run of events that the log had forgotten before the endpoint came to them.
 */
create table webhook_failure (
  tenant_id   uuid not null references tenant,
  id          uuid not null default uuid_v7(),
  endpoint_id uuid not null,
  kind        text not null check (kind in ('GIVEN_UP', 'EXPIRED')),
  /* Its place in the log; of a run, the last one. */
  pos         bigint not null,
  events      bigint not null default 1 check (events >= 1),
  event_id    uuid,
  type        text,
  member_id   uuid,
  payload     jsonb,
  at          timestamptz,
  booked_at   timestamptz,
  attempts    int not null default 0,
  /* What the last try came to: {"fault", "status"}. */
  last_failure jsonb,
  /* Real time. */
  failed_at   timestamptz not null default clock_timestamp(),
  /* When somebody asked to have it sent again; null while nobody has. */
  replay_at   timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, endpoint_id, pos),
  foreign key (tenant_id, endpoint_id) references webhook_endpoint (tenant_id, id) on delete cascade,
  check ((kind = 'GIVEN_UP') = (event_id is not null)),
  check (kind = 'GIVEN_UP' or replay_at is null)
);
create index webhook_failure_replay on webhook_failure (tenant_id, endpoint_id, pos) where replay_at is not null;
create index webhook_failure_old on webhook_failure (failed_at);
call protect('webhook_failure');
-- Old ones of all tenants are forgotten together.
create policy system on webhook_failure to engawa_system using (true) with check (true);
grant select on webhook_failure to engawa_app;
grant select, delete on webhook_failure to engawa_system;

-- ── What staff do ────────────────────────────────────────────────────────────────────────────────

create function webhook_secret_add(p_endpoint uuid, p_secret jsonb) returns void language sql as $$
  insert into webhook_secret (tenant_id, id, endpoint_id, sealed, data_key, key_id)
  values (current_tenant(), (p_secret ->> 'id')::uuid, p_endpoint, decode(p_secret ->> 'sealed', 'base64'),
          decode(p_secret ->> 'dataKey', 'base64'), p_secret ->> 'keyId')
$$;

/*
 * Adds an endpoint {"id", "url", "description", "types", "scopes"} that begins with the next event, and its secret
 * {"id", "sealed", "dataKey", "keyId"}. Outcomes: done {endpoint, is_new}, bad_input, key_reused.
 */
create function webhook_endpoint_add(p_key text, p_hash bytea, p_actor text, p_endpoint jsonb, p_secret jsonb)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_id uuid := (p_endpoint ->> 'id')::uuid;
  v_replay jsonb;
begin
  if p_key is not null then
    if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key)
       and webhook_endpoints_full() then
      return webhook_too_many();
    end if;
    select b.replay into v_replay
    from op_begin(p_key, p_hash, 'ADD_WEBHOOK_ENDPOINT', p_actor, tenant_now(v_tenant)) b;
    if v_replay is not null then
      return v_replay;
    end if;
  elsif webhook_endpoints_full() then
    return webhook_too_many();
  end if;
  insert into webhook_endpoint (tenant_id, id, url, description, types, scopes, pos)
  select v_tenant, v_id, e.url, e.description, e.types, e.scopes,
         coalesce((select h.pos from event_head h where h.tenant_id = v_tenant), 0)
  from jsonb_to_record(p_endpoint) e (url text, description text, types text[], scopes text[]);
  perform webhook_secret_add(v_id, p_secret);
  if p_key is not null then
    -- Whoever asks again is told which it was, and not its secret.
    perform op_finish(p_key, jsonb_build_object('is', 'done', 'endpoint', v_id, 'is_new', false));
  end if;
  return jsonb_build_object('is', 'done', 'endpoint', v_id, 'is_new', true);
end $$;

/* Of those who add at once, each sees what the other added: the lock lasts as long as the transaction. */
create function webhook_endpoints_full() returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('webhook_endpoint ' || current_tenant(), 0));
  return (select count(*) >= 100 from webhook_endpoint e where e.tenant_id = current_tenant());
end $$;

create function webhook_too_many() returns jsonb language sql immutable as
$$ select bad_input('input', 'A tenant has at most 100 webhook endpoints; remove one first.') $$;

/* What is answered for an id of nothing. */
create function webhook_not_found(p_what text) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'not_found', 'what', p_what) $$;

/*
 * After staff changed what is sent or where to: a worker that has it stops at its next note, and otherwise it is due
 * at once.
 */
create function webhook_endpoint_changed(p_endpoint uuid) returns void language sql as $$
  update webhook_endpoint e set
    version = e.version + 1, attempt = 0, attempt_of = null,
    due_at = case when e.is_claimed then e.due_at else clock_timestamp() end
  where e.tenant_id = current_tenant() and e.id = p_endpoint
$$;

/* Changes what p_changes names (url, description, types), and the scopes. Outcomes: done {endpoint}, not_found. */
create function webhook_endpoint_update(p_endpoint uuid, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update webhook_endpoint e set
    url = case when p_changes ? 'url' then c.url else e.url end,
    description = case when p_changes ? 'description' then c.description else e.description end,
    types = case when p_changes ? 'types' then c.types else e.types end,
    scopes = c.scopes
  from jsonb_to_record(p_changes) c (url text, description text, types text[], scopes text[])
  where e.tenant_id = current_tenant() and e.id = p_endpoint;
  if not found then
    return webhook_not_found('webhook endpoint');
  end if;
  perform webhook_endpoint_changed(p_endpoint);
  return jsonb_build_object('is', 'done', 'endpoint', p_endpoint);
end $$;

/*
 * Adds a secret; those there were sign along until p_overlap is over, at most four of them. Outcomes: done {endpoint},
 * not_found.
 */
create function webhook_secret_rotate(p_endpoint uuid, p_secret jsonb, p_overlap interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  perform from webhook_endpoint e where e.tenant_id = v_tenant and e.id = p_endpoint for no key update;
  if not found then
    return webhook_not_found('webhook endpoint');
  end if;
  update webhook_secret s set expires_at = clock_timestamp() + p_overlap
  where s.tenant_id = v_tenant and s.endpoint_id = p_endpoint and s.expires_at is null;
  delete from webhook_secret s
  where s.tenant_id = v_tenant and s.endpoint_id = p_endpoint
    and (s.expires_at <= clock_timestamp() or s.id not in (
      select n.id from webhook_secret n where n.tenant_id = v_tenant and n.endpoint_id = p_endpoint
      order by n.created_at desc, n.id desc limit 4));
  perform webhook_secret_add(p_endpoint, p_secret);
  return jsonb_build_object('is', 'done', 'endpoint', p_endpoint);
end $$;

/* Stops an endpoint where it stands. Outcomes: done {endpoint}, not_found. */
create function webhook_endpoint_disable(p_endpoint uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform webhook_endpoint_changed(p_endpoint);
  update webhook_endpoint e set
    state = 'DISABLED', disabled_reason = coalesce(e.disabled_reason, 'STAFF'),
    disabled_at = coalesce(e.disabled_at, clock_timestamp())
  where e.tenant_id = current_tenant() and e.id = p_endpoint;
  if not found then
    return webhook_not_found('webhook endpoint');
  end if;
  return jsonb_build_object('is', 'done', 'endpoint', p_endpoint);
end $$;

/* Lets an endpoint go on from where it stopped; one that waits for its next try is tried now. Outcomes likewise. */
create function webhook_endpoint_enable(p_endpoint uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update webhook_endpoint e set state = 'ENABLED', disabled_reason = null, disabled_at = null
  where e.tenant_id = current_tenant() and e.id = p_endpoint;
  if not found then
    return webhook_not_found('webhook endpoint');
  end if;
  perform webhook_endpoint_changed(p_endpoint);
  return jsonb_build_object('is', 'done', 'endpoint', p_endpoint);
end $$;

/* Forgets an endpoint with its secrets and failures. Outcomes: done {endpoint}, not_found. */
create function webhook_endpoint_remove(p_endpoint uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from webhook_endpoint e where e.tenant_id = current_tenant() and e.id = p_endpoint;
  if not found then
    return webhook_not_found('webhook endpoint');
  end if;
  return jsonb_build_object('is', 'done', 'endpoint', p_endpoint);
end $$;

/*
 * Sends again: these failures, before anything else and in the order of the log; or everything after a position or
 * since an instant of booking, what the log still holds of it. Exactly one of the three is given. Outcomes: done
 * {endpoint}, not_found, bad_input, key_reused.
 */
create function webhook_replay(
  p_key text, p_hash bytea, p_actor text, p_endpoint uuid, p_failures uuid[], p_since timestamptz, p_pos bigint
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_replay jsonb;
  v_expired int;
begin
  if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    perform from webhook_endpoint e where e.tenant_id = v_tenant and e.id = p_endpoint;
    if not found then
      return webhook_not_found('webhook endpoint');
    end if;
    if (select count(*) from webhook_failure f
        where f.tenant_id = v_tenant and f.endpoint_id = p_endpoint and f.id = any (p_failures))
       < (select count(distinct id) from unnest(p_failures) id) then
      return webhook_not_found('webhook failure');
    end if;
    select n - 1 into v_expired from unnest(p_failures) with ordinality g (id, n)
    join webhook_failure f on f.tenant_id = v_tenant and f.id = g.id and f.kind = 'EXPIRED' order by n limit 1;
    if found then
      return bad_input('failures.' || v_expired, 'These events are no longer in the log and cannot be sent again.');
    end if;
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'REPLAY_WEBHOOKS', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  perform webhook_endpoint_changed(p_endpoint); -- locks it as well
  if p_failures is not null then
    update webhook_failure f set replay_at = clock_timestamp()
    where f.tenant_id = v_tenant and f.endpoint_id = p_endpoint and f.id = any (p_failures);
  else
    perform webhook_rewind(p_endpoint, coalesce(p_pos, webhook_pos_before(p_since)));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'endpoint', p_endpoint));
end $$;

/* The position before the first event that was logged at or after an instant; the log's end when there is none. */
create function webhook_pos_before(p_since timestamptz) returns bigint language sql stable as $$
  select coalesce(
    (select l.pos - 1 from event_log l where l.tenant_id = current_tenant() and l.logged_at >= p_since
     order by l.pos limit 1),
    (select h.pos from event_head h where h.tenant_id = current_tenant()), 0)
$$;

/* Takes an endpoint back to a position, never forwards. What it comes by again leaves the failure list. */
create function webhook_rewind(p_endpoint uuid, p_pos bigint) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_floor bigint := webhook_floor();
begin
  update webhook_endpoint e set pos = least(e.pos, greatest(p_pos, v_floor)), rewinds = e.rewinds + 1
  where e.tenant_id = v_tenant and e.id = p_endpoint;
  delete from webhook_failure f
  where f.tenant_id = v_tenant and f.endpoint_id = p_endpoint and f.kind = 'GIVEN_UP'
    and f.pos > greatest(p_pos, v_floor);
end $$;

/* The position before the oldest event that the log still holds; its end when it holds none. */
create function webhook_floor() returns bigint language sql stable as $$
  select coalesce(
    (select l.pos - 1 from event_log l where l.tenant_id = current_tenant() order by l.pos limit 1),
    (select h.pos from event_head h where h.tenant_id = current_tenant()), 0)
$$;

-- ── What the worker does ─────────────────────────────────────────────────────────────────────────

/*
 * Claims endpoints that are due, earliest first, at most p_limit, each for p_lease of real time: those with a try or
 * a backlog to come, those whose worker was lost, and of these tenants (null: of all) those that the log has left
 * behind. Two looks at once never claim the same. Runs as the system role.
 */
create function webhook_due(p_tenants uuid[], p_limit int, p_lease interval)
returns table (tenant_id uuid, endpoint_id uuid, fence bigint) language plpgsql volatile as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp(); -- read once: an index cannot be asked for a moving instant
  v_tenants uuid[];
  v_ids uuid[];
begin
  select array_agg(d.tenant_id), array_agg(d.id) into v_tenants, v_ids
  from (select e.tenant_id, e.id from webhook_endpoint e
        where e.state = 'ENABLED' and e.due_at <= v_now
        order by e.due_at limit p_limit for no key update skip locked) d;
  if coalesce(cardinality(v_ids), 0) < p_limit then
    if p_tenants is null then
      select v_tenants || array_agg(d.tenant_id), v_ids || array_agg(d.id) into v_tenants, v_ids
      from (select e.tenant_id, e.id from webhook_endpoint e join event_head h on h.tenant_id = e.tenant_id
            where e.state = 'ENABLED' and e.due_at is null and e.pos < h.pos
            limit p_limit - coalesce(cardinality(v_ids), 0) for no key update of e skip locked) d;
    else
      select v_tenants || array_agg(d.tenant_id), v_ids || array_agg(d.id) into v_tenants, v_ids
      from (select e.tenant_id, e.id from webhook_endpoint e join event_head h on h.tenant_id = e.tenant_id
            where e.tenant_id = any (p_tenants) and e.state = 'ENABLED' and e.due_at is null and e.pos < h.pos
            limit p_limit - coalesce(cardinality(v_ids), 0) for no key update of e skip locked) d;
    end if;
  end if;
  -- By arrays: joined to the lists above, the update would be planned as a scan of every endpoint.
  return query
  update webhook_endpoint e set is_claimed = true, due_at = v_now + p_lease, fence = e.fence + 1
  from unnest(v_tenants, v_ids) d (tenant_id, id)
  where e.tenant_id = d.tenant_id and e.id = d.id
  returning e.tenant_id, e.id, e.fence;
end $$;

/*
 * What a claimed endpoint is to be sent next, at most p_limit: failures that somebody wants sent again, else the
 * events after its place that it wants and may see. p_facts is {type: scope} of every type there is. Holds the claim for
 * p_lease more. Outcomes: taken {url, version, rewinds, attempt, items, until,
 * secrets}, where items are all there is up to the
 * position `until`; more (nothing so far: ask again); idle (nothing, and the claim is given back); stale (somebody else
 * has it).
 */
create function webhook_take(p_endpoint uuid, p_fence bigint, p_facts jsonb, p_limit int, p_lease interval)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_window constant int := 1000;
  v_endpoint webhook_endpoint;
  v_types text[];
  v_items jsonb;
  v_pos bigint;
  v_until bigint;
  v_floor bigint;
  v_head bigint := 0;
begin
  select * into v_endpoint from webhook_endpoint e
  where e.tenant_id = v_tenant and e.id = p_endpoint and e.fence = p_fence and e.is_claimed for no key update;
  if v_endpoint.id is null then
    return jsonb_build_object('is', 'stale');
  end if;
  v_pos := v_endpoint.pos;
  v_until := v_pos;
  if v_endpoint.state = 'ENABLED' then
    -- What is sent again lies before its place, so it comes first.
    select jsonb_agg(to_jsonb(f) order by f.pos::bigint) into v_items
    from (select f.id, f.event_id as event, f.pos::text, f.type, f.member_id as member, f.payload, f.at,
                 f.booked_at as "bookedAt", true as "isReplay"
          from webhook_failure f
          where f.tenant_id = v_tenant and f.endpoint_id = p_endpoint and f.replay_at is not null
          order by f.pos limit p_limit) f;
  end if;
  if v_endpoint.state = 'ENABLED' and v_items is null then
    v_head := coalesce((select h.pos from event_head h where h.tenant_id = v_tenant), 0);
    -- Asking for the oldest event locks every part of the log, so that none is dropped before this is over.
    v_floor := webhook_floor();
    if v_floor > v_pos then
      insert into webhook_failure (tenant_id, endpoint_id, kind, pos, events)
      values (v_tenant, p_endpoint, 'EXPIRED', v_floor, v_floor - v_pos)
      on conflict (tenant_id, endpoint_id, pos) do nothing;
      v_pos := v_floor;
      v_until := v_floor;
    end if;
    select array_agg(t.type) into v_types from jsonb_each_text(p_facts) t (type, scope)
    where (v_endpoint.types is null or t.type = any (v_endpoint.types))
      and (t.scope = any (v_endpoint.scopes) or '*' = any (v_endpoint.scopes));
    for v_look in 1..20 loop
      exit when v_items is not null or v_until >= v_head;
      select jsonb_agg(to_jsonb(l) order by l.pos::bigint),
             case when count(*) = p_limit then max(l.pos::bigint) else least(v_until + v_window, v_head) end
      into v_items, v_until
      from (select l.id, l.id as event, l.pos::text, l.type, l.member_id as member, l.payload, l.at,
                   l.booked_at as "bookedAt", false as "isReplay"
            from event_log l
            where l.tenant_id = v_tenant and l.pos > v_until and l.pos <= least(v_until + v_window, v_head)
              and l.type = any (v_types)
            order by l.pos limit p_limit) l;
    end loop;
    if v_items is null then
      v_pos := v_until;
    end if;
  end if;
  update webhook_endpoint e set
    pos = v_pos,
    is_claimed = v_items is not null or v_until < v_head,
    due_at = case when v_items is not null or v_until < v_head then clock_timestamp() + p_lease end
  where e.tenant_id = v_tenant and e.id = p_endpoint;
  if v_items is null then
    return jsonb_build_object('is', case when v_until < v_head then 'more' else 'idle' end);
  end if;
  return jsonb_build_object('is', 'taken', 'url', v_endpoint.url, 'version', v_endpoint.version::text,
    'rewinds', v_endpoint.rewinds::text, 'items', v_items, 'until', v_until::text,
    'attempt', case when v_endpoint.attempt_of = (v_items #>> '{0,id}')::uuid then v_endpoint.attempt else 0 end,
    'secrets', (
      select jsonb_agg(jsonb_build_object('id', s.id, 'sealed', encode(s.sealed, 'base64'),
                                          'dataKey', encode(s.data_key, 'base64'), 'keyId', s.key_id)
                       order by s.created_at desc, s.id desc)
      from webhook_secret s
      where s.tenant_id = v_tenant and s.endpoint_id = p_endpoint
        and (s.expires_at is null or s.expires_at > clock_timestamp())));
end $$;

/*
 * Books what was sent. p_done is {"version", "rewinds", "pos", "replayed", "isSuccess", "failure",
 * "isOver"}: what webhook_take said of the first two; the position up to which all
 * is done, or null; the failures that were accepted when they were sent again; whether anything was accepted; and what
 * went wrong last, {"item", "fault", "attempt", "follows", "waitMs"}, or null. `follows` is RETRY (put off by waitMs),
 * GIVE_UP (onto the failure list), or DISABLE. Otherwise the claim is kept for p_lease, unless isOver. Outcomes: done;
 * changed (staff changed the endpoint since the version and rewinds of p_done: what was accepted is booked unless they
 * took it back, a try in vain is not, and the claim is given back); stale (somebody else has it).
 */
create function webhook_settle(p_endpoint uuid, p_fence bigint, p_done jsonb, p_lease interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := clock_timestamp();
  v_endpoint webhook_endpoint;
  v_failure jsonb := nullif(p_done -> 'failure', 'null');
  v_follows text := v_failure ->> 'follows';
  v_is_changed boolean;
begin
  select * into v_endpoint from webhook_endpoint e
  where e.tenant_id = v_tenant and e.id = p_endpoint and e.fence = p_fence and e.is_claimed for no key update;
  if v_endpoint.id is null then
    return jsonb_build_object('is', 'stale');
  end if;
  v_is_changed := v_endpoint.version <> (p_done ->> 'version')::bigint;
  if v_endpoint.rewinds <> (p_done ->> 'rewinds')::bigint then
    update webhook_endpoint e set is_claimed = false, due_at = v_now
    where e.tenant_id = v_tenant and e.id = p_endpoint;
    return jsonb_build_object('is', 'changed');
  elsif v_is_changed and (v_follows <> 'GIVE_UP' or (v_failure #>> '{item,isReplay}')::boolean) then
    v_failure := null;
    v_follows := null;
  end if;
  delete from webhook_failure f
  where f.tenant_id = v_tenant and f.endpoint_id = p_endpoint
    and f.id in (select r::uuid from jsonb_array_elements_text(p_done -> 'replayed') r);
  if v_follows = 'GIVE_UP' then
    perform webhook_give_up(p_endpoint, v_failure);
  end if;
  update webhook_endpoint e set
    pos = coalesce((p_done ->> 'pos')::bigint, e.pos),
    -- A turn that ended before its first try leaves the count as it was.
    attempt = case when v_follows = 'RETRY' then (v_failure ->> 'attempt')::int
                   when v_follows is not null or (p_done ->> 'isSuccess')::boolean then 0 else e.attempt end,
    attempt_of = case when v_follows = 'RETRY' then (v_failure #>> '{item,id}')::uuid
                      when v_follows is null and not (p_done ->> 'isSuccess')::boolean then e.attempt_of end,
    is_claimed = v_follows is distinct from 'RETRY' and v_follows is distinct from 'DISABLE'
      and not (p_done ->> 'isOver')::boolean and not v_is_changed,
    due_at = case
      when v_follows = 'RETRY' then v_now + (v_failure ->> 'waitMs')::bigint * interval '1 ms'
      when v_follows = 'DISABLE' then null
      when (p_done ->> 'isOver')::boolean or v_is_changed then v_now
      else v_now + p_lease end,
    state = case when v_follows = 'DISABLE' then 'DISABLED' else e.state end,
    disabled_reason = case when v_follows = 'DISABLE' then 'GONE' else e.disabled_reason end,
    disabled_at = case when v_follows = 'DISABLE' then v_now else e.disabled_at end,
    last_success_at = case when (p_done ->> 'isSuccess')::boolean then v_now else e.last_success_at end,
    last_failure_at = case when v_failure is null then e.last_failure_at else v_now end,
    last_failure = coalesce(v_failure -> 'fault', e.last_failure)
  where e.tenant_id = v_tenant and e.id = p_endpoint;
  return jsonb_build_object('is', case when v_is_changed then 'changed' else 'done' end);
end $$;

/* Puts an item onto the failure list, or back onto it. */
create function webhook_give_up(p_endpoint uuid, p_failure jsonb) returns void language plpgsql as $$
begin
  insert into webhook_failure as f (tenant_id, endpoint_id, kind, pos, event_id, type, member_id, payload, at, booked_at,
                                    attempts, last_failure)
  select current_tenant(), p_endpoint, 'GIVEN_UP', i.pos, i.event, i.type, i.member, i.payload, i.at, i."bookedAt",
         (p_failure ->> 'attempt')::int, p_failure -> 'fault'
  from jsonb_to_record(p_failure -> 'item')
    i (pos bigint, event uuid, type text, member uuid, payload jsonb, at timestamptz, "bookedAt" timestamptz)
  on conflict (tenant_id, endpoint_id, pos) do update set
    attempts = f.attempts + excluded.attempts, last_failure = excluded.last_failure, failed_at = excluded.failed_at,
    replay_at = null;
end $$;

/* Forgets failures of more than 30 days, at most p_limit; returns how many. Runs as the system role. */
create function webhook_failures_forget(p_limit int) returns int language plpgsql volatile as $$
declare
  v_forgotten int;
begin
  delete from webhook_failure f
  where (f.tenant_id, f.id) in (
    select o.tenant_id, o.id from webhook_failure o where o.failed_at < now() - interval '30 days'
    order by o.failed_at limit p_limit);
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end $$;

grant execute on function
  webhook_endpoint_add(text, bytea, text, jsonb, jsonb), webhook_endpoint_update(uuid, jsonb),
  webhook_secret_rotate(uuid, jsonb, interval), webhook_endpoint_disable(uuid), webhook_endpoint_enable(uuid),
  webhook_endpoint_remove(uuid), webhook_replay(text, bytea, text, uuid, uuid[], timestamptz, bigint),
  webhook_take(uuid, bigint, jsonb, int, interval), webhook_settle(uuid, bigint, jsonb, interval)
to engawa_app;
grant execute on function webhook_due(uuid[], int, interval), webhook_failures_forget(int) to engawa_system;
