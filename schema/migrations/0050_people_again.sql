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
  if p_fact.what <> 'JUDGED' and (v_contribution.state <> 'PUBLISHED' or v_contribution.root_state <> 'PUBLISHED') then
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
         and (n.kind = 'JUDGED' or c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'))
    and (n.kind <> 'SPACE'
      or coalesce(space_may(p.subject::uuid, p.member_id, 'see') ->> 'is', 'access_denied') = 'access_denied')
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
  -- What was taken away is news to whoever wrote it, and to nobody else.
  v_is_judged boolean := p_touch.source_type = 'notification' and exists (
    select from notification n where n.tenant_id = v_tenant and n.id = p_touch.source_id::uuid and n.kind = 'JUDGED');
begin
  select * into v_saying from touch_saying s where s.tenant_id = v_tenant and s.touchpoint_id = p_touch.id;
  if coalesce(v_saying.parts, 0) = 0 then
    return jsonb_build_object('reason', 'NOTHING_TO_SAY', 'until', null, 'detail', '{}'::jsonb);
  elsif (select count(*) from contribution c, sights(array[p_touch.member_id]) s
         where c.tenant_id = v_tenant and c.id = any (v_saying.contributions)
           and (v_is_judged or c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED') and in_sight(c.needs, c.state, c.root_state,
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

-- ── Who is found among many: each question asked once, and not for each of them (before: 0040_people.sql) ──

/* Whom a member blocked, and who blocked it. */
create function blocks_of(p_member uuid) returns setof uuid language sql stable as $$
  select b.other_id from member_block b where b.tenant_id = current_tenant() and b.member_id = p_member and not b.is_mute
  union
  select b.member_id from member_block b where b.tenant_id = current_tenant() and b.other_id = p_member and not b.is_mute
$$;

/* Those of these members who are in a space with a member, which both may see into now. */
create or replace function space_companions(p_member uuid, p_members uuid[]) returns setof uuid language sql stable as $$
  select distinct x.id from sights(array[p_member]) s
  join space_member a on a.tenant_id = current_tenant() and a.member_id = p_member and a.state = 'JOINED'
    and a.space_id = any (s.keys)
  cross join lateral space_seers(a.space_id, array(
    select b.member_id from space_member b
    where b.tenant_id = a.tenant_id and b.space_id = a.space_id and b.state = 'JOINED'
      and b.member_id = any (p_members) and b.member_id <> p_member)) x (id)
$$;

/* Members who show that they care about what p_member cares about, and want to be introduced; the closest first. */
create or replace function introductions_suggested(p_member uuid, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_near uuid[] := array(select space_companions(p_member, array(
    select o.member_id from interest i
    join interest o on o.tenant_id = v_tenant and o.interest = i.interest
    join profile p on p.tenant_id = v_tenant and p.member_id = o.member_id and p.is_open_to_introductions
      and p.interests_sight = 'SHARED'
    where i.tenant_id = v_tenant and i.member_id = p_member)));
begin
  if not exists (select from member_entitled(array[p_member])) then
    return;
  end if;
  return query
  select o.member_id from interest i
  join interest o on o.tenant_id = v_tenant and o.interest = i.interest and o.member_id <> p_member
  join profile p on p.tenant_id = v_tenant and p.member_id = o.member_id and p.is_open_to_introductions
    and (p.interests_sight = 'MEMBERS' or (p.interests_sight = 'SHARED' and o.member_id = any (v_near)))
  join member m on m.tenant_id = v_tenant and m.id = o.member_id
    and membership_opens(m.membership, m.paused_until, m.paid_through, v_now)
  where i.tenant_id = v_tenant and i.member_id = p_member
    and not exists (select from blocks_of(p_member) b (id) where b.id = o.member_id)
    and not exists (select from introduction x where x.tenant_id = v_tenant and x.one_id = p_member and x.other_id = o.member_id)
    and not exists (select from introduction x where x.tenant_id = v_tenant and x.other_id = p_member and x.one_id = o.member_id)
  group by o.member_id order by count(*) desc, o.member_id limit p_limit;
end $$;

-- ── Introductions by staff: both are asked, and both must agree ──────────────────────────────────

alter table introduction
  add column is_by_staff boolean not null default false,
  /* Who said no; of which the other is not told. */
  add column declined_by uuid;

/* Writes down what one of the two said; when both said yes, they can write to each other (before: 0040_people.sql). */
create or replace function introduction_settle(p_introduction uuid, p_member uuid, p_accepts boolean) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row introduction;
begin
  select * into v_row from introduction x where x.tenant_id = v_tenant and x.id = p_introduction for no key update;
  if v_row.state <> 'PROPOSED' then
    return;
  end if;
  update introduction x set
    one_accepted_at = case when p_accepts and p_member = x.one_id then coalesce(x.one_accepted_at, v_now) else x.one_accepted_at end,
    other_accepted_at = case when p_accepts and p_member = x.other_id then coalesce(x.other_accepted_at, v_now) else x.other_accepted_at end
  where x.tenant_id = v_tenant and x.id = p_introduction returning * into v_row;
  if not p_accepts then
    update introduction x set state = 'DECLINED', settled_at = v_now, declined_by = p_member where x.tenant_id = v_tenant and x.id = p_introduction;
  elsif v_row.one_accepted_at is not null and v_row.other_accepted_at is not null then
    update introduction x set state = 'INTRODUCED', settled_at = v_now where x.tenant_id = v_tenant and x.id = p_introduction;
    perform conversation_open(v_row.one_id, v_row.other_id, v_now);
    perform notification_note('INTRODUCTION', 'introduction.accepted ' || p_introduction, null, p_member,
      case when p_member = v_row.one_id then v_row.other_id else v_row.one_id end, null, v_now);
    perform announce('introduction.accepted', v_row.one_id, jsonb_build_object('introduction', p_introduction), v_now);
    perform announce('introduction.accepted', v_row.other_id, jsonb_build_object('introduction', p_introduction), v_now);
  end if;
end $$;

/* Locks a member who is about to turn to another, so that what it does can be counted: null, or the refusal. */
create function people_refusal(p_member uuid) returns jsonb language plpgsql as $$
begin
  if p_member is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  perform member_lock(p_member);
  return case when not exists (select from member_entitled(array[p_member])) then denied('MEMBERSHIP') end;
end $$;

/*
 * Asks another member whether it wants to be introduced; who asks has said yes. Asked again, or by the other at the
 * same time, or after staff asked both, it is one introduction: asking is a yes (before: 0040_people.sql). Outcomes: done
 * {introduction, member}, not_found (also for who does not want it, or blocked), access_denied, key_reused.
 */
create or replace function introduction_propose(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_other uuid, p_note text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_op record;
  v_refusal jsonb;
  v_id uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'INTRODUCE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_refusal := people_refusal(v_member);
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  elsif v_member = p_other or not exists (select from member_entitled(array[p_other])) or is_blocked(v_member, p_other)
     or not exists (select from profile p where p.tenant_id = v_tenant and p.member_id = p_other and p.is_open_to_introductions) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  elsif (select count(*) from introduction x where x.tenant_id = v_tenant and x.one_id = v_member and x.state <> 'INTRODUCED'
           and x.proposed_at > v_now - interval '1 day') >= 20
        -- A yes to the other's is no asking.
        and not exists (select from introduction x where x.tenant_id = v_tenant and x.one_id = p_other and x.other_id = v_member) then
    return op_finish(p_key, denied('TOO_MANY'));
  end if;
  insert into introduction (tenant_id, one_id, other_id, note, one_accepted_at, proposed_at, actor)
  values (v_tenant, v_member, p_other, p_note, v_now, v_now, p_actor)
  on conflict (tenant_id, least(one_id, other_id), greatest(one_id, other_id)) do nothing returning id into v_id;
  if v_id is not null then
    perform announce('introduction.proposed', p_other, jsonb_build_object('introduction', v_id), v_now);
    perform notification_note('INTRODUCTION', 'introduction ' || v_id, null, v_member, p_other, null, v_now);
    return op_finish(p_key, jsonb_build_object('is', 'done', 'introduction', v_id, 'member', v_member));
  end if;
  select x.id into strict v_id from introduction x where x.tenant_id = v_tenant
    and least(x.one_id, x.other_id) = least(v_member, p_other) and greatest(x.one_id, x.other_id) = greatest(v_member, p_other);
  perform introduction_settle(v_id, v_member, true);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'introduction', v_id, 'member', v_member));
end $$;

/*
 * Staff introduces two members who want to be introduced: both are asked. Asked again it stays one. Outcomes: done
 * {introduction, member, other}, not_found (also for who does not want it, or blocked the other), key_reused.
 */
create function introduce_members(
  p_key text, p_hash bytea, p_one uuid, p_one_external_id text, p_other uuid, p_note text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_one uuid := (member_find(p_one, p_one_external_id)).id;
  v_op record;
  v_id uuid;
  v_member uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'INTRODUCE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif is_blocked(v_one, p_other)
     or (select count(*) from profile p where p.tenant_id = v_tenant and p.member_id in (v_one, p_other)
           and p.is_open_to_introductions and p.member_id in (select member_entitled(array[v_one, p_other]))) < 2 then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  end if;
  insert into introduction (tenant_id, one_id, other_id, note, proposed_at, actor, is_by_staff)
  values (v_tenant, v_one, p_other, p_note, v_now, p_actor, true)
  on conflict (tenant_id, least(one_id, other_id), greatest(one_id, other_id)) do nothing returning id into v_id;
  if v_id is not null then
    foreach v_member in array array[v_one, p_other] loop
      perform announce('introduction.proposed', v_member, jsonb_build_object('introduction', v_id), v_now);
      perform notification_note('INTRODUCTION', 'introduction ' || v_id || ' ' || v_member, null, null, v_member, null, v_now);
    end loop;
  else
    select x.id into strict v_id from introduction x where x.tenant_id = v_tenant
      and least(x.one_id, x.other_id) = least(v_one, p_other) and greatest(x.one_id, x.other_id) = greatest(v_one, p_other);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'introduction', v_id, 'member', v_one, 'other', p_other));
end $$;

-- ── Messages: the same wherever one begins (before: 0040_people.sql) ─────────────────────────────

/* As people_refusal, for who writes a message: at most twenty a minute. */
create function message_refusal(p_member uuid, p_now timestamptz) returns jsonb language plpgsql as $$
declare
  v_refusal jsonb := people_refusal(p_member);
begin
  -- By a statement of its own: it sees what was written until the member was locked.
  if v_refusal is null and (
      select count(*) from message m
      where m.tenant_id = current_tenant() and m.author_id = p_member and m.at > p_now - interval '1 minute') >= 20 then
    return denied('TOO_MANY');
  end if;
  return v_refusal;
end $$;

/* Writes a message down, counts and announces it; whoever may not write was refused before. */
create function message_put(p_member uuid, p_other uuid, p_body text, p_now timestamptz) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_conversation uuid := conversation_open(p_member, p_other, p_now);
  v_is_muted boolean := exists (select from member_block b
    where b.tenant_id = v_tenant and b.member_id = p_other and b.other_id = p_member);
  v_id uuid := uuid_v7();
begin
  insert into message (tenant_id, id, conversation_id, author_id, body, at)
  values (v_tenant, v_id, v_conversation, p_member, p_body, p_now);
  update conversation c set last_at = p_now,
    one_unread = c.one_unread + (c.one_id = p_other and not v_is_muted)::int,
    other_unread = c.other_unread + (c.other_id = p_other and not v_is_muted)::int
  where c.tenant_id = v_tenant and c.id = v_conversation;
  perform announce('message.sent', p_member, jsonb_build_object('message', v_id), p_now);
  if not v_is_muted then
    perform announce('message.sent', p_other, jsonb_build_object('message', v_id), p_now);
    perform notification_note('MESSAGE', 'message ' || v_id, null, p_member, p_other, null, p_now);
  end if;
  return v_id;
end $$;

/*
 * Writes to another member: to whom one was introduced or wrote before, or who takes messages from the likes of it.
 * Nobody is told that it was blocked. Outcomes: done {message, member, other}, not_found, access_denied, key_reused.
 */
create or replace function message_send(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_other uuid, p_body text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_op record;
  v_refusal jsonb;
  v_from text;
  v_is_new boolean;
  v_id uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'MESSAGE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_refusal := message_refusal(v_member, v_now);
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  elsif v_member = p_other or not exists (select from member_entitled(array[p_other])) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'member'));
  end if;
  v_is_new := not exists (select from conversation c where c.tenant_id = v_tenant
    and c.one_id = least(v_member, p_other) and c.other_id = greatest(v_member, p_other));
  v_from := coalesce((select p.messages_from from profile p where p.tenant_id = v_tenant and p.member_id = p_other), 'NOBODY');
  if is_blocked(v_member, p_other) or (v_is_new and not (v_from = 'MEMBERS'
       or (v_from = 'SHARED' and exists (select from space_companions(v_member, array[p_other]))))) then
    return op_finish(p_key, denied('NO_MESSAGES'));
  elsif v_is_new and (select count(distinct m.conversation_id) from message m where m.tenant_id = v_tenant
          and m.author_id = v_member and m.at > v_now - interval '1 day') >= 50 then
    return op_finish(p_key, denied('TOO_MANY'));
  end if;
  v_id := message_put(v_member, p_other, p_body, v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'message', v_id, 'member', v_member, 'other', p_other));
end $$;

-- ── Private replies to posts that look for somebody to work with ─────────────────────────────────

/* That a conversation is about a post. */
create table conversation_post (
  tenant_id       uuid not null,
  conversation_id uuid not null,
  contribution_id uuid not null,
  /* Who replied to it. */
  member_id       uuid not null,
  at              timestamptz not null,
  primary key (tenant_id, conversation_id, contribution_id),
  foreign key (tenant_id, conversation_id) references conversation (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index conversation_post_of_contribution on conversation_post (tenant_id, contribution_id);
call protect('conversation_post');
create policy sight on conversation_post as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from conversation c where c.tenant_id = conversation_post.tenant_id and c.id = conversation_post.conversation_id));

/*
 * Writes in private to the author of a post that looks for somebody to work with, whoever else may write to it.
 * Outcomes: done {message, member, other}, not_found (also for a post that is not seen, no author of which is there, or
 * who blocked), access_denied, key_reused.
 */
create function reply_privately(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_post uuid, p_body text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_op record;
  v_refusal jsonb;
  v_author uuid;
  v_id uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'MESSAGE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_refusal := message_refusal(v_member, v_now);
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  end if;
  select c.author_id into v_author from contribution c
  join post_facts f on f.tenant_id = c.tenant_id and f.contribution_id = c.id and f.kind = 'COLLABORATION'
  where c.tenant_id = v_tenant and c.id = p_post and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
    and contribution_seen(c.id, v_member);
  if v_author is null or v_author = v_member or not exists (select from member_entitled(array[v_author])) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'post'));
  end if;
  v_id := message_put(v_member, v_author, p_body, v_now);
  insert into conversation_post (tenant_id, conversation_id, contribution_id, member_id, at)
  select v_tenant, m.conversation_id, p_post, v_member, v_now from message m where m.tenant_id = v_tenant and m.id = v_id
  on conflict do nothing;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'message', v_id, 'member', v_member, 'other', v_author));
end $$;

/* The posts that these conversations of a member are about, as far as it sees them now: at most 20 each, the newest reply first. */
create function conversation_posts(p_member uuid, p_conversations uuid[]) returns table (conversation_id uuid, contribution_id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id, x.contribution_id from conversation c
  cross join lateral (
    select p.contribution_id, p.at from conversation_post p
    where p.tenant_id = c.tenant_id and p.conversation_id = c.id and contribution_seen(p.contribution_id, p_member)
    order by p.at desc, p.contribution_id limit 20) x
  where c.tenant_id = current_tenant() and c.id = any (p_conversations) and p_member in (c.one_id, c.other_id)
  order by x.at desc, x.contribution_id
$$;

-- ── Contacts: shown to each other once both agreed ───────────────────────────────────────────────

/* What a member would tell another of how to reach it; the other sees it once it made such an offer itself. */
create table contact_offer (
  tenant_id uuid not null,
  member_id uuid not null,
  other_id  uuid not null,
  /* By kind: EMAIL, PHONE, LINE, WEBSITE, OTHER. */
  fields    jsonb not null check (jsonb_typeof(fields) = 'object'),
  at        timestamptz not null,
  primary key (tenant_id, member_id, other_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, other_id) references member (tenant_id, id),
  check (member_id <> other_id)
);
create index contact_offer_to on contact_offer (tenant_id, other_id);
call protect('contact_offer');
call sight_own('contact_offer');

/* A member who blocks another takes back what both offered; by their locks also what one is about to offer. */
create function contact_offers_end() returns trigger language plpgsql as $$
begin
  perform members_lock(array[new.member_id, new.other_id]);
  delete from contact_offer o where o.tenant_id = new.tenant_id
    and (o.member_id, o.other_id) in ((new.member_id, new.other_id), (new.other_id, new.member_id));
  return null;
end $$;
create trigger contact_offers_end after insert or update on member_block
  for each row when (not new.is_mute) execute function contact_offers_end();

/*
 * Offers another member, with whom one writes, how to be reached; once both did, each sees the other's. p_is_answer:
 * only when the other offered first. p_fields null takes one's own offer back, and with it what both saw. Outcomes: done
 * {member, other}, not_found.
 */
create function contact_offer_set(p_member uuid, p_external_id text, p_other uuid, p_fields jsonb, p_is_answer boolean)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member uuid := (member_find(p_member, p_external_id)).id;
begin
  if v_member is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif p_fields is null then
    delete from contact_offer o where o.tenant_id = v_tenant and o.member_id = v_member and o.other_id = p_other;
    return case when found then jsonb_build_object('is', 'done', 'member', v_member, 'other', p_other)
      else jsonb_build_object('is', 'not_found', 'what', 'member') end;
  end if;
  -- Whoever blocks takes this lock as well, so that no offer outlives a block.
  perform members_lock(array[v_member, p_other]);
  if (select count(*) from member_entitled(array[v_member, p_other])) < 2 or is_blocked(v_member, p_other)
     or not exists (select from conversation c where c.tenant_id = v_tenant
          and c.one_id = least(v_member, p_other) and c.other_id = greatest(v_member, p_other))
     or (p_is_answer and not exists (select from contact_offer o where o.tenant_id = v_tenant and o.member_id = p_other and o.other_id = v_member))
  then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  insert into contact_offer as o (tenant_id, member_id, other_id, fields, at)
  values (v_tenant, v_member, p_other, p_fields, tenant_now(v_tenant))
  on conflict (tenant_id, member_id, other_id) do update set fields = excluded.fields, at = excluded.at;
  return jsonb_build_object('is', 'done', 'member', v_member, 'other', p_other);
end $$;

/* How contacts of a member and these others stand: what it offered, whether it was offered some, and what it may see. */
create function contacts_of(p_member uuid, p_others uuid[])
returns table (other_id uuid, own jsonb, is_offered boolean, theirs jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
  select x.id, a.fields, b.fields is not null, case when a.fields is not null then b.fields end
  from unnest(p_others) x (id)
  left join contact_offer a on a.tenant_id = current_tenant() and a.member_id = p_member and a.other_id = x.id
  left join contact_offer b on b.tenant_id = current_tenant() and b.member_id = x.id and b.other_id = p_member
  where not is_blocked(p_member, x.id) and exists (select from member_entitled(array[p_member]))
    and x.id in (select member_entitled(p_others))
$$;

grant execute on function
  introduce_members(text, bytea, uuid, text, uuid, text, text), reply_privately(text, bytea, uuid, text, uuid, text, text),
  conversation_posts(uuid, uuid[]), contact_offer_set(uuid, text, uuid, jsonb, boolean), contacts_of(uuid, uuid[]) to engawa_app;

-- ── Interests that are derived from what a member does, when it agreed to that ───────────────────

alter table profile
  /* Since when the member agrees that its interests are derived; null: it does not. */
  add column derives_since timestamptz,
  /* When they are derived next. */
  add column derives_at timestamptz,
  add check ((derives_since is null) = (derives_at is null));
create index profile_derives on profile (tenant_id, derives_at) where derives_at is not null;
create policy system on profile for select to engawa_system using (true);
grant select (tenant_id, derives_at) on profile to engawa_system;

alter table interest
  /* What tells of it: SAID by the member itself, or what it did. */
  add column source text not null default 'SAID' check (source in ('SAID', 'READ', 'ASKED', 'ANSWERED', 'WROTE')),
  add column at timestamptz not null default clock_timestamp();

/* What a member does not want to be derived again. */
create table interest_refusal (
  tenant_id uuid not null,
  member_id uuid not null,
  interest  text not null,
  at        timestamptz not null,
  primary key (tenant_id, member_id, interest),
  foreign key (tenant_id, member_id) references profile (tenant_id, member_id)
);
call protect('interest_refusal');
call sight_own('interest_refusal');

/* A tag as interests are compared: in one width and case, in hiragana, without the final ー of longer words. */
create function interest_folded(p_word text) returns text language sql immutable parallel safe as $$
  select regexp_replace(
    translate(lower(normalize(btrim(p_word), nfkc)),
      'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ',
      'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔかけ'),
    '(?<=[ぁ-ゖ][ぁ-ゖー][ぁ-ゖ])ー+(?![ぁ-ゖー])', '', 'g')
$$;

/*
 * Derives the interests of members who agreed and are due, at most p_limit: the tags and products of what each asked,
 * answered, wrote or read twice in the last half year, after it agreed; those that came up most, at most ten. Only from what
 * every member may see, so that an interest tells nothing of a club. How many members they were.
 */
create function interests_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_due uuid[];
begin
  with due as (
    select p.member_id from profile p where p.tenant_id = v_tenant and p.derives_at <= v_now
    order by p.derives_at, p.member_id limit p_limit for no key update skip locked
  ), moved as (
    update profile p set derives_at = v_now + interval '1 day' from due d
    where p.tenant_id = v_tenant and p.member_id = d.member_id returning p.member_id
  )
  select coalesce(array_agg(m.member_id), '{}') into v_due from moved m;
  delete from interest i where i.tenant_id = v_tenant and i.member_id = any (v_due) and i.source <> 'SAID';
  insert into interest (tenant_id, member_id, interest, label, source, at)
  select v_tenant, r.member_id, r.interest, r.label, r.source, r.at
  from (
    select g.*, row_number() over (partition by g.member_id order by g.n desc, g.interest) as place
    from (
      select a.member_id, interest_folded(x.word) as interest, min(x.word) as label,
        (array_agg(a.source order by a.rank, a.at desc))[1] as source, max(a.at) as at, count(*) as n, min(a.rank) as rank
      from (
        select c.author_id as member_id, c.id, c.published_at as at,
          case c.kind when 'QUESTION' then 'ASKED' when 'ANSWER' then 'ANSWERED' else 'WROTE' end as source,
          case c.kind when 'QUESTION' then 1 when 'ANSWER' then 2 else 3 end as rank, c.root_id
        from contribution c where c.tenant_id = v_tenant and c.author_id = any (v_due) and c.state = 'PUBLISHED'
        union all
        select v.member_id, v.contribution_id, v.at, 'READ', 4, v.contribution_id from contribution_view v
        where v.tenant_id = v_tenant and v.member_id = any (v_due)
      ) a
      join profile p on p.tenant_id = v_tenant and p.member_id = a.member_id and a.at >= p.derives_since
        and a.at > v_now - interval '180 days'
      join contribution r on r.tenant_id = v_tenant and r.id = a.root_id and not r.is_private and r.state = 'PUBLISHED'
        and r.gate_id is null
      join space s on s.tenant_id = v_tenant and s.id = r.space_id and s.is_enabled and s.see_id is null and s.join_mode = 'OPEN'
      cross join lateral (select unnest(r.tags) union select r.sku where r.sku is not null) x (word)
      where length(interest_folded(x.word)) between 1 and 100
      group by a.member_id, interest_folded(x.word)
    ) g
    where (g.rank < 4 or g.n >= 2) and not exists (select from interest_refusal f
      where f.tenant_id = v_tenant and f.member_id = g.member_id and f.interest = g.interest)
  ) r
  where r.place <= 10
  on conflict (tenant_id, member_id, interest) do nothing;
  return cardinality(v_due);
end $$;

/*
 * Says whether a member's interests are derived; what was derived goes when they are not. Outcomes: done {member},
 * not_found, membership_ended.
 */
create function interests_derive_set(p_member uuid, p_external_id text, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  insert into profile (tenant_id, member_id, updated_at) values (v_tenant, v_member.id, v_now) on conflict do nothing;
  update profile p set derives_since = case when p_is_on then coalesce(p.derives_since, v_now) end,
    derives_at = case when p_is_on then v_now end
  where p.tenant_id = v_tenant and p.member_id = v_member.id;
  if not p_is_on then
    delete from interest i where i.tenant_id = v_tenant and i.member_id = v_member.id and i.source <> 'SAID';
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Takes an interest of a member away, and does not derive it again. Outcomes: done {member}, not_found. */
create function interest_drop(p_member uuid, p_external_id text, p_interest text, p_label text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_hold(p_member, p_external_id);
begin
  -- Nobody derives them meanwhile.
  perform from profile p where p.tenant_id = v_tenant and p.member_id = v_member.id for no key update;
  with gone as (
    delete from interest i where i.tenant_id = v_tenant and i.member_id = v_member.id
      and (i.interest = p_interest or i.label = p_label)
    returning i.interest
  )
  insert into interest_refusal (tenant_id, member_id, interest, at)
  select v_tenant, v_member.id, g.interest, tenant_now(v_tenant) from gone g
  on conflict (tenant_id, member_id, interest) do update set at = excluded.at;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'interest');
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;
grant execute on function interests_settle_due(int), interests_derive_set(uuid, text, boolean),
  interest_drop(uuid, text, text, text) to engawa_app;

/*
 * Says how a member shows itself; what is left out stays, a null value takes a field away (before: 0040_people.sql).
 * What it says it cares about stands instead of what was derived. Outcomes: done {member}, not_found, membership_ended.
 */
create or replace function profile_save(p_member uuid, p_external_id text, p_profile jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_hold(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  insert into profile (tenant_id, member_id, updated_at)
  values (v_tenant, v_member.id, tenant_now(v_tenant)) on conflict do nothing;
  update profile p set is_listed = coalesce((p_profile ->> 'is_listed')::boolean, p.is_listed),
    folded_name = p_profile ->> 'folded_name',
    interests_sight = coalesce(p_profile ->> 'interests_sight', p.interests_sight),
    messages_from = coalesce(p_profile ->> 'messages_from', p.messages_from),
    is_open_to_introductions = coalesce((p_profile ->> 'is_open_to_introductions')::boolean, p.is_open_to_introductions),
    has_presence = coalesce((p_profile ->> 'has_presence')::boolean, p.has_presence), updated_at = tenant_now(v_tenant)
  where p.tenant_id = v_tenant and p.member_id = v_member.id;
  delete from profile_field f using jsonb_array_elements(p_profile -> 'fields') e
  where f.tenant_id = v_tenant and f.member_id = v_member.id and f.field = e ->> 'field';
  insert into profile_field (tenant_id, member_id, field, value, sight)
  select v_tenant, v_member.id, e ->> 'field', e ->> 'value', e ->> 'sight'
  from jsonb_array_elements(p_profile -> 'fields') e where e ->> 'value' is not null;
  if p_profile ? 'interests' then
    delete from interest i where i.tenant_id = v_tenant and i.member_id = v_member.id and i.source = 'SAID';
    insert into interest as i (tenant_id, member_id, interest, label, at)
    select distinct on (e ->> 'interest') v_tenant, v_member.id, e ->> 'interest', e ->> 'label', tenant_now(v_tenant)
    from jsonb_array_elements(p_profile -> 'interests') with ordinality x (e, n) order by e ->> 'interest', n
    on conflict (tenant_id, member_id, interest) do update set source = 'SAID', label = excluded.label, at = excluded.at;
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;
