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
  quota        bigint check (quota between 1 and 1000000000),
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

create function entitlement_of_definition() returns trigger language plpgsql as $$
begin
  insert into entitlement (tenant_id, key, version, opens, name, audience_id, quota, per, valid_for, tiers, published_at)
  values (new.tenant_id, new.key, new.version, new.body ->> 'kind', new.body -> 'name',
          (new.audiences ->> 'audience')::uuid, (new.body -> 'quota' ->> 'amount')::bigint,
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
  entitlement         text,
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
  foreign key (tenant_id, entitlement, entitlement_version) references entitlement (tenant_id, key, version),
  constraint benefit_points check ((kind = 'POINTS') = (points is not null and points_currency is not null
    and transaction_id is not null)),
  constraint benefit_money check ((kind = 'MONEY') = (minor is not null and currency is not null)),
  constraint benefit_percent check ((kind = 'PERCENT') = (basis_points is not null)),
  constraint benefit_entitlement check ((kind = 'ENTITLEMENT') = (entitlement is not null
    and entitlement_version is not null)),
  constraint benefit_quota check ((quota is null) = (per is null) and (quota is null or kind = 'ENTITLEMENT')),
  constraint benefit_lives check (expires_at > given_at),
  constraint benefit_settled check ((state = 'GIVEN') = (settled_at is null)),
  constraint benefit_used check ((state = 'USED') = (used_minor is not null and used_currency is not null)),
  constraint benefit_used_by_order check (used_order is null or state = 'USED'),
  constraint benefit_uses_money check (state <> 'USED' or kind in ('MONEY', 'PERCENT'))
) with (fillfactor = 85);
create index benefit_of_member on benefit_grant (tenant_id, member_id, id);
create index benefit_open on benefit_grant (tenant_id, member_id, entitlement) where state = 'GIVEN';
create index benefit_due on benefit_grant (tenant_id, expires_at) where state = 'GIVEN' and expires_at is not null;
call protect('benefit_grant');
grant select on benefit_grant to engawa_app;

create trigger kept before delete or truncate on benefit_grant
  for each statement execute function refuse_change('what was given stays');
create trigger born_given before insert on benefit_grant for each row when (new.state <> 'GIVEN')
  execute function refuse_change('a benefit is born given');
create trigger same_benefit before update of tenant_id, id, member_id, kind, source_type, source_id, reason, points,
    points_currency, transaction_id, minor, currency, basis_points, entitlement, entitlement_version, quota, per,
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
 * Gives a member a benefit for a fact, within the caller's transaction; once for each fact: a second time gives
 * nothing and returns the same id. Points are earned by an operation of their own. p_benefit is one of
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
    join definition d on d.tenant_id = e.tenant_id and d.kind = e.kind and d.key = e.key and d.version = e.version
    where e.tenant_id = v_tenant and e.key = v_given ->> 'key' and d.is_live;
    if v_entitlement.key is null then
      raise exception 'there is no entitlement %', v_given ->> 'key';
    end if;
  elsif v_kind = 'POINTS' then
    v_transaction := benefit_earn(p_member, v_id, v_given, p_at, p_reason, p_actor);
  end if;
  insert into benefit_grant (tenant_id, id, member_id, kind, source_type, source_id, reason, points, points_currency,
    transaction_id, minor, currency, basis_points, entitlement, entitlement_version, quota, per, given_at, expires_at,
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
      then benefit_end(p_at, coalesce((v_given ->> 'validFor')::interval, v_entitlement.valid_for)) end,
    p_actor);
  perform announce('benefit.given', p_member, jsonb_build_object('benefit', v_id), p_at);
  return v_id;
end $$;

/* An instant and a time later, by the calendar of the tenant's zone: a month is a month, a day a day. */
create function benefit_end(p_at timestamptz, p_for interval) returns timestamptz language plpgsql stable as $$
declare
  v_zone text := (select t.time_zone from tenant t where t.id = current_tenant());
begin
  return (p_at at time zone v_zone + p_for) at time zone v_zone;
end $$;

/* Earns the points of a benefit by an operation of their own; the transaction. */
create function benefit_earn(
  p_member uuid, p_benefit uuid, p_points jsonb, p_at timestamptz, p_reason text, p_actor text
) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_key text := format('engawa:benefits:points:%s', p_benefit);
  v_currency text := coalesce(p_points ->> 'currency', 'POINTS');
  v_op record;
  v_wallet uuid;
begin
  select * into v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'EARN', p_actor, p_at);
  v_wallet := points_earn(v_op.transaction_id, p_member, v_currency, 'benefit', p_benefit::text, '', 'benefit', null, 1,
    (p_points ->> 'amount')::bigint, p_at,
    points_expiry_month_end(p_at, 12, (select t.time_zone from tenant t where t.id = v_tenant)), p_reason);
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
