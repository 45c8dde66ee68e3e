-- Doors: filters that judge texts, words that are masked, what is shown to people who are no members, who comes in by a
-- download, posts that become content, and what a space needs before it opens.

set local role engawa_owner;

-- ── Words that are masked ────────────────────────────────────────────────────────────────────────

alter table watched_word drop constraint watched_word_action_check;
alter table watched_word add constraint watched_word_action_check
  check (action in ('BLOCK', 'QUEUE', 'CENSOR', 'FLAG'));
/* What finds the word in a text that is not folded; for those that are masked. */
alter table watched_word add column mask text;

/* A letter of a folded word as it may stand in a text: in kana of either kind and width, composed or not. */
create function mask_letter(p_letter text) returns text language plpgsql immutable as $$
declare
  -- In the order of the half-width forms, from U+FF66 on.
  c_kana constant text := 'ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン';
  v_kata text;
  v_base text;
  v_half int;
begin
  if p_letter = ' ' then
    return '\s+';
  elsif p_letter ~ '[a-z0-9]' then
    return '[' || p_letter || upper(p_letter) || chr(ascii(p_letter) + 65248) || chr(ascii(upper(p_letter)) + 65248) || ']';
  elsif p_letter = 'ー' then
    return '[ーｰ]';
  elsif ascii(p_letter) between 12353 and 12438 then
    v_kata := chr(ascii(p_letter) + 96);
    v_base := left(normalize(v_kata, nfd), 1);
    v_half := strpos(c_kana, v_base);
    return '(?:' || concat_ws('|', p_letter, v_kata,
      case when v_base <> v_kata then '(?:' || left(normalize(p_letter, nfd), 1) || '|' || v_base || ')'
        || substr(normalize(v_kata, nfd), 2) end,
      case when v_half > 0 then chr(65381 + v_half)
        || case substr(normalize(v_kata, nfd), 2) when chr(12441) then 'ﾞ' when chr(12442) then 'ﾟ' else '' end end,
      case p_letter when 'か' then 'ヵ' when 'け' then 'ヶ' end) || ')';
  end if;
  return regexp_replace(p_letter, '[!-/:-@\[-`{-~]', '\\\&');
end $$;

/* A text folded as far as the database can: what has a masked word in this form is looked at by its pattern. */
create function folded_roughly(p_text text) returns text language sql immutable as $$
  select translate(lower(normalize(regexp_replace(p_text,
      '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0]', '', 'g'), nfkc)),
    'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ',
    'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔかけ')
$$;

/* A folded word as it may stand in a text, with what is not to be seen in between. */
create function mask_of(p_word text, p_pattern text) returns text language sql immutable as $$
  select case when p_pattern like '(?<!%' then '(?<![a-zA-Z0-9])' else '' end
    || (select string_agg(mask_letter(l), '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0]*'
               order by n) from regexp_split_to_table(p_word, '') with ordinality x (l, n))
    || case when p_pattern like '%(?!%' then '(?![a-zA-Z0-9])' else '' end
$$;

/* Replaces that of 0035: words that are masked are compiled for that. */
create or replace function watched_words_of_definition() returns trigger language plpgsql as $$
begin
  delete from watched_word w where w.tenant_id = new.tenant_id and w.list = new.key;
  if new.is_live then
    insert into watched_word (tenant_id, list, word, action, pattern, mask)
    select distinct new.tenant_id, new.key, x.word, new.body ->> 'action', x.pattern,
      case when new.body ->> 'action' = 'CENSOR' then mask_of(x.word, x.pattern) end
    from jsonb_array_elements_text(new.body -> 'words') w,
      lateral (select btrim(w, '*') as word,
        case when btrim(w, '*') ~ '^[a-z0-9 ''-]+$' then
          case when w like '*%' then '' else '(?<![a-z0-9])' end || btrim(w, '*')
            || case when w like '%*' then '' else '(?![a-z0-9])' end end as pattern) x
    on conflict do nothing;
  end if;
  return null;
end $$;

/* A text, or the text within HTML, with the words of the lists in force masked: as many ＊, or * for Latin letters. */
create function masked(p_text text, p_is_html boolean) returns text language plpgsql stable as $$
declare
  v_word watched_word;
  v_text text := p_text;
  v_folded text := folded_roughly(p_text);
  v_cover text;
begin
  for v_word in
    select * from watched_word w
    where w.tenant_id = current_tenant() and w.mask is not null and strpos(v_folded, w.word) > 0
    order by length(w.word) desc, w.word
  loop
    v_cover := repeat(case when v_word.pattern is null then '＊' else '*' end, length(v_word.word));
    if v_text !~ v_word.mask then
      continue;
    elsif not p_is_html then
      v_text := regexp_replace(v_text, v_word.mask, v_cover, 'g');
    else
      -- Marks and what is in them stay: what is sanitised has no > within a mark.
      select string_agg(case when t.part[1] like '<%' then t.part[1]
                        else regexp_replace(t.part[1], v_word.mask, v_cover, 'g') end, '' order by t.n)
      into v_text
      from regexp_matches(v_text, '<[^>]*>|[^<]+', 'g') with ordinality t (part, n);
    end if;
  end loop;
  return v_text;
end $$;

/*
 * Whether all that the search finds of masked words is also found where it stands: else a word is broken up by marks, or
 * written in a way that only folding reads, and somebody has to look.
 */
create function masks_cover(p_what jsonb) returns boolean language plpgsql stable as $$
declare
  v_word watched_word;
  v_norm text := p_what -> 'search' ->> 'norm';
  v_said text := concat_ws(E'\n', p_what ->> 'title',
    regexp_replace(p_what ->> 'html', '<[^>]*>', E'\u0001', 'g'));
  v_written text := concat_ws(E'\n', p_what ->> 'title', p_what ->> 'body');
  v_wanted int;
begin
  for v_word in
    select * from watched_word w
    where w.tenant_id = current_tenant() and w.mask is not null and strpos(v_norm, w.word) > 0
  loop
    v_wanted := regexp_count(v_norm, coalesce(v_word.pattern, regexp_replace(v_word.word, '[!-/:-@\[-`{-~]', '\\\&', 'g')));
    if v_wanted > regexp_count(v_said, v_word.mask) or v_wanted > regexp_count(v_written, v_word.mask) then
      return false;
    end if;
  end loop;
  return true;
end $$;

/* What was written before words of it were masked: for whoever may change it. */
create table contribution_original (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  title           text,
  body            text not null,
  primary key (tenant_id, contribution_id),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id) deferrable initially deferred
);
call protect('contribution_original');
create policy sight on contribution_original as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = contribution_original.tenant_id and c.id = contribution_id
             and (c.author_id = (select app_member()) or c.space_id = any ((select viewer_moderated())::uuid[]))));
grant select on contribution_original to engawa_app;

/* What is kept to be served has its words masked, and what was written is kept beside it. */
create function contribution_masked() returns trigger language plpgsql as $$
declare
  v_title text := new.title;
  v_body text := new.body;
begin
  if coalesce(current_setting('app.erasing', true), '') = 'yes' or new.author_id is null or new.source_key is not null
     or not exists (select from watched_word w where w.tenant_id = new.tenant_id and w.mask is not null)
     or new.space_id = any (moderated_by(new.author_id)) then
    if tg_op = 'UPDATE' then
      delete from contribution_original s where s.tenant_id = new.tenant_id and s.contribution_id = new.id;
    end if;
    return new;
  end if;
  if tg_op = 'UPDATE' then
    -- What stays as it is served stays as it was written.
    select case when new.title is not distinct from old.title then s.title else v_title end,
      case when new.body = old.body then s.body else v_body end
    into v_title, v_body
    from (select 1) one
    left join contribution_original k on k.tenant_id = new.tenant_id and k.contribution_id = new.id,
    lateral (select coalesce(k.title, new.title) as title, coalesce(k.body, new.body) as body) s;
  end if;
  new.title := masked(v_title, false);
  new.body := masked(v_body, false);
  new.html := masked(new.html, true);
  if (new.title, new.body) is distinct from (v_title, v_body) then
    insert into contribution_original as s (tenant_id, contribution_id, title, body)
    values (new.tenant_id, new.id, v_title, v_body)
    on conflict (tenant_id, contribution_id) do update set title = excluded.title, body = excluded.body;
  elsif tg_op = 'UPDATE' then
    delete from contribution_original s where s.tenant_id = new.tenant_id and s.contribution_id = new.id;
  end if;
  return new;
end $$;
create trigger masked_when_new before insert on contribution for each row execute function contribution_masked();
create trigger masked_when_changed before update on contribution for each row
  when ((old.title, old.body, old.html) is distinct from (new.title, new.body, new.html))
  execute function contribution_masked();

-- ── Filters of somebody else's ───────────────────────────────────────────────────────────────────

/* A filter that judges texts of members for the tenant. How it is configured stands among the settings of plugins. */
create table content_check (
  tenant_id   uuid not null references tenant,
  key         text not null check (key ~ '^[a-z][a-z0-9-]{0,39}$'),
  is_enabled  boolean not null,
  /* Which kinds it judges; none: all of them. */
  kinds       text[] not null default '{}',
  /* It judges members who are trusted so far at most; null: all. */
  up_to_trust int check (up_to_trust between 0 and 9),
  updated_at  timestamptz not null,
  updated_by  text not null,
  primary key (tenant_id, key)
);
call protect('content_check');
grant select on content_check to engawa_app;

/* That a filter has to judge a text, as of one revision, and what it said. */
create table content_check_run (
  tenant_id       uuid not null,
  contribution_id uuid not null,
  key             text not null,
  revision        int not null,
  /* FAILED: it did not answer, and somebody has to look. MOOT: the text waits no longer. */
  state           text not null default 'WAITING'
    check (state in ('WAITING', 'APPROVED', 'QUEUED', 'SPAM', 'FAILED', 'MOOT')),
  /* The watched word for which somebody has to look even when it is let through. */
  word            text,
  reason          text check (length(reason) <= 300),
  score           double precision,
  tries           int not null default 0,
  /* Real time: when it is asked, or asked again when nobody has answered by then. */
  due_at          timestamptz,
  at              timestamptz not null,
  primary key (tenant_id, contribution_id, key),
  foreign key (tenant_id, contribution_id) references contribution (tenant_id, id),
  foreign key (tenant_id, key) references content_check (tenant_id, key),
  check ((state = 'WAITING') = (due_at is not null))
);
create index content_check_run_due on content_check_run (due_at) where due_at is not null;
call protect('content_check_run');
create policy sight on content_check_run as restrictive for select to engawa_app using (
  (select app_member()) is null
  or exists (select from contribution c where c.tenant_id = content_check_run.tenant_id and c.id = contribution_id
             and c.space_id = any ((select viewer_moderated())::uuid[])));
grant select on content_check_run to engawa_app;
create policy system on content_check_run to engawa_system using (true) with check (true);
grant select, update on content_check_run to engawa_system;

/* Says which texts a filter judges, or that it judges none any more. Outcomes: done {key}. */
create function content_check_set(p_key text, p_is_enabled boolean, p_kinds text[], p_up_to_trust int, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  insert into content_check as c (tenant_id, key, is_enabled, kinds, up_to_trust, updated_at, updated_by)
  values (v_tenant, p_key, p_is_enabled, p_kinds, p_up_to_trust, tenant_now(v_tenant), p_actor)
  on conflict (tenant_id, key) do update set is_enabled = excluded.is_enabled, kinds = excluded.kinds,
    up_to_trust = excluded.up_to_trust, updated_at = excluded.updated_at, updated_by = excluded.updated_by;
  return jsonb_build_object('is', 'done', 'key', p_key);
end $$;

/*
 * Takes runs that are due, of all tenants, for a minute: whoever dies with one loses it to the next. Runs as the system
 * role, on real time.
 */
create function content_checks_claim(p_limit int)
returns table (tenant uuid, contribution uuid, key text, revision int, tries int) language plpgsql volatile as $$
#variable_conflict use_column
begin
  return query
  update content_check_run r set due_at = clock_timestamp() + interval '1 minute', tries = r.tries + 1
  from (
    select x.tenant_id, x.contribution_id, x.key from content_check_run x
    where x.due_at <= clock_timestamp() order by x.due_at limit p_limit for update skip locked
  ) d
  where r.tenant_id = d.tenant_id and r.contribution_id = d.contribution_id and r.key = d.key
  returning r.tenant_id, r.contribution_id, r.key, r.revision, r.tries;
end $$;
grant execute on function content_checks_claim(int) to engawa_system;

/* What a filter is told of a text, in the version of this run; null when it waits no longer. */
create function content_check_text(p_contribution uuid, p_key text, p_revision int) returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select jsonb_build_object('kind', c.kind, 'title', coalesce(s.title, c.title), 'html', c.html,
    'body', coalesce(s.body, c.body), 'isMasked', s.body is not null, 'tags', c.tags, 'language', m.locale,
    'trust', coalesce((select t.level from trust t where t.tenant_id = c.tenant_id and t.member_id = c.author_id), 0),
    'stood', (select count(*) from contribution o
              where o.tenant_id = c.tenant_id and o.author_id = c.author_id and o.state = 'PUBLISHED' and o.id <> c.id))
  from content_check_run r
  join contribution c on c.tenant_id = r.tenant_id and c.id = r.contribution_id and c.state = 'PENDING'
  join member m on m.tenant_id = c.tenant_id and m.id = c.author_id
  left join contribution_original s on s.tenant_id = c.tenant_id and s.contribution_id = c.id
  where r.tenant_id = current_tenant() and r.contribution_id = p_contribution and r.key = p_key
    and r.state = 'WAITING' and r.revision = p_revision
$$;

/*
 * Takes what a filter said of a text in a version: APPROVED, QUEUED, SPAM, FAILED, or AGAIN with when to ask again.
 * Counts once, and only as long as the text still waits for it in that version. With the last answer the text is
 * published, taken for spam, or put before somebody. Answers whether it counted.
 */
create function content_check_told(
  p_contribution uuid, p_key text, p_revision int, p_state text, p_reason text, p_score double precision, p_again interval
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_said record;
  v_norm text;
begin
  -- The text before what hangs on it, as everybody locks them.
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_contribution for no key update;
  perform from content_check_run r where r.tenant_id = v_tenant and r.contribution_id = p_contribution and r.key = p_key
    and r.state = 'WAITING' and r.revision = p_revision for no key update;
  if not found then
    return false;
  elsif p_state = 'AGAIN' then
    update content_check_run r set due_at = clock_timestamp() + p_again, reason = p_reason
    where r.tenant_id = v_tenant and r.contribution_id = p_contribution and r.key = p_key;
    return true;
  end if;
  update content_check_run r set due_at = null, reason = p_reason, score = p_score, at = v_now,
    state = case when v_row.state = 'PENDING' then p_state else 'MOOT' end
  where r.tenant_id = v_tenant and r.contribution_id = p_contribution and r.key = p_key;
  if v_row.state <> 'PENDING' then
    return false;
  end if;
  select bool_or(r.state = 'WAITING') as waits, bool_or(r.state = 'SPAM') as spam, bool_and(r.state = 'APPROVED') as good,
    max(r.word) as word, max(r.key || ': ' || r.reason) filter (where r.state <> 'APPROVED') as why
  into v_said from content_check_run r
  where r.tenant_id = v_tenant and r.contribution_id = p_contribution and r.revision = v_row.revision;
  if v_said.waits then
    return true;
  end if;
  -- It may have been changed since it was looked at here.
  select d.norm into v_norm from search_document d where d.tenant_id = v_tenant and d.contribution_id = p_contribution;
  if v_said.spam then
    perform set_config('app.verdict', 'CHECK:' || coalesce(v_said.why, ''), true);
    perform contribution_set_state(p_contribution, null, 'SPAM', 'engawa');
  elsif not v_said.good then
    perform moderation_open(p_contribution, 'CHECK', 'engawa', coalesce(v_said.why, p_key), v_now);
  elsif exists (select from watched_word_in(v_norm) w where w.action in ('BLOCK', 'QUEUE')) then
    perform moderation_open(p_contribution, 'WATCHED_WORD', 'engawa', (select w.word from watched_word_in(v_norm) w), v_now);
  else
    perform contribution_set_state(p_contribution, null, 'PUBLISHED', 'engawa');
    if v_said.word is not null then
      perform moderation_open(p_contribution, 'WATCHED_WORD', 'engawa', 'WATCHED_WORD:' || v_said.word, v_now);
    end if;
  end if;
  return true;
end $$;
grant execute on function content_check_set(text, boolean, text[], int, text), content_check_text(uuid, text, int),
  content_check_told(uuid, text, int, text, text, double precision, interval) to engawa_app;

/* The sharpest watched word in a folded text; no row when there is none. */
create function watched_word_in(p_norm text) returns setof watched_word language sql stable as $$
  select w.* from watched_word w
  where w.tenant_id = current_tenant()
    and case when strpos(p_norm, w.word) = 0 then false when w.pattern is null then true else p_norm ~ w.pattern end
  order by array_position(array['BLOCK', 'QUEUE', 'FLAG', 'CENSOR'], w.action), w.list, w.word limit 1
$$;

/*
 * Whether a text of a member is let through: p_what as contribution_write and contribution_edit have it, with "check"
 * as the filter for spam answered; p_id what is changed, null for new ones. Answers {"state", "reason"}, or
 * access_denied {reason: TOO_OFTEN, REPEATED (both with retry_after) or WATCHED_WORD}. What would be let through waits
 * for the filters that judge it, if any. Staff, moderators of the space and imports are let through. Replaces that of 0035.
 */
create or replace function contribution_verdict(p_member uuid, p_space uuid, p_kind text, p_what jsonb, p_id uuid)
returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_policy jsonb := moderation_policy();
  v_norm text := p_what -> 'search' ->> 'norm';
  v_repeat interval := (v_policy ->> 'repeatWithin')::interval;
  v_is_new boolean := p_id is null or exists (
    select from contribution c where c.tenant_id = v_tenant and c.id = p_id and c.state = 'DRAFT');
  v_trust int;
  v_wait int;
  v_word watched_word;
  v_is_open boolean;
  v_why text;
begin
  if p_member is null or p_what ->> 'sourceKey' is not null or p_space = any (moderated_by(p_member)) then
    return '{"state": "PUBLISHED"}';
  end if;
  if v_is_new then
    -- What follows counts what the member wrote; one at a time. Before, the thread: contributions come before members.
    perform from contribution c
    where c.tenant_id = v_tenant and c.id = (
      select p.root_id from contribution p where p.tenant_id = v_tenant and p.id = (p_what ->> 'parent')::uuid)
    for no key update;
    perform member_lock(p_member);
  end if;
  v_trust := trust_settle(p_member);
  if v_is_new then
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
  select * into v_word from watched_word_in(v_norm);
  if v_word.action = 'BLOCK' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'WATCHED_WORD', 'unlock', null);
  end if;
  v_is_open := v_word.action is not null and not masks_cover(p_what);
  v_why := case
    when p_what -> 'check' ->> 'is' in ('REVIEW', 'SPAM') then 'CHECK:' || coalesce(p_what -> 'check' ->> 'reason', '')
    when v_word.action in ('QUEUE', 'FLAG') then 'WATCHED_WORD:' || v_word.word
    when v_is_open then 'WATCHED_WORD:' || v_word.word
    when v_trust = 0 and (v_policy ->> 'reviewFirst')::int > (
      select count(*) from (
        select from contribution c where c.tenant_id = v_tenant and c.author_id = p_member and c.state = 'PUBLISHED'
        limit (v_policy ->> 'reviewFirst')::int) n) then 'NEW_MEMBER' end;
  if (v_why is null or (v_word.action = 'FLAG' and not v_is_open and v_why like 'WATCHED_WORD:%'))
     and exists (select from content_checks_for(p_kind, v_trust)) then
    perform set_config('app.verdict', 'AWAITS:' || case v_word.action when 'FLAG' then v_word.word else '' end, true);
    return '{"state": "PENDING", "reason": "AWAITS_CHECK"}';
  end if;
  perform set_config('app.verdict', coalesce(v_why, ''), true);
  return jsonb_build_object('reason', v_why, 'state', case
    when p_what -> 'check' ->> 'is' = 'SPAM' then 'SPAM'
    when v_why is null or (v_word.action = 'FLAG' and not v_is_open and v_why like 'WATCHED_WORD:%') then 'PUBLISHED'
    else 'PENDING' end);
end $$;

/* The filters that judge texts of a kind, of members who are trusted so far. */
create function content_checks_for(p_kind text, p_trust int) returns setof text language sql stable as $$
  select c.key from content_check c
  where c.tenant_id = current_tenant() and c.is_enabled and (c.kinds = '{}' or p_kind = any (c.kinds))
    and coalesce(c.up_to_trust, 9) >= p_trust
$$;

/*
 * What waits gets a case, or the filters that are to judge it; what is published, taken away or taken for spam while a
 * case is open decides it. The setting app.verdict carries why the verdict on a text was what it was. Replaces that of 0035.
 */
create or replace function moderation_follows() returns trigger language plpgsql as $$
declare
  v_at timestamptz := tenant_now(new.tenant_id);
  v_why text := nullif(current_setting('app.verdict', true), '');
  v_actor text := coalesce(nullif(current_setting('app.moderator', true), ''), 'engawa');
  v_note text := nullif(current_setting('app.moderator_note', true), '');
begin
  if new.state = 'PENDING' and v_why like 'AWAITS:%' then
    perform set_config('app.verdict', '', true);
    insert into content_check_run as r (tenant_id, contribution_id, key, revision, word, due_at, at)
    select new.tenant_id, new.id, k, new.revision, nullif(substr(v_why, 8), ''), clock_timestamp(), v_at
    from content_checks_for(new.kind, coalesce((
      select t.level from trust t where t.tenant_id = new.tenant_id and t.member_id = new.author_id), 0)) k
    on conflict (tenant_id, contribution_id, key) do update set revision = excluded.revision, state = 'WAITING',
      word = excluded.word, reason = null, score = null, tries = 0, due_at = excluded.due_at, at = excluded.at;
    return null;
  elsif tg_op = 'UPDATE' and new.state = 'PENDING' and old.state = 'PENDING' and new.revision <> old.revision then
    -- Judged is what it says now.
    update content_check_run r set revision = new.revision, state = 'WAITING', reason = null, score = null, tries = 0,
      due_at = clock_timestamp(), at = v_at
    where r.tenant_id = new.tenant_id and r.contribution_id = new.id and r.revision = old.revision
      and exists (select from content_check_run w where w.tenant_id = new.tenant_id and w.contribution_id = new.id
                  and w.state = 'WAITING');
  end if;
  if tg_op = 'UPDATE' and new.state = old.state and v_why is null then
    return null;
  end if;
  perform set_config('app.verdict', '', true);
  if new.state in ('PENDING', 'SPAM') and (tg_op = 'INSERT' or old.state <> 'PENDING')
     or new.state in ('PUBLISHED', 'SPAM') and v_why is not null then
    perform moderation_open(new.id, coalesce(split_part(v_why, ':', 1), 'HELD'), 'engawa', v_why, v_at);
  elsif tg_op = 'UPDATE' and new.state <> old.state and new.state in ('PUBLISHED', 'SPAM', 'REMOVED', 'DELETED') then
    -- What somebody takes away or gives back without a case is a case that is decided at once: its author may appeal.
    if new.author_id is not null and new.kind not in ('CONTENT', 'FAQ')
       and (new.state = 'REMOVED' or new.state = 'PUBLISHED' and old.state in ('REMOVED', 'SPAM')) then
      perform moderation_open(new.id, 'HELD', v_actor, v_note, v_at);
    end if;
    perform moderation_close(new.id, case new.state when 'PUBLISHED' then 'KEPT' when 'DELETED' then 'WITHDRAWN'
      else new.state end, v_actor, v_note, v_at);
  end if;
  return null;
end $$;

/*
 * The state in which what its author deleted comes back to PUBLISHED: what somebody, or a filter, had still to look at
 * when it was deleted waits for that again.
 */
create function moderation_brings_back(p_row contribution) returns text language plpgsql as $$
begin
  if exists (select from content_check_run r
             where r.tenant_id = p_row.tenant_id and r.contribution_id = p_row.id and r.revision = p_row.revision
               and r.state in ('WAITING', 'MOOT')) then
    perform set_config('app.verdict', 'AWAITS:', true);
    return 'PENDING';
  elsif exists (select from moderation_case m
                where m.tenant_id = p_row.tenant_id and m.contribution_id = p_row.id and m.state = 'WITHDRAWN') then
    return 'PENDING';
  end if;
  return 'PUBLISHED';
end $$;

/*
 * Brings a contribution into a state: its author deletes and restores, moderators and staff remove and restore, what
 * waited is published. Announces contribution.state_changed. Outcomes: done {contribution, state}, not_found,
 * access_denied. Replaces that of 0034: deleting and restoring is no way around moderation.
 */
create or replace function contribution_set_state(p_id uuid, p_member uuid, p_state text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_row contribution;
  v_before text;
  v_state text := p_state;
  v_refusal jsonb;
  v_moderates boolean;
begin
  -- A thread goes as a whole.
  perform thread_lock(p_id);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  v_refusal := contribution_may_edit(v_row, p_member);
  if v_refusal is not null then
    return v_refusal;
  end if;
  v_before := v_row.state;
  v_moderates := p_member is null or v_row.space_id = any (moderated_by(p_member));
  -- What moderators took away, or have not let through yet, the author does not bring back.
  if not v_moderates and not (
    (p_state = 'DELETED' and v_before in ('DRAFT', 'PENDING', 'PUBLISHED', 'DELETED'))
    or (p_state = 'PUBLISHED' and v_before = 'DELETED' and v_row.published_at is not null))
  then
    return jsonb_build_object('is', 'access_denied', 'reason', 'LOCKED', 'unlock', null);
  elsif v_before = p_state then
    return jsonb_build_object('is', 'done', 'contribution', p_id, 'state', p_state);
  elsif not v_moderates and p_state = 'PUBLISHED' then
    v_state := moderation_brings_back(v_row);
  end if;
  perform set_config('app.moderator', p_actor, true);
  update contribution c set state = v_state,
    published_at = case when v_state = 'PUBLISHED' then coalesce(c.published_at, v_now) else c.published_at end
  where c.tenant_id = v_tenant and c.id = p_id
  returning * into v_row;
  perform set_config('app.moderator', '', true);
  if v_state = 'PUBLISHED' and v_before in ('PENDING', 'SPAM') and v_row.published_at = v_now then
    perform contribution_published(v_row);
  end if;
  perform contribution_state_changed(v_row, v_before);
  perform announce('contribution.state_changed', v_row.author_id,
    jsonb_build_object('contribution', p_id, 'from', v_before, 'to', v_state), v_now);
  return jsonb_build_object('is', 'done', 'contribution', p_id, 'state', v_state);
end $$;

-- ── Posts that become content ────────────────────────────────────────────────────────────────────

drop index content_post;
/* A post becomes content once. */
create unique index content_post on content (tenant_id, post_id) where post_id is not null;

/*
 * Makes content of a post whose author allowed it: p_what {"title", "body", "format", "html", "tags", "search"} is the
 * text as it is to stand, p_content as content_write has it. It is credited to the author, whose activity post.promoted
 * is recorded. A post that is content already stays what it is. Outcomes: done {contribution, is_new}, not_found, bad_input,
 * access_denied {NO_PERMISSION}, space_not_enabled, key_reused.
 */
create function content_promote(p_key text, p_hash bytea, p_actor text, p_post uuid, p_what jsonb, p_content jsonb)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_post contribution;
  v_made uuid;
  v_written jsonb;
begin
  select * into v_op from op_begin(p_key, p_hash, 'PROMOTE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  -- One at a time, and not while its author takes it away.
  select * into v_post from contribution c
  where c.tenant_id = v_tenant and c.id = p_post and c.kind = 'POST' for no key update;
  if v_post.id is null then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'post'));
  end if;
  perform from post_facts p where p.tenant_id = v_tenant and p.contribution_id = p_post for share;
  select c.contribution_id into v_made from content c where c.tenant_id = v_tenant and c.post_id = p_post;
  if v_made is not null then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', v_made, 'is_new', false));
  elsif post_promotable(p_post) is null then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'NO_PERMISSION', 'unlock', null));
  end if;
  v_written := content_write(v_post.author_id, p_actor, p_what, p_content || jsonb_build_object('post', p_post));
  if v_written ->> 'is' <> 'done' then
    return op_finish(p_key, v_written);
  end if;
  v_made := (v_written ->> 'contribution')::uuid;
  if v_post.author_id is not null then
    update contribution c set is_by_staff = false where c.tenant_id = v_tenant and c.id = v_made;
    perform activity_record(v_post.author_id, 'post.promoted', p_post::text,
      jsonb_build_object('post', p_post, 'content', v_made), v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'contribution', v_made, 'is_new', true));
end $$;
grant execute on function content_promote(text, bytea, text, uuid, jsonb, jsonb) to engawa_app;

/*
 * Whether a member may change a contribution: its author, a moderator of its space, staff (null). Content that is
 * credited to a member is the tenant's all the same. Else the refusal. Replaces that of 0034.
 */
create or replace function contribution_may_edit(p_row contribution, p_member uuid) returns jsonb language plpgsql stable as $$
begin
  if p_row.id is null or not contribution_seen(p_row.id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(coalesce(p_row.kind, 'contribution')));
  elsif p_row.state = 'DRAFT' and p_row.kind <> 'CONTENT' and p_row.author_id is distinct from p_member then
    -- A draft is its author's alone: neither moderators nor staff finish it.
    return jsonb_build_object('is', 'not_found', 'what', lower(p_row.kind));
  elsif p_member is null or (p_row.author_id = p_member and p_row.kind <> 'CONTENT')
        or p_row.space_id = any (moderated_by(p_member)) then
    return null;
  end if;
  return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_AUTHOR', 'unlock', null);
end $$;

-- ── What a space needs ───────────────────────────────────────────────────────────────────────────

/* Whoever of the staff looks after it, as the tenant names its staff. */
alter table space add column owner text check (length(owner) between 1 and 200);
/* When somebody is there: [{"weekdays": [1 to 7, Monday is 1], "from": "09:00", "to": "18:00"}], in the tenant's zone. */
alter table space add column cover jsonb not null default '[]' check (jsonb_typeof(cover) = 'array');
/* Whether members begin and answer nothing while nobody is there. */
alter table space add column is_closed_outside_cover boolean not null default false;
/* Whether beginners are welcome here before anywhere else. */
alter table space add column is_welcome boolean not null default false;

/* Replaces that of 0033: a definition says who looks after the space, and when. */
create or replace function space_of_definition() returns trigger language plpgsql as $$
begin
  if exists (select from space s where s.tenant_id = new.tenant_id and s.key = new.key
             and s.kind <> new.body ->> 'kind') then
    perform definition_refuse('space.kind', 'The kind of a space stays what it is; make another one.');
  end if;
  insert into space as s (tenant_id, key, kind, version, name, purpose, theme, goal, see_id, post_id, reply_id, react_id,
    join_mode, is_listed, owner, cover, is_closed_outside_cover, is_welcome, created_at)
  values (new.tenant_id, new.key, new.body ->> 'kind', new.version, new.body -> 'name', new.body -> 'purpose',
    new.body -> 'theme', new.body -> 'goal', (new.audiences ->> 'see')::uuid, (new.audiences ->> 'post')::uuid,
    (new.audiences ->> 'reply')::uuid, (new.audiences ->> 'react')::uuid, new.body ->> 'join',
    (new.body ->> 'isListed')::boolean, new.body ->> 'owner', coalesce(new.body -> 'cover', '[]'),
    coalesce((new.body ->> 'isClosedOutsideCover')::boolean, false), coalesce((new.body ->> 'isWelcome')::boolean, false), new.published_at)
  on conflict (tenant_id, key) do update set version = excluded.version, name = excluded.name,
    purpose = excluded.purpose, theme = excluded.theme, goal = excluded.goal, see_id = excluded.see_id,
    post_id = excluded.post_id, reply_id = excluded.reply_id, react_id = excluded.react_id,
    join_mode = excluded.join_mode, is_listed = excluded.is_listed, owner = excluded.owner, cover = excluded.cover,
    is_closed_outside_cover = excluded.is_closed_outside_cover, is_welcome = excluded.is_welcome, is_retired = false;
  return null;
end $$;

/*
 * Whether somebody is there in each of these spaces now, and when that changes: covered until, or covered again from. A
 * space that says nothing of cover is not in the answer.
 */
create function space_cover(p_spaces uuid[]) returns table (space_id uuid, is_covered boolean, changes_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  with shift as (
    select s.id, local_instant(d::date + (c.part ->> 'from')::time, t.time_zone) as begins,
      local_instant(d::date + (c.part ->> 'to')::time, t.time_zone) as ends
    from space s join tenant t on t.id = s.tenant_id
    cross join jsonb_array_elements(s.cover) c (part)
    cross join generate_series(-1, 8) n
    cross join lateral (select (tenant_now(s.tenant_id) at time zone t.time_zone)::date + n as d) day
    where s.tenant_id = current_tenant() and s.id = any (p_spaces)
      and (c.part -> 'weekdays') @> to_jsonb(extract(isodow from d)::int)
  ), known as (
    select x.id, coalesce(bool_or(x.begins <= n.now and n.now < x.ends), false) as is_on,
      min(x.begins) filter (where x.begins > n.now) as next
    from shift x, (select tenant_now(current_tenant()) as now) n group by x.id
  )
  select k.id, k.is_on,
    case when k.is_on then (
      -- To the end of what follows without a gap.
      select min(x.ends) from shift x
      where x.id = k.id and x.ends > tenant_now(current_tenant())
        and not exists (select from shift y where y.id = k.id and y.begins <= x.ends and y.ends > x.ends))
    else k.next end
  from known k
$$;

/*
 * Whether a member may do something in a space; null for staff. p_action: see, post, reply, react, moderate. Null when
 * it may; else the refusal to answer: not_found for a space that it may not know of, space_not_enabled, or
 * access_denied {reason, unlock: the audience rule that would open it, or null; retry_after: in how many seconds
 * somebody is there again}. Replaces that of 0033: a space may close while nobody is there.
 */
create or replace function space_may(p_space uuid, p_member uuid, p_action text) returns jsonb language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_space space;
  v_sight record;
  v_state text;
  v_rule uuid;
  v_opens_at timestamptz;
begin
  select * into v_space from space s where s.tenant_id = v_tenant and s.id = p_space;
  if v_space.id is null or v_space.is_retired then
    return jsonb_build_object('is', 'not_found', 'what', 'space');
  elsif not v_space.is_enabled then
    return jsonb_build_object('is', 'space_not_enabled', 'key', v_space.key);
  elsif p_member is null then
    return null;
  end if;
  select * into v_sight from sights(array[p_member]) s;
  if p_space = any (v_sight.moderated) then
    return null;
  elsif v_sight.member_id is null or not coalesce(p_space = any (v_sight.keys), false) then
    select sm.state into v_state from space_member sm
    where sm.tenant_id = v_tenant and sm.space_id = p_space and sm.member_id = p_member;
    if v_sight.member_id is null or v_state = 'BANNED' or not audience_has(v_space.see_id, p_member)
       or not (v_space.is_listed or coalesce(v_state in ('JOINED', 'INVITED'), false)) then
      return jsonb_build_object('is', 'not_found', 'what', 'space');
    end if;
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_JOINED', 'unlock', null);
  elsif p_action = 'moderate' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_MODERATOR', 'unlock', null);
  end if;
  v_rule := case p_action when 'post' then v_space.post_id when 'reply' then v_space.reply_id
    when 'react' then v_space.react_id end;
  if v_rule is not null and not audience_has(v_rule, p_member) then
    return jsonb_build_object('is', 'access_denied', 'reason', 'AUDIENCE', 'unlock',
      (select a.rule -> 'rule' from audience a where a.tenant_id = v_tenant and a.id = v_rule));
  elsif v_space.is_closed_outside_cover and p_action in ('post', 'reply') then
    select c.changes_at into v_opens_at from space_cover(array[p_space]) c where not c.is_covered;
    if found then
      return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_COVERED', 'unlock', null,
        'retry_after', ceil(extract(epoch from v_opens_at - tenant_now(v_tenant))));
    end if;
  end if;
  return null;
end $$;

/* What a space still needs before somebody should come: OWNER, COVER, CONTENT; a community THEME and GOAL as well. */
create function space_lacks(p_space uuid) returns text[]
language sql stable security definer set search_path = public, pg_temp as $$
  select array_remove(array[
    case when s.owner is null then 'OWNER' end,
    case when s.cover = '[]' then 'COVER' end,
    case when not exists (select from contribution c where c.tenant_id = s.tenant_id and c.space_id = s.id
                          and c.parent_id is null and c.state = 'PUBLISHED') then 'CONTENT' end,
    case when s.kind = 'COMMUNITY' and s.theme is null then 'THEME' end,
    case when s.kind = 'COMMUNITY' and s.goal is null then 'GOAL' end], null)
  from space s where s.tenant_id = current_tenant() and s.id = p_space
$$;

/*
 * Switches a space on or off; nothing in it is lost. p_is_ready_only: only with all that it needs. Outcomes: done {},
 * not_found, access_denied {NOT_READY}.
 */
create function space_enable(p_space uuid, p_is_enabled boolean, p_is_ready_only boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if p_is_enabled and p_is_ready_only and space_lacks(p_space) <> '{}' then
    return jsonb_build_object('is', 'access_denied', 'reason', 'NOT_READY', 'unlock', null);
  end if;
  return space_enable(p_space, p_is_enabled);
end $$;
grant execute on function space_cover(uuid[]), space_lacks(uuid), space_enable(uuid, boolean, boolean) to engawa_app;

-- ── Who comes in by a download ───────────────────────────────────────────────────────────────────

/* That somebody filled in a form for a file. */
create table prospect (
  tenant_id uuid not null,
  member_id uuid not null,
  asset_id  uuid not null,
  at        timestamptz not null,
  primary key (tenant_id, member_id, asset_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index prospect_asset on prospect (tenant_id, asset_id, at);
call protect('prospect');
call sight_own('prospect');
grant select on prospect to engawa_app;

/*
 * Somebody filled in a form for a file that is handed out: p_what {"asset", "email", "name", "locale", "purpose",
 * "channel", "kind", "textVersion", "proof", "touch": what it is told first, or null}. Whoever is known by the address is
 * that member; else a new one is registered, under an id of ours. Consent is given as its purpose demands; where it
 * has to be confirmed, the question is the first touch. Outcomes: done {member, asset, is_new, state}, not_found,
 * key_reused, bad_input.
 */
create function prospect_register(p_key text, p_hash bytea, p_what jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_email text := lower(p_what ->> 'email');
  v_asset uuid := (p_what ->> 'asset')::uuid;
  v_op record;
  v_done jsonb;
  v_member uuid;
  v_is_new boolean := false;
  v_state text;
begin
  select * into v_op from op_begin(p_key, p_hash, 'PROSPECT', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif not exists (select from asset a where a.tenant_id = v_tenant and a.id = v_asset and a.is_download
                    and a.state = 'STORED') then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'asset'));
  elsif not exists (select from purpose p where p.tenant_id = v_tenant and p.key = p_what ->> 'purpose') then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', 'purpose'));
  end if;
  -- One at a time for an address, so that nobody is registered twice.
  perform pg_advisory_xact_lock(hashtextextended(v_tenant || ' prospect ' || v_email, 0));
  select m.id into v_member from member_of_identity('email', v_email) i (id)
  join member m on m.tenant_id = v_tenant and m.id = i.id and m.membership <> 'ENDED' limit 1;
  if v_member is null then
    v_done := member_register(null, null, 'prospect:' || uuid_v7(), p_what ->> 'name', p_what ->> 'email',
      p_what ->> 'locale', null, null, p_actor);
    v_member := (v_done ->> 'member')::uuid;
    v_is_new := true;
  end if;
  insert into prospect (tenant_id, member_id, asset_id, at) values (v_tenant, v_member, v_asset, v_now)
  on conflict do nothing;
  v_done := consent_give('engawa:prospect:' || v_op.transaction_id, '', v_member, null,
    jsonb_build_object('purpose', p_what ->> 'purpose', 'channel', p_what ->> 'channel', 'kind', p_what ->> 'kind',
      'text_version', p_what ->> 'textVersion', 'source', 'download', 'proof', p_what -> 'proof'), p_actor);
  if v_done ->> 'is' <> 'done' then
    return op_finish(p_key, v_done);
  end if;
  select c.state into v_state from consent c where c.tenant_id = v_tenant and c.id = (v_done ->> 'consent')::uuid;
  if v_state = 'LIVE' and p_what ->> 'touch' is not null then
    perform touchpoint_plan(v_member, array[p_what ->> 'channel'], p_what ->> 'purpose', p_what -> 'touch', v_now,
      'prospect', v_asset::text, v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member, 'asset', v_asset, 'is_new', v_is_new,
    'state', v_state));
end $$;

/*
 * Gives whoever came in by a download the tenant's own id for the person: the same member from then on. Again with the
 * same id, nothing changes. Outcomes: done {member}, not_found, bad_input.
 */
create function prospect_upgrade(p_member uuid, p_external_id text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member;
begin
  select * into v_member from member m where m.tenant_id = v_tenant and m.id = p_member for no key update;
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.external_id = p_external_id then
    return jsonb_build_object('is', 'done', 'member', p_member);
  elsif v_member.external_id not like 'prospect:%' then
    return bad_input('member', 'This member has an id of the tenant''s already.');
  elsif exists (select from member m where m.tenant_id = v_tenant and m.external_id = p_external_id) then
    return bad_input('becomes', 'Another member has this id already.');
  end if;
  begin
    update member m set external_id = p_external_id where m.tenant_id = v_tenant and m.id = p_member;
  exception when unique_violation then
    return bad_input('becomes', 'Another member has this id already.');
  end;
  perform announce('member.updated', p_member, '{}', tenant_now(v_tenant));
  return jsonb_build_object('is', 'done', 'member', p_member);
end $$;
grant execute on function prospect_register(text, bytea, jsonb, text), prospect_upgrade(uuid, text) to engawa_app;
