-- Questions and their answers: which answer solved a question, what that earns and how it is taken back; what is known
-- from elsewhere.

set local role engawa_owner;

-- ── What is special to questions and answers ─────────────────────────────────────────────────────

create table question (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  kind            text not null default 'QUESTION' check (kind in ('QUESTION', 'CONSULTATION')),
  /* Follows from the rest; kept for lists. See question_restate. */
  state           text not null default 'OPEN' check (state in ('OPEN', 'ANSWERED', 'ACCEPTED', 'CLOSED')),
  closed_at       timestamptz,
  closed_reason   text check (closed_reason in ('DUPLICATE', 'UNCLEAR', 'OFF_TOPIC', 'SOLVED', 'OTHER')),
  closed_by       text,
  /* Members besides the asker who have the same trouble. */
  me_too_count    int not null default 0 check (me_too_count >= 0),
  /* Who is asked to answer a consultation. */
  expert_id       uuid,
  /* When staff are called, unless somebody answers before; and when they were. */
  escalates_at    timestamptz,
  escalated_at    timestamptz,
  /* What the asker says of the help. */
  is_satisfied    boolean,
  satisfied_at    timestamptz,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, expert_id) references member (tenant_id, id),
  check ((closed_at is null) = (closed_reason is null)),
  check ((closed_at is not null) = (state = 'CLOSED'))
);
create index question_state on question (tenant_id, state, contribution_id);
create index question_escalates on question (tenant_id, escalates_at) where escalates_at is not null;
create index question_of_expert on question (tenant_id, expert_id, contribution_id) where expert_id is not null;
call protect('question');
call sight_follows('question');
grant select on question to engawa_app;
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on question for select to engawa_system using (true);
grant select (tenant_id, escalates_at) on question to engawa_system;

create table answer (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  question_id     uuid not null,
  /* Whether the shop itself stands behind it. */
  is_official     boolean not null default false,
  primary key (tenant_id, contribution_id),
  unique (tenant_id, contribution_id, question_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, question_id) references question (tenant_id, contribution_id)
);
create index answer_of_question on answer (tenant_id, question_id, contribution_id);
call protect('answer');
call sight_follows('answer');
grant select on answer to engawa_app;

/* The answer that solved a question: one at most, and always one of its own. */
create table accepted_answer (
  tenant_id     uuid not null,
  question_id   uuid not null,
  answer_id     uuid not null,
  acceptance_id uuid not null,
  at            timestamptz not null,
  primary key (tenant_id, question_id),
  unique (tenant_id, answer_id),
  foreign key (tenant_id, question_id) references question (tenant_id, contribution_id),
  foreign key (tenant_id, answer_id) references answer (tenant_id, contribution_id),
  foreign key (tenant_id, answer_id, question_id) references answer (tenant_id, contribution_id, question_id)
);
call protect('accepted_answer');
create policy sight on accepted_answer as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = accepted_answer.tenant_id and c.id = answer_id));
grant select on accepted_answer to engawa_app;

/* Every time that an answer was accepted, and how that ended. Each earns by itself, and loses that alone. */
create table acceptance (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  question_id uuid not null,
  answer_id   uuid not null,
  /* Whose answer it is; null: staff, or a former member. */
  answerer_id uuid,
  actor       text not null,
  at          timestamptz not null,
  /* The activity that it earned by; null: it earned nothing. */
  activity_id uuid,
  ended_at    timestamptz,
  ended_by    text,
  ended_why   text check (ended_why in ('UNACCEPTED', 'REPLACED', 'ANSWER_GONE', 'QUESTION_GONE')),
  /* Points that could neither be taken back nor be owed. */
  lost        bigint not null default 0,
  primary key (tenant_id, id),
  foreign key (tenant_id, answer_id, question_id) references answer (tenant_id, contribution_id, question_id),
  foreign key (tenant_id, answerer_id) references member (tenant_id, id),
  check ((ended_at is null) = (ended_why is null))
);
create index acceptance_of_answer on acceptance (tenant_id, answer_id, id);
create index acceptance_of_member on acceptance (tenant_id, answerer_id, id) where answerer_id is not null;
call protect('acceptance');
create policy sight on acceptance as restrictive for select to engawa_app using (
  (select app_member()) is null or answerer_id = (select app_member()));
grant select on acceptance to engawa_app;
create trigger kept before delete or truncate on acceptance
  for each statement execute function refuse_change('what was accepted stays written down');

/* Members who have the same trouble. */
create table me_too (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references question (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index me_too_of_member on me_too (tenant_id, member_id, contribution_id);
call protect('me_too');
call sight_follows('me_too');
grant select on me_too to engawa_app;

create function me_too_counts() returns trigger language plpgsql as $$
declare
  v me_too := coalesce(new, old);
begin
  update question q set me_too_count = q.me_too_count + case when tg_op = 'INSERT' then 1 else -1 end
  where q.tenant_id = v.tenant_id and q.contribution_id = v.contribution_id;
  return null;
end $$;
create trigger counts after insert or delete on me_too for each row execute function me_too_counts();

/* Which question asks what another one asked before. */
create table question_duplicate (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  original_id     uuid not null,
  at              timestamptz not null,
  actor           text not null,
  primary key (tenant_id, contribution_id, original_id),
  foreign key (tenant_id, contribution_id) references question (tenant_id, contribution_id),
  foreign key (tenant_id, original_id) references question (tenant_id, contribution_id),
  check (contribution_id <> original_id)
);
create index question_duplicate_of on question_duplicate (tenant_id, original_id, contribution_id);
call protect('question_duplicate');
call sight_follows('question_duplicate');
grant select on question_duplicate to engawa_app;

/* Brings the states of questions up to date. */
create function question_restate(p_questions uuid[]) returns void language sql as $$
  update question q set state = x.state
  from (
    select c.id, case
      when o.closed_at is not null then 'CLOSED'
      when exists (select from accepted_answer a where a.tenant_id = c.tenant_id and a.question_id = c.id) then 'ACCEPTED'
      when c.answer_count > 0 then 'ANSWERED' else 'OPEN' end as state
    from contribution c join question o on o.tenant_id = c.tenant_id and o.contribution_id = c.id
    where c.tenant_id = current_tenant() and c.id = any (p_questions)) x
  where q.tenant_id = current_tenant() and q.contribution_id = x.id and q.state <> x.state
$$;

create function question_counted() returns trigger language plpgsql as $$
begin
  perform question_restate(array[new.id]);
  return null;
end $$;
create trigger question_counted after update of answer_count on contribution for each row
  when (new.kind = 'QUESTION' and new.answer_count <> old.answer_count) execute function question_counted();

-- ── Asking and answering ─────────────────────────────────────────────────────────────────────────

/* A question or an answer has become visible. Called by contribution_published. */
create function questions_published(p_contribution contribution) returns void language plpgsql as $$
begin
  if p_contribution.kind = 'QUESTION' then
    perform announce('question.asked', p_contribution.author_id,
      jsonb_build_object('question', p_contribution.id), p_contribution.published_at);
  elsif p_contribution.kind = 'ANSWER' then
    perform announce('answer.given', p_contribution.author_id,
      jsonb_build_object('answer', p_contribution.id, 'question', p_contribution.parent_id), p_contribution.published_at);
  end if;
end $$;

/*
 * Asks. p_what as for contribution_write, with "questionKind" and "expert" (a member's id). Asked by the same member
 * with the same words within five minutes, the first question is answered again. Outcomes: done {question, state},
 * those of contribution_write, key_reused.
 */
create function question_ask(p_key text, p_hash bytea, p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_done jsonb;
  v_known uuid;
begin
  select * into v_op from op_begin(p_key, p_hash, 'ASK', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif (select s.kind from space s where s.tenant_id = v_tenant and s.id = (p_what ->> 'space')::uuid) <> 'QA' then
    return op_finish(p_key, bad_input('space', 'Questions are asked in spaces of kind QA.'));
  elsif p_member is not null then
    -- One question of a member at a time, so that a button that was hit twice asks once.
    perform member_lock(p_member);
    select c.id into v_known from contribution c
    where c.tenant_id = v_tenant and c.author_id = p_member and c.kind = 'QUESTION'
      and c.space_id = (p_what ->> 'space')::uuid and c.state in ('PUBLISHED', 'PENDING')
      and c.created_at > v_now - interval '5 minutes' and c.title = p_what ->> 'title' and c.body = p_what ->> 'body'
    order by c.id limit 1;
    if v_known is not null then
      return op_finish(p_key, jsonb_build_object('is', 'done', 'question', v_known));
    end if;
  end if;
  v_done := contribution_write(p_member, p_actor, p_what || '{"kind": "QUESTION"}');
  if v_done ->> 'is' <> 'done' then
    return op_finish(p_key, v_done);
  end if;
  insert into question (tenant_id, contribution_id, kind)
  values (v_tenant, (v_done ->> 'contribution')::uuid, coalesce(p_what ->> 'questionKind', 'QUESTION'));
  return op_finish(p_key, jsonb_build_object('is', 'done', 'question', v_done -> 'contribution', 'state', v_done -> 'state'));
end $$;

/*
 * Answers a question. Outcomes: done {answer, question, state}, access_denied (LOCKED), those of contribution_write,
 * key_reused.
 */
create function question_answer(p_key text, p_hash bytea, p_question uuid, p_member uuid, p_actor text, p_what jsonb)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_op record;
  v_done jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'ANSWER', p_actor, tenant_now(v_tenant));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  -- Answers to one question come one after the other: each counts on it.
  perform from contribution c where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION' for no key update;
  if not found or not contribution_seen(p_question, p_member) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'question'));
  elsif exists (select from question q where q.tenant_id = v_tenant and q.contribution_id = p_question
                and q.state = 'CLOSED') then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'LOCKED', 'unlock', null));
  end if;
  v_done := contribution_write(p_member, p_actor, p_what || jsonb_build_object('kind', 'ANSWER', 'parent', p_question));
  if v_done ->> 'is' <> 'done' then
    return op_finish(p_key, v_done);
  end if;
  insert into answer (tenant_id, contribution_id, question_id, is_official)
  values (v_tenant, (v_done ->> 'contribution')::uuid, p_question,
          p_member is null and coalesce((p_what ->> 'isOfficial')::boolean, false));
  return op_finish(p_key, jsonb_build_object('is', 'done', 'answer', v_done -> 'contribution', 'question', p_question,
    'state', v_done -> 'state'));
end $$;

/* Has the same trouble, or no longer. Outcomes: done {question}, not_found, access_denied. */
create function question_me_too(p_question uuid, p_member uuid, p_is_on boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
  v_refusal jsonb;
begin
  select * into v_row from contribution c
  where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION' for no key update;
  if v_row.id is null or not contribution_seen(p_question, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'question');
  end if;
  v_refusal := space_may(v_row.space_id, p_member, 'react');
  if v_refusal is not null then
    return v_refusal;
  elsif v_row.author_id = p_member then
    return jsonb_build_object('is', 'access_denied', 'reason', 'OWN', 'unlock', null);
  elsif p_is_on then
    insert into me_too (tenant_id, contribution_id, member_id, at)
    values (v_tenant, p_question, p_member, tenant_now(v_tenant)) on conflict do nothing;
    insert into follow (tenant_id, member_id, kind, target, since)
    values (v_tenant, p_member, 'THREAD', p_question::text, tenant_now(v_tenant)) on conflict do nothing;
  else
    delete from me_too t where t.tenant_id = v_tenant and t.contribution_id = p_question and t.member_id = p_member;
  end if;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;

/* Whether a member may decide about a question: its asker, a moderator of the space, staff (null). Else the refusal. */
create function question_may_decide(p_row contribution, p_member uuid) returns jsonb language plpgsql stable as $$
begin
  if p_row.id is null or p_row.kind <> 'QUESTION' or not contribution_seen(p_row.id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'question');
  elsif p_member is null or p_row.author_id = p_member or p_row.space_id = any (moderated_by(p_member)) then
    return null;
  end if;
  return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_AUTHOR', 'unlock', null);
end $$;

/*
 * Closes a question (p_reason null: opens it again). As a DUPLICATE of p_original it hands over to it whoever followed
 * it or had the same trouble, the asker included. Outcomes: done {question}, not_found, access_denied, bad_input.
 */
create function question_close(p_question uuid, p_member uuid, p_reason text, p_original uuid, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_refusal jsonb;
begin
  -- Both in the order of their ids, so that two merges the other way round do not wait for each other.
  perform from contribution c where c.tenant_id = v_tenant and c.id in (p_question, p_original)
  order by c.id for no key update;
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question;
  v_refusal := question_may_decide(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  elsif p_reason = 'DUPLICATE' then
    if p_original = p_question then
      return bad_input('duplicateOf', 'A question is no duplicate of itself.');
    elsif not exists (select from contribution c where c.tenant_id = v_tenant and c.id = p_original
                      and c.kind = 'QUESTION') or not contribution_seen(p_original, p_member) then
      return jsonb_build_object('is', 'not_found', 'what', 'question');
    elsif exists (
      with recursive above as (
        select d.original_id from question_duplicate d where d.tenant_id = v_tenant and d.contribution_id = p_original
        union
        select d.original_id from above join question_duplicate d
          on d.tenant_id = v_tenant and d.contribution_id = above.original_id)
      select from above where above.original_id = p_question)
    then
      return bad_input('duplicateOf', 'That question is itself closed as a duplicate of this one.');
    end if;
    insert into question_duplicate (tenant_id, contribution_id, original_id, at, actor)
    values (v_tenant, p_question, p_original, v_now, p_actor) on conflict do nothing;
    -- Who is not to see the original is not handed over to it.
    insert into me_too (tenant_id, contribution_id, member_id, at)
    select v_tenant, p_original, s, v_now from contribution_seers(p_original, array(
      select t.member_id from me_too t where t.tenant_id = v_tenant and t.contribution_id = p_question
      union select v_row.author_id where v_row.author_id is not null)) s
    where s is distinct from (select c.author_id from contribution c where c.tenant_id = v_tenant and c.id = p_original)
    on conflict do nothing;
    insert into follow (tenant_id, member_id, kind, target, since)
    select v_tenant, s, 'THREAD', p_original::text, v_now from contribution_seers(p_original, array(
      select f.member_id from follow f
      where f.tenant_id = v_tenant and f.kind = 'THREAD' and f.target = p_question::text)) s
    on conflict do nothing;
  elsif p_reason is null then
    delete from question_duplicate d where d.tenant_id = v_tenant and d.contribution_id = p_question;
  end if;
  update question q set closed_at = case when p_reason is not null then v_now end, closed_reason = p_reason,
    closed_by = case when p_reason is not null then p_actor end,
    state = case when p_reason is not null then 'CLOSED' else 'OPEN' end
  where q.tenant_id = v_tenant and q.contribution_id = p_question and q.closed_reason is distinct from p_reason;
  if found then
    perform question_restate(array[p_question]);
    perform announce(case when p_reason is null then 'question.reopened' else 'question.closed' end, v_row.author_id,
      jsonb_build_object('question', p_question), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;

-- ── Accepting ────────────────────────────────────────────────────────────────────────────────────

/* Locks members, some perhaps null, in the order of their ids. */
create function members_lock(p_members uuid[]) returns void language sql as $$
  select member_lock(m) from (select distinct m from unnest(p_members) m where m is not null order by m) x
$$;

/*
 * Ends an acceptance, however that came: takes back the lot that it earned, and no other, and what was written down of
 * it as an activity. The caller holds the lock of the question; the one way back for all of them.
 */
create function acceptance_end(p_acceptance uuid, p_why text, p_actor text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row acceptance;
  v_key text := 'engawa:unaccept:' || p_acceptance;
  v_op record;
begin
  update acceptance a set ended_at = v_now, ended_by = p_actor, ended_why = p_why
  where a.tenant_id = v_tenant and a.id = p_acceptance and a.ended_at is null
  returning * into v_row;
  if v_row.id is null then
    return;
  end if;
  delete from accepted_answer x where x.tenant_id = v_tenant and x.acceptance_id = p_acceptance;
  if v_row.activity_id is not null then
    perform member_lock(v_row.answerer_id);
    select * into strict v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'UNACCEPT', p_actor, v_now);
    perform earn_take_back(v_op.transaction_id, 'activity', v_row.activity_id::text, 0, '[]', true, v_now,
      'Answer no longer accepted', p_actor);
    perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_op.transaction_id));
    update acceptance a set lost = coalesce((
      select sum(d.amount) from op o join debt_posting d on d.tenant_id = o.tenant_id and d.transaction_id = o.transaction_id
      where o.tenant_id = v_tenant and d.kind = 'LOST'
        and (o.idempotency_key = v_key
             or o.idempotency_key like 'engawa:earn:back:' || v_op.transaction_id || ':%')), 0)
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
create function answer_accept(
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
  perform members_lock(array[v_answerer, (
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

/* What is no longer published is no longer accepted, however it went. By then the question is locked: it counts answers. */
create function acceptance_follows() returns trigger language plpgsql as $$
begin
  perform acceptance_end(x.acceptance_id, case new.kind when 'ANSWER' then 'ANSWER_GONE' else 'QUESTION_GONE' end, 'engawa')
  from accepted_answer x
  where x.tenant_id = new.tenant_id
    and case new.kind when 'ANSWER' then x.answer_id = new.id else x.question_id = new.id end;
  return null;
end $$;
create trigger goes_with_it after update of state on contribution for each row
  when (new.kind in ('ANSWER', 'QUESTION') and old.state = 'PUBLISHED' and new.state <> 'PUBLISHED')
  execute function acceptance_follows();

grant execute on function
  question_ask(text, bytea, uuid, text, jsonb), question_answer(text, bytea, uuid, uuid, text, jsonb),
  question_me_too(uuid, uuid, boolean), question_close(uuid, uuid, text, uuid, text),
  answer_accept(text, bytea, uuid, uuid, jsonb, uuid, text) to engawa_app;

/* Ten points an accepted answer, of ten a member and day at most. Tenants that pay for it already are let be. */
create function answer_rule_preset(p_tenant uuid) returns void language plpgsql as $$
begin
  perform definition_preset(p_tenant, 'earnRule', 'accepted-answer', '{
    "name": {"en": "Accepted answer", "ja": "ベストアンサー"}, "on": {"activity": "answer.accepted"},
    "points": {"fixed": "10"}, "caps": {"perMember": {"points": "100", "per": "DAY"}}}');
end $$;

create function answer_rule_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform answer_rule_preset(new.id);
  return null;
end $$;
-- By its name after the one that makes the currency.
create trigger earn_rule_of_new_tenant_for_answers after insert on tenant
  for each row execute function answer_rule_of_new_tenant();

do $$
declare
  v_tenant uuid;
begin
  for v_tenant in select every_tenant() loop
    perform set_config('app.tenant', v_tenant::text, true);
    if not exists (select from definition d where d.tenant_id = v_tenant and d.kind = 'earnRule' and d.is_live
                   and d.body #>> '{on,activity}' = 'answer.accepted') then
      perform answer_rule_preset(v_tenant);
    end if;
  end loop;
  perform set_config('app.tenant', '', true);
end $$;

-- ── Import ───────────────────────────────────────────────────────────────────────────────────────

/* Votes that came with an import, each counted once. */
create table imported_vote (
  tenant_id       uuid not null,
  /* Where it comes from, and its key there. */
  source          text not null check (length(source) between 1 and 50),
  key             text not null check (length(key) between 1 and 100),
  contribution_id uuid not null,
  is_up           boolean not null,
  at              timestamptz not null,
  primary key (tenant_id, source, key),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
call protect('imported_vote');

/* Registers those of these that are not known: [{"id", "name"}]. Announces nothing. How many those were. */
create function question_import_members(p_source text, p_rows jsonb) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_now timestamptz := tenant_now(current_tenant());
  v_new int;
begin
  insert into member (tenant_id, external_id, display_name, locale, time_zone, registered_at, membership_since)
  select t.id, p_source || '-' || r.id, coalesce(nullif(trim(left(r.name, 100)), ''), p_source || '-' || r.id), t.locale,
         t.time_zone, v_now, v_now
  from jsonb_to_recordset(p_rows) r (id text, name text) join tenant t on t.id = current_tenant()
  on conflict (tenant_id, external_id) do nothing;
  get diagnostics v_new = row_count;
  return v_new;
end $$;

/* Something written elsewhere, and where it comes to stand. */
create type question_import_row as (
  id text, title text, body text, format text, html text, tags text[], owner text, created timestamptz,
  edited timestamptz, active timestamptz, closed timestamptz, views bigint, up int, down int, search jsonb,
  contribution_id uuid, parent_id uuid, root_id uuid, space_id uuid, root_state text, is_private boolean, gate_id uuid
);

/*
 * Takes what was written elsewhere, all of one kind: QUESTION (into p_space), ANSWER or COMMENT (under what they say is
 * their parent). It is published as it was; nothing is announced, and nobody earns by it. Answers {"new", "known",
 * "orphans": the ids of those whose parent is not there}.
 */
create function question_import_texts(p_source text, p_kind text, p_space uuid, p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_given int := jsonb_array_length(p_rows);
  v_prefix text := p_source || case p_kind when 'COMMENT' then ':comment:' else ':post:' end;
  v_rows question_import_row[];
  v_orphans text[];
  v_new uuid[];
begin
  select array_agg((r.id, r.title, r.body, r.format, r.html, r.tags, r.owner, r.created, r.edited, r.active, r.closed,
    r.views, r.up, r.down, r.search, uuid_v7(), p.id, p.root_id, coalesce(p.space_id, p_space), p.root_state,
    p.is_private, p.gate_id)::question_import_row order by r.ordinality)
  into v_rows
  from rows from (jsonb_to_recordset(p_rows) as (
    id text, parent text, title text, body text, format text, html text, tags text[], owner text, created timestamptz,
    edited timestamptz, active timestamptz, closed timestamptz, views bigint, up int, down int, search jsonb))
    with ordinality r
  left join contribution p on p.tenant_id = v_tenant and p.source_key = p_source || ':post:' || r.parent
  where not exists (select from contribution k where k.tenant_id = v_tenant and k.source_key = v_prefix || r.id);
  v_orphans := array(select i.id from unnest(v_rows) i where p_kind <> 'QUESTION' and i.parent_id is null);
  v_rows := array(select i from unnest(v_rows) i where i.id <> all (v_orphans));

  with written as (
    insert into contribution (tenant_id, id, kind, space_id, root_id, parent_id, author_id, is_by_staff, actor, state,
      root_state, is_private, gate_id, title, body, format, html, tags, source_key, created_at, published_at, edited_at,
      activity_at, up_votes, down_votes, view_count)
    select v_tenant, i.contribution_id, p_kind, i.space_id, coalesce(i.root_id, i.contribution_id), i.parent_id, m.id,
           false, p_actor, 'PUBLISHED', coalesce(i.root_state, 'PUBLISHED'),
           coalesce(i.is_private, false), i.gate_id, i.title, i.body,
           i.format, i.html, coalesce(i.tags, '{}'), v_prefix || i.id, i.created, i.created, i.edited, coalesce(i.active, i.created),
           coalesce(i.up, 0), coalesce(i.down, 0), coalesce(i.views, 0)
    from unnest(v_rows) i
    left join member m on m.tenant_id = v_tenant and m.external_id = p_source || '-' || i.owner
    on conflict do nothing
    returning id
  )
  select array_agg(w.id) into v_new from written w;
  insert into search_document (tenant_id, contribution_id, title, norm, grams, words, version)
  select v_tenant, i.contribution_id, coalesce(i.search ->> 'title', ''), i.search ->> 'norm',
         array(select jsonb_array_elements_text(i.search -> 'grams')),
         array(select jsonb_array_elements_text(i.search -> 'words')), (i.search ->> 'version')::int
  from unnest(v_rows) i where i.contribution_id = any (v_new) and i.search is not null;
  if p_kind = 'QUESTION' then
    insert into question (tenant_id, contribution_id, state, closed_at, closed_reason, closed_by)
    select v_tenant, i.contribution_id, case when i.closed is null then 'OPEN' else 'CLOSED' end, i.closed,
           case when i.closed is not null then 'OTHER' end, case when i.closed is not null then p_actor end
    from unnest(v_rows) i where i.contribution_id = any (v_new);
  elsif p_kind = 'ANSWER' then
    insert into answer (tenant_id, contribution_id, question_id)
    select v_tenant, i.contribution_id, i.parent_id from unnest(v_rows) i where i.contribution_id = any (v_new);
  end if;
  return jsonb_build_object('new', coalesce(cardinality(v_new), 0), 'orphans', to_jsonb(v_orphans),
    'known', v_given - coalesce(cardinality(v_new), 0) - cardinality(v_orphans));
end $$;

/*
 * Counts votes, [{"id", "post", "up": null for one that is none for or against, "voter", "at"}]. One whose voter is known
 * is the voter's own reaction, where it has none yet; the others only count. Nobody earns by them. Answers {"new",
 * "known", "missing": the post of each vote on a post that is not there}.
 */
create function question_import_votes(p_source text, p_rows jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_missing text[];
  v_votes int;
  v_fresh imported_vote[];
  v_reacted reaction[];
begin
  select array_agg(r.post) filter (where c.id is null), count(*) filter (where c.id is not null and r.up is not null)
  into v_missing, v_votes
  from jsonb_to_recordset(p_rows) r (post text, up boolean)
  left join contribution c on c.tenant_id = v_tenant and c.source_key = p_source || ':post:' || r.post;
  with fresh as (
    insert into imported_vote as v (tenant_id, source, key, contribution_id, is_up, at)
    select v_tenant, p_source, r.id, c.id, r.up, r.at
    from jsonb_to_recordset(p_rows) r (id text, post text, up boolean, at timestamptz)
    join contribution c on c.tenant_id = v_tenant and c.source_key = p_source || ':post:' || r.post
    where r.up is not null
    on conflict do nothing
    returning v
  )
  select array_agg(f.v) into v_fresh from fresh f;
  -- One statement after the other: the counters of a contribution are changed once by each.
  with reacted as (
    insert into reaction as x (tenant_id, contribution_id, member_id, kind, at)
    select v_tenant, f.contribution_id, m.id, case when f.is_up then 'UP' else 'DOWN' end, f.at
    from unnest(v_fresh) f
    join jsonb_to_recordset(p_rows) r (id text, voter text) on r.id = f.key
    join member m on m.tenant_id = v_tenant and m.external_id = p_source || '-' || r.voter
    join contribution c on c.tenant_id = v_tenant and c.id = f.contribution_id and c.author_id is distinct from m.id
    on conflict do nothing
    returning x
  )
  select array_agg(r.x) into v_reacted from reacted r;
  update contribution c set up_votes = c.up_votes + x.up, down_votes = c.down_votes + x.down
  from (
    select v.contribution_id, count(*) filter (where v.is_up) - sum(v.ups) as up,
           count(*) filter (where not v.is_up) - sum(v.downs) as down
    from (
      select f.contribution_id, f.is_up, 0 as ups, 0 as downs from unnest(v_fresh) f
      union all
      select r.contribution_id, null, (r.kind = 'UP')::int, (r.kind = 'DOWN')::int from unnest(v_reacted) r) v
    group by v.contribution_id) x
  where c.tenant_id = v_tenant and c.id = x.contribution_id and (x.up <> 0 or x.down <> 0);
  return jsonb_build_object('new', coalesce(cardinality(v_fresh), 0), 'missing', to_jsonb(coalesce(v_missing, '{}')),
    'known', v_votes - coalesce(cardinality(v_fresh), 0));
end $$;

/*
 * Marks accepted answers, [{"question", "answer"}]; nobody earns by them. Where another answer is accepted already, that
 * stays. Answers {"new", "known", "missing": how many are no answers to those questions}.
 */
create function question_import_accepted(p_source text, p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_found int;
  v_questions uuid[];
begin
  with pair as (
    select a.question_id, a.contribution_id as answer_id, c.author_id, greatest(c.created_at, q.created_at) as at,
           uuid_v7() as id
    from jsonb_to_recordset(p_rows) r (question text, answer text)
    join contribution c on c.tenant_id = v_tenant and c.source_key = p_source || ':post:' || r.answer
    join contribution q on q.tenant_id = v_tenant and q.source_key = p_source || ':post:' || r.question
    join answer a on a.tenant_id = v_tenant and a.contribution_id = c.id and a.question_id = q.id
  ), accepted as (
    insert into accepted_answer as x (tenant_id, question_id, answer_id, acceptance_id, at)
    select v_tenant, p.question_id, p.answer_id, p.id, p.at from pair p
    where not exists (select from acceptance k where k.tenant_id = v_tenant and k.answer_id = p.answer_id)
    on conflict do nothing
    returning x.acceptance_id, x.question_id
  ), written as (
    insert into acceptance (tenant_id, id, question_id, answer_id, answerer_id, actor, at)
    select v_tenant, p.id, p.question_id, p.answer_id, p.author_id, p_actor, p.at
    from pair p join accepted x on x.acceptance_id = p.id
  )
  select (select count(*) from pair), array(select x.question_id from accepted x) into v_found, v_questions;
  perform question_restate(v_questions);
  return jsonb_build_object('new', cardinality(v_questions), 'known', v_found - cardinality(v_questions),
    'missing', jsonb_array_length(p_rows) - v_found);
end $$;

/*
 * Says which questions ask what others asked before, [{"post", "related", "at"}]; they are closed for it. Answers
 * {"new", "known", "missing": how many are about questions that are not there}.
 */
create function question_import_duplicates(p_source text, p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_pairs question_duplicate[];
  v_new int;
begin
  v_pairs := array(
    select distinct on (q.id, o.id) row(v_tenant, q.id, o.id, r.at, p_actor)::question_duplicate
    from jsonb_to_recordset(p_rows) r (post text, related text, at timestamptz)
    join contribution q on q.tenant_id = v_tenant and q.source_key = p_source || ':post:' || r.post and q.kind = 'QUESTION'
    join contribution o on o.tenant_id = v_tenant and o.source_key = p_source || ':post:' || r.related
      and o.kind = 'QUESTION' and o.id <> q.id
    order by q.id, o.id, r.at);
  insert into question_duplicate select * from unnest(v_pairs) on conflict do nothing;
  get diagnostics v_new = row_count;
  update question q set closed_at = coalesce(q.closed_at, i.at), closed_reason = 'DUPLICATE', state = 'CLOSED',
    closed_by = p_actor
  from (select x.contribution_id, min(x.at) as at from unnest(v_pairs) x group by x.contribution_id) i
  where q.tenant_id = v_tenant and q.contribution_id = i.contribution_id
    and (q.closed_reason is null or q.closed_reason = 'OTHER');
  return jsonb_build_object('new', v_new, 'known', cardinality(v_pairs) - v_new,
    'missing', jsonb_array_length(p_rows) - cardinality(v_pairs));
end $$;

/*
 * Compares what the site counted, [{"id", "score", "answers", "comments"}], with what is counted here; a count that the
 * site does not tell is null. Answers {"checked", "differences": ["post 7: score 3 there, 2 here"]}.
 */
create function question_import_differences(p_source text, p_rows jsonb) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return (
    select jsonb_build_object('checked', count(c.id), 'differences', coalesce(jsonb_agg(format('post %s: %s', r.id, concat_ws(', ',
        case when r.score <> c.score then format('score %s there, %s here', r.score, c.score) end,
        case when r.answers <> c.answer_count then format('%s answers there, %s here', r.answers, c.answer_count) end,
        case when r.comments <> c.comment_count then format('%s comments there, %s here', r.comments, c.comment_count) end))
      order by r.ordinality) filter (where r.score <> c.score or r.answers <> c.answer_count or r.comments <> c.comment_count), '[]'))
    from rows from (jsonb_to_recordset(p_rows) as (id text, score int, answers int, comments int)) with ordinality r
    join contribution c on c.tenant_id = current_tenant() and c.source_key = p_source || ':post:' || r.id);
end $$;

/* Tells the planner how large the tables have become; an import fills them faster than autovacuum looks. */
create function question_import_statistics() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  analyze member, lifecycle_state, wallet, contribution, search_document, question, answer, accepted_answer, imported_vote;
end $$;

grant execute on function
  question_import_members(text, jsonb), question_import_texts(text, text, uuid, jsonb, text),
  question_import_votes(text, jsonb), question_import_accepted(text, jsonb, text),
  question_import_duplicates(text, jsonb, text), question_import_differences(text, jsonb), question_import_statistics()
  to engawa_app;

-- ── Helping ──────────────────────────────────────────────────────────────────────────────────────

/* Who thanked whom for an answer: a tie between two members. */
create table answer_thanks (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references answer (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index answer_thanks_of_member on answer_thanks (tenant_id, member_id, at);
call protect('answer_thanks');
call sight_follows('answer_thanks');
grant select on answer_thanks to engawa_app;

/* Members who were asked to answer a question. */
create table answer_request (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  member_id       uuid not null,
  actor           text not null,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references question (tenant_id, contribution_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index answer_request_of_member on answer_request (tenant_id, member_id, at);
call protect('answer_request');
call sight_follows('answer_request');
grant select on answer_request to engawa_app;

/* Thanks for an answer, once. Outcomes: done {answer}, not_found, access_denied. */
create function answer_thank(p_answer uuid, p_member uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
begin
  select * into v_row from contribution c
  where c.tenant_id = v_tenant and c.id = p_answer and c.kind = 'ANSWER' for share;
  if v_row.id is null or not contribution_seen(p_answer, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'answer');
  elsif v_row.author_id = p_member then
    return jsonb_build_object('is', 'access_denied', 'reason', 'OWN', 'unlock', null);
  end if;
  insert into answer_thanks (tenant_id, contribution_id, member_id, at)
  values (v_tenant, p_answer, p_member, v_now) on conflict do nothing;
  if found then
    perform announce('answer.thanked', v_row.author_id,
      jsonb_build_object('answer', p_answer, 'question', v_row.parent_id), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'answer', p_answer);
end $$;

/* The shop stands behind an answer, or no longer. Outcomes: done {answer}, not_found. */
create function answer_mark(p_answer uuid, p_is_official boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update answer a set is_official = p_is_official
  where a.tenant_id = current_tenant() and a.contribution_id = p_answer;
  return case when found then jsonb_build_object('is', 'done', 'answer', p_answer)
    else jsonb_build_object('is', 'not_found', 'what', 'answer') end;
end $$;

/* Whether the help was any good, as whoever asked says. Outcomes: done {question}, not_found, access_denied. */
create function question_rate(p_question uuid, p_member uuid, p_is_satisfied boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
begin
  select * into v_row from contribution c
  where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION' for no key update;
  if v_row.id is null or not contribution_seen(p_question, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'question');
  elsif v_row.author_id is distinct from p_member then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_AUTHOR', 'unlock', null);
  end if;
  update question q set is_satisfied = p_is_satisfied, satisfied_at = tenant_now(v_tenant)
  where q.tenant_id = v_tenant and q.contribution_id = p_question;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;

/*
 * Members who may know an answer: their answers to questions with the same tags, or about the same product, were
 * accepted; the most such answers first. Nobody who asked or answered it, cannot see it, or was asked to answer
 * anything in the last seven days.
 */
create function suggested_answerers(p_question uuid, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_helpers uuid[];
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION';
  v_helpers := array(
    select a.author_id from contribution q
    join accepted_answer x on x.tenant_id = v_tenant and x.question_id = q.id
    join contribution a on a.tenant_id = v_tenant and a.id = x.answer_id
    where q.tenant_id = v_tenant and q.kind = 'QUESTION' and q.id <> p_question
      and (q.tags && v_row.tags or q.sku = v_row.sku)
      and a.author_id is not null and a.author_id is distinct from q.author_id
      and a.author_id is distinct from v_row.author_id
      and not exists (select from contribution mine where mine.tenant_id = v_tenant and mine.parent_id = p_question
                      and mine.kind = 'ANSWER' and mine.author_id = a.author_id)
      and not exists (select from answer_request r where r.tenant_id = v_tenant and r.member_id = a.author_id
                      and r.at > v_now - interval '7 days')
    group by a.author_id order by count(*) desc, a.author_id limit 200);
  return query
  select h.id from unnest(v_helpers) with ordinality h (id, n)
  where h.id in (select contribution_seers(p_question, v_helpers)) order by h.n limit p_limit;
end $$;

/* Asks a member to answer. Outcomes: done {question}, not_found, access_denied. */
create function answer_ask_for(p_question uuid, p_by uuid, p_member uuid, p_external_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_row contribution;
  v_refusal jsonb;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question for share;
  v_refusal := question_may_decide(v_row, p_by);
  if v_refusal is not null then
    return v_refusal;
  elsif v_member.id is null or not contribution_seen(p_question, v_member.id) then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  insert into answer_request (tenant_id, contribution_id, member_id, actor, at)
  values (v_tenant, p_question, v_member.id, p_actor, v_now) on conflict do nothing;
  if found then
    perform announce('answer.requested', v_member.id, jsonb_build_object('question', p_question), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;

/* How many people each of these members helped: askers whom their accepted answers helped, who had the same trouble, and who thanked. */
create function helped_counts(p_members uuid[]) returns table (member_id uuid, helped int)
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
    where t.tenant_id = current_tenant() and a.author_id = any (p_members) and a.state = 'PUBLISHED') x
  where x.other is distinct from x.helper and x.other is not null
  group by x.helper;
end $$;

grant execute on function answer_thank(uuid, uuid), answer_mark(uuid, boolean), question_rate(uuid, uuid, boolean),
  suggested_answerers(uuid, int), answer_ask_for(uuid, uuid, uuid, text, text), helped_counts(uuid[]) to engawa_app;
