-- A bridge to networks elsewhere: threads taken in from there, who a member is there, and where posts stand as well.

set local role engawa_owner;

alter table contribution
  /* How whoever wrote it is called elsewhere, when that is no member. */
  add column outside_name text check (length(outside_name) between 1 and 100),
  add constraint contribution_outside check (outside_name is null or (author_id is null and not is_by_staff));

/* Who a member is in a network elsewhere. */
create table member_identity (
  tenant_id    uuid not null,
  network      text not null check (network ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  /* Its key there. */
  external_key text not null check (length(external_key) between 1 and 200),
  member_id    uuid not null,
  linked_at    timestamptz not null,
  primary key (tenant_id, network, external_key),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index member_identity_of_member on member_identity (tenant_id, member_id, network, external_key);
call protect('member_identity');
call sight_own('member_identity');
grant select on member_identity to engawa_app;

/* What was taken in from elsewhere, so that it is taken in once, whatever becomes of it here. */
create table bridged_text (
  tenant_id       uuid not null,
  network         text not null check (network ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  /* Its key there. */
  key             text not null check (length(key) between 1 and 100),
  contribution_id uuid not null,
  primary key (tenant_id, network, key),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
call protect('bridged_text');

/* Where a post stands elsewhere. */
create table cross_post (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  network         text not null check (network ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  url             text not null check (url ~ '^https://' and length(url) <= 2000),
  noted_at        timestamptz not null,
  primary key (tenant_id, contribution_id, network),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
call protect('cross_post');
call sight_follows('cross_post');
grant select on cross_post to engawa_app;

/*
 * Says who a member is in a network; said again it changes nothing. Outcomes: done {member}, not_found, membership_ended,
 * bad_input when it is another member there.
 */
create function identity_link(p_member uuid, p_external_id text, p_network text, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_holder uuid;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  -- Nobody ends or erases it meanwhile.
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  insert into member_identity as i (tenant_id, network, external_key, member_id, linked_at)
  values (v_tenant, p_network, p_key, v_member.id, tenant_now(v_tenant))
  on conflict (tenant_id, network, external_key) do update set member_id = i.member_id
  returning i.member_id into v_holder;
  if v_holder <> v_member.id then
    return jsonb_build_object('is', 'bad_input', 'field', 'input.externalKey',
      'message', 'input.externalKey is another member there already; unlink that first.');
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Takes that back; what came in by it stays the member's. Outcomes: done {member}, not_found. */
create function identity_unlink(p_member uuid, p_external_id text, p_network text, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_member member := member_find(p_member, p_external_id);
begin
  delete from member_identity i
  where i.tenant_id = current_tenant() and i.network = p_network and i.external_key = p_key and i.member_id = v_member.id;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', case when v_member.id is null then 'member' else 'identity' end);
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/*
 * Takes in a thread from elsewhere: [{"key", "parent": the key of what it comments on, null: the first, "authorKey",
 * "authorName", "at", "title", "body", "format", "html", "search"}], the first of which began it. What is known stays as
 * it is here, and what is new comes to it. It is published as it was; nothing is announced, and nobody earns by it.
 * Outcomes: done {post, imported: how many were new}, not_found, space_not_enabled, bad_input.
 */
create function thread_import(p_network text, p_space uuid, p_posts jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_root contribution;
  v_root_id uuid;
  v_posts jsonb;
  v_ids uuid[];
  v_refusal jsonb;
  v_bad int;
begin
  -- One at a time from each network: what is known does not change meanwhile.
  perform pg_advisory_xact_lock(hashtextextended('engawa.bridge ' || v_tenant || ' ' || p_network, 0));
  select c.* into v_root from bridged_text b
  join contribution c on c.tenant_id = b.tenant_id and c.id = b.contribution_id
  where b.tenant_id = v_tenant and b.network = p_network and b.key = p_posts #>> '{0,key}'
  for no key update of c;
  if not exists (select from space s where s.tenant_id = v_tenant and s.id = p_space) then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  end if;
  v_refusal := space_may(coalesce(v_root.space_id, p_space), null, 'post');
  if v_refusal is not null then
    return v_refusal;
  elsif v_root.parent_id is not null then
    return jsonb_build_object('is', 'bad_input', 'field', 'input.posts.0.sourceKey',
      'message', 'input.posts.0.sourceKey is a comment; the first must be what the thread began with.');
  elsif v_root.id is null and not exists (
    select from space s where s.tenant_id = v_tenant and s.id = p_space and s.kind = 'COMMUNITY') then
    return jsonb_build_object('is', 'bad_input', 'field', 'input.space',
      'message', 'input.space must be of kind COMMUNITY.');
  end if;
  -- First an id for each, then what each comments on: something that is known, or comes before it.
  v_ids := array(select uuid_v7() as id from generate_series(1, jsonb_array_length(p_posts)) order by id);
  select jsonb_agg(p.post || jsonb_build_object(
    'id', coalesce(b.contribution_id, v_ids[p.n]), 'isNew', b.key is null, 'n', p.n) order by p.n)
  into v_posts
  from jsonb_array_elements(p_posts) with ordinality p (post, n)
  left join bridged_text b on b.tenant_id = v_tenant and b.network = p_network and b.key = p.post ->> 'key';
  v_root_id := (v_posts #>> '{0,id}')::uuid;
  select jsonb_agg(x.post || jsonb_build_object('on', case
      when x.n = 1 then null
      when x.post ->> 'parent' is null then v_root_id
      else coalesce((p.post ->> 'id')::uuid, b.contribution_id) end) order by x.n)
  into v_posts
  from jsonb_array_elements(v_posts) with ordinality x (post, n)
  left join jsonb_array_elements(v_posts) with ordinality p (post, n)
    on p.n < x.n and p.post ->> 'key' = x.post ->> 'parent'
  left join bridged_text b on b.tenant_id = v_tenant and b.network = p_network and b.key = x.post ->> 'parent';
  select min(p.n) into v_bad
  from jsonb_to_recordset(v_posts) p (n int, "isNew" boolean, "on" uuid)
  left join contribution c on c.tenant_id = v_tenant and c.id = p."on"
  where p.n > 1 and p."isNew" and (p."on" is null or c.root_id <> v_root_id);
  if v_bad is not null then
    return jsonb_build_object('is', 'bad_input', 'field', format('input.posts.%s.parent', v_bad - 1), 'message',
      format('input.posts.%s.parent must be the sourceKey of something that comes before it in the thread.', v_bad - 1));
  end if;
  v_posts := jsonb_path_query_array(v_posts, '$[*] ? (@.isNew == true)');

  insert into contribution (tenant_id, id, kind, space_id, root_id, parent_id, author_id, is_by_staff, outside_name,
    actor, state, root_state, is_private, gate_id, title, body, format, html, source_key, created_at, published_at,
    activity_at)
  select v_tenant, p.id, case when p.n = 1 then 'POST' else 'COMMENT' end, coalesce(v_root.space_id, p_space), v_root_id,
         p."on", i.member_id, false, case when i.member_id is null then p."authorName" end, p_actor, 'PUBLISHED',
         coalesce(v_root.state, 'PUBLISHED'), coalesce(v_root.is_private, false), v_root.gate_id,
         p.title, p.body, p.format, p.html, p_network || ':bridge:' || p.key, least(p.at, v_now), least(p.at, v_now),
         least(p.at, v_now)
  from jsonb_to_recordset(v_posts) p (n int, id uuid, "on" uuid, key text, "authorKey" text, "authorName" text,
    at timestamptz, title text, body text, format text, html text)
  left join member_identity i on i.tenant_id = v_tenant and i.network = p_network and i.external_key = p."authorKey"
  order by p.n;
  insert into bridged_text (tenant_id, network, key, contribution_id)
  select v_tenant, p_network, p.key, p.id from jsonb_to_recordset(v_posts) p (key text, id uuid);
  insert into search_document (tenant_id, contribution_id, title, norm, grams, words, version)
  select v_tenant, p.id, coalesce(p.search ->> 'title', ''), p.search ->> 'norm',
         array(select jsonb_array_elements_text(p.search -> 'grams')),
         array(select jsonb_array_elements_text(p.search -> 'words')), (p.search ->> 'version')::int
  from jsonb_to_recordset(v_posts) p (id uuid, search jsonb);
  if v_root.id is null then
    perform post_put(v_root_id, '{"postKind": "TALK"}');
  end if;
  update contribution c set activity_at = greatest(c.activity_at, x.at)
  from (select max(least(p.at, v_now)) as at from jsonb_to_recordset(v_posts) p (at timestamptz)) x
  where c.tenant_id = v_tenant and c.id = v_root_id and x.at > c.activity_at;
  return jsonb_build_object('is', 'done', 'post', v_root_id, 'imported', jsonb_array_length(v_posts));
end $$;

/* Notes where a post stands elsewhere; a network has one place for it. Outcomes: done {post}, not_found. */
create function cross_post_note(p_post uuid, p_network text, p_url text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not exists (select from contribution c
                 where c.tenant_id = v_tenant and c.id = p_post and c.kind = 'POST' and c.state = 'PUBLISHED') then
    return jsonb_build_object('is', 'not_found', 'what', 'post');
  end if;
  insert into cross_post as x (tenant_id, contribution_id, network, url, noted_at)
  values (v_tenant, p_post, p_network, p_url, tenant_now(v_tenant))
  on conflict (tenant_id, contribution_id, network) do update set url = excluded.url, noted_at = excluded.noted_at
  where x.url <> excluded.url;
  return jsonb_build_object('is', 'done', 'post', p_post);
end $$;

grant execute on function identity_link(uuid, text, text, text), identity_unlink(uuid, text, text, text),
  thread_import(text, uuid, jsonb, text), cross_post_note(uuid, text, text) to engawa_app;

/*
 * A post that is taken away loses what it earned, that lot and no other; one that comes back earns anew (before:
 * 0036_posts.sql), unless it was imported.
 */
create or replace function posts_state_changed(p_contribution contribution, p_before text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_activity uuid;
  v_key text;
  v_op record;
begin
  if p_contribution.kind <> 'POST' or p_contribution.author_id is null or p_contribution.source_key is not null then
    return;
  elsif p_contribution.state = 'PUBLISHED' then
    perform activity_record(p_contribution.author_id, 'post.published', p_contribution.id::text, '{}', v_now);
    return;
  end if;
  select a.id into v_activity from activity a
  where a.tenant_id = v_tenant and a.name = 'post.published' and a.key = p_contribution.id::text;
  if p_before = 'PUBLISHED' and v_activity is not null then
    v_key := 'engawa:unpublish:' || v_activity;
    perform member_lock(p_contribution.author_id);
    select * into strict v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'UNPUBLISH', 'engawa', v_now);
    perform earn_take_back(v_op.transaction_id, 'activity', v_activity::text, 0, '[]', true, v_now, 'Post taken away',
      'engawa');
    perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_op.transaction_id));
    delete from activity a where a.tenant_id = v_tenant and a.id = v_activity;
    perform tiers_touch(array[p_contribution.author_id], v_now);
  end if;
end $$;
