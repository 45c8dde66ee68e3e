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
      (select max(g.occurred_at) from signal g
       where g.tenant_id = current_tenant() and g.member_id = p_member and g.channel = p_channel
         and (g.kind = 'seen' or g.kind in ('clicked', 'replied') and g.machine is distinct from 'likely')),
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
  if v_touch.source_type = 'test' then
    return null;
  elsif v_touch.source_type = 'broadcast' and exists (
      select from broadcast b where b.tenant_id = v_tenant and b.id = v_touch.source_id::uuid and b.state = 'CANCELLED') then
    return jsonb_build_object('reason', 'CANCELLED', 'until', null, 'detail',
      jsonb_build_object('broadcast', v_touch.source_id));
  end if;
  -- Of channels whose address is the member, nobody else asks.
  if exists (
      select from suppression s
      where s.tenant_id = v_tenant and s.lifted_at is null and (s.until is null or s.until > p_now)
        and s.key = member_channel_key(v_tenant, v_touch.member_id, p_channel)) then
    return jsonb_build_object('reason', 'SUPPRESSED', 'until', null, 'detail', '{}'::jsonb);
  end if;
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

/* What to answer when a message names a template that is not there; null when all is well. */
create function template_missing(p_content jsonb) returns jsonb language plpgsql stable as $$
begin
  if p_content ? 'template' and not template_pinned(current_tenant(), p_content) ? 'version' then
    return jsonb_build_object('is', 'bad_input', 'field', 'template', 'message',
      format('There is no template %s.', left(p_content ->> 'template', 100)));
  end if;
  return null;
end $$;

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

-- ── Local times that move with the member ────────────────────────────────────────────────────────

/*
 * A member who lives by other clocks gets what is planned for a local time at that time there; what waits for quiet
 * hours to end is asked anew. What was put off for another reason waits on.
 */
create function touches_follow_zone() returns trigger language plpgsql as $$
declare
  v_now timestamptz := tenant_now(new.tenant_id);
begin
  update touchpoint t set due_at = case when d.id is not null then v_now
      else local_due(t.intent, new.time_zone, coalesce((t.intent ->> 'after')::timestamptz, v_now)) end
  from touchpoint p
  left join touch_decision d on d.tenant_id = p.tenant_id and d.touchpoint_id = p.id and d.until = p.due_at
    and d.reason = 'QUIET_HOURS'
  where p.tenant_id = new.tenant_id and p.member_id = new.id and p.settled_at is null
    and t.tenant_id = p.tenant_id and t.id = p.id and t.state = 'PLANNED' and t.due_at > v_now
    and (d.id is not null or t.intent ? 'time' and not exists (
      select from touch_decision o
      where o.tenant_id = p.tenant_id and o.touchpoint_id = p.id and o.until = p.due_at));
  return null;
end $$;
create trigger touches_follow_zone after update of time_zone on member
  for each row when (old.time_zone is distinct from new.time_zone) execute function touches_follow_zone();

-- ── Sending ──────────────────────────────────────────────────────────────────────────────────────

/* Channels in their order, each once. */
create function channels_in_order(p_channels text[]) returns text[] language sql immutable parallel safe as $$
  select (array_agg(c.channel order by c.place))[1:10]
  from (select u.channel, min(u.place) as place from unnest(p_channels) with ordinality u (channel, place)
        group by u.channel) c
$$;
grant execute on function channels_in_order(text[]) to engawa_app;

/*
 * Plans a touch that somebody asked for. p_touch: {"channels", "purpose", "content", "at" or "intent", "options",
 * "source"}. Outcomes: done {touchpoint}, bad_input, not_found, key_reused, membership_ended.
 */
create function touch_send(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_touch jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_intent jsonb := nullif(p_touch -> 'intent', 'null');
  v_missing jsonb := template_missing(p_touch -> 'content');
  v_op record;
begin
  if v_missing is not null then
    return v_missing;
  elsif v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'SEND', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  elsif v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  v_intent := v_intent || jsonb_build_object('after', v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'touchpoint', touchpoint_plan(
    v_member.id, array(select jsonb_array_elements_text(p_touch -> 'channels')), p_touch ->> 'purpose',
    p_touch -> 'content',
    case when v_intent is null then coalesce((p_touch ->> 'at')::timestamptz, v_now)
      else local_due(v_intent, v_member.time_zone, v_now) end,
    p_touch ->> 'source', v_op.transaction_id::text, v_now, 1,
    p_touch -> 'options' || jsonb_build_object('intent', v_intent))));
end $$;
grant execute on function touch_send(text, bytea, uuid, text, jsonb, text) to engawa_app;

/* What a message to oneself is for: nobody has to agree to that. sendTouchpoint does not take it. */
create function test_purpose_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into purpose (tenant_id, key, name, class, consent)
  values (new.id, 'test', '{"en": "Messages to oneself", "ja": "テスト送信"}', 'SERVICE', 'NONE');
  return null;
end $$;
create trigger test_purpose_of_new_tenant after insert on tenant
  for each row execute function test_purpose_of_new_tenant();

/* One message to everybody who matches a rule at the moment of sending. */
create table broadcast (
  tenant_id   uuid not null references tenant,
  id          uuid not null default uuid_v7(),
  /* Whom it is for, as audiences are stored. */
  audience    jsonb not null check (jsonb_typeof(audience) = 'object'),
  /* Null: what suits each member. */
  channels    text[],
  purpose     text not null check (length(purpose) between 1 and 100),
  content     jsonb not null check (jsonb_typeof(content) = 'object'),
  /* priority, wish and expires_at of its touches. */
  options     jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
  /* The local time that was meant; null when one instant holds for all. */
  intent      jsonb check (jsonb_typeof(intent) = 'object'),
  state       text not null default 'PLANNED' check (state in ('PLANNED', 'SENDING', 'SENT', 'CANCELLED')),
  created_at  timestamptz not null,
  /* When the worker looks at it next, by the tenant's clock; null when nothing is left to do. */
  due_at      timestamptz,
  /* The instant of the present look: members of a zone whose hour had come by then. */
  looked_at   timestamptz,
  /* The last member of the present look. */
  reached     uuid,
  planned     int not null default 0 check (planned >= 0),
  finished_at timestamptz,
  actor       text not null,
  primary key (tenant_id, id),
  check ((state in ('SENT', 'CANCELLED')) = (finished_at is not null))
);
create index broadcast_due on broadcast (tenant_id, due_at) where due_at is not null;
create index touchpoint_of_broadcast on touchpoint (tenant_id, source_id, id) where source_type = 'broadcast';
call protect('broadcast');
create policy system on broadcast for select to engawa_system using (true);
grant select on broadcast to engawa_app, engawa_system;

/* The zones in which members live, and when a broadcast's hour comes in each; one instant for all when it has no
   intent. */
create function broadcast_hours(p_broadcast broadcast) returns table (zone text, due timestamptz)
language sql stable as $$
  select z.time_zone, local_due(p_broadcast.intent, z.time_zone, p_broadcast.created_at)
  from (select distinct m.time_zone from member m where m.tenant_id = p_broadcast.tenant_id) z
  where p_broadcast.intent is not null
$$;

/* Plans a broadcast: p_broadcast is {"audience", "channels", "purpose", "content", "options", "at" or "intent"}.
   Outcomes: done {broadcast}, bad_input, key_reused. */
create function broadcast_plan(p_key text, p_hash bytea, p_broadcast jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_intent jsonb := nullif(p_broadcast -> 'intent', 'null');
  v_missing jsonb := template_missing(p_broadcast -> 'content');
  v_broadcast broadcast;
  v_op record;
begin
  if v_missing is not null then
    return v_missing;
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'BROADCAST', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  insert into broadcast (tenant_id, audience, channels, purpose, content, options, intent, created_at, due_at, actor)
  values (v_tenant, p_broadcast -> 'audience',
    case when jsonb_typeof(p_broadcast -> 'channels') = 'array'
      then array(select jsonb_array_elements_text(p_broadcast -> 'channels')) end,
    p_broadcast ->> 'purpose', template_pinned(v_tenant, p_broadcast -> 'content'), p_broadcast -> 'options',
    v_intent || jsonb_build_object('after', v_now), v_now,
    case when v_intent is null then coalesce((p_broadcast ->> 'at')::timestamptz, v_now) end, p_actor)
  returning * into v_broadcast;
  if v_intent is not null then
    update broadcast b set due_at = coalesce((select min(h.due) from broadcast_hours(v_broadcast) h), v_now)
    where b.tenant_id = v_tenant and b.id = v_broadcast.id;
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'broadcast', v_broadcast.id));
end $$;

/*
 * Begins or goes on with a broadcast that is due: {"is": "sending", "reached", "zones", "dues"} with the zones whose
 * hour has come, null when one instant holds for all; or idle, when there is nothing to do now.
 */
create function broadcast_look(p_broadcast uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_broadcast broadcast;
begin
  update broadcast b set state = 'SENDING', looked_at = coalesce(b.looked_at, v_now)
  where b.tenant_id = v_tenant and b.id = p_broadcast and b.state in ('PLANNED', 'SENDING') and b.due_at <= v_now
  returning * into v_broadcast;
  if not found then
    return jsonb_build_object('is', 'idle');
  end if;
  return (
    select jsonb_build_object('is', 'sending', 'reached', v_broadcast.reached, 'audience', v_broadcast.audience,
      'channels', to_jsonb(v_broadcast.channels),
      'zones', case when v_broadcast.intent is not null then coalesce(jsonb_agg(h.zone), '[]') end,
      'dues', case when v_broadcast.intent is not null then coalesce(jsonb_agg(h.due), '[]') end)
    from broadcast_hours(v_broadcast) h where h.due <= v_broadcast.looked_at);
end $$;

/*
 * Plans the touches of the next members of a broadcast, all at once or not at all. Those between p_reached and p_next
 * were asked, and p_members matched; p_channels has the channels of each, separated by blanks. p_is_last: there is
 * nobody after p_next. Outcomes: more, looked (nothing more now), stale (somebody else was faster, or it was called
 * off), and then nothing is written.
 */
create function broadcast_extend(
  p_broadcast uuid, p_reached uuid, p_next uuid, p_members uuid[], p_channels text[], p_is_last boolean
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_broadcast broadcast;
  v_purpose purpose;
  v_planned int;
  v_next timestamptz;
begin
  select * into v_broadcast from broadcast b
  where b.tenant_id = v_tenant and b.id = p_broadcast and b.state = 'SENDING' for no key update skip locked;
  if not found or v_broadcast.reached is distinct from p_reached then
    return jsonb_build_object('is', 'stale');
  end if;
  v_purpose := purpose_of(v_broadcast.purpose);
  with planned as (
    insert into touchpoint (tenant_id, member_id, channels, channel, purpose, class, content, planned_at, due_at,
                            source_type, source_id, priority, expires_at, intent, wish)
    select v_tenant, m.id, string_to_array(p.channels, ' '), split_part(p.channels, ' ', 1), v_broadcast.purpose,
      v_purpose.class, v_broadcast.content, d.due, d.due, 'broadcast', p_broadcast::text,
      coalesce((v_broadcast.options ->> 'priority')::int, 50), (v_broadcast.options ->> 'expires_at')::timestamptz,
      v_broadcast.intent, coalesce(v_broadcast.options ->> 'wish', v_purpose.wish)
    from unnest(p_members, p_channels) p (member, channels)
    join member m on m.tenant_id = v_tenant and m.id = p.member
    cross join lateral (select case when v_broadcast.intent is null then v_broadcast.due_at
      else local_due(v_broadcast.intent, m.time_zone, v_broadcast.created_at) end as due) d
    on conflict (tenant_id, member_id, purpose, source_type, source_id, occurrence) do nothing
    returning id, member_id
  ), announced as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'touchpoint.planned', p.member_id, jsonb_build_object('touchpoint', p.id), v_now from planned p
  )
  select count(*) into v_planned from planned;
  if not p_is_last then
    update broadcast b set planned = b.planned + v_planned, reached = p_next
    where b.tenant_id = v_tenant and b.id = p_broadcast;
    return jsonb_build_object('is', 'more', 'reached', p_next);
  end if;
  select min(h.due) into v_next from broadcast_hours(v_broadcast) h where h.due > v_broadcast.looked_at;
  update broadcast b set planned = b.planned + v_planned, reached = null, looked_at = null, due_at = v_next,
    state = case when v_next is null then 'SENT' else 'SENDING' end,
    finished_at = case when v_next is null then v_now end
  where b.tenant_id = v_tenant and b.id = p_broadcast;
  return jsonb_build_object('is', 'looked');
end $$;

/*
 * Calls a broadcast off: nobody more is planned, and what is planned and not being sent is called off by and by, see
 * broadcast_wind_down. Outcomes: done {is_cancelled}, not_found.
 */
create function broadcast_cancel(p_broadcast uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_broadcast broadcast;
begin
  select * into v_broadcast from broadcast b where b.tenant_id = v_tenant and b.id = p_broadcast for no key update;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'broadcast');
  elsif v_broadcast.state = 'CANCELLED' or v_broadcast.state = 'SENT' and not exists (
      select from touchpoint t where t.tenant_id = v_tenant and t.source_type = 'broadcast'
        and t.source_id = p_broadcast::text and t.settled_at is null) then
    return jsonb_build_object('is', 'done', 'is_cancelled', v_broadcast.state = 'CANCELLED');
  end if;
  update broadcast b set state = 'CANCELLED', finished_at = v_now, due_at = v_now
  where b.tenant_id = v_tenant and b.id = p_broadcast;
  return jsonb_build_object('is', 'done', 'is_cancelled', true);
end $$;

/* Calls off touches of a broadcast that was called off, at most p_limit; true when there may be more. */
create function broadcast_wind_down(p_broadcast uuid, p_limit int) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_left int;
begin
  select count(touchpoint_cancel(t.id, jsonb_build_object('broadcast', p_broadcast))) into v_left
  from (
    select p.id from touchpoint p
    where p.tenant_id = v_tenant and p.source_type = 'broadcast' and p.source_id = p_broadcast::text
      and p.settled_at is null and not exists (
        select from delivery d
        where d.tenant_id = p.tenant_id and d.touchpoint_id = p.id and d.claimed_until > clock_timestamp())
    order by p.id limit p_limit
    for no key update skip locked
  ) t;
  if v_left < p_limit then
    update broadcast b set due_at = null
    where b.tenant_id = v_tenant and b.id = p_broadcast and b.state = 'CANCELLED';
  end if;
  return v_left = p_limit;
end $$;

/* The tenant's broadcasts with something to do now, the longest due first. */
create function broadcasts_due() returns table (broadcast_id uuid, is_cancelled boolean) language sql stable as $$
  select b.id, b.state = 'CANCELLED' from broadcast b
  where b.tenant_id = (select app_tenant()) and b.due_at <= tenant_now((select app_tenant()))
  order by b.due_at, b.id
$$;

grant execute on function
  broadcast_plan(text, bytea, jsonb, text),
  broadcast_look(uuid),
  broadcast_extend(uuid, uuid, uuid, uuid[], text[], boolean),
  broadcast_cancel(uuid),
  broadcast_wind_down(uuid, int),
  broadcasts_due() to engawa_app;

-- ── Questions that messages carry ────────────────────────────────────────────────────────────────

/* Plans the message of a question as soon as it is asked: whoever delivers it adds the link that answers it. */
create function confirmation_is_sent() returns trigger language plpgsql as $$
begin
  perform touchpoint_plan(new.member_id, array[new.channel], 'consent-confirmation',
    jsonb_build_object('template', case new.what when 'CONSENT' then 'consent-confirmation' else 'address-confirmation' end,
                       'parameters', '{}'::jsonb),
    new.asked_at, 'confirmation', new.id::text, new.asked_at, 1,
    jsonb_build_object('priority', 100, 'expires_at', new.expires_at, 'address', new.address_id));
  return null;
end $$;
create trigger confirmation_is_sent after insert on confirmation
  for each row execute function confirmation_is_sent();

-- ── Tasks: what people do ────────────────────────────────────────────────────────────────────────

/* A touch by a person: a call, a visit, a letter. Its script is the content of the delivery that it is of. */
create table task (
  tenant_id     uuid not null references tenant,
  /* The delivery's. */
  id            uuid not null,
  touchpoint_id uuid not null,
  member_id     uuid not null,
  kind          text not null check (kind in ('CALL', 'VISIT', 'LETTER')),
  assignee      text check (length(assignee) between 1 and 200),
  deadline_at   timestamptz,
  outcome       text check (outcome in ('DONE', 'NOT_REACHED', 'DECLINED')),
  note          text check (length(note) between 1 and 2000),
  /* In minor units. */
  cost          bigint check (cost >= 0),
  currency      text check (currency ~ '^[A-Z]{3}$'),
  created_at    timestamptz not null,
  completed_at  timestamptz,
  actor         text,
  primary key (tenant_id, id),
  foreign key (tenant_id, id) references delivery (tenant_id, id),
  foreign key (tenant_id, touchpoint_id) references touchpoint (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((outcome is null) = (completed_at is null)),
  check ((outcome is null) = (actor is null)),
  check ((cost is null) = (currency is null))
);
create index task_list on task (tenant_id, created_at, id);
create index task_open on task (tenant_id, assignee, created_at, id) where outcome is null;
call protect('task');
grant select on task to engawa_app;

create function task_of_delivery() returns trigger language plpgsql as $$
begin
  insert into task (tenant_id, id, touchpoint_id, member_id, kind, assignee, deadline_at, created_at)
  select new.tenant_id, new.id, new.touchpoint_id, new.member_id, new.content #>> '{data,kind}',
    new.content #>> '{data,assignee}',
    coalesce((new.content #>> '{data,deadline}')::timestamptz, t.expires_at), new.accepted_at
  from touchpoint t where t.tenant_id = new.tenant_id and t.id = new.touchpoint_id
  on conflict do nothing;
  return null;
end $$;
create trigger task_of_delivery after update of state on delivery
  for each row when (new.channel = 'task' and new.state = 'ACCEPTED' and old.state <> 'ACCEPTED')
  execute function task_of_delivery();

/*
 * Books what came of a task: p_result {"outcome", "note", "cost", "currency"}. The outcome is what the channel reports:
 * done, it arrived, and of a call or a visit the member answered; not reached, it failed; declined, it arrived, and
 * nobody does this to the member again. Outcomes: done {task}, not_found (no open task), key_reused.
 */
create function task_complete(p_key text, p_hash bytea, p_task uuid, p_result jsonb, p_actor text) returns jsonb
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
grant execute on function task_complete(text, bytea, uuid, jsonb, text) to engawa_app;
