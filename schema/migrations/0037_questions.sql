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
 * Answers a question. Outcomes: done {answer, question, state}, access_denied (CLOSED), those of contribution_write,
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
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'CLOSED', 'unlock', null));
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
  if p_expects is not null and p_expects #>> '{}' is distinct from v_current.answer_id::text then
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
