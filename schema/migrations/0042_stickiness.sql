-- Stickiness: what members look at, for how long and how often, and who has seen which contribution.

set local role engawa_owner;

-- ── What was looked at ───────────────────────────────────────────────────────────────────────────

/*
 * One look of a member at a page or screen. A partition a month, made when its first look comes; once for the
 * member's own key of it.
 */
create table page_view (
  tenant_id       uuid not null references tenant,
  member_id       uuid not null,
  /* The client's name of this look. */
  key             text not null check (length(key) between 1 and 100),
  at              timestamptz not null,
  /* The client's name of the visit that it belongs to. */
  session         text not null check (length(session) between 1 and 100),
  kind            text not null check (kind in ('PAGE', 'SCREEN')),
  /* The path of the page or the name of the screen. */
  resource        text not null check (length(resource) between 1 and 500),
  /* What was shown, when the member may see it, and its space. */
  contribution_id uuid,
  space_id        uuid,
  /* How deep in the site it lies; 1 is the entrance. */
  level           int not null check (level between 1 and 20),
  /* For how long the page was looked at, as far as the client can tell. */
  seconds         int not null check (seconds between 0 and 86400),
  primary key (tenant_id, member_id, key, at),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
) partition by range (at);
create index page_view_time on page_view (tenant_id, at, member_id);
create index page_view_space on page_view (tenant_id, space_id, at) where space_id is not null;
call protect('page_view');
create policy sight on page_view as restrictive for select to engawa_app
  using ((select app_member()) is null or member_id = (select app_member()));
grant select on page_view to engawa_app;

/* Makes the partitions of these months where they are missing. */
create function page_view_partitions(p_months date[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_month date;
  v_name text;
begin
  for v_month in select distinct date_trunc('month', m)::date from unnest(p_months) m order by 1 loop
    v_name := 'page_view_' || to_char(v_month, 'YYYYMM');
    continue when to_regclass(v_name) is not null;
    perform pg_advisory_xact_lock(hashtext('engawa.page_view_partitions'));
    continue when to_regclass(v_name) is not null; -- another was faster
    execute format('create table %I partition of page_view for values from (%L) to (%L)', v_name,
      v_month::timestamp at time zone 'UTC', (v_month + interval '1 month')::timestamp at time zone 'UTC');
    execute format('alter table %I enable row level security', v_name);
    execute format('alter table %I force row level security', v_name);
  end loop;
end $$;
select page_view_partitions(array[current_date, (current_date + interval '1 month')::date]);

/* Who has seen a contribution on which day of the tenant's calendar: a member counts once a day. */
create table contribution_view (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  day             date not null,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id, day),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index contribution_view_of_member on contribution_view (tenant_id, member_id, at);
create index contribution_view_day on contribution_view (tenant_id, day);
call protect('contribution_view');
call sight_own('contribution_view');
grant select on contribution_view to engawa_app;

/* Views that the contributions do not count yet: rows are added, so that nobody waits for a counter. */
create table view_delta (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  contribution_id uuid not null,
  views           int not null check (views > 0),
  primary key (tenant_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
call protect('view_delta');
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on view_delta for select to engawa_system using (true);
grant select (tenant_id) on view_delta to engawa_system;

/*
 * Records what a member looked at: p_views [{"key", "at", "session", "kind", "resource", "contribution", "level",
 * "seconds"}], at most 100, in one statement. A look that is known by its key and instant counts once. What the member
 * may not see is a look without a contribution. Outcomes: done {recorded}, not_found, bad_input.
 */
create function session_record(p_member uuid, p_views jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
  v_months date[];
  v_late int;
  v_recorded int;
begin
  if not exists (select from member_entitled(array[p_member])) then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  if exists (
    select from jsonb_array_elements(p_views) v
    where v ->> 'contribution' is not null and not exists (
      select from contribution c where c.tenant_id = v_tenant and c.id = (v ->> 'contribution')::uuid))
  then
    return jsonb_build_object('is', 'not_found', 'what', 'contribution');
  end if;
  select v.n - 1 into v_late from jsonb_array_elements(p_views) with ordinality v (row, n)
  where (v.row ->> 'at')::timestamptz not between v_now - interval '7 days' and v_now + interval '5 minutes'
  order by v.n limit 1;
  if found then
    return bad_input(format('views.%s.at', v_late), 'A look lies within the last seven days of the tenant''s clock.');
  end if;
  select array_agg(distinct date_trunc('month', (v ->> 'at')::timestamptz at time zone 'UTC')::date) into v_months
  from jsonb_array_elements(p_views) v;
  perform page_view_partitions(v_months);
  with given as (
    select distinct on (v.key, v.at) v.* from jsonb_to_recordset(p_views) v (key text, at timestamptz, session text,
      kind text, resource text, contribution uuid, level int, seconds int)
    order by v.key, v.at
  ), seen as (
    select c.id, c.space_id from contribution c, sights(array[p_member]) s
    where c.tenant_id = v_tenant and c.id in (select g.contribution from given g)
      and in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id)
  ), recorded as (
    insert into page_view (tenant_id, member_id, key, at, session, kind, resource, contribution_id, space_id, level, seconds)
    select v_tenant, p_member, g.key, g.at, g.session, g.kind, g.resource, s.id, s.space_id, g.level, g.seconds
    from given g left join seen s on s.id = g.contribution
    on conflict do nothing
    returning contribution_id, at
  ), viewed as (
    insert into contribution_view (tenant_id, contribution_id, member_id, day, at)
    select v_tenant, r.contribution_id, p_member, (r.at at time zone v_zone)::date, min(r.at) from recorded r
    where r.contribution_id is not null group by 2, 4
    on conflict do nothing
    returning contribution_id
  ), waiting as (
    insert into view_delta (tenant_id, contribution_id, views)
    select v_tenant, v.contribution_id, count(*) from viewed v group by v.contribution_id
  )
  select count(*)::int into v_recorded from recorded;
  return jsonb_build_object('is', 'done', 'recorded', v_recorded);
end $$;
grant execute on function session_record(uuid, jsonb) to engawa_app;

/* Adds views to the contributions that they are of, at most p_limit rows; how many those were. */
create function views_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_ids uuid[];
  v_views int[];
  v_taken int;
begin
  with taken as (
    delete from view_delta d where d.tenant_id = v_tenant and d.id = any (array(
      select x.id from view_delta x where x.tenant_id = v_tenant order by x.id limit p_limit for update skip locked))
    returning d.contribution_id, d.views
  ), summed as (
    select t.contribution_id, sum(t.views)::int as views, count(*)::int as n from taken t group by t.contribution_id
  )
  select array_agg(s.contribution_id), array_agg(s.views), coalesce(sum(s.n), 0) into v_ids, v_views, v_taken from summed s;
  -- In the order of their ids, as everybody locks several of them.
  perform from contribution c where c.tenant_id = v_tenant and c.id = any (v_ids) order by c.id for no key update;
  update contribution c set view_count = c.view_count + s.views
  from unnest(v_ids, v_views) s (id, views)
  where c.tenant_id = v_tenant and c.id = s.id;
  return v_taken;
end $$;
grant execute on function views_settle_due(int) to engawa_app;
