-- Spaces: places for posts, questions and content, who is in them, and the one rule of who may see what.

set local role engawa_owner;

-- ── Spaces ───────────────────────────────────────────────────────────────────────────────────────

/* A place as its definition in force has it, and whether it is switched on. */
create table space (
  tenant_id  uuid not null references tenant,
  id         uuid not null default uuid_v7(),
  key        text not null,
  kind       text not null check (kind in ('SITE', 'COMMUNITY', 'QA')),
  /* The version of the definition. */
  version    int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name       jsonb not null,
  purpose    jsonb not null,
  theme      jsonb,
  goal       jsonb,
  /* Who may see what is in it, write in it, answer and react; null: every member who may enter. */
  see_id     uuid,
  post_id    uuid,
  reply_id   uuid,
  react_id   uuid,
  join_mode  text not null check (join_mode in ('OPEN', 'REQUEST', 'INVITATION')),
  /* Whether those who are not in it learn that it exists. */
  is_listed  boolean not null,
  is_enabled boolean not null default true,
  is_retired boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, see_id) references audience (tenant_id, id),
  foreign key (tenant_id, post_id) references audience (tenant_id, id),
  foreign key (tenant_id, reply_id) references audience (tenant_id, id),
  foreign key (tenant_id, react_id) references audience (tenant_id, id)
);
create index space_kind on space (tenant_id, kind, id);
call protect('space');
grant select on space to engawa_app;

/* Compiles a definition: the space is one row, whose id stays. */
create function space_of_definition() returns trigger language plpgsql as $$
begin
  if exists (select from space s where s.tenant_id = new.tenant_id and s.key = new.key
             and s.kind <> new.body ->> 'kind') then
    perform definition_refuse('space.kind', 'The kind of a space stays what it is; make another one.');
  end if;
  insert into space as s (tenant_id, key, kind, version, name, purpose, theme, goal, see_id, post_id, reply_id, react_id,
    join_mode, is_listed, created_at)
  values (new.tenant_id, new.key, new.body ->> 'kind', new.version, new.body -> 'name', new.body -> 'purpose',
    new.body -> 'theme', new.body -> 'goal', (new.audiences ->> 'see')::uuid, (new.audiences ->> 'post')::uuid,
    (new.audiences ->> 'reply')::uuid, (new.audiences ->> 'react')::uuid, new.body ->> 'join',
    (new.body ->> 'isListed')::boolean, new.published_at)
  on conflict (tenant_id, key) do update set version = excluded.version, name = excluded.name,
    purpose = excluded.purpose, theme = excluded.theme, goal = excluded.goal, see_id = excluded.see_id,
    post_id = excluded.post_id, reply_id = excluded.reply_id, react_id = excluded.react_id,
    join_mode = excluded.join_mode, is_listed = excluded.is_listed, is_retired = false;
  return null;
end $$;
create trigger space after insert on definition for each row when (new.kind = 'space')
  execute function space_of_definition();

create function space_retired() returns trigger language plpgsql as $$
begin
  update space s set is_retired = true where s.tenant_id = new.tenant_id and s.key = new.key;
  return null;
end $$;
create trigger space_retired after update of is_live on definition for each row
  when (new.kind = 'space' and old.is_live and not new.is_live) execute function space_retired();

/* How a member stands to a space. Nobody is taken out of it: leaving is a state. */
create table space_member (
  tenant_id uuid not null,
  space_id  uuid not null,
  member_id uuid not null,
  state     text not null check (state in ('REQUESTED', 'INVITED', 'JOINED', 'LEFT', 'DECLINED', 'BANNED')),
  role      text not null default 'MEMBER' check (role in ('MEMBER', 'MODERATOR')),
  since     timestamptz not null,
  actor     text not null,
  primary key (tenant_id, space_id, member_id),
  foreign key (tenant_id, space_id) references space (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (role = 'MEMBER' or state = 'JOINED')
);
create index space_member_of_member on space_member (tenant_id, member_id, state, space_id);
create index space_member_state on space_member (tenant_id, space_id, state, since, member_id);
call protect('space_member');
grant select on space_member to engawa_app;

/* A member who does not want to read another one. Blocking works both ways, muting one way. */
create table member_block (
  tenant_id uuid not null,
  member_id uuid not null,
  other_id  uuid not null,
  is_mute   boolean not null,
  since     timestamptz not null,
  primary key (tenant_id, member_id, other_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, other_id) references member (tenant_id, id),
  check (member_id <> other_id)
);
create index member_block_other on member_block (tenant_id, other_id, member_id);
call protect('member_block');
grant select on member_block to engawa_app;

/* Audiences that some content asks for besides its space's: the keys that members may hold. */
create table gate (
  tenant_id   uuid not null,
  audience_id uuid not null,
  primary key (tenant_id, audience_id),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id)
);
call protect('gate');
grant select on gate to engawa_app;

/* Who takes part in a thread that is not for everybody. */
create table thread_reader (
  tenant_id uuid not null,
  root_id   uuid not null,
  member_id uuid not null,
  primary key (tenant_id, root_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index thread_reader_of_member on thread_reader (tenant_id, member_id, root_id);
call protect('thread_reader');
grant select on thread_reader to engawa_app;

-- ── Who sees what ────────────────────────────────────────────────────────────────────────────────

/* Those of these members who may enter anything now. */
create function member_entitled(p_members uuid[]) returns setof uuid language plpgsql stable as $$
begin
  return query
  select m.id from member m
  where m.tenant_id = current_tenant() and m.id = any(p_members) and m.membership = 'ACTIVE';
end $$;

-- Conditions are text that the application wrote, so they run with its rights (see 0016).
reset role;
grant create on schema public to engawa_app;
set local role engawa_app;

/* Which of these audiences each of these members matches now: one statement, however many. */
create function audiences_matched(p_audiences uuid[], p_members uuid[])
returns table (member_id uuid, audiences uuid[])
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_cases text := (
    select string_agg(format('case when (%s) then %L::uuid end', a.condition, a.id), ', ' order by a.id)
    from audience a where a.tenant_id = current_tenant() and a.id = any(p_audiences));
begin
  return query execute format(
    'select m.id, array_remove(array[%s]::uuid[], null) from member m where m.tenant_id = $1 and m.id = any($2)',
    coalesce(v_cases, '')) using current_tenant(), p_members;
end $$;
revoke execute on function audiences_matched(uuid[], uuid[]) from public;
grant execute on function audiences_matched(uuid[], uuid[]) to engawa_owner, engawa_app;

reset role;
revoke create on schema public from engawa_app;
set local role engawa_owner;

/* The spaces that a member moderates. */
create function moderated_by(p_member uuid) returns uuid[] language sql stable as $$
  select coalesce(array_agg(sm.space_id), '{}') from space_member sm
  join space s on s.tenant_id = sm.tenant_id and s.id = sm.space_id and s.is_enabled and not s.is_retired
  where sm.tenant_id = current_tenant() and sm.member_id = p_member and sm.state = 'JOINED' and sm.role = 'MODERATOR'
    and exists (select from member_entitled(array[p_member]))
$$;

/* The members whom a member does not read: those whom it blocked or muted, and those who blocked it. */
create function blocked_for(p_member uuid) returns uuid[] language sql stable as $$
  select coalesce(array_agg(x.id), '{}') from (
    select b.other_id as id from member_block b where b.tenant_id = current_tenant() and b.member_id = p_member
    union
    select b.member_id from member_block b
    where b.tenant_id = current_tenant() and b.other_id = p_member and not b.is_mute) x
$$;

/*
 * What each of these members may see: `keys` are the spaces that it may see into, the gates that it matches and the
 * private threads that it takes part in. Those who may not enter at all are not in the answer.
 */
create function sights(p_members uuid[])
returns table (member_id uuid, keys uuid[], moderated uuid[], blocked uuid[])
language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_entitled uuid[] := array(select member_entitled(p_members));
  v_audiences uuid[] := array(
    select s.see_id from space s where s.tenant_id = v_tenant and s.see_id is not null and s.is_enabled and not s.is_retired
    union
    select g.audience_id from gate g where g.tenant_id = v_tenant);
begin
  return query
  select a.member_id,
    a.audiences
      || array(
        select s.id from space s
        left join space_member sm on sm.tenant_id = v_tenant and sm.space_id = s.id and sm.member_id = a.member_id
        where s.tenant_id = v_tenant and s.is_enabled and not s.is_retired
          and (s.see_id is null or s.see_id = any(a.audiences))
          and sm.state is distinct from 'BANNED'
          and (s.join_mode = 'OPEN' or coalesce(sm.state = 'JOINED', false)))
      || array(
        select t.root_id from thread_reader t where t.tenant_id = v_tenant and t.member_id = a.member_id),
    moderated_by(a.member_id), blocked_for(a.member_id)
  from audiences_matched(v_audiences, v_entitled) a;
end $$;

/*
 * The one rule. A member sees what is published in a published thread, when it holds every key that this needs and
 * the author is none whom it does not read; its own in any state, where it holds the keys; and moderators see all
 * that is in their spaces but drafts. Lists ask it for one member, senders for many; nothing else decides.
 */
create function in_sight(
  p_needs uuid[], p_state text, p_root_state text, p_space uuid, p_author uuid,
  p_keys uuid[], p_moderated uuid[], p_blocked uuid[], p_member uuid
) returns boolean language sql immutable parallel safe as $$
  select (p_needs <@ p_keys
          and (p_author = p_member
               or (p_state = 'PUBLISHED' and p_root_state = 'PUBLISHED'
                   and (p_author is null or p_author <> all (p_blocked)))))
      or (p_state <> 'DRAFT' and p_space = any (p_moderated))
$$;
grant execute on function in_sight(uuid[], text, text, uuid, uuid, uuid[], uuid[], uuid[], uuid) to engawa_app;

/* The member with whose eyes this transaction sees; null: staff, integrations and the product itself see it all. */
create function app_member() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.member', true), '')::uuid $$;

create function viewer_keys() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as
$$ select coalesce((select s.keys from sights(array[app_member()]) s), '{}') $$;

create function viewer_moderated() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$ select moderated_by(app_member()) $$;

create function viewer_blocked() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$ select blocked_for(app_member()) $$;

/* The spaces that the viewer may know of: those it sees into, those it was asked into, and listed ones it may ask for. */
create function viewer_spaces() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(s.id), '{}') from audiences_matched(
      array(select s.see_id from space s where s.tenant_id = current_tenant() and s.see_id is not null),
      array(select member_entitled(array[app_member()]))) a
  join space s on s.tenant_id = current_tenant() and s.is_enabled and not s.is_retired
    and (s.see_id is null or s.see_id = any(a.audiences))
  left join space_member sm on sm.tenant_id = s.tenant_id and sm.space_id = s.id and sm.member_id = a.member_id
  where sm.state is distinct from 'BANNED' and (s.is_listed or coalesce(sm.state in ('JOINED', 'INVITED'), false))
$$;
grant execute on function app_member(), viewer_keys(), viewer_moderated(), viewer_blocked(), viewer_spaces()
  to engawa_app;

create policy sight on space as restrictive for select to engawa_app
  using ((select app_member()) is null or id = any ((select viewer_spaces())::uuid[]));
create policy sight on space_member as restrictive for select to engawa_app
  using ((select app_member()) is null or member_id = (select app_member())
         or space_id = any ((select viewer_moderated())::uuid[]));
create policy sight on member_block as restrictive for select to engawa_app
  using ((select app_member()) is null or member_id = (select app_member()));
create policy sight on thread_reader as restrictive for select to engawa_app
  using ((select app_member()) is null or member_id = (select app_member()));

/* Those of these members who may see into a space now. */
create function space_seers(p_space uuid, p_members uuid[]) returns setof uuid language sql stable as $$
  select s.member_id from sights(p_members) s where p_space = any (s.keys)
$$;

/*
 * Whether a member may do something in a space; null for staff. p_action: see, post, reply, react, moderate. Null when
 * it may; else the refusal to answer: not_found for a space that it may not know of, space_not_enabled, or
 * access_denied {reason, unlock: the audience rule that would open it, or null}.
 */
create function space_may(p_space uuid, p_member uuid, p_action text) returns jsonb language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_space space;
  v_sight record;
  v_state text;
  v_rule uuid;
begin
  select * into v_space from space s where s.tenant_id = v_tenant and s.id = p_space;
  if v_space.id is null or v_space.is_retired then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  elsif not v_space.is_enabled then
    return jsonb_build_object('is', 'space_not_enabled', 'key', v_space.key);
  elsif p_member is null then
    return null;
  end if;
  select * into v_sight from sights(array[p_member]) s;
  if p_space = any (v_sight.moderated) then
    return null;
  elsif v_sight.member_id is null or not coalesce(p_space = any (v_sight.keys), false) then
    select sm.state into v_state from space_member sm
    where sm.tenant_id = v_tenant and sm.space_id = p_space and sm.member_id = p_member;
    if v_sight.member_id is null or v_state = 'BANNED' or not audience_has(v_space.see_id, p_member)
       or not (v_space.is_listed or coalesce(v_state in ('JOINED', 'INVITED'), false)) then
      return jsonb_build_object('is', 'not_found', 'what', 'space');
    end if;
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_JOINED', 'unlock', null);
  elsif p_action = 'moderate' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_MODERATOR', 'unlock', null);
  end if;
  v_rule := case p_action when 'post' then v_space.post_id when 'reply' then v_space.reply_id
    when 'react' then v_space.react_id end;
  if v_rule is not null and not audience_has(v_rule, p_member) then
    return jsonb_build_object('is', 'access_denied', 'reason', 'AUDIENCE', 'unlock',
      (select a.rule -> 'rule' from audience a where a.tenant_id = v_tenant and a.id = v_rule));
  end if;
  return null;
end $$;

-- ── Entering and leaving ─────────────────────────────────────────────────────────────────────────

/* Puts a member into a state of a space; announces joining and leaving. */
create function space_member_put(
  p_space uuid, p_member uuid, p_state text, p_role text, p_actor text, p_at timestamptz
) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_before text;
begin
  select sm.state into v_before from space_member sm
  where sm.tenant_id = v_tenant and sm.space_id = p_space and sm.member_id = p_member for no key update;
  insert into space_member as sm (tenant_id, space_id, member_id, state, role, since, actor)
  values (v_tenant, p_space, p_member, p_state, p_role, p_at, p_actor)
  on conflict (tenant_id, space_id, member_id) do update set
    since = case when sm.state = excluded.state then sm.since else excluded.since end,
    state = excluded.state, role = excluded.role, actor = excluded.actor;
  if p_state = 'JOINED' and v_before is distinct from 'JOINED' then
    perform announce('space.joined', p_member, jsonb_build_object('space', p_space), p_at);
  elsif p_state <> 'JOINED' and v_before = 'JOINED' then
    perform announce('space.left', p_member, jsonb_build_object('space', p_space), p_at);
  end if;
end $$;

/* A member enters, or asks to. Outcomes: done {state}, not_found, space_not_enabled, access_denied, membership_ended. */
create function space_join(p_space uuid, p_member uuid, p_external_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_refusal jsonb;
  v_member member := member_find(p_member, p_external_id);
  v_known space_member;
  v_mode text;
  v_state text;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  v_refusal := space_may(p_space, v_member.id, 'see');
  if v_refusal is not null and v_refusal ->> 'is' <> 'access_denied' then
    return v_refusal;
  end if;
  select * into v_known from space_member sm
  where sm.tenant_id = v_tenant and sm.space_id = p_space and sm.member_id = v_member.id;
  v_mode := (select s.join_mode from space s where s.tenant_id = v_tenant and s.id = p_space);
  if v_known.state in ('JOINED', 'REQUESTED') then
    return jsonb_build_object('is', 'done', 'state', v_known.state);
  elsif v_mode = 'INVITATION' and v_known.state is distinct from 'INVITED' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_INVITED', 'unlock', null);
  end if;
  v_state := case when v_mode = 'REQUEST' and v_known.state is distinct from 'INVITED' then 'REQUESTED' else 'JOINED' end;
  perform space_member_put(p_space, v_member.id, v_state, 'MEMBER', p_actor, tenant_now(v_tenant));
  return jsonb_build_object('is', 'done', 'state', v_state);
end $$;

/* A member goes, or takes back that it asked to enter. Always possible, also where it may not see any more. */
create function space_leave(p_space uuid, p_member uuid, p_external_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_state text;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  perform member_lock(v_member.id);
  select sm.state into v_state from space_member sm
  where sm.tenant_id = v_tenant and sm.space_id = p_space and sm.member_id = v_member.id;
  if v_state is null and space_may(p_space, v_member.id, 'see') is not null then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  elsif v_state in ('JOINED', 'REQUESTED', 'INVITED') then
    perform space_member_put(p_space, v_member.id, 'LEFT', 'MEMBER', p_actor, tenant_now(v_tenant));
    v_state := 'LEFT';
  end if;
  return jsonb_build_object('is', 'done', 'state', v_state);
end $$;

/*
 * Staff (p_by null) or a moderator decides how a member stands to a space: INVITED, JOINED (a request is granted),
 * DECLINED, BANNED, LEFT; and its role. Outcomes: done {state}, not_found, space_not_enabled, access_denied,
 * membership_ended.
 */
create function space_place(p_space uuid, p_by uuid, p_member uuid, p_external_id text, p_state text, p_role text,
  p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_refusal jsonb := space_may(p_space, p_by, 'moderate');
begin
  if v_refusal is not null then
    return v_refusal;
  elsif v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  perform space_member_put(p_space, v_member.id, p_state, p_role, p_actor, tenant_now(v_tenant));
  return jsonb_build_object('is', 'done', 'state', p_state, 'member', v_member.id);
end $$;

/* Switches a space on or off; nothing in it is lost. Outcomes: done {}, not_found. */
create function space_enable(p_space uuid, p_is_enabled boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update space s set is_enabled = p_is_enabled
  where s.tenant_id = current_tenant() and s.id = p_space and not s.is_retired;
  return case when found then jsonb_build_object('is', 'done')
    else jsonb_build_object('is', 'not_found', 'what', 'space') end;
end $$;

grant execute on function
  space_join(uuid, uuid, text, text), space_leave(uuid, uuid, text, text),
  space_place(uuid, uuid, uuid, text, text, text, text), space_enable(uuid, boolean) to engawa_app;
