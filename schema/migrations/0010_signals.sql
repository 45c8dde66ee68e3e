-- Signals: what channels report back, each taken once, and what follows from it.

set local role engawa_owner;

create table signal (
  tenant_id     uuid not null references tenant,
  id            uuid not null default uuid_v7(),
  channel       text not null,
  /* The channel's own name of the fact: reported again, it is the same one. */
  dedupe_key    text not null check (length(dedupe_key) between 1 and 500),
  kind          text not null check (kind in (
    'accepted', 'delivered', 'deferred', 'failed', 'bounced', 'complained', 'seen', 'opened', 'clicked', 'replied',
    'unsubscribed', 'resubscribed', 'blocked', 'unblocked', 'addressGone', 'addressChanged')),
  /* By the provider's clock, but never after it was received. */
  occurred_at   timestamptz not null,
  /* By the tenant's clock. */
  received_at   timestamptz not null,
  /* What it is about, as far as that is known; by provider_id it may become known later. */
  delivery_id   uuid,
  member_id     uuid,
  provider_id   text,
  /* What the address is known by, where one is meant. */
  key           bytea,
  permanence    text check (permanence in ('permanent', 'transient', 'undetermined')),
  /* The enhanced status code of a returned mail, such as 5.1.1. */
  status        text,
  machine       text check (machine in ('likely', 'unlikely', 'unknown')),
  reply_intent  text check (reply_intent in ('stop', 'start', 'help', 'other')),
  reply_text    text,
  /* What followed, besides the state of the delivery: SUPPRESSED, LIFTED, WITHDRAWN. */
  effects       text[] not null default '{}',
  /* What the provider sent, shortened. */
  raw           jsonb,
  primary key (tenant_id, id),
  unique (tenant_id, channel, dedupe_key),
  foreign key (tenant_id, delivery_id) references delivery (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index signal_of_delivery on signal (tenant_id, delivery_id, occurred_at, id);
create index signal_of_member on signal (tenant_id, member_id, channel, occurred_at, id);
create index signal_of_address on signal (tenant_id, channel, key, occurred_at) where kind in ('blocked', 'unblocked');
create index signal_homeless on signal (tenant_id, channel, provider_id) where delivery_id is null and provider_id is not null;
call protect('signal');
grant select on signal to engawa_app;

create index delivery_of_provider on delivery (tenant_id, channel, provider_id) where provider_id is not null;

/* What lets the next message to an address go out as a reply: the newest one, used once, while it lives. */
create table reply_token (
  tenant_id  uuid not null references tenant,
  channel    text not null,
  /* What the address is known by. */
  key        bytea not null,
  token      text not null,
  expires_at timestamptz not null,
  primary key (tenant_id, channel, key)
);
call protect('reply_token');

/* Takes the reply token of an address, if one is alive; nobody gets it again. */
create function reply_token_take(p_channel text, p_kind text, p_identity text, p_now timestamptz) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_token reply_token;
begin
  delete from reply_token r
  where r.tenant_id = v_tenant and r.channel = p_channel and r.key = address_key(v_tenant, p_kind, p_identity)
  returning * into v_token;
  return case when v_token.expires_at > p_now then v_token.token end;
end $$;

-- ── The state of deliveries ──────────────────────────────────────────────────────────────────────

/*
 * Whether a signal proves that a person has the message. Opens prove nothing, nor does what a machine did; a click
 * counts when no machine is likely to have done it.
 */
create function signal_proves_arrival(p_signal signal) returns boolean language sql immutable as $$
  select p_signal.kind in ('delivered', 'seen')
    or p_signal.kind in ('clicked', 'replied') and p_signal.machine is distinct from 'likely'
$$;

/*
 * Moves a delivery, which its caller has locked by its touch, to what is reported of it, and announces that; answers
 * whether it moved. Only ever forward, whatever the order of arrival: from anything open or unknown to ACCEPTED, from
 * there to DELIVERED, and from all of them to REFUSED once it failed or came back.
 */
create function delivery_hear(p_delivery uuid) returns boolean language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_delivery delivery;
  v_refusal signal;
  v_has_arrived boolean;
  v_arrived_at timestamptz;
  v_accepted_at timestamptz;
  v_seen_at timestamptz;
  v_was text;
  v_state text;
begin
  select * into v_delivery from delivery d where d.tenant_id = v_tenant and d.id = p_delivery;
  v_was := v_delivery.state;
  -- An attempt under way says for itself what it came to; then this is asked again.
  if v_delivery.state in ('REFUSED', 'CANCELLED') or v_delivery.claimed_until > clock_timestamp() then
    return false;
  end if;
  select * into v_refusal from signal s
  where s.tenant_id = v_tenant and s.delivery_id = p_delivery and s.kind in ('bounced', 'failed')
  order by s.occurred_at desc, s.kind, s.dedupe_key limit 1;
  select min(s.occurred_at) filter (where signal_proves_arrival(s)),
         min(s.occurred_at) filter (where s.kind = 'accepted' or signal_proves_arrival(s)),
         min(s.occurred_at) filter (where s.kind = 'seen')
  into v_arrived_at, v_accepted_at, v_seen_at
  from signal s where s.tenant_id = v_tenant and s.delivery_id = p_delivery;
  v_state := case
    when v_refusal.id is not null then 'REFUSED'
    when v_arrived_at is not null or v_delivery.state = 'DELIVERED' then 'DELIVERED'
    when v_accepted_at is not null or v_delivery.state = 'ACCEPTED' then 'ACCEPTED'
    else v_delivery.state end;
  update delivery d set
    state = v_state, claimed_until = null, due_at = null,
    -- What is known now is no possible miss any more.
    doubt = nullif(d.doubt, 'POSSIBLE_MISS'),
    outcome = case when v_state = 'REFUSED' then jsonb_build_object('is', 'refused', 'fault', jsonb_strip_nulls(
      jsonb_build_object('cause', case when v_refusal.kind = 'bounced' then 'address' else 'provider' end,
                         'disposition', jsonb_build_object('do', 'never'), 'code', v_refusal.status)))
      else d.outcome end,
    accepted_at = case when v_state = 'REFUSED' then d.accepted_at else coalesce(d.accepted_at, v_accepted_at) end,
    settled_at = coalesce(d.settled_at, tenant_now(v_tenant)),
    read_at = coalesce(d.read_at, v_seen_at)
  where d.tenant_id = v_tenant and d.id = p_delivery and v_state in ('ACCEPTED', 'DELIVERED', 'REFUSED')
    and (d.state <> v_state or d.read_at is null and v_seen_at is not null)
  returning * into v_delivery;
  if not found or v_was = v_state then
    return false;
  end if;
  perform announce('delivery.settled', v_delivery.member_id,
    jsonb_build_object('delivery', v_delivery.id, 'touchpoint', v_delivery.touchpoint_id,
                       'channel', v_delivery.channel, 'state', v_state), tenant_now(v_tenant));
  return true;
end $$;

/*
 * Moves a delivery to what is reported of it, and its touch with it: one that is still open comes to its end or goes
 * on, one that had come to its end is what the best of its deliveries is.
 */
create function delivery_follow(p_delivery uuid) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_touch touchpoint;
  v_channel text;
begin
  select t.* into v_touch from touchpoint t
  where t.tenant_id = v_tenant
    and t.id = (select d.touchpoint_id from delivery d where d.tenant_id = v_tenant and d.id = p_delivery)
  for no key update;
  select d.channel into v_channel from delivery d where d.tenant_id = v_tenant and d.id = p_delivery;
  if delivery_hear(p_delivery) and v_touch.settled_at is null and v_touch.channel = v_channel then
    perform touch_continue(v_touch, 'PROVIDER', null);
  end if;
  update touchpoint t set state = best.state
  from (
    select d.state from delivery d where d.tenant_id = v_tenant and d.touchpoint_id = v_touch.id
      and d.state in ('DELIVERED', 'ACCEPTED', 'UNKNOWN', 'REFUSED')
    order by array_position(array['DELIVERED', 'ACCEPTED', 'UNKNOWN', 'REFUSED'], d.state) limit 1
  ) best
  where t.tenant_id = v_tenant and t.id = v_touch.id and t.state in ('ACCEPTED', 'DELIVERED', 'UNKNOWN', 'REFUSED')
    and t.state <> best.state;
end $$;

/* Of all that reports of one message of a provider, and of the attempt that sent it, one at a time. */
create function signal_lock(p_channel text, p_provider_id text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended(
    current_tenant()::text || chr(10) || p_channel || chr(10) || p_provider_id, 10))
$$;

/* When an attempt is over, what was reported while it ran counts; some reports are quicker than the answer. */
create function delivery_was_settled() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_signal signal;
begin
  if new.provider_id is not null then
    perform signal_lock(new.channel, new.provider_id);
    for v_signal in
      update signal s set delivery_id = new.id, member_id = new.member_id, key = coalesce(s.key, (
        select a.key from address a where a.tenant_id = new.tenant_id and a.id = new.address_id))
      where s.tenant_id = new.tenant_id and s.channel = new.channel and s.provider_id = new.provider_id
        and s.delivery_id is null
      returning s.*
    loop
      perform signal_effect(v_signal, null, null);
    end loop;
  end if;
  perform delivery_follow(new.id)
  where exists (select from signal s where s.tenant_id = new.tenant_id and s.delivery_id = new.id);
  return null;
end $$;
-- When the transaction is about to end: the touch has been booked by then.
create constraint trigger delivery_was_settled after update of state on delivery
  deferrable initially deferred for each row
  when (old.state = 'CLAIMED' and new.state <> 'CLAIMED') execute function delivery_was_settled();

-- ── What follows for members and addresses ───────────────────────────────────────────────────────

/* Applies the newest word on whether an address, or else a member, blocks the channel. */
create function signal_block(p_signal signal, p_kind text, p_identity text) returns text language plpgsql as $$
declare
  v_newest signal;
begin
  select * into strict v_newest from signal s
  where s.tenant_id = p_signal.tenant_id and s.channel = p_signal.channel and s.kind in ('blocked', 'unblocked')
    and case when p_signal.key is null then s.member_id = p_signal.member_id else s.key = p_signal.key end
  order by s.occurred_at desc, s.kind, s.dedupe_key limit 1;
  if v_newest.kind = 'blocked' then
    perform suppress_identity(p_kind, p_identity, 'MEMBER_CHANNEL', p_signal.member_id, p_signal.channel, 'BLOCKED',
      null, v_newest.occurred_at, jsonb_build_object('signal', v_newest.id));
    return 'SUPPRESSED';
  end if;
  update suppression s set lifted_at = v_newest.received_at, lifted_by = 'channel:' || p_signal.channel,
    lift_reason = 'The member blocks the sender no more.'
  where s.tenant_id = p_signal.tenant_id and s.reason = 'BLOCKED' and s.lifted_at is null
    and s.since <= v_newest.occurred_at
    and s.key in (member_channel_key(s.tenant_id, p_signal.member_id, p_signal.channel), p_signal.key);
  return case when found then 'LIFTED' end;
end $$;

/*
 * What a signal does besides moving its delivery, and writes down which of it did anything. A permanent bounce
 * suppresses the address; where policy or a full mailbox was the reason, for 30 days. A complaint suppresses it and
 * withdraws all marketing of the channel; so does, without suppressing, the wish to stop. Nothing ever consents.
 * p_kind and p_identity: the address, where the signal names one; else it is the delivery's.
 */
create function signal_effect(p_signal signal, p_kind text, p_identity text) returns void language plpgsql as $$
declare
  v_detail jsonb := jsonb_strip_nulls(jsonb_build_object('signal', p_signal.id, 'delivery', p_signal.delivery_id,
                                                         'status', p_signal.status));
  v_delivery delivery;
  v_kind text := p_kind;
  v_identity text := p_identity;
  v_members uuid[];
  v_reason text := case p_signal.kind when 'complained' then 'COMPLAINED' when 'addressGone' then 'GONE'
    when 'bounced' then case when p_signal.permanence = 'permanent' then 'BOUNCED' end end;
  v_until timestamptz := case when v_reason = 'BOUNCED' and p_signal.status ~ '^5\.(2\.2$|7\.)'
    then p_signal.occurred_at + interval '30 days' end;
  v_stops boolean := p_signal.kind = 'unsubscribed' or p_signal.kind = 'complained'
    or p_signal.kind = 'replied' and p_signal.reply_intent = 'stop' and p_signal.machine is distinct from 'likely';
  v_effects text[] := '{}';
begin
  if v_reason is null and not v_stops and p_signal.kind not in ('blocked', 'unblocked') then
    return;
  end if;
  select * into v_delivery from delivery d where d.tenant_id = p_signal.tenant_id and d.id = p_signal.delivery_id;
  if v_delivery.identity is not null then
    v_identity := v_delivery.identity;
    select a.kind into strict v_kind from address a
    where a.tenant_id = p_signal.tenant_id and a.id = v_delivery.address_id;
  end if;
  v_members := case when p_signal.member_id is null then '{}' when v_delivery.id is not null then array[p_signal.member_id]
    else array(select m from member_of_identity(v_kind, v_identity) m) end;
  if v_identity is null and cardinality(v_members) = 0 then
    return;
  end if;
  if v_reason is not null and v_identity is not null then
    perform suppress_identity(v_kind, v_identity, 'ADDRESS', p_signal.member_id, p_signal.channel, v_reason, v_until,
      p_signal.occurred_at, v_detail);
    v_effects := v_effects || 'SUPPRESSED'::text;
  end if;
  if v_stops and cardinality(v_members) > 0 then
    perform consent_opt_out(m, p_signal.channel, null, p_signal.kind, p_signal.occurred_at, v_detail)
    from unnest(v_members) m;
    v_effects := v_effects || 'WITHDRAWN'::text;
  elsif v_stops and p_signal.kind <> 'complained' then
    -- Of somebody unknown the wish holds for the address, whoever comes to have it.
    perform suppress_identity(v_kind, v_identity, 'ADDRESS', null, p_signal.channel, 'UNSUBSCRIBED', null,
      p_signal.occurred_at, v_detail);
    v_effects := v_effects || 'SUPPRESSED'::text;
  end if;
  if p_signal.kind in ('blocked', 'unblocked') then
    v_effects := v_effects || signal_block(p_signal, v_kind, v_identity);
  end if;
  update signal s set effects = array_remove(v_effects, null)
  where s.tenant_id = p_signal.tenant_id and s.id = p_signal.id;
end $$;

-- ── Taking ───────────────────────────────────────────────────────────────────────────────────────

/*
 * Takes what a channel reports, each fact once by its dedupe_key, all of it or nothing. p_kind: which addresses the
 * channel uses. p_signals: [{kind, dedupe_key, occurred_at, key, provider_id, identity, permanence, status, machine,
 * reply_intent, reply_text, reply_token, reply_seconds, raw}]. A delivery is found by its key or the provider's id, a
 * member by the delivery or the address. Outcome: done {taken}, how many
 * were new.
 */
create function signals_take(p_channel text, p_kind text, p_signals jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_taken int := 0;
  v_signal signal;
  v_ids uuid[];
  r record;
begin
  select jsonb_agg(f.first order by f.dedupe_key) into p_signals
  from (select s ->> 'dedupe_key' as dedupe_key, (array_agg(s order by n))[1] as first
        from jsonb_array_elements(p_signals) with ordinality a (s, n) group by 1) f;
  perform signal_lock(p_channel, x.provider_id)
  from (select distinct s ->> 'provider_id' as provider_id from jsonb_array_elements(p_signals) s
        where s ->> 'provider_id' is not null order by 1) x;
  -- A statement of its own: what was settled while we waited is seen.
  with told as (
    select s.*, least(s.occurred_at, v_now) as at from jsonb_to_recordset(p_signals) s (
      kind text, dedupe_key text, occurred_at timestamptz, key uuid, provider_id text, identity text, permanence text,
      status text, machine text, reply_intent text, reply_text text, raw jsonb)
  ), found_deliveries as (
    select t.dedupe_key, coalesce(
      (select d.id from delivery d where d.tenant_id = v_tenant and d.key = t.key and d.channel = p_channel),
      (select d.id from delivery d
       where d.tenant_id = v_tenant and d.channel = p_channel and d.provider_id = t.provider_id
       order by d.id desc limit 1)) as delivery_id
    from told t
  ), taken as (
    insert into signal (tenant_id, channel, dedupe_key, kind, occurred_at, received_at, delivery_id, member_id,
                        provider_id, key, permanence, status, machine, reply_intent, reply_text, raw)
    select v_tenant, p_channel, t.dedupe_key, t.kind, t.at, v_now, d.id,
      coalesce(d.member_id, (select m from member_of_identity(p_kind, t.identity) m limit 1)), t.provider_id,
      coalesce((select a.key from address a where a.tenant_id = v_tenant and a.id = d.address_id),
               address_key(v_tenant, p_kind, t.identity)),
      t.permanence, t.status, t.machine, t.reply_intent, t.reply_text, t.raw
    from told t
    join found_deliveries f on f.dedupe_key = t.dedupe_key
    left join delivery d on d.tenant_id = v_tenant and d.id = f.delivery_id
    order by t.dedupe_key
    on conflict (tenant_id, channel, dedupe_key) do nothing
    returning id
  )
  select array_agg(t.id) into v_ids from taken t;
  v_taken := coalesce(cardinality(v_ids), 0);

  -- Touches before consents, in one order, as a claim locks them.
  for r in
    select d.id from delivery d
    where d.tenant_id = v_tenant and d.id in (
      select s.delivery_id from signal s where s.tenant_id = v_tenant and s.id = any (v_ids))
    order by d.touchpoint_id, d.id
  loop
    perform delivery_follow(r.id);
  end loop;
  perform pg_advisory_xact_lock(hashtextextended(v_tenant::text || m.member_id::text, 7))
  from (select distinct s.member_id from signal s
        where s.tenant_id = v_tenant and s.id = any (v_ids) and s.member_id is not null
          and s.kind in ('complained', 'unsubscribed', 'replied', 'blocked', 'unblocked')
        order by s.member_id) m;
  for r in
    select s.id, t.identity, t.reply_token, t.reply_seconds
    from signal s
    join jsonb_to_recordset(p_signals) t (dedupe_key text, identity text, reply_token text, reply_seconds int)
      on t.dedupe_key = s.dedupe_key
    where s.tenant_id = v_tenant and s.id = any (v_ids)
    order by s.member_id, s.occurred_at, s.id
  loop
    select * into v_signal from signal s where s.tenant_id = v_tenant and s.id = r.id;
    perform signal_effect(v_signal, p_kind, r.identity);
    if r.reply_token is not null and r.identity is not null then
      insert into reply_token as t (tenant_id, channel, key, token, expires_at)
      values (v_tenant, p_channel, address_key(v_tenant, p_kind, r.identity), r.reply_token,
              v_signal.occurred_at + r.reply_seconds * interval '1 second')
      on conflict (tenant_id, channel, key) do update set token = excluded.token, expires_at = excluded.expires_at
      where t.expires_at <= excluded.expires_at;
    end if;
    perform announce('signal.received', v_signal.member_id, jsonb_strip_nulls(jsonb_build_object(
      'signal', v_signal.id, 'delivery', v_signal.delivery_id, 'kind', v_signal.kind, 'channel', p_channel)),
      v_signal.occurred_at);
  end loop;
  return jsonb_build_object('is', 'done', 'taken', v_taken);
end $$;

grant execute on function
  signals_take(text, text, jsonb),
  reply_token_take(text, text, text, timestamptz) to engawa_app;
