-- Consents: where members are found, what they agreed to, how they wish to be approached, and whom nobody writes to.

set local role engawa_owner;

-- ── Purposes ─────────────────────────────────────────────────────────────────────────────────────

/* What messages are for. */
create table purpose (
  tenant_id                 uuid not null references tenant,
  key                       text not null check (length(key) between 1 and 100),
  /* {"en": …, "ja": …} */
  name                      jsonb not null check (jsonb_typeof(name) = 'object'),
  class                     text not null check (class in ('SERVICE', 'MARKETING')),
  /* Whether a member has to agree first: no, once, or once and again by a message to the address. */
  consent                   text not null check (consent in ('NONE', 'SINGLE', 'DOUBLE')),
  /* What to do when nobody can tell whether a message arrived. */
  wish                      text not null default 'preferMiss' check (wish in ('preferMiss', 'preferDuplicate')),
  requires_verified_address boolean not null default false,
  primary key (tenant_id, key),
  /* Nobody is advertised to without having agreed. */
  check (class = 'SERVICE' or consent <> 'NONE')
);
call protect('purpose');
grant select on purpose to engawa_app;

/* A purpose by its key; one that the tenant never described is marketing, agreed to once. */
create function purpose_of(p_key text) returns purpose language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
  v_purpose purpose;
begin
  select * into v_purpose from purpose p where p.tenant_id = v_tenant and p.key = p_key;
  if found then
    return v_purpose;
  end if;
  return row(v_tenant, p_key, '{}', 'MARKETING', 'SINGLE', 'preferMiss', false)::purpose;
end $$;

/* Describes a purpose, for the first time or anew. Outcomes: done {purpose}, bad_input beyond 100 purposes. */
create function purpose_save(p_purpose jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_purpose purpose := jsonb_populate_record(null::purpose, p_purpose);
begin
  v_purpose.tenant_id := v_tenant;
  perform pg_advisory_xact_lock(hashtext('engawa.purpose'), hashtext(v_tenant::text));
  if (select count(*) from purpose p where p.tenant_id = v_tenant and p.key <> v_purpose.key) >= 100 then
    return jsonb_build_object('is', 'bad_input', 'field', 'key', 'message', 'A tenant has at most 100 purposes.');
  end if;
  insert into purpose values (v_purpose.*)
  on conflict (tenant_id, key) do update set
    name = excluded.name, class = excluded.class, consent = excluded.consent, wish = excluded.wish,
    requires_verified_address = excluded.requires_verified_address;
  return jsonb_build_object('is', 'done', 'purpose', v_purpose.key);
end $$;

create function purposes_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform set_config('app.tenant', new.id::text, true);
  insert into purpose (tenant_id, key, name, class, consent, wish) values
    (new.id, 'thank-you', '{"en": "Thanks for purchases", "ja": "ご購入のお礼"}', 'SERVICE', 'SINGLE', 'preferMiss'),
    (new.id, 'service', '{"en": "Service messages", "ja": "各種ご案内"}', 'SERVICE', 'SINGLE', 'preferMiss'),
    (new.id, 'security', '{"en": "Security notices", "ja": "セキュリティのお知らせ"}', 'SERVICE', 'NONE', 'preferDuplicate'),
    (new.id, 'consent-confirmation', '{"en": "Confirmations", "ja": "登録の確認"}', 'SERVICE', 'NONE', 'preferMiss'),
    (new.id, 'newsletter', '{"en": "Newsletter", "ja": "メールマガジン"}', 'MARKETING', 'DOUBLE', 'preferMiss'),
    (new.id, 'offers', '{"en": "Offers", "ja": "特典のご案内"}', 'MARKETING', 'SINGLE', 'preferMiss'),
    (new.id, 'care', '{"en": "Care tips", "ja": "お手入れのご案内"}', 'MARKETING', 'SINGLE', 'preferMiss');
  return null;
end $$;
create trigger purposes_of_new_tenant after insert on tenant
  for each row execute function purposes_of_new_tenant();

-- ── Addresses ────────────────────────────────────────────────────────────────────────────────────

/* What an address is known by once it is gone: equal for addresses that reach the same person. */
create function address_key(p_tenant uuid, p_kind text, p_identity text) returns bytea
language sql immutable parallel safe as
$$ select sha256(convert_to(p_tenant::text || chr(10) || p_kind || chr(10) || p_identity, 'UTF8')) $$;

create table address (
  tenant_id   uuid not null references tenant,
  id          uuid not null default uuid_v7(),
  member_id   uuid not null,
  /* Which channels use it, such as email. */
  kind        text not null check (kind ~ '^[a-z][a-z0-9-]{0,39}$'),
  /* As the channel read it, in its one spelling. */
  value       jsonb not null,
  /* What the channel says it is known by. */
  identity    text not null check (octet_length(identity) between 1 and 2000),
  key         bytea not null generated always as (address_key(tenant_id, kind, identity)) stored,
  /* 'profile': it follows the member's e-mail. Else who gave it. */
  source      text not null,
  added_at    timestamptz not null,
  verified_at timestamptz,
  removed_at  timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create unique index address_live on address (tenant_id, member_id, kind, identity) where removed_at is null;
create index address_key on address (tenant_id, key) where removed_at is null;
call protect('address');
grant select on address to engawa_app;

/* Keeps the e-mail of the profile among the addresses. */
create function address_of_new_members() returns trigger language plpgsql as $$
begin
  insert into address (tenant_id, member_id, kind, value, identity, source, added_at)
  select a.tenant_id, a.id, 'email', to_jsonb(a.email), lower(a.email), 'profile', a.registered_at
  from added a where a.email is not null;
  return null;
end $$;
create trigger address_of_new_members after insert on member
  referencing new table as added for each statement execute function address_of_new_members();

create function address_follows_profile() returns trigger language plpgsql as $$
declare
  v_now timestamptz := tenant_now(new.tenant_id);
begin
  update address a set value = to_jsonb(new.email)
  where a.tenant_id = new.tenant_id and a.member_id = new.id and a.kind = 'email' and a.source = 'profile'
    and a.removed_at is null and a.identity = lower(new.email);
  update address a set removed_at = v_now
  where a.tenant_id = new.tenant_id and a.member_id = new.id and a.kind = 'email' and a.source = 'profile'
    and a.removed_at is null and a.identity is distinct from lower(new.email);
  insert into address (tenant_id, member_id, kind, value, identity, source, added_at)
  select new.tenant_id, new.id, 'email', to_jsonb(new.email), lower(new.email), 'profile', v_now
  where new.email is not null
  on conflict (tenant_id, member_id, kind, identity) where removed_at is null do nothing;
  return null;
end $$;
create trigger address_follows_profile after update of email on member
  for each row when (old.email is distinct from new.email) execute function address_follows_profile();

/* Tells that an address came, went or was verified. */
create function address_announce(p_address uuid) returns void language plpgsql as $$
begin
  perform announce('address.changed', a.member_id, jsonb_build_object('address', a.id, 'kind', a.kind),
    tenant_now(a.tenant_id))
  from address a where a.tenant_id = current_tenant() and a.id = p_address;
end $$;

/*
 * Adds an address that p_source gave, in the spelling of its channel; one that is there already is kept, with what is
 * new of its value. Outcomes: done {address, member, is_new}, not_found, membership_ended, bad_input.
 */
create function address_add(
  p_member uuid, p_external_id text, p_kind text, p_value jsonb, p_identity text, p_source text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_id uuid;
  v_is_new boolean;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  -- One at a time, so that they can be counted.
  select * into v_member from member m where m.tenant_id = v_tenant and m.id = v_member.id for no key update;
  if v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif (select count(*) from address a where a.tenant_id = v_tenant and a.member_id = v_member.id
           and a.kind = p_kind and a.removed_at is null and a.identity <> p_identity) >= 20 then
    return jsonb_build_object('is', 'bad_input', 'field', 'value', 'message',
      'A member has at most 20 addresses of one kind. Remove one first.');
  end if;
  insert into address as a (tenant_id, member_id, kind, value, identity, source, added_at)
  values (v_tenant, v_member.id, p_kind, p_value, p_identity, p_source, tenant_now(v_tenant))
  on conflict (tenant_id, member_id, kind, identity) where removed_at is null do update set
    value = case a.source when 'profile' then a.value else excluded.value end
  returning a.id, a.xmax = 0 into v_id, v_is_new;
  if v_is_new then
    perform address_announce(v_id);
  end if;
  return jsonb_build_object('is', 'done', 'address', v_id, 'member', v_member.id, 'is_new', v_is_new);
end $$;

/*
 * Takes an address away, of p_member alone unless null; with the profile's, the e-mail of the profile goes. Outcomes:
 * done {address, member}, not_found.
 */
create function address_remove(p_address uuid, p_member uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_address address;
begin
  select * into v_address from address a
  where a.tenant_id = v_tenant and a.id = p_address and a.member_id = coalesce(p_member, a.member_id);
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'address');
  end if;
  if v_address.removed_at is null then
    if v_address.source = 'profile' then
      perform member_update(v_address.member_id, null, '{"email": null}');
    end if;
    -- Of an ended membership the profile stays as it is.
    update address a set removed_at = v_now
    where a.tenant_id = v_tenant and a.id = p_address and a.removed_at is null;
    update confirmation q set expires_at = least(q.expires_at, v_now)
    where q.tenant_id = v_tenant and q.address_id = p_address and q.confirmed_at is null;
    perform address_announce(p_address);
  end if;
  return jsonb_build_object('is', 'done', 'address', p_address, 'member', v_address.member_id);
end $$;

/*
 * Asks the member by a message through p_channel whether an address is theirs, of p_member alone unless null. One that
 * is verified is not asked about. Outcomes: done {address, member}, not_found, key_reused, membership_ended.
 */
create function address_verification_ask(
  p_key text, p_hash bytea, p_address uuid, p_member uuid, p_channel text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_address address;
  v_member member;
  v_replay jsonb;
begin
  select * into v_address from address a
  where a.tenant_id = v_tenant and a.id = p_address and a.member_id = coalesce(p_member, a.member_id)
    and a.removed_at is null;
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'address');
  end if;
  select b.replay into v_replay
  from op_begin(p_key, p_hash, 'VERIFY_ADDRESS', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  v_member := member_find(v_address.member_id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  elsif v_address.verified_at is null then
    perform confirmation_ask(v_member.id, null, p_address, p_channel);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'address', p_address, 'member', v_member.id));
end $$;

/* The members who can be found at an address. */
create function member_of_identity(p_kind text, p_identity text) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select a.member_id from address a
  where a.tenant_id = (select current_tenant()) and a.removed_at is null
    and a.key = address_key((select current_tenant()), p_kind, p_identity)
  order by a.added_at, a.id
$$;

-- ── Suppression ──────────────────────────────────────────────────────────────────────────────────

/*
 * Where nothing is sent to any more, and why. Known by a hash, so that it outlives the address and the member: of the
 * address, or of the member on one channel.
 */
create table suppression (
  tenant_id   uuid not null references tenant,
  id          uuid not null default uuid_v7(),
  scope       text not null check (scope in ('ADDRESS', 'MEMBER_CHANNEL')),
  kind        text not null,
  key         bytea not null,
  /* The only channel concerned; null for an address, which no channel uses any more. */
  channel     text,
  /* Whose it was, when that was known. */
  member_id   uuid,
  reason      text not null check (reason in (
    'BOUNCED', 'COMPLAINED', 'GONE', 'BLOCKED', 'UNSUBSCRIBED', 'MANUAL', 'PROVIDER')),
  since       timestamptz not null,
  /* It ends by itself then; null: when somebody lifts it. */
  until       timestamptz,
  /* What is known of the occasion; no address. */
  detail      jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
  lifted_at   timestamptz,
  lifted_by   text,
  lift_reason text,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((scope = 'MEMBER_CHANNEL') = (channel is not null)),
  check ((lifted_at is null) = (lifted_by is null))
);
create unique index suppression_live on suppression (tenant_id, key, reason) where lifted_at is null;
call protect('suppression');
grant select on suppression to engawa_app;

/* What a suppression of a member on a channel is known by. */
create function member_channel_key(p_tenant uuid, p_member uuid, p_channel text) returns bytea
language sql immutable parallel safe as
$$ select address_key(p_tenant, 'member', p_member::text || chr(10) || p_channel) $$;

/*
 * Sends nothing to an address any more (ADDRESS), or to a member on one channel (MEMBER_CHANNEL; of an identity alone:
 * to everybody found there). Told again for the same reason it lasts as long as the longer of the two. Answers the
 * suppression's id.
 */
create function suppress_identity(
  p_kind text, p_identity text, p_scope text, p_member uuid, p_channel text, p_reason text, p_until timestamptz,
  p_at timestamptz, p_detail jsonb
) returns uuid language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_members uuid[] := case when p_member is not null then array[p_member]
    else array(select m from member_of_identity(p_kind, p_identity) m) end;
  -- Nobody to keep it from on a channel: then from the address.
  v_scope text := case when cardinality(v_members) = 0 then 'ADDRESS' else p_scope end;
  v_id uuid;
begin
  with written as (
    insert into suppression as s (tenant_id, scope, kind, key, channel, member_id, reason, since, until, detail)
    select v_tenant, v_scope, p_kind,
      case v_scope when 'ADDRESS' then address_key(v_tenant, p_kind, p_identity)
        else member_channel_key(v_tenant, m, p_channel) end,
      case v_scope when 'MEMBER_CHANNEL' then p_channel end, m, p_reason, p_at, p_until, coalesce(p_detail, '{}')
    from unnest(case v_scope when 'ADDRESS' then array[v_members[1]] else v_members end) m
    on conflict (tenant_id, key, reason) where lifted_at is null do update set
      since = case when s.until <= excluded.since then excluded.since else s.since end,
      until = case when s.until is not null and excluded.until is not null
        then greatest(s.until, excluded.until) end,
      detail = s.detail || excluded.detail, member_id = coalesce(s.member_id, excluded.member_id)
    returning s.id, s.member_id, s.since
  ), announced as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'address.suppressed', w.member_id,
      jsonb_build_object('suppression', w.id, 'channel', coalesce(p_channel, p_kind)), p_at
    from written w where w.since = p_at
  )
  select w.id into v_id from written w order by w.id limit 1;
  return v_id;
end $$;

/*
 * Suppresses by hand: p_target is {"address"}, the id of one; {"kind", "identity"}; or {"member", "channel", "kind"},
 * one member on one channel, the member by id or as {"external_id"}. Outcomes: done {suppression}, not_found.
 */
create function suppression_add(p_target jsonb, p_until timestamptz, p_detail jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_scope text := case when p_target ? 'channel' then 'MEMBER_CHANNEL' else 'ADDRESS' end;
  v_kind text := p_target ->> 'kind';
  v_identity text := p_target ->> 'identity';
  v_member uuid;
begin
  if p_target ? 'address' then
    select a.kind, a.identity, a.member_id into v_kind, v_identity, v_member from address a
    where a.tenant_id = v_tenant and a.id = (p_target ->> 'address')::uuid;
    if not found then
      return jsonb_build_object('is', 'not_found', 'what', 'address');
    end if;
  elsif v_scope = 'MEMBER_CHANNEL' then
    v_member := (member_find((p_target ->> 'member')::uuid, p_target ->> 'external_id')).id;
    if v_member is null then
      return jsonb_build_object('is', 'not_found', 'what', 'member');
    end if;
  end if;
  return jsonb_build_object('is', 'done', 'suppression', suppress_identity(v_kind, v_identity, v_scope, v_member,
    p_target ->> 'channel', 'MANUAL', p_until, tenant_now(v_tenant), p_detail));
end $$;

/* Lifts a suppression, once. Others of the same address still hold. Outcomes: done {suppression}, not_found. */
create function suppression_lift(p_suppression uuid, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  update suppression s set lifted_at = tenant_now(v_tenant), lifted_by = p_actor, lift_reason = p_reason
  where s.tenant_id = v_tenant and s.id = p_suppression and s.lifted_at is null;
  if not found and not exists (select from suppression s where s.tenant_id = v_tenant and s.id = p_suppression) then
    return jsonb_build_object('is', 'not_found', 'what', 'suppression');
  end if;
  return jsonb_build_object('is', 'done', 'suppression', p_suppression);
end $$;

/*
 * Where a channel of this kind finds a member, the address known longest first. suppressed is null for an address
 * that may be used; else why not: the reason of a suppression, or UNVERIFIED when the purpose wants an address that
 * the member has confirmed.
 */
create function addresses_for(p_member uuid, p_channel text, p_kind text, p_purpose text)
returns table (address_id uuid, value jsonb, identity text, suppressed text)
language sql stable security definer set search_path = public, pg_temp as $$
  select a.id, a.value, a.identity, coalesce(s.reason,
    case when a.verified_at is null and (purpose_of(p_purpose)).requires_verified_address then 'UNVERIFIED' end)
  from address a
  left join lateral (
    select s.reason from suppression s
    where s.tenant_id = a.tenant_id and s.lifted_at is null
      and s.key in (a.key, member_channel_key(a.tenant_id, a.member_id, p_channel))
      and (s.until is null or s.until > tenant_now(a.tenant_id))
    order by s.since, s.id limit 1
  ) s on true
  where a.tenant_id = (select current_tenant()) and a.member_id = p_member and a.kind = p_kind
    and a.removed_at is null
  order by a.added_at, a.id
$$;

-- ── Consent ──────────────────────────────────────────────────────────────────────────────────────

/* How a purpose stands on a channel for a member, as of now. */
create table consent (
  tenant_id    uuid not null references tenant,
  id           uuid not null default uuid_v7(),
  member_id    uuid not null,
  purpose      text not null check (length(purpose) between 1 and 100),
  channel      text not null check (channel ~ '^[a-z][a-z0-9-]{0,39}$'),
  /* Which addresses the channel uses. */
  kind         text not null,
  state        text not null check (state in ('PENDING', 'LIVE', 'WITHDRAWN')),
  since        timestamptz not null,
  /* What the member read, and where, when it came to this. */
  text_version text,
  source       text not null,
  primary key (tenant_id, id),
  unique (tenant_id, member_id, purpose, channel),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
) with (fillfactor = 85);
create index consent_live on consent (tenant_id, purpose, channel) where state = 'LIVE';
call protect('consent');
grant select on consent to engawa_app;

/* Everything that was ever said about it. Rows are added, and that is all. */
create table consent_event (
  tenant_id    uuid not null references tenant,
  id           uuid not null default uuid_v7(),
  consent_id   uuid not null,
  member_id    uuid not null,
  purpose      text not null,
  channel      text not null,
  what         text not null check (what in ('REQUESTED', 'GIVEN', 'CONFIRMED', 'WITHDRAWN')),
  text_version text,
  source       text not null,
  at           timestamptz not null,
  booked_at    timestamptz not null default clock_timestamp(),
  proof        jsonb not null default '{}' check (jsonb_typeof(proof) = 'object'),
  actor        text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, consent_id) references consent (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index consent_history on consent_event (tenant_id, consent_id, id);
call protect('consent_event');
grant select on consent_event to engawa_app;

/*
 * A question to the member that a message carries: whether a consent was meant (double opt-in), whether an address is
 * theirs. Its link names it by a sealed token; no token is kept. Answered once, in time.
 */
create table confirmation (
  tenant_id    uuid not null references tenant,
  id           uuid not null default uuid_v7(),
  member_id    uuid not null,
  what         text not null check (what in ('CONSENT', 'ADDRESS')),
  consent_id   uuid,
  /* The only address that the message may go to; null: to all that the channel knows. */
  address_id   uuid,
  channel      text not null,
  asked_at     timestamptz not null,
  expires_at   timestamptz not null,
  confirmed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, consent_id) references consent (tenant_id, id),
  foreign key (tenant_id, address_id) references address (tenant_id, id),
  check ((what = 'CONSENT') = (consent_id is not null)),
  check (what <> 'ADDRESS' or address_id is not null)
);
create index confirmation_of_consent on confirmation (tenant_id, consent_id);
create index confirmation_of_address on confirmation (tenant_id, address_id);
call protect('confirmation');
grant select on confirmation to engawa_app;

/*
 * Asks the member, for seven days; whoever delivers plans the message when the row is written. While a question of
 * the last hour is open it is not asked again. Answers the confirmation's id.
 */
create function confirmation_ask(p_member uuid, p_consent uuid, p_address uuid, p_channel text) returns uuid
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid;
begin
  select c.id into v_id from confirmation c
  where c.tenant_id = v_tenant and c.member_id = p_member and c.channel = p_channel
    and case when p_consent is null then c.what = 'ADDRESS' and c.address_id = p_address
      else c.consent_id = p_consent and c.address_id is not distinct from p_address end
    and c.confirmed_at is null and c.expires_at > v_now and c.asked_at > v_now - interval '1 hour'
  order by c.id desc limit 1;
  if not found then
    insert into confirmation (tenant_id, member_id, what, consent_id, address_id, channel, asked_at, expires_at)
    values (v_tenant, p_member, case when p_consent is null then 'ADDRESS' else 'CONSENT' end, p_consent, p_address,
      p_channel, v_now, v_now + interval '7 days')
    returning id into v_id;
  end if;
  return v_id;
end $$;

/* Writes down what was said about a consent, and tells when it changed. */
create function consent_book(
  p_consent consent, p_what text, p_at timestamptz, p_proof jsonb, p_actor text, p_is_change boolean
) returns void language plpgsql as $$
begin
  insert into consent_event (tenant_id, consent_id, member_id, purpose, channel, what, text_version, source, at, proof,
                             actor)
  values (p_consent.tenant_id, p_consent.id, p_consent.member_id, p_consent.purpose, p_consent.channel, p_what,
    p_consent.text_version, p_consent.source, p_at, coalesce(p_proof, '{}'), p_actor);
  if p_is_change then
    perform announce('consent.changed', p_consent.member_id, jsonb_build_object('purpose', p_consent.purpose,
      'channel', p_consent.channel, 'state', p_consent.state), p_at);
  end if;
end $$;

/*
 * Gives consent: p_given is {"purpose", "channel", "kind", "text_version", "source", "at", "proof"}; without at, now.
 * It is live at once, or pending until the member confirms when the purpose wants to be agreed to twice. Older than a
 * withdrawal it is written down and changes nothing. Outcomes: done {consent, member}, not_found, bad_input,
 * key_reused, membership_ended.
 */
create function consent_give(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_given jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_at timestamptz := coalesce((p_given ->> 'at')::timestamptz, v_now);
  v_wanted text := case (purpose_of(p_given ->> 'purpose')).consent when 'DOUBLE' then 'PENDING' else 'LIVE' end;
  v_was text;
  v_consent consent;
  v_replay jsonb;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_at > v_now + interval '5 minutes' then
    return jsonb_build_object('is', 'bad_input', 'field', 'at', 'message', 'Consent cannot be given in the future.');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'GIVE_CONSENT', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  elsif v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  v_at := least(v_at, v_now);
  insert into consent (tenant_id, member_id, purpose, channel, kind, state, since, text_version, source)
  values (v_tenant, v_member.id, p_given ->> 'purpose', p_given ->> 'channel', p_given ->> 'kind', v_wanted, v_at,
    p_given ->> 'text_version', p_given ->> 'source')
  on conflict (tenant_id, member_id, purpose, channel) do nothing
  returning * into v_consent;
  if not found then
    select c.* into strict v_consent from consent c
    where c.tenant_id = v_tenant and c.member_id = v_member.id and c.purpose = p_given ->> 'purpose'
      and c.channel = p_given ->> 'channel'
    for no key update;
    v_was := v_consent.state;
    if v_was <> 'WITHDRAWN' or v_at >= v_consent.since then
      update consent c set state = case v_was when 'LIVE' then 'LIVE' else v_wanted end,
        since = case when v_was = 'LIVE' or v_was = v_wanted then c.since else v_at end,
        kind = p_given ->> 'kind', text_version = p_given ->> 'text_version', source = p_given ->> 'source'
      where c.tenant_id = v_tenant and c.id = v_consent.id
      returning * into v_consent;
    end if;
  end if;
  v_consent.text_version := p_given ->> 'text_version';
  v_consent.source := p_given ->> 'source';
  perform consent_book(v_consent, case v_wanted when 'PENDING' then 'REQUESTED' else 'GIVEN' end, v_at,
    p_given -> 'proof', p_actor, v_consent.state is distinct from v_was);
  if v_consent.state = 'PENDING' then
    -- The only address there is proves itself by the same answer.
    perform confirmation_ask(v_member.id, v_consent.id, (
      select (array_agg(a.id))[1] from address a
      where a.tenant_id = v_tenant and a.member_id = v_member.id and a.kind = v_consent.kind and a.removed_at is null
      having count(*) = 1), v_consent.channel);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'consent', v_consent.id, 'member', v_member.id));
end $$;

/*
 * Withdraws a consent: p_withdrawal is {"purpose", "channel", "kind", "source", "at", "proof"}; without at, now. One that
 * was never given is refused for the future. Also for ended memberships. Outcomes: done {consent, member}, not_found,
 * key_reused.
 */
create function consent_withdraw(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_withdrawal jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member uuid := (member_find(p_member, p_external_id)).id;
  v_consent uuid;
  v_replay jsonb;
begin
  if v_member is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'WITHDRAW_CONSENT', p_actor, tenant_now(v_tenant)) b;
  if v_replay is not null then
    return v_replay;
  end if;
  perform consent_withdrawn(v_member, p_withdrawal ->> 'channel', p_withdrawal ->> 'purpose', p_withdrawal ->> 'kind',
    p_withdrawal ->> 'source', (p_withdrawal ->> 'at')::timestamptz, p_withdrawal -> 'proof', p_actor);
  select c.id into strict v_consent from consent c
  where c.tenant_id = v_tenant and c.member_id = v_member and c.purpose = p_withdrawal ->> 'purpose'
    and c.channel = p_withdrawal ->> 'channel';
  return op_finish(p_key, jsonb_build_object('is', 'done', 'consent', v_consent, 'member', v_member));
end $$;

/*
 * Takes the member's answer to a question; of p_member alone, unless null. Answered again it answers alike. A consent
 * becomes live, an address verified. Outcomes: done {member, consent, address}, not_found, confirmation_expired.
 */
create function confirmation_answer(p_confirmation uuid, p_member uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_confirmation confirmation;
  v_consent consent;
begin
  select * into v_confirmation from confirmation c
  where c.tenant_id = v_tenant and c.id = p_confirmation and c.member_id = coalesce(p_member, c.member_id);
  if not found then
    return jsonb_build_object('is', 'not_found', 'what', 'confirmation');
  end if;
  -- The consent first, as a withdrawal does.
  select * into v_consent from consent c
  where c.tenant_id = v_tenant and c.id = v_confirmation.consent_id for no key update;
  select * into v_confirmation from confirmation c
  where c.tenant_id = v_tenant and c.id = p_confirmation for no key update;
  if v_confirmation.confirmed_at is null and v_confirmation.expires_at <= v_now or v_consent.state = 'WITHDRAWN' then
    return jsonb_build_object('is', 'confirmation_expired', 'expired_at', v_confirmation.expires_at);
  elsif v_confirmation.confirmed_at is null then
    update confirmation c set confirmed_at = v_now where c.tenant_id = v_tenant and c.id = p_confirmation;
    if v_consent.state = 'PENDING' then
      update consent c set state = 'LIVE', since = v_now where c.tenant_id = v_tenant and c.id = v_consent.id
      returning * into v_consent;
      perform consent_book(v_consent, 'CONFIRMED', v_now, jsonb_build_object('confirmation', p_confirmation), p_actor,
        true);
    end if;
    update address a set verified_at = v_now
    where a.tenant_id = v_tenant and a.id = v_confirmation.address_id and a.removed_at is null and a.verified_at is null;
    if found then
      perform address_announce(v_confirmation.address_id);
    end if;
  end if;
  return jsonb_build_object('is', 'done', 'member', v_confirmation.member_id, 'consent', v_confirmation.consent_id,
    'address', v_confirmation.address_id);
end $$;

/*
 * Null when a message of this purpose may go to the member through this channel, else NO_CONSENT. The member's own
 * account (inbox) and what people of the tenant do (task) need none. It holds the consent until the caller's
 * transaction ends: a withdrawal comes before it, and then it is seen, or after all that the caller did.
 */
create function consent_missing(p_member uuid, p_purpose text, p_channel text, p_kind text) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if p_kind in ('inbox', 'task') or (purpose_of(p_purpose)).consent = 'NONE' then
    return null;
  end if;
  perform from consent c
  where c.tenant_id = v_tenant and c.member_id = p_member and c.purpose = p_purpose and c.channel = p_channel
    and c.state = 'LIVE'
  for share;
  return case when not found then 'NO_CONSENT' end;
end $$;

/*
 * Withdraws a purpose on a channel, or every marketing purpose there when p_purpose is null. It always counts, however
 * late it is told. Answers how many it changed.
 */
create function consent_opt_out(
  p_member uuid, p_channel text, p_purpose text, p_source text, p_at timestamptz, p_proof jsonb
) returns int language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return cardinality(consent_withdrawn(p_member, p_channel, p_purpose, p_channel, p_source, p_at, p_proof, 'member'));
end $$;

/* The work of a withdrawal; the ids of the consents that it changed. */
create function consent_withdrawn(
  p_member uuid, p_channel text, p_purpose text, p_kind text, p_source text, p_at timestamptz, p_proof jsonb,
  p_actor text
) returns uuid[] language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_at timestamptz := least(p_at, tenant_now(v_tenant));
  v_ids uuid[];
begin
  -- A statement of its own: it waits for whoever gives this consent at the moment, and the next one sees it.
  insert into consent (tenant_id, member_id, purpose, channel, kind, state, since, source)
  select v_tenant, p_member, p_purpose, p_channel, p_kind, 'PENDING', v_at, p_source where p_purpose is not null
  on conflict (tenant_id, member_id, purpose, channel) do nothing;
  with changed as (
    update consent c set state = 'WITHDRAWN', since = v_at, source = p_source, text_version = null
    where c.tenant_id = v_tenant and c.member_id = p_member and c.channel = p_channel and c.state <> 'WITHDRAWN'
      and (c.purpose = p_purpose or p_purpose is null and (purpose_of(c.purpose)).class = 'MARKETING')
    returning c.id, c.purpose
  ), written as (
    insert into consent_event (tenant_id, consent_id, member_id, purpose, channel, what, source, at, proof, actor)
    select v_tenant, c.id, p_member, c.purpose, p_channel, 'WITHDRAWN', p_source, v_at, coalesce(p_proof, '{}'), p_actor
    from changed c
  ), announced as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'consent.changed', p_member,
      jsonb_build_object('purpose', c.purpose, 'channel', p_channel, 'state', 'WITHDRAWN'), v_at
    from changed c order by c.purpose
  ), unasked as (
    update confirmation q set expires_at = least(q.expires_at, tenant_now(v_tenant))
    where q.tenant_id = v_tenant and q.consent_id in (select c.id from changed c) and q.confirmed_at is null
  )
  select coalesce(array_agg(c.id), '{}') into v_ids from changed c;
  return v_ids;
end $$;

-- ── Preferences ──────────────────────────────────────────────────────────────────────────────────

/* How a member wishes to be approached. Times are HH:MM on the clocks of the member's zone, whatever that is then. */
create table preference (
  tenant_id      uuid not null references tenant,
  member_id      uuid not null,
  /* The channels that the member likes best, in that order. */
  channels       text[] not null default '{}',
  /* Nothing in these hours; over midnight when from is after to. */
  quiet_from     text check (quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  quiet_to       text check (quiet_to ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  preferred_time text check (preferred_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  primary key (tenant_id, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((quiet_from is null) = (quiet_to is null)),
  check (quiet_from <> quiet_to)
);
call protect('preference');
grant select on preference to engawa_app;

/* A rest from every touch that is not about security: the member's own wish, or the staff's. */
create table touch_pause (
  tenant_id uuid not null references tenant,
  member_id uuid not null,
  paused_by text not null check (paused_by in ('MEMBER', 'STAFF')),
  since     timestamptz not null,
  /* Null: until it is ended. */
  until     timestamptz,
  reason    text,
  actor     text not null,
  primary key (tenant_id, member_id, paused_by),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
call protect('touch_pause');
grant select on touch_pause to engawa_app;

/* The pause that keeps a purpose from a member now, {"by", "until"}, the longest; null when none does. */
create function touches_paused(p_member uuid, p_purpose text) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
begin
  if (purpose_of(p_purpose)).consent = 'NONE' then
    return null;
  end if;
  return (
    select jsonb_build_object('by', p.paused_by, 'until', p.until) from touch_pause p
    where p.tenant_id = v_tenant and p.member_id = p_member and (p.until is null or p.until > tenant_now(v_tenant))
    order by p.until desc nulls first, p.paused_by desc
    limit 1);
end $$;

/*
 * Changes what p_changes names of a member's wishes: channels, quiet_from with quiet_to, preferred_time. Outcomes:
 * done {member}, not_found, membership_ended.
 */
create function preference_save(p_member uuid, p_external_id text, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_given preference := jsonb_populate_record(null::preference, p_changes);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  insert into preference as p (tenant_id, member_id, channels, quiet_from, quiet_to, preferred_time)
  values (v_tenant, v_member.id, coalesce(v_given.channels, '{}'), v_given.quiet_from, v_given.quiet_to,
    v_given.preferred_time)
  on conflict (tenant_id, member_id) do update set
    channels = case when p_changes ? 'channels' then excluded.channels else p.channels end,
    quiet_from = case when p_changes ? 'quiet_from' then excluded.quiet_from else p.quiet_from end,
    quiet_to = case when p_changes ? 'quiet_to' then excluded.quiet_to else p.quiet_to end,
    preferred_time = case when p_changes ? 'preferred_time' then excluded.preferred_time else p.preferred_time end;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/*
 * Pauses touches, by the member's wish (MEMBER) or the staff's (STAFF); again, it is the new one that counts.
 * Outcomes: done {member}, not_found, membership_ended, bad_input when it is over before it begins.
 */
create function touches_pause(
  p_member uuid, p_external_id text, p_by text, p_until timestamptz, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  elsif p_until <= v_now then
    return jsonb_build_object('is', 'bad_input', 'field', 'endsAt', 'message', 'A pause ends in the future.');
  end if;
  insert into touch_pause as p (tenant_id, member_id, paused_by, since, until, reason, actor)
  values (v_tenant, v_member.id, p_by, v_now, p_until, p_reason, p_actor)
  on conflict (tenant_id, member_id, paused_by) do update set
    since = case when p.until <= v_now then excluded.since else p.since end,
    until = excluded.until, reason = excluded.reason, actor = excluded.actor;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Ends the pause of one (MEMBER, STAFF), or all when p_by is null. Outcomes: done {member}, not_found. */
create function touches_resume(p_member uuid, p_external_id text, p_by text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member uuid := (member_find(p_member, p_external_id)).id;
begin
  if v_member is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  delete from touch_pause p
  where p.tenant_id = v_tenant and p.member_id = v_member and p.paused_by = coalesce(p_by, p.paused_by);
  return jsonb_build_object('is', 'done', 'member', v_member);
end $$;

grant execute on function
  purpose_of(text),
  address_key(uuid, text, text),
  member_channel_key(uuid, uuid, text),
  purpose_save(jsonb),
  address_add(uuid, text, text, jsonb, text, text),
  address_remove(uuid, uuid),
  address_verification_ask(text, bytea, uuid, uuid, text, text),
  suppression_add(jsonb, timestamptz, jsonb),
  suppression_lift(uuid, text, text),
  preference_save(uuid, text, jsonb),
  touches_pause(uuid, text, text, timestamptz, text, text),
  touches_resume(uuid, text, text),
  member_of_identity(text, text),
  suppress_identity(text, text, text, uuid, text, text, timestamptz, timestamptz, jsonb),
  addresses_for(uuid, text, text, text),
  consent_missing(uuid, text, text, text),
  consent_opt_out(uuid, text, text, text, timestamptz, jsonb),
  consent_give(text, bytea, uuid, text, jsonb, text),
  consent_withdraw(text, bytea, uuid, text, jsonb, text),
  confirmation_answer(uuid, uuid, text),
  touches_paused(uuid, text) to engawa_app;
