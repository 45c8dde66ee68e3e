-- Moderation: what is let through, what waits for somebody to look at it, flags and their answers, and whom one trusts.

set local role engawa_owner;

-- ── What the tenant wants ────────────────────────────────────────────────────────────────────────

/* What holds where a tenant defined nothing else; the application knows the same. */
create function moderation_policy() returns jsonb language sql stable as $$
  select coalesce(
    (select d.body from definition d
     where d.tenant_id = current_tenant() and d.kind = 'moderation' and d.key = 'moderation' and d.is_live),
    '{"limits": [{"action": "POST", "most": 100, "per": "PT1H"}, {"action": "COMMENT", "most": 200, "per": "PT1H"},
                 {"action": "QUESTION", "most": 100, "per": "PT1H"}, {"action": "ANSWER", "most": 200, "per": "PT1H"},
                 {"action": "FLAG", "most": 20, "per": "P1D"}],
      "repeatWithin": "PT5M", "reviewFirst": 0, "hideAt": 8,
      "trust": [{"level": 1, "threads": 5, "days": 1, "given": 0, "received": 0},
                {"level": 2, "threads": 20, "days": 15, "given": 1, "received": 1},
                {"level": 3, "threads": 100, "days": 50, "given": 30, "received": 20, "within": "P100D"}],
      "keepFor": "P14D", "keepShare": 90}'::jsonb)
$$;

/* Words that texts are watched for, of the lists in force. Folded, as the texts are. */
create table watched_word (
  tenant_id uuid not null,
  list      text not null,
  word      text not null,
  action    text not null check (action in ('BLOCK', 'QUEUE', 'FLAG')),
  /* For words of Latin letters, which are no part of other words; null: found wherever it stands. */
  pattern   text,
  primary key (tenant_id, list, word),
  foreign key (tenant_id) references tenant
);
call protect('watched_word');

/* Compiles a list of words. A * at an end of a word stands for more letters there. */
create function watched_words_of_definition() returns trigger language plpgsql as $$
begin
  delete from watched_word w where w.tenant_id = new.tenant_id and w.list = new.key;
  if new.is_live then
    insert into watched_word (tenant_id, list, word, action, pattern)
    select distinct new.tenant_id, new.key, btrim(w, '*'), new.body ->> 'action',
      case when btrim(w, '*') ~ '^[a-z0-9 ''-]+$' then
        case when w like '*%' then '' else '(?<![a-z0-9])' end || btrim(w, '*')
          || case when w like '%*' then '' else '(?![a-z0-9])' end end
    from jsonb_array_elements_text(new.body -> 'words') w
    on conflict do nothing;
  end if;
  return null;
end $$;
create trigger watched_words after insert on definition for each row when (new.kind = 'watchedWords')
  execute function watched_words_of_definition();
create trigger watched_words_retired after update of is_live on definition for each row
  when (new.kind = 'watchedWords' and old.is_live and not new.is_live) execute function watched_words_of_definition();

-- ── Cases ────────────────────────────────────────────────────────────────────────────────────────

/* Something that somebody has to look at, or has looked at. One for each contribution. */
create table moderation_case (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  /* WITHDRAWN: whoever wrote it took it away first. */
  state           text not null default 'OPEN' check (state in ('OPEN', 'KEPT', 'REMOVED', 'SPAM', 'WITHDRAWN')),
  reason          text not null check (reason in ('FLAGGED', 'NEW_MEMBER', 'WATCHED_WORD', 'CHECK', 'HELD', 'APPEAL')),
  /* The weights of the flags since it was opened. */
  score           double precision not null default 0,
  /* One more with each change, so that two who decide at once notice. */
  version         int not null default 1,
  opened_at       timestamptz not null,
  decided_at      timestamptz,
  decided_by      text,
  /* What whoever decided tells the author. */
  note            text check (length(note) <= 1000),
  appealed_at     timestamptz,
  appeal          text check (length(appeal) <= 2000),
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  check ((state = 'OPEN') = (decided_at is null))
);
create index moderation_case_queue on moderation_case (tenant_id, state, opened_at, contribution_id);
call protect('moderation_case');
create policy sight on moderation_case as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = moderation_case.tenant_id and c.id = contribution_id
             and c.space_id = any ((select viewer_moderated())::uuid[])));
grant select on moderation_case to engawa_app;

/* That a member thinks something should not be there, and what it was answered. */
create table moderation_flag (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  contribution_id uuid not null,
  member_id       uuid not null,
  reason          text not null check (reason in ('SPAM', 'ABUSE', 'OFF_TOPIC', 'PERSONAL_DATA', 'ILLEGAL', 'OTHER')),
  note            text check (length(note) between 1 and 1000),
  weight          double precision not null,
  state           text not null default 'OPEN' check (state in ('OPEN', 'UPHELD', 'REJECTED', 'MOOT')),
  at              timestamptz not null,
  answered_at     timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, contribution_id, member_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((state = 'OPEN') = (answered_at is null))
);
create index moderation_flag_of_member on moderation_flag (tenant_id, member_id, at);
call protect('moderation_flag');
create policy sight on moderation_flag as restrictive for select to engawa_app using (
  (select app_member()) is null or member_id = (select app_member())
  or exists (select from contribution c where c.tenant_id = moderation_flag.tenant_id and c.id = contribution_id
             and c.space_id = any ((select viewer_moderated())::uuid[])));
grant select on moderation_flag to engawa_app;

/* Everything that happened to a case, in order. Append-only. */
create table moderation_step (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  contribution_id uuid not null,
  step            text not null check (step in ('OPENED', 'FLAGGED', 'HIDDEN', 'APPEALED', 'KEPT', 'REMOVED', 'SPAM', 'WITHDRAWN')),
  actor           text not null,
  note            text,
  at              timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, contribution_id) references moderation_case (tenant_id, contribution_id)
);
create index moderation_step_of_case on moderation_step (tenant_id, contribution_id, id);
call protect('moderation_step');
create policy sight on moderation_step as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = moderation_step.tenant_id and c.id = contribution_id
             and c.space_id = any ((select viewer_moderated())::uuid[])));
grant select on moderation_step to engawa_app;

create function moderation_stays() returns trigger language plpgsql as $$
begin
  raise exception 'what happened stays' using errcode = '23514';
end $$;
create trigger stays before update or delete or truncate on moderation_step
  for each statement execute function moderation_stays();

create function moderation_note(p_contribution uuid, p_step text, p_actor text, p_note text, p_at timestamptz) returns void
language sql as $$
  insert into moderation_step (tenant_id, contribution_id, step, actor, note, at)
  values (current_tenant(), p_contribution, p_step, p_actor, p_note, p_at)
$$;

/* Opens a case, or opens it again; one that is open stays as it is. */
create function moderation_open(p_contribution uuid, p_reason text, p_actor text, p_note text, p_at timestamptz) returns void
language plpgsql as $$
begin
  insert into moderation_case as m (tenant_id, contribution_id, reason, opened_at)
  values (current_tenant(), p_contribution, p_reason, p_at)
  on conflict (tenant_id, contribution_id) do update set state = 'OPEN', reason = excluded.reason, score = 0,
    version = m.version + 1, opened_at = excluded.opened_at, decided_at = null, decided_by = null, note = null
  where m.state <> 'OPEN';
  if found then
    perform moderation_note(p_contribution, 'OPENED', p_actor, coalesce(p_note, p_reason), p_at);
  end if;
end $$;

/* Closes an open case, and answers those who flagged it. */
create function moderation_close(p_contribution uuid, p_state text, p_actor text, p_note text, p_at timestamptz) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  update moderation_case m set state = p_state, version = m.version + 1, decided_at = p_at, decided_by = p_actor,
    note = p_note
  where m.tenant_id = v_tenant and m.contribution_id = p_contribution and m.state = 'OPEN';
  if not found then
    return;
  end if;
  perform moderation_note(p_contribution, p_state, p_actor, p_note, p_at);
  perform announce('flag.answered', f.member_id, jsonb_build_object('flag', f.id), p_at)
  from moderation_flag f
  where f.tenant_id = v_tenant and f.contribution_id = p_contribution and f.state = 'OPEN';
  update moderation_flag f set answered_at = p_at,
    state = case p_state when 'KEPT' then 'REJECTED' when 'WITHDRAWN' then 'MOOT' else 'UPHELD' end
  where f.tenant_id = v_tenant and f.contribution_id = p_contribution and f.state = 'OPEN';
  perform announce('contribution.judged', c.author_id, jsonb_build_object('contribution', c.id), p_at)
  from contribution c where c.tenant_id = v_tenant and c.id = p_contribution and p_state <> 'WITHDRAWN';
end $$;

/*
 * What waits gets a case; what is published, taken away or taken for spam while a case is open decides it. The setting
 * app.verdict carries why the verdict on a new text was what it was.
 */
create function moderation_follows() returns trigger language plpgsql as $$
declare
  v_at timestamptz := tenant_now(new.tenant_id);
  v_why text := nullif(current_setting('app.verdict', true), '');
begin
  if tg_op = 'UPDATE' and new.state = old.state and v_why is null then
    return null;
  end if;
  perform set_config('app.verdict', '', true);
  if new.state in ('PENDING', 'SPAM') and (tg_op = 'INSERT' or old.state <> 'PENDING')
     or new.state = 'PUBLISHED' and v_why is not null then
    perform moderation_open(new.id, coalesce(split_part(v_why, ':', 1), 'HELD'), 'engawa', v_why, v_at);
  elsif tg_op = 'UPDATE' and new.state <> old.state and new.state in ('PUBLISHED', 'SPAM', 'REMOVED', 'DELETED') then
    perform moderation_close(new.id, case new.state when 'PUBLISHED' then 'KEPT' when 'DELETED' then 'WITHDRAWN'
      else new.state end, coalesce(nullif(current_setting('app.moderator', true), ''), 'engawa'),
      nullif(current_setting('app.moderator_note', true), ''), v_at);
  end if;
  return null;
end $$;
create trigger moderation after insert or update of state, revision on contribution
  for each row execute function moderation_follows();

-- ── Whom one trusts ──────────────────────────────────────────────────────────────────────────────

/* The days on which a member read anything. */
create table trust_day (
  tenant_id uuid not null,
  member_id uuid not null,
  day       date not null,
  threads   int not null,
  primary key (tenant_id, member_id, day),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('trust_day');
call sight_own('trust_day');
grant select on trust_day to engawa_app;

/* How far a member is trusted: 0 as it came. Apart from its tier and its stage. */
create table trust (
  tenant_id uuid not null,
  member_id uuid not null,
  level     int not null check (level between 0 and 9),
  since     timestamptz not null,
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('trust');
call sight_own('trust');
grant select on trust to engawa_app;

/* What counts for trust, and how much of it a member has, since an instant: threads read, days, reactions. */
create function trust_counts(p_member uuid, p_since timestamptz)
returns table (threads bigint, days bigint, given bigint, received bigint) language sql stable as $$
  select
    (select count(*) from read_mark r where r.tenant_id = current_tenant() and r.member_id = p_member and r.read_at > p_since),
    (select count(*) from trust_day d where d.tenant_id = current_tenant() and d.member_id = p_member
     and d.day > (p_since at time zone 'UTC')::date),
    (select count(*) from reaction r where r.tenant_id = current_tenant() and r.member_id = p_member and r.at > p_since),
    (select count(*) from contribution c
     join reaction r on r.tenant_id = c.tenant_id and r.contribution_id = c.id and r.kind <> 'DOWN'
       and r.member_id <> p_member and r.at > p_since
     where c.tenant_id = current_tenant() and c.author_id = p_member)
$$;

/*
 * Each criterion of each level, what it needs and what the member has. For what it has reached already, a share of it
 * is enough (hysteresis).
 */
create function trust_progress(p_member uuid)
returns table (level int, criterion text, needs int, has int, is_met boolean)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_policy jsonb := moderation_policy();
  v_level int := coalesce((select t.level from trust t where t.tenant_id = v_tenant and t.member_id = p_member), 0);
begin
  return query
  select (l ->> 'level')::int, x.criterion, x.needs, x.has::int,
    x.has >= case when (l ->> 'level')::int <= v_level
      then ceil(x.needs * (v_policy ->> 'keepShare')::int / 100.0) else x.needs end
  from jsonb_array_elements(v_policy -> 'trust') l,
    trust_counts(p_member, case when l ->> 'within' is null then '-infinity'::timestamptz
                             else v_now - (l ->> 'within')::interval end) n,
    lateral (values ('THREADS_READ', (l ->> 'threads')::int, n.threads), ('DAYS_VISITED', (l ->> 'days')::int, n.days),
                    ('REACTIONS_GIVEN', (l ->> 'given')::int, n.given),
                    ('REACTIONS_RECEIVED', (l ->> 'received')::int, n.received)) x (criterion, needs, has)
  order by 1, 2;
end $$;
grant execute on function trust_progress(uuid) to engawa_app;

/*
 * The level of a member by what it has done, kept: up at once, down only when the level was held for long enough and
 * even a share of what it asks is missing. Announces trust.changed.
 */
create function trust_settle(p_member uuid) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_trust trust;
  v_level int;
begin
  insert into trust (tenant_id, member_id, level, since) values (v_tenant, p_member, 0, v_now) on conflict do nothing;
  select * into strict v_trust from trust t where t.tenant_id = v_tenant and t.member_id = p_member for no key update;
  select coalesce(max(l.level), 0) into v_level
  from (select p.level, bool_and(bool_and(p.is_met)) over (order by p.level) as is_met from trust_progress(p_member) p
        group by p.level) l
  where l.is_met;
  if v_level = v_trust.level
     or (v_level < v_trust.level and v_trust.since + (moderation_policy() ->> 'keepFor')::interval > v_now) then
    return v_trust.level;
  end if;
  update trust t set level = v_level, since = v_now where t.tenant_id = v_tenant and t.member_id = p_member;
  perform announce('trust.changed', p_member,
    jsonb_build_object('member', p_member, 'from', v_trust.level::text, 'to', v_level::text), v_now);
  return v_level;
end $$;

/* Reading is what earns trust first: counted by days, and looked at on the first thread of each and every fifth. */
create function trust_of_reading() returns trigger language plpgsql as $$
declare
  v_threads int;
begin
  if tg_op = 'UPDATE' and new.read_at = old.read_at then
    return null;
  end if;
  insert into trust_day as d (tenant_id, member_id, day, threads)
  select new.tenant_id, new.member_id, (tenant_now(new.tenant_id) at time zone t.time_zone)::date, 1
  from tenant t where t.id = new.tenant_id
  on conflict (tenant_id, member_id, day) do update set threads = d.threads + 1
  returning threads into v_threads;
  if v_threads % 5 in (0, 1) then
    perform trust_settle(new.member_id);
  end if;
  return null;
end $$;
create trigger trust after insert or update on read_mark for each row execute function trust_of_reading();

-- ── The verdict on a new text ────────────────────────────────────────────────────────────────────

/* In how many seconds a member may do something again; null: now. */
create function moderation_wait(p_member uuid, p_action text, p_trust int) returns int language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_free timestamptz;
begin
  select max(x.nth + x.per) into v_free
  from (
    select (l ->> 'per')::interval as per,
      (select n.at from (
         select c.created_at as at from contribution c
         where c.tenant_id = v_tenant and c.author_id = p_member and c.kind = p_action and c.state <> 'DRAFT'
           and c.created_at > v_now - (l ->> 'per')::interval
         union all
         select f.at from moderation_flag f
         where p_action = 'FLAG' and f.tenant_id = v_tenant and f.member_id = p_member
           and f.at > v_now - (l ->> 'per')::interval
         order by 1 desc offset (l ->> 'most')::int - 1 limit 1) n) as nth
    from jsonb_array_elements(moderation_policy() -> 'limits') l
    where l ->> 'action' = p_action and coalesce((l ->> 'upToTrust')::int, 9) >= p_trust
  ) x;
  return case when v_free > v_now then ceil(extract(epoch from v_free - v_now))::int end;
end $$;

/*
 * Whether a text of a member is let through: p_what as contribution_write and contribution_edit have it, with "check"
 * as the filter for spam answered; p_id what is changed, null for new ones. Answers {"state", "reason"}, or
 * access_denied {reason: TOO_OFTEN, REPEATED (both with retry_after) or WATCHED_WORD}. Staff, moderators of the space
 * and imports are let through. Replaces that of 0034.
 */
create or replace function contribution_verdict(p_member uuid, p_space uuid, p_kind text, p_what jsonb, p_id uuid)
returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_policy jsonb := moderation_policy();
  v_norm text := p_what -> 'search' ->> 'norm';
  v_repeat interval := (v_policy ->> 'repeatWithin')::interval;
  v_trust int;
  v_wait int;
  v_word watched_word;
  v_why text;
begin
  if p_member is null or p_what ->> 'sourceKey' is not null or p_space = any (moderated_by(p_member)) then
    return '{"state": "PUBLISHED"}';
  end if;
  -- What follows counts what the member wrote; one at a time.
  perform member_lock(p_member);
  v_trust := trust_settle(p_member);
  if p_id is null or exists (select from contribution c where c.tenant_id = v_tenant and c.id = p_id and c.state = 'DRAFT') then
    v_wait := moderation_wait(p_member, p_kind, v_trust);
    if v_wait is not null then
      return jsonb_build_object('is', 'access_denied', 'reason', 'TOO_OFTEN', 'unlock', null, 'retry_after', v_wait);
    end if;
    select ceil(extract(epoch from max(c.created_at) + v_repeat - v_now))::int into v_wait
    from contribution c join search_document d on d.tenant_id = v_tenant and d.contribution_id = c.id
    where c.tenant_id = v_tenant and c.author_id = p_member and c.kind = p_kind and c.space_id = p_space
      and c.id is distinct from p_id and c.parent_id is not distinct from (p_what ->> 'parent')::uuid
      and c.state not in ('DRAFT', 'DELETED') and c.created_at > v_now - v_repeat and d.norm = v_norm;
    if v_wait is not null then
      return jsonb_build_object('is', 'access_denied', 'reason', 'REPEATED', 'unlock', null, 'retry_after', v_wait);
    end if;
  end if;
  select * into v_word from watched_word w
  where w.tenant_id = v_tenant
    and case when strpos(v_norm, w.word) = 0 then false when w.pattern is null then true else v_norm ~ w.pattern end
  order by array_position(array['BLOCK', 'QUEUE', 'FLAG'], w.action), w.list, w.word limit 1;
  if v_word.action = 'BLOCK' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'WATCHED_WORD', 'unlock', null);
  end if;
  v_why := case
    when p_what -> 'check' ->> 'is' in ('REVIEW', 'SPAM') then 'CHECK:' || coalesce(p_what -> 'check' ->> 'reason', '')
    when v_word.action is not null then 'WATCHED_WORD:' || v_word.word
    when v_trust = 0 and (v_policy ->> 'reviewFirst')::int > (
      select count(*) from (
        select from contribution c where c.tenant_id = v_tenant and c.author_id = p_member and c.state = 'PUBLISHED'
        limit (v_policy ->> 'reviewFirst')::int) n) then 'NEW_MEMBER' end;
  perform set_config('app.verdict', coalesce(v_why, ''), true);
  return jsonb_build_object('reason', v_why, 'state', case
    when p_what -> 'check' ->> 'is' = 'SPAM' then 'SPAM'
    when v_why is null or (v_word.action = 'FLAG' and v_why like 'WATCHED_WORD:%') then 'PUBLISHED'
    else 'PENDING' end);
end $$;

-- ── Operations ───────────────────────────────────────────────────────────────────────────────────

/* What the flag of a member weighs: more with trust, and with flags that were right. */
create function moderation_weight(p_member uuid, p_trust int) returns double precision language sql stable as $$
  select 1 + p_trust + case when count(*) > 5
    then 4 * (count(*) filter (where f.state = 'UPHELD')::double precision / count(*) - 0.7) else 0 end
  from moderation_flag f
  where f.tenant_id = current_tenant() and f.member_id = p_member and f.state in ('UPHELD', 'REJECTED')
$$;

/*
 * A member says that something should not be there; once for each thing. From a score on it is hidden until somebody
 * looks. Outcomes: done {flag, contribution}, not_found, access_denied {OWN, TOO_OFTEN}, key_reused.
 */
create function contribution_flag(
  p_key text, p_hash bytea, p_id uuid, p_member uuid, p_actor text, p_reason text, p_note text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_row contribution;
  v_flag uuid;
  v_wait int;
  v_trust int;
  v_weight double precision;
  v_score double precision;
begin
  select * into v_op from op_begin(p_key, p_hash, 'FLAG', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  if v_row.id is null or not contribution_seen(p_id, p_member) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_row.kind, 'contribution'))));
  elsif v_row.author_id = p_member then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'OWN', 'unlock', null));
  end if;
  perform member_lock(p_member);
  select f.id into v_flag from moderation_flag f
  where f.tenant_id = v_tenant and f.contribution_id = p_id and f.member_id = p_member;
  if v_flag is not null then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'flag', v_flag, 'contribution', p_id));
  end if;
  v_trust := trust_settle(p_member);
  v_wait := moderation_wait(p_member, 'FLAG', v_trust);
  if v_wait is not null then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'TOO_OFTEN', 'unlock', null,
      'retry_after', v_wait));
  end if;
  v_weight := greatest(moderation_weight(p_member, v_trust), 0.1);
  perform moderation_open(p_id, 'FLAGGED', p_actor, p_reason, v_now);
  insert into moderation_flag (tenant_id, contribution_id, member_id, reason, note, weight, at)
  values (v_tenant, p_id, p_member, p_reason, p_note, v_weight, v_now) returning id into v_flag;
  update moderation_case m set score = m.score + v_weight, version = m.version + 1
  where m.tenant_id = v_tenant and m.contribution_id = p_id returning m.score into v_score;
  perform moderation_note(p_id, 'FLAGGED', p_actor, p_reason, v_now);
  perform announce('contribution.flagged', p_member, jsonb_build_object('flag', v_flag), v_now);
  if v_row.state = 'PUBLISHED' and v_score >= (moderation_policy() ->> 'hideAt')::double precision then
    perform contribution_set_state(p_id, null, 'PENDING', 'engawa');
    perform moderation_note(p_id, 'HIDDEN', 'engawa', null, v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'flag', v_flag, 'contribution', p_id));
end $$;

/*
 * Staff (p_by null) or a moderator decides a case: KEPT, REMOVED or SPAM. Outcomes: done {contribution}, not_found,
 * case_changed {version, state} when somebody was there first.
 */
create function moderation_decide(
  p_id uuid, p_by uuid, p_actor text, p_version int, p_decision text, p_note text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
  v_case moderation_case;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  select * into v_case from moderation_case m where m.tenant_id = v_tenant and m.contribution_id = p_id for no key update;
  if v_case.contribution_id is null or (p_by is not null and not v_row.space_id = any (moderated_by(p_by))) then
    return jsonb_build_object('is', 'not_found', 'what', 'case');
  elsif v_case.version <> p_version or v_case.state <> 'OPEN' then
    return jsonb_build_object('is', 'case_changed', 'version', v_case.version, 'state', v_case.state);
  end if;
  perform set_config('app.moderator', p_actor, true), set_config('app.moderator_note', coalesce(p_note, ''), true);
  if v_row.state in ('PENDING', 'PUBLISHED', 'SPAM', 'REMOVED') then
    perform contribution_set_state(p_id, null, case p_decision when 'KEPT' then 'PUBLISHED' else p_decision end, p_actor);
  end if;
  -- What stays in its state was not closed by the change of it.
  perform moderation_close(p_id, p_decision, p_actor, p_note, tenant_now(v_tenant));
  perform set_config('app.moderator', '', true), set_config('app.moderator_note', '', true);
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;

/*
 * Whoever wrote something that was taken away asks for another look, once. Outcomes: done {contribution}, not_found,
 * access_denied {NOT_AUTHOR, LOCKED}.
 */
create function moderation_appeal(p_id uuid, p_member uuid, p_actor text, p_text text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_case moderation_case;
begin
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  if v_row.id is null or not contribution_seen(p_id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_row.kind, 'contribution')));
  elsif v_row.author_id is distinct from p_member then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_AUTHOR', 'unlock', null);
  end if;
  select * into v_case from moderation_case m where m.tenant_id = v_tenant and m.contribution_id = p_id for no key update;
  if v_case.state is null or v_case.state not in ('REMOVED', 'SPAM') or v_case.appealed_at is not null then
    return jsonb_build_object('is', 'access_denied', 'reason', 'LOCKED', 'unlock', null);
  end if;
  perform moderation_open(p_id, 'APPEAL', p_actor, p_text, v_now);
  update moderation_case m set appealed_at = v_now, appeal = p_text
  where m.tenant_id = v_tenant and m.contribution_id = p_id;
  perform moderation_note(p_id, 'APPEALED', p_actor, null, v_now);
  perform announce('contribution.appealed', p_member, jsonb_build_object('contribution', p_id), v_now);
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;

grant execute on function
  contribution_flag(text, bytea, uuid, uuid, text, text, text),
  moderation_decide(uuid, uuid, text, int, text, text), moderation_appeal(uuid, uuid, text, text) to engawa_app;
