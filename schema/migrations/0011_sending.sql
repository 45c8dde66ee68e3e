-- Sending: the policy held at the moment of sending; templates; broadcasts; tasks.

set local role engawa_owner;

-- ── Whether a touch may go out ───────────────────────────────────────────────────────────────────

/* How many messages of the class MARKETING a channel has brought a member since it last took up anything that came
   this way, or bought. Opening says nothing: machines open as well. */
create function ignored_streak(p_member uuid, p_channel text) returns int language sql stable as $$
  select count(distinct d.touchpoint_id)::int
  from delivery d
  join touchpoint t on t.tenant_id = d.tenant_id and t.id = d.touchpoint_id
  where d.tenant_id = current_tenant() and d.member_id = p_member and d.channel = p_channel
    and d.state in ('ACCEPTED', 'DELIVERED') and t.class = 'MARKETING'
    and d.accepted_at > coalesce(greatest(
      (select max(r.read_at) from delivery r
       where r.tenant_id = current_tenant() and r.member_id = p_member and r.channel = p_channel),
      (select s.last_at from lifecycle_state s
       where s.tenant_id = current_tenant() and s.member_id = p_member and s.completed_purchases > 0)), '-infinity')
$$;

/* When each message that a member got of a class (through a channel, null for all) is older than a window, ascending;
   the touch that asks left out. What is on its way, and what nobody can tell of, counts: it may arrive. */
create function contacts_within(
  p_touch touchpoint, p_class text, p_channel text, p_within text, p_now timestamptz
) returns timestamptz[] language sql stable as $$
  select coalesce(array_agg(s.leaves order by s.leaves), '{}')
  from (
    select later_by(min(d.first_attempt_at), p_within) as leaves
    from delivery d
    join touchpoint t on t.tenant_id = d.tenant_id and t.id = d.touchpoint_id
    where d.tenant_id = p_touch.tenant_id and d.member_id = p_touch.member_id and d.touchpoint_id <> p_touch.id
      and (d.state in ('CLAIMED', 'ACCEPTED', 'DELIVERED', 'UNKNOWN') or d.unknown is not null)
      and t.class = p_class and (p_channel is null or d.channel = p_channel)
    group by d.touchpoint_id
  ) s
  where s.leaves > p_now
$$;

/* How many touches of the same member and class, due as well, go first by their priority. */
create function contacts_before(p_touch touchpoint, p_channel text, p_now timestamptz) returns int
language sql stable as $$
  select count(*)::int
  from touchpoint t
  where t.tenant_id = p_touch.tenant_id and t.member_id = p_touch.member_id and t.settled_at is null
    and t.due_at <= p_now and t.priority > p_touch.priority and t.class = p_touch.class and t.id <> p_touch.id
    and (p_channel is null or t.channel = p_channel) and (t.expires_at is null or t.expires_at > p_now)
    and not exists (
      select from delivery d
      where d.tenant_id = t.tenant_id and d.touchpoint_id = t.id
        and (d.state = 'CLAIMED' or d.unknown is not null))
$$;

/* Whether there is room for one more of at most p_most in a window: null, or the refusal. */
create function contact_room(
  p_touch touchpoint, p_channel text, p_most int, p_within text, p_reason text, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
  v_leaves timestamptz[] := contacts_within(p_touch, p_touch.class, p_channel, p_within, p_now);
  v_taken int := cardinality(v_leaves);
begin
  if v_taken >= p_most then
    return jsonb_build_object('reason', p_reason, 'until', v_leaves[v_taken - p_most + 1], 'detail',
      jsonb_strip_nulls(jsonb_build_object('most', p_most, 'within', p_within, 'channel', p_channel)));
  elsif v_taken + contacts_before(p_touch, p_channel, p_now) >= p_most then
    -- Put off, not lost: those before it are sent or settled by then, and it asks again.
    return jsonb_build_object('reason', 'OUTRANKED', 'until', p_now + interval '5 minutes', 'detail',
      jsonb_strip_nulls(jsonb_build_object('priority', p_touch.priority, 'most', p_most, 'within', p_within,
                                           'channel', p_channel)));
  end if;
  return null;
end $$;

/*
 * Whether a touch may go out through a channel now: null when it may, else {"reason", "until", "detail"}; until is
 * when to ask again, null when it may not go this way at all. Called by the claim, one touch of a member at a time.
 * Volatile, because what another claim has just committed must be seen.
 */
create function contact_refusal(p_touchpoint uuid, p_channel text, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_policy jsonb := (select c.policy from contact_policy c where c.tenant_id = v_tenant order by c.version desc limit 1);
  v_touch touchpoint;
  v_stage jsonb;
  v_cap jsonb;
  v_refusal jsonb;
  v_until timestamptz;
begin
  select * into strict v_touch from touchpoint t where t.tenant_id = v_tenant and t.id = p_touchpoint;
  if v_touch.class = 'MARKETING' then
    v_stage := (
      select p from jsonb_array_elements(v_policy -> 'stages') p, lifecycle_state s
      where s.tenant_id = v_tenant and s.member_id = v_touch.member_id
        and p ->> 'stage' = case when s.silent_at < p_now then s.silent_stage else s.stage end);
    if not coalesce(nullif(v_stage -> 'purposes', 'null') ? v_touch.purpose, true)
       or not coalesce(nullif(v_stage -> 'channels', 'null') ? p_channel, true) then
      return jsonb_build_object('reason', 'STAGE_POLICY', 'until', null,
        'detail', jsonb_build_object('stage', v_stage ->> 'stage'));
    end if;
    -- STOP counts each channel of the touch, so that the next one is no way around it.
    if exists (
      select from unnest(case v_policy #>> '{ignored,response}' when 'STOP' then v_touch.channels else array[p_channel] end) c
      where ignored_streak(v_touch.member_id, c) >= (v_policy #>> '{ignored,after}')::int) then
      return jsonb_build_object('reason', 'IGNORED', 'until', null, 'detail',
        jsonb_build_object('after', v_policy #> '{ignored,after}'));
    end if;
    if v_stage ->> 'shortestSilence' is not null then
      v_refusal := contact_room(v_touch, null, 1, v_stage ->> 'shortestSilence', 'TOO_SOON', p_now);
      if v_refusal is not null then
        return v_refusal;
      end if;
    end if;
  end if;
  for v_cap in
    select c from jsonb_array_elements(v_policy -> 'caps') c
    where c ->> 'class' = v_touch.class and coalesce(c ->> 'channel', p_channel) = p_channel
  loop
    v_refusal := contact_room(v_touch, v_cap ->> 'channel', (v_cap ->> 'most')::int, v_cap ->> 'within',
                              'FREQUENCY_CAP', p_now);
    if v_refusal is not null then
      return v_refusal;
    end if;
  end loop;
  v_until := contact_quiet_until(v_touch, p_channel, v_policy, p_now);
  if v_until is not null then
    return jsonb_build_object('reason', 'QUIET_HOURS', 'until', v_until, 'detail', '{}'::jsonb);
  end if;
  return null;
end $$;

/* Until when quiet hours keep a touch back: the member's own come before the policy's. */
create function contact_quiet_until(
  p_touch touchpoint, p_channel text, p_policy jsonb, p_now timestamptz
) returns timestamptz language plpgsql as $$
declare
  v_zone text;
  v_own jsonb;
  v_hours jsonb := p_policy -> 'quietHours';
begin
  if coalesce(p_policy -> 'exemptPurposes', '["security", "consent-confirmation"]') ? p_touch.purpose
     or not coalesce(nullif(v_hours -> 'channels', 'null') ? p_channel, p_channel not in ('inbox', 'task')) then
    return null;
  end if;
  select m.time_zone,
    case when p.quiet_from is not null
      then jsonb_build_array(jsonb_build_object('from', p.quiet_from, 'to', p.quiet_to)) end
  into strict v_zone, v_own
  from member m
  left join preference p on p.tenant_id = m.tenant_id and p.member_id = m.id
  where m.tenant_id = p_touch.tenant_id and m.id = p_touch.member_id;
  return quiet_until(coalesce(v_own, v_hours -> 'periods'), v_zone, p_now);
end $$;

-- ── Templates ────────────────────────────────────────────────────────────────────────────────────

/*
 * What is said, written once: one row a version, and no version ever changes. texts is [{"locale", "kind", "title",
 * "body", "html", "url", "data"}], kind null for every kind of channel, written in LiquidJS.
 */
create table template (
  tenant_id     uuid not null references tenant,
  id            uuid not null default uuid_v7(),
  key           text not null check (key ~ '^[a-z][a-z0-9-]{0,99}$'),
  version       int not null check (version >= 1),
  texts         jsonb not null check (jsonb_typeof(texts) = 'array'),
  actor         text not null,
  saved_at      timestamptz not null,
  /* When the next version came; null of the newest. */
  superseded_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key, version)
);
create unique index template_newest on template (tenant_id, key) where superseded_at is null;
call protect('template');
grant select on template to engawa_app;

/* Saves the next version; texts that are the newest already are no new one. Outcomes: done {template}. */
create function template_save(p_key text, p_texts jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_newest template;
  v_id uuid;
begin
  perform pg_advisory_xact_lock(hashtext('engawa.template'), hashtext(v_tenant::text || p_key));
  select * into v_newest from template t where t.tenant_id = v_tenant and t.key = p_key and t.superseded_at is null;
  if v_newest.texts = p_texts then
    return jsonb_build_object('is', 'done', 'template', v_newest.id);
  end if;
  update template t set superseded_at = v_now where t.tenant_id = v_tenant and t.id = v_newest.id;
  insert into template (tenant_id, key, version, texts, actor, saved_at)
  values (v_tenant, p_key, coalesce(v_newest.version, 0) + 1, p_texts, p_actor, v_now)
  returning id into v_id;
  return jsonb_build_object('is', 'done', 'template', v_id);
end $$;
grant execute on function template_save(text, jsonb, text) to engawa_app;

/* A touch says what its template said when it was planned. */
create function template_pinned(p_tenant uuid, p_content jsonb) returns jsonb language sql stable as $$
  select case when p_content ? 'template' and not p_content ? 'version'
    then p_content || coalesce((
      select jsonb_build_object('version', t.version) from template t
      where t.tenant_id = p_tenant and t.key = p_content ->> 'template' and t.superseded_at is null), '{}')
    else p_content end
$$;

create function touchpoint_pins_template() returns trigger language plpgsql as $$
begin
  new.content := template_pinned(new.tenant_id, new.content);
  return new;
end $$;
create trigger touchpoint_pins_template before insert on touchpoint
  for each row execute function touchpoint_pins_template();

create function templates_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into template (tenant_id, key, version, actor, saved_at, texts) values
    (new.id, 'thank-you', 1, 'engawa', now(), $json$[
      {"locale": "ja", "kind": null, "title": "ご購入ありがとうございます",
       "body": "{{ member.displayName }} 様\n\nこのたびはお買い上げいただき、誠にありがとうございます。ご注文（注文番号 {{ parameters.order }}）を確かに承りました。\nご使用にあたりご不明な点がございましたら、どうぞお気軽にお問い合わせください。\nこれからも末永いお付き合いのほど、よろしくお願いいたします。"},
      {"locale": "en", "kind": null, "title": "Thank you for your purchase",
       "body": "Dear {{ member.displayName }},\n\nThank you for your order {{ parameters.order }}. We hope you will enjoy it for a long time.\nIf anything is unclear or not quite right, please write to us. We are glad to help."}]$json$),
    (new.id, 'consent-confirmation', 1, 'engawa', now(), $json$[
      {"locale": "ja", "kind": null, "title": "お申し込みの確認をお願いいたします",
       "body": "{{ member.displayName }} 様\n\n{{ tenant.name }}からのお知らせをお申し込みいただき、ありがとうございます。\n次のページを開き、お申し込みを確定してください。\n\n{{ parameters.link }}\n\nお心当たりのない場合は、このままこのメッセージを破棄してください。確定されない限り、お知らせをお送りすることはございません。"},
      {"locale": "en", "kind": null, "title": "Please confirm your subscription",
       "body": "Dear {{ member.displayName }},\n\nThank you for subscribing to news from {{ tenant.name }}. Please open this page to confirm it:\n\n{{ parameters.link }}\n\nIf it was not you, just ignore this message. Without your confirmation we will not write to you."}]$json$),
    (new.id, 'address-confirmation', 1, 'engawa', now(), $json$[
      {"locale": "ja", "kind": null, "title": "ご登録の連絡先の確認をお願いいたします",
       "body": "{{ member.displayName }} 様\n\n{{ tenant.name }}にこの連絡先をご登録いただき、ありがとうございます。\n次のページを開き、ご本人の連絡先であることをご確認ください。\n\n{{ parameters.link }}\n\nお心当たりのない場合は、このままこのメッセージを破棄してください。"},
      {"locale": "en", "kind": null, "title": "Please confirm your address",
       "body": "Dear {{ member.displayName }},\n\nYou gave {{ tenant.name }} this address. Please open this page to confirm that it is yours:\n\n{{ parameters.link }}\n\nIf it was not you, just ignore this message."}]$json$);
  return null;
end $$;
create trigger templates_of_new_tenant after insert on tenant
  for each row execute function templates_of_new_tenant();
