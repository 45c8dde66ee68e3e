-- The program: what a tenant configures, as versioned definitions, and audience rules that the database itself can ask.

set local role engawa_owner;

-- ── Audiences ────────────────────────────────────────────────────────────────────────────────────

/* A rule that members match or not, and the condition on `m`, a row of member, that it was compiled to. */
create table audience (
  tenant_id uuid not null references tenant,
  id        uuid not null default uuid_v7(),
  rule      jsonb not null,
  /* SHA-256 of the rule's text: the same rule is kept once. */
  hash      bytea not null,
  condition text not null,
  /* The version of the compiler that wrote the condition. */
  compiler  int not null,
  primary key (tenant_id, id),
  unique (tenant_id, hash)
);
call protect('audience');
create policy system on audience for select to engawa_system using (true);
grant select on audience to engawa_app, engawa_system;

/* Keeps a rule once, with its condition; a newer compiler's condition replaces the older. Its id. */
create function audience_save(p_rule jsonb, p_condition text, p_compiler int) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_hash bytea := sha256(convert_to(p_rule::text, 'UTF8'));
  v_id uuid;
begin
  select a.id into v_id from audience a
  where a.tenant_id = v_tenant and a.hash = v_hash and a.compiler >= p_compiler;
  if v_id is null then
    insert into audience (tenant_id, rule, hash, condition, compiler)
    values (v_tenant, p_rule, v_hash, p_condition, p_compiler)
    on conflict (tenant_id, hash) do update set condition = excluded.condition, compiler = excluded.compiler
    returning id into v_id;
  end if;
  return v_id;
end $$;
grant execute on function audience_save(jsonb, text, int) to engawa_app;

/*
 * The functions below belong to other roles than the rest. A condition is text that the application wrote, so it runs
 * with the application's own rights, whoever asks: it can read what the application reads and no ledger can be
 * written by it.
 */
reset role;
grant create on schema public to engawa_app, engawa_system;
set local role engawa_app;

/* Those of these members who match now. A null audience is everybody. */
create function audience_matches(p_audience uuid, p_members uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_condition text;
begin
  if p_audience is null then
    return query select unnest(p_members);
    return;
  end if;
  select a.condition into strict v_condition from audience a
  where a.tenant_id = current_tenant() and a.id = p_audience;
  return query execute format('select m.id from member m where m.tenant_id = $1 and m.id = any($2) and (%s)', v_condition)
    using current_tenant(), p_members;
end $$;
revoke execute on function audience_matches(uuid, uuid[]) from public;
grant execute on function audience_matches(uuid, uuid[]) to engawa_owner, engawa_app;

set local role engawa_system;

/* Every tenant, for migrations that give tenants which exist what new ones get. */
create function every_tenant() returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$ select t.id from tenant t order by t.id $$;
revoke execute on function every_tenant() from public;
grant execute on function every_tenant() to engawa_owner;

reset role;
revoke create on schema public from engawa_app, engawa_system;
set local role engawa_owner;

create function audience_has(p_audience uuid, p_member uuid) returns boolean language sql stable as $$
  select p_audience is null or exists (select from audience_matches(p_audience, array[p_member]))
$$;
grant execute on function audience_has(uuid, uuid) to engawa_app;

-- ── Definitions ──────────────────────────────────────────────────────────────────────────────────

/* Each publication is one version of the whole program. */
create table program (
  tenant_id    uuid not null references tenant,
  version      int not null check (version > 0),
  note         text check (length(note) between 1 and 500),
  actor        text not null,
  published_at timestamptz not null,
  booked_at    timestamptz not null default clock_timestamp(),
  primary key (tenant_id, version)
);
call protect('program');
grant select on program to engawa_app;

/*
 * One thing that a tenant configures (an offer, an earn rule, a ladder of tiers …) in one version. Versions never
 * change: what is under way keeps the one it began with. Rooms compile their kind into tables of their own by a
 * trigger.
 */
create table definition (
  tenant_id       uuid not null,
  kind            text not null check (kind ~ '^[a-z][a-zA-Z]{0,39}$'),
  key             text not null check (length(key) between 1 and 100 and key !~ '[[:cntrl:]]'),
  version         int not null check (version > 0),
  program_version int not null,
  body            jsonb not null check (jsonb_typeof(body) = 'object'),
  /* The audience rules of the body: {"<name>": id}. */
  audiences       jsonb not null default '{}',
  /* The one in force; none is for a key that was retired. */
  is_live         boolean not null default true,
  actor           text not null,
  published_at    timestamptz not null,
  primary key (tenant_id, kind, key, version),
  foreign key (tenant_id, program_version) references program (tenant_id, version)
);
create unique index definition_live on definition (tenant_id, kind, key) where is_live;
create index definition_of_program on definition (tenant_id, program_version);
call protect('definition');
grant select on definition to engawa_app;

create function definition_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a version of a definition stays what it is' using errcode = '23514';
end $$;
create trigger stays before update on definition for each row
  when (new.is_live or (new.tenant_id, new.kind, new.key, new.version, new.program_version, new.body, new.audiences,
    new.actor, new.published_at) is distinct from (old.tenant_id, old.kind, old.key, old.version, old.program_version,
    old.body, old.audiences, old.actor, old.published_at))
  execute function definition_stays();
create trigger kept before delete or truncate on definition for each statement execute function definition_stays();

/* Refuses a definition while it is compiled, and all that is published with it: a field of its body, and why. */
create function definition_refuse(p_field text, p_message text) returns void language plpgsql as $$
begin
  raise exception using errcode = 'EN400', message = p_message, column = p_field;
end $$;

/*
 * Publishes definitions, all in one version of the program: p_entries is [{"kind", "key", "body", "audiences":
 * {"<name>": {"rule", "condition", "compiler"}}}] in the order in which they stand on one another; a null body retires
 * the key. What is the same as the version in force makes no new one. Answers {"is": "done", "program": the version in
 * force then, "changed": [{"kind", "key", "version" or null when retired}]}. One at a time for each tenant.
 */
create function definition_publish(p_entries jsonb, p_note text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_program int;
  v_entries jsonb;
  v_changed jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('engawa.program.' || v_tenant, 0));
  v_program := (select coalesce(max(p.version), 0) from program p where p.tenant_id = v_tenant);
  select jsonb_agg(e.entry || jsonb_build_object('version', case when e.entry ->> 'body' is not null then
      1 + (select coalesce(max(d.version), 0) from definition d where d.tenant_id = v_tenant
           and d.kind = e.entry ->> 'kind' and d.key = e.entry ->> 'key') end) order by e.place)
  into v_entries
  from jsonb_array_elements(p_entries) with ordinality e (entry, place)
  where nullif(e.entry -> 'body', 'null') is distinct from (
    select d.body from definition d where d.tenant_id = v_tenant
    and d.kind = e.entry ->> 'kind' and d.key = e.entry ->> 'key' and d.is_live);
  if v_entries is null then
    return jsonb_build_object('is', 'done', 'program', v_program, 'changed', '[]'::jsonb);
  end if;
  v_program := v_program + 1;
  insert into program (tenant_id, version, note, actor, published_at) values (v_tenant, v_program, p_note, p_actor, v_now);
  update definition d set is_live = false
  from jsonb_to_recordset(v_entries) e (kind text, key text)
  where d.tenant_id = v_tenant and d.kind = e.kind and d.key = e.key and d.is_live;
  insert into definition (tenant_id, kind, key, version, program_version, body, audiences, actor, published_at)
  select v_tenant, e.entry ->> 'kind', e.entry ->> 'key', (e.entry ->> 'version')::int, v_program, e.entry -> 'body',
    coalesce((select jsonb_object_agg(a.key, audience_save(a.value -> 'rule', a.value ->> 'condition',
                                                           (a.value ->> 'compiler')::int))
              from jsonb_each(e.entry -> 'audiences') a), '{}'), p_actor, v_now
  from jsonb_array_elements(v_entries) with ordinality e (entry, place)
  where e.entry ->> 'version' is not null
  order by e.place;
  if p_actor <> 'engawa' then
    perform announce('program.published', null, jsonb_build_object('program', v_program::text), v_now);
  end if;
  select jsonb_agg(jsonb_build_object('kind', e ->> 'kind', 'key', e ->> 'key', 'version', (e ->> 'version')::int))
  into v_changed from jsonb_array_elements(v_entries) e;
  return jsonb_build_object('is', 'done', 'program', v_program, 'changed', v_changed);
end $$;
grant execute on function definition_publish(jsonb, text, text) to engawa_app;

/* Publishes what a tenant begins with, unless it has its own already. For triggers on tenants, and migrations. */
create function definition_preset(p_tenant uuid, p_kind text, p_key text, p_body jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_before text := coalesce(current_setting('app.tenant', true), '');
begin
  perform set_config('app.tenant', p_tenant::text, true);
  if not exists (select from definition d where d.tenant_id = p_tenant and d.kind = p_kind and d.key = p_key) then
    perform definition_publish(jsonb_build_array(jsonb_build_object('kind', p_kind, 'key', p_key, 'body', p_body)),
      null, 'engawa');
  end if;
  perform set_config('app.tenant', v_before, true);
end $$;

-- ── One order of locks ───────────────────────────────────────────────────────────────────────────

/*
 * One writer at a time for one member: taken first by whatever touches several things of a member, or something that
 * many members share.
 */
create function member_lock(p_member uuid) returns void language plpgsql as $$
begin
  perform from lifecycle_state s where s.tenant_id = current_tenant() and s.member_id = p_member for no key update;
end $$;
