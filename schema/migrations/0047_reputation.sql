-- Reputation: what others think of what a member wrote, cause by cause; what that earns in points; badges; and whom a
-- member is tied to.

set local role engawa_owner;

-- ── What the tenant wants ────────────────────────────────────────────────────────────────────────

/* What holds where a tenant defined nothing else; the application knows the same. */
create function reputation_policy() returns jsonb language sql stable as $$
  select coalesce(
    (select d.body || jsonb_build_object('version', d.version) from definition d
     where d.tenant_id = current_tenant() and d.kind = 'reputation' and d.key = 'reputation' and d.is_live),
    '{"version": 0, "floor": 1, "perDay": 200, "perPairAndDay": 60, "perContribution": 500,
      "exempt": ["ACCEPTED", "ACCEPTING"],
      "amounts": [{"cause": "VOTE_UP", "on": ["QUESTION", "ANSWER"], "amount": 10},
                  {"cause": "VOTE_UP", "on": ["POST"], "amount": 5},
                  {"cause": "VOTE_DOWN", "on": ["QUESTION", "ANSWER", "POST"], "amount": -2},
                  {"cause": "ACCEPTED", "amount": 15}, {"cause": "ACCEPTING", "amount": 2},
                  {"cause": "THANKED", "amount": 2}]}'::jsonb)
$$;

-- ── Reputation, cause by cause ───────────────────────────────────────────────────────────────────

/*
 * One cause of somebody's reputation: one row for whoever gave it, whatever it was for and why, however often it is
 * taken back and given again. What it was worth is settled once, when it first came, and so is the day whose caps it
 * used; the room that it took there is not free again when it ends. It counts while its cause stands and what was
 * written is there for everybody.
 */
create table reputation_entry (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  /* Whose reputation. */
  member_id       uuid not null,
  /* Whose vote, thanks or question; null: staff. */
  giver_id        uuid,
  contribution_id uuid not null,
  cause           text not null check (cause in ('VOTE_UP', 'VOTE_DOWN', 'ACCEPTED', 'ACCEPTING', 'THANKED')),
  /* By the policy, and what the caps left of that. */
  amount          int not null,
  kept            int not null,
  /* The version of the definition; 0: what holds without one. */
  policy          int not null,
  at              timestamptz not null,
  /* By the tenant's calendar. */
  day             date not null,
  /* Whether the vote, the thanks or the acceptance stands. */
  is_given        boolean not null,
  ended_at        timestamptz,
  /* TAKEN_BACK by whoever gave it; GONE with what was written. */
  ended_why       text check (ended_why in ('TAKEN_BACK', 'GONE')),
  /* The activity that it earns points by, now; null: none. */
  activity_id     uuid,
  /* Points that could neither be taken back nor be owed: it earns none again. */
  lost            bigint not null default 0,
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, contribution_id, cause, giver_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, giver_id) references member (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check ((ended_at is null) = (ended_why is null)),
  check (kept between least(amount, 0) and greatest(amount, 0)),
  check (giver_id is distinct from member_id)
);
create index reputation_entry_of_member on reputation_entry (tenant_id, member_id, id);
create index reputation_entry_of_day on reputation_entry (tenant_id, member_id, day);
create index reputation_entry_newest on reputation_entry (tenant_id, at);
create index reputation_entry_of_giver on reputation_entry (tenant_id, giver_id, id) where giver_id is not null;
call protect('reputation_entry');
call sight_own('reputation_entry');
grant select on reputation_entry to engawa_app;

create trigger kept before delete or truncate on reputation_entry
  for each statement execute function refuse_change('what reputation came from stays written down');
create trigger same_entry before update of tenant_id, id, member_id, giver_id, contribution_id, cause, amount, kept, policy,
  at, day on reputation_entry for each row execute function refuse_change('an entry keeps what it was worth');

/* The sum of what a member's standing entries kept. */
create table reputation (
  tenant_id uuid not null,
  member_id uuid not null,
  total     bigint not null,
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
) with (fillfactor = 70);
create index reputation_highest on reputation (tenant_id, total desc, member_id);
call protect('reputation');
call sight_own('reputation');
grant select on reputation to engawa_app;

/* The reputation of these members, as everybody may know it. */
create function reputations(p_members uuid[]) returns table (member_id uuid, reputation bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id, greatest(coalesce(r.total, 0), (select (reputation_policy() ->> 'floor')::bigint))
  from member m left join reputation r on r.tenant_id = m.tenant_id and r.member_id = m.id
  where m.tenant_id = current_tenant() and m.id = any (p_members)
$$;
grant execute on function reputations(uuid[]) to engawa_app;

/*
 * What the caps leave of an amount for p_member on a day, by rows that are there already, whether they count or have
 * ended. The member is locked.
 */
create function reputation_kept(
  p_policy jsonb, p_member uuid, p_giver uuid, p_contribution uuid, p_cause text, p_amount int, p_day date
) returns int language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_sign int := sign(p_amount);
  v_is_exempt boolean := p_policy -> 'exempt' ? p_cause;
  v_left bigint := abs(p_amount);
begin
  if not v_is_exempt and v_sign > 0 then
    v_left := least(v_left, (p_policy ->> 'perDay')::bigint - coalesce((
      select sum(e.kept) from reputation_entry e
      where e.tenant_id = v_tenant and e.member_id = p_member and e.day = p_day and e.kept > 0
        and not p_policy -> 'exempt' ? e.cause), 0));
  end if;
  if p_giver is not null then
    v_left := least(v_left, (p_policy ->> 'perPairAndDay')::bigint - coalesce((
      select sum(abs(e.kept)) from reputation_entry e
      where e.tenant_id = v_tenant and e.member_id = p_member and e.day = p_day and e.giver_id = p_giver
        and sign(e.kept) = v_sign), 0));
  end if;
  if not v_is_exempt then
    v_left := least(v_left, (p_policy ->> 'perContribution')::bigint - coalesce((
      select sum(abs(e.kept)) from reputation_entry e
      where e.tenant_id = v_tenant and e.contribution_id = p_contribution and e.member_id = p_member
        and sign(e.kept) = v_sign and not p_policy -> 'exempt' ? e.cause), 0));
  end if;
  return v_sign * greatest(v_left, 0);
end $$;

/*
 * Points of a member that earn_take_back, under a key and in a transaction, could neither take back nor have it owe;
 * found by the keys that it gives its wallets.
 */
create function points_lost(p_member uuid, p_key text, p_transaction uuid) returns bigint language sql stable as $$
  select coalesce(sum(d.amount), 0)::bigint from op o
  join debt_posting d on d.tenant_id = o.tenant_id and d.transaction_id = o.transaction_id and d.kind = 'LOST'
  where o.tenant_id = current_tenant() and o.idempotency_key = any (array[p_key] || array(
    select format('engawa:earn:back:%s:%s', p_transaction, w.id) from wallet w
    where w.tenant_id = current_tenant() and w.member_id = p_member))
$$;

/* Takes back the points that an entry earned, that one lot and no other; the member is locked. */
create function reputation_unpay(p_entry reputation_entry) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_key text := 'engawa:unvote:' || p_entry.activity_id;
  v_transaction uuid;
begin
  if exists (select from earn_basis b where b.tenant_id = v_tenant and b.source_type = 'activity'
             and b.source_id = p_entry.activity_id::text) then
    select o.transaction_id into strict v_transaction
    from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'UNVOTE', 'engawa', v_now) o;
    perform earn_take_back(v_transaction, 'activity', p_entry.activity_id::text, 0, '[]', true, v_now,
      'A vote no longer counts', 'engawa');
    perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_transaction));
  end if;
  update reputation_entry e set activity_id = null, lost = e.lost + points_lost(p_entry.member_id, v_key, v_transaction)
  where e.tenant_id = v_tenant and e.id = p_entry.id;
  -- What counts activities is not to count this one.
  delete from activity a where a.tenant_id = v_tenant and a.id = p_entry.activity_id;
end $$;

/*
 * Brings entries to what stands now, there and back by one way: whether they count, the sum of their members, and the
 * points that votes for answers and posts earn by the activity vote.received. What stands already is let be.
 */
create function reputation_restate(p_entries uuid[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_turned uuid[];
  v_turn record;
  v_entry reputation_entry;
begin
  v_turned := array(
    select e.id from reputation_entry e
    join contribution c on c.tenant_id = v_tenant and c.id = e.contribution_id
    where e.tenant_id = v_tenant and e.id = any (p_entries)
      and (e.is_given and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED') <> (e.ended_at is null));
  if cardinality(v_turned) = 0 then
    return;
  end if;
  perform members_lock(array(
    select e.member_id from reputation_entry e where e.tenant_id = v_tenant and e.id = any (v_turned)));
  update reputation_entry e set
    ended_at = case when e.ended_at is null then v_now end,
    ended_why = case when e.ended_at is not null then null when e.is_given then 'GONE' else 'TAKEN_BACK' end
  where e.tenant_id = v_tenant and e.id = any (v_turned);
  insert into reputation as r (tenant_id, member_id, total)
  select v_tenant, e.member_id, sum(case when e.ended_at is null then e.kept else -e.kept end)
  from reputation_entry e where e.tenant_id = v_tenant and e.id = any (v_turned)
  group by e.member_id order by e.member_id
  on conflict (tenant_id, member_id) do update set total = r.total + excluded.total;

  for v_turn in
    select e as entry, c.kind from reputation_entry e
    join contribution c on c.tenant_id = v_tenant and c.id = e.contribution_id
    where e.tenant_id = v_tenant and e.id = any (v_turned) and e.cause = 'VOTE_UP' and c.kind in ('ANSWER', 'POST')
    order by e.member_id, e.id
  loop
    v_entry := v_turn.entry;
    if v_entry.ended_at is not null then
      if v_entry.activity_id is not null then
        perform reputation_unpay(v_entry);
        perform tiers_touch(array[v_entry.member_id], v_now);
      end if;
    elsif v_entry.lost = 0 and exists (
      select from member m where m.tenant_id = v_tenant and m.id = v_entry.member_id and m.membership <> 'ENDED')
    then
      update reputation_entry e set activity_id = activity_record(v_entry.member_id, 'vote.received', v_entry.id::text,
        jsonb_build_object('contribution', v_entry.contribution_id, 'answer', (v_turn.kind = 'ANSWER')::int,
          'post', (v_turn.kind = 'POST')::int), v_now)
      where e.tenant_id = v_tenant and e.id = v_entry.id;
    end if;
  end loop;
end $$;

/*
 * Says whether a cause stands. The first time it is judged by the policy and its caps; nobody gives itself anything,
 * and staff and former members have no reputation. The caller holds what was written.
 */
create function reputation_set(
  p_contribution uuid, p_cause text, p_member uuid, p_giver uuid, p_is_given boolean
) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_day date := (v_now at time zone (select t.time_zone from tenant t where t.id = v_tenant))::date;
  v_policy jsonb;
  v_kind text;
  v_amount int;
  v_entry uuid;
begin
  select e.id into v_entry from reputation_entry e
  where e.tenant_id = v_tenant and e.contribution_id = p_contribution and e.cause = p_cause
    and e.giver_id is not distinct from p_giver;
  if v_entry is not null then
    update reputation_entry e set is_given = p_is_given
    where e.tenant_id = v_tenant and e.id = v_entry and e.is_given <> p_is_given;
  elsif p_is_given and p_member is not null and p_member is distinct from p_giver then
    v_policy := reputation_policy();
    v_kind := (select c.kind from contribution c where c.tenant_id = v_tenant and c.id = p_contribution);
    v_amount := (
      select (a ->> 'amount')::int from jsonb_array_elements(v_policy -> 'amounts') with ordinality x (a, n)
      where a ->> 'cause' = p_cause and (a -> 'on' is null or a -> 'on' ? v_kind) order by n limit 1);
    if v_amount is null and v_kind not in ('QUESTION', 'ANSWER', 'POST') then
      return;
    end if;
    perform member_lock(p_member);
    -- It counts from reputation_restate on.
    insert into reputation_entry (tenant_id, member_id, giver_id, contribution_id, cause, amount, kept, policy, at, day,
      is_given, ended_at, ended_why)
    values (v_tenant, p_member, p_giver, p_contribution, p_cause, coalesce(v_amount, 0),
      reputation_kept(v_policy, p_member, p_giver, p_contribution, p_cause, coalesce(v_amount, 0), v_day),
      (v_policy ->> 'version')::int, v_now, v_day, true, v_now, 'GONE')
    returning id into v_entry;
  end if;
  perform reputation_restate(array[v_entry]);
end $$;

-- ── Where reputation comes from ──────────────────────────────────────────────────────────────────

/* A member's vote changed: called by contribution_reacted. A vote takes the place of the opposite one. */
create function reputation_reacted(p_contribution contribution, p_member uuid, p_kind text, p_is_on boolean) returns void
language plpgsql as $$
begin
  if p_kind not in ('UP', 'DOWN') then
    return;
  elsif p_is_on then
    perform reputation_set(p_contribution.id, case p_kind when 'UP' then 'VOTE_DOWN' else 'VOTE_UP' end,
      p_contribution.author_id, p_member, false);
  end if;
  perform reputation_set(p_contribution.id, 'VOTE_' || p_kind, p_contribution.author_id, p_member, p_is_on);
end $$;

/*
 * An answer was accepted, or no longer is. Nobody has anything of accepting its own answer, of an answer to its own
 * question, or of what was imported; who asked has something of accepting itself.
 */
create function reputation_accepted() returns trigger language plpgsql as $$
declare
  v_asker uuid := (select c.author_id from contribution c where c.tenant_id = new.tenant_id and c.id = new.question_id);
  v_by uuid := (select m.id from member m where m.tenant_id = new.tenant_id and new.actor = 'member:' || m.external_id);
begin
  if tg_op = 'UPDATE' then
    perform reputation_unset(new.answer_id, array['ACCEPTED', 'ACCEPTING']);
  elsif new.answerer_id is distinct from v_by and new.answerer_id is distinct from v_asker
     -- Points that were lost are not earned again, but it was helped again.
     and (new.activity_id is not null
          or exists (select from acceptance a where a.tenant_id = new.tenant_id and a.answer_id = new.answer_id and a.lost > 0))
  then
    perform reputation_set(new.answer_id, 'ACCEPTED', new.answerer_id, v_asker, true);
    if v_by = v_asker then
      perform reputation_set(new.answer_id, 'ACCEPTING', v_asker, new.answerer_id, true);
    end if;
  end if;
  return null;
end $$;
create trigger reputation after insert on acceptance for each row execute function reputation_accepted();
create trigger reputation_ended after update of ended_at on acceptance for each row
  when (old.ended_at is null and new.ended_at is not null) execute function reputation_accepted();

/* No cause of these stands any more for what was written, whoever gave it. */
create function reputation_unset(p_contribution uuid, p_causes text[]) returns void language plpgsql as $$
declare
  v_entries uuid[];
begin
  with ended as (
    update reputation_entry e set is_given = false
    where e.tenant_id = current_tenant() and e.contribution_id = p_contribution and e.cause = any (p_causes) and e.is_given
    returning e.id)
  select array_agg(n.id) into v_entries from ended n;
  perform reputation_restate(v_entries);
end $$;

/* Somebody gave thanks. */
create function reputation_thanked() returns trigger language plpgsql as $$
begin
  perform reputation_set(new.contribution_id, 'THANKED', (
    select c.author_id from contribution c where c.tenant_id = new.tenant_id and c.id = new.contribution_id),
    new.member_id, true);
  return null;
end $$;
create trigger reputation after insert on answer_thanks for each row execute function reputation_thanked();

/* A text, and when it is a thread all that stands in it. */
create function contribution_texts(p_row contribution) returns uuid[] language sql stable as $$
  select case when p_row.parent_id is not null then array[p_row.id] else array(
    select c.id from contribution c where c.tenant_id = p_row.tenant_id and c.root_id = p_row.id) end
$$;

/* Who has something by a text, or by what stands in the thread: its author, whoever has reputation or an acceptance by it. */
create function contribution_members(p_row contribution) returns uuid[] language sql stable as $$
  with texts as materialized (select contribution_texts(p_row) as ids)
  select array(
    select p_row.author_id
    union
    select e.member_id from texts t
    join reputation_entry e on e.tenant_id = p_row.tenant_id and e.contribution_id = any (t.ids) and e.is_given
    union
    select c.author_id from texts t
    join accepted_answer x on x.tenant_id = p_row.tenant_id and (x.answer_id = any (t.ids) or x.question_id = any (t.ids))
    join contribution c on c.tenant_id = x.tenant_id and c.id in (x.answer_id, x.question_id))
$$;

/*
 * What is not published any more, by whoever, gives nobody reputation, nor does what stands under it; back, it does
 * again. By its name after the trigger that brings a thread along (contributions before members), and before what ends
 * acceptances and takes points back, whose members are locked here as well: all in one order.
 */
create function reputation_follows() returns trigger language plpgsql as $$
begin
  perform members_lock(contribution_members(new));
  perform reputation_restate(array(
    select e.id from reputation_entry e
    where e.tenant_id = new.tenant_id and e.contribution_id = any (contribution_texts(new)) and e.is_given));
  return null;
end $$;
create trigger follows_reputation after update of state on contribution for each row
  when ((old.state = 'PUBLISHED') <> (new.state = 'PUBLISHED')) execute function reputation_follows();

-- ── Badges ───────────────────────────────────────────────────────────────────────────────────────

create table badge (
  tenant_id     uuid not null,
  kind          text not null generated always as ('badge') stored,
  key           text not null,
  version       int not null,
  /* Texts by language. */
  name          jsonb not null,
  description   jsonb not null,
  /* [{"count": "ANSWERS", "atLeast": 10}]; all of them have to be met. */
  criteria      jsonb not null,
  /* Whether it is earned again with as much more. */
  is_repeatable boolean not null,
  /* The number `points` that rules for the activity badge.earned see. */
  points        int not null,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version)
);
call protect('badge');
grant select on badge to engawa_app;

/* A badge that a member earned: once for each time, and kept whatever comes. */
create table badge_award (
  tenant_id   uuid not null,
  member_id   uuid not null,
  badge       text not null,
  nth         int not null check (nth > 0),
  /* Of the badge as it was earned. */
  version     int not null,
  at          timestamptz not null,
  primary key (tenant_id, member_id, badge, nth),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, badge, version) references badge (tenant_id, key, version)
);
call protect('badge_award');
call sight_own('badge_award');
grant select on badge_award to engawa_app;
create trigger kept before update or delete or truncate on badge_award
  for each statement execute function refuse_change('a badge that was earned stays earned');

/* Members of whom something changed that badges count; the worker judges them, and takes the row away. */
create table badge_look (
  tenant_id uuid not null,
  id        uuid not null default uuid_v7(),
  member_id uuid not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('badge_look');
create policy system on badge_look for select to engawa_system using (true);
grant select (tenant_id) on badge_look to engawa_system;

/* After a badge was defined everybody is judged, in the order of ids. */
create table badge_pass (
  tenant_id uuid primary key references tenant,
  after     uuid not null
);
call protect('badge_pass');
create policy system on badge_pass for select to engawa_system using (true);
grant select (tenant_id) on badge_pass to engawa_system;

create function badge_of_definition() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.body is null then
    return null;
  end if;
  insert into badge (tenant_id, key, version, name, description, criteria, is_repeatable, points)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', new.body -> 'description', new.body -> 'criteria',
    coalesce((new.body ->> 'isRepeatable')::boolean, false), coalesce((new.body ->> 'points')::int, 0));
  insert into badge_pass as p (tenant_id, after)
  select new.tenant_id, '00000000-0000-0000-0000-000000000000'
  where exists (select from member m where m.tenant_id = new.tenant_id)
  on conflict (tenant_id) do update set after = excluded.after;
  return null;
end $$;
create trigger badge_of_definition after insert on definition for each row when (new.kind = 'badge')
  execute function badge_of_definition();

/* Something of these members changed that badges count. */
create function badges_look(p_members uuid[]) returns void language sql as $$
  insert into badge_look (tenant_id, member_id)
  select current_tenant(), m from unnest(p_members) m where m is not null
$$;

create function badges_look_at_author() returns trigger language plpgsql as $$
begin
  perform badges_look(array[new.author_id]);
  return null;
end $$;
create trigger looks_for_badges after insert or update of state on contribution for each row
  when (new.state = 'PUBLISHED' and new.author_id is not null and new.source_key is null)
  execute function badges_look_at_author();

create function badges_look_at_member() returns trigger language plpgsql as $$
begin
  perform badges_look(array[new.member_id]);
  return null;
end $$;
create trigger looks_for_badges after insert or update on reputation for each row execute function badges_look_at_member();
create trigger looks_for_badges after insert on trust_day for each row execute function badges_look_at_member();
create trigger looks_for_badges after update of level on trust for each row execute function badges_look_at_member();
create trigger looks_for_badges after update of completed_at on enrolment for each row
  when (new.completed_at is not null) execute function badges_look_at_member();


/* Who has the same trouble is helped by the answer that was accepted. */
create function badges_look_at_helper() returns trigger language plpgsql as $$
begin
  perform badges_look(array(
    select c.author_id from accepted_answer x join contribution c on c.tenant_id = x.tenant_id and c.id = x.answer_id
    where x.tenant_id = new.tenant_id and x.question_id = new.contribution_id));
  return null;
end $$;
create trigger looks_for_badges after insert on me_too for each row execute function badges_look_at_helper();

/* What badges count, of each of these members. What was imported, and answers to oneself, are no deeds. */
create function badge_counts(p_members uuid[]) returns table (member_id uuid, what text, n bigint)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
begin
  return query
  select c.author_id, case c.kind when 'QUESTION' then 'QUESTIONS' when 'ANSWER' then 'ANSWERS' when 'POST' then 'POSTS'
      else 'COMMENTS' end, count(*)
  from contribution c left join contribution p on p.tenant_id = v_tenant and p.id = c.parent_id and c.kind = 'ANSWER'
  where c.tenant_id = v_tenant and c.author_id = any (p_members) and c.kind in ('QUESTION', 'ANSWER', 'POST', 'COMMENT')
    and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED' and c.source_key is null
    and (p.id is null or p.author_id is distinct from c.author_id)
  group by 1, 2
  union all
  select e.member_id, case e.cause when 'ACCEPTED' then 'ACCEPTED_ANSWERS' when 'THANKED' then 'THANKS' else 'VOTES' end, count(*)
  from reputation_entry e
  where e.tenant_id = v_tenant and e.member_id = any (p_members) and e.ended_at is null
    and e.cause in ('ACCEPTED', 'THANKED', 'VOTE_UP')
  group by 1, 2
  union all
  select r.member_id, 'REPUTATION', r.total from reputation r where r.tenant_id = v_tenant and r.member_id = any (p_members)
  union all
  select h.member_id, 'HELPED', h.helped from helped_counts(p_members) h
  union all
  select t.member_id, 'TRUST_LEVEL', t.level from trust t where t.tenant_id = v_tenant and t.member_id = any (p_members)
  union all
  select d.member_id, 'DAYS_VISITED', count(*) from trust_day d
  where d.tenant_id = v_tenant and d.member_id = any (p_members) group by 1
  union all
  select n.member_id, 'COURSES_COMPLETED', count(distinct n.course_id) from enrolment n
  where n.tenant_id = v_tenant and n.member_id = any (p_members) and n.completed_at is not null group by 1;
end $$;

/*
 * Gives these members the badges that they have earned and not got, all in one statement, and tells of each. Members
 * who have left earn none. How many were given.
 */
create function badges_judge(p_members uuid[]) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_given badge_award[];
  v_award badge_award;
begin
  perform members_lock(p_members);
  with live as (
    select b.* from badge b
    join definition d on d.tenant_id = v_tenant and d.kind = 'badge' and d.key = b.key and d.version = b.version and d.is_live
    where b.tenant_id = v_tenant
  ), counted as materialized (
    select c.* from badge_counts(array(
      select m.id from member m where m.tenant_id = v_tenant and m.id = any (p_members) and m.membership <> 'ENDED')) c
  ), met as (
    select l.key, l.version, l.is_repeatable, c.member_id, min(c.n / k."atLeast") as times
    from live l cross join lateral jsonb_to_recordset(l.criteria) k (count text, "atLeast" int)
    join counted c on c.what = k.count
    group by l.key, l.version, l.is_repeatable, l.criteria, c.member_id
    having count(*) = jsonb_array_length(l.criteria)
  ), given as (
    insert into badge_award as a (tenant_id, member_id, badge, nth, version, at)
    select v_tenant, m.member_id, m.key, n, m.version, v_now
    from met m, generate_series(1, least(m.times, case when m.is_repeatable then 100 else 1 end)::int) n
    on conflict do nothing
    returning a
  )
  select array_agg(g.a order by (g.a).member_id, (g.a).badge, (g.a).nth) into v_given from given g;
  foreach v_award in array coalesce(v_given, '{}') loop
    perform announce('badge.earned', v_award.member_id,
      jsonb_build_object('badge', v_award.badge, 'nth', v_award.nth::text), v_now);
    perform activity_record(v_award.member_id, 'badge.earned', format('%s:%s:%s', v_award.badge, v_award.nth, v_award.member_id),
      jsonb_build_object('badge', v_award.badge, 'points', (
        select b.points from badge b where b.tenant_id = v_tenant and b.key = v_award.badge and b.version = v_award.version)),
      v_now);
  end loop;
  return coalesce(cardinality(v_given), 0);
end $$;

/* Judges up to p_limit members of whom something changed, and as many when a badge is new; how many. */
create function badges_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_members uuid[];
  v_pass badge_pass;
  v_done int;
begin
  with looked as (
    delete from badge_look l where l.tenant_id = v_tenant and l.id in (
      select o.id from badge_look o where o.tenant_id = v_tenant order by o.id limit p_limit for update skip locked)
    returning l.member_id)
  select array_agg(distinct k.member_id) into v_members from looked k;
  v_done := coalesce(cardinality(v_members), 0);
  select * into v_pass from badge_pass p where p.tenant_id = v_tenant for update skip locked;
  if v_pass.tenant_id is not null then
    v_members := v_members || array(
      select m.id from member m where m.tenant_id = v_tenant and m.id > v_pass.after order by m.id limit p_limit);
    if cardinality(v_members) = v_done then
      delete from badge_pass p where p.tenant_id = v_tenant;
    else
      update badge_pass p set after = v_members[cardinality(v_members)] where p.tenant_id = v_tenant;
    end if;
    v_done := v_done + 1;
  end if;
  if v_members is not null then
    perform badges_judge(v_members);
  end if;
  return v_done;
end $$;
grant execute on function badges_settle_due(int) to engawa_app;

/* What every tenant begins with. A tenant that has badges already is let be. */
create function badge_presets(p_tenant uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_before text := coalesce(current_setting('app.tenant', true), '');
begin
  perform set_config('app.tenant', p_tenant::text, true);
  if not exists (select from definition d where d.tenant_id = p_tenant and d.kind = 'badge') then
    perform definition_publish((
      select jsonb_agg(jsonb_build_object('kind', 'badge', 'key', x.key, 'body', jsonb_build_object(
        'name', jsonb_build_object('en', x.en, 'ja', x.ja),
        'description', jsonb_build_object('en', x.text_en, 'ja', x.text_ja),
        'criteria', jsonb_build_array(jsonb_build_object('count', x.count, 'atLeast', x.at_least)))) order by x.key)
      from (values
        ('first-answer', 'First answer', 'はじめての回答', 'Answered somebody for the first time.', 'はじめて質問に答えました。', 'ANSWERS', 1),
        ('first-accepted', 'Problem solver', 'はじめてのベストアンサー', 'Solved the question of somebody else.', 'はじめて質問を解決しました。', 'ACCEPTED_ANSWERS', 1),
        ('ten-accepted', 'Ten solved', 'ベストアンサー10', 'Solved ten questions.', '10の質問を解決しました。', 'ACCEPTED_ANSWERS', 10),
        ('first-thanks', 'First thanks', 'はじめてのありがとう', 'Was thanked for an answer.', 'はじめてお礼をもらいました。', 'THANKS', 1),
        ('ten-helped', 'Ten people helped', '10人の力に', 'Helped ten people.', '10人の力になりました。', 'HELPED', 10),
        ('thirty-days', 'Regular', '常連さん', 'Came by on thirty days.', '30日訪れました。', 'DAYS_VISITED', 30),
        ('first-course', 'Graduate', 'はじめての修了', 'Completed a course.', 'はじめて講座を修了しました。', 'COURSES_COMPLETED', 1)
      ) x (key, en, ja, text_en, text_ja, count, at_least)), null, 'engawa');
  end if;
  perform set_config('app.tenant', v_before, true);
end $$;

create function badges_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform badge_presets(new.id);
  return null;
end $$;
create trigger reputation_of_new_tenant after insert on tenant for each row execute function badges_of_new_tenant();
select badge_presets(t) from every_tenant() t;

/* The badges of these members, as everybody may know them: each with how often and since when, the newest first. */
create function badges_of(p_members uuid[]) returns table (
  member_id uuid, key text, name jsonb, description jsonb, times int, first_at timestamptz, last_at timestamptz
) language sql stable security definer set search_path = public, pg_temp as $$
  select a.member_id, a.badge, (array_agg(b.name order by a.nth desc))[1], (array_agg(b.description order by a.nth desc))[1],
    count(*)::int, min(a.at), max(a.at)
  from badge_award a join badge b on b.tenant_id = a.tenant_id and b.key = a.badge and b.version = a.version
  where a.tenant_id = current_tenant() and a.member_id = any (p_members)
  group by a.member_id, a.badge order by a.member_id, max(a.at) desc, a.badge
$$;
grant execute on function badges_of(uuid[]) to engawa_app;

-- ── Ties ─────────────────────────────────────────────────────────────────────────────────────────

/*
 * To whom a member is tied, and how strongly: an accepted answer and an introduction weigh 5, thanks 3, a reply 2, a
 * reaction that is no vote against 1, either way; each half as much for every 180 days that have passed, and nothing after
 * two years. Only what is published and in sight of the member counts, and nobody who has left or was blocked. Reactions
 * alone tie nobody: who gave them is not told. The strongest first.
 */
create function ties_of(p_member uuid, p_limit int) returns table (
  other_id uuid, display_name text, strength double precision, accepted int, thanks int, replies int, reactions int,
  is_introduced boolean, last_at timestamptz
) language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_since timestamptz := v_now - interval '2 years';
begin
  if not exists (select from member_entitled(array[p_member])) then
    return;
  end if;
  return query
  with eyes as materialized (
    select * from sights(array[p_member])
  ), mutual (other_id, what, weight, contribution_id, at) as (
    select case when e.member_id = p_member then e.giver_id else e.member_id end, e.cause,
      case e.cause when 'ACCEPTED' then 5 else 3 end, e.contribution_id, e.at
    from reputation_entry e
    where e.tenant_id = v_tenant and p_member in (e.member_id, e.giver_id) and e.giver_id is not null
      and e.ended_at is null and e.cause in ('ACCEPTED', 'THANKED')
    union all
    select p.author_id, 'REPLY', 2, c.id, c.published_at
    from contribution c join contribution p on p.tenant_id = v_tenant and p.id = c.parent_id
    where c.tenant_id = v_tenant and c.author_id = p_member
    union all
    select c.author_id, 'REPLY', 2, c.id, c.published_at
    from contribution p join contribution c on c.tenant_id = v_tenant and c.parent_id = p.id
    where p.tenant_id = v_tenant and p.author_id = p_member
    union all
    select c.author_id, 'REACTION', 1, c.id, r.at
    from reaction r join contribution c on c.tenant_id = v_tenant and c.id = r.contribution_id
    where r.tenant_id = v_tenant and r.member_id = p_member and r.kind <> 'DOWN'
    union all
    select r.member_id, 'REACTION', 1, c.id, r.at
    from contribution c join reaction r on r.tenant_id = v_tenant and r.contribution_id = c.id and r.kind <> 'DOWN'
    where c.tenant_id = v_tenant and c.author_id = p_member
    union all
    select case when i.one_id = p_member then i.other_id else i.one_id end, 'INTRODUCED', 5, null, i.settled_at
    from introduction i
    where i.tenant_id = v_tenant and p_member in (i.one_id, i.other_id) and i.state = 'INTRODUCED'
  ), seen as (
    select x.* from mutual x
    left join contribution c on c.tenant_id = v_tenant and c.id = x.contribution_id
    where x.other_id <> p_member and x.at > v_since and (x.contribution_id is null or (
      c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED' and exists (
        select from eyes s where in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated,
          s.blocked, p_member))))
  ), tied as (
    select x.other_id, round(sum(x.weight * 0.5 ^ (extract(epoch from v_now - x.at) / 86400 / 180))::numeric, 2)::double precision as strength,
      (count(*) filter (where x.what = 'ACCEPTED'))::int as accepted, (count(*) filter (where x.what = 'THANKED'))::int as thanks,
      (count(*) filter (where x.what = 'REPLY'))::int as replies, (count(*) filter (where x.what = 'REACTION'))::int as reactions,
      bool_or(x.what = 'INTRODUCED') as is_introduced, max(x.at) as last_at
    from seen x group by x.other_id having bool_or(x.what <> 'REACTION')
  )
  select t.other_id, m.display_name, t.strength, t.accepted, t.thanks, t.replies, t.reactions, t.is_introduced, t.last_at
  from tied t join member m on m.tenant_id = v_tenant and m.id = t.other_id
  where t.other_id in (select member_entitled(array(select o.other_id from tied o)))
    and not is_blocked(p_member, t.other_id)
  order by t.strength desc, t.other_id limit p_limit;
end $$;
grant execute on function ties_of(uuid, int) to engawa_app;

/*
 * Who gained most reputation from p_from on and before p_until, in a space or everywhere: by what still counts and what
 * p_viewer may see (null: staff, all of it). Nobody who has left, nor whom the viewer blocked or was blocked by. Members
 * with as much share a rank.
 */
create function leaderboard(p_viewer uuid, p_space uuid, p_from timestamptz, p_until timestamptz, p_limit int)
returns table (member_id uuid, display_name text, gained bigint, rank int)
language sql stable security definer set search_path = public, pg_temp as $$
  with eyes as materialized (
    select * from sights(array[p_viewer]) where p_viewer is not null
  ), best as (
    select e.member_id, sum(e.kept) as gained
    from reputation_entry e join contribution c on c.tenant_id = e.tenant_id and c.id = e.contribution_id
    where e.tenant_id = current_tenant() and e.ended_at is null and e.at >= p_from and e.at < p_until
      and (p_space is null or c.space_id = p_space)
      and (p_viewer is null or exists (
        select from eyes s where in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated,
          s.blocked, p_viewer)))
    group by e.member_id having sum(e.kept) > 0
  )
  select b.member_id, m.display_name, b.gained, (rank() over (order by b.gained desc))::int
  from best b join member m on m.tenant_id = current_tenant() and m.id = b.member_id
  where b.member_id in (select member_entitled(array(select o.member_id from best o)))
    and (p_viewer is null or not is_blocked(p_viewer, b.member_id))
  order by b.gained desc, b.member_id limit p_limit
$$;
grant execute on function leaderboard(uuid, uuid, timestamptz, timestamptz, int) to engawa_app;

-- As in 0037_questions.sql, without thanks in threads that are gone.

/* How many people each of these members helped: askers whom their accepted answers helped, who had the same trouble, and who thanked. */
create or replace function helped_counts(p_members uuid[]) returns table (member_id uuid, helped int)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
  select x.helper, count(distinct x.other)::int from (
    select a.author_id as helper, q.author_id as other
    from accepted_answer x
    join contribution a on a.tenant_id = x.tenant_id and a.id = x.answer_id
    join contribution q on q.tenant_id = x.tenant_id and q.id = x.question_id
    where x.tenant_id = current_tenant() and a.author_id = any (p_members)
    union all
    select a.author_id, t.member_id
    from accepted_answer x
    join contribution a on a.tenant_id = x.tenant_id and a.id = x.answer_id
    join me_too t on t.tenant_id = x.tenant_id and t.contribution_id = x.question_id
    where x.tenant_id = current_tenant() and a.author_id = any (p_members)
    union all
    select a.author_id, t.member_id
    from answer_thanks t join contribution a on a.tenant_id = t.tenant_id and a.id = t.contribution_id
    where t.tenant_id = current_tenant() and a.author_id = any (p_members) and a.state = 'PUBLISHED' and a.root_state = 'PUBLISHED') x
  where x.other is distinct from x.helper and x.other is not null
  group by x.helper;
end $$;

-- As in 0037_questions.sql, with whoever asked among the members that are locked, and what was lost found by keys.

/*
 * Ends an acceptance, however that came: takes back the lot that it earned, and no other, and what was written down of
 * it as an activity. The caller holds the lock of the question; the one way back for all of them.
 */
create or replace function acceptance_end(p_acceptance uuid, p_why text, p_actor text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row acceptance;
  v_key text := 'engawa:unaccept:' || p_acceptance;
  v_op record;
begin
  -- Both whom it gave reputation, in their order.
  perform members_lock(array[a.answerer_id, c.author_id])
  from acceptance a join contribution c on c.tenant_id = a.tenant_id and c.id = a.question_id
  where a.tenant_id = v_tenant and a.id = p_acceptance;
  update acceptance a set ended_at = v_now, ended_by = p_actor, ended_why = p_why
  where a.tenant_id = v_tenant and a.id = p_acceptance and a.ended_at is null
  returning * into v_row;
  if v_row.id is null then
    return;
  end if;
  delete from accepted_answer x where x.tenant_id = v_tenant and x.acceptance_id = p_acceptance;
  if v_row.activity_id is not null then
    select * into strict v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'UNACCEPT', p_actor, v_now);
    perform earn_take_back(v_op.transaction_id, 'activity', v_row.activity_id::text, 0, '[]', true, v_now,
      'Answer no longer accepted', p_actor);
    perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_op.transaction_id));
    update acceptance a set lost = points_lost(v_row.answerer_id, v_key, v_op.transaction_id)
    where a.tenant_id = v_tenant and a.id = p_acceptance;
    -- What counts activities is not to count this one.
    delete from activity a where a.tenant_id = v_tenant and a.id = v_row.activity_id;
    perform tiers_touch(array[v_row.answerer_id], v_now);
  end if;
  perform question_restate(array[v_row.question_id]);
  perform announce('answer.unaccepted', v_row.answerer_id,
    jsonb_build_object('question', v_row.question_id, 'answer', v_row.answer_id), v_now);
end $$;

/*
 * Accepts an answer, or with p_answer null takes that back. The asker does, a moderator or staff (p_member null).
 * p_expects: the answer that the caller believes to be accepted, as JSON; null: whichever. Nobody earns by an answer
 * to its own question, nor by accepting its own. Outcomes: done {question}, not_found, access_denied,
 * accepted_answer_changed {answer}, key_reused.
 */
create or replace function answer_accept(
  p_key text, p_hash bytea, p_question uuid, p_answer uuid, p_expects jsonb, p_member uuid, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_question contribution;
  v_refusal jsonb;
  v_current accepted_answer;
  v_id uuid := uuid_v7();
  v_answerer uuid;
  v_activity uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'ACCEPT', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  -- Whoever changes which answer is accepted, or whether one is published, holds the question.
  select * into v_question from contribution c
  where c.tenant_id = v_tenant and c.id = p_question for no key update;
  v_refusal := question_may_decide(v_question, p_member);
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  end if;
  select * into v_current from accepted_answer a where a.tenant_id = v_tenant and a.question_id = p_question;
  if p_expects #>> '{}' is not null and not exists (
    select from answer a where a.tenant_id = v_tenant and a.question_id = p_question
      and a.contribution_id = (p_expects #>> '{}')::uuid) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'answer'));
  elsif p_expects is not null and p_expects #>> '{}' is distinct from v_current.answer_id::text then
    return op_finish(p_key, jsonb_build_object('is', 'accepted_answer_changed', 'answer', v_current.answer_id));
  elsif p_answer is not distinct from v_current.answer_id then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'question', p_question));
  end if;
  if p_answer is null then
    perform acceptance_end(v_current.acceptance_id, 'UNACCEPTED', p_actor);
    return op_finish(p_key, jsonb_build_object('is', 'done', 'question', p_question));
  end if;
  -- That it is an answer to this very question, and there to be read, is part of the statement that accepts it.
  insert into accepted_answer as x (tenant_id, question_id, answer_id, acceptance_id, at)
  select a.tenant_id, a.question_id, a.contribution_id, v_id, v_now
  from answer a join contribution c on c.tenant_id = a.tenant_id and c.id = a.contribution_id
  where a.tenant_id = v_tenant and a.contribution_id = p_answer and a.question_id = p_question
    and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED' and contribution_seen(c.id, p_member)
  on conflict (tenant_id, question_id) do update
    set answer_id = excluded.answer_id, acceptance_id = excluded.acceptance_id, at = excluded.at;
  if not found then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'answer'));
  end if;
  v_answerer := (select c.author_id from contribution c where c.tenant_id = v_tenant and c.id = p_answer);
  perform members_lock(array[v_answerer, v_question.author_id, (
    select a.answerer_id from acceptance a where a.tenant_id = v_tenant and a.id = v_current.acceptance_id)]);
  if v_current.acceptance_id is not null then
    perform acceptance_end(v_current.acceptance_id, 'REPLACED', p_actor);
  end if;
  if v_answerer is distinct from v_question.author_id and v_answerer is distinct from p_member
     and exists (select from member m where m.tenant_id = v_tenant and m.id = v_answerer and m.membership <> 'ENDED')
     -- Who has spent what was taken back, and owes nothing for it, does not get it a second time.
     and not exists (select from acceptance a where a.tenant_id = v_tenant and a.answer_id = p_answer and a.lost > 0)
  then
    v_activity := activity_record(v_answerer, 'answer.accepted', v_id::text,
      jsonb_build_object('question', p_question, 'answer', p_answer), v_now);
  end if;
  insert into acceptance (tenant_id, id, question_id, answer_id, answerer_id, actor, at, activity_id)
  values (v_tenant, v_id, p_question, p_answer, v_answerer, p_actor, v_now, v_activity);
  perform question_restate(array[p_question]);
  perform announce('answer.accepted', v_answerer,
    jsonb_build_object('question', p_question, 'answer', p_answer), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'question', p_question));
end $$;
