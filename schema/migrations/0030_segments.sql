-- Segments: named audiences, looked at again and again, so that entering and leaving one is a fact.

set local role engawa_owner;

create table segment (
  tenant_id   uuid not null,
  kind        text not null generated always as ('segment') stored,
  key         text not null,
  version     int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name        jsonb not null,
  audience_id uuid not null,
  /* How long a look at it holds. */
  every       interval not null check (every >= interval '1 minute'),
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id)
);
call protect('segment');
grant select on segment to engawa_app;

/* When a segment is looked at next; null: never, for it was retired. */
create table segment_look (
  tenant_id uuid not null references tenant,
  key       text not null,
  due_at    timestamptz,
  looked_at timestamptz,
  primary key (tenant_id, key)
);
create index segment_look_due on segment_look (tenant_id, due_at) where due_at is not null;
call protect('segment_look');
create policy system on segment_look for select to engawa_system using (true);
grant select on segment_look to engawa_app, engawa_system;

/* A stay of a member in a segment, from the look that found it to the look that no longer did. */
create table segment_stay (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  segment    text not null,
  member_id  uuid not null,
  entered_at timestamptz not null,
  left_at    timestamptz check (left_at >= entered_at),
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, segment) references segment_look (tenant_id, key)
);
create unique index segment_stay_open on segment_stay (tenant_id, segment, member_id) where left_at is null;
create index segment_stay_of_member on segment_stay (tenant_id, member_id) where left_at is null;
call protect('segment_stay');
grant select on segment_stay to engawa_app;

/* Compiles a definition; refuses a segment that stands on itself, however far round. */
create function segment_of_definition() returns trigger language plpgsql as $$
begin
  if exists (
    with recursive below as (
      select jsonb_path_query(new.body -> 'audience', 'strict $.**.segment[*]') #>> '{}' as key
      union
      select jsonb_path_query(d.body -> 'audience', 'strict $.**.segment[*]') #>> '{}'
      from below b join definition d on d.tenant_id = new.tenant_id and d.kind = 'segment' and d.key = b.key and d.is_live
    ) select from below b where b.key = new.key)
  then
    perform definition_refuse('segment.audience', format('Segment %s would stand on itself.', new.key));
  end if;
  perform entitlement_circle_refuse(new.tenant_id, 'segment.audience');
  insert into segment (tenant_id, key, version, name, audience_id, every)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', (new.audiences ->> 'audience')::uuid,
          (new.body ->> 'every')::interval);
  insert into segment_look as s (tenant_id, key, due_at) values (new.tenant_id, new.key, new.published_at)
  on conflict (tenant_id, key) do update set due_at = excluded.due_at;
  return null;
end $$;
create trigger segment after insert on definition for each row when (new.kind = 'segment')
  execute function segment_of_definition();

/* The version of a segment in force; a row of nulls when it was retired. */
create function segment_in_force(p_key text) returns segment language sql stable as $$
  select s.* from segment s
  join definition d on (d.tenant_id, d.kind, d.key, d.version) = (s.tenant_id, s.kind, s.key, s.version) and d.is_live
  where s.tenant_id = current_tenant() and s.key = p_key
$$;

/* Whether a member is in one of these segments now, whatever the last look saw. */
create function segment_has(p_keys text[], p_member uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
  select exists (
    select from segment s
    join definition d on (d.tenant_id, d.kind, d.key, d.version) = (s.tenant_id, s.kind, s.key, s.version) and d.is_live
    where s.tenant_id = current_tenant() and s.key = any(p_keys) and audience_has(s.audience_id, p_member))
$$;
grant execute on function segment_has(text[], uuid) to engawa_app;

/*
 * Looks at up to p_limit segments that are due, each in one statement over all members: books who came and who went.
 * Returns how many it looked at.
 */
create function segments_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_look segment_look;
  v_segment segment;
  v_entered uuid[];
  v_count int := 0;
begin
  for v_look in
    select * from segment_look s where s.tenant_id = v_tenant and s.due_at <= v_now
    order by s.due_at, s.key limit p_limit for no key update skip locked
  loop
    v_count := v_count + 1;
    v_segment := segment_in_force(v_look.key);
    with matching as materialized (
      select x.id from audience_matches(v_segment.audience_id, array(
        select m.id from member m where m.tenant_id = v_tenant)) x (id)
      where v_segment.key is not null
    ), gone as (
      update segment_stay t set left_at = v_now
      where t.tenant_id = v_tenant and t.segment = v_look.key and t.left_at is null
        and not exists (select from matching x where x.id = t.member_id)
      returning t.member_id
    ), come as (
      insert into segment_stay (tenant_id, segment, member_id, entered_at)
      select v_tenant, v_look.key, x.id, v_now from matching x
      where not exists (select from segment_stay t where t.tenant_id = v_tenant and t.segment = v_look.key
                        and t.member_id = x.id and t.left_at is null)
      returning id, member_id
    ), told as (
      insert into outbox (tenant_id, type, member_id, payload, at)
      select v_tenant, f.type, f.member_id, jsonb_build_object('segment', v_look.key), v_now
      from (select 'segment.left' as type, g.member_id from gone g
            union all select 'segment.entered', c.member_id from come c) f
      order by f.type desc, f.member_id
    )
    select array_agg(c.id order by c.member_id) into v_entered from come c;
    perform segment_entered(v_look.key, v_entered);
    update segment_look s set looked_at = v_now, due_at = v_now + v_segment.every
    where s.tenant_id = v_tenant and s.key = v_look.key;
  end loop;
  return v_count;
end $$;
grant execute on function segments_settle_due(int) to engawa_app;
