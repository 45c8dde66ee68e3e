-- Partners: companies at which the tenant's points are earned and spent, and what they owe one another for it.

set local role engawa_owner;

create table partner (
  tenant_id      uuid not null,
  kind           text not null generated always as ('partner') stored,
  key            text not null,
  version        int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name           jsonb not null,
  /* Points for each so many minor units of money; all three null: nothing is earned there. */
  earn_minor     bigint check (earn_minor > 0),
  earn_points    bigint check (earn_points > 0),
  earn_money     text check (earn_money ~ '^[A-Z]{3}$'),
  currency       text not null check (currency ~ '^[A-Z][A-Z0-9_]{0,31}$'),
  can_burn       boolean not null,
  /* What a point is worth between the two, in millionths of a minor unit of this currency of money. */
  settle_money   text not null check (settle_money ~ '^[A-Z]{3}$'),
  /* What the partner owes for a point earned there, and the tenant for one spent there. */
  issued_micro   bigint not null check (issued_micro >= 0),
  burned_micro   bigint not null check (burned_micro >= 0),
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  check (num_nonnulls(earn_minor, earn_points, earn_money) in (0, 3)),
  check (can_burn or earn_minor is not null)
);
call protect('partner');
grant select on partner to engawa_app;

/* What was earned or spent at a partner, under the partner's own number for it, and how much was given back since. */
create table partner_movement (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  partner         text not null,
  partner_version int not null,
  reference       text not null check (length(reference) between 1 and 200),
  direction       text not null check (direction in ('EARN', 'BURN')),
  member_id       uuid not null,
  /* The points transaction; null when the amount was too small for a point. */
  transaction_id  uuid,
  points          bigint not null check (points >= 0),
  /* What was bought there, in minor units of the partner's currency; null for spending. */
  base_minor      bigint check (base_minor >= 0),
  at              timestamptz not null,
  booked_at       timestamptz not null default clock_timestamp(),
  returned_points bigint not null default 0,
  returned_minor  bigint not null default 0,
  primary key (tenant_id, id),
  unique (tenant_id, partner, reference),
  foreign key (tenant_id, partner, partner_version) references partner (tenant_id, key, version),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  check (returned_points between 0 and points),
  check (returned_minor between 0 and coalesce(base_minor, 0)),
  check ((direction = 'EARN') = (base_minor is not null))
);
create index partner_movement_time on partner_movement (tenant_id, partner, at, id);
call protect('partner_movement');
grant select on partner_movement to engawa_app;

/* Something given back, as its own entry of the settlement: at what it was worth when it was booked. */
create table partner_return (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  movement_id uuid not null,
  points      bigint not null check (points >= 0),
  at          timestamptz not null,
  booked_at   timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  foreign key (tenant_id, movement_id) references partner_movement (tenant_id, id)
);
create index partner_return_of_movement on partner_return (tenant_id, movement_id);
call protect('partner_return');
grant select on partner_return to engawa_app;

create function partner_of_definition() returns trigger language plpgsql as $$
declare
  v_earn jsonb := new.body -> 'earn';
  v_settlement jsonb := new.body -> 'settlement';
begin
  insert into partner (tenant_id, key, version, name, earn_minor, earn_points, earn_money, currency, can_burn,
                       settle_money, issued_micro, burned_micro)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', (v_earn ->> 'minor')::bigint,
    (v_earn ->> 'points')::bigint, v_earn ->> 'money', coalesce(new.body ->> 'currency', 'POINTS'),
    coalesce((new.body ->> 'canBurn')::boolean, false), v_settlement ->> 'money',
    (v_settlement ->> 'issuedMicro')::bigint, (v_settlement ->> 'burnedMicro')::bigint);
  return null;
end $$;
create trigger partner after insert on definition for each row when (new.kind = 'partner')
  execute function partner_of_definition();

/* The version of a partner in force; a row of nulls when there is none. */
create function partner_in_force(p_key text) returns partner language sql stable as $$
  select p.* from partner p
  join definition d on (d.tenant_id, d.kind, d.key, d.version) = (p.tenant_id, p.kind, p.key, p.version) and d.is_live
  where p.tenant_id = current_tenant() and p.key = p_key
$$;

/* What a partner's number that was used before answers. */
create function partner_reference_used(p_partner text, p_reference text) returns jsonb language sql stable as $$
  select jsonb_build_object('is', 'duplicate_reference', 'reference', m.reference) from partner_movement m
  where m.tenant_id = current_tenant() and m.partner = p_partner and m.reference = p_reference
$$;

/*
 * Earns for something bought at a partner, once for each number of the partner's: floor(total × points ÷ minor).
 * Outcomes: done {movement, member, transaction or null}, bad_input, not_found, key_reused, duplicate_reference
 * {reference}, membership_ended.
 */
create function partner_earn(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_partner text, p_reference text, p_at timestamptz,
  p_money text, p_total bigint, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_at timestamptz := coalesce(p_at, v_now);
  v_member member := member_find(p_member, p_external_id);
  v_partner partner := partner_in_force(p_partner);
  v_op record;
  v_points bigint;
  v_movement uuid := uuid_v7();
begin
  if v_at > v_now + interval '5 minutes' then
    return bad_input('at', 'What was bought at a partner cannot lie in the future.');
  elsif v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_partner.earn_minor is null then
    return jsonb_build_object('is', 'not_found', 'what', 'partner');
  elsif p_money <> v_partner.earn_money then
    return bad_input('currency', format('Points are earned there in %s.', v_partner.earn_money));
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'EARN', p_actor, v_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  v_points := div(p_total::numeric * v_partner.earn_points, v_partner.earn_minor)::bigint;
  insert into partner_movement (tenant_id, id, partner, partner_version, reference, direction, member_id,
                                transaction_id, points, base_minor, at)
  values (v_tenant, v_movement, p_partner, v_partner.version, p_reference, 'EARN', v_member.id,
    case when v_points > 0 then v_op.transaction_id end, v_points, p_total, v_at)
  on conflict (tenant_id, partner, reference) do nothing;
  if not found then
    return op_finish(p_key, partner_reference_used(p_partner, p_reference));
  end if;
  if v_points > 0 then
    perform points_earn(v_op.transaction_id, v_member.id, v_partner.currency, 'partner', v_movement::text, '',
      'partner.' || p_partner, v_partner.version, greatest(p_total, 1), v_points, v_at,
      points_expiry(null, v_partner.currency, v_at), text_for(v_partner.name, v_member.id));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'movement', v_movement, 'member', v_member.id,
    'transaction', case when v_points > 0 then v_op.transaction_id end));
end $$;

/*
 * Spends points at a partner, once for each number of the partner's. Outcomes: done {movement, member, transaction},
 * not_found, key_reused, duplicate_reference, membership_ended, insufficient_points.
 */
create function partner_burn(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_partner text, p_reference text, p_points bigint,
  p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_find(p_member, p_external_id);
  v_partner partner := partner_in_force(p_partner);
  v_op record;
  v_wallet wallet;
  v_movement uuid := uuid_v7();
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_partner.can_burn is not true then
    return jsonb_build_object('is', 'not_found', 'what', 'partner');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'SPEND', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  v_wallet := points_wallet(v_tenant, v_member.id, v_partner.currency);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  elsif coalesce(v_wallet.available, 0) < p_points then
    return op_finish(p_key, points_insufficient(v_wallet.available, p_points));
  end if;
  insert into partner_movement (tenant_id, id, partner, partner_version, reference, direction, member_id,
                                transaction_id, points, at)
  values (v_tenant, v_movement, p_partner, v_partner.version, p_reference, 'BURN', v_member.id, v_op.transaction_id,
    p_points, v_now)
  on conflict (tenant_id, partner, reference) do nothing;
  if not found then
    return op_finish(p_key, partner_reference_used(p_partner, p_reference));
  end if;
  if points_burn(v_wallet, v_op.transaction_id, 0, p_points, 'SPENT', v_now, null) <> p_points then
    raise exception 'the lots of wallet % hold less than the wallet', v_wallet.id;
  end if;
  perform points_close(v_wallet, v_op.transaction_id, p_points, text_for(v_partner.name, v_member.id), null);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'movement', v_movement, 'member', v_member.id,
    'transaction', v_op.transaction_id));
end $$;

/*
 * Gives back what was bought or spent at a partner: of an earning so much money (null: the rest), for which points go
 * in proportion; of a spending so many points (null: the rest). Outcomes: done {movement, member, transaction or
 * null}, not_found, key_reused, refund_exceeds_purchase {refundable}.
 */
create function partner_give_back(
  p_key text, p_hash bytea, p_partner text, p_reference text, p_amount bigint, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_movement partner_movement;
  v_op record;
  v_spend jsonb;
  v_left bigint;
  v_amount bigint;
  v_points bigint;
  v_transaction uuid;
begin
  select * into v_movement from partner_movement m
  where m.tenant_id = v_tenant and m.partner = p_partner and m.reference = p_reference;
  if v_movement.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'partner movement');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'REFUND_EARN', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_movement.member_id);
  select * into strict v_movement from partner_movement m
  where m.tenant_id = v_tenant and m.id = v_movement.id for no key update;
  v_left := case v_movement.direction when 'EARN' then v_movement.base_minor - v_movement.returned_minor
    else v_movement.points - v_movement.returned_points end;
  v_amount := coalesce(p_amount, v_left);
  if v_left = 0 or v_amount > v_left then
    return op_finish(p_key, jsonb_build_object('is', 'refund_exceeds_purchase', 'refundable', v_left::text));
  end if;
  if v_movement.direction = 'EARN' then
    v_points := case when v_movement.base_minor = 0 then 0 else div(v_movement.points::numeric
      * (v_movement.returned_minor + v_amount), v_movement.base_minor)::bigint - v_movement.returned_points end;
    if v_points > 0 then
      perform points_claw_back(v_op.transaction_id, 'partner', v_movement.id::text, '',
        v_movement.returned_minor + v_amount, v_now, p_reason);
      v_transaction := v_op.transaction_id;
    end if;
  else
    v_points := v_amount;
    v_spend := points_refund_spend('engawa:partner:' || v_op.transaction_id, p_hash, v_movement.transaction_id, v_amount,
      p_reason, p_actor);
    if v_spend ->> 'is' <> 'done' then
      -- The ledger gave it back already, by refundSpend.
      return op_finish(p_key, v_spend);
    end if;
    v_transaction := (v_spend ->> 'transaction')::uuid;
  end if;
  update partner_movement m set returned_points = m.returned_points + v_points,
    returned_minor = m.returned_minor + case m.direction when 'EARN' then v_amount else 0 end
  where m.tenant_id = v_tenant and m.id = v_movement.id;
  insert into partner_return (tenant_id, movement_id, points, at) values (v_tenant, v_movement.id, v_points, v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'movement', v_movement.id, 'member', v_movement.member_id,
    'transaction', v_transaction));
end $$;

/*
 * What a partner and the tenant owe one another for [p_from, p_until): by version of the rates, each sum of points
 * valued once and rounded down. Movements count when they happened, what was given back when it was.
 */
create function partner_settlement(p_partner text, p_from timestamptz, p_until timestamptz)
returns table (money text, issued bigint, issued_returned bigint, burned bigint, burned_returned bigint,
               owed_by_partner bigint, owed_to_partner bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  with moved as (
    select m.partner_version as version, m.direction, m.points, 0::bigint as returned from partner_movement m
    where m.tenant_id = current_tenant() and m.partner = p_partner and m.at >= p_from and m.at < p_until
    union all
    select m.partner_version, m.direction, 0, r.points from partner_return r
    join partner_movement m on m.tenant_id = r.tenant_id and m.id = r.movement_id
    where m.tenant_id = current_tenant() and m.partner = p_partner and r.at >= p_from and r.at < p_until
  ), rated as (
    select p.settle_money, x.direction, sum(x.points) as points, sum(x.returned) as returned,
      div(sum(x.points - x.returned) * case x.direction when 'EARN' then p.issued_micro else p.burned_micro end,
          1000000) as owed
    from moved x join partner p on p.tenant_id = current_tenant() and p.key = p_partner and p.version = x.version
    group by p.settle_money, p.version, x.direction, p.issued_micro, p.burned_micro
  )
  select r.settle_money,
    coalesce(sum(r.points) filter (where r.direction = 'EARN'), 0)::bigint,
    coalesce(sum(r.returned) filter (where r.direction = 'EARN'), 0)::bigint,
    coalesce(sum(r.points) filter (where r.direction = 'BURN'), 0)::bigint,
    coalesce(sum(r.returned) filter (where r.direction = 'BURN'), 0)::bigint,
    coalesce(sum(r.owed) filter (where r.direction = 'EARN'), 0)::bigint,
    coalesce(sum(r.owed) filter (where r.direction = 'BURN'), 0)::bigint
  from rated r group by r.settle_money order by r.settle_money
$$;

grant execute on function
  partner_earn(text, bytea, uuid, text, text, text, timestamptz, text, bigint, text),
  partner_burn(text, bytea, uuid, text, text, text, bigint, text),
  partner_give_back(text, bytea, text, text, bigint, text, text),
  partner_settlement(text, timestamptz, timestamptz) to engawa_app;
