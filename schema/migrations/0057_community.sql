-- The community, looked at again: what a viewer may do.

set local role engawa_owner;

/*
 * Whether a member may do something with what is written; null for staff. p_action: edit, or those of space_may. Null
 * when it may; else the refusal that whoever tries is answered.
 */
create function contribution_may(p_row contribution, p_member uuid, p_action text) returns jsonb language plpgsql stable as $$
begin
  if not contribution_seen(p_row.id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(p_row.kind));
  elsif p_action = 'see' then
    return null;
  elsif p_action <> 'edit' then
    return space_may(p_row.space_id, p_member, p_action);
  end if;
  return coalesce(contribution_may_edit(p_row, p_member),
    case when p_row.state in ('REMOVED', 'DELETED', 'SPAM') then denied('LOCKED') end);
end $$;

/*
 * What a member (null: staff) would be answered for each of these wishes: [{"action": as contribution_may has it,
 * "resource": the id of a space or of something written}], in their order. Outcomes: done, not_found, space_not_enabled,
 * access_denied.
 */
create function permissions(p_member uuid, p_wishes jsonb) returns setof jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(
    case when c.id is not null then contribution_may(c, p_member, w.wish ->> 'action')
         when w.wish ->> 'action' <> 'edit' then space_may((w.wish ->> 'resource')::uuid, p_member, w.wish ->> 'action')
         else jsonb_build_object('is', 'not_found', 'what', 'contribution') end,
    '{"is": "done"}')
  from jsonb_array_elements(p_wishes) with ordinality w (wish, n)
  left join contribution c on c.tenant_id = current_tenant() and c.id = (w.wish ->> 'resource')::uuid
  order by w.n
$$;
grant execute on function permissions(uuid, jsonb) to engawa_app;

-- ── What was decided of a text ───────────────────────────────────────────────────────────────────

/*
 * What was decided of these texts, or is about to be, for whoever wrote them (and staff): as long as it is of any
 * consequence. What says who flagged, or how much, is the moderators' alone.
 */
create function judgements(p_contributions uuid[])
returns table (contribution_id uuid, state text, note text, decided_at timestamptz, appealed_at timestamptz,
  can_appeal boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.contribution_id, m.state, m.note, m.decided_at, m.appealed_at,
    m.state in ('REMOVED', 'SPAM') and m.appealed_at is null
  from moderation_case m
  join contribution c on c.tenant_id = m.tenant_id and c.id = m.contribution_id
  where m.tenant_id = current_tenant() and m.contribution_id = any (p_contributions)
    and (app_member() is null or c.author_id = app_member())
    and (c.state <> 'PUBLISHED' or m.appealed_at is not null)
$$;
grant execute on function judgements(uuid[]) to engawa_app;

-- ── Telling ──────────────────────────────────────────────────────────────────────────────────────

/* Whoever wrote something is told what was decided of it, once for a decision: called by contribution_state_changed. */
create function notifications_judged(p_contribution contribution, p_before text) returns void language plpgsql as $$
begin
  if p_contribution.author_id is not null and (p_contribution.state in ('REMOVED', 'SPAM')
     or p_contribution.state = 'PUBLISHED' and p_before in ('PENDING', 'REMOVED', 'SPAM')) then
    perform notification_note('JUDGED', 'judged ' || p_contribution.id || ' ' || m.version, p_contribution.id, null,
      p_contribution.author_id, null, tenant_now(m.tenant_id))
    from moderation_case m
    where m.tenant_id = p_contribution.tenant_id and m.contribution_id = p_contribution.id and m.state <> 'OPEN';
  end if;
end $$;

/* What rooms announce to one member, noted as it is announced: a flag is answered, a seat is free, an idea decided. */
create function notification_of_community() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.member_id is not null then
    perform notification_note(
      case new.type when 'flag.answered' then 'FLAG_ANSWERED' when 'gathering.seat_given' then 'SEAT_GIVEN' else 'IDEA' end,
      new.type || ' ' || new.id, (new.payload ->> 'contribution')::uuid, null, new.member_id, new.payload ->> 'flag', new.at);
  end if;
  return null;
end $$;
create trigger notification_of_community after insert on outbox
  for each row when (new.type in ('flag.answered', 'gathering.seat_given', 'idea.status_changed'))
  execute function notification_of_community();

/*
 * Puts a member into a state of a space; announces joining and leaving, and tells it that it is asked or let in
 * (before: 0033_spaces.sql).
 */
create or replace function space_member_put(
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
  if p_state = 'INVITED' and v_before is distinct from 'INVITED' or p_state = 'JOINED' and v_before = 'REQUESTED' then
    perform notification_note('SPACE', 'space ' || uuid_v7(), null, null, p_member, p_space::text, p_at);
  end if;
end $$;

/*
 * The parameters of a notification's message: who did what, and where, as the member may see it now. A badge, a
 * space that asks the member in, and the words of whoever judged stand where else a text stands (before: 0041_notifications.sql).
 */
create or replace function notification_says(p_touch touchpoint) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := p_touch.tenant_id;
  v_kind text := (
    select n.kind from notification n where n.tenant_id = v_tenant and n.id = p_touch.source_id::uuid);
  v_parts notification_part[] := array(
    select p from notification_seen_parts(p_touch) p order by p.at desc, p.fact_id desc);
  v_newest contribution;
  v_root contribution;
  v_actors int;
begin
  insert into touch_saying as s (tenant_id, touchpoint_id, contributions, parts)
  values (v_tenant, p_touch.id,
    array(select distinct p.contribution_id from unnest(v_parts) p where p.contribution_id is not null),
    cardinality(v_parts))
  on conflict (tenant_id, touchpoint_id) do update set contributions = excluded.contributions, parts = excluded.parts;
  if v_parts = '{}' then
    return jsonb_build_object('is', 'nothing');
  end if;
  select * into v_newest from contribution c where c.tenant_id = v_tenant and c.id = v_parts[1].contribution_id;
  select * into v_root from contribution c where c.tenant_id = v_tenant and c.id = v_newest.root_id;
  v_actors := (select count(distinct coalesce(p.actor_id, v_tenant)) from unnest(v_parts) p);
  return jsonb_build_object('is', 'say', 'parameters', (
    select jsonb_build_object('kind', v_kind, 'count', cardinality(v_parts), 'others', v_actors - 1,
      'actor', coalesce((select text_excerpt(a.display_name, 40) from member a
        where a.tenant_id = v_tenant and a.id = v_parts[1].actor_id), t.name),
      'title', coalesce(text_excerpt(x.title, 80), text_excerpt(v_root.title, 80), text_excerpt(v_root.body, 80), ''),
      'excerpt', coalesce(text_excerpt(x.excerpt, 200), text_excerpt(v_newest.body, 200), ''),
      'space', coalesce((select text_in(s.name, m.locale) from space s
        where s.tenant_id = v_tenant and s.id = v_newest.space_id), t.name),
      'thread', v_root.id, 'contribution', v_newest.id, 'subject', v_parts[1].subject)
    from member m join tenant t on t.id = m.tenant_id
    left join lateral (
      (select text_in(b.name, m.locale) as title, text_in(b.description, m.locale) as excerpt from badge b
       where v_kind = 'BADGE' and b.tenant_id = v_tenant and b.key = v_parts[1].subject
       order by b.version desc limit 1)
      union all
      select text_in(s.name, m.locale), text_in(s.purpose, m.locale) from space s
      where v_kind = 'SPACE' and s.tenant_id = v_tenant and s.id = v_parts[1].subject::uuid
      union all
      select coalesce(v_newest.title, v_newest.body), coalesce(c.note, '') from moderation_case c
      where v_kind = 'JUDGED' and c.tenant_id = v_tenant and c.contribution_id = v_newest.id) x on true
    where m.tenant_id = v_tenant and m.id = p_touch.member_id));
end $$;

-- ── Trust in rules ───────────────────────────────────────────────────────────────────────────────

/* Whether a member is trusted so far: for audience rules, whoever's request asks them. */
create function trust_reaches(p_member uuid, p_level int) returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
  select exists (select from trust t
    where t.tenant_id = current_tenant() and t.member_id = p_member and t.level >= p_level)
$$;
grant execute on function trust_reaches(uuid, int) to engawa_app;
