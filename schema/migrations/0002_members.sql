-- Members: a person known to the tenant, before or after the first purchase, and the membership they hold.

set local role engawa_owner;

create table member (
  tenant_id         uuid not null references tenant,
  id                uuid not null default uuid_v7(),
  external_id       text not null check (length(external_id) between 1 and 200),
  display_name      text not null check (length(display_name) between 1 and 200),
  email             text check (length(email) between 3 and 254),
  locale            text not null,
  time_zone         text not null,
  attributes        jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
  registered_at     timestamptz not null,
  membership        text not null default 'ACTIVE' check (membership in ('ACTIVE', 'PAUSED', 'ENDED')),
  membership_since  timestamptz not null,
  ended_at          timestamptz,
  membership_end    text check (membership_end in ('LEFT', 'REMOVED', 'EXPIRED')),
  membership_reason text,
  primary key (tenant_id, id),
  unique (tenant_id, external_id),
  check ((membership = 'ENDED') = (ended_at is not null)),
  check ((membership = 'ENDED') = (membership_end is not null))
) with (fillfactor = 85);
create index member_newest on member (tenant_id, registered_at, id);
call protect('member');
grant select on member to engawa_app;

/* The member by id or by the tenant's own id for the person; a row of nulls when there is none. */
create function member_find(p_member uuid, p_external_id text) returns member
language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_member member;
begin
  if p_member is not null then
    select * into v_member from member m where m.tenant_id = v_tenant and m.id = p_member;
  else
    select * into v_member from member m where m.tenant_id = v_tenant and m.external_id = p_external_id;
  end if;
  return v_member;
end $$;

/* What an ended membership answers to a mutation that needs a live one. */
create function membership_ended(p_member member) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'membership_ended', 'ended_at', (p_member).ended_at) $$;

/*
 * Registers a person once per external id. A known one is returned unchanged with is_new false.
 * Nulls take the tenant's locale and time zone. Outcomes: done {member, is_new}, key_reused, membership_ended.
 */
create function member_register(
  p_key text, p_hash bytea, p_external_id text, p_display_name text, p_email text, p_locale text,
  p_time_zone text, p_attributes jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid := uuid_v7();
  v_replay jsonb;
  v_member member;
  v_outcome jsonb;
begin
  if p_key is not null then
    select b.replay into v_replay from op_begin(p_key, p_hash, 'REGISTER', p_actor, v_now) b;
    if v_replay is not null then
      return v_replay;
    end if;
  end if;
  insert into member (tenant_id, id, external_id, display_name, email, locale, time_zone, attributes,
                      registered_at, membership_since)
  select v_tenant, v_id, p_external_id, p_display_name, p_email, coalesce(p_locale, t.locale),
         coalesce(p_time_zone, t.time_zone), coalesce(p_attributes, '{}'), v_now, v_now
  from tenant t where t.id = v_tenant
  on conflict (tenant_id, external_id) do nothing;
  if found then
    perform announce('member.registered', v_id, '{}', v_now);
    v_outcome := jsonb_build_object('is', 'done', 'member', v_id, 'is_new', true);
  else
    select * into strict v_member from member m where m.tenant_id = v_tenant and m.external_id = p_external_id;
    v_outcome := case when v_member.membership = 'ENDED' then membership_ended(v_member)
      else jsonb_build_object('is', 'done', 'member', v_member.id, 'is_new', false) end;
  end if;
  return case when p_key is null then v_outcome else op_finish(p_key, v_outcome) end;
end $$;

/*
 * Changes what p_changes names (display_name, email, locale, time_zone, attributes); attributes are merged,
 * a null attribute removes it. Announces only a real change. Outcomes: done {member}, not_found, membership_ended.
 */
create function member_update(p_member uuid, p_external_id text, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_member from member m where m.tenant_id = v_tenant and m.id = v_member.id for no key update;
  if v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  update member m set
    display_name = coalesce(p_changes ->> 'display_name', m.display_name),
    email = case when p_changes ? 'email' then p_changes ->> 'email' else m.email end,
    locale = coalesce(p_changes ->> 'locale', m.locale),
    time_zone = coalesce(p_changes ->> 'time_zone', m.time_zone),
    attributes = case when p_changes ? 'attributes'
      then jsonb_strip_nulls(m.attributes || (p_changes -> 'attributes')) else m.attributes end
  where m.tenant_id = v_tenant and m.id = v_member.id
    and (m.display_name, m.email, m.locale, m.time_zone, m.attributes) is distinct from (
      coalesce(p_changes ->> 'display_name', m.display_name),
      case when p_changes ? 'email' then p_changes ->> 'email' else m.email end,
      coalesce(p_changes ->> 'locale', m.locale),
      coalesce(p_changes ->> 'time_zone', m.time_zone),
      case when p_changes ? 'attributes'
        then jsonb_strip_nulls(m.attributes || (p_changes -> 'attributes')) else m.attributes end);
  if found then
    perform announce('member.updated', v_member.id, '{}', tenant_now(v_tenant));
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Ends a membership once; access is gone with the commit. Outcomes: done {member}, not_found, key_reused, membership_ended. */
create function membership_end(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_end text, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_replay jsonb;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'END_MEMBERSHIP', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  update member m set membership = 'ENDED', membership_since = v_now, ended_at = v_now, membership_end = p_end,
                      membership_reason = p_reason
  where m.tenant_id = v_tenant and m.id = v_member.id and m.membership <> 'ENDED';
  if not found then
    return op_finish(p_key, membership_ended(member_find(v_member.id, null)));
  end if;
  perform announce('membership.ended', v_member.id, jsonb_build_object('end', p_end), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id));
end $$;

grant execute on function
  member_register(text, bytea, text, text, text, text, text, jsonb, text),
  member_update(uuid, text, jsonb),
  membership_end(text, bytea, uuid, text, text, text, text) to engawa_app;
