-- A program as a whole: what each version of it was, a document published in one go, and what a draft would have done.

set local role engawa_owner;

-- ── Versions of the whole ────────────────────────────────────────────────────────────────────────

/* The publication that replaced or retired a version of a definition: with it, every version of the program is known. */
create table definition_end (
  tenant_id       uuid not null,
  kind            text not null,
  key             text not null,
  version         int not null,
  program_version int not null,
  primary key (tenant_id, kind, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, program_version) references program (tenant_id, version)
);
call protect('definition_end');
grant select on definition_end to engawa_app;

create function definition_ended() returns trigger language plpgsql as $$
begin
  insert into definition_end (tenant_id, kind, key, version, program_version)
  select new.tenant_id, new.kind, new.key, new.version, max(p.version) from program p where p.tenant_id = new.tenant_id;
  return null;
end $$;
create trigger definition_ended after update of is_live on definition
  for each row when (old.is_live and not new.is_live) execute function definition_ended();

/* The definitions of one version of the program: [{"kind", "key", "body"}], those of one kind by their keys. */
create function program_definitions(p_version int) returns table (kind text, key text, body jsonb)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
  select d.kind, d.key, d.body from definition d
  left join definition_end e on (e.tenant_id, e.kind, e.key, e.version) = (d.tenant_id, d.kind, d.key, d.version)
  where d.tenant_id = current_tenant() and d.program_version <= p_version
    and (e.program_version is null or e.program_version > p_version);
end $$;
grant execute on function program_definitions(int) to engawa_app;

-- ── A whole program in one go ────────────────────────────────────────────────────────────────────

/*
 * Publishes a whole program: what is in force of p_kinds and not among p_entries (see definition_publish) is retired.
 * All or nothing. Refused when another version than p_expected is in force (null: any will do), and when what the rooms make
 * of it refuses it.
 */
create function program_import(
  p_key text, p_hash bytea, p_entries jsonb, p_kinds text[], p_note text, p_expected int, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_replay jsonb;
  v_before int;
  v_done jsonb;
  v_message text;
  v_field text;
  v_constraint text;
begin
  select b.replay into v_replay from op_begin(p_key, p_hash, 'IMPORT_PROGRAM', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('engawa.program.' || v_tenant, 0));
  v_before := (select coalesce(max(p.version), 0) from program p where p.tenant_id = v_tenant);
  if v_before <> p_expected then
    return op_finish(p_key, jsonb_build_object('is', 'program_changed', 'expected', p_expected, 'version', v_before));
  end if;
  begin
    v_done := definition_publish(p_entries || coalesce((
      select jsonb_agg(jsonb_build_object('kind', d.kind, 'key', d.key, 'body', null) order by d.kind, d.key)
      from definition d
      where d.tenant_id = v_tenant and d.is_live and d.kind = any (p_kinds) and not exists (
        select from jsonb_to_recordset(p_entries) e (kind text, key text) where e.kind = d.kind and e.key = d.key)),
      '[]'), p_note, p_actor);
    set constraints all immediate;
  exception when sqlstate 'EN400' or integrity_constraint_violation then
    -- A room's own words (definition_refuse), or the rule that its tables are under.
    get stacked diagnostics v_message = message_text, v_field = column_name, v_constraint = constraint_name;
    return op_finish(p_key, jsonb_build_object('is', 'program_invalid', 'problems', jsonb_build_array(jsonb_build_object(
      'path', concat_ws('.', 'document', nullif(v_field, '')),
      'message', case when v_constraint = '' then v_message else format('The rule %s forbids it.', v_constraint) end))));
  end;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'before', v_before, 'program', v_done -> 'program'));
end $$;
grant execute on function program_import(text, bytea, jsonb, text[], text, int, text) to engawa_app;

/* Takes one definition out of force. What began with it goes on. */
create function definition_retire(p_key text, p_hash bytea, p_kind text, p_name text, p_note text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_replay jsonb;
  v_done jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('engawa.program.' || v_tenant, 0));
  if not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key)
     and not exists (select from definition d where d.tenant_id = v_tenant and d.kind = p_kind and d.key = p_name and d.is_live) then
    return jsonb_build_object('is', 'not_found', 'what', 'definition');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'RETIRE_DEFINITION', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  v_done := definition_publish(jsonb_build_array(jsonb_build_object('kind', p_kind, 'key', p_name, 'body', null)), p_note, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'before', (v_done ->> 'program')::int - 1, 'program', v_done -> 'program'));
end $$;
grant execute on function definition_retire(text, bytea, text, text, text, text) to engawa_app;
