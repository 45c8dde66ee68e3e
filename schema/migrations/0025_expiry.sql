-- No silent expiry: members are warned before points die, and who could not be told keeps them longer.

set local role engawa_owner;

/* For each currency with a warning: what it says, and when to look next. */
create table expiry_look (
  tenant_id uuid not null references tenant,
  currency  text not null,
  before    interval not null,
  extend_by interval not null,
  purpose   text not null,
  due_at    timestamptz,
  primary key (tenant_id, currency)
);
call protect('expiry_look');
grant select on expiry_look to engawa_app;
create policy system on expiry_look for select to engawa_system using (true);
grant select (tenant_id, due_at) on expiry_look to engawa_system;

/* One warning for all points of a wallet that die at one instant, and what came of it when it was checked. */
create table expiry_warning (
  tenant_id     uuid not null,
  wallet_id     uuid not null,
  expires_at    timestamptz not null,
  member_id     uuid not null,
  touchpoint_id uuid not null,
  points        bigint not null check (points > 0),
  /* When it is looked whether the touch was accepted: before the points die. */
  check_at      timestamptz not null,
  state         text not null default 'OPEN' check (state in ('OPEN', 'TOLD', 'EXTENDED', 'MISSED')),
  primary key (tenant_id, wallet_id, expires_at),
  foreign key (tenant_id, wallet_id) references wallet (tenant_id, id),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id),
  check (check_at < expires_at)
);
create index expiry_warning_open on expiry_warning (tenant_id, check_at) where state = 'OPEN';
call protect('expiry_warning');
grant select on expiry_warning to engawa_app;

create index lot_expiring on lot (tenant_id, expires_at) where open or pending > 0;

/* Looks anew with each version of a currency. */
create function expiry_look_of_currency() returns trigger language plpgsql as $$
begin
  if new.warn_before is null then
    delete from expiry_look e where e.tenant_id = new.tenant_id and e.currency = new.key;
  else
    insert into expiry_look (tenant_id, currency, before, extend_by, purpose, due_at)
    values (new.tenant_id, new.key, new.warn_before, new.warn_extend_by, new.warn_purpose, tenant_now(new.tenant_id))
    on conflict (tenant_id, currency) do update set before = excluded.before, extend_by = excluded.extend_by,
      purpose = excluded.purpose, due_at = excluded.due_at;
  end if;
  return null;
end $$;
create trigger expiry_look_of_currency after insert on currency
  for each row execute function expiry_look_of_currency();

/* Points that die sooner than any known are looked at in time. */
create function expiry_sooner(p_wallets uuid[], p_dates timestamptz[]) returns void language plpgsql as $$
begin
  update expiry_look e set due_at = x.due_at
  from (
    select f.currency, min(points_later(n.expires_at, -f.before)) as due_at
    from unnest(p_wallets, p_dates) n (wallet_id, expires_at)
    join wallet w on w.tenant_id = current_tenant() and w.id = n.wallet_id
    join expiry_look f on f.tenant_id = current_tenant() and f.currency = w.currency
    where n.expires_at is not null
    group by f.currency
  ) x
  where e.tenant_id = current_tenant() and e.currency = x.currency and (e.due_at <= x.due_at) is not true;
end $$;

create function expiry_watch_lots() returns trigger language plpgsql as $$
begin
  if exists (select from expiry_look e where e.tenant_id = current_tenant()) then
    perform expiry_sooner(array_agg(n.wallet_id), array_agg(n.expires_at)) from new_lot n;
  end if;
  return null;
end $$;
create trigger expiry_watch after insert on lot referencing new table as new_lot
  for each statement execute function expiry_watch_lots();

create function expiry_watch_dates() returns trigger language plpgsql as $$
begin
  if exists (select from expiry_look e where e.tenant_id = current_tenant()) then
    perform expiry_sooner(array_agg(l.wallet_id), array_agg(n.expires_at))
    from new_date n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id;
  end if;
  return null;
end $$;
create trigger expiry_watch after insert on lot_date referencing new table as new_date
  for each statement execute function expiry_watch_dates();

/*
 * Checks warnings whose time has come: of whom no channel accepted the touch, the points are extended, which warns
 * again in time for the new date. Returns how many it checked.
 */
create function expiry_check(p_look expiry_look, p_now timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_checked expiry_warning[];
  v_extended uuid[];
begin
  v_checked := array(
    select x from expiry_warning x
    join wallet w on w.tenant_id = x.tenant_id and w.id = x.wallet_id and w.currency = p_look.currency
    where x.tenant_id = p_look.tenant_id and x.state = 'OPEN' and x.check_at <= p_now
    order by x.wallet_id, x.expires_at limit p_limit);
  if cardinality(v_checked) = 0 then
    return 0;
  end if;
  update expiry_warning x set state = 'TOLD'
  from unnest(v_checked) c join touchpoint t on t.tenant_id = c.tenant_id and t.id = c.touchpoint_id
  where (x.tenant_id, x.wallet_id, x.expires_at) = (c.tenant_id, c.wallet_id, c.expires_at)
    and t.state in ('ACCEPTED', 'DELIVERED');
  with extended as materialized (
    select e.wallet_id, e.points
    from points_extend_lots(array(
      select l.id
      from unnest(v_checked) c
      join expiry_warning x on (x.tenant_id, x.wallet_id, x.expires_at) = (c.tenant_id, c.wallet_id, c.expires_at)
        and x.state = 'OPEN'
      join lot l on l.tenant_id = c.tenant_id and l.wallet_id = c.wallet_id and l.expires_at = c.expires_at
      order by l.id), p_look.extend_by, p_now) e
  ), told as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select w.tenant_id, 'points.extended', w.member_id,
           jsonb_build_object('wallet', e.wallet_id, 'points', e.points::text), p_now
    from extended e join wallet w on w.tenant_id = p_look.tenant_id and w.id = e.wallet_id
    order by e.wallet_id
  )
  select coalesce(array_agg(e.wallet_id), '{}') into v_extended from extended e;
  update expiry_warning x set state = case when x.wallet_id = any(v_extended) then 'EXTENDED' else 'MISSED' end
  from unnest(v_checked) c
  where (x.tenant_id, x.wallet_id, x.expires_at) = (c.tenant_id, c.wallet_id, c.expires_at) and x.state = 'OPEN';
  return cardinality(v_checked);
end $$;

/* Plans the touches for points that die within the time of the currency, for at most p_limit; how many. */
create function expiry_warn(p_look expiry_look, p_now timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_zone text := (select t.time_zone from tenant t where t.id = p_look.tenant_id);
  v_channels text[] := array(
    select jsonb_array_elements_text(p.policy -> 'defaultChannels') from contact_policy p
    where p.tenant_id = p_look.tenant_id order by p.version desc limit 1);
  v_warned int;
begin
  if cardinality(v_channels) = 0 then
    v_channels := '{inbox}';
  end if;
  insert into expiry_warning (tenant_id, wallet_id, expires_at, member_id, touchpoint_id, points, check_at)
  select p_look.tenant_id, g.wallet_id, g.expires_at, g.member_id, touchpoint_plan(g.member_id, v_channels,
      p_look.purpose, jsonb_build_object('template', 'points-expiring', 'parameters', jsonb_build_object(
        'points', g.points::text,
        'last', to_char((g.expires_at - interval '1 microsecond') at time zone v_zone, 'YYYY-MM-DD'))),
      p_now, 'expiry', g.wallet_id || ' ' || extract(epoch from g.expires_at), p_now, 1,
      jsonb_build_object('expires_at', g.check_at)), g.points, g.check_at
  from (
    select l.wallet_id, w.member_id, l.expires_at, sum(l.available + l.pending)::bigint as points,
           l.expires_at - least((l.expires_at - p_now) / 2, interval '1 day') as check_at
    from lot l
    join wallet w on w.tenant_id = l.tenant_id and w.id = l.wallet_id and w.currency = p_look.currency
    join member m on m.tenant_id = w.tenant_id and m.id = w.member_id and m.membership <> 'ENDED'
    where l.tenant_id = p_look.tenant_id and (l.open or l.pending > 0) and l.expires_at > p_now
      and l.expires_at <= p_now + p_look.before + interval '4 days' and points_later(l.expires_at, -p_look.before) <= p_now
      and not exists (select from expiry_warning x
        where (x.tenant_id, x.wallet_id, x.expires_at) = (l.tenant_id, l.wallet_id, l.expires_at))
    group by l.wallet_id, w.member_id, l.expires_at
    order by l.expires_at, l.wallet_id limit p_limit
  ) g;
  get diagnostics v_warned = row_count;
  return v_warned;
end $$;

/*
 * Warns, checks and extends what is due for this tenant by its clock, at most p_limit of each; how many those were:
 * 0 when nothing is left.
 */
create function expiry_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_look expiry_look;
  v_done int;
  v_all int := 0;
begin
  for v_look in
    select * from expiry_look e where e.tenant_id = v_tenant and e.due_at <= v_now
    order by e.currency for no key update skip locked
  loop
    v_done := expiry_check(v_look, v_now, p_limit) + expiry_warn(v_look, v_now, p_limit);
    v_all := v_all + v_done;
    if v_done = 0 then
      update expiry_look e set due_at = least(
        (select points_later(l.expires_at, -v_look.before) from lot l
         join wallet w on w.tenant_id = l.tenant_id and w.id = l.wallet_id and w.currency = v_look.currency
         join member m on m.tenant_id = w.tenant_id and m.id = w.member_id and m.membership <> 'ENDED'
         where l.tenant_id = v_tenant and (l.open or l.pending > 0) and l.expires_at > v_now
           and points_later(l.expires_at, -v_look.before) > v_now
         order by l.expires_at limit 1),
        (select min(x.check_at) from expiry_warning x
         join wallet w on w.tenant_id = x.tenant_id and w.id = x.wallet_id and w.currency = v_look.currency
         where x.tenant_id = v_tenant and x.state = 'OPEN'))
      where e.tenant_id = v_tenant and e.currency = v_look.currency;
    end if;
  end loop;
  return v_all;
end $$;
grant execute on function expiry_settle_due(int) to engawa_app;

/* What a warning says, until the tenant writes its own template of this key. */
create function expiry_template(p_tenant uuid) returns void language plpgsql as $$
declare
  v_before text := coalesce(current_setting('app.tenant', true), '');
begin
  perform set_config('app.tenant', p_tenant::text, true);
  insert into template (tenant_id, key, version, actor, saved_at, texts)
  select p_tenant, 'points-expiring', 1, 'engawa', now(), $json$[
    {"locale": "ja", "kind": null, "title": "ポイントの有効期限が近づいています",
     "body": "{{ member.displayName }} 様\n\nお持ちのポイントのうち {{ parameters.points }} ポイントは、{{ parameters.last }} までご利用いただけます。\n期限を過ぎますと失効いたしますので、どうぞお早めにご利用ください。"},
    {"locale": "en", "kind": null, "title": "Some of your points are about to expire",
     "body": "Dear {{ member.displayName }},\n\n{{ parameters.points }} of your points can be used up to and including {{ parameters.last }}. After that day they are gone, so please use them in time."}]$json$
  where not exists (select from template t where t.tenant_id = p_tenant and t.key = 'points-expiring');
  perform set_config('app.tenant', v_before, true);
end $$;
create function expiry_template_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform expiry_template(new.id);
  return null;
end $$;
create trigger expiry_template_of_new_tenant after insert on tenant
  for each row execute function expiry_template_of_new_tenant();
select expiry_template(t) from every_tenant() t;
