-- The ground: roles, tenants and their clock, idempotent operations, the outbox and the event log.
-- Runs as the migrating user; what it makes belongs to engawa_owner, which cannot log in.

do $$
declare
  v_role text;
  -- Since 16 whoever makes a role is its member, but may not become it before granting it to itself.
  v_may_become text := case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end;
begin
  foreach v_role in array array['engawa_owner', 'engawa_app', 'engawa_system'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception when duplicate_object or unique_violation then
        null; -- another database of this cluster made it at the same moment
      end;
    end if;
    if not pg_has_role(current_user, v_role, v_may_become) then
      execute format('grant %I to %I', v_role, current_user);
    end if;
  end loop;
  execute format('grant create, temporary on database %I to engawa_owner', current_database());
  execute 'grant create, usage on schema public to engawa_owner';
  execute 'grant usage on schema public to engawa_app, engawa_system';
end $$;

set local role engawa_owner;

-- Functions are for the roles they are granted to, tables likewise.
alter default privileges for role engawa_owner revoke execute on functions from public;

-- ── Who asks ─────────────────────────────────────────────────────────────────────────────────────

/* The tenant of this transaction; null outside one. Policies compare with (select app_tenant()). */
create function app_tenant() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.tenant', true), '')::uuid $$;

/* The tenant of this transaction, or an error: value-moving functions begin with it. */
create function current_tenant() returns uuid language plpgsql stable parallel safe as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant', true), '')::uuid;
begin
  if v_tenant is null then
    raise exception 'no tenant is set for this transaction' using errcode = '42501';
  end if;
  return v_tenant;
end $$;

grant execute on function app_tenant(), current_tenant() to engawa_app, engawa_system;

/*
 * A time-ordered id, version 7 of RFC 9562 with the microsecond in rand_a (its method 3), so that what one function
 * makes sorts in the order in which it was made. PostgreSQL 15 has none of its own.
 */
create function uuid_v7() returns uuid language sql volatile parallel safe as $$
  select encode(overlay(uuid_send(gen_random_uuid()) placing
      substring(int8send(t.us / 1000) from 3) || int2send((28672 + t.us % 1000 * 4096 / 1000)::int2)
      from 1 for 8), 'hex')::uuid
  from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us) t
$$;
grant execute on function uuid_v7() to engawa_app, engawa_system;

/* Gives a tenant table its wall: row-level security that its owner cannot pass either. */
create procedure protect(p_table regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('create policy tenant on %s using (tenant_id = (select app_tenant()))', p_table);
end $$;

-- ── Tenants ──────────────────────────────────────────────────────────────────────────────────────

create table tenant (
  id         uuid primary key,
  key        text not null unique check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name       text not null check (length(name) between 1 and 200),
  time_zone  text not null,
  locale     text not null,
  /* Null: the database's clock. Otherwise this tenant lives on a test clock that stands here. */
  clock_at   timestamptz,
  created_at timestamptz not null default now()
);
alter table tenant enable row level security;
alter table tenant force row level security;
create policy tenant on tenant using (id = (select app_tenant()));
create policy system on tenant to engawa_system using (true) with check (true);
grant select on tenant to engawa_app;
grant select, insert, update on tenant to engawa_system;

/* The clock of every rule: the tenant's test clock, else the database's. */
create function tenant_now(p_tenant uuid) returns timestamptz language plpgsql stable as $$
begin
  return coalesce((select t.clock_at from tenant t where t.id = p_tenant), now());
end $$;
grant execute on function tenant_now(uuid) to engawa_app, engawa_system;

-- ── Sign-in ──────────────────────────────────────────────────────────────────────────────────────

create table issuer (
  tenant_id  uuid not null references tenant,
  issuer     text not null,
  audience   text not null,
  jwks_url   text,
  jwks       jsonb,
  algorithms text[] not null check (cardinality(algorithms) > 0),
  created_at timestamptz not null default now(),
  primary key (tenant_id, issuer),
  check (num_nonnulls(jwks_url, jwks) = 1)
);
call protect('issuer');
create policy system on issuer to engawa_system using (true) with check (true);
grant select, insert, update, delete on issuer to engawa_app, engawa_system;

/* A token id that is refused, or a subject whose tokens issued before an instant are. */
create table revocation (
  tenant_id  uuid not null references tenant,
  id         uuid not null,
  jti        text,
  kind       text,
  sub        text,
  /* Tokens of the subject issued at or before this instant are refused. */
  not_before timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  check (num_nonnulls(jti, sub) = 1),
  check (num_nonnulls(kind, sub, not_before) in (0, 3))
);
-- Every node asks for the newest of all tenants, every second.
create index revocation_recent on revocation (created_at);
call protect('revocation');
create policy system on revocation to engawa_system using (true) with check (true);
grant select, insert on revocation to engawa_app;
grant select, insert, delete on revocation to engawa_system;

-- ── Operations: one row per idempotency key, rejections remembered ───────────────────────────────

create table op (
  tenant_id       uuid not null references tenant,
  idempotency_key text not null check (length(idempotency_key) between 1 and 250),
  /* SHA-256 of the mutation's name and its coerced input as key-sorted JSON. */
  hash            bytea not null,
  transaction_id  uuid not null,
  kind            text not null,
  /* What was answered, {"is": "done", …} or {"is": "<rejection>", …}. */
  outcome         jsonb,
  actor           text not null,
  at              timestamptz not null,
  booked_at       timestamptz not null default clock_timestamp(),
  /* Set when the operation moved points; then it is a points transaction. */
  wallet_id       uuid,
  points          bigint,
  reason          text,
  /* The wallet's version after this transaction, and the link of its hash chain. */
  wallet_version  bigint,
  chain_hash      bytea,
  primary key (tenant_id, idempotency_key),
  unique (tenant_id, transaction_id)
);
create unique index op_chain on op (tenant_id, wallet_id, wallet_version) where wallet_id is not null;
call protect('op');
grant select on op to engawa_app;

/*
 * Opens an operation. `replay` is null when the key is new; else what to answer:
 * the stored outcome, or {"is": "key_reused"} when the key came with another input.
 */
create function op_begin(
  p_key text, p_hash bytea, p_kind text, p_actor text, p_at timestamptz,
  out transaction_id uuid, out replay jsonb
) language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_op op;
begin
  transaction_id := uuid_v7();
  insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at)
  values (v_tenant, p_key, p_hash, transaction_id, p_kind, p_actor, p_at)
  on conflict do nothing;
  if found then
    return;
  end if;
  select * into strict v_op from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key;
  transaction_id := v_op.transaction_id;
  replay := case when v_op.hash = p_hash then v_op.outcome else '{"is": "key_reused"}'::jsonb end;
end $$;

/* Stores what an operation answered and returns it. */
create function op_finish(p_key text, p_outcome jsonb) returns jsonb language plpgsql as $$
begin
  update op o set outcome = p_outcome where o.tenant_id = current_tenant() and o.idempotency_key = p_key;
  return p_outcome;
end $$;

-- ── Events ───────────────────────────────────────────────────────────────────────────────────────

create table outbox (
  tenant_id uuid not null references tenant,
  /* Sorts one batch of the sequencer; never a cursor. */
  n         bigint generated always as identity (cache 1),
  id        uuid not null default uuid_v7(),
  type      text not null,
  member_id uuid,
  /* Ids and amounts only; no personal data. */
  payload   jsonb not null default '{}',
  at        timestamptz not null,
  booked_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, n),
  unique (tenant_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);
create index outbox_order on outbox (n);
call protect('outbox');
create policy system on outbox to engawa_system using (true) with check (true);
grant select, delete on outbox to engawa_system;
grant insert on outbox to engawa_app;

/* The last position of each tenant's log. The epoch changes after a restore. */
create table event_head (
  tenant_id uuid primary key references tenant,
  pos       bigint not null default 0
);
call protect('event_head');
create policy system on event_head to engawa_system using (true) with check (true);
grant select on event_head to engawa_app;
grant select, insert, update on event_head to engawa_system;

create table event_log (
  tenant_id uuid not null references tenant,
  pos       bigint not null,
  /* The database's real time, whatever `at` says; partitions and retention go by it. */
  logged_at timestamptz not null default clock_timestamp(),
  id        uuid not null,
  type      text not null,
  member_id uuid,
  payload   jsonb not null,
  at        timestamptz not null,
  booked_at timestamptz not null,
  primary key (tenant_id, pos, logged_at)
) partition by range (logged_at);
call protect('event_log');
create policy system on event_log to engawa_system using (true) with check (true);
grant select on event_log to engawa_app;
grant select, insert on event_log to engawa_system;

/*
 * Makes today's and the next three days' partitions of the log and drops those whose last day is
 * older than p_keep. Returns how many were dropped.
 */
create function event_log_partitions(p_keep interval) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_day date;
  v_name text;
  v_dropped int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('engawa.event_log_partitions'));
  for v_day in select generate_series(current_date - 1, current_date + 3, interval '1 day')::date loop
    v_name := 'event_log_' || to_char(v_day, 'YYYYMMDD');
    if to_regclass(v_name) is null then
      execute format('create table %I partition of event_log for values from (%L) to (%L)',
        v_name, v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC');
      execute format('alter table %I enable row level security', v_name);
      execute format('alter table %I force row level security', v_name);
    end if;
  end loop;
  for v_name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'event_log'::regclass
      and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 < (now() - p_keep)::date
  loop
    execute format('drop table %I', v_name);
    v_dropped := v_dropped + 1;
  end loop;
  return v_dropped;
end $$;
grant execute on function event_log_partitions(interval) to engawa_system;
select event_log_partitions(interval '7 days');

/* One row: who leads, where to poke it, and the epoch that cursors carry. */
create table sequencer (
  id        boolean primary key default true check (id),
  epoch     bigint not null default 1,
  /* host:port/word that the leader listens on: a datagram of just the word pokes it. Null while nobody leads. */
  address   text,
  leads_since timestamptz,
  /* What authenticates cursors; every node reads it from here. 244 random bits. */
  cursor_key  bytea not null
    default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
);
insert into sequencer default values;
grant select, update on sequencer to engawa_system;

/* Writes one event into the outbox of the current tenant. */
create function announce(p_type text, p_member uuid, p_payload jsonb, p_at timestamptz) returns void
language plpgsql as $$
begin
  insert into outbox (tenant_id, type, member_id, payload, at)
  values (current_tenant(), p_type, p_member, p_payload, p_at);
end $$;
