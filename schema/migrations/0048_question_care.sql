-- Looking after questions: who may know the answer, calling staff in time, experts, moving threads between talk and
-- questions, the shop's own entries of questions and answers, and questions that need not be asked.

set local role engawa_owner;

-- ── What a space is set to ───────────────────────────────────────────────────────────────────────

/* How questions of a space are looked after; without a space: of all spaces that have no row of their own. */
create table question_setting (
  tenant_id       uuid not null references tenant,
  id              uuid not null default uuid_v7(),
  space_id        uuid,
  /* After which time (ISO 8601) without an answer staff are called; null: never. */
  escalates_after text,
  /* Within which time a first answer should come; null: nobody said. */
  answers_within  text,
  /* From how many views, or how many duplicates, a solved question is a candidate for an entry of the FAQ. */
  faq_views       int not null check (faq_views between 1 and 1000000),
  faq_duplicates  int not null check (faq_duplicates between 1 and 1000000),
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, space_id),
  foreign key (tenant_id, space_id) references space (tenant_id, id)
);
call protect('question_setting');
grant select on question_setting to engawa_app;

/* What holds for a space: its own row, else the tenant's, else what every tenant begins with. */
create function question_settings(p_space uuid)
returns table (escalates_after text, answers_within text, faq_views int, faq_duplicates int)
language sql stable as $$
  select x.escalates_after, x.answers_within, x.faq_views, x.faq_duplicates from (
    select s.escalates_after, s.answers_within, s.faq_views, s.faq_duplicates, (s.space_id is null)::int as rank
    from question_setting s
    where s.tenant_id = current_tenant() and (s.space_id = p_space or s.space_id is null)
    union all
    select 'PT48H', 'PT24H', 100, 3, 2) x
  order by x.rank limit 1
$$;
grant execute on function question_settings(uuid) to engawa_app;

-- ── Who may know the answer ──────────────────────────────────────────────────────────────────────

/*
 * Members who may know an answer, likeliest first. Like questions are those whose text is like it (search_like), that
 * share a tag, or are about the same product. The score is the sum of
 *
 *   3 for each answer of the member that was accepted for another's like question
 *   1 for each like question that it asked, or had the same trouble as, and that was solved
 *   1 when it bought the product, and did not give it back
 *
 * Nobody who asked or answered it, cannot see it, blocks or is blocked by whoever asked, wants to hear of no requests
 * or of nothing in the space, or was asked to answer anything in the last seven days.
 */
create or replace function suggested_answerers(p_question uuid, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_like uuid[];
  v_helpers uuid[];
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION';
  v_like := array(
    select l.id from search_document d
    cross join lateral search_like(jsonb_build_object('grams', d.grams, 'words', d.words), '{QUESTION}', null, 100) l
    where d.tenant_id = v_tenant and d.contribution_id = v_row.id and l.id <> v_row.id);
  v_helpers := array(
    with alike as materialized (
      select q.id, q.author_id from contribution q
      where q.tenant_id = v_tenant and q.kind = 'QUESTION' and q.state = 'PUBLISHED' and q.id <> v_row.id
        and (q.id = any (v_like) or q.tags && v_row.tags or q.sku = v_row.sku)
      order by q.id desc limit 1000
    ), knows as (
      select a.author_id as member_id, 3 as points from alike q
      join accepted_answer x on x.tenant_id = v_tenant and x.question_id = q.id
      join contribution a on a.tenant_id = v_tenant and a.id = x.answer_id and a.author_id is distinct from q.author_id
      union all
      select w.member_id, 1 from alike q
      join accepted_answer x on x.tenant_id = v_tenant and x.question_id = q.id
      cross join lateral (
        select q.author_id as member_id
        union select t.member_id from me_too t where t.tenant_id = v_tenant and t.contribution_id = q.id) w
      union all
      select o.member_id, 1 from (
        select p.member_id from purchase_line l
        join purchase p on p.tenant_id = v_tenant and p.id = l.purchase_id
        where l.tenant_id = v_tenant and l.sku = v_row.sku and l.refunded_quantity < l.quantity and p.state <> 'REFUNDED'
        group by p.member_id order by max(p.purchased_at) desc, p.member_id limit 500) o
    )
    select k.member_id from knows k
    where k.member_id is not null and k.member_id is distinct from v_row.author_id
      and not exists (select from contribution mine where mine.tenant_id = v_tenant and mine.parent_id = v_row.id
                      and mine.kind = 'ANSWER' and mine.author_id = k.member_id)
      and not exists (select from answer_request r where r.tenant_id = v_tenant and r.member_id = k.member_id
                      and r.at > v_now - interval '7 days')
      and not exists (select from member_block b where b.tenant_id = v_tenant
                      and (b.member_id, b.other_id) in ((k.member_id, v_row.author_id), (v_row.author_id, k.member_id)))
      and not exists (select from notification_choice h where h.tenant_id = v_tenant and h.member_id = k.member_id
                      and h.kind = 'ANSWER_REQUESTED' and h.channel = 'in-app' and not h.is_on)
      and not exists (select from space_notice n where n.tenant_id = v_tenant and n.member_id = k.member_id
                      and n.space_id = v_row.space_id and n.level = 'NONE')
    group by k.member_id order by sum(k.points) desc, k.member_id limit 200);
  return query
  select h.id from unnest(v_helpers) with ordinality h (id, n)
  where h.id in (select contribution_seers(p_question, v_helpers)) order by h.n limit p_limit;
end $$;

-- ── Telling ──────────────────────────────────────────────────────────────────────────────────────

-- A member is asked to answer; what a member wrote got another place.
alter table notification drop constraint notification_kind_check;
alter table notification add constraint notification_kind_check check (kind ~ '^[A-Z]+(_[A-Z]+)*$');
alter table notification_fact drop constraint notification_fact_what_check;
alter table notification_fact add constraint notification_fact_what_check check (what ~ '^[A-Z]+(_[A-Z]+)*$');

/* What this room announces and that is meant for one member, noted as it is announced. */
create function notification_of_question() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.member_id is not null then
    perform notification_note(
      case new.type when 'answer.requested' then 'ANSWER_REQUESTED' else 'MOVED' end, new.type || ' ' || new.id,
      (coalesce(new.payload ->> 'question', new.payload ->> 'contribution'))::uuid, null, new.member_id, null, new.at);
  end if;
  return null;
end $$;
create trigger notification_of_question after insert on outbox
  for each row when (new.type in ('answer.requested', 'contribution.moved')) execute function notification_of_question();

/* What messages of these kinds and of those of 0057_community.sql are headed with, in templates that nobody has written anew. */
create function notification_words(p_texts jsonb) returns jsonb language sql immutable as $$
  select replace(replace(p_texts::text,
    '{% else %}新しいメッセージがあります',
    '{% when ''ANSWER_REQUESTED'' %}ご質問への回答をお願いします{% when ''MOVED'' %}ご投稿の場所が変わりました{% when ''QUESTION_CLOSED'' %}ご質問の受付が終了しました{% when ''JUDGED'' %}ご投稿の確認が終わりました{% when ''FLAG_ANSWERED'' %}ご報告の確認が終わりました{% when ''SEAT_GIVEN'' %}お席が取れました{% when ''IDEA'' %}アイデアの状況が変わりました{% when ''SPACE'' %}スペースへご招待します{% else %}新しいメッセージがあります'),
    '{% else %}You have a new message',
    '{% when ''ANSWER_REQUESTED'' %}Can you answer this question?{% when ''MOVED'' %}What you wrote has a new place{% when ''QUESTION_CLOSED'' %}Your question was closed{% when ''JUDGED'' %}Somebody looked at what you wrote{% when ''FLAG_ANSWERED'' %}Somebody looked at what you reported{% when ''SEAT_GIVEN'' %}There is a seat for you{% when ''IDEA'' %}News of an idea{% when ''SPACE'' %}A place for you{% else %}You have a new message')::jsonb
$$;
create function notification_words_of_template() returns trigger language plpgsql as $$
begin
  new.texts := notification_words(new.texts);
  return new;
end $$;
create trigger notification_words before insert on template
  for each row when (new.key = 'notification' and new.actor = 'engawa') execute function notification_words_of_template();
do $$
declare
  v_tenant uuid;
begin
  for v_tenant in select every_tenant() loop
    perform set_config('app.tenant', v_tenant::text, true);
    update template t set texts = notification_words(t.texts)
    where t.tenant_id = v_tenant and t.key = 'notification' and t.actor = 'engawa';
  end loop;
  perform set_config('app.tenant', '', true);
end $$;

-- ── Calling staff in time ────────────────────────────────────────────────────────────────────────

-- Besides touches by a person: questions that nobody answered in time. Those have no delivery and no touch.
alter table task drop constraint task_tenant_id_id_fkey;
alter table task add column delivery_id uuid generated always as (case when kind <> 'ANSWER' then id end) stored;
alter table task add unique (tenant_id, delivery_id);
alter table task add foreign key (tenant_id, delivery_id) references delivery (tenant_id, id);
alter table task alter column touchpoint_id drop not null;
alter table task alter column member_id drop not null;
alter table task add column question_id uuid;
alter table task add foreign key (tenant_id, question_id) references question (tenant_id, contribution_id);
alter table task drop constraint task_kind_check;
alter table task add constraint task_kind_check check (kind in ('CALL', 'VISIT', 'LETTER', 'ANSWER'));
alter table task add check ((kind = 'ANSWER') = (question_id is not null));
alter table task add check (kind = 'ANSWER' or touchpoint_id is not null and member_id is not null);
alter table task drop constraint task_outcome_check;
alter table task add constraint task_outcome_check check (outcome in ('DONE', 'NOT_REACHED', 'DECLINED', 'OVERTAKEN'));
create unique index task_of_question on task (tenant_id, question_id) where question_id is not null and outcome is null;

-- Since when it waits for an answer.
alter table question add column waits_since timestamptz;

/* A question begins to wait for an answer, now or since an instant; imported ones wait for nobody. */
create function question_wait(p_question uuid, p_since timestamptz) returns void language sql as $$
  update question q set waits_since = p_since, escalated_at = null, escalates_at = p_since + s.escalates_after::interval
  from contribution c, question_settings(c.space_id) s
  where c.tenant_id = current_tenant() and c.id = p_question and c.kind = 'QUESTION' and c.state = 'PUBLISHED'
    and c.source_key is null
    and q.tenant_id = c.tenant_id and q.contribution_id = c.id and q.state = 'OPEN'
$$;

/* A question waits no longer; what staff had to do with it has come to an end. */
create function question_rest(p_question uuid, p_outcome text) returns void language sql as $$
  update question q set escalates_at = null
  where q.tenant_id = current_tenant() and q.contribution_id = p_question and q.escalates_at is not null;
  update task t set outcome = p_outcome, completed_at = tenant_now(current_tenant()), actor = 'engawa'
  where t.tenant_id = current_tenant() and t.question_id = p_question and t.outcome is null;
$$;

create function question_waits() returns trigger language plpgsql as $$
begin
  if new.state <> 'OPEN' then
    perform question_rest(new.contribution_id, case new.state when 'CLOSED' then 'OVERTAKEN' else 'DONE' end);
  elsif tg_op = 'INSERT' then
    perform question_wait(new.contribution_id, (
      select c.published_at from contribution c where c.tenant_id = new.tenant_id and c.id = new.contribution_id));
  else
    perform question_wait(new.contribution_id, tenant_now(new.tenant_id));
  end if;
  return null;
end $$;
create trigger waits after insert on question for each row when (new.state = 'OPEN') execute function question_waits();
create trigger waits_again after update of state on question for each row when (new.state <> old.state)
  execute function question_waits();

/* A question that is taken away waits for nobody; one that comes back begins to wait. */
create function question_comes_and_goes() returns trigger language plpgsql as $$
begin
  if new.state = 'PUBLISHED' then
    perform question_wait(new.id, tenant_now(new.tenant_id));
  else
    perform question_rest(new.id, 'OVERTAKEN');
  end if;
  return null;
end $$;
create trigger waits after update of state on contribution for each row
  when (new.kind = 'QUESTION' and (new.state = 'PUBLISHED') <> (old.state = 'PUBLISHED'))
  execute function question_comes_and_goes();

/*
 * Calls staff to questions that nobody answered in time, at most p_limit: a task for each, and question.escalated. How
 * many they were. Two at once take different ones.
 */
create function questions_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_ids uuid[];
begin
  v_ids := array(
    select q.contribution_id from question q where q.tenant_id = v_tenant and q.escalates_at <= v_now
    order by q.escalates_at, q.contribution_id limit p_limit for no key update skip locked);
  update question q set escalates_at = null, escalated_at = v_now
  where q.tenant_id = v_tenant and q.contribution_id = any (v_ids);
  insert into task (tenant_id, id, member_id, kind, question_id, created_at)
  select v_tenant, uuid_v7(), c.author_id, 'ANSWER', c.id, v_now
  from unnest(v_ids) with ordinality i (id, n) join contribution c on c.tenant_id = v_tenant and c.id = i.id
  order by i.n
  on conflict do nothing;
  insert into outbox (tenant_id, type, payload, at)
  select v_tenant, 'question.escalated', jsonb_build_object('question', i.id), v_now
  from unnest(v_ids) with ordinality i (id, n) order by i.n;
  return cardinality(v_ids);
end $$;
grant execute on function questions_settle_due(int) to engawa_app;

/*
 * Says how questions of a space, or with null of every space without an own setting, are looked after: p_what
 * {"escalatesAfter", "answersWithin", "faqViews", "faqDuplicates"}, all of it anew. Questions that wait get their new
 * instant, counted from when they began to wait. Outcomes: done {}, not_found.
 */
create function question_setting_put(p_space uuid, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if p_space is not null and not exists (select from space s where s.tenant_id = v_tenant and s.id = p_space) then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  end if;
  insert into question_setting as s (tenant_id, space_id, escalates_after, answers_within, faq_views, faq_duplicates)
  values (v_tenant, p_space, p_what ->> 'escalatesAfter', p_what ->> 'answersWithin',
    (p_what ->> 'faqViews')::int, (p_what ->> 'faqDuplicates')::int)
  on conflict (tenant_id, space_id) do update set escalates_after = excluded.escalates_after,
    answers_within = excluded.answers_within, faq_views = excluded.faq_views, faq_duplicates = excluded.faq_duplicates;
  update question q set escalates_at = q.waits_since + s.escalates_after::interval
  from contribution c, question_settings(c.space_id) s
  where q.tenant_id = v_tenant and q.state = 'OPEN' and q.waits_since is not null and q.escalated_at is null
    and c.tenant_id = v_tenant and c.id = q.contribution_id and c.kind = 'QUESTION' and c.state = 'PUBLISHED'
    and (p_space is null or c.space_id = p_space)
    and q.escalates_at is distinct from q.waits_since + s.escalates_after::interval;
  return '{"is": "done"}';
end $$;
grant execute on function question_setting_put(uuid, jsonb) to engawa_app;

/*
 * Books what came of a task: p_result {"outcome", "note", "cost", "currency"}. The outcome is what the channel reports:
 * done, it arrived, and of a call or a visit the member answered; not reached, it failed; declined, it arrived, and
 * nobody does this to the member again. Questions to be answered come through no channel. Outcomes: done {task},
 * not_found (no open task), key_reused.
 */
create or replace function task_complete(p_key text, p_hash bytea, p_task uuid, p_result jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_outcome text := p_result ->> 'outcome';
  v_task task;
  v_replay jsonb;
begin
  if not exists (select from task t where t.tenant_id = v_tenant and t.id = p_task) then
    return jsonb_build_object('is', 'not_found', 'what', 'task');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'COMPLETE_TASK', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  end if;
  update task t set outcome = v_outcome, note = p_result ->> 'note', cost = (p_result ->> 'cost')::bigint,
    currency = p_result ->> 'currency', completed_at = v_now, actor = p_actor
  where t.tenant_id = v_tenant and t.id = p_task and t.outcome is null
  returning * into v_task;
  if not found then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'open task'));
  elsif v_task.kind = 'ANSWER' then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'task', p_task));
  end if;
  perform signals_take('task', 'task', (
    select jsonb_agg(jsonb_build_object('kind', r.kind, 'dedupe_key', p_task::text || ' ' || r.kind,
      'occurred_at', v_now, 'key', d.key, 'machine', 'unlikely', 'reply_intent', case r.kind when 'replied' then 'other' end))
    from delivery d, unnest(case
      when v_outcome = 'NOT_REACHED' then array['failed']
      when v_outcome = 'DONE' and v_task.kind = 'LETTER' then array['delivered']
      else array['delivered', 'replied'] end) r (kind)
    where d.tenant_id = v_tenant and d.id = p_task));
  if v_outcome = 'DECLINED' then
    perform suppress_identity('task', null, 'MEMBER_CHANNEL', v_task.member_id, 'task', 'UNSUBSCRIBED', null, v_now,
      jsonb_build_object('delivery', p_task));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'task', p_task));
end $$;

/* A question or an answer has become visible. Called by contribution_published. */
create or replace function questions_published(p_contribution contribution) returns void language plpgsql as $$
begin
  if p_contribution.kind = 'QUESTION' then
    perform question_wait(p_contribution.id, p_contribution.published_at);
    perform announce('question.asked', p_contribution.author_id,
      jsonb_build_object('question', p_contribution.id), p_contribution.published_at);
  elsif p_contribution.kind = 'ANSWER' then
    perform announce('answer.given', p_contribution.author_id,
      jsonb_build_object('answer', p_contribution.id, 'question', p_contribution.parent_id), p_contribution.published_at);
  end if;
end $$;

-- ── Experts ──────────────────────────────────────────────────────────────────────────────────────

/*
 * Asks a member, p_member or p_external_id, to advise in a consultation; both null: nobody any more. In a private one
 * the expert takes part from now on, and the one before no longer, unless it wrote something there. p_by: a moderator,
 * or staff (null). Outcomes: done {question}, not_found, access_denied, bad_input.
 */
create function question_assign(p_question uuid, p_by uuid, p_member uuid, p_external_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member;
  v_row contribution;
  v_question question;
  v_refusal jsonb;
begin
  select * into v_row from contribution c
  where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION' for no key update;
  if v_row.id is null or not contribution_seen(p_question, p_by) then
    return jsonb_build_object('is', 'not_found', 'what', 'question');
  end if;
  v_refusal := space_may(v_row.space_id, p_by, 'moderate');
  if v_refusal is not null then
    return v_refusal;
  end if;
  select * into v_question from question q where q.tenant_id = v_tenant and q.contribution_id = p_question;
  if v_question.kind <> 'CONSULTATION' then
    return bad_input('question', 'Only consultations have an expert.');
  end if;
  if p_member is not null or p_external_id is not null then
    v_member := member_find(p_member, p_external_id);
    -- Who may not see into the space, asks itself, or must not meet whoever asks, is no expert for it.
    if v_member.id is null or not exists (
        select from sights(array[v_member.id]) s
        where array_remove(v_row.needs, case when v_row.is_private then v_row.id end) <@ s.keys
          and v_row.state = 'PUBLISHED'
          and (v_row.author_id is null or v_row.author_id <> all (s.blocked || v_member.id))) then
      return jsonb_build_object('is', 'not_found', 'what', 'member');
    end if;
  end if;
  if v_question.expert_id is not distinct from v_member.id then
    return jsonb_build_object('is', 'done', 'question', p_question);
  end if;
  delete from thread_reader t
  where t.tenant_id = v_tenant and t.root_id = p_question and t.member_id = v_question.expert_id
    and not exists (select from contribution c
      where c.tenant_id = v_tenant and c.root_id = p_question and c.author_id = v_question.expert_id);
  update question q set expert_id = v_member.id where q.tenant_id = v_tenant and q.contribution_id = p_question;
  if v_member.id is not null then
    if v_row.is_private then
      insert into thread_reader (tenant_id, root_id, member_id) values (v_tenant, p_question, v_member.id)
      on conflict do nothing;
    end if;
    insert into answer_request (tenant_id, contribution_id, member_id, actor, at)
    values (v_tenant, p_question, v_member.id, p_actor, v_now) on conflict do nothing;
    perform announce('answer.requested', v_member.id, jsonb_build_object('question', p_question), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;
grant execute on function question_assign(uuid, uuid, uuid, text, text) to engawa_app;

-- ── Moving ───────────────────────────────────────────────────────────────────────────────────────

/*
 * What became something else, or went elsewhere. The row stays the very one: its id, author, comments, votes, views and
 * followers; only as the kind that it is now is it found by a node id.
 */
create table contribution_move (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  contribution_id uuid not null,
  from_kind       text not null check (from_kind in ('POST', 'QUESTION', 'ANSWER', 'COMMENT')),
  to_kind         text not null check (to_kind in ('POST', 'QUESTION', 'ANSWER', 'COMMENT')),
  from_space_id   uuid not null,
  to_space_id     uuid not null,
  actor           text not null,
  at              timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, from_space_id) references space (tenant_id, id),
  foreign key (tenant_id, to_space_id) references space (tenant_id, id)
);
create index contribution_move_of on contribution_move (tenant_id, contribution_id, id);
call protect('contribution_move');
call sight_follows('contribution_move');
grant select on contribution_move to engawa_app;

/*
 * Locks all of a thread, the last that was written first, as those who write in it do; again, until nobody has written
 * in it meanwhile. Then nothing of it can be left behind.
 */
create function thread_lock(p_root uuid) returns void language plpgsql as $$
declare
  v_before int := -1;
  v_now int;
begin
  loop
    perform from contribution c where c.tenant_id = current_tenant() and c.root_id = p_root
    order by c.id desc for no key update;
    get diagnostics v_now = row_count;
    exit when v_now = v_before;
    v_before := v_now;
  end loop;
end $$;

/* Whether a thread may go to a space: null, or the refusal. p_by: a moderator of where it is, or staff (null). */
create function move_refusal(p_row contribution, p_kind text, p_by uuid, p_space uuid, p_space_kind text) returns jsonb
language plpgsql stable as $$
declare
  v_refusal jsonb;
begin
  if p_row.id is null or p_row.kind <> p_kind or not contribution_seen(p_row.id, p_by) then
    return jsonb_build_object('is', 'not_found', 'what', lower(p_kind));
  end if;
  v_refusal := coalesce(space_may(p_row.space_id, p_by, 'moderate'), space_may(p_space, p_by, 'post'));
  if v_refusal is not null then
    return v_refusal;
  elsif p_row.state <> 'PUBLISHED' then
    return denied('LOCKED');
  elsif (select s.kind from space s where s.tenant_id = current_tenant() and s.id = p_space) <> p_space_kind then
    return bad_input('space', format('It goes to a space of kind %s.', p_space_kind));
  end if;
  return null;
end $$;

/* Writes down that something moved, and tells whoever wrote it. */
create function move_tell(p_before contribution, p_kind text, p_space uuid, p_actor text) returns void language plpgsql as $$
declare
  v_now timestamptz := tenant_now(p_before.tenant_id);
begin
  insert into contribution_move (tenant_id, contribution_id, from_kind, to_kind, from_space_id, to_space_id, actor, at)
  values (p_before.tenant_id, p_before.id, p_before.kind, p_kind, p_before.space_id, p_space, p_actor, v_now);
  perform announce('contribution.moved', p_before.author_id, jsonb_build_object('contribution', p_before.id), v_now);
end $$;

/*
 * Makes a question of a post, in a space of kind QA; its comments stay comments. p_title for a post that has none. What
 * it earned as a post it keeps for as long as it stands. Outcomes: done {question}, not_found, access_denied,
 * space_not_enabled, bad_input, key_reused.
 */
create function post_to_question(
  p_key text, p_hash bytea, p_post uuid, p_space uuid, p_title text, p_by uuid, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_op record;
  v_row contribution;
  v_refusal jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'CONVERT', p_actor, tenant_now(v_tenant));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform thread_lock(p_post);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_post;
  v_refusal := move_refusal(v_row, 'POST', p_by, p_space, 'QA');
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  elsif exists (select from poll x where x.tenant_id = v_tenant and x.contribution_id = p_post)
     or exists (select from gathering x where x.tenant_id = v_tenant and x.contribution_id = p_post)
     or exists (select from idea x where x.tenant_id = v_tenant and x.contribution_id = p_post)
     or exists (select from complaint x where x.tenant_id = v_tenant and x.contribution_id = p_post) then
    return op_finish(p_key, bad_input('post', 'What has votes, seats or a case stays a post.'));
  elsif coalesce(v_row.title, p_title) is null then
    return op_finish(p_key, bad_input('title', 'The post has no title, and a question needs one.'));
  end if;
  update contribution c set kind = 'QUESTION', space_id = p_space, title = coalesce(c.title, p_title)
  where c.tenant_id = v_tenant and c.id = p_post;
  update post_facts f set pinned_at = null where f.tenant_id = v_tenant and f.contribution_id = p_post;
  insert into question as q (tenant_id, contribution_id) values (v_tenant, p_post)
  on conflict (tenant_id, contribution_id) do update set state = 'OPEN', closed_at = null, closed_reason = null,
    closed_by = null;
  perform question_restate(array[p_post]);
  perform question_wait(p_post, tenant_now(v_tenant));
  perform move_tell(v_row, 'QUESTION', p_space, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', p_post));
end $$;

/*
 * Makes a post of a question that is talk, in a space of kind COMMUNITY; its answers become comments, and none is
 * accepted any more. What is private stays so. Outcomes as for post_to_question.
 */
create function question_to_post(p_key text, p_hash bytea, p_question uuid, p_space uuid, p_by uuid, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_op record;
  v_row contribution;
  v_refusal jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'CONVERT', p_actor, tenant_now(v_tenant));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform thread_lock(p_question);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question;
  v_refusal := move_refusal(v_row, 'QUESTION', p_by, p_space, 'COMMUNITY');
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  end if;
  perform acceptance_end(x.acceptance_id, 'QUESTION_GONE', p_actor) from accepted_answer x
  where x.tenant_id = v_tenant and x.question_id = p_question;
  perform question_rest(p_question, 'OVERTAKEN');
  update contribution c set kind = 'COMMENT' where c.tenant_id = v_tenant and c.parent_id = p_question and c.kind = 'ANSWER';
  update contribution c set kind = 'POST', space_id = p_space, comment_count = c.comment_count + c.answer_count,
    answer_count = 0
  where c.tenant_id = v_tenant and c.id = p_question;
  insert into post_facts (tenant_id, contribution_id, kind) values (v_tenant, p_question, 'TALK') on conflict do nothing;
  perform move_tell(v_row, 'POST', p_space, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', p_question));
end $$;

/*
 * Makes an answer of a comment on a question, or a comment of an answer; an accepted one is accepted no longer. Outcomes:
 * done {contribution}, not_found, access_denied, bad_input, key_reused.
 */
create function reply_convert(p_key text, p_hash bytea, p_reply uuid, p_kind text, p_by uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_from text := case p_kind when 'ANSWER' then 'COMMENT' else 'ANSWER' end;
  v_op record;
  v_row contribution;
  v_step int;
  v_refusal jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'CONVERT', p_actor, tenant_now(v_tenant));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform from contribution c where c.tenant_id = v_tenant and c.id = p_reply for no key update;
  perform from contribution c where c.tenant_id = v_tenant and c.id = (
    select r.parent_id from contribution r where r.tenant_id = v_tenant and r.id = p_reply) for no key update;
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_reply;
  if v_row.id is null or v_row.kind <> v_from or not contribution_seen(p_reply, p_by) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', lower(v_from)));
  end if;
  v_refusal := space_may(v_row.space_id, p_by, 'moderate');
  if v_refusal is not null then
    return op_finish(p_key, v_refusal);
  elsif not exists (select from contribution c where c.tenant_id = v_tenant and c.id = v_row.parent_id
                    and c.kind = 'QUESTION') then
    return op_finish(p_key, bad_input('comment', 'Only what stands under a question can be its answer.'));
  end if;
  perform acceptance_end(x.acceptance_id, 'ANSWER_GONE', p_actor) from accepted_answer x
  where x.tenant_id = v_tenant and x.answer_id = p_reply;
  update contribution c set kind = p_kind where c.tenant_id = v_tenant and c.id = p_reply;
  if p_kind = 'ANSWER' then
    insert into answer (tenant_id, contribution_id, question_id) values (v_tenant, p_reply, v_row.parent_id)
    on conflict do nothing;
  end if;
  if v_row.state = 'PUBLISHED' then
    v_step := case p_kind when 'ANSWER' then 1 else -1 end;
    update contribution c set answer_count = c.answer_count + v_step, comment_count = c.comment_count - v_step
    where c.tenant_id = v_tenant and c.id = v_row.parent_id;
  end if;
  perform move_tell(v_row, p_kind, v_row.space_id, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', p_reply));
end $$;
grant execute on function
  post_to_question(text, bytea, uuid, uuid, text, uuid, text), question_to_post(text, bytea, uuid, uuid, uuid, text),
  reply_convert(text, bytea, uuid, text, uuid, text) to engawa_app;

/* What was an answer once, and is a comment now, is accepted by nobody: whatever accepts it. */
create function accepted_is_answer() returns trigger language plpgsql as $$
begin
  if exists (select from contribution c where c.tenant_id = new.tenant_id and c.id = new.answer_id and c.kind = 'ANSWER') then
    return new;
  end if;
  return null;
end $$;
create trigger is_answer before insert or update on accepted_answer for each row execute function accepted_is_answer();

/* The shop stands behind an answer, or no longer. Outcomes: done {answer}, not_found. */
create or replace function answer_mark(p_answer uuid, p_is_official boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update answer a set is_official = p_is_official
  from contribution c
  where a.tenant_id = current_tenant() and a.contribution_id = p_answer
    and c.tenant_id = a.tenant_id and c.id = a.contribution_id and c.kind = 'ANSWER';
  return case when found then jsonb_build_object('is', 'done', 'answer', p_answer)
    else jsonb_build_object('is', 'not_found', 'what', 'answer') end;
end $$;

/* What was a post once loses and earns as one, wherever it is now. Called by contribution_state_changed. */
create function questions_state_changed(p_contribution contribution, p_before text) returns void language plpgsql as $$
begin
  if p_contribution.kind = 'QUESTION' and exists (
      select from contribution_move m where m.tenant_id = p_contribution.tenant_id
        and m.contribution_id = p_contribution.id and m.from_kind = 'POST') then
    p_contribution.kind := 'POST';
    perform posts_state_changed(p_contribution, p_before);
  end if;
end $$;

-- ── The FAQ ──────────────────────────────────────────────────────────────────────────────────────

/*
 * What is special to an entry of the FAQ; its text is its contribution. A draft is being edited; published, it is there,
 * and due for review from review_at on; deleted, it is retired.
 */
create table faq_entry (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  /* The question that it comes from, and the answer that solved it, whose author has the credit. */
  source_id       uuid,
  answer_id       uuid,
  /* When somebody said that it may be shown, whoever reads it. */
  published_at    timestamptz,
  published_by    text,
  /* When it is to be looked at again; null: never. */
  review_at       timestamptz,
  /* The same, until that was told. */
  due_at          timestamptz,
  reviewed_at     timestamptz,
  reviewed_by     text,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, source_id) references question (tenant_id, contribution_id),
  foreign key (tenant_id, answer_id) references answer (tenant_id, contribution_id)
);
create index faq_entry_of_source on faq_entry (tenant_id, source_id) where source_id is not null;
create index faq_entry_due on faq_entry (tenant_id, due_at) where due_at is not null;
call protect('faq_entry');
call sight_follows('faq_entry');
grant select on faq_entry to engawa_app;
create policy system on faq_entry for select to engawa_system using (true);
grant select (tenant_id, due_at) on faq_entry to engawa_system;

/* An entry becomes visible by faq_publish alone, where its readers are looked at; before, it stays a draft. */
create function faq_stays_draft() returns trigger language plpgsql as $$
begin
  if not exists (select from faq_entry f where f.tenant_id = new.tenant_id and f.contribution_id = new.id
                 and f.published_at is not null) then
    new.state := old.state;
    new.root_state := old.state;
    new.published_at := old.published_at;
  end if;
  return new;
end $$;
create trigger faq_stays_draft before update of state on contribution for each row
  when (new.kind = 'FAQ' and new.state = 'PUBLISHED' and old.state <> 'PUBLISHED') execute function faq_stays_draft();

/*
 * Questions that should become entries: solved, not entries yet, and looked at or asked again as often as the setting of
 * their space says.
 */
create function faq_candidates() returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id from accepted_answer x
  join contribution c on c.tenant_id = x.tenant_id and c.id = x.question_id
    and c.kind = 'QUESTION' and c.state = 'PUBLISHED' and not c.is_private
  cross join lateral question_settings(c.space_id) s
  where x.tenant_id = current_tenant()
    and (c.view_count >= s.faq_views
      or (select count(*) from question_duplicate d where d.tenant_id = x.tenant_id and d.original_id = c.id) >= s.faq_duplicates)
    and not exists (select from faq_entry f join contribution e on e.tenant_id = f.tenant_id and e.id = f.contribution_id
                    where f.tenant_id = x.tenant_id and f.source_id = c.id and e.state in ('DRAFT', 'PUBLISHED'))
$$;
grant execute on function faq_candidates() to engawa_app;

/*
 * Begins an entry: p_what as for contribution_write, with "source", the question that it comes from, if any. Outcomes:
 * done {entry}, not_found, those of contribution_write, key_reused.
 */
create function faq_draft(p_key text, p_hash bytea, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_op record;
  v_source contribution;
  v_done jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'FAQ', p_actor, tenant_now(v_tenant));
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  if p_what ->> 'source' is not null then
    select * into v_source from contribution c
    where c.tenant_id = v_tenant and c.id = (p_what ->> 'source')::uuid and c.kind = 'QUESTION' and c.state = 'PUBLISHED'
    for no key update;
    if v_source.id is null then
      return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'question'));
    end if;
  end if;
  v_done := contribution_write(null, p_actor, jsonb_build_object('sku', v_source.sku) || jsonb_strip_nulls(p_what)
    || '{"kind": "FAQ", "isDraft": true}');
  if v_done ->> 'is' <> 'done' then
    return op_finish(p_key, v_done);
  end if;
  insert into faq_entry (tenant_id, contribution_id, source_id, answer_id)
  values (v_tenant, (v_done ->> 'contribution')::uuid, v_source.id, (
    select x.answer_id from accepted_answer x where x.tenant_id = v_tenant and x.question_id = v_source.id));
  return op_finish(p_key, jsonb_build_object('is', 'done', 'entry', v_done -> 'contribution'));
end $$;

/*
 * Whether somebody may read an entry who may not read its source: each key that the source asks for has to be asked for
 * by the entry too, or to be one that every reader of the entry holds: an open space for everybody, or for the same
 * audience.
 */
create function faq_is_wider(p_entry contribution, p_source contribution) returns boolean language sql stable as $$
  select exists (
    select from unnest(p_source.needs) n (key)
    where n.key <> all (p_entry.needs) and not exists (
      select from space s where s.tenant_id = current_tenant() and s.id = n.key and s.join_mode = 'OPEN'
        and s.is_enabled and not s.is_retired
        and (s.see_id is null or s.see_id = p_entry.gate_id or s.see_id = (
          select o.see_id from space o where o.tenant_id = current_tenant() and o.id = p_entry.space_id))))
$$;

/*
 * Publishes an entry that is being edited. Where it would be read by some who may not read its source, that has to be
 * said to be right. Whoever gave the answer earns by the activity faq.credited, once for the answer. Outcomes: done
 * {entry}, not_found, access_denied (LOCKED, WIDER_READERS, and those of the space).
 */
create function faq_publish(p_entry uuid, p_is_wider_ok boolean, p_review_at timestamptz, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_entry faq_entry;
  v_source contribution;
  v_answerer uuid;
  v_refusal jsonb;
begin
  select * into v_row from contribution c
  where c.tenant_id = v_tenant and c.id = p_entry and c.kind = 'FAQ' for no key update;
  select * into v_entry from faq_entry f where f.tenant_id = v_tenant and f.contribution_id = v_row.id;
  if v_entry.contribution_id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'faqEntry');
  elsif v_row.state = 'PUBLISHED' then
    return jsonb_build_object('is', 'done', 'entry', p_entry);
  end if;
  v_refusal := space_may(v_row.space_id, null, 'post');
  if v_refusal is not null then
    return v_refusal;
  elsif v_row.state <> 'DRAFT' then
    return denied('LOCKED');
  end if;
  -- Nobody moves it meanwhile to where fewer read it.
  select * into v_source from contribution c
  where c.tenant_id = v_tenant and c.id = v_entry.source_id for no key update;
  if v_source.id is not null and not p_is_wider_ok and faq_is_wider(v_row, v_source) then
    return denied('WIDER_READERS');
  end if;
  update faq_entry f set published_at = v_now, published_by = p_actor, review_at = p_review_at, due_at = p_review_at
  where f.tenant_id = v_tenant and f.contribution_id = p_entry;
  update contribution c set state = 'PUBLISHED', published_at = v_now, activity_at = v_now
  where c.tenant_id = v_tenant and c.id = p_entry returning * into v_row;
  perform contribution_published(v_row);
  perform announce('faq.published', null, jsonb_build_object('entry', p_entry), v_now);
  select m.id into v_answerer from contribution a join member m on m.tenant_id = v_tenant and m.id = a.author_id
  where a.tenant_id = v_tenant and a.id = v_entry.answer_id and m.membership <> 'ENDED';
  if v_answerer is not null then
    perform activity_record(v_answerer, 'faq.credited', v_entry.answer_id::text,
      jsonb_build_object('entry', p_entry, 'answer', v_entry.answer_id), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'entry', p_entry);
end $$;

/* Somebody has looked at a published entry, and says when to look again. Outcomes: done {entry}, not_found. */
create function faq_review(p_entry uuid, p_review_at timestamptz, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  update faq_entry f set reviewed_at = tenant_now(v_tenant), reviewed_by = p_actor, review_at = p_review_at,
    due_at = p_review_at
  from contribution c
  where f.tenant_id = v_tenant and f.contribution_id = p_entry
    and c.tenant_id = v_tenant and c.id = p_entry and c.state = 'PUBLISHED';
  return case when found then jsonb_build_object('is', 'done', 'entry', p_entry)
    else jsonb_build_object('is', 'not_found', 'what', 'faqEntry') end;
end $$;

/* Takes an entry out of the FAQ, whatever had become of it. Outcomes: done {entry}, not_found. */
create function faq_retire(p_entry uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if not exists (select from faq_entry f where f.tenant_id = v_tenant and f.contribution_id = p_entry) then
    return jsonb_build_object('is', 'not_found', 'what', 'faqEntry');
  end if;
  perform contribution_set_state(p_entry, null, 'DELETED', p_actor);
  update faq_entry f set due_at = null where f.tenant_id = v_tenant and f.contribution_id = p_entry;
  return jsonb_build_object('is', 'done', 'entry', p_entry);
end $$;

/* Tells of entries that are to be looked at again, at most p_limit, each once; how many they were. */
create function faq_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_ids uuid[];
begin
  v_ids := array(
    select f.contribution_id from faq_entry f where f.tenant_id = v_tenant and f.due_at <= v_now
    order by f.due_at, f.contribution_id limit p_limit for no key update skip locked);
  update faq_entry f set due_at = null where f.tenant_id = v_tenant and f.contribution_id = any (v_ids);
  insert into outbox (tenant_id, type, payload, at)
  select v_tenant, 'faq.review_due', jsonb_build_object('entry', i.id), v_now
  from unnest(v_ids) with ordinality i (id, n)
  join contribution c on c.tenant_id = v_tenant and c.id = i.id and c.state = 'PUBLISHED' order by i.n;
  return cardinality(v_ids);
end $$;

-- ── Questions that need not be asked ─────────────────────────────────────────────────────────────

/* A member began to write a question; what came of it. */
create table composer_session (
  tenant_id   uuid not null,
  member_id   uuid not null,
  /* The client's name of it. */
  session     text not null check (length(session) between 1 and 100),
  space_id    uuid,
  began_at    timestamptz not null,
  noted_at    timestamptz not null,
  /* What was asked in the end; null: nothing. */
  question_id uuid,
  primary key (tenant_id, member_id, session),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, space_id) references space (tenant_id, id),
  foreign key (tenant_id, question_id) references contribution (tenant_id, id)
);
create index composer_session_time on composer_session (tenant_id, began_at);
call protect('composer_session');
call sight_own('composer_session');
grant select on composer_session to engawa_app;

/* A suggestion that a member opened while it wrote. */
create table composer_opening (
  tenant_id       uuid not null,
  member_id       uuid not null,
  session         text not null,
  contribution_id uuid not null,
  at              timestamptz not null,
  primary key (tenant_id, member_id, session, contribution_id),
  foreign key (tenant_id, member_id, session) references composer_session (tenant_id, member_id, session),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id)
);
create index composer_opening_of on composer_opening (tenant_id, contribution_id);
call protect('composer_opening');
call sight_own('composer_opening');
grant select on composer_opening to engawa_app;

/*
 * Notes what a member opened while it wrote a question, and what it asked in the end, as often as the client likes: one
 * row a session, and one for each suggestion in it. Outcomes: done {}, not_found (what it may not see, is no question and
 * no entry, or was asked by another).
 */
create function deflection_note(p_member uuid, p_session text, p_space uuid, p_opened uuid[], p_question uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  if p_space is not null and space_may(p_space, p_member, 'see') is not null then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  elsif exists (
      select from unnest(p_opened) o (id) where o.id not in (
        select c.id from contribution c, sights(array[p_member]) s
        where c.tenant_id = v_tenant and c.id = any (p_opened) and c.kind in ('QUESTION', 'FAQ')
          and in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, s.keys, s.moderated, s.blocked, s.member_id))) then
    return jsonb_build_object('is', 'not_found', 'what', 'contribution');
  elsif p_question is not null and not exists (
      select from contribution c where c.tenant_id = v_tenant and c.id = p_question and c.kind = 'QUESTION'
        and c.author_id = p_member) then
    return jsonb_build_object('is', 'not_found', 'what', 'question');
  end if;
  insert into composer_session as s (tenant_id, member_id, session, space_id, began_at, noted_at, question_id)
  values (v_tenant, p_member, p_session, p_space, v_now, v_now, p_question)
  on conflict (tenant_id, member_id, session) do update set noted_at = excluded.noted_at,
    space_id = coalesce(s.space_id, excluded.space_id), question_id = coalesce(s.question_id, excluded.question_id);
  insert into composer_opening (tenant_id, member_id, session, contribution_id, at)
  select v_tenant, p_member, p_session, o.id, v_now from unnest(p_opened) o (id) order by o.id
  on conflict do nothing;
  return '{"is": "done"}';
end $$;

/*
 * How much each of these entries is wanted: its views, 5 for each who has the same trouble as its source, 10 for each
 * duplicate of that, and 3 for each time that somebody opened it while writing a question.
 */
create function faq_demands(p_entries uuid[]) returns table (id uuid, demand bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id, c.view_count + 5 * coalesce(q.me_too_count, 0)
    + 10 * (select count(*) from question_duplicate d where d.tenant_id = c.tenant_id and d.original_id = f.source_id)
    + 3 * (select count(*) from composer_opening o where o.tenant_id = c.tenant_id and o.contribution_id = c.id)
  from contribution c
  join faq_entry f on f.tenant_id = c.tenant_id and f.contribution_id = c.id
  left join question q on q.tenant_id = c.tenant_id and q.contribution_id = f.source_id
  where c.tenant_id = current_tenant() and c.id = any (p_entries)
$$;
/* Who has the credit for each of these entries: whoever gave the answer, also where that cannot be read. */
create function faq_credits(p_entries uuid[]) returns table (id uuid, member uuid, name text, is_by_staff boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select f.contribution_id, m.id, m.display_name, a.is_by_staff
  from faq_entry f
  join contribution a on a.tenant_id = f.tenant_id and a.id = f.answer_id
  left join member m on m.tenant_id = a.tenant_id and m.id = a.author_id
  where f.tenant_id = current_tenant() and f.contribution_id = any (p_entries)
$$;
grant execute on function faq_credits(uuid[]) to engawa_app;
/* The demand of one, to sort by. */
create function faq_demand(p_entry uuid) returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce((select d.demand from faq_demands(array[p_entry]) d), 0)
$$;

/*
 * For each of these entries the other published ones about the same: from the same source, or about the same product and
 * with a title like it. In sight of the viewer.
 */
create function faq_conflicts(p_entries uuid[]) returns table (id uuid, other uuid)
language sql stable security definer set search_path = public, pg_temp as $$
  with asked as materialized (
    select c.id, c.sku, f.source_id, d.title from contribution c
    join faq_entry f on f.tenant_id = c.tenant_id and f.contribution_id = c.id
    join search_document d on d.tenant_id = c.tenant_id and d.contribution_id = c.id
    where c.tenant_id = current_tenant() and c.id = any (p_entries) and c.state = 'PUBLISHED'
  ), alike as (
    select a.id, f.contribution_id as other from asked a
    join faq_entry f on f.tenant_id = current_tenant() and f.source_id = a.source_id and f.contribution_id <> a.id
    union
    select a.id, l.id from asked a
    -- As texts are made ready: words of Latin letters whole, the rest in pairs of characters.
    cross join lateral search_like(jsonb_build_object(
      'words', (select coalesce(jsonb_agg(distinct w[1]), '[]') from regexp_matches(a.title, '[a-z0-9]+', 'g') w),
      'grams', (select coalesce(jsonb_agg(distinct g), '[]')
                from generate_series(1, length(a.title) - 1) i, substr(a.title, i, 2) g where g !~ '[ -~]')),
      '{FAQ}', null, 20) l
    join contribution o on o.tenant_id = current_tenant() and o.id = l.id and o.sku = a.sku
    where a.sku is not null and l.id <> a.id
  )
  select k.id, k.other from alike k
  join contribution o on o.tenant_id = current_tenant() and o.id = k.other and o.state = 'PUBLISHED'
  where app_member() is null or contribution_seen(o.id, app_member())
$$;

grant execute on function
  faq_draft(text, bytea, text, jsonb), faq_publish(uuid, boolean, timestamptz, text),
  faq_review(uuid, timestamptz, text), faq_retire(uuid, text), faq_settle_due(int),
  deflection_note(uuid, text, uuid, uuid[], uuid), faq_demands(uuid[]), faq_demand(uuid), faq_conflicts(uuid[])
  to engawa_app;
