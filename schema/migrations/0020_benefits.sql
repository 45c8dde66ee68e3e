-- Benefits: what a member gets, whatever for. Points are one kind beside entitlements, money and percentages; a member
-- price needs no grant. What was given is a row that never changes but for how it ended.

set local role engawa_owner;

-- ── Definitions: what a member may use ───────────────────────────────────────────────────────────

create table entitlement (
  tenant_id    uuid not null,
  kind         text not null generated always as ('entitlement') stored,
  key          text not null,
  version      int not null,
  /* What it opens: TOOL, SERVICE, CONTENT, SEAT. */
  opens        text not null check (opens in ('TOOL', 'SERVICE', 'CONTENT', 'SEAT')),
  name         jsonb not null check (jsonb_typeof(name) = 'object'),
  /* Who has it without a grant; null: nobody. */
  audience_id  uuid,
  /* How often it may be used in each `per`; null: without limit. */
  quota        bigint check (quota between 1 and 1000000),
  per          text check (per in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER', 'GRANT')),
  /* How long a grant of it lives; null: until it is taken back. */
  valid_for    interval check (valid_for > interval '0'),
  /* The tiers that list it among their benefits. */
  tiers        text[] not null default '{}',
  published_at timestamptz not null,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check ((quota is null) = (per is null)),
  constraint entitlement_per_grant_needs_grants check (per <> 'GRANT' or audience_id is null)
);
call protect('entitlement');
grant select on entitlement to engawa_app;

/*
 * Refuses an entitlement whose audience comes back to entitlements by a segment, however far round, naming the side that
 * is published.
 */
create function entitlement_circle_refuse(p_tenant uuid, p_field text) returns void language plpgsql as $$
declare
  v_found record;
begin
  with recursive stands as (
    select d.key as entitlement, jsonb_path_query(d.body -> 'audience', 'strict $.**.segment[*]') #>> '{}' as segment
    from definition d where d.tenant_id = p_tenant and d.kind = 'entitlement' and d.is_live
    union
    select s.entitlement, jsonb_path_query(d.body -> 'audience', 'strict $.**.segment[*]') #>> '{}'
    from stands s
    join definition d on d.tenant_id = p_tenant and d.kind = 'segment' and d.key = s.segment and d.is_live
  )
  select s.entitlement, s.segment into v_found from stands s
  join definition d on d.tenant_id = p_tenant and d.kind = 'segment' and d.key = s.segment and d.is_live
  where jsonb_path_exists(d.body -> 'audience', 'strict $.**.entitlement[*]')
  order by s.entitlement, s.segment limit 1;
  if found then
    perform definition_refuse(p_field, format('Entitlement %s stands on segment %s, which asks for an entitlement: that would go round in circles.',
      v_found.entitlement, v_found.segment));
  end if;
end $$;

create function entitlement_of_definition() returns trigger language plpgsql as $$
begin
  perform entitlement_circle_refuse(new.tenant_id, 'entitlement.audience');
  insert into entitlement (tenant_id, key, version, opens, name, audience_id, quota, per, valid_for, tiers, published_at)
  values (new.tenant_id, new.key, new.version, new.body ->> 'kind', new.body -> 'name',
          (new.audiences ->> 'audience')::uuid, (new.body -> 'quota' ->> 'times')::bigint,
          new.body -> 'quota' ->> 'per', (new.body ->> 'validFor')::interval,
          coalesce(array(select jsonb_array_elements_text(new.body -> 'tiers')), '{}'), new.published_at);
  return null;
end $$;
create trigger entitlement_of_definition after insert on definition for each row
  when (new.kind = 'entitlement' and new.body is not null) execute function entitlement_of_definition();

-- ── What was given ───────────────────────────────────────────────────────────────────────────────

create table benefit_grant (
  tenant_id           uuid not null,
  id                  uuid not null default uuid_v7(),
  member_id           uuid not null,
  kind                text not null check (kind in ('POINTS', 'ENTITLEMENT', 'MONEY', 'PERCENT')),
  /* The fact that it was given for; once for each. */
  source_type         text not null check (source_type ~ '^[a-z][a-zA-Z_]{0,39}$'),
  source_id           text not null check (length(source_id) between 1 and 200),
  state               text not null default 'GIVEN' check (state in ('GIVEN', 'USED', 'EXPIRED', 'TAKEN_BACK')),
  /* Why, in words for the member. */
  reason              text not null check (length(reason) between 1 and 200),
  /* POINTS: how many, of which currency, and the transaction that earned them. */
  points              bigint check (points > 0),
  points_currency     text,
  transaction_id      uuid,
  /* MONEY: off a purchase, in minor units. */
  minor               bigint check (minor > 0),
  currency            text check (currency ~ '^[A-Z]{3}$'),
  /* PERCENT: off a purchase, in hundredths of a percent. */
  basis_points        int check (basis_points between 1 and 10000),
  /* ENTITLEMENT: which, as it was then, and how often in each `per`. */
  entitlement_key     text,
  entitlement_version int,
  quota               bigint check (quota > 0),
  per                 text check (per in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER', 'GRANT')),
  given_at            timestamptz not null,
  booked_at           timestamptz not null default clock_timestamp(),
  /* Exclusive: from then on it cannot be used. Null: never. */
  expires_at          timestamptz,
  actor               text not null,
  /* How it ended: when, why, and for MONEY and PERCENT what it took off which order. */
  settled_at          timestamptz,
  settled_reason      text,
  used_minor          bigint check (used_minor >= 0),
  used_currency       text check (used_currency ~ '^[A-Z]{3}$'),
  used_order          text check (length(used_order) between 1 and 200),
  primary key (tenant_id, id),
  constraint benefit_once unique (tenant_id, source_type, source_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  foreign key (tenant_id, entitlement_key, entitlement_version) references entitlement (tenant_id, key, version),
  constraint benefit_points check ((kind = 'POINTS') = (points is not null and points_currency is not null
    and transaction_id is not null)),
  constraint benefit_money check ((kind = 'MONEY') = (minor is not null and currency is not null)),
  constraint benefit_percent check ((kind = 'PERCENT') = (basis_points is not null)),
  constraint benefit_entitlement check ((kind = 'ENTITLEMENT') = (entitlement_key is not null
    and entitlement_version is not null)),
  constraint benefit_quota check ((quota is null) = (per is null) and (quota is null or kind = 'ENTITLEMENT')),
  constraint benefit_lives check (expires_at > given_at),
  constraint benefit_settled check ((state = 'GIVEN') = (settled_at is null)),
  constraint benefit_used check ((state = 'USED') = (used_minor is not null and used_currency is not null)),
  constraint benefit_used_by_order check (used_order is null or state = 'USED'),
  constraint benefit_uses_money check (state <> 'USED' or kind in ('MONEY', 'PERCENT'))
) with (fillfactor = 85);
create index benefit_of_member on benefit_grant (tenant_id, member_id, id);
create index benefit_open on benefit_grant (tenant_id, member_id, entitlement_key) where state = 'GIVEN';
create index benefit_due on benefit_grant (tenant_id, expires_at) where state = 'GIVEN' and expires_at is not null;
call protect('benefit_grant');
grant select on benefit_grant to engawa_app;

create trigger kept before delete or truncate on benefit_grant
  for each statement execute function refuse_change('what was given stays');
create trigger born_given before insert on benefit_grant for each row when (new.state <> 'GIVEN')
  execute function refuse_change('a benefit is born given');
create trigger same_benefit before update of tenant_id, id, member_id, kind, source_type, source_id, reason, points,
    points_currency, transaction_id, minor, currency, basis_points, entitlement_key, entitlement_version, quota, per,
    given_at, booked_at, expires_at, actor on benefit_grant
  for each row execute function refuse_change('a benefit stays what it was given as');
/* A discount comes back only when the purchase that used it does; nothing else ends twice. */
create trigger settled_once before update on benefit_grant for each row
  when (not (old.state = 'GIVEN' or (old.state = 'USED' and new.state in ('GIVEN', 'TAKEN_BACK'))))
  execute function refuse_change('a benefit ends once');

/* The only key of a benefit, which says what kind it is; an error for anything else. */
create function benefit_kind(p_benefit jsonb) returns text language plpgsql immutable as $$
declare
  v_kinds text[] := array(select upper(k) from jsonb_object_keys(p_benefit) k);
begin
  if cardinality(v_kinds) <> 1 or v_kinds[1] not in ('POINTS', 'ENTITLEMENT', 'MONEY', 'PERCENT') then
    raise exception 'a benefit has one of points, entitlement, money, percent: %', p_benefit using errcode = '22023';
  end if;
  return v_kinds[1];
end $$;

/*
 * Refuses a definition, naming the field of its body, whose benefit names an entitlement that is not in force. What is
 * published together is in force already. A null benefit is none.
 */
create function benefit_check(p_benefit jsonb, p_field text) returns void language plpgsql as $$
begin
  if p_benefit ? 'entitlement' and not exists (
      select from definition d where d.tenant_id = current_tenant() and d.kind = 'entitlement'
      and d.key = p_benefit #>> '{entitlement,key}' and d.is_live) then
    perform definition_refuse(p_field || '.entitlement.key',
      format('There is no entitlement %s in force.', p_benefit #>> '{entitlement,key}'));
  end if;
end $$;

/*
 * Gives a member a benefit for a fact, within the caller's transaction; once for each fact: a second time gives
 * nothing and returns the same id. An entitlement that was retired since it was promised is given in its last version:
 * what was promised stands, and the fact does not fail. Points are earned by an operation of their own. p_benefit is one of
 * {"points": {"amount", "currency", "pending", "expiry"}}, {"entitlement": {"key", "quota", "validFor"}},
 * {"money": {"amount", "currency"}}, {"percent": {"basisPoints"}}.
 */
create function benefit_give(
  p_member uuid, p_benefit jsonb, p_source_type text, p_source_id text, p_at timestamptz, p_reason text, p_actor text
) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_id uuid := uuid_v7();
  v_kind text := benefit_kind(p_benefit);
  v_given jsonb := p_benefit -> lower(v_kind);
  v_known benefit_grant;
  v_entitlement entitlement;
  v_transaction uuid;
begin
  perform member_lock(p_member);
  select * into v_known from benefit_grant g
  where g.tenant_id = v_tenant and g.source_type = p_source_type and g.source_id = p_source_id;
  if v_known.id is not null then
    if v_known.member_id <> p_member then
      raise exception 'benefit % of % was given to somebody else', p_source_type, p_source_id;
    end if;
    return v_known.id;
  end if;
  if v_kind = 'ENTITLEMENT' then
    select e.* into v_entitlement from entitlement e
    where e.tenant_id = v_tenant and e.key = v_given ->> 'key' order by e.version desc limit 1;
    if v_entitlement.key is null then
      raise exception 'there is no entitlement %', v_given ->> 'key';
    end if;
  elsif v_kind = 'POINTS' then
    v_transaction := benefit_earn(p_member, v_id, v_given, p_at, p_reason, p_actor);
  end if;
  insert into benefit_grant (tenant_id, id, member_id, kind, source_type, source_id, reason, points, points_currency,
    transaction_id, minor, currency, basis_points, entitlement_key, entitlement_version, quota, per, given_at, expires_at,
    actor)
  values (v_tenant, v_id, p_member, v_kind, p_source_type, p_source_id, p_reason,
    case when v_kind = 'POINTS' then (v_given ->> 'amount')::bigint end,
    case when v_kind = 'POINTS' then coalesce(v_given ->> 'currency', 'POINTS') end,
    v_transaction,
    case when v_kind = 'MONEY' then (v_given ->> 'amount')::bigint end,
    case when v_kind = 'MONEY' then v_given ->> 'currency' end,
    (v_given ->> 'basisPoints')::int,
    v_entitlement.key, v_entitlement.version,
    coalesce((v_given ->> 'quota')::bigint, v_entitlement.quota),
    case when v_given ? 'quota' then 'GRANT' else v_entitlement.per end,
    p_at,
    case when v_kind = 'ENTITLEMENT'
      then points_later(p_at, coalesce((v_given ->> 'validFor')::interval, v_entitlement.valid_for)) end,
    p_actor);
  perform announce('benefit.given', p_member, jsonb_build_object('benefit', v_id), p_at);
  return v_id;
end $$;

/* Earns the points of a benefit by an operation of their own; the transaction. */
create function benefit_earn(
  p_member uuid, p_benefit uuid, p_points jsonb, p_at timestamptz, p_reason text, p_actor text
) returns uuid language plpgsql as $$
declare
  v_key text := format('engawa:benefits:points:%s', p_benefit);
  v_currency text := coalesce(p_points ->> 'currency', 'POINTS');
  v_op record;
  v_wallet uuid;
begin
  select * into v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'EARN', p_actor, p_at);
  v_wallet := points_earn(v_op.transaction_id, p_member, v_currency, 'benefit', p_benefit::text, '', 'benefit', null, 1,
    (p_points ->> 'amount')::bigint, p_at, null, p_reason, p_points -> 'pending',
    points_policy(p_points -> 'expiry', v_currency));
  perform op_finish(v_key, jsonb_build_object('is', 'done', 'wallet', v_wallet, 'transaction', v_op.transaction_id));
  return v_op.transaction_id;
end $$;

/*
 * Takes back what was given for a fact, within the caller's transaction: the points as a claw-back does, the rest from
 * now on. Returns the benefit; null when nothing was given, or what was given has ended already.
 */
create function benefit_take_back(p_source_type text, p_source_id text, p_at timestamptz, p_reason text) returns uuid
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_grant benefit_grant;
  v_key text;
  v_op record;
begin
  select * into v_grant from benefit_grant g
  where g.tenant_id = v_tenant and g.source_type = p_source_type and g.source_id = p_source_id;
  if v_grant.id is null then
    return null;
  end if;
  perform member_lock(v_grant.member_id);
  update benefit_grant g set state = 'TAKEN_BACK', settled_at = p_at, settled_reason = p_reason
  where g.tenant_id = v_tenant and g.id = v_grant.id and g.state = 'GIVEN'
    and (g.expires_at is null or g.expires_at > p_at);
  if not found then
    return null;
  end if;
  if v_grant.kind = 'POINTS' then
    v_key := format('engawa:benefits:back:%s', v_grant.id);
    select * into v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'REFUND_EARN', 'engawa', p_at);
    perform points_claw_back(v_op.transaction_id, 'benefit', v_grant.id::text, '', 1, p_at, p_reason);
    perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_op.transaction_id));
  end if;
  perform announce('benefit.taken_back', v_grant.member_id, jsonb_build_object('benefit', v_grant.id), p_at);
  return v_grant.id;
end $$;

-- ── Entitlements in use ──────────────────────────────────────────────────────────────────────────

/*
 * How often a member used an entitlement in one period of one allowance: that of the rule, or of a grant. What must
 * not be used more than its quota cannot be.
 */
create table entitlement_usage (
  tenant_id    uuid not null,
  member_id    uuid not null,
  entitlement  text not null,
  /* `rule`, or the id of the grant. */
  source       text not null,
  period_start timestamptz not null,
  /* As it was at the last use; null: without limit. */
  quota        bigint check (quota > 0),
  used         bigint not null check (used >= 0),
  primary key (tenant_id, member_id, entitlement, source, period_start),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  constraint entitlement_within_quota check (used <= quota)
) with (fillfactor = 70);
call protect('entitlement_usage');
grant select on entitlement_usage to engawa_app;
create trigger kept before delete or truncate on entitlement_usage
  for each statement execute function refuse_change('what was used stays');

create table entitlement_use (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  member_id       uuid not null,
  entitlement_key text not null,
  version         int not null,
  times           bigint not null check (times > 0),
  transaction_id  uuid not null,
  at              timestamptz not null,
  actor           text not null,
  returned_at     timestamptz,
  returned_reason text check (length(returned_reason) between 1 and 200),
  primary key (tenant_id, id),
  unique (tenant_id, transaction_id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  foreign key (tenant_id, entitlement_key, version) references entitlement (tenant_id, key, version),
  check ((returned_at is null) = (returned_reason is null))
);
create index entitlement_use_of_member on entitlement_use (tenant_id, member_id, id);
call protect('entitlement_use');
grant select on entitlement_use to engawa_app;
create trigger kept before delete or truncate on entitlement_use
  for each statement execute function refuse_change('uses stay');
create trigger same_use before update of tenant_id, id, member_id, entitlement_key, version, times, transaction_id, at, actor
  on entitlement_use for each row execute function refuse_change('a use stays what it was');
create trigger returned_once before update on entitlement_use for each row when (old.returned_at is not null)
  execute function refuse_change('a use is given back once');

/* From which allowances a use was taken. */
create table entitlement_use_part (
  tenant_id    uuid not null,
  use_id       uuid not null,
  member_id    uuid not null,
  entitlement  text not null,
  source       text not null,
  period_start timestamptz not null,
  amount       bigint not null check (amount > 0),
  primary key (tenant_id, use_id, source),
  foreign key (tenant_id, use_id) references entitlement_use (tenant_id, id),
  foreign key (tenant_id, member_id, entitlement, source, period_start)
    references entitlement_usage (tenant_id, member_id, entitlement, source, period_start)
);
call protect('entitlement_use_part');
grant select on entitlement_use_part to engawa_app;
create trigger append_only before update or delete or truncate on entitlement_use_part
  for each statement execute function refuse_change('parts of uses are append-only');

/* The period of a quota in which an instant lies, by the calendar of a zone; `end` is exclusive, null never comes. */
create function entitlement_period(
  p_per text, p_at timestamptz, p_zone text, out period_start timestamptz, out period_end timestamptz
) language plpgsql immutable as $$
declare
  v_start timestamp;
begin
  if p_per in ('DAY', 'WEEK', 'MONTH', 'YEAR') then
    v_start := date_trunc(lower(p_per), p_at at time zone p_zone);
    period_start := v_start at time zone p_zone;
    period_end := (v_start + ('1 ' || lower(p_per))::interval) at time zone p_zone;
  else
    period_start := 'epoch';
  end if;
end $$;

/*
 * Every allowance of these members at an instant, of one entitlement or all (p_key null): by rule, as the definition in
 * force has it, and by grant, as it was when given. `remaining` null: without limit. `ends` is when the allowance
 * ends or begins anew, `until` when it is gone for good. Nobody whose membership has ended has any.
 */
create function entitlement_allowances(p_members uuid[], p_key text, p_at timestamptz)
returns table (member_id uuid, entitlement text, version int, source text, grant_id uuid, quota bigint, used bigint,
               remaining bigint, period_start timestamptz, ends timestamptz, until timestamptz)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
begin
  return query
  with allowance as (
    select x.member_id, e.key, e.version, 'rule' as source, null::uuid as grant_id, e.quota, e.per,
           null::timestamptz as until
    from definition d
    join entitlement e on e.tenant_id = d.tenant_id and e.key = d.key and e.version = d.version
    cross join lateral audience_matches(e.audience_id, p_members) x (member_id)
    where d.tenant_id = v_tenant and d.kind = 'entitlement' and d.is_live and (p_key is null or d.key = p_key)
      and e.audience_id is not null
    union all
    select g.member_id, g.entitlement_key, g.entitlement_version, g.id::text, g.id, g.quota, g.per, g.expires_at
    from benefit_grant g
    where g.tenant_id = v_tenant and g.member_id = any(p_members) and g.kind = 'ENTITLEMENT' and g.state = 'GIVEN'
      and (p_key is null or g.entitlement_key = p_key)
      and g.given_at <= p_at and (g.expires_at is null or g.expires_at > p_at)
  )
  select a.member_id, a.key, a.version, a.source, a.grant_id, a.quota, coalesce(u.used, 0),
         case when a.quota is not null then greatest(a.quota - coalesce(u.used, 0), 0) end, p.period_start, least(p.period_end, a.until), a.until
  from allowance a
  join member m on m.tenant_id = v_tenant and m.id = a.member_id and m.membership <> 'ENDED'
  cross join lateral entitlement_period(a.per, p_at, v_zone) p
  left join entitlement_usage u on u.tenant_id = v_tenant and u.member_id = a.member_id and u.entitlement = a.key
    and u.source = a.source and u.period_start = p.period_start;
end $$;
grant execute on function entitlement_period(text, timestamptz, text), entitlement_allowances(uuid[], text, timestamptz)
  to engawa_app;

/*
 * Uses an entitlement, that many times at once or not at all, from the allowances that end soonest. Outcomes: done {use,
 * member, remaining or null}, not_found, key_reused, membership_ended, not_entitled {entitlement}, quota_exceeded
 * {remaining, required, renews_at}.
 */
create function entitlement_take(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_entitlement text, p_amount bigint, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_op record;
  v_use uuid := uuid_v7();
  v_version int;
  v_allowances int;
  v_remaining bigint;
  v_is_limited boolean;
  v_renews timestamptz;
  v_taken bigint;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  v_version := (select max(e.version) from entitlement e where e.tenant_id = v_tenant and e.key = p_entitlement);
  if v_version is null then
    return jsonb_build_object('is', 'not_found', 'what', 'entitlement');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'USE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  select count(*), coalesce(sum(a.remaining), 0), bool_and(a.quota is not null),
         min(a.ends) filter (where a.until is null or a.ends < a.until), max(a.version)
  into v_allowances, v_remaining, v_is_limited, v_renews, v_version
  from entitlement_allowances(array[v_member.id], p_entitlement, v_now) a;
  if v_allowances = 0 then
    return op_finish(p_key, jsonb_build_object('is', 'not_entitled', 'entitlement', p_entitlement));
  elsif v_is_limited and v_remaining < p_amount then
    return op_finish(p_key, jsonb_build_object('is', 'quota_exceeded', 'remaining', v_remaining::text,
      'required', p_amount::text, 'renews_at', v_renews));
  end if;
  insert into entitlement_use (tenant_id, id, member_id, entitlement_key, version, times, transaction_id, at, actor)
  values (v_tenant, v_use, v_member.id, p_entitlement, v_version, p_amount, v_op.transaction_id, v_now, p_actor);
  with offered as (
    select a.source, a.period_start, a.quota, a.used, coalesce(a.remaining, p_amount) as remaining,
           sum(coalesce(a.remaining, p_amount)) over w - coalesce(a.remaining, p_amount) as before
    from entitlement_allowances(array[v_member.id], p_entitlement, v_now) a
    where a.remaining is distinct from 0
    window w as (order by a.ends, a.grant_id nulls last rows unbounded preceding)
  ), part as (
    select o.source, o.period_start, case when o.quota is not null then greatest(o.quota, o.used) end as quota,
           least(o.remaining, p_amount - o.before) as amount
    from offered o where o.before < p_amount
  ), counted as (
    insert into entitlement_usage as u (tenant_id, member_id, entitlement, source, period_start, quota, used)
    select v_tenant, v_member.id, p_entitlement, p.source, p.period_start, p.quota, p.amount from part p
    on conflict (tenant_id, member_id, entitlement, source, period_start)
      do update set used = u.used + excluded.used, quota = excluded.quota
    returning 1
  ), written as (
    insert into entitlement_use_part (tenant_id, use_id, member_id, entitlement, source, period_start, amount)
    select v_tenant, v_use, v_member.id, p_entitlement, p.source, p.period_start, p.amount from part p
    returning amount
  )
  select sum(w.amount) into v_taken from written w where exists (select from counted);
  if v_taken is distinct from p_amount then
    raise exception 'took % of %', v_taken, p_amount;
  end if;
  perform announce('benefit.used', v_member.id, jsonb_build_object('use', v_use), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'use', v_use, 'member', v_member.id,
    'remaining', case when v_is_limited then (v_remaining - p_amount)::text end));
end $$;

/*
 * Gives a use back to the allowances it was taken from; once. Outcomes: done {use, member}, not_found, key_reused,
 * benefit_settled {state: RETURNED}.
 */
create function entitlement_give_back(p_key text, p_hash bytea, p_use uuid, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_use entitlement_use;
  v_op record;
begin
  select * into v_use from entitlement_use u where u.tenant_id = v_tenant and u.id = p_use;
  if v_use.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'use');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'RETURN', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_use.member_id);
  update entitlement_use u set returned_at = v_now, returned_reason = p_reason
  where u.tenant_id = v_tenant and u.id = p_use and u.returned_at is null;
  if not found then
    return op_finish(p_key, '{"is": "benefit_settled", "state": "RETURNED"}');
  end if;
  update entitlement_usage u set used = u.used - p.amount
  from entitlement_use_part p
  where p.tenant_id = v_tenant and p.use_id = p_use and u.tenant_id = v_tenant and u.member_id = p.member_id
    and u.entitlement = p.entitlement and u.source = p.source and u.period_start = p.period_start;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'use', p_use, 'member', v_use.member_id));
end $$;

/*
 * Writes down that a discount was taken off an order by the shop: a given amount or percentage. Once. Outcomes: done
 * {benefit, member}, not_found, key_reused, membership_ended, benefit_settled {state}, bad_input.
 */
create function benefit_use(
  p_key text, p_hash bytea, p_benefit uuid, p_order text, p_minor bigint, p_currency text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_grant benefit_grant;
  v_member member;
  v_op record;
begin
  select * into v_grant from benefit_grant g where g.tenant_id = v_tenant and g.id = p_benefit;
  if v_grant.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'benefit');
  elsif v_grant.kind not in ('MONEY', 'PERCENT') then
    return bad_input('benefit', 'Only what is off a purchase is used this way.');
  elsif v_grant.kind = 'MONEY' and (p_currency <> v_grant.currency or p_minor > v_grant.minor) then
    return bad_input('amount', format('This benefit is at most %s %s.', v_grant.minor, v_grant.currency));
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'USE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_grant.member_id);
  v_member := member_find(v_grant.member_id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  update benefit_grant g set state = 'USED', settled_at = v_now, used_minor = p_minor, used_currency = p_currency,
                             used_order = p_order
  where g.tenant_id = v_tenant and g.id = p_benefit and g.state = 'GIVEN'
    and (g.expires_at is null or g.expires_at > v_now);
  if not found then
    select * into strict v_grant from benefit_grant g where g.tenant_id = v_tenant and g.id = p_benefit;
    return op_finish(p_key, jsonb_build_object('is', 'benefit_settled',
      'state', case v_grant.state when 'GIVEN' then 'EXPIRED' else v_grant.state end));
  end if;
  perform announce('benefit.used', v_grant.member_id, jsonb_build_object('benefit', p_benefit), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'benefit', p_benefit, 'member', v_grant.member_id));
end $$;
grant execute on function entitlement_take(text, bytea, uuid, text, text, bigint, text),
  entitlement_give_back(text, bytea, uuid, text, text), benefit_use(text, bytea, uuid, text, bigint, text, text)
  to engawa_app;

/*
 * Gives a benefit by hand. Points are for points_grant, which knows who may give how many. Outcomes: done {benefit,
 * member}, bad_input, not_found, key_reused, membership_ended.
 */
create function benefit_give_by_hand(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_benefit jsonb, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_op record;
begin
  if benefit_kind(p_benefit) = 'POINTS' then
    return bad_input('benefit.points', 'Points are given by grantPoints.');
  elsif v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif p_benefit ? 'entitlement' and not exists (
      select from definition d where d.tenant_id = v_tenant and d.kind = 'entitlement'
      and d.key = p_benefit -> 'entitlement' ->> 'key' and d.is_live) then
    return jsonb_build_object('is', 'not_found', 'what', 'entitlement');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'GIVE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'member', v_member.id, 'benefit',
    benefit_give(v_member.id, p_benefit, 'hand', v_op.transaction_id::text, v_now, p_reason, p_actor)));
end $$;

/*
 * Takes back by hand what was given by hand; what a room gave, that room takes back. Outcomes: done {benefit, member},
 * not_found, key_reused, benefit_settled {state}.
 */
create function benefit_take_back_by_hand(p_key text, p_hash bytea, p_benefit uuid, p_reason text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_grant benefit_grant;
  v_op record;
begin
  select * into v_grant from benefit_grant g
  where g.tenant_id = v_tenant and g.id = p_benefit and g.source_type = 'hand';
  if v_grant.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'benefit');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'TAKE_BACK', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  if benefit_take_back('hand', v_grant.source_id, v_now, p_reason) is null then
    select * into strict v_grant from benefit_grant g where g.tenant_id = v_tenant and g.id = p_benefit;
    return op_finish(p_key, jsonb_build_object('is', 'benefit_settled',
      'state', case v_grant.state when 'GIVEN' then 'EXPIRED' else v_grant.state end));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'benefit', p_benefit, 'member', v_grant.member_id));
end $$;
grant execute on function benefit_give_by_hand(text, bytea, uuid, text, jsonb, text, text),
  benefit_take_back_by_hand(text, bytea, uuid, text, text) to engawa_app;

-- ── Member prices ────────────────────────────────────────────────────────────────────────────────

create table price_list (
  tenant_id       uuid not null,
  kind            text not null generated always as ('priceList') stored,
  key             text not null,
  version         int not null,
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  /* Whose prices they are; null: everybody's. */
  audience_id     uuid,
  starts_at       timestamptz,
  /* Exclusive. */
  ends_at         timestamptz,
  /* Of the lists that a member has, the highest decides. */
  priority        int not null check (priority between 0 and 1000),
  is_tax_included boolean,
  published_at    timestamptz not null,
  /* When another version, or none, came into force. The only thing of it that changes, once. */
  replaced_at     timestamptz,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check (ends_at > starts_at)
);
call protect('price_list');
grant select on price_list to engawa_app;

create table price (
  tenant_id uuid not null,
  sku       text not null check (length(sku) between 1 and 100),
  key       text not null,
  version   int not null,
  /* Minor units of the list's currency. */
  minor     bigint not null check (minor >= 0),
  primary key (tenant_id, sku, key, version),
  foreign key (tenant_id, key, version) references price_list (tenant_id, key, version)
);
call protect('price');
grant select on price to engawa_app;

create function price_list_of_definition() returns trigger language plpgsql as $$
begin
  insert into price_list (tenant_id, key, version, currency, audience_id, starts_at, ends_at, priority,
                          is_tax_included, published_at)
  values (new.tenant_id, new.key, new.version, new.body ->> 'currency', (new.audiences ->> 'audience')::uuid,
          (new.body ->> 'from')::timestamptz, (new.body ->> 'until')::timestamptz,
          coalesce((new.body ->> 'priority')::int, 0), (new.body ->> 'isTaxIncluded')::boolean, new.published_at);
  insert into price (tenant_id, sku, key, version, minor)
  select new.tenant_id, p.key, new.key, new.version, p.value::bigint from jsonb_each_text(new.body -> 'prices') p;
  return null;
end $$;
create trigger price_list_of_definition after insert on definition for each row
  when (new.kind = 'priceList') execute function price_list_of_definition();

create function price_list_replaced() returns trigger language plpgsql as $$
begin
  update price_list l set replaced_at = tenant_now(l.tenant_id)
  where l.tenant_id = new.tenant_id and l.key = new.key and l.version = new.version and l.replaced_at is null;
  return null;
end $$;
create trigger price_list_replaced after update on definition for each row
  when (new.kind = 'priceList' and old.is_live and not new.is_live) execute function price_list_replaced();
create trigger kept before delete or truncate on price_list
  for each statement execute function refuse_change('prices of the past are needed');
create trigger append_only before update or delete or truncate on price
  for each statement execute function refuse_change('prices are append-only');
create trigger replaced_once before update on price_list for each row
  when (old.replaced_at is not null or (new.tenant_id, new.key, new.version, new.currency, new.audience_id, new.starts_at,
    new.ends_at, new.priority, new.is_tax_included, new.published_at) is distinct from (old.tenant_id, old.key,
    old.version, old.currency, old.audience_id, old.starts_at, old.ends_at, old.priority, old.is_tax_included,
    old.published_at))
  execute function refuse_change('a price list stays what it was');

/*
 * What articles cost a member at an instant: of the lists that apply, the one with the highest priority decides, then
 * the lowest price, then the key. `regular` is what everybody pays then, by the same rule. `prior` is the lowest that
 * applied to the member in the 30 days before the price that applies began (the last price without a gap of the same
 * list). `changes_at` is when another price applies, as far as is known. A null or ended member has everybody's lists.
 */
create function prices_for(p_member uuid, p_skus text[], p_currency text, p_at timestamptz)
returns table (sku text, minor bigint, key text, version int, is_for_members boolean, is_tax_included boolean,
               regular bigint, prior bigint, since timestamptz, changes_at timestamptz)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with listed as materialized (
    select p.sku, p.minor, l.key, l.version, l.audience_id, l.priority, l.is_tax_included,
           greatest(l.published_at, l.starts_at) as starts, least(l.replaced_at, l.ends_at) as ends
    from price p
    join price_list l on l.tenant_id = p.tenant_id and l.key = p.key and l.version = p.version
    where p.tenant_id = v_tenant and p.sku = any(p_skus) and l.currency = p_currency
  ), mine as materialized (
    select a.id from (select distinct l.audience_id as id from listed l where l.audience_id is not null) a
    where audience_has(a.id, p_member)
      and exists (select from member m where m.tenant_id = v_tenant and m.id = p_member and m.membership <> 'ENDED')
  ), offered as materialized (
    select l.*, lag(l.ends) over w is distinct from l.starts or lag(l.minor) over w <> l.minor as is_new
    from listed l
    where (l.audience_id is null or l.audience_id in (select id from mine)) and (l.ends is null or l.ends > l.starts)
    window w as (partition by l.sku, l.key order by l.starts, l.version)
  ), lasting as materialized (
    select o.*, max(case when o.is_new then o.starts end) over (partition by o.sku, o.key order by o.starts, o.version)
      as since
    from offered o
  ), best as materialized (
    select distinct on (o.sku) o.* from lasting o
    where o.starts <= p_at and (o.ends is null or o.ends > p_at)
    order by o.sku, o.priority desc, o.minor, o.key
  )
  select b.sku, b.minor, b.key, b.version, b.audience_id is not null, b.is_tax_included,
    (select o.minor from lasting o
     where o.sku = b.sku and o.audience_id is null and o.starts <= p_at and (o.ends is null or o.ends > p_at)
     order by o.priority desc, o.minor, o.key limit 1),
    (select min(x.minor)
     from (
       select b.since - interval '30 days' as t
       union select o.starts from lasting o where o.sku = b.sku and o.starts > b.since - interval '30 days' and o.starts < b.since
       union select o.ends from lasting o where o.sku = b.sku and o.ends > b.since - interval '30 days' and o.ends < b.since
     ) edge
     cross join lateral (
       select o.minor from lasting o
       where o.sku = b.sku and o.starts <= edge.t and (o.ends is null or o.ends > edge.t)
       order by o.priority desc, o.minor, o.key limit 1
     ) x),
    b.since,
    least(b.ends, (select min(o.starts) from lasting o
      where o.sku = b.sku and o.starts > p_at
        and (-o.priority, o.minor, o.key) < (-b.priority, b.minor, b.key)))
  from best b;
end $$;
grant execute on function prices_for(uuid, text[], text, timestamptz) to engawa_app;

-- ── What a member had of it ──────────────────────────────────────────────────────────────────────

/*
 * Everything that these members had of their membership, a line for each fact, money and no money side by side.
 * DISCOUNT: what the shop took off an order for a benefit or a coupon that was charged to a campaign. MEMBER_PRICE: what
 * a line cost less than everybody paid, only where the member paid exactly what a list of members said then, and less
 * what was given back. REWARD, GIVEN and USE have no amount; POINTS have points. Nothing is told that was not recorded.
 */
create function benefit_lines(p_members uuid[], p_from timestamptz, p_until timestamptz)
returns table (member_id uuid, kind text, at timestamptz, id uuid, what jsonb, minor bigint, currency text,
               points bigint, points_currency text, times bigint)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
begin
  return query
  select x.* from (
    select g.member_id, 'DISCOUNT' as kind, g.settled_at as at, g.id, to_jsonb(g.reason) as what, g.used_minor as minor,
           g.used_currency as currency, null::bigint as points, null::text as points_currency, 1::bigint as times
    from benefit_grant g
    where g.tenant_id = v_tenant and g.member_id = any(p_members) and g.state = 'USED'
    union all
    select r.member_id, 'DISCOUNT', r.used_at, r.id, c.name, r.minor, r.currency, null, null, 1
    from coupon_redemption r join coupon c on c.tenant_id = r.tenant_id and c.key = r.coupon and c.version = r.version
    where r.tenant_id = v_tenant and r.member_id = any(p_members) and r.state = 'USED' and r.minor > 0
    union all
    select g.member_id, 'POINTS', g.given_at, g.id, to_jsonb(g.reason), null, null, g.points, g.points_currency, 1
    from benefit_grant g
    where g.tenant_id = v_tenant and g.member_id = any(p_members) and g.kind = 'POINTS' and g.state <> 'TAKEN_BACK'
    union all
    select g.member_id, 'GIVEN', g.given_at, g.id, e.name, null, null, null, null, 1
    from benefit_grant g
    join entitlement e on e.tenant_id = g.tenant_id and e.key = g.entitlement_key and e.version = g.entitlement_version
    where g.tenant_id = v_tenant and g.member_id = any(p_members) and g.state <> 'TAKEN_BACK'
    union all
    select u.member_id, 'USE', u.at, u.id, e.name, null, null, null, null, u.times
    from entitlement_use u
    join entitlement e on e.tenant_id = u.tenant_id and e.key = u.entitlement_key and e.version = u.version
    where u.tenant_id = v_tenant and u.member_id = any(p_members) and u.returned_at is null
    union all
    select r.member_id, 'REWARD', r.fulfilled_at, r.id, w.name, null, null, null, null, r.quantity
    from reward_redemption r join reward w on w.tenant_id = r.tenant_id and w.key = r.key and w.version = r.version
    where r.tenant_id = v_tenant and r.member_id = any(p_members) and r.state = 'FULFILLED'
    union all
    select b.member_id, 'MEMBER_PRICE', b.purchased_at, b.id, to_jsonb(coalesce(l.name, l.sku)),
           (everybody.minor - own.minor) * (l.quantity - l.refunded_quantity), b.currency, null, null,
           l.quantity - l.refunded_quantity
    from purchase b
    join purchase_line l on l.tenant_id = b.tenant_id and l.purchase_id = b.id and l.refunded_quantity < l.quantity
    cross join lateral (
      select p.minor from price p join price_list s on s.tenant_id = p.tenant_id and s.key = p.key and s.version = p.version
      where p.tenant_id = v_tenant and p.sku = l.sku and s.currency = b.currency and s.audience_id is not null
        and p.minor * l.quantity = l.amount and b.purchased_at >= greatest(s.published_at, s.starts_at)
        and (least(s.replaced_at, s.ends_at) is null or b.purchased_at < least(s.replaced_at, s.ends_at))
      limit 1) own
    cross join lateral (
      select p.minor from price p join price_list s on s.tenant_id = p.tenant_id and s.key = p.key and s.version = p.version
      where p.tenant_id = v_tenant and p.sku = l.sku and s.currency = b.currency and s.audience_id is null
        and b.purchased_at >= greatest(s.published_at, s.starts_at)
        and (least(s.replaced_at, s.ends_at) is null or b.purchased_at < least(s.replaced_at, s.ends_at))
      order by s.priority desc, p.minor, p.key limit 1) everybody
    where b.tenant_id = v_tenant and b.member_id = any(p_members) and b.state <> 'REFUNDED'
      and everybody.minor > own.minor
  ) x
  where (p_from is null or x.at >= p_from) and (p_until is null or x.at < p_until);
end $$;
grant execute on function benefit_lines(uuid[], timestamptz, timestamptz) to engawa_app;
