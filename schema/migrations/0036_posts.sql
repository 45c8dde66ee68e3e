-- Posts: what members and staff talk about in spaces, with what each kind of post has besides its text: ideas with
-- votes, polls, gatherings with seats; research with members; complaints and stumbles.

set local role engawa_owner;

/* What is special to a post; the text is its contribution. */
create table post_facts (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  kind            text not null check (kind in ('TALK', 'TIP', 'REVIEW', 'COLLABORATION', 'IDEA', 'EVENT')),
  /* What a reviewer gives the product, in stars. */
  rating          smallint check (rating between 1 and 5),
  /* What it tells of the product: its price, its quality. */
  topics          text[] not null default '{}' check (topics <@ array['PRICE', 'QUALITY']),
  /* When a moderator put it to the top of its space; null: it is not there. */
  pinned_at       timestamptz,
  /* Whether the author lets the house make content of it, with credit. */
  may_promote     boolean not null default false,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check ((kind = 'REVIEW') = (rating is not null))
);
create index post_facts_kind on post_facts (tenant_id, kind, contribution_id);
call protect('post_facts');
call sight_follows('post_facts');
grant select on post_facts to engawa_app;

-- The newest posts of all spaces, for feeds, and the best ones of a space.
create index contribution_published on contribution (tenant_id, kind, published_at desc, id desc) where parent_id is null;
create index contribution_best on contribution (tenant_id, space_id, kind, score desc, id desc) where parent_id is null;

/* What a space is set to. */
create table post_setting (
  tenant_id  uuid not null,
  space_id   uuid not null,
  /* How many votes each member has for the ideas of the space that are not decided. */
  idea_votes int not null check (idea_votes between 1 and 1000),
  primary key (tenant_id, space_id),
  foreign key (tenant_id, space_id) references space (tenant_id, id)
);
call protect('post_setting');
grant select on post_setting to engawa_app;

/* How many votes a member has in a space where nobody said. */
create function idea_budget(p_space uuid) returns int language sql stable as $$
  select coalesce((select s.idea_votes from post_setting s where s.tenant_id = current_tenant() and s.space_id = p_space), 10)
$$;

create table idea (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  status          text not null default 'OPEN' check (status in ('OPEN', 'PLANNED', 'SHIPPED', 'DECLINED', 'MERGED')),
  /* The idea that took its votes. */
  merged_into     uuid,
  votes           int not null default 0 check (votes >= 0),
  voters          int not null default 0 check (voters >= 0),
  /* What was said when the status changed last. */
  note            text check (length(note) between 1 and 1000),
  status_at       timestamptz,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, merged_into) references contribution (tenant_id, id),
  check ((status = 'MERGED') = (merged_into is not null)),
  check (merged_into <> contribution_id)
) with (fillfactor = 85);
call protect('idea');
call sight_follows('idea');
grant select on idea to engawa_app;

create table idea_vote (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  votes           int not null check (votes > 0),
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references idea (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index idea_vote_of_member on idea_vote (tenant_id, member_id, contribution_id);
call protect('idea_vote');
call sight_own('idea_vote');
grant select on idea_vote to engawa_app;

create table poll (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  is_multiple     boolean not null,
  /* Until just before when it can be voted in; null: without end. */
  closes_at       timestamptz,
  voters          int not null default 0 check (voters >= 0),
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
) with (fillfactor = 85);
call protect('poll');
call sight_follows('poll');
grant select on poll to engawa_app;

create table poll_option (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  n               int not null check (n between 1 and 20),
  label           text not null check (length(label) between 1 and 200),
  votes           int not null default 0 check (votes >= 0),
  primary key (tenant_id, contribution_id, n),
  foreign key (tenant_id, contribution_id) references poll (tenant_id, contribution_id)
) with (fillfactor = 85);
call protect('poll_option');
call sight_follows('poll_option');
grant select on poll_option to engawa_app;

create table poll_vote (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  n               int not null,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id, n),
  foreign key (tenant_id, contribution_id, n) references poll_option (tenant_id, contribution_id, n),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index poll_vote_of_member on poll_vote (tenant_id, member_id, contribution_id);
call protect('poll_vote');
call sight_own('poll_vote');
grant select on poll_vote to engawa_app;

/* When and where people meet; the word event is for facts in the log. */
create table gathering (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  starts_at       timestamptz not null,
  ends_at         timestamptz not null,
  place           text not null check (length(place) between 1 and 300),
  /* How many can come; null: as many as like. */
  seats           int check (seats between 1 and 1000000),
  taken           int not null default 0 check (taken >= 0),
  waiting         int not null default 0 check (waiting >= 0),
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check (starts_at < ends_at),
  constraint gathering_seats check (taken <= seats)
) with (fillfactor = 85);
create index gathering_starts on gathering (tenant_id, starts_at, contribution_id);
call protect('gathering');
call sight_follows('gathering');
grant select on gathering to engawa_app;

create table gathering_guest (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  state           text not null check (state in ('COMING', 'WAITING', 'LEFT')),
  /* Since when; of those who wait, the first comes first. */
  since           timestamptz not null,
  /* Sorts those of one instant. */
  n               bigint not null generated always as identity,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references gathering (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index gathering_guest_state on gathering_guest (tenant_id, contribution_id, state, since, n);
create index gathering_guest_of_member on gathering_guest (tenant_id, member_id, contribution_id);
call protect('gathering_guest');
call sight_own('gathering_guest');
grant select on gathering_guest to engawa_app;

-- ── Writing posts ────────────────────────────────────────────────────────────────────────────────

/* Writes what is special to a post anew, for one that nobody has seen yet. */
create function post_put(p_id uuid, p_what jsonb) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  delete from poll_option o where o.tenant_id = v_tenant and o.contribution_id = p_id;
  delete from poll o where o.tenant_id = v_tenant and o.contribution_id = p_id;
  delete from gathering g where g.tenant_id = v_tenant and g.contribution_id = p_id;
  delete from idea i where i.tenant_id = v_tenant and i.contribution_id = p_id;
  insert into post_facts as p (tenant_id, contribution_id, kind, rating, topics, may_promote)
  values (v_tenant, p_id, p_what ->> 'postKind', (p_what ->> 'rating')::smallint,
    array(select jsonb_array_elements_text(coalesce(p_what -> 'topics', '[]'))),
    coalesce((p_what ->> 'mayPromote')::boolean, false))
  on conflict (tenant_id, contribution_id) do update set kind = excluded.kind, rating = excluded.rating,
    topics = excluded.topics, may_promote = excluded.may_promote;
  if p_what ->> 'postKind' = 'IDEA' then
    insert into idea (tenant_id, contribution_id) values (v_tenant, p_id);
  end if;
  if p_what -> 'poll' is not null then
    insert into poll (tenant_id, contribution_id, is_multiple, closes_at)
    values (v_tenant, p_id, (p_what #>> '{poll,isMultiple}')::boolean, (p_what #>> '{poll,closesAt}')::timestamptz);
    insert into poll_option (tenant_id, contribution_id, n, label)
    select v_tenant, p_id, o.n, o.label
    from jsonb_array_elements_text(p_what #> '{poll,options}') with ordinality o (label, n);
  end if;
  if p_what -> 'gathering' is not null then
    insert into gathering (tenant_id, contribution_id, starts_at, ends_at, place, seats)
    values (v_tenant, p_id, (p_what #>> '{gathering,startsAt}')::timestamptz,
      (p_what #>> '{gathering,endsAt}')::timestamptz, p_what #>> '{gathering,place}', (p_what #>> '{gathering,seats}')::int);
  end if;
end $$;

/*
 * Writes a post, or goes on with a draft (p_what.draft) and perhaps publishes it. p_what: what contribution_write takes,
 * and {"postKind", "rating", "topics", "mayPromote", "poll": {options, isMultiple, closesAt}, "gathering": {startsAt,
 * endsAt, place, seats}, "isDraft"}. Outcomes: done {post, state}, key_reused, and those of contribution_write.
 */
create function post_write(p_key text, p_hash bytea, p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_draft contribution;
  v_outcome jsonb;
  v_id uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'POST', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  p_what := jsonb_strip_nulls(p_what) || '{"kind": "POST"}';
  if p_what ? 'draft' then
    select * into v_draft from contribution c
    where c.tenant_id = v_tenant and c.id = (p_what ->> 'draft')::uuid and c.kind = 'POST' for no key update;
    -- A draft is its author's alone: moderators and other staff do not finish it either.
    if v_draft.id is null or v_draft.author_id is distinct from p_member or v_draft.state <> 'DRAFT'
       or not contribution_seen(v_draft.id, p_member) then
      return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'draft'));
    end if;
    v_outcome := coalesce(
      case when not coalesce((p_what ->> 'isDraft')::boolean, false) then space_may(v_draft.space_id, p_member, 'post') end,
      '{"is": "done"}');
    if v_outcome ->> 'is' = 'done' then
      v_outcome := contribution_edit(v_draft.id, p_member, p_actor,
        p_what || jsonb_build_object('publish', not coalesce((p_what ->> 'isDraft')::boolean, false)));
    end if;
    if v_outcome ->> 'is' = 'done' then
      perform post_put(v_draft.id, p_what);
      update contribution c set sku = p_what ->> 'sku', title = p_what ->> 'title'
      where c.tenant_id = v_tenant and c.id = v_draft.id;
    end if;
    v_id := v_draft.id;
  else
    v_outcome := contribution_write(p_member, p_actor, p_what);
    v_id := (v_outcome ->> 'contribution')::uuid;
    if v_outcome ->> 'is' = 'done' then
      perform post_put(v_id, p_what);
    end if;
  end if;
  if v_outcome ->> 'is' <> 'done' then
    return op_finish(p_key, v_outcome);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'post', v_id, 'state', v_outcome ->> 'state'));
end $$;

/* A post has become visible: the log is told, and the activity earns what the tenant's rules say. */
create function posts_published(p_contribution contribution) returns void language plpgsql as $$
begin
  if p_contribution.kind = 'POST' then
    perform announce('post.published', p_contribution.author_id,
      jsonb_build_object('contribution', p_contribution.id), p_contribution.published_at);
    if p_contribution.author_id is not null then
      perform activity_record(p_contribution.author_id, 'post.published', p_contribution.id::text, '{}',
        p_contribution.published_at);
    end if;
  end if;
end $$;

/* A post that is taken away loses what it earned, that lot and no other; one that comes back earns anew. */
create function posts_state_changed(p_contribution contribution, p_before text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_activity uuid;
  v_key text;
  v_op record;
begin
  if p_contribution.kind <> 'POST' or p_contribution.author_id is null then
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

/* A post that the member may see; or null. */
create function post_seen(p_post uuid, p_member uuid) returns contribution language plpgsql stable as $$
declare
  v_row contribution;
begin
  select * into v_row from contribution c
  where c.tenant_id = current_tenant() and c.id = p_post and c.kind = 'POST' and contribution_seen(c.id, p_member);
  return v_row;
end $$;

create function denied(p_reason text) returns jsonb language sql immutable as $$
  select jsonb_build_object('is', 'access_denied', 'reason', p_reason, 'unlock', null)
$$;

/* Whether somebody may moderate the space of a post (null: staff); null when it may, else the refusal. */
create function post_moderation(p_post contribution, p_member uuid) returns jsonb language plpgsql stable as $$
begin
  if (p_post).id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'post');
  end if;
  return space_may((p_post).space_id, p_member, 'moderate');
end $$;

/* Whom a doing is for, and what stands against it: the member must be one who may take part in what is visible to it. */
create function post_partaker(p_post uuid, p_member uuid, p_external_id text, out member_id uuid, out refusal jsonb)
language plpgsql as $$
declare
  v_member member := member_find(p_member, p_external_id);
  v_post contribution;
begin
  if v_member.id is null then
    refusal := jsonb_build_object('is', 'not_found', 'what', 'member');
    return;
  end if;
  v_post := post_seen(p_post, v_member.id);
  if v_post.id is null then
    refusal := jsonb_build_object('is', 'not_found', 'what', 'post');
  elsif v_post.state <> 'PUBLISHED' then
    refusal := denied('LOCKED');
  else
    refusal := space_may(v_post.space_id, v_member.id, 'react');
    member_id := v_member.id;
  end if;
end $$;

/* Puts a post to the top of its space, or takes it from there. Outcomes: done {post}, not_found, access_denied. */
create function post_pin(p_post uuid, p_member uuid, p_is_pinned boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_refusal jsonb := post_moderation(post_seen(p_post, p_member), p_member);
begin
  if v_refusal is not null then
    return v_refusal;
  end if;
  update post_facts p set pinned_at = case when p_is_pinned then coalesce(p.pinned_at, tenant_now(v_tenant)) end
  where p.tenant_id = v_tenant and p.contribution_id = p_post;
  return jsonb_build_object('is', 'done', 'post', p_post);
end $$;

/* The author lets the house make content of a post, or no longer. Outcomes: done {post}, not_found, access_denied. */
create function post_allow(p_post uuid, p_member uuid, p_is_allowed boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_post contribution := post_seen(p_post, p_member);
begin
  if v_post.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'post');
  elsif v_post.author_id is distinct from p_member then
    return denied('NOT_AUTHOR');
  end if;
  update post_facts p set may_promote = p_is_allowed where p.tenant_id = v_tenant and p.contribution_id = p_post;
  return jsonb_build_object('is', 'done', 'post', p_post);
end $$;

/*
 * What a post offers to whoever makes content of it: {author, title, body, format, html, tags, sku}; null unless it is
 * published for everybody in its space and the author allowed it (staff allow by writing).
 */
create function post_promotable(p_post uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('author', c.author_id, 'title', c.title, 'body', c.body, 'format', c.format, 'html', c.html,
    'tags', to_jsonb(c.tags), 'sku', c.sku)
  from contribution c join post_facts p on p.tenant_id = c.tenant_id and p.contribution_id = c.id
  where c.tenant_id = current_tenant() and c.id = p_post and c.state = 'PUBLISHED' and not c.is_private
    and (p.may_promote or c.is_by_staff)
$$;

/* What members did about posts until an instant: for ranks that stay the same from page to page. */
create function post_pull(p_posts uuid[], p_at timestamptz) returns table (id uuid, reactions int, comments int)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.id,
    (select coalesce(sum(case when r.kind = 'DOWN' then -1 else 1 end), 0)::int from reaction r
     where r.tenant_id = current_tenant() and r.contribution_id = p.id and r.at <= p_at),
    (select count(*)::int from contribution c
     where c.tenant_id = current_tenant() and c.root_id = p.id and c.kind = 'COMMENT' and c.state = 'PUBLISHED'
       and c.published_at <= p_at)
  from unnest(p_posts) p (id)
$$;
grant execute on function post_pull(uuid[], timestamptz) to engawa_app;

-- ── Ideas ────────────────────────────────────────────────────────────────────────────────────────

/*
 * Gives an idea so many of a member's votes, 0 for none. Outcomes: done {post, votes, left}, not_found, access_denied
 * (LOCKED, IDEA_CLOSED, VOTES_USED_UP and those of the space).
 */
create function idea_vote_set(p_post uuid, p_member uuid, p_external_id text, p_votes int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_idea idea;
  v_space uuid;
  v_who record;
  v_budget int;
  v_elsewhere int;
  v_before int;
begin
  -- Ideas before members, whoever comes: the counters of the idea, then the budget of the member.
  select * into v_idea from idea i where i.tenant_id = v_tenant and i.contribution_id = p_post for no key update;
  select * into v_who from post_partaker(p_post, p_member, p_external_id);
  if v_who.refusal is not null then
    return v_who.refusal;
  elsif v_idea.contribution_id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'idea');
  elsif v_idea.status not in ('OPEN', 'PLANNED') then
    return denied('IDEA_CLOSED');
  end if;
  perform member_lock(v_who.member_id);
  v_space := (select c.space_id from contribution c where c.tenant_id = v_tenant and c.id = p_post);
  v_budget := idea_budget(v_space);
  select coalesce(sum(v.votes) filter (where v.contribution_id <> p_post), 0),
         coalesce(sum(v.votes) filter (where v.contribution_id = p_post), 0)
  into v_elsewhere, v_before
  from idea_vote v
  join idea i on i.tenant_id = v.tenant_id and i.contribution_id = v.contribution_id and i.status in ('OPEN', 'PLANNED')
  join contribution c on c.tenant_id = v.tenant_id and c.id = v.contribution_id and c.space_id = v_space
    and c.state = 'PUBLISHED'
  where v.tenant_id = v_tenant and v.member_id = v_who.member_id;
  if p_votes > v_before and v_elsewhere + p_votes > v_budget then
    return denied('VOTES_USED_UP');
  end if;
  if p_votes = 0 then
    delete from idea_vote v where v.tenant_id = v_tenant and v.contribution_id = p_post and v.member_id = v_who.member_id;
  else
    insert into idea_vote as v (tenant_id, contribution_id, member_id, votes, at)
    values (v_tenant, p_post, v_who.member_id, p_votes, tenant_now(v_tenant))
    on conflict (tenant_id, contribution_id, member_id) do update set votes = excluded.votes, at = excluded.at;
  end if;
  perform idea_count(p_post);
  return jsonb_build_object('is', 'done', 'post', p_post, 'votes', p_votes,
    'remaining', greatest(v_budget - v_elsewhere - p_votes, 0));
end $$;

/* Counts the votes of an idea, which is locked. */
create function idea_count(p_post uuid) returns void language sql as $$
  update idea i set votes = x.votes, voters = x.voters
  from (select coalesce(sum(v.votes), 0)::int as votes, count(*)::int as voters from idea_vote v
        where v.tenant_id = current_tenant() and v.contribution_id = p_post) x
  where i.tenant_id = current_tenant() and i.contribution_id = p_post
$$;

/* Whether two ideas stand in the way of each other: null when one may be merged into the other. */
create function idea_mergeable(p_from contribution, p_into contribution) returns boolean language sql stable as $$
  select (p_into).id is not null and (p_into).id <> (p_from).id and (p_into).space_id = (p_from).space_id
    and (p_into).state = 'PUBLISHED'
    and exists (select from idea i where i.tenant_id = (p_into).tenant_id and i.contribution_id = (p_into).id
                and i.status in ('OPEN', 'PLANNED'))
$$;

/*
 * Brings an idea into a status; its author and all who voted are told by idea.status_changed. Merging gives its votes to
 * the other idea, each member's the larger of both. Outcomes: done {post}, not_found, access_denied, bad_input.
 */
create function idea_status_set(p_post uuid, p_member uuid, p_status text, p_into uuid, p_note text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_post contribution := post_seen(p_post, p_member);
  v_refusal jsonb := post_moderation(v_post, p_member);
  v_idea idea;
begin
  -- Both ideas in the order of their ids, so that two mergers do not wait for each other.
  perform from idea i where i.tenant_id = v_tenant and i.contribution_id in (p_post, p_into)
  order by i.contribution_id for no key update;
  select * into v_idea from idea i where i.tenant_id = v_tenant and i.contribution_id = p_post;
  if v_refusal is not null then
    return v_refusal;
  elsif v_idea.contribution_id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'idea');
  elsif p_into is not null and (post_seen(p_into, p_member)).id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'idea');
  elsif p_status = 'MERGED' and not coalesce(idea_mergeable(v_post, post_seen(p_into, p_member)), false) then
    return bad_input('mergedInto', 'input.mergedInto must be another idea of the same space that is open or planned.');
  elsif v_idea.status = 'MERGED' then
    return denied('IDEA_CLOSED');
  end if;
  update idea i set status = p_status, merged_into = p_into, note = p_note, status_at = v_now
  where i.tenant_id = v_tenant and i.contribution_id = p_post;
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'idea.status_changed', t.member_id, jsonb_build_object('contribution', p_post, 'to', p_status), v_now
  from (
    select v.member_id from idea_vote v where v.tenant_id = v_tenant and v.contribution_id = p_post
    union
    select v_post.author_id
  ) t
  order by t.member_id;
  if p_status = 'MERGED' then
    insert into idea_vote as v (tenant_id, contribution_id, member_id, votes, at)
    select v_tenant, p_into, o.member_id, o.votes, v_now from idea_vote o
    where o.tenant_id = v_tenant and o.contribution_id = p_post
    on conflict (tenant_id, contribution_id, member_id) do update set votes = greatest(v.votes, excluded.votes);
    perform idea_count(p_into);
  end if;
  return jsonb_build_object('is', 'done', 'post', p_post);
end $$;

/* Says how many votes members have in a space. Outcomes: done {space}, not_found. */
create function idea_budget_set(p_space uuid, p_votes int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not exists (select from space s where s.tenant_id = v_tenant and s.id = p_space and not s.is_retired) then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  end if;
  insert into post_setting (tenant_id, space_id, idea_votes) values (v_tenant, p_space, p_votes)
  on conflict (tenant_id, space_id) do update set idea_votes = excluded.idea_votes;
  return jsonb_build_object('is', 'done', 'space', p_space);
end $$;

-- ── Polls ────────────────────────────────────────────────────────────────────────────────────────

/*
 * Votes in a poll for these options, instead of what the member chose before; none takes it back. Outcomes: done {post},
 * not_found, access_denied (LOCKED, POLL_CLOSED and those of the space), bad_input.
 */
create function poll_vote_set(p_post uuid, p_member uuid, p_external_id text, p_options int[]) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_poll poll;
  v_who record;
begin
  select * into v_poll from poll o where o.tenant_id = v_tenant and o.contribution_id = p_post for no key update;
  select * into v_who from post_partaker(p_post, p_member, p_external_id);
  if v_who.refusal is not null then
    return v_who.refusal;
  elsif v_poll.contribution_id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'poll');
  elsif v_poll.closes_at <= v_now then
    return denied('POLL_CLOSED');
  elsif cardinality(p_options) > 1 and not v_poll.is_multiple then
    return bad_input('options', 'input.options must be one option: this poll allows no more.');
  elsif exists (select unnest(p_options) except
                select o.n from poll_option o where o.tenant_id = v_tenant and o.contribution_id = p_post) then
    return bad_input('options', 'input.options must be numbers of options of this poll.');
  end if;
  delete from poll_vote v where v.tenant_id = v_tenant and v.contribution_id = p_post and v.member_id = v_who.member_id;
  insert into poll_vote (tenant_id, contribution_id, member_id, n, at)
  select distinct v_tenant, p_post, v_who.member_id, n, v_now from unnest(p_options) n;
  update poll_option o set votes = x.votes
  from (select p.n, count(v.n)::int as votes from poll_option p
        left join poll_vote v on v.tenant_id = p.tenant_id and v.contribution_id = p.contribution_id and v.n = p.n
        where p.tenant_id = v_tenant and p.contribution_id = p_post group by p.n) x
  where o.tenant_id = v_tenant and o.contribution_id = p_post and o.n = x.n and o.votes <> x.votes;
  update poll o set voters = (select count(distinct v.member_id) from poll_vote v
                              where v.tenant_id = v_tenant and v.contribution_id = p_post)
  where o.tenant_id = v_tenant and o.contribution_id = p_post;
  return jsonb_build_object('is', 'done', 'post', p_post);
end $$;

-- ── Gatherings ───────────────────────────────────────────────────────────────────────────────────

/* Gives the free seats of a gathering, which is locked, to those who have waited longest and may still see it. */
create function gathering_fill(p_post uuid) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_free int := (select g.seats - g.taken from gathering g where g.tenant_id = v_tenant and g.contribution_id = p_post);
  v_waiting uuid[] := array(select g.member_id from gathering_guest g
    where g.tenant_id = v_tenant and g.contribution_id = p_post and g.state = 'WAITING');
  v_next uuid[];
begin
  if cardinality(v_waiting) = 0 or v_free <= 0 then
    return;
  end if;
  v_next := array(
    select g.member_id from gathering_guest g
    where g.tenant_id = v_tenant and g.contribution_id = p_post and g.state = 'WAITING'
      and g.member_id in (select contribution_seers(p_post, v_waiting))
    order by g.since, g.n limit v_free);
  update gathering_guest g set state = 'COMING', since = v_now
  where g.tenant_id = v_tenant and g.contribution_id = p_post and g.member_id = any(v_next);
  perform gathering_count(p_post);
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'gathering.seat_given', m, jsonb_build_object('contribution', p_post), v_now from unnest(v_next) m;
end $$;

create function gathering_count(p_post uuid) returns void language sql as $$
  update gathering g set taken = x.taken, waiting = x.waiting
  from (select count(*) filter (where a.state = 'COMING')::int as taken,
               count(*) filter (where a.state = 'WAITING')::int as waiting
        from gathering_guest a where a.tenant_id = current_tenant() and a.contribution_id = p_post) x
  where g.tenant_id = current_tenant() and g.contribution_id = p_post
$$;

/*
 * A member comes to a gathering, or does not. It gets a seat, or waits when there is none; a seat that it gives up goes
 * to whoever has waited longest. Outcomes: done {post, state}, not_found, access_denied (LOCKED, GATHERING_OVER and
 * those of the space).
 */
create function gathering_answer(p_post uuid, p_member uuid, p_external_id text, p_is_coming boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_gathering gathering;
  v_who record;
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_before text;
  v_state text;
begin
  select * into v_gathering from gathering g where g.tenant_id = v_tenant and g.contribution_id = p_post for no key update;
  select g.state into v_before from gathering_guest g
  where g.tenant_id = v_tenant and g.contribution_id = p_post and g.member_id = v_member;
  select * into v_who from post_partaker(p_post, p_member, p_external_id);
  -- Who has a place can always give it up, also where it may not see any more.
  if v_who.refusal is not null and (p_is_coming or coalesce(v_before, 'LEFT') = 'LEFT') then
    return v_who.refusal;
  elsif v_gathering.contribution_id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'gathering');
  elsif v_gathering.ends_at <= v_now then
    return denied('GATHERING_OVER');
  end if;
  v_state := case when not p_is_coming then 'LEFT'
    when v_before in ('COMING', 'WAITING') then v_before
    when v_gathering.seats is null or v_gathering.taken < v_gathering.seats then 'COMING' else 'WAITING' end;
  if v_state <> coalesce(v_before, 'LEFT') then
    -- A new row each time, so that whoever comes back waits behind the others.
    delete from gathering_guest g
    where g.tenant_id = v_tenant and g.contribution_id = p_post and g.member_id = v_member;
    insert into gathering_guest (tenant_id, contribution_id, member_id, state, since)
    values (v_tenant, p_post, v_member, v_state, v_now);
    perform gathering_count(p_post);
    perform announce('gathering.answered', v_member,
      jsonb_build_object('contribution', p_post, 'state', v_state), v_now);
    perform gathering_fill(p_post);
  end if;
  return jsonb_build_object('is', 'done', 'post', p_post, 'state', v_state);
end $$;

grant execute on function
  post_write(text, bytea, uuid, text, jsonb), post_pin(uuid, uuid, boolean), post_allow(uuid, uuid, boolean),
  idea_vote_set(uuid, uuid, text, int), idea_status_set(uuid, uuid, text, uuid, text), idea_budget_set(uuid, int),
  idea_budget(uuid), poll_vote_set(uuid, uuid, text, int[]), gathering_answer(uuid, uuid, text, boolean)
  to engawa_app;

-- ── Research with members ────────────────────────────────────────────────────────────────────────

/* A panel that is asked, or a sale to try out a product: for those of an audience, with questions to answer. */
create table research (
  tenant_id   uuid not null references tenant,
  id          uuid not null default uuid_v7(),
  key         text not null check (length(key) between 1 and 100),
  kind        text not null check (kind in ('PANEL', 'TEST_SALE')),
  title       text not null check (length(title) between 1 and 300),
  description text not null check (length(description) between 1 and 10000),
  /* Who is invited; null: every member. */
  audience_id uuid,
  sku         text check (length(sku) between 1 and 100),
  /* How many there are to be had in a test sale, and how many a member may have. */
  stock       int check (stock >= 0),
  per_member  int check (per_member between 1 and 1000),
  taken       int not null default 0 check (taken >= 0),
  /* [{"key", "label", "kind": TEXT | SCALE | CHOICE, "choices", "isRequired"}] */
  form        jsonb not null check (jsonb_typeof(form) = 'array'),
  opens_at    timestamptz not null,
  /* Until just before when it is open; null: until somebody closes it. */
  closes_at   timestamptz,
  created_at  timestamptz not null,
  actor       text not null,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check (opens_at <= closes_at),
  check ((kind = 'TEST_SALE') = (stock is not null) and (kind = 'TEST_SALE') = (per_member is not null)),
  constraint research_stock check (taken <= stock)
) with (fillfactor = 85);
call protect('research');
grant select on research to engawa_app;

/* What a member took in a test sale. */
create table research_order (
  tenant_id   uuid not null,
  research_id uuid not null,
  member_id   uuid not null,
  quantity    int not null check (quantity > 0),
  at          timestamptz not null,
  primary key (tenant_id, research_id, member_id),
  foreign key (tenant_id, research_id) references research (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index research_order_of_member on research_order (tenant_id, member_id, research_id);
call protect('research_order');
call sight_own('research_order');
grant select on research_order to engawa_app;

/* What a member answered. */
create table research_answer (
  tenant_id   uuid not null,
  research_id uuid not null,
  member_id   uuid not null,
  question    text not null check (length(question) between 1 and 100),
  /* Text, or one of the choices. */
  words       text check (length(words) between 1 and 2000),
  number      int,
  at          timestamptz not null,
  primary key (tenant_id, research_id, member_id, question),
  foreign key (tenant_id, research_id) references research (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (num_nonnulls(words, number) = 1)
);
create index research_answer_of_member on research_answer (tenant_id, member_id, research_id);
call protect('research_answer');
call sight_own('research_answer');
grant select on research_answer to engawa_app;

/* Research that has begun, and which its invitee may see: one statement for a list of it. */
create function viewer_research() returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member uuid[] := array(select member_entitled(array[app_member()]));
  v_now timestamptz := tenant_now(v_tenant);
  v_audiences uuid[] := array(select r.audience_id from research r where r.tenant_id = v_tenant and r.audience_id is not null);
begin
  return array(
    select r.id from audiences_matched(v_audiences, v_member) a
    join research r on r.tenant_id = v_tenant and r.opens_at <= v_now
      and (r.audience_id is null or r.audience_id = any(a.audiences)));
end $$;
grant execute on function viewer_research() to engawa_app;
create policy sight on research as restrictive for select to engawa_app
  using ((select app_member()) is null or id = any ((select viewer_research())::uuid[]));

/*
 * Opens research, or changes it; what was taken and answered stays. p_what: {"key", "kind", "title", "description", "sku",
 * "stock", "perMember", "form", "opensAt", "closesAt", "audience": {rule, condition, compiler}}. Outcomes: done
 * {research}, bad_input.
 */
create function research_save(p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_audience uuid := case when jsonb_typeof(p_what -> 'audience') = 'object' then audience_save(p_what #> '{audience,rule}',
    p_what #>> '{audience,condition}', (p_what #>> '{audience,compiler}')::int) end;
  v_known research;
  v_id uuid;
begin
  insert into research as r (tenant_id, key, kind, title, description, audience_id, sku, stock, per_member, form, opens_at,
    closes_at, created_at, actor)
  values (v_tenant, p_what ->> 'key', p_what ->> 'kind', p_what ->> 'title', p_what ->> 'description', v_audience,
    p_what ->> 'sku', (p_what ->> 'stock')::int, (p_what ->> 'perMember')::int, p_what -> 'form',
    coalesce((p_what ->> 'opensAt')::timestamptz, v_now), (p_what ->> 'closesAt')::timestamptz, v_now, p_actor)
  on conflict (tenant_id, key) do nothing returning r.id into v_id;
  if v_id is not null then
    return jsonb_build_object('is', 'done', 'research', v_id);
  end if;
  select * into v_known from research r where r.tenant_id = v_tenant and r.key = p_what ->> 'key' for no key update;
  if v_known.kind <> p_what ->> 'kind' then
    return bad_input('key', format('%s is a %s; its kind stays.', v_known.key, lower(replace(v_known.kind, '_', ' '))));
  elsif (p_what ->> 'stock')::int < v_known.taken then
    return bad_input('stock', format('input.stock must be at least %s: so many are taken.', v_known.taken));
  end if;
  update research r set title = p_what ->> 'title', description = p_what ->> 'description', audience_id = v_audience,
    sku = p_what ->> 'sku', stock = (p_what ->> 'stock')::int, per_member = (p_what ->> 'perMember')::int,
    form = p_what -> 'form', opens_at = coalesce((p_what ->> 'opensAt')::timestamptz, r.opens_at),
    closes_at = (p_what ->> 'closesAt')::timestamptz, actor = p_actor
  where r.tenant_id = v_tenant and r.id = v_known.id;
  return jsonb_build_object('is', 'done', 'research', v_known.id);
end $$;

/* The research of a key, locked, and what stands against a member's taking part in it. */
create function research_partaker(p_key text, p_member uuid, p_external_id text,
  out research research, out member_id uuid, out refusal jsonb) language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  select * into research from research r where r.tenant_id = v_tenant and r.key = p_key for no key update;
  member_id := (member_find(p_member, p_external_id)).id;
  refusal := case
    when member_id is null then jsonb_build_object('is', 'not_found', 'what', 'member')
    -- Who is not invited does not learn of it.
    when (research).id is null or (research).opens_at > v_now or not exists (select from member_entitled(array[member_id]))
      or not audience_has((research).audience_id, member_id) then jsonb_build_object('is', 'not_found', 'what', 'research')
    when (research).closes_at <= v_now then denied('RESEARCH_CLOSED') end;
end $$;

/*
 * Takes so many of a test sale for a member. Outcomes: done {research, quantity: what it has now}, not_found,
 * access_denied (RESEARCH_CLOSED, SOLD_OUT, LIMIT_REACHED), key_reused.
 */
create function research_take(p_key text, p_hash bytea, p_member uuid, p_external_id text, p_research text, p_quantity int,
  p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_who record;
  v_research research;
  v_has int;
begin
  select * into v_op from op_begin(p_key, p_hash, 'TEST_SALE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  select * into v_who from research_partaker(p_research, p_member, p_external_id);
  v_research := v_who.research;
  if v_who.refusal is not null then
    return op_finish(p_key, v_who.refusal);
  elsif v_research.kind <> 'TEST_SALE' then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'test sale'));
  end if;
  v_has := coalesce((select o.quantity from research_order o where o.tenant_id = v_tenant
    and o.research_id = v_research.id and o.member_id = v_who.member_id), 0);
  if v_has + p_quantity > v_research.per_member then
    return op_finish(p_key, denied('LIMIT_REACHED'));
  elsif v_research.taken + p_quantity > v_research.stock then
    return op_finish(p_key, denied('SOLD_OUT'));
  end if;
  update research r set taken = r.taken + p_quantity where r.tenant_id = v_tenant and r.id = v_research.id;
  insert into research_order as o (tenant_id, research_id, member_id, quantity, at)
  values (v_tenant, v_research.id, v_who.member_id, p_quantity, v_now)
  on conflict (tenant_id, research_id, member_id) do update set quantity = o.quantity + excluded.quantity, at = excluded.at;
  perform announce('test_sale.taken', v_who.member_id,
    jsonb_build_object('research', v_research.id, 'quantity', p_quantity), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'research', v_research.id, 'quantity', v_has + p_quantity));
end $$;

/*
 * Keeps what a member answers, instead of what it answered before: [{"question", "words" | "number"}]. In a test sale only
 * who took something answers. Outcomes: done {research}, not_found, access_denied (RESEARCH_CLOSED, NOT_TAKEN), bad_input.
 */
create function research_answer_put(p_research text, p_member uuid, p_external_id text, p_answers jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_who record;
  v_research research;
  v_wrong text;
begin
  select * into v_who from research_partaker(p_research, p_member, p_external_id);
  v_research := v_who.research;
  if v_who.refusal is not null then
    return v_who.refusal;
  elsif v_research.kind = 'TEST_SALE' and not exists (
    select from research_order o
    where o.tenant_id = v_tenant and o.research_id = v_research.id and o.member_id = v_who.member_id) then
    return denied('NOT_TAKEN');
  end if;
  select q ->> 'key' into v_wrong from jsonb_array_elements(v_research.form) q
  where (q ->> 'isRequired')::boolean
    and not exists (select from jsonb_array_elements(p_answers) a where a ->> 'question' = q ->> 'key') limit 1;
  if v_wrong is not null then
    return bad_input('answers', format('input.answers must answer %s.', v_wrong));
  end if;
  select coalesce(a ->> 'question', '') into v_wrong
  from jsonb_array_elements(p_answers) a
  left join jsonb_array_elements(v_research.form) q on q ->> 'key' = a ->> 'question'
  where q is null or case q ->> 'kind'
    when 'TEXT' then a ->> 'words' is null
    when 'SCALE' then (a ->> 'number')::int is null or (a ->> 'number')::int not between 1 and 5
    else a ->> 'words' is null or not (q -> 'choices') ? (a ->> 'words') end
  limit 1;
  if v_wrong is not null then
    return bad_input('answers', format('input.answers does not answer %s as the form asks it.', v_wrong));
  end if;
  delete from research_answer r
  where r.tenant_id = v_tenant and r.research_id = v_research.id and r.member_id = v_who.member_id;
  insert into research_answer (tenant_id, research_id, member_id, question, words, number, at)
  select v_tenant, v_research.id, v_who.member_id, a ->> 'question', a ->> 'words', (a ->> 'number')::int, v_now
  from jsonb_array_elements(p_answers) a;
  perform announce('research.answered', v_who.member_id, jsonb_build_object('research', v_research.id), v_now);
  return jsonb_build_object('is', 'done', 'research', v_research.id);
end $$;

grant execute on function research_save(text, jsonb), research_take(text, bytea, uuid, text, text, int, text),
  research_answer_put(text, uuid, text, jsonb) to engawa_app;

-- ── Complaints and stumbles ──────────────────────────────────────────────────────────────────────

/* A matter that a post complains of, until somebody has settled it. */
create table complaint (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  contribution_id uuid not null,
  /* Whose matter it is; null: staff's. */
  member_id       uuid,
  state           text not null default 'OPEN' check (state in ('OPEN', 'RESOLVED')),
  reason          text check (length(reason) between 1 and 1000),
  opened_at       timestamptz not null,
  opened_by       text not null,
  resolved_at     timestamptz,
  /* The comment that tells how it was settled. */
  resolution_id   uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, resolution_id) references contribution (tenant_id, id),
  check ((state = 'RESOLVED') = (resolved_at is not null) and (state = 'RESOLVED') = (resolution_id is not null))
);
create unique index complaint_open on complaint (tenant_id, contribution_id) where state = 'OPEN';
create index complaint_state on complaint (tenant_id, state, id);
create index complaint_of_member on complaint (tenant_id, member_id, id);
call protect('complaint');
-- For whom it is about, for moderators of the space, and staff.
create policy sight on complaint as restrictive for select to engawa_app using (
  (select app_member()) is null or member_id = (select app_member())
  or exists (select from contribution c where c.tenant_id = complaint.tenant_id and c.id = complaint.contribution_id
             and c.space_id = any ((select viewer_moderated())::uuid[])));
grant select on complaint to engawa_app;

/*
 * Opens a case about a post: by its author, a moderator or staff. One that is open is answered again. Outcomes: done
 * {complaint, post}, not_found, access_denied (NOT_AUTHOR).
 */
create function complaint_open(p_post uuid, p_member uuid, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_post contribution := post_seen(p_post, p_member);
  v_refusal jsonb := contribution_may_edit(v_post, p_member);
  v_id uuid;
begin
  if v_post.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'post');
  elsif v_refusal is not null then
    return v_refusal;
  end if;
  insert into complaint as c (tenant_id, contribution_id, member_id, reason, opened_at, opened_by)
  values (v_tenant, p_post, v_post.author_id, p_reason, v_now, p_actor)
  on conflict (tenant_id, contribution_id) where state = 'OPEN' do nothing returning c.id into v_id;
  if v_id is not null then
    perform announce('complaint.opened', v_post.author_id, jsonb_build_object('contribution', p_post), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'post', p_post, 'complaint', coalesce(v_id,
    (select c.id from complaint c where c.tenant_id = v_tenant and c.contribution_id = p_post and c.state = 'OPEN')));
end $$;

/*
 * Settles the case that is open about a post: how it was settled stands as a comment in the thread. p_what is what
 * contribution_write takes. Outcomes: done {post}, not_found, key_reused, those of contribution_write.
 */
create function complaint_resolve(p_key text, p_hash bytea, p_post uuid, p_member uuid, p_actor text, p_what jsonb)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_case complaint;
  v_refusal jsonb;
  v_outcome jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'COMPLAINT', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  select * into v_case from complaint c
  where c.tenant_id = v_tenant and c.contribution_id = p_post and c.state = 'OPEN' for no key update;
  v_refusal := post_moderation(post_seen(p_post, p_member), p_member);
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  elsif v_case.id is null then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'complaint'));
  end if;
  v_outcome := contribution_write(p_member, p_actor, p_what || jsonb_build_object('kind', 'COMMENT', 'parent', p_post));
  if v_outcome ->> 'is' <> 'done' then
    return op_finish(p_key, v_outcome);
  end if;
  update complaint c set state = 'RESOLVED', resolved_at = v_now, resolution_id = (v_outcome ->> 'contribution')::uuid
  where c.tenant_id = v_tenant and c.id = v_case.id;
  perform announce('complaint.resolved', v_case.member_id, jsonb_build_object('contribution', p_post), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'post', p_post));
end $$;

/* A place where somebody did not get on. Append-only. */
create table stumble (
  tenant_id uuid not null,
  id        uuid not null default uuid_v7(),
  member_id uuid not null,
  feature   text not null check (length(feature) between 1 and 100),
  note      text check (length(note) between 1 and 1000),
  at        timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index stumble_feature on stumble (tenant_id, at, feature);
create index stumble_of_member on stumble (tenant_id, member_id, id);
call protect('stumble');
call sight_own('stumble');
grant select on stumble to engawa_app;

/* Notes that a member stumbled over a feature. Outcomes: done {feature}, not_found, membership_ended, key_reused. */
create function stumble_report(p_key text, p_hash bytea, p_member uuid, p_external_id text, p_feature text, p_note text,
  p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_op record;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'STUMBLE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  insert into stumble (tenant_id, member_id, feature, note, at) values (v_tenant, v_member.id, p_feature, p_note, v_now);
  perform announce('stumble.reported', v_member.id, jsonb_build_object('feature', p_feature), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'feature', p_feature));
end $$;

grant execute on function complaint_open(uuid, uuid, text, text),
  complaint_resolve(text, bytea, uuid, uuid, text, jsonb),
  stumble_report(text, bytea, uuid, text, text, text, text) to engawa_app;
