-- People again: what was taken away is news to nobody, introductions by staff, contacts, interests, invites, outreach.

set local role engawa_owner;

-- ── What was taken away is news to nobody: not to moderators either, who go on seeing it (before: 0041_notifications.sql) ──

/*
 * Tells everybody whom a fact concerns and who may see it now: in one statement each for the lists, the parts and the
 * touches, however many members they are. Touches wait a minute, so that what is corrected or taken back at once is
 * not sent; facts that come while one waits go with it. How many members were told.
 */
create or replace function notification_tell(p_fact notification_fact, p_now timestamptz) returns int language plpgsql
-- Nobody can tell the planner how many members an array has, and it would compare each with each.
set enable_nestloop = off as $$
declare
  v_tenant uuid := p_fact.tenant_id;
  v_contribution contribution;
  v_root contribution;
  v_members uuid[];
  v_kinds text[];
  v_seers uuid[];
  v_purpose purpose := purpose_of('community');
  v_told int;
begin
  select * into v_contribution from contribution c where c.tenant_id = v_tenant and c.id = p_fact.contribution_id;
  select * into v_root from contribution c where c.tenant_id = v_tenant and c.id = v_contribution.root_id;
  if v_contribution.state <> 'PUBLISHED' or v_contribution.root_state <> 'PUBLISHED' then
    return 0;
  end if;
  select array_agg(c.member_id), array_agg(c.kind) into v_members, v_kinds
  from notification_candidates(p_fact, v_contribution, v_root) c;
  if p_fact.contribution_id is null then
    v_seers := array(select member_entitled(v_members));
  else
    v_seers := array(select contribution_seers(p_fact.contribution_id, v_members));
  end if;
  select array_agg(x.member_id), array_agg(x.kind) into v_members, v_kinds
  from unnest(v_members, v_kinds) x (member_id, kind)
  join unnest(v_seers) s (id) on s.id = x.member_id
  where not exists (select from notification_part p
      where p.tenant_id = v_tenant and p.member_id = x.member_id and p.fact_id = p_fact.id)
    and not exists (select from member_block b
      where b.tenant_id = v_tenant and p_fact.actor_id is not null
        and (b.member_id = x.member_id and b.other_id = p_fact.actor_id
             or b.member_id = p_fact.actor_id and b.other_id = x.member_id));
  if v_members is null then
    return 0;
  end if;
  with chosen as (
    select x.member_id, x.kind, c.channels,
      case when x.kind in ('MENTION', 'ANSWER_ACCEPTED') then x.kind || ' ' || v_contribution.id
        when x.kind = 'POST' then 'POST ' || v_contribution.space_id
        when v_contribution.id is not null then x.kind || ' ' || v_contribution.root_id
        when x.kind = 'MESSAGE' then 'MESSAGE ' || coalesce(p_fact.actor_id::text, '')
        else x.kind || ' ' || coalesce(p_fact.subject, p_fact.key) end as group_key,
      coalesce((select h.is_on from notification_choice h where h.tenant_id = v_tenant and h.member_id = x.member_id
        and h.kind = x.kind and h.channel = 'in-app'), true) as is_listed
    from unnest(v_members, v_kinds) x (member_id, kind)
    left join notification_channels(v_members, v_kinds) c on c.member_id = x.member_id
  ), told as (
    insert into notification as n (tenant_id, member_id, kind, group_key, at, contribution_id, is_listed)
    select v_tenant, c.member_id, c.kind, c.group_key, p_fact.at, p_fact.contribution_id, c.is_listed from chosen c
    where c.is_listed or c.channels is not null
    order by c.member_id
    on conflict (tenant_id, member_id, group_key) where read_at is null do update
      set at = greatest(n.at, excluded.at), is_listed = n.is_listed or excluded.is_listed,
        contribution_id = case when excluded.at >= n.at then excluded.contribution_id else n.contribution_id end
    returning n.id, n.member_id
  ), touched as (
    select t.id, t.member_id, c.channels, w.occurrence as waiting,
      coalesce(w.occurrence, 1 + coalesce((
        select max(o.occurrence) from touchpoint o
        where o.tenant_id = v_tenant and o.member_id = t.member_id and o.purpose = 'community'
          and o.source_type = 'notification' and o.source_id = t.id::text), 0)) as occurrence
    from told t
    join chosen c on c.member_id = t.member_id and c.channels is not null
    left join lateral (
      -- Locked, so that it is not sent without what joins it.
      select o.occurrence from touchpoint o
      where o.tenant_id = v_tenant and o.member_id = t.member_id and o.purpose = 'community'
        and o.source_type = 'notification' and o.source_id = t.id::text and o.state = 'PLANNED'
        and not exists (select from delivery d where d.tenant_id = v_tenant and d.touchpoint_id = o.id)
      for no key update) w on true
  ), parts as (
    insert into notification_part (tenant_id, member_id, fact_id, notification_id, contribution_id, actor_id, subject, at,
      occurrence)
    select v_tenant, t.member_id, p_fact.id, t.id, p_fact.contribution_id, p_fact.actor_id, p_fact.subject, p_fact.at,
      d.occurrence
    from told t left join touched d on d.id = t.id
  ), planned as (
    insert into touchpoint (tenant_id, member_id, channels, channel, purpose, class, content, planned_at, due_at,
      source_type, source_id, occurrence, priority, expires_at, wish)
    select v_tenant, d.member_id, d.channels, d.channels[1], 'community', v_purpose.class,
      '{"template": "notification", "parameters": {}}', p_now + interval '1 minute', p_now + interval '1 minute',
      'notification', d.id::text, d.occurrence, 60, p_now + interval '3 days', v_purpose.wish
    from touched d where d.waiting is null
    on conflict (tenant_id, member_id, purpose, source_type, source_id, occurrence) do nothing
    returning id, member_id
  ), announced as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'notification.received', t.member_id, jsonb_build_object('notification', t.id), p_now from told t
    union all
    select v_tenant, 'touchpoint.planned', p.member_id, jsonb_build_object('touchpoint', p.id), p_now from planned p
  )
  select count(*)::int into v_told from told;
  return v_told;
end $$;

/* Those facts of a notification's touch that the member may see now; null contribution: facts about nothing written. */
create or replace function notification_seen_parts(p_touch touchpoint) returns setof notification_part language sql stable as $$
  select p.* from notification n
  join notification_part p on p.tenant_id = n.tenant_id and p.notification_id = n.id and p.occurrence = p_touch.occurrence
  left join contribution c on c.tenant_id = p.tenant_id and c.id = p.contribution_id
  join sights(array[p_touch.member_id]) s on true
  where n.tenant_id = p_touch.tenant_id and n.id = p_touch.source_id::uuid and n.read_at is null
    and (p.actor_id is null or p.actor_id <> all (s.blocked))
    and (p.contribution_id is null
      or in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id)
         and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED')
    and not exists (select from space_notice x
      where x.tenant_id = p.tenant_id and x.member_id = p.member_id and x.space_id = c.space_id and x.level = 'NONE')
$$;

/*
 * Whether what a touch of this room is about to say may no longer be said: null, or the refusal, see contact_refusal.
 * Asked in the transaction that claims, so that between the look and the sending nothing can change unseen. What was
 * not sent yet is written out once more; what was written for an earlier attempt is not sent any more.
 */
create or replace function saying_refusal(p_touch touchpoint, p_now timestamptz) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := p_touch.tenant_id;
  v_saying touch_saying;
  v_is_written boolean := exists (
    select from delivery d where d.tenant_id = v_tenant and d.touchpoint_id = p_touch.id);
begin
  select * into v_saying from touch_saying s where s.tenant_id = v_tenant and s.touchpoint_id = p_touch.id;
  if coalesce(v_saying.parts, 0) = 0 then
    return jsonb_build_object('reason', 'NOTHING_TO_SAY', 'until', null, 'detail', '{}'::jsonb);
  elsif (select count(*) from contribution c, sights(array[p_touch.member_id]) s
         where c.tenant_id = v_tenant and c.id = any (v_saying.contributions) and c.state = 'PUBLISHED'
           and c.root_state = 'PUBLISHED' and in_sight(c.needs, c.state, c.root_state,
           c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id))
        < cardinality(v_saying.contributions)
     or p_touch.source_type = 'notification' and not v_is_written and v_saying.parts <> (
        select count(*) from notification_seen_parts(p_touch)) then
    return jsonb_build_object('reason', 'NO_ACCESS', 'detail', '{}'::jsonb,
      'until', case when not v_is_written then p_now + interval '1 second' end);
  end if;
  return null;
end $$;

/*
 * What a digest says: the threads of its window that the member may see now and has not read, those first that it
 * follows or whose space it is in, then the livelier ones; at most ten. What it wrote itself is no news.
 */
create or replace function digest_says(p_touch touchpoint) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := p_touch.tenant_id;
  v_digest digest;
  v_items jsonb;
  v_all int;
begin
  select * into v_digest from digest d where d.tenant_id = v_tenant and d.id = p_touch.source_id::uuid;
  with seen as (
    select c.*, s.keys, s.moderated, s.blocked from sights(array[p_touch.member_id]) s
    join contribution c on c.tenant_id = v_tenant and c.published_at >= v_digest.starts_at
      and c.published_at < v_digest.due_at and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
      and in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id)
    where c.author_id is distinct from p_touch.member_id
      and not exists (select from read_mark r
        where r.tenant_id = v_tenant and r.member_id = p_touch.member_id and r.root_id = c.root_id
          and r.read_at >= c.published_at)
      and not exists (select from space_notice n
        where n.tenant_id = v_tenant and n.member_id = p_touch.member_id and n.space_id = c.space_id and n.level <> 'ALL')
  ), thread as (
    select r.id, coalesce(text_excerpt(r.title, 80), text_excerpt(r.body, 80)) as title, r.space_id,
      max(s.published_at) as at, count(*) filter (where s.id <> r.id)::int as replies, r.score,
      bool_or(s.id = r.id) as is_new,
      exists (select from follow f where f.tenant_id = v_tenant and f.member_id = p_touch.member_id
        and (f.kind, f.target) in (('THREAD', r.id::text), ('SPACE', r.space_id::text), ('MEMBER', r.author_id::text)))
      or exists (select from space_member m where m.tenant_id = v_tenant and m.space_id = r.space_id
        and m.member_id = p_touch.member_id and m.state = 'JOINED') as is_near
    from seen s
    join contribution r on r.tenant_id = v_tenant and r.id = s.root_id
      and in_sight(r.needs, r.state, r.root_state, r.space_id, r.author_id, s.keys, s.moderated, s.blocked,
                   p_touch.member_id)
    group by r.tenant_id, r.id
  ), best as (
    select t.*, count(*) over () as found from thread t
    order by t.is_near desc, t.replies + t.score desc, t.at desc, t.id limit 10
  )
  select jsonb_agg(jsonb_build_object('title', b.title, 'space', text_in(p.name, m.locale), 'replies', b.replies,
      'isNew', b.is_new, 'thread', b.id) order by b.is_near desc, b.replies + b.score desc, b.at desc, b.id),
    max(b.found)
  into v_items, v_all
  from best b
  join space p on p.tenant_id = v_tenant and p.id = b.space_id
  join member m on m.tenant_id = v_tenant and m.id = p_touch.member_id;
  insert into touch_saying as s (tenant_id, touchpoint_id, contributions, parts)
  values (v_tenant, p_touch.id, array(select (i ->> 'thread')::uuid from jsonb_array_elements(v_items) i),
    coalesce(jsonb_array_length(v_items), 0))
  on conflict (tenant_id, touchpoint_id) do update set contributions = excluded.contributions, parts = excluded.parts;
  if v_items is null then
    return jsonb_build_object('is', 'nothing');
  end if;
  return jsonb_build_object('is', 'say', 'parameters', jsonb_build_object('items', v_items, 'count', v_all,
    'more', v_all - jsonb_array_length(v_items), 'period', v_digest.period));
end $$;
