-- Going to members before they ask: rules that watch for stumbles, first steps that stand still and courses that nobody
-- goes on with, and give staff a task.

set local role engawa_owner;

/* That a rule watches a member, or that a task was given for it: once for each occasion. */
create table outreach (
  tenant_id  uuid not null references tenant,
  id         uuid not null default uuid_v7(),
  /* The key and the version of the definition. */
  rule       text not null,
  version    int not null,
  member_id  uuid not null,
  /* What it is about: the enrolment, the member's checklist, or the last of the stumbles. */
  subject_id uuid not null,
  /* Since when nothing has happened there; with it, the occasion is another one. */
  since      timestamptz not null,
  /* What staff are told, by language. */
  title      jsonb not null,
  /* When the task is given; null: it was. */
  due_at     timestamptz,
  begun_at   timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, subject_id, rule, since),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((due_at is null) <> (begun_at is null))
);
create index outreach_due on outreach (tenant_id, due_at) where due_at is not null;
create index outreach_of_member on outreach (tenant_id, member_id, id);
call protect('outreach');
call sight_own('outreach');
grant select on outreach to engawa_app;
create policy system on outreach for select to engawa_system using (true);
grant select (tenant_id, due_at) on outreach to engawa_system;

-- A task for it has no delivery and no touch, as a question to answer has none.
alter table task drop column delivery_id;
alter table task add column delivery_id uuid
  generated always as (case when kind not in ('ANSWER', 'OUTREACH') then id end) stored;
alter table task add unique (tenant_id, delivery_id);
alter table task add foreign key (tenant_id, delivery_id) references delivery (tenant_id, id);
alter table task add column outreach_id uuid;
alter table task add foreign key (tenant_id, outreach_id) references outreach (tenant_id, id);
alter table task add unique (tenant_id, outreach_id);
alter table task drop constraint task_kind_check;
alter table task add constraint task_kind_check check (kind in ('CALL', 'VISIT', 'LETTER', 'ANSWER', 'OUTREACH'));
alter table task add check ((kind = 'OUTREACH') = (outreach_id is not null));
do $$
declare
  v_name text;
begin
  select c.conname into strict v_name from pg_constraint c
  where c.conrelid = 'task'::regclass and c.contype = 'c' and pg_get_constraintdef(c.oid) like '%touchpoint_id IS NOT NULL%';
  execute format('alter table task drop constraint %I', v_name);
end $$;
alter table task add check (kind in ('ANSWER', 'OUTREACH') or touchpoint_id is not null);
alter table task add check (kind = 'ANSWER' or member_id is not null);

/*
 * Watches what stands still: of one rule, or of one enrolment or checklist, or with both null of all. An occasion that
 * was seen to is none again.
 */
create function outreach_watch(p_rule text, p_subject uuid) returns void
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  v_tenant uuid := current_tenant();
begin
  insert into outreach (tenant_id, rule, version, member_id, subject_id, since, title, due_at)
  select v_tenant, d.key, d.version, s.member_id, s.id, s.since, d.body -> 'title',
    local_plus(s.since, coalesce(d.body ->> 'after', 'PT0S')::interval)
  from definition d join (
    select 'COURSE_STALE' as signal, e.id, e.member_id, c.key as about, greatest(e.enrolled_at, (
      select max(l.finished_at) from lesson_progress l where l.tenant_id = v_tenant and l.enrolment_id = e.id)) as since
    from enrolment e join course c on c.tenant_id = v_tenant and c.id = e.course_id
    where e.tenant_id = v_tenant and e.completed_at is null and e.ended_at is null and (p_subject is null or e.id = p_subject)
    union all
    select 'CHECKLIST_STUCK', m.id, m.member_id, c.key, m.stuck_at
    from member_checklist m join checklist c on c.tenant_id = v_tenant and c.id = m.checklist_id
    where m.tenant_id = v_tenant and m.stuck_at is not null and (p_subject is null or m.id = p_subject)
  ) s on s.signal = d.body ->> 'signal' and s.about = coalesce(d.body ->> 'about', s.about)
  where d.tenant_id = v_tenant and d.kind = 'outreach' and d.is_live and (p_rule is null or d.key = p_rule)
  order by s.id, d.key
  on conflict do nothing;
end $$;

/* It goes on, or has gone: nobody waits for it, and what staff had to do with it has come to an end. */
create function outreach_rest(p_subject uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  delete from outreach o where o.tenant_id = v_tenant and o.subject_id = p_subject and o.due_at is not null;
  update task t set outcome = 'OVERTAKEN', completed_at = tenant_now(v_tenant), actor = 'engawa'
  from outreach o
  where o.tenant_id = v_tenant and o.subject_id = p_subject
    and t.tenant_id = v_tenant and t.outreach_id = o.id and t.outcome is null;
end $$;

create function outreach_of_definition() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.is_live then
    perform outreach_watch(new.key, null);
  else
    delete from outreach o where o.tenant_id = new.tenant_id and o.rule = new.key and o.due_at is not null;
  end if;
  return null;
end $$;
create trigger outreach_of_definition after insert on definition for each row when (new.kind = 'outreach')
  execute function outreach_of_definition();
create trigger outreach_retired after update of is_live on definition for each row
  when (new.kind = 'outreach' and old.is_live and not new.is_live) execute function outreach_of_definition();

create function outreach_of_enrolment() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    perform outreach_rest(new.id);
  else
    perform outreach_watch(null, new.id);
  end if;
  return null;
end $$;
create trigger outreach_begins after insert on enrolment for each row execute function outreach_of_enrolment();
create trigger outreach_ends after update of ended_at, completed_at on enrolment for each row
  when (new.ended_at is not null or new.completed_at is not null) execute function outreach_of_enrolment();

create function outreach_of_lesson() returns trigger language plpgsql as $$
begin
  perform outreach_rest(new.enrolment_id);
  perform outreach_watch(null, new.enrolment_id);
  return null;
end $$;
create trigger outreach_goes_on after insert on lesson_progress for each row execute function outreach_of_lesson();

create function outreach_of_checklist() returns trigger language plpgsql as $$
begin
  if new.stuck_at is null then
    perform outreach_rest(new.id);
  else
    perform outreach_watch(null, new.id);
  end if;
  return null;
end $$;
create trigger outreach_of_checklist after update of stuck_at on member_checklist for each row
  when (new.stuck_at is distinct from old.stuck_at) execute function outreach_of_checklist();

/*
 * A member stumbled again. So many times over one feature within a span are an occasion; those that made one up count
 * for no other.
 */
create function outreach_of_stumble() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_rule definition;
  v_last uuid;
begin
  for v_rule in
    select * from definition d
    where d.tenant_id = new.tenant_id and d.kind = 'outreach' and d.is_live and d.body ->> 'signal' = 'STUMBLE'
      and coalesce(d.body ->> 'about', new.feature) = new.feature
    order by d.key
  loop
    -- Two at once would each see itself alone.
    perform member_lock(new.member_id);
    select (array_agg(s.id order by s.id desc))[1] into v_last from stumble s
    where s.tenant_id = new.tenant_id and s.member_id = new.member_id and s.feature = new.feature
      and s.at > new.at - (v_rule.body ->> 'within')::interval
      and not exists (
        select from outreach o join stumble seen on seen.tenant_id = o.tenant_id and seen.id = o.subject_id
        where o.tenant_id = new.tenant_id and o.member_id = new.member_id and o.rule = v_rule.key
          and seen.feature = new.feature and seen.id >= s.id)
    having count(*) >= (v_rule.body ->> 'times')::int;
    insert into outreach (tenant_id, rule, version, member_id, subject_id, since, title, due_at)
    select new.tenant_id, v_rule.key, v_rule.version, new.member_id, v_last, new.at, v_rule.body -> 'title', new.at
    where v_last is not null
    on conflict do nothing;
  end loop;
  return null;
end $$;
create trigger outreach_of_stumble after insert on stumble for each row execute function outreach_of_stumble();

/* Whoever left is left alone. */
create function outreach_of_leaver() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from outreach o where o.tenant_id = new.tenant_id and o.member_id = new.id and o.due_at is not null;
  update task t set outcome = 'OVERTAKEN', completed_at = tenant_now(new.tenant_id), actor = 'engawa'
  where t.tenant_id = new.tenant_id and t.member_id = new.id and t.kind = 'OUTREACH' and t.outcome is null;
  return null;
end $$;
create trigger outreach_of_leaver after update of membership on member for each row
  when (new.membership = 'ENDED' and old.membership <> 'ENDED') execute function outreach_of_leaver();

/*
 * Gives staff the tasks that have fallen due, at most p_limit of them, and announces outreach.begun; how many it looked
 * at. Two at once take different ones. Nobody is gone to who is no active member, or who wants no more of it; nor for a
 * course that was taken back.
 */
create function outreach_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_ids uuid[];
begin
  v_ids := array(
    select o.id from outreach o where o.tenant_id = v_tenant and o.due_at <= v_now
    order by o.due_at, o.id limit p_limit for no key update skip locked);
  delete from outreach o
  where o.tenant_id = v_tenant and o.id = any (v_ids) and (
    not exists (select from member_entitled(array[o.member_id]))
    or exists (select from suppression s where s.tenant_id = v_tenant
               and s.key = member_channel_key(v_tenant, o.member_id, 'task') and s.lifted_at is null
               and (s.until is null or s.until > v_now))
    or exists (select from enrolment e join course c on c.tenant_id = v_tenant and c.id = e.course_id
               where e.tenant_id = v_tenant and e.id = o.subject_id and c.is_retired));
  update outreach o set due_at = null, begun_at = v_now where o.tenant_id = v_tenant and o.id = any (v_ids);
  with given as (
    insert into task (tenant_id, id, member_id, kind, outreach_id, assignee, created_at)
    select v_tenant, uuid_v7(), o.member_id, 'OUTREACH', o.id, d.body ->> 'assignee', v_now
    from unnest(v_ids) with ordinality i (id, n)
    join outreach o on o.tenant_id = v_tenant and o.id = i.id
    join definition d on d.tenant_id = v_tenant and d.kind = 'outreach' and d.key = o.rule and d.version = o.version
    order by i.n
    returning id)
  insert into outbox (tenant_id, type, payload, at)
  select v_tenant, 'outreach.begun', jsonb_build_object('task', g.id), v_now from given g order by g.id;
  return cardinality(v_ids);
end $$;
grant execute on function outreach_settle_due(int) to engawa_app;

/*
 * Books what came of a task: p_result {"outcome", "note", "cost", "currency"}. The outcome is what the channel reports:
 * done, it arrived, and of a call or a visit the member answered; not reached, it failed; declined, it arrived, and
 * nobody does this to the member again. Questions to be answered and outreach come through no channel. Outcomes: done
 * {task}, not_found (no open task), key_reused.
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
  -- Outreach has no delivery, and so no signals.
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
      jsonb_build_object(case v_task.kind when 'OUTREACH' then 'task' else 'delivery' end, p_task));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'task', p_task));
end $$;
