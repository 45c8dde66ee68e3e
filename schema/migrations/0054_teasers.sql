-- Teasers: threads and content that people who are no members may know of, how often those looked at them, and where
-- others speak of the tenant.

set local role engawa_owner;

/* What is shown of a thread to people who are no members: its title, and these words. */
create table public_teaser (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  /* Null: it is shown no longer. */
  teaser          text check (length(teaser) between 1 and 1000),
  since           timestamptz not null,
  actor           text not null,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
create index public_teaser_newest on public_teaser (tenant_id, since desc, contribution_id desc) where teaser is not null;
call protect('public_teaser');
call sight_follows('public_teaser');
grant select on public_teaser to engawa_app;

/* How often a teaser was looked at on a day of the tenant's. */
create table teaser_view (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  day             date not null,
  views           bigint not null check (views > 0),
  primary key (tenant_id, contribution_id, day),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
create index teaser_view_day on teaser_view (tenant_id, day);
call protect('teaser_view');
call sight_follows('teaser_view');
grant select on teaser_view to engawa_app;

/* A page elsewhere that speaks of the tenant. */
create table outside_mention (
  tenant_id uuid not null,
  id        uuid not null default uuid_v7(),
  /* Where it was found, as the tenant names it. */
  source    text not null check (length(source) between 1 and 100),
  url       text not null check (length(url) between 1 and 1000),
  at        timestamptz not null,
  actor     text not null,
  primary key (tenant_id, id),
  unique (tenant_id, url)
);
create index outside_mention_at on outside_mention (tenant_id, at);
call protect('outside_mention');
grant select on outside_mention to engawa_app;

/*
 * Shows a thread to people who are no members by its title and these words, or no longer (null). p_member: a moderator
 * of its space; null: staff. Outcomes: done {contribution}, not_found, bad_input, access_denied, space_not_enabled.
 */
create function teaser_set(p_id uuid, p_member uuid, p_actor text, p_teaser text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
  v_refusal jsonb;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  if v_row.id is null or not contribution_seen(p_id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_row.kind, 'contribution')));
  end if;
  v_refusal := space_may(v_row.space_id, p_member, 'moderate');
  -- What is shown may always be taken back, by staff also where the space is switched off.
  if v_refusal is not null and (p_member is not null or p_teaser is not null) then
    return v_refusal;
  elsif p_teaser is null then
    update public_teaser t set teaser = null, actor = p_actor where t.tenant_id = v_tenant and t.contribution_id = p_id;
  elsif v_row.parent_id is not null or v_row.is_private or v_row.state <> 'PUBLISHED' then
    return bad_input('contribution', 'Shown outside is a thread that is published for everybody in its space, and none of its replies.');
  else
    insert into public_teaser as t (tenant_id, contribution_id, teaser, since, actor)
    values (v_tenant, p_id, p_teaser, tenant_now(v_tenant), p_actor)
    on conflict (tenant_id, contribution_id) do update set teaser = excluded.teaser, actor = excluded.actor,
      since = case when t.teaser is null then excluded.since else t.since end;
  end if;
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;

/*
 * Counts looks at a teaser on a day, also when it is shown no longer. Outcomes: done {contribution, views}: of the
 * day, not_found, bad_input, key_reused.
 */
create function teaser_viewed(p_key text, p_hash bytea, p_actor text, p_id uuid, p_day date, p_views int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_views bigint;
begin
  select * into v_op from op_begin(p_key, p_hash, 'TEASER_VIEWS', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif not exists (select from public_teaser t where t.tenant_id = v_tenant and t.contribution_id = p_id) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'teaser'));
  elsif p_day > (v_now at time zone (select t.time_zone from tenant t where t.id = v_tenant))::date then
    return op_finish(p_key, bad_input('day', 'The day has not begun yet.'));
  end if;
  insert into teaser_view as v (tenant_id, contribution_id, day, views) values (v_tenant, p_id, p_day, p_views)
  on conflict (tenant_id, contribution_id, day) do update set views = v.views + excluded.views
  returning v.views into v_views;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', p_id, 'views', v_views));
end $$;

/* Keeps that a page elsewhere speaks of the tenant, once for a page. Outcomes: done {is_new}, bad_input, key_reused. */
create function mention_record(p_key text, p_hash bytea, p_actor text, p_source text, p_url text, p_at timestamptz)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
begin
  select * into v_op from op_begin(p_key, p_hash, 'MENTION', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif p_at > v_now then
    return op_finish(p_key, bad_input('at', 'It has not been said yet.'));
  end if;
  insert into outside_mention (tenant_id, source, url, at, actor) values (v_tenant, p_source, p_url, p_at, p_actor)
  on conflict (tenant_id, url) do nothing;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'is_new', found));
end $$;

grant execute on function teaser_set(uuid, uuid, text, text), teaser_viewed(text, bytea, text, uuid, date, int),
  mention_record(text, bytea, text, text, text, timestamptz) to engawa_app;
