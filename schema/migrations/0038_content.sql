-- Content: what the tenant publishes for its members, files and how they are handed out, courses, checklists for the
-- first steps with a product, and ideas for what to publish next.

set local role engawa_owner;

/* So much after an instant: years to days by the calendar of the tenant's zone, hours and less by what passes. */
create function local_plus(p_at timestamptz, p_span interval) returns timestamptz language sql stable as $$
  select local_instant((p_at at time zone t.time_zone) + d.days, t.time_zone) + (p_span - d.days)
  from tenant t,
    (select make_interval(months => (12 * extract(year from p_span) + extract(month from p_span))::int,
                          days => extract(day from p_span)::int) as days) d
  where t.id = current_tenant()
$$;

-- ── Series ───────────────────────────────────────────────────────────────────────────────────────

/* Content that keeps coming: one issue in each span. */
create table content_series (
  tenant_id uuid not null references tenant,
  id        uuid not null default uuid_v7(),
  key       text not null check (length(key) between 1 and 100),
  /* Texts by language. */
  name      jsonb not null,
  /* ISO 8601, as in P7D. */
  every     text not null check (every::interval > interval '0'),
  /* By when the next issue has to be out; null: none is awaited any more. */
  due_at    timestamptz,
  issues    int not null default 0,
  missed    int not null default 0,
  /* By when the one that was missed last had to be out. */
  missed_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
create index content_series_due on content_series (tenant_id, due_at) where due_at is not null;
call protect('content_series');
grant select on content_series to engawa_app;
create policy system on content_series for select to engawa_system using (true);
grant select (tenant_id, due_at) on content_series to engawa_system;

/* Begins a series or changes it; p_first null: no issue is awaited any more. Outcomes: done {key}. */
create function series_save(p_key text, p_name jsonb, p_every text, p_first timestamptz) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into content_series as s (tenant_id, key, name, every, due_at)
  values (current_tenant(), p_key, p_name, p_every, p_first)
  on conflict (tenant_id, key) do update set name = excluded.name, every = excluded.every, due_at = excluded.due_at;
  return jsonb_build_object('is', 'done', 'key', p_key);
end $$;

-- ── Content ──────────────────────────────────────────────────────────────────────────────────────

/* What is special to contributions of the kind CONTENT. Nothing in it is secret to those who may see its space. */
create table content (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  /* As the contribution has them; kept by trigger. */
  space_id        uuid not null,
  state           text not null,
  gate_id         uuid,
  title           text not null,
  published_at    timestamptz,
  kind            text not null check (kind in ('ARTICLE', 'PDF', 'AUDIO', 'VIDEO', 'TOOL', 'SERVICE')),
  /* What those read who may not read it. */
  teaser          text check (length(teaser) between 1 and 1000),
  /* Whether those who may not read it learn that it exists. */
  is_teased       boolean not null,
  /* Whether it is for everybody: whoever serves public pages may show it to people who are no members. */
  is_public       boolean not null,
  purpose         text not null check (purpose in ('RETENTION', 'SUPPORT', 'ONBOARDING', 'ACQUISITION')),
  /* What the reader needs it for, in the reader's words. */
  need            text not null check (length(need) between 1 and 500),
  /* Whom it is made for; an empty list: everybody. */
  stages          text[] not null,
  skus            text[] not null,
  personas        text[] not null,
  /* Where a tool or a service is. */
  link            text check (link ~ '^https://'),
  /* The key of the entitlement that a tool or a service asks for. */
  entitlement     text,
  series_id       uuid,
  /* The post that it was made of, with its author's permission. */
  post_id         uuid,
  useful          int not null default 0 check (useful >= 0),
  not_useful      int not null default 0 check (not_useful >= 0),
  unwanted        int not null default 0 check (unwanted >= 0),
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, gate_id) references audience (tenant_id, id),
  foreign key (tenant_id, series_id) references content_series (tenant_id, id),
  foreign key (tenant_id, post_id) references contribution (tenant_id, id),
  check (not is_teased or gate_id is null or teaser is not null),
  check (not is_public or gate_id is null)
);
create index content_newest on content (tenant_id, published_at, contribution_id);
create index content_series_of on content (tenant_id, series_id, published_at) where series_id is not null;
create index content_post on content (tenant_id, post_id) where post_id is not null;
call protect('content');
/* A teased one is there for everybody who sees into its space; the contribution, with the text, is not. */
create policy sight on content as restrictive for select to engawa_app using (
  (select app_member()) is null
  or (is_teased and state = 'PUBLISHED' and space_id = any ((select viewer_keys())::uuid[]))
  or exists (select from contribution c where c.tenant_id = content.tenant_id and c.id = content.contribution_id));
grant select on content to engawa_app;

/* Some content has just come out. */
create function content_out(p_contribution uuid, p_at timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  perform announce('content.published', null, jsonb_build_object('contribution', p_contribution), p_at);
  -- An issue counts for the span it comes in: a second one in the same span is awaited no less.
  update content_series s set issues = s.issues + 1,
    due_at = case when local_plus(s.due_at, - s.every::interval) <= p_at then local_plus(s.due_at, s.every::interval) else s.due_at end
  from content c
  where c.tenant_id = v_tenant and c.contribution_id = p_contribution and s.tenant_id = v_tenant and s.id = c.series_id;
end $$;

/* What the contribution says of itself is said here too, whatever changed it. */
create function content_follows() returns trigger language plpgsql as $$
begin
  update content c set space_id = new.space_id, state = new.state, gate_id = new.gate_id, title = new.title,
    published_at = new.published_at
  where c.tenant_id = new.tenant_id and c.contribution_id = new.id;
  if old.state in ('DRAFT', 'PENDING') and new.state = 'PUBLISHED' then
    perform content_out(new.id, new.published_at);
  end if;
  return null;
end $$;
create trigger content_follows after update on contribution for each row
  when (new.kind = 'CONTENT' and (old.space_id, old.state, old.gate_id, old.title, old.published_at)
    is distinct from (new.space_id, new.state, new.gate_id, new.title, new.published_at))
  execute function content_follows();

/* What stands against content as it is to be; null: nothing does. */
create function content_refusal(p_content jsonb) returns jsonb language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_wrong text;
begin
  select s into v_wrong from jsonb_array_elements_text(coalesce(p_content -> 'stages', '[]')) s
  where not exists (
    select from stage g where g.tenant_id = v_tenant and g.key = s
      and g.version = (select max(l.version) from lifecycle l where l.tenant_id = v_tenant));
  if v_wrong is not null then
    return bad_input('stages', format('There is no stage %s.', v_wrong));
  elsif p_content ->> 'entitlement' is not null and not exists (
    select from definition d where d.tenant_id = v_tenant and d.kind = 'entitlement' and d.is_live
      and d.key = p_content ->> 'entitlement')
  then
    return bad_input('entitlement', format('There is no entitlement %s.', p_content ->> 'entitlement'));
  elsif p_content ->> 'series' is not null and not exists (
    select from content_series s where s.tenant_id = v_tenant and s.key = p_content ->> 'series')
  then
    return jsonb_build_object('is', 'not_found', 'what', 'series');
  end if;
  return null;
end $$;

create function text_list(p_list jsonb) returns text[] language sql immutable as
$$ select array(select jsonb_array_elements_text(coalesce(p_list, '[]'))) $$;

/*
 * Publishes content in a space of the kind SITE, or keeps a draft of it: p_what as contribution_write has it, p_content
 * {"kind", "teaser", "isTeased", "isPublic", "purpose", "need", "stages", "skus", "personas", "link", "entitlement",
 * "series", "post": a post that it is made of, "idea": an idea that it answers}. p_author: whom it is credited to; null:
 * staff. Outcomes: done {contribution, state}, and refusals.
 */
create function content_write(p_author uuid, p_actor text, p_what jsonb, p_content jsonb) returns jsonb
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_refusal jsonb := content_refusal(p_content);
  v_written jsonb;
  v_row contribution;
begin
  if v_refusal is not null then
    return v_refusal;
  elsif (select s.kind from space s where s.tenant_id = v_tenant and s.id = (p_what ->> 'space')::uuid) <> 'SITE' then
    return bad_input('space', 'Content is published in a space of the kind SITE.');
  end if;
  v_written := contribution_write(null, p_actor, p_what || '{"kind": "CONTENT"}'
    || jsonb_build_object('sku', p_content #>> '{skus,0}'));
  if v_written ->> 'is' <> 'done' then
    return v_written;
  end if;
  select * into strict v_row from contribution c
  where c.tenant_id = v_tenant and c.id = (v_written ->> 'contribution')::uuid;
  insert into content (tenant_id, contribution_id, space_id, state, gate_id, title, published_at, kind, teaser, is_teased,
    is_public, purpose, need, stages, skus, personas, link, entitlement, series_id, post_id)
  values (v_tenant, v_row.id, v_row.space_id, v_row.state, v_row.gate_id, v_row.title, v_row.published_at,
    p_content ->> 'kind', p_content ->> 'teaser', (p_content ->> 'isTeased')::boolean,
    (p_content ->> 'isPublic')::boolean, p_content ->> 'purpose', p_content ->> 'need',
    text_list(p_content -> 'stages'), text_list(p_content -> 'skus'), text_list(p_content -> 'personas'),
    p_content ->> 'link', p_content ->> 'entitlement',
    (select s.id from content_series s where s.tenant_id = v_tenant and s.key = p_content ->> 'series'),
    (p_content ->> 'post')::uuid);
  if p_author is not null then
    update contribution c set author_id = p_author where c.tenant_id = v_tenant and c.id = v_row.id;
  end if;
  if v_row.state = 'PUBLISHED' then
    perform content_out(v_row.id, v_row.published_at);
  end if;
  return v_written;
end $$;

/* Publishes content, once for its key. Outcomes: those of content_write, key_reused. */
create function content_publish(p_key text, p_hash bytea, p_actor text, p_what jsonb, p_content jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_op record;
begin
  select * into v_op from op_begin(p_key, p_hash, 'CONTENT', p_actor, tenant_now(current_tenant()));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  return op_finish(p_key, content_write(null, p_actor, p_what, p_content));
end $$;

/*
 * Changes content: p_what as contribution_edit has it, null when the text stays, with "gate"; p_content as
 * content_write has it, of which only what is named changes. Outcomes: done {contribution}, not_found, and refusals.
 */
create function content_update(p_id uuid, p_actor text, p_what jsonb, p_content jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_content content;
  v_edited jsonb;
  v_refusal jsonb := content_refusal(p_content);
begin
  -- The contribution before what belongs to it, as everybody locks them.
  perform from contribution c
  where c.tenant_id = v_tenant and c.id = p_id and c.kind = 'CONTENT' for no key update;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'content');
  elsif v_refusal is not null then
    return v_refusal;
  end if;
  select * into strict v_content from content c where c.tenant_id = v_tenant and c.contribution_id = p_id;
  -- What it is to be, before anything is written.
  v_content := jsonb_populate_record(v_content, jsonb_strip_nulls(jsonb_build_object(
    'kind', p_content ->> 'kind', 'purpose', p_content ->> 'purpose', 'need', p_content ->> 'need',
    'is_teased', p_content -> 'isTeased', 'is_public', p_content -> 'isPublic', 'stages', p_content -> 'stages',
    'skus', p_content -> 'skus', 'personas', p_content -> 'personas')));
  v_content.teaser := case when p_content ? 'teaser' then p_content ->> 'teaser' else v_content.teaser end;
  v_content.link := case when p_content ? 'link' then p_content ->> 'link' else v_content.link end;
  v_content.entitlement :=
    case when p_content ? 'entitlement' then p_content ->> 'entitlement' else v_content.entitlement end;
  v_content.gate_id := case when p_content ? 'gate' then (p_content ->> 'gate')::uuid else v_content.gate_id end;
  if v_content.gate_id is not null and v_content.is_public then
    return bad_input('isPublic', 'What is public is for everybody: it has no audience.');
  elsif v_content.gate_id is not null and v_content.is_teased and v_content.teaser is null then
    return bad_input('teaser', 'What is teased needs a teaser.');
  end if;
  if p_what is not null then
    v_edited := contribution_edit(p_id, null, p_actor, p_what);
    if v_edited ->> 'is' <> 'done' then
      return v_edited;
    end if;
  end if;
  update content c set kind = v_content.kind, purpose = v_content.purpose, need = v_content.need,
    is_teased = v_content.is_teased, is_public = v_content.is_public, stages = v_content.stages, skus = v_content.skus,
    personas = v_content.personas, teaser = v_content.teaser, link = v_content.link,
    entitlement = v_content.entitlement, gate_id = v_content.gate_id
  where c.tenant_id = v_tenant and c.contribution_id = p_id;
  insert into gate (tenant_id, audience_id)
  select v_tenant, v_content.gate_id where v_content.gate_id is not null on conflict do nothing;
  update contribution c set gate_id = v_content.gate_id, sku = v_content.skus[1]
  where c.tenant_id = v_tenant and c.id = p_id
    and (c.gate_id, c.sku) is distinct from (v_content.gate_id, v_content.skus[1]);
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;

/* Takes content away from its readers. Outcomes: done {contribution, state}, not_found. */
create function content_retire(p_id uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not exists (select from content c where c.tenant_id = current_tenant() and c.contribution_id = p_id) then
    return jsonb_build_object('is', 'not_found', 'what', 'content');
  end if;
  return contribution_set_state(p_id, null, 'REMOVED', p_actor);
end $$;

/*
 * How much published content fits each stage, product and persona; an item that names none of a sort fits all of it.
 * p_skus and p_personas empty: those that content names; none at all: one column for everybody.
 */
create function content_matrix(p_skus text[], p_personas text[])
returns table (stage text, sku text, persona text, fitting int)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_skus text[] := case when p_skus <> '{}' then p_skus else array(
    select distinct s from content c, unnest(c.skus) s where c.tenant_id = v_tenant and c.state = 'PUBLISHED'
    order by s limit 50) end;
  v_personas text[] := case when p_personas <> '{}' then p_personas else array(
    select distinct p from content c, unnest(c.personas) p where c.tenant_id = v_tenant and c.state = 'PUBLISHED'
    order by p limit 20) end;
begin
  return query
  select g.key, s, p, (
    select count(*)::int from content c
    where c.tenant_id = v_tenant and c.state = 'PUBLISHED'
      and (c.stages = '{}' or g.key = any (c.stages))
      and (s is null or c.skus = '{}' or s = any (c.skus))
      and (p is null or c.personas = '{}' or p = any (c.personas)))
  from stage g
  cross join unnest(case when v_skus = '{}' then array[null::text] else v_skus end) s
  cross join unnest(case when v_personas = '{}' then array[null::text] else v_personas end) p
  where g.tenant_id = v_tenant and g.version = (select max(l.version) from lifecycle l where l.tenant_id = v_tenant)
  order by g.position, s, p;
end $$;

-- ── What readers think of it ─────────────────────────────────────────────────────────────────────

/* What a reader says of some content: whether it was of use, or came unwanted. The last word counts. */
create table content_rating (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  rating          text not null check (rating in ('USEFUL', 'NOT_USEFUL', 'UNWANTED')),
  comment         text check (length(comment) between 1 and 1000),
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references content (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index content_rating_of_member on content_rating (tenant_id, member_id);
call protect('content_rating');
call sight_own('content_rating');
grant select on content_rating to engawa_app;

create function content_rated() returns trigger language plpgsql as $$
begin
  update content c set
    useful = c.useful + (new.rating = 'USEFUL')::int - coalesce((old.rating = 'USEFUL')::int, 0),
    not_useful = c.not_useful + (new.rating = 'NOT_USEFUL')::int - coalesce((old.rating = 'NOT_USEFUL')::int, 0),
    unwanted = c.unwanted + (new.rating = 'UNWANTED')::int - coalesce((old.rating = 'UNWANTED')::int, 0)
  where c.tenant_id = new.tenant_id and c.contribution_id = new.contribution_id;
  return null;
end $$;
create trigger rated after insert or update on content_rating for each row execute function content_rated();

/* A reader says what some content was to it. Outcomes: done {contribution, member}, not_found, membership_ended. */
create function content_rate(p_id uuid, p_member uuid, p_external_id text, p_rating text, p_comment text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  -- One writer at a time for the counters.
  perform from content c where c.tenant_id = v_tenant and c.contribution_id = p_id for no key update;
  if not found or not contribution_seen(p_id, v_member.id) then
    return jsonb_build_object('is', 'not_found', 'what', 'content');
  end if;
  insert into content_rating as r (tenant_id, contribution_id, member_id, rating, comment, at)
  values (v_tenant, p_id, v_member.id, p_rating, p_comment, tenant_now(v_tenant))
  on conflict (tenant_id, contribution_id, member_id) do update set rating = excluded.rating, comment = excluded.comment,
    at = excluded.at;
  perform announce('content.rated', v_member.id, jsonb_build_object('contribution', p_id, 'rating', p_rating),
    tenant_now(v_tenant));
  return jsonb_build_object('is', 'done', 'contribution', p_id, 'member', v_member.id);
end $$;

grant execute on function
  series_save(text, jsonb, text, timestamptz),
  content_publish(text, bytea, text, jsonb, jsonb),
  content_update(uuid, text, jsonb, jsonb),
  content_retire(uuid, text),
  content_matrix(text[], text[]),
  content_rate(uuid, uuid, text, text, text) to engawa_app;

-- ── Files ────────────────────────────────────────────────────────────────────────────────────────

/* A file: announced, uploaded, and then part of something. Its bytes are in the storage, under storage_key. */
create table asset (
  tenant_id       uuid not null references tenant,
  id              uuid not null default uuid_v7(),
  kind            text not null check (kind in ('IMAGE', 'PDF', 'AUDIO', 'VIDEO')),
  name            text not null check (length(name) between 1 and 200),
  media_type      text not null,
  size            bigint not null check (size > 0),
  /* PENDING: not uploaded yet. GONE: nobody has it any more, and its bytes are to be deleted. */
  state           text not null default 'PENDING' check (state in ('PENDING', 'STORED', 'GONE')),
  storage_key     text not null,
  /* Whose it is; null: the tenant's staff. */
  member_id       uuid,
  actor           text not null,
  contribution_id uuid,
  lesson_id       uuid,
  position        int not null default 0,
  /* Whether it is handed out to whoever fills in a form. */
  is_download     boolean not null default false,
  created_at      timestamptz not null,
  stored_at       timestamptz,
  /* When it goes, unless it has become part of something. */
  due_at          timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, storage_key),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check (num_nonnulls(contribution_id, lesson_id) <= 1),
  check ((state = 'PENDING') = (stored_at is null) or state = 'GONE'),
  check (state = 'GONE' or (due_at is null) = (num_nonnulls(contribution_id, lesson_id) = 1 or is_download))
);
create index asset_of_contribution on asset (tenant_id, contribution_id, position, id) where contribution_id is not null;
create index asset_of_lesson on asset (tenant_id, lesson_id, position, id) where lesson_id is not null;
create index asset_of_member on asset (tenant_id, member_id, id) where member_id is not null;
create index asset_due on asset (tenant_id, due_at) where due_at is not null;
call protect('asset');
grant select on asset to engawa_app;
create policy system on asset for select to engawa_system using (true);
grant select (tenant_id, due_at) on asset to engawa_system;

/* Announces a file: p_what {"kind", "name", "mediaType", "size", "isDownload"}. Outcomes: done {asset}, too_many_uploads. */
create function asset_begin(p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid := uuid_v7();
begin
  if p_member is not null then
    perform member_lock(p_member);
    if (select count(*) from asset a where a.tenant_id = v_tenant and a.member_id = p_member and a.due_at > v_now) >= 50
    then
      return bad_input('size', 'Attach or wait: 50 files that belong to nothing yet are the most.');
    end if;
  end if;
  insert into asset (tenant_id, id, kind, name, media_type, size, storage_key, member_id, actor, is_download, created_at,
    due_at)
  values (v_tenant, v_id, p_what ->> 'kind', p_what ->> 'name', p_what ->> 'mediaType', (p_what ->> 'size')::bigint,
    v_tenant || '/' || v_id, p_member, p_actor, coalesce((p_what ->> 'isDownload')::boolean, false), v_now,
    case when not coalesce((p_what ->> 'isDownload')::boolean, false) then v_now + interval '1 day' end);
  return jsonb_build_object('is', 'done', 'asset', v_id);
end $$;

/* What is awaited under an upload's address; null: nothing any more. */
create function asset_awaited(p_asset uuid, p_until timestamptz) returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select jsonb_build_object('key', a.storage_key, 'mediaType', a.media_type, 'size', a.size) from asset a
  where a.tenant_id = current_tenant() and a.id = p_asset and a.state = 'PENDING'
    and p_until > tenant_now(a.tenant_id)
$$;

/* The bytes of a file are in the storage; whether it was this call that told. */
create function asset_stored(p_asset uuid) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update asset a set state = 'STORED', stored_at = tenant_now(a.tenant_id)
  where a.tenant_id = current_tenant() and a.id = p_asset and a.state = 'PENDING';
  return found;
end $$;

/* A file that somebody may attach: its own, or any for staff. Null when there is none. */
create function asset_loose(p_asset uuid, p_member uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select jsonb_build_object('key', a.storage_key, 'mediaType', a.media_type, 'size', a.size, 'state', a.state) from asset a
  where a.tenant_id = current_tenant() and a.id = p_asset and (p_member is null or a.member_id = p_member)
    and a.state <> 'GONE'
$$;

/*
 * Makes a file part of a contribution that its owner (null: staff) may change; again, it stays where it is. Outcomes:
 * done {asset, contribution}, not_found, access_denied, asset_unfit {reason}.
 */
create function asset_attach(p_asset uuid, p_contribution uuid, p_member uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
  v_asset asset;
  v_refusal jsonb;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_contribution for no key update;
  v_refusal := contribution_may_edit(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  end if;
  select * into v_asset from asset a
  where a.tenant_id = v_tenant and a.id = p_asset and a.state <> 'GONE' for no key update;
  if v_asset.id is null or (p_member is not null and v_asset.member_id is distinct from p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'asset');
  elsif v_asset.contribution_id = p_contribution then
    return jsonb_build_object('is', 'done', 'asset', p_asset, 'contribution', p_contribution);
  elsif v_asset.contribution_id is not null or v_asset.lesson_id is not null then
    return jsonb_build_object('is', 'asset_unfit', 'reason', 'TAKEN');
  elsif v_asset.state = 'PENDING' then
    return jsonb_build_object('is', 'asset_unfit', 'reason', 'NOT_UPLOADED');
  elsif (select count(*) from asset a where a.tenant_id = v_tenant and a.contribution_id = p_contribution) >= 20 then
    return jsonb_build_object('is', 'asset_unfit', 'reason', 'TOO_MANY');
  end if;
  update asset a set contribution_id = p_contribution, due_at = null,
    position = (select coalesce(max(o.position), 0) + 1 from asset o
                where o.tenant_id = v_tenant and o.contribution_id = p_contribution)
  where a.tenant_id = v_tenant and a.id = p_asset;
  return jsonb_build_object('is', 'done', 'asset', p_asset, 'contribution', p_contribution);
end $$;

/*
 * Whether a member may have a file now: its own, one of a contribution that it sees, one of a lesson that is open to
 * it, or one that is handed out. p_member null: staff. Null when it may not, or p_until is over.
 */
create function asset_for(p_asset uuid, p_member uuid, p_until timestamptz) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_asset asset;
begin
  select * into v_asset from asset a where a.tenant_id = v_tenant and a.id = p_asset and a.state = 'STORED';
  if v_asset.id is null or p_until <= tenant_now(v_tenant) then
    return null;
  elsif p_member is not null then
    if not exists (select from member_entitled(array[p_member])) then
      return null;
    elsif v_asset.contribution_id is not null then
      if not contribution_seen(v_asset.contribution_id, p_member) then
        return null;
      end if;
    elsif v_asset.lesson_id is not null then
      if not v_asset.lesson_id = any (lessons_open(p_member)) then
        return null;
      end if;
    elsif not v_asset.is_download and v_asset.member_id is distinct from p_member then
      return null;
    end if;
  end if;
  return jsonb_build_object('key', v_asset.storage_key, 'mediaType', v_asset.media_type, 'size', v_asset.size,
    'name', v_asset.name);
end $$;

/*
 * Files that belonged to nothing for a day, and those that were given up: at most so many, whose bytes the caller
 * deletes before it calls assets_forget. Until then they are told again.
 */
create function assets_due(p_limit int) returns table (id uuid, key text)
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return query
  update asset a set state = 'GONE', stored_at = null, contribution_id = null, lesson_id = null
  where (a.tenant_id, a.id) in (
    select d.tenant_id, d.id from asset d
    where d.tenant_id = current_tenant() and d.due_at <= tenant_now(d.tenant_id)
    order by d.due_at limit p_limit for no key update skip locked)
  returning a.id, a.storage_key;
end $$;

/* The bytes of these files are deleted. */
create function assets_forget(p_assets uuid[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from asset_progress p where p.tenant_id = current_tenant() and p.asset_id = any (p_assets);
  delete from asset a where a.tenant_id = current_tenant() and a.id = any (p_assets) and a.state = 'GONE';
end $$;

/* Gives up the files of contributions, or of members: they are handed out no more, and their bytes go soon. */
create function assets_drop(p_contributions uuid[], p_members uuid[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  update asset a set state = 'GONE', due_at = tenant_now(v_tenant)
  where a.tenant_id = v_tenant and (a.contribution_id = any (p_contributions) or a.member_id = any (p_members));
end $$;

/* How far a member has come with a file. */
create table asset_progress (
  tenant_id   uuid not null,
  asset_id    uuid not null,
  member_id   uuid not null,
  /* The farthest so far; a member who looks again goes back in nothing. */
  percent     int not null check (percent between 0 and 100),
  /* Where it is now, in seconds or pages. */
  place       int not null check (place >= 0),
  at          timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, asset_id, member_id),
  foreign key (tenant_id, asset_id) references asset (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((percent = 100) = (finished_at is not null))
);
create index asset_progress_of_member on asset_progress (tenant_id, member_id, at);
call protect('asset_progress');
call sight_own('asset_progress');
grant select on asset_progress to engawa_app;

/*
 * Notes how far a member has come; each quarter is announced once. Outcomes: done {asset, member}, not_found,
 * membership_ended.
 */
create function asset_progress_note(p_asset uuid, p_member uuid, p_external_id text, p_percent int, p_place int)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_before int;
  v_after int;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  perform member_lock(v_member.id);
  if asset_for(p_asset, v_member.id, 'infinity') is null then
    return jsonb_build_object('is', 'not_found', 'what', 'asset');
  end if;
  select p.percent into v_before from asset_progress p
  where p.tenant_id = v_tenant and p.asset_id = p_asset and p.member_id = v_member.id;
  insert into asset_progress as p (tenant_id, asset_id, member_id, percent, place, at, finished_at)
  values (v_tenant, p_asset, v_member.id, p_percent, p_place, v_now, case when p_percent = 100 then v_now end)
  on conflict (tenant_id, asset_id, member_id) do update set percent = greatest(p.percent, excluded.percent),
    place = excluded.place, at = excluded.at, finished_at = coalesce(p.finished_at, excluded.finished_at)
  returning p.percent into v_after;
  if v_after / 25 > coalesce(v_before, 0) / 25 then
    perform announce('asset.progressed', v_member.id,
      jsonb_build_object('asset', p_asset, 'percent', (v_after / 25 * 25)::text), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'asset', p_asset, 'member', v_member.id);
end $$;

-- ── Courses ──────────────────────────────────────────────────────────────────────────────────────

/* Lessons in a row, in a space of the kind SITE. */
create table course (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  key        text not null check (length(key) between 1 and 100),
  space_id   uuid not null,
  gate_id    uuid,
  title      text not null check (length(title) between 1 and 300),
  summary    text not null check (length(summary) between 1 and 2000),
  /* Whether it takes in nobody any more; who is in it goes on. */
  is_retired boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, space_id) references space (tenant_id, id),
  foreign key (tenant_id, gate_id) references gate (tenant_id, audience_id)
);
call protect('course');
create policy sight on course as restrictive for select to engawa_app using (
  (select app_member()) is null
  or array_remove(array[space_id, gate_id], null) <@ ((select viewer_keys())::uuid[]));
grant select on course to engawa_app;

/* One lesson of a course, as those see it who see the course. */
create table lesson (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  course_id  uuid not null,
  key        text not null check (length(key) between 1 and 100),
  position   int not null,
  title      text not null check (length(title) between 1 and 300),
  summary    text check (length(summary) between 1 and 2000),
  /* When it opens: so long after enrolling, and not before an instant. */
  after      text not null check (after::interval >= interval '0'),
  opens_at   timestamptz,
  is_retired boolean not null default false,
  primary key (tenant_id, id),
  unique (tenant_id, course_id, key),
  foreign key (tenant_id, course_id) references course (tenant_id, id)
);
create index lesson_of_course on lesson (tenant_id, course_id, position, id);
call protect('lesson');
create policy sight on lesson as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from course c where c.tenant_id = lesson.tenant_id and c.id = lesson.course_id));
grant select on lesson to engawa_app;
alter table asset add foreign key (tenant_id, lesson_id) references lesson (tenant_id, id);

/* A member in a course. The date is what its lessons open by, and never moves; whoever begins anew has another row. */
create table enrolment (
  tenant_id    uuid not null,
  id           uuid not null default uuid_v7(),
  course_id    uuid not null,
  member_id    uuid not null,
  enrolled_at  timestamptz not null,
  /* When another one took its place. */
  ended_at     timestamptz,
  completed_at timestamptz,
  certificate  text,
  primary key (tenant_id, id),
  unique (tenant_id, certificate),
  foreign key (tenant_id, course_id) references course (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((completed_at is null) = (certificate is null))
);
create unique index enrolment_open on enrolment (tenant_id, course_id, member_id) where ended_at is null;
create index enrolment_of_member on enrolment (tenant_id, member_id, id);
call protect('enrolment');
call sight_own('enrolment');
grant select on enrolment to engawa_app;
create trigger same_enrolment before update of tenant_id, id, course_id, member_id, enrolled_at on enrolment
  for each row execute function refuse_change('an enrolment stays what it was');

/* A lesson that a member has finished. */
create table lesson_progress (
  tenant_id    uuid not null,
  enrolment_id uuid not null,
  lesson_id    uuid not null,
  member_id    uuid not null,
  finished_at  timestamptz not null,
  primary key (tenant_id, enrolment_id, lesson_id),
  foreign key (tenant_id, enrolment_id) references enrolment (tenant_id, id),
  foreign key (tenant_id, lesson_id) references lesson (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index lesson_progress_of_member on lesson_progress (tenant_id, member_id);
call protect('lesson_progress');
call sight_own('lesson_progress');
grant select on lesson_progress to engawa_app;

/* When a lesson opens to whoever enrolled then: both of its conditions have to hold. */
create function lesson_opens(p_after text, p_opens_at timestamptz, p_enrolled_at timestamptz) returns timestamptz
language sql stable as $$ select greatest(local_plus(p_enrolled_at, p_after::interval), p_opens_at) $$;

/*
 * How each of these lessons stands to a member: whether it is open, when it opens by itself (null: not by itself), and
 * when it was finished. What was finished stays open as long as the member may see the course, whatever rule came later.
 */
create function lessons_standing(p_lessons uuid[], p_member uuid)
returns table (lesson_id uuid, enrolment_id uuid, is_open boolean, opens_at timestamptz, finished_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  return query
  select l.id, e.id,
    e.id is not null and (p.finished_at is not null or lesson_opens(l.after, l.opens_at, e.enrolled_at) <= v_now),
    case when e.id is not null then lesson_opens(l.after, l.opens_at, e.enrolled_at) end, p.finished_at
  from sights(array[p_member]) s
  cross join lesson l
  join course c on c.tenant_id = v_tenant and c.id = l.course_id
    and array_remove(array[c.space_id, c.gate_id], null) <@ s.keys
  left join enrolment e on e.tenant_id = v_tenant and e.course_id = c.id and e.member_id = p_member and e.ended_at is null
  left join lesson_progress p on p.tenant_id = v_tenant and p.enrolment_id = e.id and p.lesson_id = l.id
  where l.tenant_id = v_tenant and l.id = any (p_lessons) and (not l.is_retired or p.finished_at is not null);
end $$;
grant execute on function lessons_standing(uuid[], uuid) to engawa_app;

/* The lessons that a member may read now. */
create function lessons_open(p_member uuid) returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(s.lesson_id), '{}') from lessons_standing(array(
    select l.id from enrolment e
    join lesson l on l.tenant_id = e.tenant_id and l.course_id = e.course_id
    where e.tenant_id = current_tenant() and e.member_id = p_member and e.ended_at is null), p_member) s
  where s.is_open
$$;

create function viewer_lessons() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$ select lessons_open(app_member()) $$;
grant execute on function viewer_lessons() to engawa_app;

/* What a lesson says: there for those alone to whom it is open. */
create table lesson_body (
  tenant_id uuid not null,
  lesson_id uuid not null,
  body      text not null check (length(body) <= 100000),
  /* Sanitised; this is what is served. */
  html      text not null,
  primary key (tenant_id, lesson_id),
  foreign key (tenant_id, lesson_id) references lesson (tenant_id, id)
);
call protect('lesson_body');
create policy sight on lesson_body as restrictive for select to engawa_app using (
  (select app_member()) is null or lesson_id = any ((select viewer_lessons())::uuid[]));
grant select on lesson_body to engawa_app;

/* A file is seen by whom it belongs to, and by who sees what it is part of. */
create policy sight on asset as restrictive for select to engawa_app using (
  (select app_member()) is null
  or (state <> 'GONE' and (
    (contribution_id is null and lesson_id is null and member_id = (select app_member()))
    or exists (select from contribution c where c.tenant_id = asset.tenant_id and c.id = asset.contribution_id)
    or lesson_id = any ((select viewer_lessons())::uuid[]))));

/*
 * Keeps a course: p_course {"space", "gate", "title", "summary", "isRetired", "lessons": [{"key", "title", "summary",
 * "after", "at", "body", "html", "assets": [ids]}]} in their order; a lesson that is not named any more is retired.
 * Outcomes: done {course}, not_found, space_not_enabled, bad_input, asset_unfit.
 */
create function course_save(p_key text, p_actor text, p_course jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_space uuid := (p_course ->> 'space')::uuid;
  v_refusal jsonb := space_may(v_space, null, 'post');
  v_id uuid;
  v_asset uuid;
begin
  if v_refusal is not null then
    return v_refusal;
  elsif (select s.kind from space s where s.tenant_id = v_tenant and s.id = v_space) <> 'SITE' then
    return bad_input('course.space', 'A course is in a space of the kind SITE.');
  end if;
  select a.value::uuid into v_asset
  from jsonb_array_elements(p_course -> 'lessons') g
  cross join jsonb_array_elements_text(g -> 'assets') a
  left join course c on c.tenant_id = v_tenant and c.key = p_key
  left join lesson l on l.tenant_id = v_tenant and l.course_id = c.id and l.key = g ->> 'key'
  left join asset f on f.tenant_id = v_tenant and f.id = a.value::uuid and f.state = 'STORED' and f.member_id is null
    and f.contribution_id is null and (f.lesson_id is null or f.lesson_id = l.id)
  where f.id is null limit 1;
  if v_asset is not null then
    return coalesce(
      (select jsonb_build_object('is', 'asset_unfit', 'reason',
         case a.state when 'PENDING' then 'NOT_UPLOADED' else 'TAKEN' end)
       from asset a where a.tenant_id = v_tenant and a.id = v_asset and a.state <> 'GONE'),
      jsonb_build_object('is', 'not_found', 'what', 'asset'));
  end if;
  insert into gate (tenant_id, audience_id)
  select v_tenant, (p_course ->> 'gate')::uuid where p_course ->> 'gate' is not null on conflict do nothing;
  insert into course as c (tenant_id, key, space_id, gate_id, title, summary, is_retired, created_at)
  values (v_tenant, p_key, v_space, (p_course ->> 'gate')::uuid, p_course ->> 'title', p_course ->> 'summary',
    (p_course ->> 'isRetired')::boolean, v_now)
  on conflict (tenant_id, key) do update set space_id = excluded.space_id, gate_id = excluded.gate_id,
    title = excluded.title, summary = excluded.summary, is_retired = excluded.is_retired
  returning c.id into v_id;
  update lesson l set is_retired = true
  where l.tenant_id = v_tenant and l.course_id = v_id and not l.is_retired
    and l.key not in (select g ->> 'key' from jsonb_array_elements(p_course -> 'lessons') g);
  insert into lesson as l (tenant_id, course_id, key, position, title, summary, after, opens_at)
  select v_tenant, v_id, g ->> 'key', n, g ->> 'title', g ->> 'summary', coalesce(g ->> 'after', 'PT0S'),
    (g ->> 'at')::timestamptz
  from jsonb_array_elements(p_course -> 'lessons') with ordinality x (g, n)
  on conflict (tenant_id, course_id, key) do update set position = excluded.position, title = excluded.title,
    summary = excluded.summary, after = excluded.after, opens_at = excluded.opens_at, is_retired = false;
  insert into lesson_body as b (tenant_id, lesson_id, body, html)
  select v_tenant, l.id, g ->> 'body', g ->> 'html' from jsonb_array_elements(p_course -> 'lessons') g
  join lesson l on l.tenant_id = v_tenant and l.course_id = v_id and l.key = g ->> 'key'
  on conflict (tenant_id, lesson_id) do update set body = excluded.body, html = excluded.html;
  update asset f set lesson_id = l.id, position = a.n, due_at = null
  from jsonb_array_elements(p_course -> 'lessons') g
  join lesson l on l.tenant_id = v_tenant and l.course_id = v_id and l.key = g ->> 'key'
  cross join jsonb_array_elements_text(g -> 'assets') with ordinality a (value, n)
  where f.tenant_id = v_tenant and f.id = a.value::uuid;
  return jsonb_build_object('is', 'done', 'course', v_id);
end $$;

/*
 * Enrols a member, once; with p_anew another time, from the first lesson. Outcomes: done {enrolment, member, is_new},
 * not_found, key_reused, access_denied, space_not_enabled, membership_ended.
 */
create function course_enrol(
  p_key text, p_hash bytea, p_course text, p_member uuid, p_external_id text, p_anew boolean, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_course course;
  v_enrolment enrolment;
  v_refusal jsonb;
  v_op record;
  v_id uuid := uuid_v7();
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'ENROL', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  select * into v_course from course c where c.tenant_id = v_tenant and c.key = p_course;
  v_refusal := case
    when v_member.membership = 'ENDED' then membership_ended(v_member)
    when v_course.id is null then jsonb_build_object('is', 'not_found', 'what', 'course')
    else space_may(v_course.space_id, v_member.id, 'see') end;
  if v_refusal is null and v_course.gate_id is not null and not audience_has(v_course.gate_id, v_member.id) then
    v_refusal := jsonb_build_object('is', 'not_found', 'what', 'course');
  end if;
  -- Who may not see into the space learns nothing of what is in it.
  if v_refusal ->> 'what' = 'space' then
    v_refusal := jsonb_build_object('is', 'not_found', 'what', 'course');
  end if;
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  end if;
  select * into v_enrolment from enrolment e
  where e.tenant_id = v_tenant and e.course_id = v_course.id and e.member_id = v_member.id and e.ended_at is null;
  if v_enrolment.id is not null and not p_anew then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'enrolment', v_enrolment.id, 'member', v_member.id,
      'is_new', false));
  elsif v_course.is_retired then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'RETIRED', 'unlock', null));
  end if;
  update enrolment e set ended_at = v_now where e.tenant_id = v_tenant and e.id = v_enrolment.id;
  insert into enrolment (tenant_id, id, course_id, member_id, enrolled_at)
  values (v_tenant, v_id, v_course.id, v_member.id, v_now);
  perform announce('course.enrolled', v_member.id, jsonb_build_object('enrolment', v_id), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'enrolment', v_id, 'member', v_member.id, 'is_new', true));
end $$;

/* The number of a certificate: 60 bits of a digest of the enrolment, in an alphabet without I, L, O and U. */
create function certificate_number(p_enrolment uuid) returns text language sql immutable strict parallel safe as $$
  select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + ((d.bits >> (5 * n)) & 31)::int, 1)
    || case when n in (3, 7) then '-' else '' end, '' order by n)
  from (select ('x' || encode(substr(sha256(convert_to('engawa.certificate ' || p_enrolment, 'UTF8')), 1, 8), 'hex'))
        ::bit(64)::bigint as bits) d, generate_series(0, 11) n
$$;

/*
 * A member finishes a lesson that is open to it; with the last one the course is completed. Each is an activity, once
 * for the member however often it begins anew. Outcomes: done {enrolment, member, is_completed}, not_found, key_reused,
 * lesson_locked {opens_at, is_enrolled}, membership_ended.
 */
create function lesson_finish(
  p_key text, p_hash bytea, p_lesson uuid, p_member uuid, p_external_id text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_standing record;
  v_enrolment enrolment;
  v_op record;
  v_is_completed boolean := false;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'FINISH_LESSON', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  select * into v_standing from lessons_standing(array[p_lesson], v_member.id);
  if v_standing.lesson_id is null then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'lesson'));
  elsif not v_standing.is_open then
    return op_finish(p_key, jsonb_build_object('is', 'lesson_locked', 'opens_at', v_standing.opens_at,
      'is_enrolled', v_standing.enrolment_id is not null));
  end if;
  select * into strict v_enrolment from enrolment e where e.tenant_id = v_tenant and e.id = v_standing.enrolment_id;
  insert into lesson_progress (tenant_id, enrolment_id, lesson_id, member_id, finished_at)
  values (v_tenant, v_enrolment.id, p_lesson, v_member.id, v_now) on conflict do nothing;
  if found then
    perform announce('lesson.finished', v_member.id,
      jsonb_build_object('enrolment', v_enrolment.id, 'lesson', p_lesson), v_now);
    perform activity_record(v_member.id, 'lesson.finished', p_lesson || ':' || v_member.id,
      jsonb_build_object('course', v_enrolment.course_id, 'lesson', p_lesson), v_now);
    if v_enrolment.completed_at is null and not exists (
      select from lesson l where l.tenant_id = v_tenant and l.course_id = v_enrolment.course_id and not l.is_retired
        and not exists (select from lesson_progress p
          where p.tenant_id = v_tenant and p.enrolment_id = v_enrolment.id and p.lesson_id = l.id))
    then
      update enrolment e set completed_at = v_now, certificate = certificate_number(e.id)
      where e.tenant_id = v_tenant and e.id = v_enrolment.id;
      perform announce('course.completed', v_member.id, jsonb_build_object('enrolment', v_enrolment.id), v_now);
      perform activity_record(v_member.id, 'course.completed', v_enrolment.course_id || ':' || v_member.id,
        jsonb_build_object('course', v_enrolment.course_id), v_now);
      v_is_completed := true;
    end if;
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'enrolment', v_enrolment.id, 'member', v_member.id,
    'is_completed', v_is_completed));
end $$;

grant execute on function
  asset_begin(uuid, text, jsonb), asset_awaited(uuid, timestamptz), asset_stored(uuid), asset_loose(uuid, uuid),
  asset_attach(uuid, uuid, uuid), asset_for(uuid, uuid, timestamptz), assets_due(int), assets_forget(uuid[]),
  asset_progress_note(uuid, uuid, text, int, int),
  course_save(text, text, jsonb), course_enrol(text, bytea, text, uuid, text, boolean, text),
  lesson_finish(text, bytea, uuid, uuid, text, text) to engawa_app;

-- ── Ideas for content ────────────────────────────────────────────────────────────────────────────

/* Something that members would need content about, with what speaks for it. */
create table content_idea (
  tenant_id  uuid not null references tenant,
  id         uuid not null default uuid_v7(),
  title      text not null check (length(title) between 1 and 300),
  need       text not null check (length(need) between 1 and 500),
  state      text not null default 'OPEN' check (state in ('OPEN', 'PUBLISHED', 'DISMISSED')),
  /* How much speaks for it, and how much of that came after it was closed. */
  demand     int not null default 0,
  demand_since int not null default 0,
  content_id uuid,
  actor      text not null,
  created_at timestamptz not null,
  closed_at  timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, content_id) references content (tenant_id, contribution_id),
  check ((state = 'OPEN') = (closed_at is null)),
  check ((state = 'PUBLISHED') = (content_id is not null))
);
create index content_idea_demand on content_idea (tenant_id, state, demand, id);
call protect('content_idea');
grant select on content_idea to engawa_app;

/* What speaks for an idea: a complaint or a question in a space, a segment, or what somebody heard. Once each. */
create table content_evidence (
  tenant_id       uuid not null,
  idea_id         uuid not null,
  kind            text not null check (kind in ('CONTRIBUTION', 'SEGMENT', 'FEEDBACK')),
  /* The id of the contribution, the key of the segment, or the name of the feedback where it came from. */
  target          text not null check (length(target) between 1 and 200),
  contribution_id uuid,
  note            text check (length(note) between 1 and 1000),
  actor           text not null,
  at              timestamptz not null,
  primary key (tenant_id, idea_id, kind, target),
  foreign key (tenant_id, idea_id) references content_idea (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check ((kind = 'CONTRIBUTION') = (contribution_id is not null))
);
call protect('content_evidence');
grant select on content_evidence to engawa_app;

/*
 * Keeps an idea (null: a new one): p_what {"title", "need", "state", "content"}. It is closed by the content that
 * answers it, or dismissed. Outcomes: done {idea}, not_found.
 */
create function idea_save(p_idea uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_content uuid := (p_what ->> 'content')::uuid;
  v_state text := case when v_content is not null then 'PUBLISHED' else p_what ->> 'state' end;
  v_id uuid := coalesce(p_idea, uuid_v7());
begin
  if v_content is not null and not exists (
    select from content c where c.tenant_id = v_tenant and c.contribution_id = v_content) then
    return jsonb_build_object('is', 'not_found', 'what', 'content');
  elsif p_idea is null then
    insert into content_idea (tenant_id, id, title, need, state, content_id, actor, created_at, closed_at)
    values (v_tenant, v_id, p_what ->> 'title', p_what ->> 'need', v_state, v_content, p_actor, v_now,
      case when v_state <> 'OPEN' then v_now end);
    return jsonb_build_object('is', 'done', 'idea', v_id);
  end if;
  update content_idea i set title = p_what ->> 'title', need = p_what ->> 'need', state = v_state,
    content_id = v_content, closed_at = case when v_state <> 'OPEN' then coalesce(i.closed_at, v_now) end,
    demand_since = case when v_state <> 'OPEN' then i.demand_since else 0 end
  where i.tenant_id = v_tenant and i.id = p_idea;
  return case when found then jsonb_build_object('is', 'done', 'idea', p_idea)
    else jsonb_build_object('is', 'not_found', 'what', 'idea') end;
end $$;

/* Adds what speaks for an idea, once for its target. Outcomes: done {idea, is_new}, not_found. */
create function idea_support(p_idea uuid, p_actor text, p_kind text, p_target text, p_note text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_is_new boolean;
begin
  perform from content_idea i where i.tenant_id = v_tenant and i.id = p_idea for no key update;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'idea');
  elsif p_kind = 'CONTRIBUTION' and not exists (
    select from contribution c where c.tenant_id = v_tenant and c.id = p_target::uuid) then
    return jsonb_build_object('is', 'not_found', 'what', 'contribution');
  elsif p_kind = 'SEGMENT' and not exists (
    select from segment s where s.tenant_id = v_tenant and s.key = p_target) then
    return jsonb_build_object('is', 'not_found', 'what', 'segment');
  end if;
  insert into content_evidence (tenant_id, idea_id, kind, target, contribution_id, note, actor, at)
  values (v_tenant, p_idea, p_kind, p_target, case when p_kind = 'CONTRIBUTION' then p_target::uuid end, p_note, p_actor,
    v_now)
  on conflict do nothing;
  v_is_new := found;
  update content_idea i set demand = i.demand + 1, demand_since = i.demand_since + (i.state <> 'OPEN')::int
  where v_is_new and i.tenant_id = v_tenant and i.id = p_idea;
  return jsonb_build_object('is', 'done', 'idea', p_idea, 'is_new', v_is_new);
end $$;

-- ── First steps with a product ───────────────────────────────────────────────────────────────────

/* The first steps with a product that needs some. */
create table checklist (
  tenant_id uuid not null references tenant,
  id        uuid not null default uuid_v7(),
  key       text not null check (length(key) between 1 and 100),
  /* Texts by language; help is what those read who are stuck. */
  name      jsonb not null,
  help      jsonb not null,
  sku       text not null check (length(sku) between 1 and 100),
  /* [{"key", "title": texts}], in their order. */
  steps     jsonb not null check (jsonb_array_length(steps) between 1 and 50),
  /* Who does no step for so long is stuck. ISO 8601. */
  stuck_after text not null check (stuck_after::interval > interval '0'),
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
call protect('checklist');
grant select on checklist to engawa_app;

/* A member at these steps. */
create table member_checklist (
  tenant_id    uuid not null,
  id           uuid not null default uuid_v7(),
  checklist_id uuid not null,
  member_id    uuid not null,
  /* The keys of the steps that are done, in the order in which they were. */
  done         text[] not null default '{}',
  started_at   timestamptz not null,
  moved_at     timestamptz not null,
  completed_at timestamptz,
  /* Since when it is stuck, and when it will be. */
  stuck_at     timestamptz,
  due_at       timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, checklist_id, member_id),
  foreign key (tenant_id, checklist_id) references checklist (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (due_at is null or (completed_at is null and stuck_at is null))
);
create index member_checklist_of_member on member_checklist (tenant_id, member_id, id);
create index member_checklist_stuck on member_checklist (tenant_id, stuck_at, id) where stuck_at is not null;
create index member_checklist_due on member_checklist (tenant_id, due_at) where due_at is not null;
call protect('member_checklist');
call sight_own('member_checklist');
grant select on member_checklist to engawa_app;
create policy system on member_checklist for select to engawa_system using (true);
grant select (tenant_id, due_at) on member_checklist to engawa_system;

/* Keeps a checklist under its key: p_what {"name", "help", "sku", "steps", "stuckAfter"}. Outcomes: done {checklist}. */
create function checklist_save(p_key text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_id uuid;
begin
  insert into checklist as c (tenant_id, key, name, help, sku, steps, stuck_after)
  values (current_tenant(), p_key, p_what -> 'name', p_what -> 'help', p_what ->> 'sku', p_what -> 'steps',
    p_what ->> 'stuckAfter')
  on conflict (tenant_id, key) do update set name = excluded.name, help = excluded.help, sku = excluded.sku,
    steps = excluded.steps, stuck_after = excluded.stuck_after
  returning c.id into v_id;
  return jsonb_build_object('is', 'done', 'checklist', v_id);
end $$;

/*
 * A member does a step of a checklist, or begins it with p_step null; again, nothing changes. The last step completes
 * it. Outcomes: done {checklist: the member's, member}, not_found, membership_ended.
 */
create function checklist_step(p_checklist text, p_member uuid, p_external_id text, p_step text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_list checklist;
  v_row member_checklist;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  perform member_lock(v_member.id);
  select * into v_list from checklist c where c.tenant_id = v_tenant and c.key = p_checklist;
  if v_list.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'checklist');
  elsif p_step is not null and not exists (
    select from jsonb_array_elements(v_list.steps) s where s ->> 'key' = p_step) then
    return jsonb_build_object('is', 'not_found', 'what', 'step');
  end if;
  insert into member_checklist (tenant_id, checklist_id, member_id, started_at, moved_at, due_at)
  values (v_tenant, v_list.id, v_member.id, v_now, v_now, local_plus(v_now, v_list.stuck_after::interval))
  on conflict do nothing;
  select * into strict v_row from member_checklist m
  where m.tenant_id = v_tenant and m.checklist_id = v_list.id and m.member_id = v_member.id;
  if p_step is not null and not p_step = any (v_row.done) then
    v_row.done := v_row.done || p_step;
    if not exists (select from jsonb_array_elements(v_list.steps) s where not s ->> 'key' = any (v_row.done)) then
      v_row.completed_at := v_now;
    end if;
    update member_checklist m set done = v_row.done, moved_at = v_now, completed_at = v_row.completed_at, stuck_at = null,
      due_at = case when v_row.completed_at is null then local_plus(v_now, v_list.stuck_after::interval) end
    where m.tenant_id = v_tenant and m.id = v_row.id;
    if v_row.completed_at is not null then
      perform announce('checklist.completed', v_member.id, jsonb_build_object('checklist', v_row.id), v_now);
    end if;
  end if;
  return jsonb_build_object('is', 'done', 'checklist', v_row.id, 'member', v_member.id);
end $$;

grant execute on function
  idea_save(uuid, text, jsonb), idea_support(uuid, text, text, text, text),
  checklist_save(text, jsonb), checklist_step(text, uuid, text, text) to engawa_app;

/* Books what the clock has brought: issues that did not come in time, members who are stuck. At most so many of each; how many. */
create function content_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_series content_series;
  v_stuck member_checklist;
  v_count int := 0;
begin
  for v_series in
    select * from content_series s where s.tenant_id = v_tenant and s.due_at <= v_now
    order by s.due_at limit p_limit for no key update skip locked
  loop
    update content_series s set missed = s.missed + 1, missed_at = s.due_at, due_at = local_plus(s.due_at, s.every::interval)
    where s.tenant_id = v_tenant and s.id = v_series.id;
    perform announce('series.missed', null,
      jsonb_build_object('series', v_series.id, 'dueAt', v_series.due_at), v_now);
    v_count := v_count + 1;
  end loop;
  for v_stuck in
    select * from member_checklist m where m.tenant_id = v_tenant and m.due_at <= v_now
    order by m.due_at limit p_limit for no key update skip locked
  loop
    update member_checklist m set stuck_at = m.due_at, due_at = null where m.tenant_id = v_tenant and m.id = v_stuck.id;
    perform announce('checklist.stuck', v_stuck.member_id, jsonb_build_object('checklist', v_stuck.id), v_stuck.due_at);
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;
grant execute on function content_settle_due(int) to engawa_app;
