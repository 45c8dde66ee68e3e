-- Contributions: whatever is written in a space, by members or staff, in one table under one rule of sight.

set local role engawa_owner;

create table contribution (
  tenant_id     uuid not null,
  id            uuid not null default uuid_v7(),
  kind          text not null check (kind in ('POST', 'COMMENT', 'QUESTION', 'ANSWER', 'CONTENT', 'FAQ')),
  space_id      uuid not null,
  /* The thread; a root is its own. */
  root_id       uuid not null,
  /* What it answers or comments on; null for roots. */
  parent_id     uuid,
  /* Null: staff, or a member who was erased. */
  author_id     uuid,
  is_by_staff   boolean not null,
  actor         text not null,
  state         text not null check (state in ('DRAFT', 'PENDING', 'PUBLISHED', 'SPAM', 'REMOVED', 'DELETED')),
  /* The root's, so that one row tells whether it may be seen. */
  root_state    text not null,
  is_private    boolean not null default false,
  gate_id       uuid,
  /* The keys that a member has to hold: the space, the gate, and the thread when it is private. */
  needs         uuid[] not null generated always as (
    array_remove(array[space_id, gate_id, case when is_private then root_id end], null)) stored,
  title         text check (length(title) between 1 and 300),
  body          text not null check (length(body) <= 100000),
  format        text not null check (format in ('MARKDOWN', 'HTML')),
  /* Sanitised; this is what is served. */
  html          text not null,
  tags          text[] not null default '{}',
  sku           text check (length(sku) between 1 and 100),
  /* Its id where it was imported from. */
  source_key    text check (length(source_key) between 1 and 200),
  created_at    timestamptz not null,
  published_at  timestamptz,
  edited_at     timestamptz,
  /* When anything last happened in the thread; for roots. */
  activity_at   timestamptz not null,
  revision      int not null default 1,
  up_votes      int not null default 0 check (up_votes >= 0),
  down_votes    int not null default 0 check (down_votes >= 0),
  score         int not null generated always as (up_votes - down_votes) stored,
  /* Of published ones: comments on this very contribution, answers to a question. */
  comment_count int not null default 0 check (comment_count >= 0),
  answer_count  int not null default 0 check (answer_count >= 0),
  view_count    bigint not null default 0,
  /* How many of each: {"LIKE": 3}. */
  reactions     jsonb not null default '{}',
  primary key (tenant_id, id),
  foreign key (tenant_id, space_id) references space (tenant_id, id),
  foreign key (tenant_id, root_id) references contribution (tenant_id, id) deferrable initially deferred,
  foreign key (tenant_id, parent_id) references contribution (tenant_id, id),
  foreign key (tenant_id, author_id) references member (tenant_id, id),
  foreign key (tenant_id, gate_id) references gate (tenant_id, audience_id),
  check ((root_id = id) = (parent_id is null)),
  check ((parent_id is not null) = (kind in ('COMMENT', 'ANSWER'))),
  check (state <> 'PUBLISHED' or published_at is not null)
) with (fillfactor = 85);
create index contribution_newest on contribution (tenant_id, space_id, kind, published_at desc, id desc)
  where parent_id is null;
create index contribution_active on contribution (tenant_id, kind, activity_at desc, id desc) where parent_id is null;
create index contribution_thread on contribution (tenant_id, root_id, kind, id);
create index contribution_replies on contribution (tenant_id, parent_id, kind, id) where parent_id is not null;
create index contribution_of_author on contribution (tenant_id, author_id, kind, id);
create index contribution_of_sku on contribution (tenant_id, sku, kind, id) where sku is not null;
create index contribution_tags on contribution using gin (tags);
create unique index contribution_source on contribution (tenant_id, source_key) where source_key is not null;
call protect('contribution');
create policy sight on contribution as restrictive for select to engawa_app using (
  (select app_member()) is null
  or in_sight(needs, state, root_state, space_id, author_id, (select viewer_keys()), (select viewer_moderated()),
              (select viewer_blocked()), (select app_member())));
grant select on contribution to engawa_app;

/* Gives a table of what belongs to contributions (column contribution_id) their sight. */
create procedure sight_follows(p_table regclass) language plpgsql as $$
begin
  execute format('create policy sight on %s as restrictive for select to engawa_app using (
    (select app_member()) is null
    or exists (select from contribution c where c.tenant_id = %1$s.tenant_id and c.id = %1$s.contribution_id))', p_table);
end $$;

/* Gives a table of what is a member's alone (column member_id) its sight. */
create procedure sight_own(p_table regclass) language plpgsql as $$
begin
  execute format('create policy sight on %s as restrictive for select to engawa_app using (
    (select app_member()) is null or member_id = (select app_member()))', p_table);
end $$;

/* Which of these members see a contribution now: for whoever sends, suggests or tells. */
create function contribution_seers(p_contribution uuid, p_members uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select s.member_id from contribution c, sights(p_members) s
  where c.tenant_id = current_tenant() and c.id = p_contribution
    and in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id)
$$;
grant execute on function contribution_seers(uuid, uuid[]) to engawa_app;

/* Whether one member sees a contribution now. */
create function contribution_seen(p_contribution uuid, p_member uuid) returns boolean language sql stable as $$
  select p_member is null or exists (select from contribution_seers(p_contribution, array[p_member]))
$$;

/* The rest of a thread goes where its root goes, and counts follow what is published. */
create function contribution_follows() returns trigger language plpgsql as $$
begin
  if new.parent_id is null and tg_op = 'UPDATE'
     and (new.state, new.space_id, new.is_private, new.gate_id)
       is distinct from (old.state, old.space_id, old.is_private, old.gate_id) then
    update contribution c set root_state = new.state, space_id = new.space_id, is_private = new.is_private,
      gate_id = new.gate_id
    where c.tenant_id = new.tenant_id and c.root_id = new.id and c.id <> new.id;
  end if;
  if new.parent_id is not null and (tg_op = 'INSERT' or new.state <> old.state)
     and (new.state = 'PUBLISHED' or (tg_op = 'UPDATE' and old.state = 'PUBLISHED')) then
    update contribution p set
      comment_count = p.comment_count
        + case when new.kind <> 'COMMENT' then 0 when new.state = 'PUBLISHED' then 1 else -1 end,
      answer_count = p.answer_count
        + case when new.kind <> 'ANSWER' then 0 when new.state = 'PUBLISHED' then 1 else -1 end
    where p.tenant_id = new.tenant_id and p.id = new.parent_id;
  end if;
  return null;
end $$;
create trigger follows after insert or update on contribution for each row execute function contribution_follows();

/* A root's state stands on the root itself as well. */
create function contribution_root() returns trigger language plpgsql as $$
begin
  if new.parent_id is null then
    new.root_state := new.state;
  end if;
  return new;
end $$;
create trigger root before insert or update on contribution for each row execute function contribution_root();

/* What it said before it was edited. Append-only. */
create table contribution_revision (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  revision        int not null,
  title           text,
  body            text not null,
  format          text not null,
  html            text not null,
  tags            text[] not null,
  actor           text not null,
  /* When it was replaced. */
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, revision),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
call protect('contribution_revision');
call sight_follows('contribution_revision');
grant select on contribution_revision to engawa_app;

/* The text as search reads it: folded, in pairs of characters, in words. */
create table search_document (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  title           text not null,
  norm            text not null,
  grams           text[] not null,
  words           text[] not null,
  /* Which version of the folding made it. */
  version         int not null,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
call protect('search_document');
call sight_follows('search_document');
grant select on search_document to engawa_app;

/* Keeps the text for search: {title, norm, grams, words, version}. */
create function search_put(p_contribution uuid, p_search jsonb) returns void language sql as $$
  insert into search_document as s (tenant_id, contribution_id, title, norm, grams, words, version)
  values (current_tenant(), p_contribution, coalesce(p_search ->> 'title', ''), p_search ->> 'norm',
    array(select jsonb_array_elements_text(p_search -> 'grams')),
    array(select jsonb_array_elements_text(p_search -> 'words')), (p_search ->> 'version')::int)
  on conflict (tenant_id, contribution_id) do update set title = excluded.title, norm = excluded.norm,
    grams = excluded.grams, words = excluded.words, version = excluded.version
$$;

/* Members named in a text as @externalId. */
create table mention (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index mention_of_member on mention (tenant_id, member_id, contribution_id);
call protect('mention');
call sight_follows('mention');
grant select on mention to engawa_app;

/* What a member thinks of a contribution: one of each kind at most; votes are kinds UP and DOWN. */
create table reaction (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  kind            text not null check (kind ~ '^[A-Z][A-Z_]{0,29}$'),
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id, kind),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create unique index reaction_one_vote on reaction (tenant_id, contribution_id, member_id) where kind in ('UP', 'DOWN');
create index reaction_of_member on reaction (tenant_id, member_id, at);
call protect('reaction');
call sight_follows('reaction');
grant select on reaction to engawa_app;

create function reaction_counts() returns trigger language plpgsql as $$
declare
  v reaction := coalesce(new, old);
  v_step int := case when tg_op = 'INSERT' then 1 else -1 end;
begin
  update contribution c set
    up_votes = c.up_votes + case when v.kind = 'UP' then v_step else 0 end,
    down_votes = c.down_votes + case when v.kind = 'DOWN' then v_step else 0 end,
    reactions = case when v.kind in ('UP', 'DOWN') then c.reactions
      when coalesce((c.reactions ->> v.kind)::int, 0) + v_step = 0 then c.reactions - v.kind
      else jsonb_set(c.reactions, array[v.kind], to_jsonb(coalesce((c.reactions ->> v.kind)::int, 0) + v_step)) end
  where c.tenant_id = v.tenant_id and c.id = v.contribution_id;
  return null;
end $$;
create trigger counts after insert or delete on reaction for each row execute function reaction_counts();

/* What a member follows: another member, a space, a tag or a thread. Kept when sight is lost, and judged when told. */
create table follow (
  tenant_id uuid not null,
  member_id uuid not null,
  kind      text not null check (kind in ('MEMBER', 'SPACE', 'TAG', 'THREAD')),
  /* The id, or the tag. */
  target    text not null check (length(target) between 1 and 100),
  since     timestamptz not null,
  primary key (tenant_id, member_id, kind, target),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index follow_target on follow (tenant_id, kind, target, member_id);
call protect('follow');
call sight_own('follow');
grant select on follow to engawa_app;

/* How far a member has read a thread. */
create table read_mark (
  tenant_id uuid not null,
  member_id uuid not null,
  root_id   uuid not null,
  read_at   timestamptz not null,
  primary key (tenant_id, member_id, root_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, root_id) references contribution (tenant_id, id)
);
call protect('read_mark');
call sight_own('read_mark');
grant select on read_mark to engawa_app;

-- ── Writing ──────────────────────────────────────────────────────────────────────────────────────

/*
 * What moderation says of a text (p_what, see below) that is new, or of p_id as it is to be: {"state": PUBLISHED |
 * PENDING | SPAM, "reason"} or a refusal {"is": …}. The room of moderation replaces it; without it everything is
 * published.
 */
create function contribution_verdict(p_member uuid, p_space uuid, p_kind text, p_what jsonb, p_id uuid) returns jsonb
language plpgsql as $$
begin
  return '{"state": "PUBLISHED"}';
end $$;

/*
 * Writes a contribution, for functions of other rooms. p_member null: staff. p_what: {"kind", "space" (for roots),
 * "parent", "title", "body", "format", "html", "tags", "sku", "isPrivate", "gate", "isDraft", "search": see search_put,
 * "mentions": external ids, "sourceKey", "at"}. Answers {"is": "done", "contribution", "state", "reason"}, or a
 * refusal: not_found, space_not_enabled, access_denied, and those of moderation.
 */
create function contribution_write(p_member uuid, p_actor text, p_what jsonb) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := coalesce((p_what ->> 'at')::timestamptz, tenant_now(v_tenant));
  v_id uuid := uuid_v7();
  v_kind text := p_what ->> 'kind';
  v_parent contribution;
  v_space uuid := (p_what ->> 'space')::uuid;
  v_refusal jsonb;
  v_verdict jsonb;
  v_state text;
  v_row contribution;
begin
  if p_what ->> 'parent' is not null then
    -- One at a time: its counters follow, and nobody moves or closes it at the same moment.
    select * into v_parent from contribution c
    where c.tenant_id = v_tenant and c.id = (p_what ->> 'parent')::uuid for no key update;
    if v_parent.id is null or not contribution_seen(v_parent.id, p_member) then
      return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_parent.kind, 'contribution')));
    end if;
    v_space := v_parent.space_id;
  end if;
  v_refusal := space_may(v_space, p_member, case when v_parent.id is null then 'post' else 'reply' end);
  if v_refusal is not null then
    return v_refusal;
  end if;
  if coalesce((p_what ->> 'isDraft')::boolean, false) then
    v_verdict := '{"state": "DRAFT"}';
  else
    v_verdict := contribution_verdict(p_member, v_space, v_kind, p_what, null);
    if v_verdict ? 'is' then
      return v_verdict;
    end if;
  end if;
  v_state := v_verdict ->> 'state';
  if p_what ->> 'gate' is not null then
    insert into gate (tenant_id, audience_id) values (v_tenant, (p_what ->> 'gate')::uuid) on conflict do nothing;
  end if;
  insert into contribution (tenant_id, id, kind, space_id, root_id, parent_id, author_id, is_by_staff, actor, state,
    root_state, is_private, gate_id, title, body, format, html, tags, sku, source_key, created_at, published_at,
    activity_at)
  values (v_tenant, v_id, v_kind, v_space, coalesce(v_parent.root_id, v_id), v_parent.id, p_member, p_member is null,
    p_actor, v_state, coalesce(v_parent.root_state, v_state),
    coalesce(v_parent.is_private, (p_what ->> 'isPrivate')::boolean, false),
    coalesce(v_parent.gate_id, (p_what ->> 'gate')::uuid),
    p_what ->> 'title', p_what ->> 'body', p_what ->> 'format', p_what ->> 'html',
    array(select jsonb_array_elements_text(coalesce(p_what -> 'tags', '[]'))), p_what ->> 'sku',
    p_what ->> 'sourceKey', v_now, case when v_state = 'PUBLISHED' then v_now end, v_now)
  returning * into v_row;
  if v_row.is_private and p_member is not null then
    insert into thread_reader (tenant_id, root_id, member_id) values (v_tenant, v_row.root_id, p_member)
    on conflict do nothing;
  end if;
  if p_what -> 'search' is not null then
    perform search_put(v_id, p_what -> 'search');
  end if;
  insert into mention (tenant_id, contribution_id, member_id)
  select v_tenant, v_id, m.id from member m
  where m.tenant_id = v_tenant and m.id is distinct from p_member
    and m.external_id in (select jsonb_array_elements_text(p_what -> 'mentions'))
  on conflict do nothing;
  if v_state = 'PUBLISHED' then
    perform contribution_published(v_row);
  end if;
  return jsonb_build_object('is', 'done', 'contribution', v_id, 'state', v_state, 'reason', v_verdict ->> 'reason');
end $$;

/* Whether a member may change a contribution: its author, a moderator of its space, staff (null). Else the refusal. */
create function contribution_may_edit(p_row contribution, p_member uuid) returns jsonb language plpgsql stable as $$
begin
  if p_row.id is null or not contribution_seen(p_row.id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(p_row.kind, 'contribution')));
  elsif p_member is null or p_row.author_id = p_member or p_row.space_id = any (moderated_by(p_member)) then
    return null;
  end if;
  return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_AUTHOR', 'unlock', null);
end $$;

/*
 * Changes what a contribution says: {"title", "body", "format", "html", "tags", "search", "mentions", "publish"}; the
 * version before is kept. Drafts are published by it. Outcomes: done {contribution, state}, not_found, access_denied,
 * and those of moderation.
 */
create function contribution_edit(p_id uuid, p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_refusal jsonb;
  v_verdict jsonb;
  v_state text;
  v_publishes boolean;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  v_refusal := contribution_may_edit(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  elsif v_row.state in ('REMOVED', 'DELETED', 'SPAM') then
    return jsonb_build_object('is', 'access_denied', 'reason', 'LOCKED', 'unlock', null);
  end if;
  v_state := v_row.state;
  v_publishes := v_state = 'DRAFT' and coalesce((p_what ->> 'publish')::boolean, false);
  if v_publishes or v_state = 'PUBLISHED' then
    v_verdict := contribution_verdict(p_member, v_row.space_id, v_row.kind, p_what, p_id);
    if v_verdict ? 'is' then
      return v_verdict;
    end if;
    v_state := v_verdict ->> 'state';
  end if;
  if v_row.state <> 'DRAFT' then
    insert into contribution_revision (tenant_id, contribution_id, revision, title, body, format, html, tags, actor, at)
    values (v_tenant, p_id, v_row.revision, v_row.title, v_row.body, v_row.format, v_row.html, v_row.tags, v_row.actor,
            v_now);
  end if;
  update contribution c set
    title = coalesce(p_what ->> 'title', c.title), body = p_what ->> 'body', format = p_what ->> 'format',
    html = p_what ->> 'html',
    tags = case when p_what -> 'tags' is null then c.tags else array(select jsonb_array_elements_text(p_what -> 'tags')) end,
    actor = p_actor, revision = c.revision + (v_row.state <> 'DRAFT')::int,
    edited_at = case when v_row.state = 'DRAFT' then c.edited_at else v_now end,
    state = v_state,
    published_at = case when v_publishes and v_state = 'PUBLISHED' then v_now else c.published_at end,
    activity_at = case when v_publishes and v_state = 'PUBLISHED' then v_now else c.activity_at end
  where c.tenant_id = v_tenant and c.id = p_id
  returning * into v_row;
  if p_what -> 'search' is not null then
    perform search_put(p_id, p_what -> 'search');
  end if;
  insert into mention (tenant_id, contribution_id, member_id)
  select v_tenant, p_id, m.id from member m
  where m.tenant_id = v_tenant and m.id is distinct from v_row.author_id
    and m.external_id in (select jsonb_array_elements_text(p_what -> 'mentions'))
  on conflict do nothing;
  if v_publishes and v_state = 'PUBLISHED' then
    perform contribution_published(v_row);
  end if;
  return jsonb_build_object('is', 'done', 'contribution', p_id, 'state', v_state);
end $$;

/*
 * Brings a contribution into a state: its author deletes and restores, moderators and staff remove and restore, what
 * waited is published. Announces contribution.state_changed. Outcomes: done {contribution, state}, not_found,
 * access_denied.
 */
create function contribution_set_state(p_id uuid, p_member uuid, p_state text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_before text;
  v_refusal jsonb;
  v_moderates boolean;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  v_refusal := contribution_may_edit(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  end if;
  v_before := v_row.state;
  v_moderates := p_member is null or v_row.space_id = any (moderated_by(p_member));
  -- What moderators took away, or have not let through yet, the author does not bring back.
  if not v_moderates and not (
    (p_state = 'DELETED' and v_before in ('DRAFT', 'PENDING', 'PUBLISHED', 'DELETED'))
    or (p_state = 'PUBLISHED' and v_before = 'DELETED' and v_row.published_at is not null))
  then
    return jsonb_build_object('is', 'access_denied', 'reason', 'LOCKED', 'unlock', null);
  elsif v_before = p_state then
    return jsonb_build_object('is', 'done', 'contribution', p_id, 'state', p_state);
  end if;
  update contribution c set state = p_state,
    published_at = case when p_state = 'PUBLISHED' then coalesce(c.published_at, v_now) else c.published_at end
  where c.tenant_id = v_tenant and c.id = p_id
  returning * into v_row;
  if p_state = 'PUBLISHED' and v_before in ('PENDING', 'SPAM') and v_row.published_at = v_now then
    perform contribution_published(v_row);
  end if;
  perform contribution_state_changed(v_row, v_before);
  perform announce('contribution.state_changed', v_row.author_id,
    jsonb_build_object('contribution', p_id, 'from', v_before, 'to', p_state), v_now);
  return jsonb_build_object('is', 'done', 'contribution', p_id, 'state', p_state);
end $$;

/* A comment on anything. Outcomes: those of contribution_write, key_reused. */
create function comment_write(p_key text, p_hash bytea, p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_op record;
begin
  select * into v_op from op_begin(p_key, p_hash, 'COMMENT', p_actor, tenant_now(current_tenant()));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  return op_finish(p_key, contribution_write(p_member, p_actor, p_what || '{"kind": "COMMENT"}'));
end $$;

/*
 * Sets or takes back what a member thinks. Votes exclude each other, and nobody votes for what is its own. Outcomes:
 * done {contribution}, not_found, access_denied.
 */
create function contribution_react(p_id uuid, p_member uuid, p_kind text, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_refusal jsonb;
begin
  -- One writer at a time for the counters, and in the order of contributions before members.
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  if v_row.id is null or not contribution_seen(p_id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_row.kind, 'contribution')));
  end if;
  v_refusal := space_may(v_row.space_id, p_member, 'react');
  if v_refusal is not null then
    return v_refusal;
  elsif p_kind in ('UP', 'DOWN') and v_row.author_id = p_member then
    return jsonb_build_object('is', 'access_denied', 'reason', 'OWN', 'unlock', null);
  end if;
  if p_is_on then
    delete from reaction r where r.tenant_id = v_tenant and r.contribution_id = p_id and r.member_id = p_member
      and p_kind in ('UP', 'DOWN') and r.kind in ('UP', 'DOWN') and r.kind <> p_kind;
    insert into reaction (tenant_id, contribution_id, member_id, kind, at)
    values (v_tenant, p_id, p_member, p_kind, v_now) on conflict do nothing;
  else
    delete from reaction r where r.tenant_id = v_tenant and r.contribution_id = p_id and r.member_id = p_member
      and r.kind = p_kind;
  end if;
  if found then
    perform announce('reaction.changed', p_member, jsonb_build_object('contribution', p_id, 'kind', p_kind), v_now);
    perform contribution_reacted(v_row, p_member, p_kind, p_is_on);
  end if;
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;

/*
 * Follows or no longer follows. Nothing is followed that is not seen, but everything can be let go. Outcomes: done {},
 * not_found.
 */
create function follow_set(p_member uuid, p_kind text, p_target text, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not p_is_on then
    delete from follow f
    where f.tenant_id = v_tenant and f.member_id = p_member and f.kind = p_kind and f.target = p_target;
    if found then
      return '{"is": "done"}';
    end if;
  end if;
  if (p_kind = 'THREAD' and not coalesce(contribution_seen((
          select c.root_id from contribution c where c.tenant_id = v_tenant and c.id = p_target::uuid), p_member), false))
     or (p_kind = 'SPACE' and space_may(p_target::uuid, p_member, 'see') is not null)
     or (p_kind = 'MEMBER' and not exists (select from member_entitled(array[p_target::uuid]))) then
    return jsonb_build_object('is', 'not_found', 'what', lower(p_kind));
  elsif p_is_on then
    insert into follow (tenant_id, member_id, kind, target, since)
    values (v_tenant, p_member, p_kind, p_target, tenant_now(v_tenant)) on conflict do nothing;
  end if;
  return '{"is": "done"}';
end $$;

/* Blocks or mutes another member, or ends that. Outcomes: done {}, not_found. */
create function member_block_set(p_member uuid, p_other uuid, p_is_mute boolean, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not p_is_on then
    delete from member_block b where b.tenant_id = v_tenant and b.member_id = p_member and b.other_id = p_other;
  elsif p_other = p_member or not exists (select from member m where m.tenant_id = v_tenant and m.id = p_other) then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  else
    insert into member_block as b (tenant_id, member_id, other_id, is_mute, since)
    values (v_tenant, p_member, p_other, p_is_mute, tenant_now(v_tenant))
    on conflict (tenant_id, member_id, other_id) do update set is_mute = excluded.is_mute;
  end if;
  return '{"is": "done"}';
end $$;

/* The same for whoever wrote something; what is blocked cannot be seen, and can be let go all the same. */
create function author_block_set(p_member uuid, p_contribution uuid, p_is_mute boolean, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_author uuid := (
    select c.author_id from contribution c where c.tenant_id = current_tenant() and c.id = p_contribution);
begin
  if v_author is null or v_author = p_member
     or not (contribution_seen(p_contribution, p_member)
             or exists (select from member_block b where b.tenant_id = current_tenant() and b.member_id = p_member
                        and b.other_id = v_author)) then
    return jsonb_build_object('is', 'not_found', 'what', 'contribution');
  end if;
  return member_block_set(p_member, v_author, p_is_mute, p_is_on);
end $$;

/* A member has read a thread up to an instant; never backwards. Outcomes: done {}, not_found. */
create function read_mark_set(p_member uuid, p_root uuid, p_at timestamptz) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not contribution_seen(p_root, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'thread');
  end if;
  insert into read_mark as r (tenant_id, member_id, root_id, read_at)
  select v_tenant, p_member, c.root_id, least(coalesce(p_at, 'infinity'), tenant_now(v_tenant)) from contribution c
  where c.tenant_id = v_tenant and c.id = p_root
  on conflict (tenant_id, member_id, root_id) do update set read_at = greatest(r.read_at, excluded.read_at);
  return '{"is": "done"}';
end $$;

grant execute on function
  contribution_edit(uuid, uuid, text, jsonb), contribution_set_state(uuid, uuid, text, text),
  comment_write(text, bytea, uuid, text, jsonb), contribution_react(uuid, uuid, text, boolean),
  follow_set(uuid, text, text, boolean), member_block_set(uuid, uuid, boolean, boolean),
  author_block_set(uuid, uuid, boolean, boolean),
  read_mark_set(uuid, uuid, timestamptz) to engawa_app;
