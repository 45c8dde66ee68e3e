-- People: the facts of a membership, leaving for good, the directory, introductions and messages between members.

set local role engawa_owner;

-- ── Membership: facts, and one decision ──────────────────────────────────────────────────────────

alter table member
  /* The instant up to which the membership is paid; null: nothing has to be paid. */
  add column paid_through timestamptz,
  /* Since when the membership is not renewed: it expires when what is paid is over. */
  add column renewal_stopped_at timestamptz,
  /* When a pause ends by itself; null: when somebody ends it. */
  add column paused_until timestamptz,
  /* Whether the member paused it itself, and so may end the pause. */
  add column is_own_pause boolean,
  /* When everything that tells who the person was went. */
  add column erased_at timestamptz,
  add check (membership = 'PAUSED' or paused_until is null),
  add check (erased_at is null or membership = 'ENDED');
create index member_pause_due on member (tenant_id, paused_until) where paused_until is not null;
create index member_expiry_due on member (tenant_id, paid_through)
  where renewal_stopped_at is not null and membership <> 'ENDED';
create policy system on member for select to engawa_system using (true);
grant select (tenant_id, membership, paused_until, paid_through, renewal_stopped_at) on member to engawa_system;

/* What happened to memberships. Append-only. */
create table membership_change (
  tenant_id uuid not null,
  id        uuid not null default uuid_v7(),
  member_id uuid not null,
  kind      text not null check (kind in ('PAUSED', 'RESUMED', 'PAID', 'RENEWAL_STOPPED', 'RENEWED', 'ENDED', 'RETURNED', 'ERASED')),
  at        timestamptz not null,
  actor     text not null,
  reason    text,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index membership_change_of_member on membership_change (tenant_id, member_id, id);
call protect('membership_change');
call sight_own('membership_change');
grant select on membership_change to engawa_app;

/*
 * The one decision: whether a membership with these facts opens anything at an instant. A pause is over at its end,
 * and what is paid is over at its last instant, whether or not anybody has written it down yet.
 */
create function membership_opens(
  p_membership text, p_paused_until timestamptz, p_paid_through timestamptz, p_now timestamptz
) returns boolean language sql immutable parallel safe as $$
  select p_membership <> 'ENDED'
    and (p_membership <> 'PAUSED' or coalesce(p_paused_until <= p_now, false))
    and coalesce(p_now < p_paid_through, true)
$$;
grant execute on function membership_opens(text, timestamptz, timestamptz, timestamptz) to engawa_app;

/* Those of these members who may enter anything now (before: 0033_spaces.sql). */
create or replace function member_entitled(p_members uuid[]) returns setof uuid language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  return query
  select m.id from member m
  where m.tenant_id = v_tenant and m.id = any(p_members)
    and membership_opens(m.membership, m.paused_until, m.paid_through, v_now);
end $$;
grant execute on function member_entitled(uuid[]) to engawa_app;

create function membership_note(p_member uuid, p_kind text, p_at timestamptz, p_actor text, p_reason text) returns void
language sql as $$
  insert into membership_change (tenant_id, member_id, kind, at, actor, reason)
  values (current_tenant(), p_member, p_kind, p_at, p_actor, p_reason)
$$;

/* Every end is noted, whoever wrote it (0002_members.sql). The actor is that of its operation. */
create function membership_ends() returns trigger language plpgsql as $$
begin
  perform membership_note(new.id, 'ENDED', new.ended_at,
    coalesce(nullif(current_setting('app.actor', true), ''), 'engawa'), new.membership_reason);
  return null;
end $$;
create trigger membership_ends after update of membership on member for each row
  when (new.membership = 'ENDED' and old.membership <> 'ENDED') execute function membership_ends();

/* The member that is meant, locked against others who change it; a row of nulls when there is none. */
create function member_hold(p_member uuid, p_external_id text) returns member language plpgsql as $$
declare
  v_member member := member_find(p_member, p_external_id);
begin
  perform member_lock(v_member.id);
  select * into v_member from member m where m.tenant_id = current_tenant() and m.id = v_member.id for no key update;
  return v_member;
end $$;

/*
 * Lets a membership rest, until an instant or until it is resumed; told again it has the new end. A pause that staff
 * made is no longer the member's to end. Outcomes: done {member}, not_found, membership_ended, bad_input, access_denied.
 */
create function membership_pause(
  p_member uuid, p_external_id text, p_until timestamptz, p_reason text, p_is_own boolean, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif p_until <= v_now then
    return jsonb_build_object('is', 'bad_input', 'field', 'until', 'message', 'until must be later than now.');
  elsif p_is_own and v_member.membership = 'PAUSED' and not v_member.is_own_pause then
    return jsonb_build_object('is', 'access_denied', 'reason', 'SUSPENDED', 'unlock', null);
  end if;
  update member m set membership = 'PAUSED', paused_until = p_until, is_own_pause = p_is_own,
    membership_since = case m.membership when 'PAUSED' then m.membership_since else v_now end
  where m.tenant_id = v_tenant and m.id = v_member.id
    and (m.membership, m.paused_until, m.is_own_pause) is distinct from ('PAUSED', p_until, p_is_own);
  if found then
    perform membership_note(v_member.id, 'PAUSED', v_now, p_actor, p_reason);
    perform announce('membership.paused', v_member.id, '{}', v_now);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Ends a pause; one that staff made only staff ends. Outcomes: done {member}, not_found, membership_ended, access_denied. */
create function membership_resume(p_member uuid, p_external_id text, p_is_own boolean, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif v_member.membership = 'PAUSED' then
    if p_is_own and not v_member.is_own_pause then
      return jsonb_build_object('is', 'access_denied', 'reason', 'SUSPENDED', 'unlock', null);
    end if;
    update member m set membership = 'ACTIVE', membership_since = v_now, paused_until = null, is_own_pause = null
    where m.tenant_id = v_tenant and m.id = v_member.id;
    perform membership_note(v_member.id, 'RESUMED', v_now, p_actor, null);
    perform announce('membership.resumed', v_member.id, '{}', v_now);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Says until when a membership is paid; null: nothing has to be paid. Outcomes: done {member}, not_found, membership_ended. */
create function membership_paid(p_member uuid, p_external_id text, p_through timestamptz, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif v_member.paid_through is distinct from p_through then
    update member m set paid_through = p_through where m.tenant_id = v_tenant and m.id = v_member.id;
    perform membership_note(v_member.id, 'PAID', v_now, p_actor, null);
    perform announce('member.updated', v_member.id, '{}', v_now);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/*
 * Says whether a membership is renewed. One that is not ends as expired at the last instant that is paid; without paid
 * time nothing ends by itself. Outcomes: done {member}, not_found, membership_ended.
 */
create function membership_renewal(p_member uuid, p_external_id text, p_is_stopped boolean, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif (v_member.renewal_stopped_at is not null) <> p_is_stopped then
    update member m set renewal_stopped_at = case when p_is_stopped then v_now end
    where m.tenant_id = v_tenant and m.id = v_member.id;
    perform membership_note(v_member.id, case when p_is_stopped then 'RENEWAL_STOPPED' else 'RENEWED' end, v_now, p_actor, null);
    perform announce('member.updated', v_member.id, '{}', v_now);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Ends a membership at an instant; the pause goes with it. */
create function membership_close(p_member uuid, p_end text, p_reason text, p_at timestamptz, p_actor text) returns void
language plpgsql as $$
begin
  perform set_config('app.actor', p_actor, true);
  update member m set membership = 'ENDED', membership_since = p_at, ended_at = p_at, membership_end = p_end,
    membership_reason = p_reason
  where m.tenant_id = current_tenant() and m.id = p_member;
  perform set_config('app.actor', '', true);
  perform announce('membership.ended', p_member, jsonb_build_object('end', p_end), p_at);
end $$;

/* A pause ends with the membership, whoever ends it. */
create function membership_ending() returns trigger language plpgsql as $$
begin
  new.paused_until := null;
  new.is_own_pause := null;
  return new;
end $$;
create trigger membership_ending before update of membership on member for each row
  when (new.membership = 'ENDED' and old.membership <> 'ENDED') execute function membership_ending();

/* The member goes; what it has is kept, and it may return. Outcomes: done {member}, not_found, membership_ended. */
create function membership_leave(p_member uuid, p_external_id text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  perform membership_close(v_member.id, 'LEFT', p_reason, tenant_now(current_tenant()), p_actor);
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/*
 * Takes a member back whose membership ended: follows, spaces, wallet and course positions are as they were left. What
 * is paid stays a fact of its own. Nobody who was erased returns. Outcomes: done {member}, not_found, membership_ended.
 */
create function membership_return(p_member uuid, p_external_id text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.erased_at is not null then
    return membership_ended(v_member);
  elsif v_member.membership = 'ENDED' then
    update member m set membership = 'ACTIVE', membership_since = v_now, ended_at = null, membership_end = null,
      membership_reason = null, renewal_stopped_at = null
    where m.tenant_id = v_tenant and m.id = v_member.id;
    perform membership_note(v_member.id, 'RETURNED', v_now, p_actor, p_reason);
    perform announce('membership.returned', v_member.id, '{}', v_now);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Ends pauses that are over, and memberships that are paid no more and not renewed. How many there were. */
create function memberships_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_settled int := 0;
  v_rows int;
begin
  with due as (
    select m.id, m.paid_through from member m
    where m.tenant_id = v_tenant and m.renewal_stopped_at is not null and m.membership <> 'ENDED' and m.paid_through <= v_now
    limit p_limit for no key update skip locked
  ), ended as (
    update member m set membership = 'ENDED', membership_since = d.paid_through, ended_at = d.paid_through,
      membership_end = 'EXPIRED', membership_reason = null
    from due d where m.tenant_id = v_tenant and m.id = d.id
    returning m.id, m.ended_at
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'membership.ended', e.id, '{"end": "EXPIRED"}', e.ended_at from ended e;
  get diagnostics v_settled = row_count;
  with due as (
    select m.id, m.paused_until from member m
    where m.tenant_id = v_tenant and m.paused_until <= v_now limit p_limit for no key update skip locked
  ), resumed as (
    update member m set membership = 'ACTIVE', membership_since = d.paused_until, paused_until = null, is_own_pause = null
    from due d where m.tenant_id = v_tenant and m.id = d.id
    returning m.id, m.membership_since as at
  ), noted as (
    insert into membership_change (tenant_id, member_id, kind, at, actor)
    select v_tenant, r.id, 'RESUMED', r.at, 'engawa' from resumed r
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'membership.resumed', r.id, '{}', r.at from resumed r;
  get diagnostics v_rows = row_count;
  return v_settled + v_rows;
end $$;

grant execute on function
  membership_pause(uuid, text, timestamptz, text, boolean, text), membership_resume(uuid, text, boolean, text),
  membership_paid(uuid, text, timestamptz, text), membership_renewal(uuid, text, boolean, text),
  membership_leave(uuid, text, text, text), membership_return(uuid, text, text, text),
  memberships_settle_due(int) to engawa_app;

/* As in 0002_members.sql; that it ended is noted with who ended it. */
create or replace function membership_end(
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
  v_member := member_hold(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  perform membership_close(v_member.id, p_end, p_reason, v_now, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id));
end $$;

-- ── What the product knows of a member: told as a whole, and emptied for good ────────────────────

/* The same with every text in it blank, so that readers find what they expect and nobody is named. */
create function json_blank(p_json jsonb) returns jsonb language plpgsql immutable as $$
begin
  return case jsonb_typeof(p_json)
    when 'object' then coalesce((
      select jsonb_object_agg(e.key, case when e.key = 'template' then e.value else json_blank(e.value) end)
      from jsonb_each(p_json) e), '{}')
    when 'array' then coalesce((select jsonb_agg(json_blank(e)) from jsonb_array_elements(p_json) e), '[]')
    when 'string' then '"–"'::jsonb
    else p_json end;
end $$;

/*
 * What is written once stays as it is, but for an erasure, which takes words out of it and no amount: never what the
 * books consist of (before: 0003_points.sql, 0005_lifecycle.sql, 0035_moderation.sql).
 */
create function is_erasing() returns boolean language sql stable as $$
  select coalesce(current_setting('app.erasing', true), '') = 'yes'
$$;
/* What a member wrote for others to read: blank, when its words are to go as well. */
create function erased_words(p_words text) returns text language sql stable as $$
  select case when p_words is not null and coalesce(current_setting('app.erasing', true), '') = 'yes'
    and current_setting('app.erasing_words', true) = 'yes' then '–' else p_words end
$$;
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and is_erasing() and tg_table_name not in ('posting', 'debt_posting') then
    return new;
  end if;
  raise exception '% of % is refused: %', lower(tg_op), tg_table_name, tg_argv[0] using errcode = '23514';
end $$;
create or replace function moderation_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and is_erasing() then
    return new;
  end if;
  raise exception 'what happened stays' using errcode = '23514';
end $$;
create or replace function stage_change_is_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and is_erasing() then
    return new;
  end if;
  raise exception 'stage history is append-only' using errcode = '42501';
end $$;

/* What an operation answered, with ids, amounts and instants alone. */
create function outcome_ids(p_outcome jsonb) returns jsonb language sql immutable as $$
  select jsonb_object_agg(e.key, e.value) from jsonb_each(p_outcome) e
  where e.key = 'is' or jsonb_typeof(e.value) in ('number', 'boolean')
    or e.value #>> '{}' ~ '^([0-9a-f-]{36}|-?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+-]+Z?|[A-Z_]{1,40})$'
$$;

/* The columns of a table's primary key, in order, with their types. */
create function key_columns(p_table text) returns table (name text, type text) language sql stable as $$
  select a.attname::text, format_type(a.atttypid, null)
  from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, n)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = to_regclass('public.' || p_table) and i.indisprimary and a.attname <> 'tenant_id'
  order by k.n
$$;

/* What of a table's row is not told: whose tenant it is, who of the staff did it, what requests were called, digests, seals. */
create function told_columns(p_table text) returns text[] language sql stable as $$
  select array_agg(a.attname::text) from pg_attribute a
  where a.attrelid = to_regclass('public.' || p_table) and a.attnum > 0
    and (a.attname in ('tenant_id', 'actor', 'requested_by', 'decided_by', 'assignee', 'fence', 'idempotency_key')
         or a.atttypid = 'bytea'::regtype)
$$;

/*
 * Everything that the member gave and has, at most p_limit rows behind a place: the section where to go on, and the key
 * of the last row that was told. p_is_own: without what is the staff's alone. Nothing is left out, so that who asks
 * until there is no more has it all.
 */
create function member_export(p_member uuid, p_section text, p_after jsonb, p_limit int, p_is_own boolean)
returns table (section text, key jsonb, data jsonb)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_place record;
  v_keys text[];
  v_behind text;
  v_left int := p_limit;
  v_rows int;
  v_is_there boolean := p_section is null;
begin
  for v_place in select * from member_places() p where p.told = 'ALL' or (p.told = 'STAFF' and not p_is_own) loop
    v_is_there := v_is_there or v_place.name = p_section;
    continue when not v_is_there;
    exit when v_left = 0;
    select array_agg('t.' || quote_ident(k.name)),
      format('(%s) > (%s)', string_agg('t.' || quote_ident(k.name), ', '), string_agg(format('($3 ->> %s)::%s', k.n - 1, k.type), ', '))
    into v_keys, v_behind
    from (select c.*, row_number() over () as n from key_columns(v_place.name) c) k;
    return query execute format(
      'select %L, to_jsonb(array[%s]), to_jsonb(t) - %L::text[] from %I t where t.tenant_id = $1 and (%s) and (%s) order by %s limit %s',
      v_place.name, array_to_string(array(select k || '::text' from unnest(v_keys) k), ', '), told_columns(v_place.name),
      v_place.name, v_place.mine, case when v_place.name = p_section and p_after is not null then v_behind else 'true' end,
      array_to_string(v_keys, ', '), v_left)
    using v_tenant, p_member, p_after;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
end $$;

/* What an erasure would do: for each table, how many rows of the member's there are, and what happens to them. */
create function member_erase_preview(p_member uuid) returns table (section text, entries bigint, fate text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_place record;
begin
  for v_place in select * from member_places() p loop
    return query execute format(
      'select %L, n, %L from (select count(*) as n from %I t where t.tenant_id = $1 and (%s)) c where n > 0',
      v_place.name, case when v_place.erase = 'delete' then 'DELETED' when v_place.erase is null then 'KEPT' else 'EMPTIED' end,
      v_place.name, v_place.mine)
    using current_tenant(), p_member;
  end loop;
end $$;

/* Takes the name by which a member was mentioned out of what others wrote. */
create function mentions_blank(p_member uuid, p_external_id text, p_folded text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_ids uuid[] := array(
    select n.contribution_id from mention n where n.tenant_id = v_tenant and n.member_id = p_member);
begin
  update contribution c set title = replace(c.title, '@' || p_external_id, '@–'),
    body = replace(c.body, '@' || p_external_id, '@–'), html = replace(c.html, '@' || p_external_id, '@–')
  where c.tenant_id = v_tenant and c.id = any (v_ids);
  update contribution_revision r set title = replace(r.title, '@' || p_external_id, '@–'),
    body = replace(r.body, '@' || p_external_id, '@–'), html = replace(r.html, '@' || p_external_id, '@–')
  where r.tenant_id = v_tenant and r.contribution_id = any (v_ids);
  -- Pairs and words are parts of the folded text: what is in it no longer goes.
  update search_document s set norm = n.norm, title = replace(s.title, p_folded, '–'),
    grams = array(select g from unnest(s.grams) g where strpos(n.norm || ' ' || s.title, g) > 0),
    words = array(select w from unnest(s.words) w where strpos(n.norm || ' ' || s.title, w) > 0)
  from (select d.tenant_id, d.contribution_id, replace(d.norm, p_folded, '–') as norm from search_document d
        where d.tenant_id = v_tenant and d.contribution_id = any (v_ids)) n
  where s.tenant_id = n.tenant_id and s.contribution_id = n.contribution_id;
  delete from mention n where n.tenant_id = v_tenant and n.member_id = p_member;
end $$;

/* What a member wrote loses its author and its earlier versions, and, when p_texts_too, its words. */
create function contributions_disown(p_member uuid, p_texts_too boolean) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  delete from contribution_revision r using contribution c
  where r.tenant_id = v_tenant and c.tenant_id = v_tenant and c.id = r.contribution_id and c.author_id = p_member;
  delete from search_document s using contribution c
  where s.tenant_id = v_tenant and c.tenant_id = v_tenant and c.id = s.contribution_id and c.author_id = p_member
    and (p_texts_too or c.state = 'DRAFT');
  delete from mention n using contribution c
  where n.tenant_id = v_tenant and c.tenant_id = v_tenant and c.id = n.contribution_id and c.author_id = p_member
    and (p_texts_too or c.state = 'DRAFT');
  update contribution c set
    title = case when c.title is not null then '–' end, body = '', html = '', tags = '{}', revision = 1,
    state = case when c.state = 'DRAFT' then 'DELETED' else c.state end
  where c.tenant_id = v_tenant and c.author_id = p_member and (p_texts_too or c.state = 'DRAFT');
  update contribution c set author_id = null, source_key = null,
    actor = case when c.actor like 'member:%' then 'member:–' else c.actor end
  where c.tenant_id = v_tenant and c.author_id = p_member;
end $$;

/*
 * Takes everything away that tells who a member is: names, addresses, what was said to it and by it in private, reasons
 * and notes. The books stay, of somebody whom nobody knows, and so does what it wrote in spaces unless p_texts_too.
 * p_folded is its external id as search has it. The membership ends with it. The tenant's own id becomes free. Once more changes nothing. Outcomes: done {member,
 * erased_at}, not_found.
 */
create function member_erase(
  p_member uuid, p_external_id text, p_folded text, p_texts_too boolean, p_actor text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
  v_place record;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.erased_at is not null then
    return jsonb_build_object('is', 'done', 'member', v_member.id, 'erased_at', v_member.erased_at);
  elsif v_member.membership <> 'ENDED' then
    perform membership_close(v_member.id, 'REMOVED', null, v_now, p_actor);
  end if;
  perform set_config('app.erasing', 'yes', true);
  perform set_config('app.erasing_words', case when p_texts_too then 'yes' else '' end, true);
  perform mentions_blank(v_member.id, v_member.external_id, p_folded);
  for v_place in select * from member_places() p where p.erase is not null loop
    execute case v_place.erase
      when 'delete' then format('delete from %I t where t.tenant_id = $1 and (%s)', v_place.name, v_place.mine)
      else format('update %I t set %s where t.tenant_id = $1 and (%s)', v_place.name, v_place.erase, v_place.mine) end
    using v_tenant, v_member.id;
  end loop;
  perform contributions_disown(v_member.id, p_texts_too);
  perform actor_blank('member:' || v_member.external_id);
  perform set_config('app.erasing', '', true);
  update member m set external_id = 'erased:' || m.id, display_name = '–', email = null, attributes = '{}',
    membership_reason = null, erased_at = v_now
  where m.tenant_id = v_tenant and m.id = v_member.id;
  -- The e-mail of the profile is among the addresses until now.
  update address a set identity = 'erased:' || a.id, value = '"–"', source = 'erased'
  where a.tenant_id = v_tenant and a.member_id = v_member.id;
  perform membership_note(v_member.id, 'ERASED', v_now, p_actor, null);
  perform announce('membership.erased', v_member.id, '{}', v_now);
  return jsonb_build_object('is', 'done', 'member', v_member.id, 'erased_at', v_now);
end $$;

/* Whoever acted by this name acted by none, wherever that was written down. */
create function actor_blank(p_actor text) returns void language plpgsql as $$
declare
  v_column record;
begin
  for v_column in
    select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and (a.attname = 'actor' or a.attname like '%\_by')
      and a.atttypid = 'text'::regtype and c.relname <> 'op'
  loop
    execute format('update %I t set %I = %L where t.tenant_id = $1 and t.%2$I = $2', v_column.relname, v_column.attname, 'member:–')
    using current_tenant(), p_actor;
  end loop;
end $$;

grant execute on function
  member_export(uuid, text, jsonb, int, boolean), member_erase_preview(uuid),
  member_erase(uuid, text, text, boolean, text) to engawa_app;

-- ── The directory: who is there, as far as each wants to be seen ─────────────────────────────────

/* How a member shows itself to others. Without one it shows nothing, and nobody writes to it. */
create table profile (
  tenant_id                uuid not null,
  member_id                uuid not null,
  is_listed                boolean not null default false,
  /* The name as it is looked for; null since it changed. */
  folded_name              text,
  interests_sight          text not null default 'NOBODY' check (interests_sight in ('NOBODY', 'SHARED', 'MEMBERS')),
  messages_from            text not null default 'NOBODY' check (messages_from in ('NOBODY', 'SHARED', 'MEMBERS')),
  is_open_to_introductions boolean not null default false,
  has_presence             boolean not null default false,
  updated_at               timestamptz not null,
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('profile');
call sight_own('profile');
grant select on profile to engawa_app;

/* What a member tells of itself, and to whom: nobody, those who are in a space with it, or every member. */
create table profile_field (
  tenant_id uuid not null,
  member_id uuid not null,
  field     text not null check (field in ('HEADLINE', 'ABOUT', 'LOCATION', 'COMPANY', 'WEBSITE', 'BUSINESS')),
  value     text not null check (length(value) between 1 and 1000),
  sight     text not null check (sight in ('NOBODY', 'SHARED', 'MEMBERS')),
  primary key (tenant_id, member_id, field),
  foreign key (tenant_id, member_id) references profile (tenant_id, member_id)
);
call protect('profile_field');
call sight_own('profile_field');
grant select on profile_field to engawa_app;

/* What a member cares about, as it is compared and as it was said. */
create table interest (
  tenant_id uuid not null,
  member_id uuid not null,
  interest  text not null check (length(interest) between 1 and 100),
  label     text not null check (length(label) between 1 and 100),
  primary key (tenant_id, member_id, interest),
  foreign key (tenant_id, member_id) references profile (tenant_id, member_id)
);
create index interest_of_many on interest (tenant_id, interest, member_id);
call protect('interest');
call sight_own('interest');
grant select on interest to engawa_app;

/* A name that changed is looked for as it stands, until the profile is saved again. */
create function profile_renamed() returns trigger language plpgsql as $$
begin
  update profile p set folded_name = null where p.tenant_id = new.tenant_id and p.member_id = new.id;
  return null;
end $$;
create trigger profile_renamed after update of display_name on member for each row
  when (old.display_name <> new.display_name) execute function profile_renamed();

/*
 * Says how a member shows itself; what is left out stays, a null value takes a field away. p_profile: {"is_listed",
 * "folded_name", "interests_sight", "messages_from", "is_open_to_introductions", "has_presence", "fields": [{"field",
 * "value", "sight"}], "interests": [{"interest", "label"}]}. Outcomes: done {member}, not_found, membership_ended.
 */
create function profile_save(p_member uuid, p_external_id text, p_profile jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  insert into profile (tenant_id, member_id, updated_at)
  values (v_tenant, v_member.id, tenant_now(v_tenant)) on conflict do nothing;
  update profile p set is_listed = coalesce((p_profile ->> 'is_listed')::boolean, p.is_listed),
    folded_name = p_profile ->> 'folded_name',
    interests_sight = coalesce(p_profile ->> 'interests_sight', p.interests_sight),
    messages_from = coalesce(p_profile ->> 'messages_from', p.messages_from),
    is_open_to_introductions = coalesce((p_profile ->> 'is_open_to_introductions')::boolean, p.is_open_to_introductions),
    has_presence = coalesce((p_profile ->> 'has_presence')::boolean, p.has_presence), updated_at = tenant_now(v_tenant)
  where p.tenant_id = v_tenant and p.member_id = v_member.id;
  delete from profile_field f using jsonb_array_elements(p_profile -> 'fields') e
  where f.tenant_id = v_tenant and f.member_id = v_member.id and f.field = e ->> 'field';
  insert into profile_field (tenant_id, member_id, field, value, sight)
  select v_tenant, v_member.id, e ->> 'field', e ->> 'value', e ->> 'sight'
  from jsonb_array_elements(p_profile -> 'fields') e where e ->> 'value' is not null;
  if p_profile ? 'interests' then
    delete from interest i where i.tenant_id = v_tenant and i.member_id = v_member.id;
    insert into interest (tenant_id, member_id, interest, label)
    select v_tenant, v_member.id, e ->> 'interest', e ->> 'label' from jsonb_array_elements(p_profile -> 'interests') e
    on conflict do nothing;
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Those of these members who are in a space with a member, which both may see into now. */
create function space_companions(p_member uuid, p_members uuid[]) returns setof uuid language sql stable as $$
  select distinct b.member_id from sights(array[p_member]) s
  join space_member a on a.tenant_id = current_tenant() and a.member_id = p_member and a.state = 'JOINED'
    and a.space_id = any (s.keys)
  join space_member b on b.tenant_id = a.tenant_id and b.space_id = a.space_id and b.state = 'JOINED'
    and b.member_id = any (p_members) and b.member_id <> p_member
  where exists (select from space_seers(b.space_id, array[b.member_id]))
$$;

/* Whether one of two members blocked the other. */
create function is_blocked(p_one uuid, p_other uuid) returns boolean language sql stable as $$
  select exists (
    select from member_block b where b.tenant_id = current_tenant() and not b.is_mute
      and (b.member_id, b.other_id) in ((p_one, p_other), (p_other, p_one)))
$$;

/* What a member sees of these others, who are there and did not block it: the name, and of the rest what each shows. */
create function people_seen(p_viewer uuid, p_members uuid[])
returns table (id uuid, display_name text, fields jsonb, interests text[], shared text[])
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_there uuid[] := array(select member_entitled(p_members));
  v_near uuid[] := array(select space_companions(p_viewer, v_there));
begin
  return query
  select m.id, m.display_name,
    coalesce((select jsonb_object_agg(f.field, f.value) from profile_field f
      where f.tenant_id = v_tenant and f.member_id = m.id
        and (f.sight = 'MEMBERS' or (f.sight = 'SHARED' and m.id = any (v_near)))), '{}'),
    case when i.is_seen then array(
      select x.label from interest x where x.tenant_id = v_tenant and x.member_id = m.id order by x.interest) else '{}' end,
    case when i.is_seen then array(
      select x.label from interest x join interest y on y.tenant_id = v_tenant and y.member_id = p_viewer and y.interest = x.interest
      where x.tenant_id = v_tenant and x.member_id = m.id order by x.interest) else '{}' end
  from member m
  left join profile p on p.tenant_id = v_tenant and p.member_id = m.id
  cross join lateral (select coalesce(p.interests_sight = 'MEMBERS'
    or (p.interests_sight = 'SHARED' and m.id = any (v_near)), false) as is_seen) i
  where m.tenant_id = v_tenant and m.id = any (v_there) and not is_blocked(p_viewer, m.id)
  order by array_position(p_members, m.id);
end $$;

/*
 * A page of the listed members who are there, by name: those whose name holds p_search and who show an interest, behind
 * a place. Nothing for a member who may enter nothing itself.
 */
create function directory_page(
  p_viewer uuid, p_search text, p_interest text, p_after_name text, p_after uuid, p_limit int
) returns table (id uuid, name text) language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_near uuid[];
begin
  if not exists (select from member_entitled(array[p_viewer])) then
    return;
  elsif p_interest is not null then
    v_near := array(select space_companions(p_viewer, array(
      select i.member_id from interest i where i.tenant_id = v_tenant and i.interest = p_interest)));
  end if;
  return query
  select m.id, n.name from profile p
  join member m on m.tenant_id = v_tenant and m.id = p.member_id
    and membership_opens(m.membership, m.paused_until, m.paid_through, v_now)
  cross join lateral (select coalesce(p.folded_name, lower(normalize(m.display_name, nfkc))) collate "C" as name) n
  where p.tenant_id = v_tenant and p.is_listed
    and (p_search is null or strpos(n.name, p_search) > 0)
    and (p_interest is null or (
      exists (select from interest i where i.tenant_id = v_tenant and i.member_id = m.id and i.interest = p_interest)
      and (p.interests_sight = 'MEMBERS' or (p.interests_sight = 'SHARED' and m.id = any (v_near)))))
    and not is_blocked(p_viewer, m.id)
    and (p_after is null or (n.name, m.id) > (p_after_name collate "C", p_after))
  order by n.name, m.id limit p_limit;
end $$;

-- ── Introductions: two who care about the same, and both agree ───────────────────────────────────

create table introduction (
  tenant_id         uuid not null,
  id                uuid not null default uuid_v7(),
  /* Who asked, or the first whom staff named; and the other. */
  one_id            uuid not null,
  other_id          uuid not null,
  note              text check (length(note) between 1 and 500),
  state             text not null default 'PROPOSED' check (state in ('PROPOSED', 'INTRODUCED', 'DECLINED')),
  one_accepted_at   timestamptz,
  other_accepted_at timestamptz,
  proposed_at       timestamptz not null,
  settled_at        timestamptz,
  actor             text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, one_id) references member (tenant_id, id),
  foreign key (tenant_id, other_id) references member (tenant_id, id),
  check (one_id <> other_id),
  check ((state = 'PROPOSED') = (settled_at is null)),
  check (state <> 'INTRODUCED' or (one_accepted_at is not null and other_accepted_at is not null))
);
/* Two are introduced once, whoever asks. */
create unique index introduction_pair on introduction (tenant_id, least(one_id, other_id), greatest(one_id, other_id));
create index introduction_of_one on introduction (tenant_id, one_id, id);
create index introduction_of_other on introduction (tenant_id, other_id, id);
call protect('introduction');
create policy sight on introduction as restrictive for select to engawa_app using (
  (select app_member()) is null or one_id = (select app_member()) or other_id = (select app_member()));
grant select on introduction to engawa_app;

/* Members who show that they care about what p_member cares about, and want to be introduced; the closest first. */
create function introductions_suggested(p_member uuid, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_near uuid[] := array(select space_companions(p_member, array(
    select o.member_id from interest i join interest o on o.tenant_id = v_tenant and o.interest = i.interest
    where i.tenant_id = v_tenant and i.member_id = p_member)));
begin
  return query
  select o.member_id from interest i
  join interest o on o.tenant_id = v_tenant and o.interest = i.interest and o.member_id <> p_member
  join profile p on p.tenant_id = v_tenant and p.member_id = o.member_id and p.is_open_to_introductions
    and (p.interests_sight = 'MEMBERS' or (p.interests_sight = 'SHARED' and o.member_id = any (v_near)))
  where i.tenant_id = v_tenant and i.member_id = p_member
    and exists (select from member_entitled(array[p_member])) and exists (select from member_entitled(array[o.member_id]))
    and not is_blocked(p_member, o.member_id)
    and not exists (select from introduction x where x.tenant_id = v_tenant
      and least(x.one_id, x.other_id) = least(p_member, o.member_id)
      and greatest(x.one_id, x.other_id) = greatest(p_member, o.member_id))
  group by o.member_id order by count(*) desc, o.member_id limit p_limit;
end $$;

/*
 * Asks another member whether it wants to be introduced; who asks has said yes. Asked again, or by the other at the
 * same time, it is one introduction: the other's asking is its yes. Outcomes: done {introduction, member}, not_found (also for who does
 * not want it, or blocked), access_denied, key_reused.
 */
create function introduction_propose(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_other uuid, p_note text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_op record;
  v_known introduction;
  v_id uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'INTRODUCE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif v_member is null then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  end if;
  perform member_hold(v_member, null);
  if not exists (select from member_entitled(array[v_member])) then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'MEMBERSHIP', 'unlock', null));
  elsif v_member = p_other or not exists (select from member_entitled(array[p_other])) or is_blocked(v_member, p_other)
     or not exists (select from profile p where p.tenant_id = v_tenant and p.member_id = p_other and p.is_open_to_introductions) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  elsif (select count(*) from introduction x where x.tenant_id = v_tenant and x.one_id = v_member and x.state <> 'INTRODUCED'
           and x.proposed_at > v_now - interval '1 day') >= 20 then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'TOO_MANY', 'unlock', null));
  end if;
  insert into introduction (tenant_id, one_id, other_id, note, one_accepted_at, proposed_at, actor)
  values (v_tenant, v_member, p_other, p_note, v_now, v_now, p_actor)
  on conflict (tenant_id, least(one_id, other_id), greatest(one_id, other_id)) do nothing returning id into v_id;
  if v_id is not null then
    perform announce('introduction.proposed', p_other, jsonb_build_object('introduction', v_id), v_now);
    perform notification_note('INTRODUCTION', 'introduction ' || v_id, null, v_member, p_other, null, v_now);
    return op_finish(p_key, jsonb_build_object('is', 'done', 'introduction', v_id, 'member', v_member));
  end if;
  select * into strict v_known from introduction x where x.tenant_id = v_tenant
    and least(x.one_id, x.other_id) = least(v_member, p_other) and greatest(x.one_id, x.other_id) = greatest(v_member, p_other);
  if v_known.other_id = v_member then
    perform introduction_settle(v_known.id, v_member, true);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'introduction', v_known.id, 'member', v_member));
end $$;

/* Writes down what one of the two said; when both said yes, they can write to each other. */
create function introduction_settle(p_introduction uuid, p_member uuid, p_accepts boolean) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row introduction;
begin
  select * into v_row from introduction x where x.tenant_id = v_tenant and x.id = p_introduction for no key update;
  if v_row.state <> 'PROPOSED' then
    return;
  end if;
  update introduction x set
    one_accepted_at = case when p_accepts and p_member = x.one_id then coalesce(x.one_accepted_at, v_now) else x.one_accepted_at end,
    other_accepted_at = case when p_accepts and p_member = x.other_id then coalesce(x.other_accepted_at, v_now) else x.other_accepted_at end
  where x.tenant_id = v_tenant and x.id = p_introduction returning * into v_row;
  if not p_accepts then
    update introduction x set state = 'DECLINED', settled_at = v_now where x.tenant_id = v_tenant and x.id = p_introduction;
  elsif v_row.one_accepted_at is not null and v_row.other_accepted_at is not null then
    update introduction x set state = 'INTRODUCED', settled_at = v_now where x.tenant_id = v_tenant and x.id = p_introduction;
    perform conversation_open(v_row.one_id, v_row.other_id, v_now);
    perform announce('introduction.accepted', v_row.one_id, jsonb_build_object('introduction', p_introduction), v_now);
    perform announce('introduction.accepted', v_row.other_id, jsonb_build_object('introduction', p_introduction), v_now);
  end if;
end $$;

/* A member says yes or no to being introduced to another, once. Outcomes: done {introduction, member}, not_found. */
create function introduction_answer(p_member uuid, p_external_id text, p_other uuid, p_accepts boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_id uuid;
begin
  select x.id into v_id from introduction x where x.tenant_id = v_tenant
    and least(x.one_id, x.other_id) = least(v_member, p_other) and greatest(x.one_id, x.other_id) = greatest(v_member, p_other)
    and not is_blocked(v_member, p_other);
  if v_id is null or not exists (select from member_entitled(array[v_member])) then
    return jsonb_build_object('is', 'not_found', 'what', 'introduction');
  end if;
  perform introduction_settle(v_id, v_member, p_accepts);
  return jsonb_build_object('is', 'done', 'introduction', v_id, 'member', v_member);
end $$;

/* The introductions of a member, the newest first: with whom, and how it stands as far as the member may know. */
create function introductions_of(p_member uuid, p_id uuid, p_limit int)
returns table (id uuid, other_id uuid, note text, state text, is_asked boolean, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select x.id, case when x.one_id = p_member then x.other_id else x.one_id end, x.note,
    -- Who asked is not told of a no.
    case when x.state = 'DECLINED' and x.one_id = p_member then 'PROPOSED' else x.state end,
    x.other_id = p_member, x.proposed_at
  from introduction x
  where x.tenant_id = current_tenant() and p_member in (x.one_id, x.other_id) and (p_id is null or x.id = p_id)
    and exists (select from member_entitled(array[p_member]))
  order by x.id desc limit p_limit
$$;

-- ── Messages between two members ─────────────────────────────────────────────────────────────────

create table conversation (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  one_id     uuid not null,
  other_id   uuid not null,
  opened_at  timestamptz not null,
  /* The last message; the opening while there is none. */
  last_at    timestamptz not null,
  /* How many each has not read yet. */
  one_unread   int not null default 0 check (one_unread >= 0),
  other_unread int not null default 0 check (other_unread >= 0),
  primary key (tenant_id, id),
  unique (tenant_id, one_id, other_id),
  foreign key (tenant_id, one_id) references member (tenant_id, id),
  foreign key (tenant_id, other_id) references member (tenant_id, id),
  check (one_id < other_id)
);
create index conversation_of_one on conversation (tenant_id, one_id, last_at, id);
create index conversation_of_other on conversation (tenant_id, other_id, last_at, id);
call protect('conversation');
create policy sight on conversation as restrictive for select to engawa_app using (
  (select app_member()) is null or one_id = (select app_member()) or other_id = (select app_member()));

create table message (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  conversation_id uuid not null,
  author_id       uuid not null,
  body            text not null check (length(body) between 1 and 5000),
  at              timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id) references conversation (tenant_id, id),
  foreign key (tenant_id, author_id) references member (tenant_id, id)
);
create index message_newest on message (tenant_id, conversation_id, id);
create index message_of_author on message (tenant_id, author_id, at);
call protect('message');
create policy sight on message as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from conversation c where c.tenant_id = message.tenant_id and c.id = message.conversation_id));

/* The conversation of two members, made when there is none. */
create function conversation_open(p_one uuid, p_other uuid, p_at timestamptz) returns uuid language plpgsql as $$
declare
  v_id uuid;
begin
  insert into conversation (tenant_id, one_id, other_id, opened_at, last_at)
  values (current_tenant(), least(p_one, p_other), greatest(p_one, p_other), p_at, p_at) on conflict do nothing;
  select c.id into strict v_id from conversation c
  where c.tenant_id = current_tenant() and c.one_id = least(p_one, p_other) and c.other_id = greatest(p_one, p_other);
  return v_id;
end $$;

/*
 * Writes to another member: to whom one was introduced or wrote before, or who takes messages from the likes of it.
 * Nobody is told that it was blocked. Outcomes: done {message, member, other}, not_found, access_denied, key_reused.
 */
create function message_send(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_other uuid, p_body text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_op record;
  v_from text;
  v_is_muted boolean;
  v_is_new boolean;
  v_conversation uuid;
  v_id uuid := uuid_v7();
begin
  select * into v_op from op_begin(p_key, p_hash, 'MESSAGE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif v_member is null or v_member = p_other or not exists (select from member_entitled(array[p_other])) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  end if;
  -- One at a time for each author, so that they can be counted.
  perform member_hold(v_member, null);
  if not exists (select from member_entitled(array[v_member])) then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'MEMBERSHIP', 'unlock', null));
  end if;
  v_is_new := not exists (select from conversation c where c.tenant_id = v_tenant
    and c.one_id = least(v_member, p_other) and c.other_id = greatest(v_member, p_other));
  v_from := coalesce((select p.messages_from from profile p where p.tenant_id = v_tenant and p.member_id = p_other), 'NOBODY');
  if is_blocked(v_member, p_other) or (v_is_new and not (v_from = 'MEMBERS'
       or (v_from = 'SHARED' and exists (select from space_companions(v_member, array[p_other]))))) then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'NO_MESSAGES', 'unlock', null));
  elsif (select count(*) from message m where m.tenant_id = v_tenant and m.author_id = v_member
           and m.at > v_now - interval '1 minute') >= 20
     or (v_is_new and (select count(distinct m.conversation_id) from message m where m.tenant_id = v_tenant
           and m.author_id = v_member and m.at > v_now - interval '1 day') >= 50) then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'TOO_MANY', 'unlock', null));
  end if;
  v_conversation := conversation_open(v_member, p_other, v_now);
  v_is_muted := exists (select from member_block b
    where b.tenant_id = v_tenant and b.member_id = p_other and b.other_id = v_member);
  insert into message (tenant_id, id, conversation_id, author_id, body, at)
  values (v_tenant, v_id, v_conversation, v_member, p_body, v_now);
  update conversation c set last_at = v_now,
    one_unread = c.one_unread + (c.one_id = p_other and not v_is_muted)::int,
    other_unread = c.other_unread + (c.other_id = p_other and not v_is_muted)::int
  where c.tenant_id = v_tenant and c.id = v_conversation;
  perform announce('message.sent', v_member, jsonb_build_object('message', v_id), v_now);
  if not v_is_muted then
    perform announce('message.sent', p_other, jsonb_build_object('message', v_id), v_now);
    perform notification_note('MESSAGE', 'message ' || v_id, null, v_member, p_other, null, v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'message', v_id, 'member', v_member, 'other', p_other));
end $$;

/* A member has read what another wrote to it. Outcomes: done {member, other}, not_found. */
create function conversation_read(p_member uuid, p_external_id text, p_other uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_member uuid := (member_find(p_member, p_external_id)).id;
begin
  update conversation c set one_unread = case when c.one_id = v_member then 0 else c.one_unread end,
    other_unread = case when c.other_id = v_member then 0 else c.other_unread end
  where c.tenant_id = current_tenant() and c.one_id = least(v_member, p_other) and c.other_id = greatest(v_member, p_other);
  return case when found then jsonb_build_object('is', 'done', 'member', v_member, 'other', p_other)
    else jsonb_build_object('is', 'not_found', 'what', 'member') end;
end $$;

/* The conversations of a member, the one with the newest message first, behind a place. */
create function conversations_of(p_member uuid, p_other uuid, p_before timestamptz, p_before_id uuid, p_limit int)
returns table (id uuid, other_id uuid, last_at timestamptz, unread int)
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id, case when c.one_id = p_member then c.other_id else c.one_id end, c.last_at,
    case when c.one_id = p_member then c.one_unread else c.other_unread end
  from conversation c
  where c.tenant_id = current_tenant() and p_member in (c.one_id, c.other_id)
    and (p_other is null or p_other in (c.one_id, c.other_id))
    and (p_before is null or (c.last_at, c.id) < (p_before, p_before_id))
    and exists (select from member_entitled(array[p_member]))
  order by c.last_at desc, c.id desc limit p_limit
$$;

/* Messages that a member wrote or was written to, the newest first: with another, behind a place; or one of them. */
create function messages_of(p_member uuid, p_other uuid, p_id uuid, p_before uuid, p_limit int)
returns table (id uuid, author_id uuid, body text, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id, m.author_id, m.body, m.at from message m
  join conversation c on c.tenant_id = m.tenant_id and c.id = m.conversation_id and p_member in (c.one_id, c.other_id)
    and (p_other is null or p_other in (c.one_id, c.other_id))
  where m.tenant_id = current_tenant() and (p_id is null or m.id = p_id) and (p_before is null or m.id < p_before)
    and (p_other is not null or p_id is not null) and exists (select from member_entitled(array[p_member]))
  order by m.id desc limit p_limit
$$;

grant execute on function
  profile_save(uuid, text, jsonb), people_seen(uuid, uuid[]),
  directory_page(uuid, text, text, text, uuid, int), introductions_suggested(uuid, int),
  introduction_propose(text, bytea, uuid, text, uuid, text, text), introduction_answer(uuid, text, uuid, boolean),
  introductions_of(uuid, uuid, int), message_send(text, bytea, uuid, text, uuid, text, text),
  conversation_read(uuid, text, uuid), conversations_of(uuid, uuid, timestamptz, uuid, int),
  messages_of(uuid, uuid, uuid, uuid, int) to engawa_app;

-- ── Who is there: heartbeats that expire ─────────────────────────────────────────────────────────

create table presence (
  tenant_id    uuid not null,
  space_id     uuid not null,
  member_id    uuid not null,
  until        timestamptz not null,
  /* The thread in which it is writing, for a moment. */
  typing_in    uuid,
  typing_until timestamptz,
  primary key (tenant_id, space_id, member_id),
  foreign key (tenant_id, space_id) references space (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((typing_in is null) = (typing_until is null))
) with (fillfactor = 50);
create index presence_over on presence (tenant_id, until);
call protect('presence');
call sight_own('presence');

/*
 * A member is in a space for the next minute, and perhaps writing in a thread for the next ten seconds. Outcomes: done
 * {member, space}, not_found, space_not_enabled, access_denied.
 */
create function presence_beat(p_member uuid, p_space uuid, p_typing_in uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_refusal jsonb := space_may(p_space, p_member, 'see');
begin
  if v_refusal is not null then
    return v_refusal;
  elsif p_typing_in is not null and not coalesce(contribution_seen(p_typing_in, p_member), false) then
    return jsonb_build_object('is', 'not_found', 'what', 'contribution');
  end if;
  delete from presence p where (p.tenant_id, p.space_id, p.member_id) in (
    select o.tenant_id, o.space_id, o.member_id from presence o
    where o.tenant_id = v_tenant and o.until < v_now limit 20 for update skip locked);
  insert into presence as p (tenant_id, space_id, member_id, until, typing_in, typing_until)
  values (v_tenant, p_space, p_member, v_now + interval '1 minute', p_typing_in,
    case when p_typing_in is not null then v_now + interval '10 seconds' end)
  on conflict (tenant_id, space_id, member_id) do update set until = excluded.until,
    typing_in = excluded.typing_in, typing_until = excluded.typing_until;
  return jsonb_build_object('is', 'done', 'member', p_member, 'space', p_space);
end $$;

/*
 * How many are in a space now, and write in a thread of it; by name those who want to be seen and did not block the
 * viewer. No row for who does not see the space, or the thread.
 */
create function presence_of(p_viewer uuid, p_space uuid, p_thread uuid)
returns table (present int, typing int, people uuid[]) language plpgsql stable
security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  if not exists (select from space_seers(p_space, array[p_viewer]))
     or (p_thread is not null and not contribution_seen(p_thread, p_viewer)) then
    return;
  end if;
  return query
  select count(*)::int, (count(*) filter (where p.typing_in = p_thread and p.typing_until > v_now))::int,
    coalesce((array_agg(p.member_id order by p.member_id) filter (where f.has_presence and not is_blocked(p_viewer, p.member_id)))[1:50], '{}')
  from presence p
  left join profile f on f.tenant_id = v_tenant and f.member_id = p.member_id
  where p.tenant_id = v_tenant and p.space_id = p_space and p.until > v_now
    and p.member_id in (select space_seers(p_space, array(
      select o.member_id from presence o where o.tenant_id = v_tenant and o.space_id = p_space and o.until > v_now)));
end $$;
grant execute on function presence_beat(uuid, uuid, uuid), presence_of(uuid, uuid, uuid) to engawa_app;
