-- Channels: what a tenant set for each of them, and how they are doing: circuit, budget, errands.

set local role engawa_owner;

create table channel_setting (
  tenant_id      uuid not null references tenant,
  channel        text not null check (channel ~ '^[a-z][a-z0-9-]{0,39}$'),
  /* Goes up with each change; a change that was made from an older one is refused. */
  revision       int not null default 1,
  is_enabled     boolean not null default true,
  /* Without the secrets. */
  config         jsonb not null check (jsonb_typeof(config) = 'object'),
  /* The version of the plugin's configuration that it was written for. */
  config_version int not null,
  /* Which secrets are set. */
  secrets        text[] not null default '{}',
  /* The secrets as one JSON object under AES-256-GCM, the key that opens it under the master key of key_id. */
  sealed         bytea,
  data_key       bytea,
  key_id         text,
  /* How much of the provider's budget is kept for service and urgent messages. */
  quota_reserve  int not null default 0 check (quota_reserve >= 0),
  /* What the last check said: {"is_ok", "notes"} or {"is_ok", "cause", "code", "detail"}. */
  checked_at     timestamptz,
  check_result   jsonb,
  updated_at     timestamptz not null,
  updated_by     text not null,
  primary key (tenant_id, channel),
  check (num_nonnulls(sealed, data_key, key_id) in (0, 3)),
  check ((sealed is null) = (secrets = '{}')),
  check ((checked_at is null) = (check_result is null))
);
call protect('channel_setting');
-- The key rotation crosses tenants: it looks for old keys, and wraps data keys anew.
create policy system on channel_setting to engawa_system using (true) with check (true);
grant select on channel_setting to engawa_app, engawa_system;
grant update (data_key, key_id) on channel_setting to engawa_system;

/* How many attempts in a row the channel failed for the tenant, and whether it rests. Without a row, all is well. */
create table channel_circuit (
  tenant_id   uuid not null references tenant,
  channel     text not null,
  failures    int not null check (failures >= 1),
  /* How often in a row it has opened; each time it stays open twice as long. */
  openings    int not null default 0,
  /* By the tenant's clock: until when nothing is sent; then one attempt is let through to see. */
  open_until  timestamptz,
  /* Until when that one attempt keeps the others back. */
  probe_until timestamptz,
  primary key (tenant_id, channel)
);
call protect('channel_circuit');
grant select on channel_circuit to engawa_app;

/* The provider's budget as it was told last, and what was sent since. */
create table channel_quota (
  tenant_id   uuid not null references tenant,
  channel     text not null,
  /* Null: without a limit. */
  quota_limit bigint check (quota_limit >= 0),
  used        bigint not null check (used >= 0),
  taken       bigint not null default 0 check (taken >= 0),
  resets_at   timestamptz,
  asked_at    timestamptz not null,
  primary key (tenant_id, channel)
);
call protect('channel_quota');
grant select on channel_quota to engawa_app;

/* What the worker asks channels for, again and again: their mailboxes (POLL) and their budgets (QUOTA). */
create table channel_errand (
  tenant_id uuid not null references tenant,
  channel   text not null,
  kind      text not null check (kind in ('POLL', 'QUOTA')),
  /* Where a mailbox was read up to. */
  place     text,
  /* Real time. */
  due_at    timestamptz not null,
  primary key (tenant_id, channel, kind)
);
create index channel_errand_due on channel_errand (due_at);
call protect('channel_errand');
create policy system on channel_errand to engawa_system using (true) with check (true);
grant select on channel_errand to engawa_app;
grant select, insert, update on channel_errand to engawa_system;

/*
 * Takes errands that are due, of all tenants, and makes them due again: mailboxes after a minute, budgets after ten.
 * p_polled and p_asked are the channels that can do the one and the other. Runs as the system role.
 */
create function channel_errands_due(p_polled text[], p_asked text[], p_limit int)
returns table (tenant uuid, channel text, kind text, place text) language plpgsql volatile as $$
#variable_conflict use_column
begin
  insert into channel_errand (tenant_id, channel, kind, due_at)
  select s.tenant_id, s.channel, k.kind, clock_timestamp() from channel_setting s, (values ('POLL'), ('QUOTA')) k (kind)
  where s.is_enabled and s.channel = any (case k.kind when 'POLL' then p_polled else p_asked end)
  on conflict do nothing;
  return query
  update channel_errand e
  set due_at = clock_timestamp() + case e.kind when 'POLL' then interval '1 minute' else interval '10 minutes' end
  from (
    select x.tenant_id, x.channel, x.kind from channel_errand x
    join channel_setting s on s.tenant_id = x.tenant_id and s.channel = x.channel and s.is_enabled
    where x.due_at <= clock_timestamp() and x.channel = any (case x.kind when 'POLL' then p_polled else p_asked end)
    order by x.due_at limit p_limit for update of x skip locked
  ) d
  where e.tenant_id = d.tenant_id and e.channel = d.channel and e.kind = d.kind
  returning e.tenant_id, e.channel, e.kind, e.place;
end $$;
grant execute on function channel_errands_due(text[], text[], int) to engawa_system;

/* Keeps where a mailbox was read up to, unless another worker has read on from p_from meanwhile. */
create function channel_polled(p_channel text, p_from text, p_to text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update channel_errand e set place = p_to
  where e.tenant_id = current_tenant() and e.channel = p_channel and e.kind = 'POLL'
    and e.place is not distinct from p_from;
end $$;

/* Keeps what a provider said of its budget; p_taken is what was counted when it was asked. Null p_limit: no limit. */
create function channel_quota_told(p_channel text, p_limit bigint, p_used bigint, p_resets_at timestamptz, p_taken bigint)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into channel_quota as q (tenant_id, channel, quota_limit, used, resets_at, asked_at)
  values (current_tenant(), p_channel, p_limit, p_used, p_resets_at, tenant_now(current_tenant()))
  on conflict (tenant_id, channel) do update set
    quota_limit = excluded.quota_limit, used = excluded.used, resets_at = excluded.resets_at,
    asked_at = excluded.asked_at, taken = greatest(q.taken - p_taken, 0);
end $$;
grant execute on function
  channel_polled(text, text, text),
  channel_quota_told(text, bigint, bigint, timestamptz, bigint) to engawa_app;

/*
 * Whether a message may go out through the channel now: null, or {"reason", "until"}, where until is null when only
 * people can change it. CHANNEL_DISABLED: staff switched it off. QUOTA: the provider's budget is used up, or what is
 * left of it is kept for urgent messages. CIRCUIT_OPEN: the provider failed too often in a row; of those who ask once
 * it has rested, exactly one is let through. Ask last, in the transaction that claims.
 */
create function channel_gate(p_channel text, p_now timestamptz, p_is_urgent boolean default false) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_is_enabled boolean;
  v_reserve bigint;
  v_quota channel_quota;
  v_circuit channel_circuit;
begin
  select s.is_enabled, s.quota_reserve into v_is_enabled, v_reserve
  from channel_setting s where s.tenant_id = v_tenant and s.channel = p_channel;
  if not v_is_enabled then
    return jsonb_build_object('reason', 'CHANNEL_DISABLED', 'until', null);
  end if;
  v_reserve := case when p_is_urgent then 0 else coalesce(v_reserve, 0) end;
  -- Locked, so that of those who ask at once each sees what the other took.
  select * into v_quota from channel_quota q
  where q.tenant_id = v_tenant and q.channel = p_channel and q.quota_limit is not null
    and (q.resets_at is null or q.resets_at > p_now)
  for no key update;
  if found and v_quota.quota_limit - v_quota.used - v_quota.taken <= v_reserve then
    return jsonb_build_object('reason', 'QUOTA', 'until', coalesce(v_quota.resets_at, p_now + interval '10 minutes'));
  end if;
  select * into v_circuit from channel_circuit c
  where c.tenant_id = v_tenant and c.channel = p_channel and c.open_until is not null;
  if not found then
    return null;
  end if;
  if v_circuit.open_until <= p_now then
    update channel_circuit c set probe_until = p_now + interval '30 seconds'
    where c.tenant_id = v_tenant and c.channel = p_channel
      and c.open_until <= p_now and (c.probe_until is null or c.probe_until <= p_now);
    if found then
      return null;
    end if;
    select * into v_circuit from channel_circuit c where c.tenant_id = v_tenant and c.channel = p_channel;
    if v_circuit.open_until is null then
      return null; -- the one came back meanwhile, and all is well
    end if;
  end if;
  return jsonb_build_object('reason', 'CIRCUIT_OPEN', 'until', greatest(v_circuit.open_until, v_circuit.probe_until));
end $$;

/* Counts messages that go out against the budget, in the transaction that asked the gate. */
create function channel_taken(p_channel text, p_count int default 1) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update channel_quota q set taken = q.taken + p_count
  where q.tenant_id = current_tenant() and q.channel = p_channel and q.quota_limit is not null;
end $$;

/*
 * Tells how an attempt went for the channel: well when the provider answered, whatever it said of this message; not
 * well when it could not be reached, failed, or gave no answer. Five failures in a row open the circuit for 30 s,
 * twice as long each time the attempt that is let through then fails as well, at most 15 min. Writes only what changes.
 */
create function channel_result(p_channel text, p_is_well boolean, p_now timestamptz) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_circuit channel_circuit;
begin
  if p_is_well then
    -- While it is open, only the one that was let through proves anything; others were sent before.
    delete from channel_circuit c
    where c.tenant_id = v_tenant and c.channel = p_channel
      and (c.open_until is null or c.probe_until is not null);
    return;
  end if;
  insert into channel_circuit as c (tenant_id, channel, failures) values (v_tenant, p_channel, 1)
  on conflict (tenant_id, channel) do update set failures = c.failures + 1
  where c.open_until is null or c.open_until <= p_now
  returning * into v_circuit;
  if v_circuit.open_until is not null or v_circuit.failures >= 5 then
    update channel_circuit c set
      openings = c.openings + 1, probe_until = null,
      open_until = p_now + least(interval '30 seconds' * power(2, least(c.openings, 10)), interval '15 minutes')
    where c.tenant_id = v_tenant and c.channel = p_channel;
  end if;
end $$;

/*
 * Writes what staff set for a channel, and lets it begin anew with what was kept because of it. p_revision is what the change was made from, null for
 * the first. Outcomes: done {revision}, stale.
 */
create function channel_configure(
  p_channel text, p_revision int, p_config jsonb, p_version int, p_is_enabled boolean, p_reserve int,
  p_secrets text[], p_sealed bytea, p_data_key bytea, p_key_id text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_revision int;
begin
  insert into channel_setting as s (tenant_id, channel, config, config_version, is_enabled, quota_reserve, secrets,
                                    sealed, data_key, key_id, updated_at, updated_by)
  values (v_tenant, p_channel, p_config, p_version, p_is_enabled, p_reserve, p_secrets, p_sealed, p_data_key,
          p_key_id, tenant_now(v_tenant), p_actor)
  on conflict (tenant_id, channel) do update set
    revision = s.revision + 1, config = excluded.config, config_version = excluded.config_version,
    is_enabled = excluded.is_enabled, quota_reserve = excluded.quota_reserve, secrets = excluded.secrets,
    sealed = excluded.sealed, data_key = excluded.data_key, key_id = excluded.key_id,
    checked_at = null, check_result = null, updated_at = excluded.updated_at, updated_by = excluded.updated_by
  where s.revision = p_revision
  returning s.revision into v_revision;
  if v_revision is null then
    return jsonb_build_object('is', 'stale');
  end if;
  delete from channel_circuit c where c.tenant_id = v_tenant and c.channel = p_channel;
  return jsonb_build_object('is', 'done', 'revision', v_revision);
end $$;

/* Switches a channel off; p_version is that of a configuration with nothing in it, for one that was never set. */
create function channel_disable(p_channel text, p_version int, p_actor text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  insert into channel_setting as s (tenant_id, channel, config, config_version, is_enabled, updated_at, updated_by)
  values (v_tenant, p_channel, '{}', p_version, false, tenant_now(v_tenant), p_actor)
  on conflict (tenant_id, channel) do update set
    revision = s.revision + 1, is_enabled = false, updated_at = excluded.updated_at, updated_by = excluded.updated_by
  where s.is_enabled;
end $$;

/* Keeps what a check said of the configuration of that revision; of an older one it says nothing any more. */
create function channel_checked(p_channel text, p_revision int, p_result jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update channel_setting s set checked_at = tenant_now(s.tenant_id), check_result = p_result
  where s.tenant_id = current_tenant() and s.channel = p_channel and s.revision = p_revision;
end $$;

grant execute on function
  channel_gate(text, timestamptz, boolean),
  channel_taken(text, int),
  channel_result(text, boolean, timestamptz),
  channel_configure(text, int, jsonb, int, boolean, int, text[], bytea, bytea, text, text),
  channel_disable(text, int, text),
  channel_checked(text, int, jsonb) to engawa_app;
