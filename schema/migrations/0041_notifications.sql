-- Notifications: what happened that concerns a member, told in the product and through the channels, and digests.

set local role engawa_owner;

-- ── Facts ────────────────────────────────────────────────────────────────────────────────────────

/*
 * Something that may concern members. Whoever did it writes this one row and goes on; whom it concerns is looked up
 * afterwards, see notifications_settle_due.
 */
create table notification_fact (
  tenant_id       uuid not null references tenant,
  id              uuid not null default uuid_v7(),
  what            text not null check (what in (
    'CONTRIBUTION', 'ANSWER_ACCEPTED', 'BADGE', 'INTRODUCTION', 'MESSAGE')),
  /* What makes it one fact. */
  key             text not null,
  /* What was written, or is about: who may not see it is not told. */
  contribution_id uuid,
  /* Who did it; null: staff, or the product. */
  actor_id        uuid,
  /* The only member whom it concerns; null: found by what they wrote and follow. */
  recipient_id    uuid,
  /* What it is about when that is no contribution. */
  subject         text,
  at              timestamptz not null,
  /* When members are told; null once they were. */
  due_at          timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, actor_id) references member (tenant_id, id),
  foreign key (tenant_id, recipient_id) references member (tenant_id, id)
);
create index notification_fact_due on notification_fact (tenant_id, due_at, id) where due_at is not null;
call protect('notification_fact');
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on notification_fact for select to engawa_system using (true);
grant select (tenant_id, due_at) on notification_fact to engawa_system;

/*
 * What a member is told: facts of one kind about one thing stand together while they are unread, as in "A and 5
 * others". Once it was read, the next fact begins another one.
 */
create table notification (
  tenant_id uuid not null,
  id        uuid not null default uuid_v7(),
  member_id uuid not null,
  kind      text not null check (kind in ('MENTION', 'ANSWER', 'ANSWER_ACCEPTED', 'COMMENT', 'REPLY', 'POST', 'BADGE',
    'INTRODUCTION', 'MESSAGE')),
  group_key text not null,
  /* Of the newest fact. */
  at        timestamptz not null,
  contribution_id uuid,
  read_at   timestamptz,
  /* Whether it is in the member's list, or only goes through channels. */
  is_listed boolean not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
) with (fillfactor = 85);
create unique index notification_open on notification (tenant_id, member_id, group_key) where read_at is null;
create index notification_list on notification (tenant_id, member_id, at, id) where is_listed;
call protect('notification');
call sight_own('notification');
grant select on notification to engawa_app;

/* One fact for one member, once. */
create table notification_part (
  tenant_id       uuid not null,
  member_id       uuid not null,
  fact_id         uuid not null,
  notification_id uuid not null,
  contribution_id uuid,
  actor_id        uuid,
  subject         text,
  at              timestamptz not null,
  /* Which touch of the notification tells it; null: none does. */
  occurrence      int,
  primary key (tenant_id, member_id, fact_id),
  foreign key (tenant_id, notification_id) references notification (tenant_id, id),
  foreign key (tenant_id, fact_id) references notification_fact (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
create index notification_part_of on notification_part (tenant_id, notification_id, at, fact_id);
call protect('notification_part');
call sight_own('notification_part');
grant select on notification_part to engawa_app;

-- ── What members chose ───────────────────────────────────────────────────────────────────────────

/*
 * What a member is told of, and how: channel `in-app` is the member's list. Without a row everything is listed, and
 * what is meant for the member itself goes through every channel for which the purpose `community` is agreed to.
 */
create table notification_choice (
  tenant_id uuid not null,
  member_id uuid not null,
  kind      text not null,
  channel   text not null check (channel ~ '^[a-z][a-z0-9-]{0,39}$'),
  is_on     boolean not null,
  primary key (tenant_id, member_id, kind, channel),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('notification_choice');
call sight_own('notification_choice');
grant select on notification_choice to engawa_app;

/*
 * How much of a space a member is told of: ALL, everything new in it too; MENTIONS, what is meant for the member
 * itself; NONE, nothing. Without a row, what it follows decides. Kept when the space is lost.
 */
create table space_notice (
  tenant_id uuid not null,
  member_id uuid not null,
  space_id  uuid not null,
  level     text not null check (level in ('ALL', 'MENTIONS', 'NONE')),
  since     timestamptz not null,
  primary key (tenant_id, member_id, space_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, space_id) references space (tenant_id, id)
);
create index space_notice_of_space on space_notice (tenant_id, space_id, level, member_id);
call protect('space_notice');
call sight_own('space_notice');
grant select on space_notice to engawa_app;

/* Kinds that are meant for the member itself. */
create function notification_is_own(p_kind text) returns boolean language sql immutable parallel safe as
$$ select p_kind not in ('REPLY', 'POST') $$;

-- ── Telling ──────────────────────────────────────────────────────────────────────────────────────

/* Notes a fact, once for its key; members are told by the worker. */
create function notification_note(
  p_what text, p_key text, p_contribution uuid, p_actor uuid, p_recipient uuid, p_subject text, p_at timestamptz
) returns void language sql as $$
  insert into notification_fact (tenant_id, what, key, contribution_id, actor_id, recipient_id, subject, at, due_at)
  values (current_tenant(), p_what, p_key, p_contribution, p_actor, p_recipient, p_subject, p_at,
    tenant_now(current_tenant()))
  on conflict (tenant_id, key) do nothing
$$;

/* Something has just become visible: called by contribution_published. What was imported is news to nobody. */
create function notifications_published(p_contribution contribution) returns void language plpgsql as $$
begin
  if p_contribution.source_key is null then
    perform notification_note('CONTRIBUTION', p_contribution.id::text, p_contribution.id, p_contribution.author_id, null,
      null, p_contribution.published_at);
  end if;
end $$;

/*
 * What other rooms announce and that is meant for one member, noted as it is announced: an answer is accepted once,
 * however often that is taken back and done again.
 */
create function notification_of_event() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.member_id is null then
    return null;
  elsif new.type = 'answer.accepted' then
    perform notification_note('ANSWER_ACCEPTED', 'answer.accepted ' || (new.payload ->> 'answer'),
      (new.payload ->> 'answer')::uuid, (
        select c.author_id from contribution c
        where c.tenant_id = new.tenant_id and c.id = (new.payload ->> 'question')::uuid),
      new.member_id, null, new.at);
  elsif new.type = 'badge.earned' then
    perform notification_note('BADGE', 'badge.earned ' || new.id, null, null, new.member_id, new.payload ->> 'badge', new.at);
  end if;
  return null;
end $$;
create trigger notification_of_event after insert on outbox
  for each row when (new.type in ('answer.accepted', 'badge.earned')) execute function notification_of_event();

/*
 * Whom a fact concerns, and as what: of several reasons the one that is closest to the member. Those who chose to
 * hear nothing of the space are left out; sight is not asked here.
 */
create function notification_candidates(p_fact notification_fact, p_contribution contribution, p_root contribution)
returns table (member_id uuid, kind text) language plpgsql stable as $$
#variable_conflict use_column
begin
  if p_fact.recipient_id is not null then
    return query select p_fact.recipient_id, p_fact.what where p_fact.recipient_id is distinct from p_fact.actor_id;
    return;
  end if;
  return query
  select distinct on (x.member_id) x.member_id, x.kind
  from (
    select m.member_id, 'MENTION' as kind, 1 as rank from mention m
    where m.tenant_id = p_fact.tenant_id and m.contribution_id = p_contribution.id
    union all
    select p.author_id, case when p_contribution.kind = 'ANSWER' then 'ANSWER' else 'COMMENT' end, 2 from contribution p
    where p.tenant_id = p_fact.tenant_id and p.id in (p_contribution.parent_id, p_contribution.root_id)
      and p.id <> p_contribution.id
    union all
    select f.member_id, 'REPLY', 3 from follow f
    where f.tenant_id = p_fact.tenant_id and f.kind = 'THREAD' and f.target = p_contribution.root_id::text
      and p_contribution.parent_id is not null
    union all
    select f.member_id, 'POST', 4 from follow f
    where f.tenant_id = p_fact.tenant_id and p_contribution.parent_id is null
      and (f.kind, f.target) in (
        select 'SPACE', p_contribution.space_id::text
        union all select 'MEMBER', p_contribution.author_id::text where p_contribution.author_id is not null
        union all select 'TAG', t from unnest(p_contribution.tags) t)
    union all
    select n.member_id, case when p_contribution.parent_id is null then 'POST' else 'REPLY' end, 5 from space_notice n
    where n.tenant_id = p_fact.tenant_id and n.space_id = p_contribution.space_id and n.level = 'ALL'
  ) x
  left join space_notice n on n.tenant_id = p_fact.tenant_id and n.member_id = x.member_id
    and n.space_id = p_contribution.space_id
  where x.member_id is not null and x.member_id is distinct from p_fact.actor_id
    and n.level is distinct from 'NONE' and (n.level is distinct from 'MENTIONS' or notification_is_own(x.kind))
  order by x.member_id, x.rank;
end $$;

/* The channels through which each of these members hears of a kind, in the order that it likes. */
create function notification_channels(p_members uuid[], p_kinds text[]) returns table (member_id uuid, channels text[])
language sql stable as $$
  select x.member_id, (array_agg(c.channel order by array_position(p.channels, c.channel), c.channel))[1:10]
  from unnest(p_members, p_kinds) x (member_id, kind)
  cross join lateral (
    select h.channel from notification_choice h
    where h.tenant_id = current_tenant() and h.member_id = x.member_id and h.kind = x.kind and h.is_on
      and h.channel <> 'in-app'
    union
    select a.channel from consent a
    where a.tenant_id = current_tenant() and a.member_id = x.member_id and a.purpose = 'community' and a.state = 'LIVE'
      and notification_is_own(x.kind) and not exists (
        select from notification_choice h
        where h.tenant_id = a.tenant_id and h.member_id = x.member_id and h.kind = x.kind and h.channel = a.channel)
  ) c
  left join preference p on p.tenant_id = current_tenant() and p.member_id = x.member_id
  group by x.member_id
$$;

/*
 * Tells everybody whom a fact concerns and who may see it now: in one statement each for the lists, the parts and the
 * touches, however many members they are. Touches wait a minute, so that what is corrected or taken back at once is
 * not sent; facts that come while one waits go with it. How many members were told.
 */
create function notification_tell(p_fact notification_fact, p_now timestamptz) returns int language plpgsql
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

/* Tells of the facts that are due, at most p_limit; how many they were. Two at once take different ones. */
create function notifications_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_fact notification_fact;
  v_done int := 0;
begin
  for v_fact in
    select * from notification_fact f where f.tenant_id = v_tenant and f.due_at <= v_now
    order by f.due_at, f.id limit p_limit for no key update skip locked
  loop
    perform notification_tell(v_fact, v_now);
    update notification_fact f set due_at = null where f.tenant_id = v_tenant and f.id = v_fact.id;
    v_done := v_done + 1;
  end loop;
  return v_done;
end $$;
grant execute on function notifications_settle_due(int) to engawa_app;

/* Marks notifications of a member read: these, or all up to an instant. How many it changed. */
create function notifications_read(p_member uuid, p_ids uuid[], p_until timestamptz) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_read int;
begin
  if exists (select from unnest(p_ids) i where not exists (
    select from notification n where n.tenant_id = v_tenant and n.member_id = p_member and n.id = i))
  then
    return null;
  end if;
  update notification n set read_at = tenant_now(v_tenant)
  where n.tenant_id = v_tenant and n.member_id = p_member and n.read_at is null
    and (n.id = any (p_ids) or n.at <= p_until);
  get diagnostics v_read = row_count;
  return v_read;
end $$;
grant execute on function notifications_read(uuid, uuid[], timestamptz) to engawa_app;

-- ── What a message says, judged when it goes out ─────────────────────────────────────────────────

/* What a touch of this room said when it was last written out, so that the claim can ask whether that still holds. */
create table touch_saying (
  tenant_id     uuid not null,
  touchpoint_id uuid not null,
  /* What it names. */
  contributions uuid[] not null,
  /* How many facts it tells; 0: there is nothing to say. */
  parts         int not null,
  primary key (tenant_id, touchpoint_id),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id)
);
call protect('touch_saying');

/* A text by language, in the one that fits. */
create function text_in(p_texts jsonb, p_locale text) returns text language sql immutable parallel safe as $$
  select coalesce(p_texts ->> p_locale, p_texts ->> split_part(p_locale, '-', 1), p_texts ->> 'en', p_texts ->> 'ja')
$$;

/* The first words of a text, on one line. */
create function text_excerpt(p_text text, p_most int) returns text language sql immutable parallel safe as $$
  select case when length(t) > p_most then left(t, p_most - 1) || '…' else t end
  from (select btrim(regexp_replace(p_text, '[[:space:][:cntrl:]]+', ' ', 'g')) as t) x
$$;

/* Those facts of a notification's touch that the member may see now; null contribution: facts about nothing written. */
create function notification_seen_parts(p_touch touchpoint) returns setof notification_part language sql stable as $$
  select p.* from notification n
  join notification_part p on p.tenant_id = n.tenant_id and p.notification_id = n.id and p.occurrence = p_touch.occurrence
  left join contribution c on c.tenant_id = p.tenant_id and c.id = p.contribution_id
  join sights(array[p_touch.member_id]) s on true
  where n.tenant_id = p_touch.tenant_id and n.id = p_touch.source_id::uuid and n.read_at is null
    and (p.actor_id is null or p.actor_id <> all (s.blocked))
    and (p.contribution_id is null
      or in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id)
         and c.state = 'PUBLISHED')
    and not exists (select from space_notice x
      where x.tenant_id = p.tenant_id and x.member_id = p.member_id and x.space_id = c.space_id and x.level = 'NONE')
$$;

/* The parameters of a notification's message: who did what, and where, as the member may see it now. */
create function notification_says(p_touch touchpoint) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := p_touch.tenant_id;
  v_kind text := (
    select n.kind from notification n where n.tenant_id = v_tenant and n.id = p_touch.source_id::uuid);
  v_parts notification_part[] := array(select p from notification_seen_parts(p_touch) p order by p.at desc, p.fact_id desc);
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
      'title', coalesce(text_excerpt(v_root.title, 80), text_excerpt(v_root.body, 80), ''),
      'excerpt', coalesce(text_excerpt(v_newest.body, 200), ''),
      'space', coalesce((select text_in(s.name, m.locale) from space s
        where s.tenant_id = v_tenant and s.id = v_newest.space_id), ''),
      'thread', v_root.id, 'contribution', v_newest.id, 'subject', v_parts[1].subject)
    from member m join tenant t on t.id = m.tenant_id
    where m.tenant_id = v_tenant and m.id = p_touch.member_id));
end $$;

/*
 * What a touch says that is written when it goes out, not when it was planned: {"is": "say", "parameters"}, or nothing
 * when the member may see none of it now.
 */
create function touch_says(p_touchpoint uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_touch touchpoint;
begin
  select * into v_touch from touchpoint t where t.tenant_id = current_tenant() and t.id = p_touchpoint;
  return case v_touch.source_type
    when 'notification' then notification_says(v_touch) when 'digest' then digest_says(v_touch)
    else jsonb_build_object('is', 'nothing') end;
end $$;
grant execute on function touch_says(uuid) to engawa_app;

/*
 * Whether what a touch of this room is about to say may no longer be said: null, or the refusal, see contact_refusal.
 * Asked in the transaction that claims, so that between the look and the sending nothing can change unseen. What was
 * not sent yet is written out once more; what was written for an earlier attempt is not sent any more.
 */
create function saying_refusal(p_touch touchpoint, p_now timestamptz) returns jsonb language plpgsql as $$
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
         where c.tenant_id = v_tenant and c.id = any (v_saying.contributions) and in_sight(c.needs, c.state, c.root_state,
           c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id))
        < cardinality(v_saying.contributions)
     or p_touch.source_type = 'notification' and not v_is_written and v_saying.parts <> (
        select count(*) from notification_seen_parts(p_touch)) then
    return jsonb_build_object('reason', 'NO_ACCESS', 'detail', '{}'::jsonb,
      'until', case when not v_is_written then p_now + interval '1 second' end);
  end if;
  return null;
end $$;

alter table touch_decision drop constraint touch_decision_reason_check;
alter table touch_decision add constraint touch_decision_reason_check check (reason in (
  'NO_CONSENT', 'SUPPRESSED', 'UNREACHABLE', 'QUIET_HOURS', 'FREQUENCY_CAP', 'TOO_SOON', 'STAGE_POLICY', 'IGNORED',
  'OUTRANKED', 'QUOTA', 'CIRCUIT_OPEN', 'CHANNEL_DISABLED', 'CHANNEL_MISSING', 'CONTENT', 'EXPIRED', 'PAUSED',
  'MEMBERSHIP_ENDED', 'PROVIDER', 'CANCELLED', 'NO_ACCESS', 'NOTHING_TO_SAY'));

/*
 * Whether a touch may go out through a channel now: null when it may, else {"reason", "until", "detail"}; until is
 * when to ask again, null when it may not go this way at all. Called by the claim, one touch of a member at a time.
 * What is written in spaces is told to nobody who may not see it at this moment. Volatile, because what another claim has just committed must be seen.
 */
create or replace function contact_refusal(p_touchpoint uuid, p_channel text, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_policy jsonb := (select c.policy from contact_policy c where c.tenant_id = v_tenant order by c.version desc limit 1);
  v_touch touchpoint;
  v_stage jsonb;
  v_cap jsonb;
  v_refusal jsonb;
  v_until timestamptz;
begin
  select * into strict v_touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint;
  if v_touch.source_type = 'test' then
    return null;
  elsif v_touch.source_type = 'broadcast' and exists (
      select from broadcast b where b.tenant_id = v_tenant and b.id = v_touch.source_id::uuid and b.state = 'CANCELLED') then
    return jsonb_build_object('reason', 'CANCELLED', 'until', null, 'detail',
      jsonb_build_object('broadcast', v_touch.source_id));
  elsif v_touch.source_type in ('notification', 'digest') then
    v_refusal := saying_refusal(v_touch, p_now);
    if v_refusal is not null then
      return v_refusal;
    end if;
  end if;
  -- Of channels whose address is the member, nobody else asks.
  if exists (
      select from suppression s
      where s.tenant_id = v_tenant and s.lifted_at is null and (s.until is null or s.until > p_now)
        and s.key = member_channel_key(v_tenant, v_touch.member_id, p_channel)) then
    return jsonb_build_object('reason', 'SUPPRESSED', 'until', null, 'detail', '{}'::jsonb);
  end if;
  if v_touch.class = 'MARKETING' then
    v_stage := (
      select p from jsonb_array_elements(v_policy -> 'stages') p, lifecycle_state s
      where s.tenant_id = v_tenant and s.member_id = v_touch.member_id
        and p ->> 'stage' = case when s.silent_at < p_now then s.silent_stage else s.stage end);
    if not coalesce(nullif(v_stage -> 'purposes', 'null') ? v_touch.purpose, true)
       or not coalesce(nullif(v_stage -> 'channels', 'null') ? p_channel, true) then
      return jsonb_build_object('reason', 'STAGE_POLICY', 'until', null,
        'detail', jsonb_build_object('stage', v_stage ->> 'stage'));
    end if;
    -- STOP counts each channel of the touch, so that the next one is no way around it.
    if exists (
      select from unnest(case v_policy #>> '{ignored,response}' when 'STOP' then v_touch.channels else array[p_channel] end) c
      where ignored_streak(v_touch.member_id, c) >= (v_policy #>> '{ignored,after}')::int) then
      return jsonb_build_object('reason', 'IGNORED', 'until', null, 'detail',
        jsonb_build_object('after', v_policy #> '{ignored,after}'));
    end if;
    if v_stage ->> 'shortestSilence' is not null then
      v_refusal := contact_room(v_touch, null, 1, v_stage ->> 'shortestSilence', 'TOO_SOON', p_now);
      if v_refusal is not null then
        return v_refusal;
      end if;
    end if;
  end if;
  for v_cap in
    select c from jsonb_array_elements(v_policy -> 'caps') c
    where c ->> 'class' = v_touch.class and coalesce(c ->> 'channel', p_channel) = p_channel
  loop
    v_refusal := contact_room(v_touch, v_cap ->> 'channel', (v_cap ->> 'most')::int, v_cap ->> 'within',
                              'FREQUENCY_CAP', p_now);
    if v_refusal is not null then
      return v_refusal;
    end if;
  end loop;
  v_until := contact_quiet_until(v_touch, p_channel, v_policy, p_now);
  if v_until is not null then
    return jsonb_build_object('reason', 'QUIET_HOURS', 'until', v_until, 'detail', '{}'::jsonb);
  end if;
  return null;
end $$;

-- ── Choosing ─────────────────────────────────────────────────────────────────────────────────────

/* Sets how a member hears of these kinds through a channel. */
create function notification_choose(p_member uuid, p_kinds text[], p_channel text, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into notification_choice as c (tenant_id, member_id, kind, channel, is_on)
  select current_tenant(), p_member, k, p_channel, p_is_on from unnest(p_kinds) k
  on conflict (tenant_id, member_id, kind, channel) do update set is_on = excluded.is_on;
  return '{"is": "done"}';
end $$;

/*
 * Sets how much of a space a member is told of; null: what it follows decides again. What was set for a space that it
 * may not see any more can be taken away, and nothing else done to it. Outcomes: done {}, not_found.
 */
create function space_notice_set(p_member uuid, p_space uuid, p_level text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if p_level is null or p_level = 'NONE' then
    if exists (select from space_notice n
               where n.tenant_id = v_tenant and n.member_id = p_member and n.space_id = p_space) then
      delete from space_notice n
      where n.tenant_id = v_tenant and n.member_id = p_member and n.space_id = p_space and p_level is null;
      update space_notice n set level = 'NONE'
      where n.tenant_id = v_tenant and n.member_id = p_member and n.space_id = p_space and p_level = 'NONE';
      return '{"is": "done"}';
    end if;
  end if;
  if not exists (select from space_seers(p_space, array[p_member])) then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  elsif p_level is not null then
    insert into space_notice as n (tenant_id, member_id, space_id, level, since)
    values (v_tenant, p_member, p_space, p_level, tenant_now(v_tenant))
    on conflict (tenant_id, member_id, space_id) do update set level = excluded.level;
  end if;
  return '{"is": "done"}';
end $$;
grant execute on function
  notification_choose(uuid, text[], text, boolean), space_notice_set(uuid, uuid, text) to engawa_app;

-- ── Digests ──────────────────────────────────────────────────────────────────────────────────────

/* That a member wants to hear once a day or a week what was new, at a time of its own clocks. */
create table digest_setting (
  tenant_id  uuid not null,
  member_id  uuid not null,
  period     text not null check (period in ('DAILY', 'WEEKLY')),
  local_time text not null check (local_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  /* Of a weekly one. */
  weekday    text check (weekday in ('MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN')),
  /* In which it is tried. */
  channels   text[] not null check (cardinality(channels) between 1 and 10),
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((period = 'WEEKLY') = (weekday is not null))
);
call protect('digest_setting');
call sight_own('digest_setting');
grant select on digest_setting to engawa_app;

/* One window of a member's digest: what became visible from `starts_at` on and before `due_at`, told once. */
create table digest (
  tenant_id     uuid not null,
  id            uuid not null default uuid_v7(),
  member_id     uuid not null,
  period        text not null check (period in ('DAILY', 'WEEKLY')),
  starts_at     timestamptz not null,
  due_at        timestamptz not null,
  state         text not null default 'OPEN' check (state in ('OPEN', 'FLUSHED', 'CALLED_OFF')),
  /* The touch that carries it; null: nobody is to get it. */
  touchpoint_id uuid,
  primary key (tenant_id, id),
  unique (tenant_id, member_id, period, starts_at),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id),
  check (due_at > starts_at)
);
create unique index digest_open on digest (tenant_id, member_id) where state = 'OPEN';
create index digest_due on digest (tenant_id, due_at, id) where state = 'OPEN';
call protect('digest');
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on digest for select to engawa_system using (true);
grant select (tenant_id, state, due_at) on digest to engawa_system;
call sight_own('digest');
grant select on digest to engawa_app;

/* When a digest is due next after an instant, on the clocks of the member. */
create function digest_next(p_setting digest_setting, p_zone text, p_after timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select local_due(jsonb_build_object('time', p_setting.local_time) || case when p_setting.weekday is null then '{}'
    else jsonb_build_object('weekdays', jsonb_build_array(p_setting.weekday)) end, p_zone, p_after + interval '1 second')
$$;

/*
 * Sets a member's digest: {"period", "local_time", "weekday", "channels"}, or none when p_setting is null. The window
 * that is open goes on with another end. Outcomes: done {}.
 */
create function digest_set(p_member uuid, p_setting jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text;
  v_setting digest_setting := jsonb_populate_record(null::digest_setting, p_setting);
begin
  perform member_lock(p_member);
  if p_setting is null then
    delete from digest_setting d where d.tenant_id = v_tenant and d.member_id = p_member;
    update digest d set state = 'CALLED_OFF' where d.tenant_id = v_tenant and d.member_id = p_member and d.state = 'OPEN';
    return '{"is": "done"}';
  end if;
  insert into digest_setting as d (tenant_id, member_id, period, local_time, weekday, channels)
  values (v_tenant, p_member, v_setting.period, v_setting.local_time, v_setting.weekday, v_setting.channels)
  on conflict (tenant_id, member_id) do update set period = excluded.period, local_time = excluded.local_time,
    weekday = excluded.weekday, channels = excluded.channels;
  v_zone := (select m.time_zone from member m where m.tenant_id = v_tenant and m.id = p_member);
  update digest d set period = v_setting.period, due_at = digest_next(v_setting, v_zone, v_now)
  where d.tenant_id = v_tenant and d.member_id = p_member and d.state = 'OPEN';
  if not found then
    insert into digest (tenant_id, member_id, period, starts_at, due_at)
    values (v_tenant, p_member, v_setting.period, v_now, digest_next(v_setting, v_zone, v_now))
    on conflict (tenant_id, member_id, period, starts_at) do update set state = 'OPEN', due_at = excluded.due_at;
  end if;
  return '{"is": "done"}';
end $$;
grant execute on function digest_set(uuid, jsonb) to engawa_app;

/* A member who lives by other clocks gets the digest at its time there. */
create function digest_follows_zone() returns trigger language plpgsql as $$
begin
  update digest d set due_at = digest_next(s, new.time_zone, tenant_now(new.tenant_id))
  from digest_setting s
  where d.tenant_id = new.tenant_id and d.member_id = new.id and d.state = 'OPEN'
    and s.tenant_id = d.tenant_id and s.member_id = d.member_id;
  return null;
end $$;
create trigger digest_follows_zone after update of time_zone on member
  for each row when (old.time_zone is distinct from new.time_zone) execute function digest_follows_zone();

/*
 * Flushes the windows that are due, at most p_limit: in one transaction each is closed, the next one begins where it
 * ended, and its touch is planned, whose content is written when it goes out. How many they were.
 */
create function digests_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_purpose purpose := purpose_of('community-digest');
  v_flushed uuid[];
begin
  with due as (
    select d.* from digest d where d.tenant_id = v_tenant and d.state = 'OPEN' and d.due_at <= v_now
    order by d.due_at, d.id limit p_limit for no key update skip locked
  ), wanted as (
    select d.*, s.channels, m.time_zone, m.membership, s as setting from due d
    join digest_setting s on s.tenant_id = d.tenant_id and s.member_id = d.member_id
    join member m on m.tenant_id = d.tenant_id and m.id = d.member_id
  ), planned as (
    insert into touchpoint (tenant_id, member_id, channels, channel, purpose, class, content, planned_at, due_at,
      source_type, source_id, priority, expires_at, wish)
    select v_tenant, w.member_id, w.channels, w.channels[1], 'community-digest', v_purpose.class,
      '{"template": "digest", "parameters": {}}', v_now, v_now, 'digest', w.id::text, 40, v_now + interval '1 day',
      v_purpose.wish
    from wanted w where w.membership = 'ACTIVE'
    on conflict (tenant_id, member_id, purpose, source_type, source_id, occurrence) do nothing
    returning id, member_id, source_id
  ), announced as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'touchpoint.planned', p.member_id, jsonb_build_object('touchpoint', p.id), v_now from planned p
  ), flushed as (
    update digest d set state = 'FLUSHED', touchpoint_id = p.id
    from due x left join planned p on p.source_id = x.id::text
    where d.tenant_id = x.tenant_id and d.id = x.id
    returning d.member_id
  )
  -- A member has one that is open: so the next begins only in the statement after this.
  select coalesce(array_agg(f.member_id), '{}') into v_flushed from flushed f;
  insert into digest (tenant_id, member_id, period, starts_at, due_at)
  select v_tenant, s.member_id, s.period, last.due_at, digest_next(s, m.time_zone, greatest(v_now, last.due_at))
  from digest_setting s
  join member m on m.tenant_id = s.tenant_id and m.id = s.member_id
  join lateral (
    select d.due_at, d.state from digest d where d.tenant_id = s.tenant_id and d.member_id = s.member_id
    order by d.starts_at desc limit 1) last on last.state = 'FLUSHED'
  where s.tenant_id = v_tenant and s.member_id = any (v_flushed)
  on conflict do nothing;
  return cardinality(v_flushed);
end $$;
grant execute on function digests_settle_due(int) to engawa_app;

/*
 * What a digest says: the threads of its window that the member may see now and has not read, those first that it
 * follows or whose space it is in, then the livelier ones; at most ten. What it wrote itself is no news.
 */
create function digest_says(p_touch touchpoint) returns jsonb language plpgsql as $$
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
      and c.published_at < v_digest.due_at and c.state = 'PUBLISHED'
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

-- ── What every tenant begins with ────────────────────────────────────────────────────────────────

/* The purposes and texts of this room, until the tenant writes its own. */
create function notification_preset(p_tenant uuid) returns void language plpgsql as $$
declare
  v_before text := coalesce(current_setting('app.tenant', true), '');
begin
  perform set_config('app.tenant', p_tenant::text, true);
  insert into purpose (tenant_id, key, name, class, consent, wish) values
    (p_tenant, 'community', '{"en": "News of your conversations", "ja": "会話のお知らせ"}', 'SERVICE', 'SINGLE', 'preferMiss'),
    (p_tenant, 'community-digest', '{"en": "What is new, in one message", "ja": "新着のまとめ"}', 'SERVICE', 'SINGLE',
     'preferMiss')
  on conflict (tenant_id, key) do nothing;
  insert into template (tenant_id, key, version, actor, saved_at, texts)
  select p_tenant, x.key, 1, 'engawa', now(), x.texts from (values
    ('notification', $json$[
      {"locale": "ja", "kind": null,
       "title": "【{{ tenant.name }}】{% case parameters.kind %}{% when 'MENTION' %}あなたへの言及がありました{% when 'ANSWER' %}ご質問に回答がありました{% when 'ANSWER_ACCEPTED' %}あなたの回答が採用されました{% when 'COMMENT' %}コメントがありました{% when 'REPLY' %}フォロー中の会話に返信がありました{% when 'POST' %}新しい投稿がありました{% when 'BADGE' %}バッジを獲得しました{% when 'INTRODUCTION' %}ご紹介があります{% else %}新しいメッセージがあります{% endcase %}",
       "body": "{{ member.displayName }} 様\n\n{{ parameters.actor }} 様{% if parameters.others > 0 %}ほか {{ parameters.others }} 名{% endif %}からのお知らせです。{% if parameters.title != '' %}\n\n「{{ parameters.title }}」（{{ parameters.space }}）\n{{ parameters.excerpt }}{% endif %}"},
      {"locale": "en", "kind": null,
       "title": "[{{ tenant.name }}] {% case parameters.kind %}{% when 'MENTION' %}You were mentioned{% when 'ANSWER' %}Your question has an answer{% when 'ANSWER_ACCEPTED' %}Your answer was accepted{% when 'COMMENT' %}There is a comment for you{% when 'REPLY' %}A reply in a conversation that you follow{% when 'POST' %}Something new in what you follow{% when 'BADGE' %}You earned a badge{% when 'INTRODUCTION' %}Somebody would like to meet you{% else %}You have a new message{% endcase %}",
       "body": "Dear {{ member.displayName }},\n\nthis is about {{ parameters.actor }}{% if parameters.others == 1 %} and one other{% elsif parameters.others > 1 %} and {{ parameters.others }} others{% endif %}.{% if parameters.title != '' %}\n\n“{{ parameters.title }}” in {{ parameters.space }}\n{{ parameters.excerpt }}{% endif %}"}]$json$::jsonb),
    ('digest', $json$[
      {"locale": "ja", "kind": null, "title": "【{{ tenant.name }}】新着のまとめ（{{ parameters.count }} 件）",
       "body": "{{ member.displayName }} 様\n\n新しい話題をお届けします。\n{% for item in parameters.items %}\n・{{ item.title }}（{{ item.space }}）{% if item.replies > 0 %} 返信 {{ item.replies }} 件{% endif %}{% endfor %}{% if parameters.more > 0 %}\n\nほか {{ parameters.more }} 件{% endif %}"},
      {"locale": "en", "kind": null, "title": "[{{ tenant.name }}] What is new: {{ parameters.count }}",
       "body": "Dear {{ member.displayName }},\n\nthis is new for you:\n{% for item in parameters.items %}\n- {{ item.title }} ({{ item.space }}){% if item.replies > 0 %}, replies: {{ item.replies }}{% endif %}{% endfor %}{% if parameters.more > 0 %}\n\nAnd {{ parameters.more }} more.{% endif %}"}]$json$::jsonb)
  ) x (key, texts)
  where not exists (select from template t where t.tenant_id = p_tenant and t.key = x.key);
  perform set_config('app.tenant', v_before, true);
end $$;
create function notification_preset_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform notification_preset(new.id);
  return null;
end $$;
create trigger notification_preset_of_new_tenant after insert on tenant
  for each row execute function notification_preset_of_new_tenant();
select notification_preset(t) from every_tenant() t;
