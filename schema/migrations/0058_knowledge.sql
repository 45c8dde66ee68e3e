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
