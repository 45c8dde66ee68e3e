-- What staff know of members: notes that whoever serves a member shares.

set local role engawa_owner;

/* What staff wrote down about a member, for each other. */
create table member_note (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  member_id  uuid not null,
  /* Null: it was taken away. */
  body       text check (length(body) between 1 and 5000),
  revision   int not null default 1,
  /* Who wrote it, and when. */
  actor      text not null,
  at         timestamptz not null,
  /* Who changed it last or took it away, and when. */
  changed_by text,
  changed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((revision > 1) = (changed_at is not null) and (changed_at is null) = (changed_by is null)),
  check (body is not null or revision > 1)
);
create index member_note_newest on member_note (tenant_id, member_id, at desc, id desc);
call protect('member_note');

/* What a note said before: a revision for each change, as it stood until then. */
create table member_note_revision (
  tenant_id uuid not null,
  note_id   uuid not null,
  revision  int not null,
  body      text not null,
  /* Who said so, and when. */
  actor     text not null,
  at        timestamptz not null,
  primary key (tenant_id, note_id, revision),
  foreign key (tenant_id, note_id) references member_note (tenant_id, id)
);
call protect('member_note_revision');

-- No member sees them, its own neither.
create policy sight on member_note as restrictive for select to engawa_app using ((select app_member()) is null);
create policy sight on member_note_revision as restrictive for select to engawa_app using ((select app_member()) is null);
grant select on member_note, member_note_revision to engawa_app;

/*
 * Writes a note about a member, who may have left. Outcomes: done {note, member}, not_found, membership_ended (it was
 * erased), key_reused. Announces note.added, for staff alone.
 */
create function note_add(p_key text, p_hash bytea, p_member uuid, p_external_id text, p_body text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
  v_replay jsonb;
  v_note uuid;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'NOTE', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  elsif v_member.erased_at is not null then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  insert into member_note (tenant_id, member_id, body, actor, at) values (v_tenant, v_member.id, p_body, p_actor, v_now)
  returning id into v_note;
  perform announce('note.added', null, jsonb_build_object('note', v_note), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'note', v_note, 'member', v_member.id));
end $$;

/*
 * Lets a note say something else, or takes it away (p_body null); what it said is kept. What changes nothing is no
 * change. Outcomes: done {note, member}, not_found (a note that was taken away says nothing more). Announces
 * note.changed.
 */
create function note_change(p_note uuid, p_body text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_note member_note;
begin
  -- The member before the note, as erasing goes.
  perform member_hold((select n.member_id from member_note n where n.tenant_id = v_tenant and n.id = p_note), null);
  select * into v_note from member_note n where n.tenant_id = v_tenant and n.id = p_note for no key update;
  if v_note.id is null or (v_note.body is null and p_body is not null) then
    return jsonb_build_object('is', 'not_found', 'what', 'note');
  elsif v_note.body is distinct from p_body then
    insert into member_note_revision (tenant_id, note_id, revision, body, actor, at)
    values (v_tenant, p_note, v_note.revision, v_note.body, coalesce(v_note.changed_by, v_note.actor),
      coalesce(v_note.changed_at, v_note.at));
    update member_note n set body = p_body, revision = n.revision + 1, changed_by = p_actor, changed_at = v_now
    where n.tenant_id = v_tenant and n.id = p_note;
    perform announce('note.changed', null, jsonb_build_object('note', p_note), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'note', p_note, 'member', v_note.member_id);
end $$;

grant execute on function note_add(text, bytea, uuid, text, text, text), note_change(uuid, text, text) to engawa_app;

-- ── Asking twice, closing and contesting ─────────────────────────────────────────────────────────

-- That whoever asked said of a question, which others had closed as a duplicate, that it is none. Once.
alter table question add column contested_at timestamptz;

-- Of what it is a duplicate, only who sees that learns.
drop policy sight on question_duplicate;
create policy sight on question_duplicate as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = question_duplicate.tenant_id and c.id = contribution_id)
  and exists (select from contribution c where c.tenant_id = question_duplicate.tenant_id and c.id = original_id));

/*
 * Asks. p_what as for contribution_write, with "questionKind". Asked by the same member in the same space under the same
 * title within five minutes, however that is spelled, it is the first question, as that stands. Outcomes: done {question,
 * state, is_new}, those of contribution_write, key_reused.
 */
create or replace function question_ask(p_key text, p_hash bytea, p_member uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_kind text := coalesce(p_what ->> 'questionKind', 'QUESTION');
  v_op record;
  v_done jsonb;
  v_known contribution;
begin
  select * into v_op from op_begin(p_key, p_hash, 'ASK', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif (select s.kind from space s where s.tenant_id = v_tenant and s.id = (p_what ->> 'space')::uuid) <> 'QA' then
    return op_finish(p_key, bad_input('space', 'Questions are asked in spaces of kind QA.'));
  elsif p_member is not null then
    -- One question of a member at a time, so that a button that was hit twice asks once.
    perform member_lock(p_member);
    select c.* into v_known from contribution c
    join question q on q.tenant_id = v_tenant and q.contribution_id = c.id and q.kind = v_kind
    left join search_document d on d.tenant_id = v_tenant and d.contribution_id = c.id
    where c.tenant_id = v_tenant and c.author_id = p_member and c.kind = 'QUESTION'
      and c.space_id = (p_what ->> 'space')::uuid and c.state in ('PUBLISHED', 'PENDING')
      and c.is_private = coalesce((p_what ->> 'isPrivate')::boolean, false)
      and c.created_at > v_now - interval '5 minutes'
      and coalesce(d.title, c.title) = coalesce(p_what #>> '{search,title}', p_what ->> 'title')
    order by c.id limit 1;
    if v_known.id is not null then
      return op_finish(p_key,
        jsonb_build_object('is', 'done', 'question', v_known.id, 'state', v_known.state, 'is_new', false));
    end if;
  end if;
  v_done := contribution_write(p_member, p_actor, p_what || '{"kind": "QUESTION"}');
  if v_done ->> 'is' <> 'done' then
    return op_finish(p_key, v_done);
  end if;
  insert into question (tenant_id, contribution_id, kind) values (v_tenant, (v_done ->> 'contribution')::uuid, v_kind);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'question', v_done -> 'contribution', 'state', v_done -> 'state',
    'is_new', true));
end $$;

/*
 * Closes a question (p_reason null: opens it again). As a DUPLICATE of p_original it hands over to it whoever followed
 * it or had the same trouble, the asker included. What others closed is for moderators and staff; only that it is a
 * duplicate whoever asked may contest, once, by opening it again. Whoever asked is told when others close it. Outcomes:
 * done {question}, not_found, access_denied, bad_input.
 */
create or replace function question_close(p_question uuid, p_member uuid, p_reason text, p_original uuid, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_question question;
  v_contests boolean := false;
  v_refusal jsonb;
begin
  -- Both in the order of their ids, so that two merges the other way round do not wait for each other.
  perform from contribution c where c.tenant_id = v_tenant and c.id in (p_question, p_original)
  order by c.id for no key update;
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_question;
  v_refusal := question_may_decide(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  end if;
  select * into v_question from question q where q.tenant_id = v_tenant and q.contribution_id = p_question;
  if v_question.closed_by <> p_actor and p_member is not null and v_row.space_id <> all (moderated_by(p_member)) then
    v_contests := p_reason is null and v_question.closed_reason = 'DUPLICATE' and v_question.contested_at is null;
    if not v_contests then
      return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_MODERATOR', 'unlock', null);
    end if;
  end if;
  if p_reason = 'DUPLICATE' then
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
    if v_contests then
      delete from me_too t using question_duplicate d
      where d.tenant_id = v_tenant and d.contribution_id = p_question
        and t.tenant_id = v_tenant and t.contribution_id = d.original_id and t.member_id = p_member;
    end if;
    delete from question_duplicate d where d.tenant_id = v_tenant and d.contribution_id = p_question;
  end if;
  update question q set closed_at = case when p_reason is not null then v_now end, closed_reason = p_reason,
    closed_by = case when p_reason is not null then p_actor end,
    contested_at = case when v_contests then v_now else q.contested_at end,
    state = case when p_reason is not null then 'CLOSED' else 'OPEN' end
  where q.tenant_id = v_tenant and q.contribution_id = p_question and q.closed_reason is distinct from p_reason;
  if found then
    perform question_restate(array[p_question]);
    perform announce(case when p_reason is null then 'question.reopened' else 'question.closed' end, v_row.author_id,
      jsonb_build_object('question', p_question), v_now);
    if p_reason is not null and v_row.author_id is not null and p_member is distinct from v_row.author_id then
      perform notification_note('QUESTION_CLOSED', 'question.closed ' || uuid_v7(), p_question, null, v_row.author_id, null,
        v_now);
    end if;
  end if;
  return jsonb_build_object('is', 'done', 'question', p_question);
end $$;

-- ── Whether content helps against complaints ─────────────────────────────────────────────────────

-- What an idea is about: products, and features over which members stumble.
alter table content_idea add column skus text[] not null default '{}' check (cardinality(skus) <= 50);
alter table content_idea add column features text[] not null default '{}' check (cardinality(features) <= 50);
create index complaint_opened on complaint (tenant_id, opened_at);

/*
 * Keeps an idea (null: a new one): p_what {"title", "need", "state", "content", "skus", "features"}; of the last two, what
 * is null stays. It is closed by the content that answers it, or dismissed. Outcomes: done {idea}, not_found.
 */
create or replace function idea_save(p_idea uuid, p_actor text, p_what jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_content uuid := (p_what ->> 'content')::uuid;
  v_state text := case when v_content is not null then 'PUBLISHED' else p_what ->> 'state' end;
  v_id uuid := coalesce(p_idea, uuid_v7());
  v_given record;
begin
  select * into v_given from jsonb_to_record(p_what) g (skus text[], features text[]);
  if v_content is not null and not exists (
    select from content c where c.tenant_id = v_tenant and c.contribution_id = v_content) then
    return jsonb_build_object('is', 'not_found', 'what', 'content');
  elsif p_idea is null then
    insert into content_idea (tenant_id, id, title, need, state, content_id, skus, features, actor, created_at, closed_at)
    values (v_tenant, v_id, p_what ->> 'title', p_what ->> 'need', v_state, v_content, coalesce(v_given.skus, '{}'),
      coalesce(v_given.features, '{}'), p_actor, v_now, case when v_state <> 'OPEN' then v_now end);
    return jsonb_build_object('is', 'done', 'idea', v_id);
  end if;
  update content_idea i set title = p_what ->> 'title', need = p_what ->> 'need', state = v_state,
    content_id = v_content, closed_at = case when v_state <> 'OPEN' then coalesce(i.closed_at, v_now) end,
    demand_since = case when v_state <> 'OPEN' then i.demand_since else 0 end,
    skus = coalesce(v_given.skus, i.skus), features = coalesce(v_given.features, i.features)
  where i.tenant_id = v_tenant and i.id = p_idea;
  return case when found then jsonb_build_object('is', 'done', 'idea', p_idea)
    else jsonb_build_object('is', 'not_found', 'what', 'idea') end;
end $$;

-- ── Lessons that open after what a member did ────────────────────────────────────────────────────

-- What the time of a lesson is counted from: the first activity of this name of the member's; null: enrolling.
alter table lesson add column after_activity text check (length(after_activity) between 1 and 100);

/*
 * How each of these lessons stands to a member: whether it is open, when it opens by itself (null: not by itself), and
 * when it was finished. What was finished stays open as long as the member may see the course, whatever rule came later.
 */
create or replace function lessons_standing(p_lessons uuid[], p_member uuid)
returns table (lesson_id uuid, enrolment_id uuid, is_open boolean, opens_at timestamptz, finished_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  return query
  select l.id, e.id, e.id is not null and (p.finished_at is not null or coalesce(o.opens_at <= v_now, false)), o.opens_at,
    p.finished_at
  from sights(array[p_member]) s
  cross join lesson l
  join course c on c.tenant_id = v_tenant and c.id = l.course_id
    and array_remove(array[c.space_id, c.gate_id], null) <@ s.keys
  left join enrolment e on e.tenant_id = v_tenant and e.course_id = c.id and e.member_id = p_member and e.ended_at is null
  left join lesson_progress p on p.tenant_id = v_tenant and p.enrolment_id = e.id and p.lesson_id = l.id
  left join lateral (
    select case when l.after_activity is null then e.enrolled_at else (
      select min(a.at) from activity a
      where a.tenant_id = v_tenant and a.member_id = p_member and a.name = l.after_activity) end as at
    where e.id is not null) since on true
  left join lateral (
    select lesson_opens(l.after, l.opens_at, since.at) as opens_at where since.at is not null) o on true
  where l.tenant_id = v_tenant and l.id = any (p_lessons) and (not l.is_retired or p.finished_at is not null);
end $$;

/*
 * Keeps a course: p_course {"space", "gate", "title", "summary", "isRetired", "lessons": [{"key", "title", "summary",
 * "after", "afterActivity", "at", "body", "html", "assets": [ids]}]} in their order; a lesson that is not named any more is retired.
 * Outcomes: done {course}, not_found, space_not_enabled, bad_input, asset_unfit.
 */
create or replace function course_save(p_key text, p_actor text, p_course jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_space uuid := (p_course ->> 'space')::uuid;
  v_refusal jsonb := space_may(v_space, null, 'post');
  v_id uuid;
  v_asset uuid;
begin
  if v_refusal is not null then
    return v_refusal;
  elsif (select s.kind from space s where s.tenant_id = v_tenant and s.id = v_space) <> 'SITE' then
    return bad_input('course.space', 'A course is in a space of the kind SITE.');
  end if;
  select a.value::uuid into v_asset
  from jsonb_array_elements(p_course -> 'lessons') g
  cross join jsonb_array_elements_text(g -> 'assets') a
  left join course c on c.tenant_id = v_tenant and c.key = p_key
  left join lesson l on l.tenant_id = v_tenant and l.course_id = c.id and l.key = g ->> 'key'
  left join asset f on f.tenant_id = v_tenant and f.id = a.value::uuid and f.state = 'STORED' and f.member_id is null
    and f.contribution_id is null and (f.lesson_id is null or f.lesson_id = l.id)
  where f.id is null limit 1;
  if v_asset is not null then
    return coalesce(
      (select jsonb_build_object('is', 'asset_unfit', 'reason',
         case a.state when 'PENDING' then 'NOT_UPLOADED' else 'TAKEN' end)
       from asset a where a.tenant_id = v_tenant and a.id = v_asset and a.state <> 'GONE'),
      jsonb_build_object('is', 'not_found', 'what', 'asset'));
  end if;
  insert into gate (tenant_id, audience_id)
  select v_tenant, (p_course ->> 'gate')::uuid where p_course ->> 'gate' is not null on conflict do nothing;
  insert into course as c (tenant_id, key, space_id, gate_id, title, summary, is_retired, created_at)
  values (v_tenant, p_key, v_space, (p_course ->> 'gate')::uuid, p_course ->> 'title', p_course ->> 'summary',
    (p_course ->> 'isRetired')::boolean, v_now)
  on conflict (tenant_id, key) do update set space_id = excluded.space_id, gate_id = excluded.gate_id,
    title = excluded.title, summary = excluded.summary, is_retired = excluded.is_retired
  returning c.id into v_id;
  update lesson l set is_retired = true
  where l.tenant_id = v_tenant and l.course_id = v_id and not l.is_retired
    and l.key not in (select g ->> 'key' from jsonb_array_elements(p_course -> 'lessons') g);
  insert into lesson as l (tenant_id, course_id, key, position, title, summary, after, after_activity, opens_at)
  select v_tenant, v_id, g ->> 'key', n, g ->> 'title', g ->> 'summary', coalesce(g ->> 'after', 'PT0S'),
    g ->> 'afterActivity', (g ->> 'at')::timestamptz
  from jsonb_array_elements(p_course -> 'lessons') with ordinality x (g, n)
  on conflict (tenant_id, course_id, key) do update set position = excluded.position, title = excluded.title,
    summary = excluded.summary, after = excluded.after, after_activity = excluded.after_activity,
    opens_at = excluded.opens_at, is_retired = false;
  insert into lesson_body as b (tenant_id, lesson_id, body, html)
  select v_tenant, l.id, g ->> 'body', g ->> 'html' from jsonb_array_elements(p_course -> 'lessons') g
  join lesson l on l.tenant_id = v_tenant and l.course_id = v_id and l.key = g ->> 'key'
  on conflict (tenant_id, lesson_id) do update set body = excluded.body, html = excluded.html;
  update asset f set lesson_id = l.id, position = a.n, due_at = null
  from jsonb_array_elements(p_course -> 'lessons') g
  join lesson l on l.tenant_id = v_tenant and l.course_id = v_id and l.key = g ->> 'key'
  cross join jsonb_array_elements_text(g -> 'assets') with ordinality a (value, n)
  where f.tenant_id = v_tenant and f.id = a.value::uuid;
  return jsonb_build_object('is', 'done', 'course', v_id);
end $$;
