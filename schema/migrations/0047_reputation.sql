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

/*
 * What is not published any more, by whoever, gives nobody reputation, nor does what stands under it; back, it does
 * again. By its name after the trigger that brings a thread along (contributions before members), and before the one
 * that ends acceptances, whose members are locked here as well: all in one order.
 */
create function reputation_follows() returns trigger language plpgsql as $$
declare
  v_texts uuid[] := case when new.parent_id is not null then array[new.id] else array(
    select c.id from contribution c where c.tenant_id = new.tenant_id and c.root_id = new.id) end;
  v_entries uuid[] := array(
    select e.id from reputation_entry e where e.tenant_id = new.tenant_id and e.contribution_id = any (v_texts) and e.is_given);
begin
  perform members_lock(array(
    select e.member_id from reputation_entry e where e.tenant_id = new.tenant_id and e.id = any (v_entries)
    union
    select c.author_id from accepted_answer x join contribution c on c.tenant_id = x.tenant_id and c.id in (x.answer_id, x.question_id)
    where x.tenant_id = new.tenant_id and (x.answer_id = any (v_texts) or x.question_id = any (v_texts))));
  perform reputation_restate(v_entries);
  return null;
end $$;
create trigger follows_reputation after update of state on contribution for each row
  when ((old.state = 'PUBLISHED') <> (new.state = 'PUBLISHED')) execute function reputation_follows();

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
