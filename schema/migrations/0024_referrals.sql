-- Referrals: members bring members. A claim ties a friend to whoever recommended the shop, once and for good; both are
-- paid when the friend has done what counts and the time to give it back is over. Signals of one person behind both
-- sides block a claim or put it before somebody.

set local role engawa_owner;

-- ── Programs ─────────────────────────────────────────────────────────────────────────────────────

/* A version of a referral program's definition. */
create table referral_program (
  tenant_id        uuid not null,
  kind             text not null generated always as ('referralProgram') stored,
  key              text not null,
  version          int not null,
  name             jsonb not null,
  /* What each side gets; null: nothing. */
  referrer_benefit jsonb,
  friend_benefit   jsonb,
  /* What the friend has to do. */
  act              text not null check (act in ('PURCHASE', 'NTH_PURCHASE', 'ACTIVITY')),
  /* PURCHASE: one of at least so much, in minor units. */
  at_least         bigint check (at_least > 0),
  currency         text check (currency ~ '^[A-Z]{3}$'),
  nth              int check (nth between 1 and 100),
  activity         text,
  /* Paid so long after that; null: at once. */
  hold             interval check (hold > interval '0'),
  /* How long after registering a friend may claim. */
  new_for          interval not null check (new_for > interval '0'),
  per_referrer     int check (per_referrer > 0),
  per_period       text check (per_period in ('DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR')),
  velocity         int check (velocity > 0),
  velocity_within  interval check (velocity_within > interval '0'),
  starts_at        timestamptz,
  ends_at          timestamptz,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  check (num_nonnulls(referrer_benefit, friend_benefit) > 0),
  check ((act = 'PURCHASE') = (at_least is not null) and (act = 'PURCHASE') = (currency is not null)),
  check ((act = 'NTH_PURCHASE') = (nth is not null)),
  check ((act = 'ACTIVITY') = (activity is not null)),
  check (per_referrer is not null or per_period is null),
  check (num_nonnulls(velocity, velocity_within) in (0, 2)),
  check (starts_at < ends_at)
);
call protect('referral_program');
grant select on referral_program to engawa_app;

create function referral_program_of_definition() returns trigger language plpgsql as $$
begin
  perform benefit_check(new.body #> '{benefits,referrer}', 'program.benefits.referrer');
  perform benefit_check(new.body #> '{benefits,friend}', 'program.benefits.friend');
  insert into referral_program (tenant_id, key, version, name, referrer_benefit, friend_benefit, act, at_least, currency, nth,
                                activity, hold, new_for, per_referrer, per_period, velocity, velocity_within, starts_at,
                                ends_at)
  select new.tenant_id, new.key, new.version, b -> 'name', b #> '{benefits,referrer}', b #> '{benefits,friend}',
         case when q ? 'firstPurchase' then 'PURCHASE' when q ? 'nthPurchase' then 'NTH_PURCHASE' else 'ACTIVITY' end,
         (q #>> '{firstPurchase,atLeast}')::bigint, q #>> '{firstPurchase,currency}', (q ->> 'nthPurchase')::int,
         q ->> 'activity', (b ->> 'hold')::interval, coalesce((b ->> 'newFor')::interval, interval '30 days'),
         (b #>> '{limits,perReferrer,limit}')::int, b #>> '{limits,perReferrer,period}',
         (b #>> '{limits,velocity,claims}')::int, (b #>> '{limits,velocity,within}')::interval,
         (b #>> '{window,from}')::timestamptz, (b #>> '{window,until}')::timestamptz
  from (select new.body as b, new.body -> 'qualifying' as q) x;
  return null;
end $$;
create trigger referral_program_of_definition after insert on definition
  for each row when (new.kind = 'referralProgram') execute function referral_program_of_definition();

-- ── Codes ────────────────────────────────────────────────────────────────────────────────────────

/*
 * The code by which a member recommends: 60 bits of a digest of its id, in an alphabet without I, L, O and U. It needs
 * no row, and so every member has had it from the first day.
 */
create function referral_code(p_member uuid) returns text language sql immutable strict parallel safe as $$
  select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + ((d.bits >> (5 * n)) & 31)::int, 1)
    || case when n in (3, 7) then '-' else '' end, '' order by n)
  from (select ('x' || encode(substr(sha256(convert_to('engawa.referral ' || p_member, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
        as bits) d, generate_series(0, 11) n
$$;
create unique index member_referral_code on member (tenant_id, referral_code(id));

/* A code as somebody typed it: in any case, with any gaps, O for 0, I and L for 1. */
create function referral_code_read(p_code text) returns text language sql immutable strict parallel safe as $$
  select substr(c, 1, 4) || '-' || substr(c, 5, 4) || '-' || substr(c, 9)
  from (select translate(regexp_replace(upper(p_code), '[^0-9A-Z]', '', 'g'), 'OIL', '011') as c) x
$$;

/* The codes of these members. */
create function referral_codes(p_members uuid[]) returns table (member_id uuid, code text)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id, referral_code(m.id) from member m where m.tenant_id = current_tenant() and m.id = any(p_members)
$$;
grant execute on function referral_codes(uuid[]) to engawa_app;

/* An e-mail address without what lets one mailbox have many: case, dots, and what follows a plus. */
create function email_folded(p_email text) returns text language sql immutable strict parallel safe as $$
  select replace(split_part(split_part(lower(p_email), '@', 1), '+', 1), '.', '') || '@' || split_part(lower(p_email), '@', 2)
$$;
create index member_email_folded on member (tenant_id, email_folded(email)) where email is not null;

-- ── Claims ───────────────────────────────────────────────────────────────────────────────────────

create table referral (
  tenant_id    uuid not null,
  id           uuid not null,
  key          text not null,
  version      int not null,
  referrer_id  uuid not null,
  friend_id    uuid not null,
  state        text not null
    check (state in ('CLAIMED', 'REVIEW', 'QUALIFIED', 'HELD', 'PAID', 'REJECTED', 'REVERSED')),
  claimed_at   timestamptz not null,
  /* When the friend did what counts, and by which purchase. */
  qualified_at timestamptz,
  purchase_id  uuid,
  /* When it is paid, or what was paid is taken back. */
  due_at       timestamptz,
  paid_at      timestamptz,
  closed_at    timestamptz,
  owes_back    boolean not null default false,
  /* What speaks for one person behind both sides. */
  suspicions   text[] not null default '{}',
  /* When somebody looked at it; weak signals count no more then. */
  reviewed_at  timestamptz,
  actor        text not null,
  reason       text check (length(reason) between 1 and 200),
  primary key (tenant_id, id),
  constraint referral_once unique (tenant_id, friend_id),
  foreign key (tenant_id, key, version) references referral_program (tenant_id, key, version),
  foreign key (tenant_id, referrer_id) references member (tenant_id, id),
  foreign key (tenant_id, friend_id) references member (tenant_id, id),
  foreign key (tenant_id, purchase_id) references purchase (tenant_id, id),
  /* Ids rise in the order of registration: whoever recommends was there before, so that no ring can close. */
  constraint referral_no_ring check (referrer_id < friend_id),
  constraint referral_qualified check (state not in ('QUALIFIED', 'HELD', 'PAID') or qualified_at is not null),
  constraint referral_due check ((due_at is not null) = (state in ('QUALIFIED', 'HELD') or owes_back)),
  constraint referral_paid check (state not in ('CLAIMED', 'REVIEW', 'QUALIFIED', 'HELD', 'REJECTED') or paid_at is null),
  constraint referral_owes check (not owes_back or (state = 'REVERSED' and paid_at is not null)),
  constraint referral_closed check ((state in ('REJECTED', 'REVERSED')) = (closed_at is not null))
) with (fillfactor = 85);
create index referral_of_referrer on referral (tenant_id, referrer_id, id);
create index referral_state on referral (tenant_id, state, id);
create index referral_due on referral (tenant_id, due_at) where due_at is not null;
create index referral_open on referral (tenant_id, friend_id) where state in ('CLAIMED', 'REVIEW', 'QUALIFIED', 'HELD', 'PAID');
call protect('referral');
grant select on referral to engawa_app;
-- The due scan looks across tenants, at nothing but who has something due.
create policy system on referral for select to engawa_system using (true);
grant select (tenant_id, due_at) on referral to engawa_system;

create table referral_change (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  referral_id uuid not null,
  from_state  text,
  to_state    text not null,
  at          timestamptz not null,
  actor       text not null,
  reason      text,
  primary key (tenant_id, id),
  foreign key (tenant_id, referral_id) references referral (tenant_id, id),
  constraint referral_step check (coalesce(from_state, '') || '>' || to_state in (
    '>CLAIMED', '>REVIEW', '>REJECTED', 'CLAIMED>REVIEW', 'CLAIMED>QUALIFIED', 'CLAIMED>HELD', 'CLAIMED>REJECTED',
    'REVIEW>CLAIMED', 'REVIEW>QUALIFIED', 'REVIEW>HELD', 'REVIEW>REJECTED', 'REVIEW>REVERSED', 'QUALIFIED>PAID',
    'QUALIFIED>REVIEW', 'QUALIFIED>REJECTED', 'QUALIFIED>REVERSED', 'HELD>PAID', 'HELD>REVIEW', 'HELD>REJECTED',
    'HELD>REVERSED', 'PAID>REVERSED'))
);
create index referral_change_of on referral_change (tenant_id, referral_id, id);
call protect('referral_change');
grant select on referral_change to engawa_app;
create trigger append_only before update or delete or truncate on referral_change
  for each statement execute function refuse_change('the history of a referral is append-only');
create trigger kept before delete or truncate on referral
  for each statement execute function refuse_change('referrals stay');
create trigger same_referral before update of tenant_id, id, key, version, referrer_id, friend_id, claimed_at on referral
  for each row execute function refuse_change('a referral stays between whom it is');

/* Writes the history, and tells of it. A step that is not allowed is refused by referral_step. */
create function referral_moved() returns trigger language plpgsql as $$
declare
  v_at timestamptz := tenant_now(new.tenant_id);
  v_event text := case new.state when 'CLAIMED' then 'claimed' when 'REVIEW' then 'claimed' when 'QUALIFIED' then 'qualified'
    when 'HELD' then 'qualified' else lower(new.state) end;
begin
  insert into referral_change (tenant_id, referral_id, from_state, to_state, at, actor, reason)
  values (new.tenant_id, new.id, case when tg_op = 'UPDATE' then old.state end, new.state, v_at, new.actor, new.reason);
  if v_event = 'claimed' and tg_op = 'UPDATE' then
    return null; -- Somebody looks at it, or has: no new fact of the members'.
  end if;
  perform announce('referral.' || v_event, new.referrer_id, jsonb_build_object('referral', new.id), v_at);
  return null;
end $$;
create trigger born after insert on referral for each row execute function referral_moved();
create trigger moved after update of state on referral
  for each row when (old.state <> new.state) execute function referral_moved();

/* What members were seen with: digests under a key outside of the tenant's tables, for a short time. */
create table referral_signal (
  tenant_id  uuid not null,
  kind       text not null check (kind in ('PAYMENT', 'DEVICE', 'COOKIE', 'IP', 'ADDRESS')),
  hash       bytea not null check (length(hash) = 32),
  member_id  uuid not null,
  expires_at timestamptz not null,
  primary key (tenant_id, kind, hash, member_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id)
);
create index referral_signal_of on referral_signal (tenant_id, member_id);
create index referral_signal_due on referral_signal (tenant_id, expires_at);
call protect('referral_signal');
create policy system on referral_signal for select to engawa_system using (true);
grant select (tenant_id, expires_at) on referral_signal to engawa_system;

/* Keeps what a member was seen with, [{"kind", "hash"}] in hexadecimal, for 90 days. */
create function referral_signals_keep(p_member uuid, p_signals jsonb) returns void language sql as $$
  insert into referral_signal as s (tenant_id, kind, hash, member_id, expires_at)
  select distinct current_tenant(), g.kind, decode(g.hash, 'hex'), p_member, tenant_now(current_tenant()) + interval '90 days'
  from jsonb_to_recordset(p_signals) g (kind text, hash text)
  on conflict (tenant_id, kind, hash, member_id) do update set expires_at = excluded.expires_at
$$;

/*
 * What speaks for one person behind a claim. Strong: the friend pays, or is seen, with something of any other member,
 * or has another's mailbox. Weak: it lives or surfs where the referrer does, or another friend of the same.
 */
create function referral_suspicions(p_referrer uuid, p_friend uuid) returns text[] language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return array(
    select 'SAME_' || own.kind
    from referral_signal own
    where own.tenant_id = v_tenant and own.member_id = p_friend and own.expires_at > tenant_now(v_tenant) and exists (
      select from referral_signal other
      where other.tenant_id = v_tenant and other.kind = own.kind and other.hash = own.hash
        and other.member_id <> p_friend and other.expires_at > tenant_now(v_tenant)
        and (own.kind in ('PAYMENT', 'DEVICE', 'COOKIE') or other.member_id = p_referrer or exists (
          select from referral r
          where r.tenant_id = v_tenant and r.friend_id = other.member_id and r.referrer_id = p_referrer)))
    union
    select 'SAME_EMAIL' from member f
    join member o on o.tenant_id = v_tenant and email_folded(o.email) = email_folded(f.email) and o.id <> f.id
    where f.tenant_id = v_tenant and f.id = p_friend
    order by 1);
end $$;

create function referral_is_blocked(p_suspicions text[]) returns boolean language sql immutable as
$$ select p_suspicions && array['SAME_PAYMENT', 'SAME_DEVICE', 'SAME_COOKIE', 'SAME_EMAIL'] $$;

/* Locks members in the order of their ids. */
create function referral_lock(p_members uuid[]) returns void language plpgsql as $$
begin
  perform member_lock(m) from (select distinct m from unnest(p_members) m order by m) x;
end $$;

-- ── Claiming ─────────────────────────────────────────────────────────────────────────────────────

/*
 * Ties a new member, the friend, to the member whose code it gives. p_program null: the program in force with the first
 * key. Outcomes: done {referral, member}, not_found, key_reused, membership_ended, referral_refused {reason}.
 */
create function referral_claim(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_code text, p_program text, p_signals jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid := uuid_v7();
  v_friend member := member_find(p_member, p_external_id);
  v_referrer member;
  v_program referral_program;
  v_op record;
  v_reason text;
  v_suspicions text[];
  v_state text;
begin
  if v_friend.id is null then
    return points_not_found('member');
  end if;
  select m.* into v_referrer from member m
  where m.tenant_id = v_tenant and referral_code(m.id) = referral_code_read(p_code);
  if v_referrer.id is null then
    return points_not_found('referral code');
  end if;
  select p.* into v_program from referral_program p
  join definition d on d.tenant_id = p.tenant_id and d.kind = p.kind and d.key = p.key and d.version = p.version
  where p.tenant_id = v_tenant and d.is_live and p.key = coalesce(p_program, p.key)
  order by (p.starts_at <= v_now) is not false and (p.ends_at > v_now) is not false desc, p.key limit 1;
  if v_program.key is null and not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    return points_not_found('referral program');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'CLAIM_REFERRAL', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform referral_lock(array[v_friend.id, v_referrer.id]);
  v_friend := member_find(v_friend.id, null);
  v_referrer := member_find(v_referrer.id, null);
  if v_friend.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_friend));
  end if;
  v_reason := case
    when v_friend.id = v_referrer.id then 'SELF'
    when exists (select from referral r where r.tenant_id = v_tenant and r.friend_id = v_friend.id) then 'ALREADY_REFERRED'
    when exists (select from purchase p where p.tenant_id = v_tenant and p.member_id = v_friend.id)
      or v_friend.registered_at + v_program.new_for <= v_now then 'NOT_NEW'
    when v_referrer.id > v_friend.id then 'KNOWN_BEFORE'
    when v_program.starts_at > v_now or v_program.ends_at <= v_now or v_referrer.membership = 'ENDED' then 'CLOSED'
    when (select count(*) from referral r where r.tenant_id = v_tenant and r.referrer_id = v_referrer.id
          and r.key = v_program.key and r.claimed_at > v_now - v_program.velocity_within) >= v_program.velocity
      then 'TOO_MANY_CLAIMS'
    when (select count(*) from referral r where r.tenant_id = v_tenant and r.referrer_id = v_referrer.id
          and r.key = v_program.key and r.state not in ('REJECTED', 'REVERSED')
          and (v_program.per_period is null or r.claimed_at >= referral_period(v_program.per_period, v_now)))
         >= v_program.per_referrer then 'LIMIT_REACHED' end;
  if v_reason is not null then
    return op_finish(p_key, jsonb_build_object('is', 'referral_refused', 'reason', v_reason));
  end if;
  perform referral_signals_keep(v_friend.id, p_signals);
  v_suspicions := referral_suspicions(v_referrer.id, v_friend.id);
  v_state := case when referral_is_blocked(v_suspicions) then 'REJECTED' when v_suspicions <> '{}' then 'REVIEW' else 'CLAIMED' end;
  insert into referral (tenant_id, id, key, version, referrer_id, friend_id, state, claimed_at, closed_at, suspicions, actor)
  values (v_tenant, v_id, v_program.key, v_program.version, v_referrer.id, v_friend.id, v_state, v_now,
          case when v_state = 'REJECTED' then v_now end, v_suspicions, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'referral', v_id, 'member', v_friend.id));
end $$;

/* When the period began that an instant lies in, by the tenant's zone. */
create function referral_period(p_period text, p_at timestamptz) returns timestamptz language sql stable as $$
  select date_trunc(lower(p_period), p_at at time zone t.time_zone) at time zone t.time_zone
  from tenant t where t.id = current_tenant()
$$;

/*
 * Keeps what a member was seen with, and looks again at what of its claims is not paid yet. Outcomes: done {member},
 * not_found.
 */
create function referral_note(p_member uuid, p_external_id text, p_signals jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
begin
  if v_member.id is null then
    return points_not_found('member');
  end if;
  perform member_lock(v_member.id);
  perform referral_signals_keep(v_member.id, p_signals);
  perform referral_look(r.id, p_actor) from (
    select r.id from referral r
    where r.tenant_id = v_tenant and r.state in ('CLAIMED', 'REVIEW', 'QUALIFIED', 'HELD')
      and (r.friend_id = v_member.id or (r.referrer_id = v_member.id and exists (
        select from jsonb_to_recordset(p_signals) g (kind text, hash text)
        join referral_signal s on s.tenant_id = v_tenant and s.kind = g.kind and s.hash = decode(g.hash, 'hex')
          and s.member_id = r.friend_id)))
    order by r.id limit 1000 for no key update) r;
  return jsonb_build_object('is', 'done', 'member', v_member.id);
end $$;

/* Looks at the signals of one claim again. */
create function referral_look(p_referral uuid, p_actor text) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_referral referral;
  v_suspicions text[];
  v_state text;
begin
  select * into strict v_referral from referral r where r.tenant_id = v_tenant and r.id = p_referral;
  v_suspicions := referral_suspicions(v_referral.referrer_id, v_referral.friend_id);
  v_state := case when referral_is_blocked(v_suspicions) then 'REJECTED'
    when v_suspicions <> '{}' and v_referral.reviewed_at is null then 'REVIEW' else v_referral.state end;
  if v_state <> v_referral.state then
    update referral r set
      state = v_state, suspicions = v_suspicions, due_at = null, actor = p_actor, reason = null,
      closed_at = case when v_state = 'REJECTED' then tenant_now(v_tenant) end
    where r.tenant_id = v_tenant and r.id = p_referral;
  end if;
end $$;

/*
 * Lets a claim under review go on, or ends it. Outcomes: done {referral, member}, not_found, key_reused, referral_closed
 * {state}.
 */
create function referral_decide(
  p_key text, p_hash bytea, p_referral uuid, p_is_approved boolean, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_referral referral;
begin
  select * into v_referral from referral r where r.tenant_id = v_tenant and r.id = p_referral;
  if v_referral.id is null then
    return points_not_found('referral');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'DECIDE_REFERRAL', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform referral_lock(array[v_referral.referrer_id, v_referral.friend_id]);
  select * into strict v_referral from referral r where r.tenant_id = v_tenant and r.id = p_referral for no key update;
  if v_referral.state <> 'REVIEW' then
    return op_finish(p_key, jsonb_build_object('is', 'referral_closed', 'state', v_referral.state));
  end if;
  update referral r set
    state = case when not p_is_approved then 'REJECTED' when r.qualified_at is null then 'CLAIMED' else referral_after(r) end,
    due_at = case when p_is_approved and r.qualified_at is not null then referral_pays_at(r) end,
    closed_at = case when not p_is_approved then v_now end, reviewed_at = v_now, actor = p_actor, reason = p_reason
  where r.tenant_id = v_tenant and r.id = p_referral;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'referral', p_referral, 'member', v_referral.friend_id));
end $$;

-- ── What counts ──────────────────────────────────────────────────────────────────────────────────

/* Where a claim stands once the friend did what counts, and when it pays. */
create function referral_after(p_referral referral) returns text language sql stable as $$
  select case when p.hold is null then 'QUALIFIED' else 'HELD' end from referral_program p
  where p.tenant_id = (p_referral).tenant_id and p.key = (p_referral).key and p.version = (p_referral).version
$$;
create function referral_pays_at(p_referral referral) returns timestamptz language sql stable as $$
  select points_later((p_referral).qualified_at, coalesce(p.hold, interval '0')) from referral_program p
  where p.tenant_id = (p_referral).tenant_id and p.key = (p_referral).key and p.version = (p_referral).version
$$;

/* The purchase of the friend's that makes a claim count, as purchases stand now; nulls: none does. */
create function referral_counts(p_referral referral, out purchase_id uuid, out at timestamptz) language plpgsql stable as $$
begin
  select x.id, x.purchased_at into purchase_id, at
  from (
    select p.id, p.purchased_at, g.act, g.nth, row_number() over (order by p.purchased_at, p.id) as place
    from referral_program g
    join purchase p on p.tenant_id = g.tenant_id and p.member_id = (p_referral).friend_id
      and p.purchased_at >= (p_referral).claimed_at and p.state <> 'REFUNDED'
      and (g.act = 'NTH_PURCHASE' or (g.act = 'PURCHASE' and p.currency = g.currency and p.total - p.refunded >= g.at_least))
    where g.tenant_id = (p_referral).tenant_id and g.key = (p_referral).key and g.version = (p_referral).version
  ) x
  where x.place = case when x.act = 'NTH_PURCHASE' then x.nth else 1 end;
end $$;

/* Books that a friend did what counts. A claim under review waits with it. */
create function referral_qualify(p_referral uuid, p_purchase uuid, p_at timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_referral referral;
begin
  update referral r set qualified_at = p_at, purchase_id = p_purchase, actor = 'engawa', reason = null
  where r.tenant_id = v_tenant and r.id = p_referral and r.qualified_at is null and r.state in ('CLAIMED', 'REVIEW')
  returning * into v_referral;
  update referral r set state = referral_after(v_referral), due_at = referral_pays_at(v_referral)
  where r.tenant_id = v_tenant and r.id = v_referral.id and r.state = 'CLAIMED';
end $$;

/*
 * Tells the referrals of purchases that were recorded or imported; their members are locked. A purchase from before the
 * claim means that the friend was a customer already; one from after it counts at its own instant, whenever it comes in.
 */
create function referral_of_purchases(p_purchases uuid[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_referral referral;
  v_counts record;
begin
  if not exists (select from referral r where r.tenant_id = v_tenant and r.state in ('CLAIMED', 'REVIEW')) then
    return;
  end if;
  for v_referral in
    select r.* from referral r
    where r.tenant_id = v_tenant and r.state in ('CLAIMED', 'REVIEW') and r.qualified_at is null and r.friend_id in (
      select p.member_id from purchase p where p.tenant_id = v_tenant and p.id = any(p_purchases))
    order by r.id for no key update
  loop
    if exists (select from purchase p where p.tenant_id = v_tenant and p.member_id = v_referral.friend_id
               and p.purchased_at < v_referral.claimed_at) then
      update referral r set state = 'REJECTED', suspicions = r.suspicions || array['CUSTOMER'], closed_at = tenant_now(v_tenant),
                            actor = 'engawa', reason = null
      where r.tenant_id = v_tenant and r.id = v_referral.id;
    else
      v_counts := referral_counts(v_referral);
      if v_counts.at is not null then
        perform referral_qualify(v_referral.id, v_counts.purchase_id, v_counts.at);
      end if;
    end if;
  end loop;
end $$;

/* Tells the referrals that a member did something that is no purchase; the member is locked. */
create function referral_of_activity(p_member uuid, p_activity text, p_at timestamptz) returns void language plpgsql as $$
begin
  perform referral_qualify(r.id, null, p_at)
  from referral r
  join referral_program p on p.tenant_id = r.tenant_id and p.key = r.key and p.version = r.version
  where r.tenant_id = current_tenant() and r.friend_id = p_member and r.state in ('CLAIMED', 'REVIEW')
    and r.qualified_at is null and p.act = 'ACTIVITY' and p.activity = p_activity and p_at >= r.claimed_at;
end $$;

/*
 * Tells the referrals that a purchase, or a part of it, was given back at p_at; its member is locked. When too little is
 * left before the hold is over, another purchase that counts takes its place, with a hold of its own; without one the
 * claim has come to nothing. What was paid without a hold is taken back by the clock.
 */
create function referral_of_refund(p_purchase uuid, p_at timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_referral referral;
  v_counts record;
begin
  select r.* into v_referral from referral r
  join purchase p on p.tenant_id = r.tenant_id and p.member_id = r.friend_id
  where p.tenant_id = v_tenant and p.id = p_purchase and r.purchase_id is not null
    and r.state in ('REVIEW', 'QUALIFIED', 'HELD', 'PAID')
  for no key update of r;
  if v_referral.id is null or (v_referral.state = 'PAID' and referral_after(v_referral) = 'HELD'
                               and p_at >= referral_pays_at(v_referral)) then
    return;
  end if;
  v_counts := referral_counts(v_referral);
  if v_counts.at is null then
    update referral r set
      state = 'REVERSED', closed_at = p_at, owes_back = r.paid_at is not null, actor = 'engawa', reason = null,
      due_at = case when r.paid_at is not null then tenant_now(v_tenant) end
    where r.tenant_id = v_tenant and r.id = v_referral.id;
  elsif v_counts.purchase_id <> v_referral.purchase_id and v_referral.paid_at is null then
    update referral r set purchase_id = v_counts.purchase_id, qualified_at = v_counts.at
    where r.tenant_id = v_tenant and r.id = v_referral.id returning * into v_referral;
    update referral r set due_at = referral_pays_at(v_referral)
    where r.tenant_id = v_tenant and r.id = v_referral.id and r.due_at is not null;
  end if;
end $$;

-- ── Paying ───────────────────────────────────────────────────────────────────────────────────────

/* Gives both sides of a claim what its program says; a membership that has ended gets nothing. */
create function referral_give(p_referral referral, p_at timestamptz) returns void language sql as $$
  select benefit_give(s.member, s.benefit, 'referral', (p_referral).id || ':' || s.side, p_at, text_for(p.name, s.member), 'engawa')
  from referral_program p
  cross join lateral (values
    (1, 'referrer', (p_referral).referrer_id, p.referrer_benefit), (2, 'friend', (p_referral).friend_id, p.friend_benefit)
  ) s (n, side, member, benefit)
  join member m on m.tenant_id = p.tenant_id and m.id = s.member and m.membership <> 'ENDED'
  where p.tenant_id = (p_referral).tenant_id and p.key = (p_referral).key and p.version = (p_referral).version
    and s.benefit is not null
  order by s.n
$$;

/* Pays what is due, at most p_limit claims, both sides of each at once, and forgets old signals; how many that was. */
create function referrals_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_forgotten int;
  v_due uuid[] := array(
    select r.id from referral r where r.tenant_id = v_tenant and r.due_at <= v_now order by r.due_at, r.id limit p_limit);
  v_referral referral;
begin
  delete from referral_signal s
  where s.tenant_id = v_tenant and (s.kind, s.hash, s.member_id) in (
    select o.kind, o.hash, o.member_id from referral_signal o
    where o.tenant_id = v_tenant and o.expires_at <= v_now limit p_limit);
  get diagnostics v_forgotten = row_count;
  if cardinality(v_due) > 0 then
    perform referral_lock(array(
      select unnest(array[r.referrer_id, r.friend_id]) from referral r where r.tenant_id = v_tenant and r.id = any(v_due)));
  end if;
  for v_referral in
    select * from referral r where r.tenant_id = v_tenant and r.id = any(v_due) and r.due_at <= v_now
    order by r.due_at, r.id for no key update
  loop
    if v_referral.owes_back then
      perform benefit_take_back('referral', v_referral.id || ':' || s, v_now, 'Refund')
      from unnest(array['referrer', 'friend']) s;
      update referral r set owes_back = false, due_at = null where r.tenant_id = v_tenant and r.id = v_referral.id;
      continue;
    end if;
    begin
      perform referral_give(v_referral, v_referral.due_at);
      -- Which earn rules may go by as well.
      perform activity_record(v_referral.referrer_id, 'referral.qualified', v_referral.id::text, '{}', v_referral.due_at);
      update referral r set state = 'PAID', paid_at = r.due_at, due_at = null, actor = 'engawa', reason = null
      where r.tenant_id = v_tenant and r.id = v_referral.id;
    exception when raise_exception then
      -- Whatever the reason: somebody has to see it.
      update referral r set state = 'REVIEW', due_at = null, suspicions = r.suspicions || array['NOT_GIVEN'], actor = 'engawa', reason = null
      where r.tenant_id = v_tenant and r.id = v_referral.id;
    end;
  end loop;
  return v_forgotten + cardinality(v_due);
end $$;

-- ── What came of it ──────────────────────────────────────────────────────────────────────────────

/*
 * What these members brought: how many friends really came (they did what counts and kept it), and what those bought
 * since their claims, less what they gave back, by currency: [{"currency", "amount"}].
 */
create function referral_promoters(p_members uuid[]) returns table (member_id uuid, friends int, revenue jsonb)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with mine as (
    select r.referrer_id, r.friend_id, r.claimed_at, r.state in ('QUALIFIED', 'HELD', 'PAID') as is_real from referral r
    where r.tenant_id = v_tenant and r.referrer_id = any(p_members) and r.state <> 'REJECTED'
  ), sums as (
    select m.referrer_id, p.currency, sum(p.total - p.refunded) as amount
    from mine m join purchase p on p.tenant_id = v_tenant and p.member_id = m.friend_id and p.purchased_at >= m.claimed_at
    group by m.referrer_id, p.currency
  )
  select x.id, (select count(*) filter (where m.is_real) from mine m where m.referrer_id = x.id)::int,
         (select coalesce(jsonb_agg(jsonb_build_object('currency', s.currency, 'amount', s.amount::text) order by s.currency), '[]')
          from sums s where s.referrer_id = x.id)
  from unnest(p_members) x (id);
end $$;

grant execute on function
  referral_claim(text, bytea, uuid, text, text, text, jsonb, text), referral_note(uuid, text, jsonb, text),
  referral_decide(text, bytea, uuid, boolean, text, text), referrals_settle_due(int), referral_promoters(uuid[])
  to engawa_app;
