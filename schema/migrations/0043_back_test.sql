-- Back-tests tell more again: what moved points by hand, between members, for rewards, coupons and referrals. They run in
-- slices of one transaction that is always undone.

set local role engawa_owner;

/* Operations that a back-test looks for by what they are, since they need not have moved points. */
create index op_told on op (tenant_id, kind) where kind in ('END_MEMBERSHIP', 'REJECT', 'FULFIL_REWARD', 'CANCEL_REDEMPTION',
  'REDEEM_COUPON', 'RELEASE_COUPON', 'CLAIM_REFERRAL', 'DECIDE_REFERRAL', 'GIVE', 'TAKE_BACK');

-- ── What happened ────────────────────────────────────────────────────────────────────────────────

/* The history of the program before p_from, the draft at p_from, and the members themselves. */
create function back_test_frame(p_members uuid[], p_kinds text[], p_from timestamptz, p_entries jsonb)
returns setof back_test_fact language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  select p.published_at, p.booked_at, 'program',
    jsonb_build_object('entries', back_test_program(p.version, p_kinds), 'kinds', p_kinds)
  from program p where p.tenant_id = v_tenant and p.published_at < p_from;
  return query
  select p_from, '-infinity'::timestamptz, 'draft', jsonb_build_object('entries', p_entries, 'kinds', p_kinds);
  -- A member's id says when it was made; imports bring purchases from before.
  return query
  select least(m.registered_at, x.first_at), least(back_test_made(m.id), x.first_at), 'member', to_jsonb(m)
  from member m
  cross join lateral (select min(p.purchased_at) as first_at from purchase p
                      where p.tenant_id = v_tenant and p.member_id = m.id) x
  where m.tenant_id = v_tenant and m.id = any (p_members);
  return query
  select o.at, o.booked_at, 'end', jsonb_build_object('member', m.id, 'end', m.membership_end, 'reason', m.membership_reason)
  from op o join member m on m.tenant_id = v_tenant and m.id = (o.outcome ->> 'member')::uuid
  where o.tenant_id = v_tenant and o.kind = 'END_MEMBERSHIP' and o.outcome ->> 'is' = 'done' and m.id = any (p_members)
    and m.ended_at is not null;
end $$;

/* When an id of version 7 was made. */
create function back_test_made(p_id uuid) returns timestamptz language sql immutable as $$
  select to_timestamp(('x' || left(replace(p_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

/* What these members bought and gave back, here and at partners, and what else they did. */
create function back_test_done(p_members uuid[]) returns setof back_test_fact language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  -- Looked up in one table of all recorded ones: a join would look through them for each purchase.
  return query
  select p.purchased_at, p.booked_at, case when p.id in (
      select (x.outcome ->> 'purchase')::uuid from op x
      where x.tenant_id = v_tenant and x.kind = 'EARN' and x.outcome ->> 'is' = 'done' and x.outcome ? 'purchase')
      then 'purchase' else 'import' end,
    jsonb_build_object('member', p.member_id, 'external_id', m.external_id, 'order_id', p.order_id, 'at', p.purchased_at,
      'currency', p.currency, 'total', p.total, 'lines', coalesce((
        select jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name, 'quantity', l.quantity, 'amount', l.amount)
          order by l.line)
        from purchase_line l where l.tenant_id = v_tenant and l.purchase_id = p.id), '[]'))
  from member m
  join purchase p on p.tenant_id = v_tenant and p.member_id = m.id
  where m.tenant_id = v_tenant and m.id = any (p_members);
  return query
  select r.at, r.booked_at, 'refund', jsonb_build_object('order_id', p.order_id, 'at', r.at, 'reason', r.reason,
    'lines', (select jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', (x ->> 'quantity')::int))
              from jsonb_array_elements(r.lines) x
              join purchase_line l on l.tenant_id = v_tenant and l.purchase_id = p.id and l.line = (x ->> 'line')::int),
    -- The last one by amount is the rest.
    'amount', case when r.lines = '[]' and r.amount > 0 and not (p.state = 'REFUNDED' and r.booked_at = max(r.booked_at)
                                                                 over (partition by r.purchase_id)) then r.amount end)
  from refund r join purchase p on p.tenant_id = v_tenant and p.id = r.purchase_id
  where r.tenant_id = v_tenant and p.member_id = any (p_members);
  -- What was spent at partners is a spending like others.
  return query
  select m.at, m.booked_at, 'partner', jsonb_build_object('member', m.member_id, 'partner', m.partner,
    'reference', m.reference, 'at', m.at, 'money', p.earn_money, 'total', m.base_minor)
  from partner_movement m join partner p on p.tenant_id = v_tenant and p.key = m.partner and p.version = m.partner_version
  where m.tenant_id = v_tenant and m.direction = 'EARN' and m.member_id = any (p_members);
  -- Of what was given back in parts, the points of each are known and the money of all: the least that comes to them.
  return query
  select x.at, x.booked_at, 'partner back', jsonb_build_object('partner', x.partner, 'reference', x.reference,
    'amount', x.minor - lag(x.minor, 1, 0::bigint) over (partition by x.movement_id order by x.place))
  from (
    select r.movement_id, r.at, r.booked_at, m.partner, m.reference, row_number() over w as place,
      case when lead(r.id) over w is null then m.returned_minor
        else coalesce(ceil(sum(r.points) over w * m.base_minor / nullif(m.points, 0)), 0)::bigint end as minor
    from partner_return r join partner_movement m on m.tenant_id = v_tenant and m.id = r.movement_id
    where r.tenant_id = v_tenant and m.direction = 'EARN' and m.member_id = any (p_members)
    window w as (partition by r.movement_id order by r.booked_at, r.id)) x;
  -- That a referral qualified follows from the referral, where that is told.
  return query
  select a.at, a.booked_at, 'activity', jsonb_build_object('member', a.member_id, 'name', a.name, 'key', a.key, 'at', a.at,
    'properties', a.properties)
  from activity a
  where a.tenant_id = v_tenant and a.member_id = any (p_members) and not (a.name = 'referral.qualified' and exists (
    select from referral r where r.tenant_id = v_tenant and r.id::text = a.key and r.referrer_id = a.member_id
      and r.friend_id = any (p_members)));
  return query
  select c.at, c.booked_at, 'move', jsonb_build_object('member', c.member_id, 'stage', c.to_stage, 'reason', c.reason)
  from stage_change c where c.tenant_id = v_tenant and c.cause = 'MANUAL' and c.member_id = any (p_members);
  return query
  select r.received_at, r.booked_at, 'receipt', jsonb_build_object('member', r.member_id, 'offer', r.offer, 'key', r.key,
    'at', r.received_at, 'way', r.way)
  from offer_receipt r where r.tenant_id = v_tenant and r.way <> 'ON_STAGE' and r.member_id = any (p_members);
end $$;

/*
 * What moved points of these members by itself: granted, spent, held, transferred, adjusted. `transaction` is how other
 * facts name this one. What went to a member who is not among them is spent, as far as the giver is concerned.
 */
create function back_test_moved(p_members uuid[]) returns setof back_test_fact language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  select o.at, o.booked_at,
    case when o.kind = 'TRANSFER' and t.member_id is null then 'spend'
      when o.kind = 'REFUND_SPEND' then 'spend back' else lower(o.kind) end,
    jsonb_build_object('member', w.member_id, 'transaction', o.transaction_id, 'points', o.points, 'currency', w.currency,
      'reason', o.reason)
    || coalesce(case o.kind
      when 'GRANT' then (
        select jsonb_build_object('available_at', case when l.available_at > o.at then l.available_at end,
          'expires_at', l.expires_at)
        from lot l where l.tenant_id = v_tenant and l.wallet_id = w.id and l.transaction_id = o.transaction_id
          and l.source_type = 'grant')
      when 'HOLD' then (
        select jsonb_build_object('expires_in', h.expires_at - o.at)
        from hold h where h.tenant_id = v_tenant and h.id = (o.outcome ->> 'hold')::uuid)
      when 'TRANSFER' then jsonb_build_object('to', t.member_id)
      when 'REFUND_SPEND' then jsonb_build_object('of', (
        select x.refunds from posting x
        where x.tenant_id = v_tenant and x.transaction_id = o.transaction_id and x.refunds is not null limit 1))
      when 'SPEND' then '{}'
      else (
        select jsonb_build_object('of', h.transaction_id)
        from hold h where h.tenant_id = v_tenant and h.id = (o.outcome ->> 'hold')::uuid) end, '{}')
  from wallet w
  join op o on o.tenant_id = v_tenant and o.wallet_id = w.id
  left join wallet t on o.kind = 'TRANSFER' and t.tenant_id = v_tenant and t.id = (o.outcome ->> 'to_wallet')::uuid
    and t.member_id = any (p_members)
  where w.tenant_id = v_tenant and w.member_id = any (p_members) and o.outcome ->> 'is' = 'done'
    and o.kind in ('GRANT', 'SPEND', 'HOLD', 'CAPTURE', 'VOID', 'REFUND_SPEND', 'TRANSFER')
    -- Rewards and moves by hand are told as such; of a transfer the giver's side.
    and not o.outcome ?| array['redemption', 'adjustment', 'from_transaction']
    -- The clock lets go of a hold by itself.
    and (o.kind <> 'VOID' or exists (
      select from hold h where h.tenant_id = v_tenant and h.id = (o.outcome ->> 'hold')::uuid and h.state = 'VOIDED'));
  return query
  select a.requested_at, case when o.actor = a.requested_by then o.booked_at
      else back_test_made(a.id) + interval '999 microseconds' end,
    'adjust', jsonb_build_object('member', a.member_id, 'transaction', a.id, 'kind', a.kind, 'points', a.points,
      'currency', a.currency, 'reason', a.reason, 'actor', a.requested_by, 'is_asked', a.state <> 'DONE')
  from adjustment a left join op o on o.tenant_id = v_tenant and o.transaction_id = a.transaction_id
  where a.tenant_id = v_tenant and a.member_id = any (p_members);
  return query
  select a.decided_at, coalesce(
      (select o.booked_at from op o where o.tenant_id = v_tenant and o.transaction_id = a.transaction_id),
      (select min(o.booked_at) from op o where o.tenant_id = v_tenant and o.kind = 'REJECT' and o.outcome ->> 'is' = 'done'
         and o.outcome ->> 'adjustment' = a.id::text)),
    'decide', jsonb_build_object('member', a.member_id, 'of', a.id, 'transaction', a.transaction_id,
      'is_approved', a.state = 'APPROVED', 'note', a.note, 'actor', a.decided_by)
  from adjustment a
  where a.tenant_id = v_tenant and a.member_id = any (p_members) and a.decided_at is not null;
end $$;

/* What these members took of rewards and coupons, and what of it was called off; benefits given by hand, and taken back. */
create function back_test_taken(p_members uuid[]) returns setof back_test_fact language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with redeemed as materialized (
    select r.*, coalesce(h.transaction_id, r.spend_id) as transaction_id
    from reward_redemption r left join hold h on h.tenant_id = v_tenant and h.id = r.hold_id
    where r.tenant_id = v_tenant and r.member_id = any (p_members)
  )
  select r.redeemed_at, o.booked_at, 'redeem', jsonb_build_object('member', r.member_id, 'transaction', r.transaction_id,
    'reward', r.key, 'quantity', r.quantity)
  from redeemed r join op o on o.tenant_id = v_tenant and o.transaction_id = r.transaction_id
  union all
  select c.at, back_test_made(c.id) + interval '999 microseconds', case c.to_state when 'FULFILLED' then 'fulfil' else 'cancel' end,
    jsonb_build_object('member', r.member_id, 'of', r.transaction_id, 'reference', r.reference, 'reason', c.reason,
      'only', case when c.actor like 'member:%' then r.member_id end,
      'transaction', case when c.to_state = 'FULFILLED' and r.hold_id is not null then r.spend_id else c.id end)
  from redeemed r join reward_redemption_change c on c.tenant_id = v_tenant and c.redemption_id = r.id
  where c.from_state is not null and c.to_state in ('FULFILLED', 'CANCELLED');
  -- Used by a purchase, released by its refund or by the clock: these follow.
  return query
  select r.made_at, o.booked_at, 'coupon', jsonb_build_object('member', r.member_id, 'transaction', r.transaction_id,
    'order_id', r.order_id, 'is_held', r.expires_at is not null, 'minor', r.minor, 'currency', r.currency,
    'campaign', r.campaign, 'code', to_jsonb(c))
  from coupon_redemption r
  join coupon_code c on c.tenant_id = v_tenant and c.id = r.code_id
  join op o on o.tenant_id = v_tenant and o.transaction_id = r.transaction_id
  where r.tenant_id = v_tenant and r.member_id = any (p_members);
  return query
  select r.released_at, o.booked_at, 'coupon back', jsonb_build_object('member', r.member_id, 'of', r.transaction_id,
    'takes_back', r.released_by = 'STAFF', 'reason', r.reason)
  from op o join coupon_redemption r on r.tenant_id = v_tenant and r.id = (o.outcome ->> 'redemption')::uuid
  where o.tenant_id = v_tenant and o.kind = 'RELEASE_COUPON' and o.outcome ->> 'is' = 'done' and r.member_id = any (p_members);
  return query
  select g.given_at, o.booked_at, 'benefit', jsonb_build_object('member', g.member_id, 'transaction', o.transaction_id,
    'reason', g.reason, 'benefit', jsonb_build_object(lower(g.kind), case g.kind
      when 'MONEY' then jsonb_build_object('amount', g.minor::text, 'currency', g.currency)
      when 'PERCENT' then jsonb_build_object('basisPoints', g.basis_points)
      else jsonb_strip_nulls(jsonb_build_object('key', g.entitlement_key,
        'quota', case when g.per = 'GRANT' then g.quota end, 'validFor', g.expires_at - g.given_at)) end))
  from op o join benefit_grant g on g.tenant_id = v_tenant and g.id = (o.outcome ->> 'benefit')::uuid
  where o.tenant_id = v_tenant and o.kind = 'GIVE' and o.outcome ->> 'is' = 'done' and g.member_id = any (p_members);
  return query
  select g.settled_at, o.booked_at, 'benefit back', jsonb_build_object('member', g.member_id, 'of', g.source_id,
    'reason', g.settled_reason)
  from op o join benefit_grant g on g.tenant_id = v_tenant and g.id = (o.outcome ->> 'benefit')::uuid
  where o.tenant_id = v_tenant and o.kind = 'TAKE_BACK' and o.outcome ->> 'is' = 'done' and g.member_id = any (p_members);
end $$;

/*
 * Referrals between these members: claimed, suspected by what members were seen with, which is not kept, and decided.
 * That they qualify, are paid and taken back follows.
 */
create function back_test_referred(p_members uuid[]) returns setof back_test_fact language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with claimed as materialized (
    select r.*, o.booked_at
    from op o join referral r on r.tenant_id = v_tenant and r.id = (o.outcome ->> 'referral')::uuid
    where o.tenant_id = v_tenant and o.kind = 'CLAIM_REFERRAL' and o.outcome ->> 'is' = 'done'
      and r.referrer_id = any (p_members) and r.friend_id = any (p_members)
  )
  select c.claimed_at, c.booked_at, 'referral', jsonb_build_object('member', c.friend_id, 'code', referral_code(c.referrer_id),
    'program', c.key)
  from claimed c
  union all
  select x.at, case when x.from_state is null then c.booked_at + interval '1 microsecond'
      else back_test_made(x.id) + interval '999 microseconds' end,
    'suspect', jsonb_build_object('member', c.friend_id, 'state', x.to_state)
  from claimed c join referral_change x on x.tenant_id = v_tenant and x.referral_id = c.id
  where x.to_state in ('REVIEW', 'REJECTED') and x.actor <> 'engawa'
    and (x.from_state is distinct from 'REVIEW' or x.at is distinct from c.reviewed_at);
  return query
  select o.at, o.booked_at, 'review', jsonb_build_object('member', r.friend_id, 'reason', r.reason,
    'is_approved', not exists (
      select from referral_change x where x.tenant_id = v_tenant and x.referral_id = r.id and x.from_state = 'REVIEW'
        and x.to_state = 'REJECTED' and x.at = o.at))
  from op o join referral r on r.tenant_id = v_tenant and r.id = (o.outcome ->> 'referral')::uuid
  where o.tenant_id = v_tenant and o.kind = 'DECIDE_REFERRAL' and o.outcome ->> 'is' = 'done'
    and r.referrer_id = any (p_members) and r.friend_id = any (p_members);
end $$;

/* What happened to these members and is not told again: [{"kind", "count"}]. */
create or replace function back_test_not_told(p_members uuid[]) returns jsonb language plpgsql stable as $$
declare
  v_tenant uuid := current_tenant();
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'count', c.n) order by c.kind), '[]')
    from (
      select x.kind, count(*) as n
      from (
        select o.kind from op o join wallet w on w.tenant_id = v_tenant and w.id = (o.outcome ->> 'wallet')::uuid
        where o.tenant_id = v_tenant and o.kind = 'EXTEND' and o.outcome ->> 'is' = 'done' and w.member_id = any (p_members)
        union all
        -- From a member who is not among them.
        select o.kind from wallet w
        join op o on o.tenant_id = v_tenant and o.wallet_id = w.id and o.kind = 'TRANSFER'
        join op g on g.tenant_id = v_tenant and g.transaction_id = (o.outcome ->> 'from_transaction')::uuid
        join wallet f on f.tenant_id = v_tenant and f.id = g.wallet_id and f.member_id <> all (p_members)
        where w.tenant_id = v_tenant and w.member_id = any (p_members)
        union all
        select 'REFERRAL' from referral r
        where r.tenant_id = v_tenant and (r.referrer_id = any (p_members)) <> (r.friend_id = any (p_members))
        union all
        select 'TIER' from tier_decision d
        where d.tenant_id = v_tenant and d.member_id = any (p_members) and d.cause = 'MANUAL'
      ) x group by x.kind) c);
end $$;
drop function back_test_facts(uuid[], text[], timestamptz);

-- ── Telling it again ─────────────────────────────────────────────────────────────────────────────

/* What telling this fact answered; nulls when it was not told, or refused. */
create function back_test_told(p_transaction text) returns op language plpgsql stable as $$
declare
  v_op op;
begin
  select o.* into v_op from op o
  where o.tenant_id = current_tenant() and o.idempotency_key = 'back-test ' || p_transaction and o.outcome ->> 'is' = 'done';
  return v_op;
end $$;

/* Redeems a coupon again, by the same code. A campaign that ran runs, if it may by its window: who started it is not kept. */
create function back_test_coupon(p_key text, p_body jsonb) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_code coupon_code := jsonb_populate_record(null::coupon_code, p_body -> 'code' || jsonb_build_object('tenant_id', v_tenant,
    'reserved', 0, 'used', 0, 'released', 0, 'taken', 0));
  v_campaign text := (select c.campaign from coupon_live(v_code.coupon) c);
begin
  if v_campaign = p_body ->> 'campaign' and exists (
      select from campaign_run r where r.tenant_id = v_tenant and r.campaign = v_campaign and r.state in ('DRAFT', 'PAUSED')) then
    perform campaign_move(p_key || ' runs', '', v_campaign, 'ACTIVE', 'engawa');
  end if;
  insert into coupon_code select v_code.*
  where exists (select from coupon_counter c where c.tenant_id = v_tenant and c.coupon = v_code.coupon)
  on conflict do nothing;
  if not exists (select from coupon_code c where c.tenant_id = v_tenant and c.id = v_code.id) then
    return points_not_found('coupon');
  end if;
  return coupon_redeem(p_key, '', (p_body ->> 'member')::uuid, null, v_code.hash, p_body ->> 'order_id',
    (p_body ->> 'is_held')::boolean, case when p_body ->> 'campaign' is not null then (p_body ->> 'minor')::bigint end,
    p_body ->> 'currency', 'back-test', 'engawa');
end $$;

/* Suspects the referral of a friend again. */
create function back_test_suspect(p_friend uuid, p_state text) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
begin
  update referral r set state = p_state, suspicions = r.suspicions || array['SEEN'], due_at = null, actor = 'engawa',
    reason = null, closed_at = case when p_state = 'REJECTED' then tenant_now(v_tenant) end
  where r.tenant_id = v_tenant and r.friend_id = p_friend
    and r.state in ('CLAIMED', 'QUALIFIED', 'HELD', case p_state when 'REJECTED' then 'REVIEW' end);
  return '{"is": "done"}';
end $$;

/* Adjusts points by hand again. What was done at once and would have to be approved is refused. */
create function back_test_adjust(p_key text, p_body jsonb) returns jsonb language plpgsql as $$
declare
  v_answer jsonb := points_adjust(p_key, '', p_body ->> 'kind', (p_body ->> 'member')::uuid, null, (p_body ->> 'points')::bigint,
    p_body ->> 'currency', p_body ->> 'reason', p_body ->> 'actor');
begin
  return case when v_answer ->> 'is' = 'done' and v_answer ->> 'transaction' is null and not (p_body ->> 'is_asked')::boolean
    then '{"is": "approval_needed"}' else v_answer end;
end $$;

/* Tells one fact again to the current tenant; what it answered. */
create or replace function back_test_tell(p_fact back_test_fact, p_n int, p_kinds text[]) returns jsonb language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_body jsonb := p_fact.body;
  v_member uuid := (v_body ->> 'member')::uuid;
  -- What something later names, else a key of its own.
  v_key text := 'back-test ' || coalesce(v_body ->> 'transaction', p_n::text);
  v_points bigint := (v_body ->> 'points')::bigint;
  -- What this one names.
  v_of op;
begin
  if v_body ? 'of' then
    v_of := back_test_told(v_body ->> 'of');
    if v_of.transaction_id is null then
      return points_not_found('earlier fact');
    end if;
  end if;
  case p_fact.kind
  when 'program', 'draft' then
    return jsonb_build_object('is', 'done') || program_put(v_body -> 'entries', p_kinds, null, 'engawa');
  when 'member' then
    insert into member
    select (jsonb_populate_record(null::member, v_body || jsonb_build_object('tenant_id', v_tenant, 'membership', 'ACTIVE',
      'membership_since', p_fact.at, 'ended_at', null, 'membership_end', null, 'membership_reason', null))).*;
    return '{"is": "done"}';
  when 'end' then
    return membership_end(v_key, '', v_member, null, v_body ->> 'end', v_body ->> 'reason', 'engawa');
  when 'purchase' then
    return purchase_record(v_key, '', v_member, null, v_body ->> 'order_id', (v_body ->> 'at')::timestamptz,
      v_body ->> 'currency', (v_body ->> 'total')::bigint, v_body -> 'lines', 'engawa');
  when 'import' then
    return jsonb_build_object('is', 'done') || purchase_import(jsonb_build_array(jsonb_build_object('line', 1,
      'external_id', v_body ->> 'external_id', 'order_id', v_body ->> 'order_id', 'purchased_at', v_body ->> 'at',
      'is_local', false, 'currency', v_body ->> 'currency', 'total', (v_body ->> 'total')::bigint, 'lines', v_body -> 'lines')),
      'engawa');
  when 'refund' then
    return purchase_refund(v_key, '', v_body ->> 'order_id', nullif(v_body -> 'lines', 'null'), (v_body ->> 'amount')::bigint,
      (v_body ->> 'at')::timestamptz, v_body ->> 'reason', 'engawa');
  when 'partner' then
    return partner_earn(v_key, '', v_member, null, v_body ->> 'partner', v_body ->> 'reference',
      (v_body ->> 'at')::timestamptz, v_body ->> 'money', (v_body ->> 'total')::bigint, 'engawa');
  when 'partner back' then
    if (v_body ->> 'amount')::bigint = 0 then
      return '{"is": "done"}';
    end if;
    return partner_give_back(v_key, '', v_body ->> 'partner', v_body ->> 'reference', (v_body ->> 'amount')::bigint,
      'Given back', 'engawa');
  when 'activity' then
    return jsonb_build_object('is', 'done', 'activity', activity_record(v_member, v_body ->> 'name', v_body ->> 'key',
      v_body -> 'properties', (v_body ->> 'at')::timestamptz));
  when 'move' then
    return member_move(v_key, '', v_member, null, v_body ->> 'stage', v_body ->> 'reason', 'engawa');
  when 'receipt' then
    return offer_receive(v_key, '', v_member, null, v_body ->> 'offer', v_body ->> 'key', (v_body ->> 'at')::timestamptz,
      v_body ->> 'way', 'engawa');
  when 'grant' then
    return points_grant(v_key, '', v_member, null, v_points, v_body ->> 'currency', v_body ->> 'reason',
      (v_body ->> 'available_at')::timestamptz, (v_body ->> 'expires_at')::timestamptz, 'engawa');
  when 'spend' then
    return points_spend(v_key, '', v_member, null, v_points, v_body ->> 'currency', v_body ->> 'reason', 'engawa');
  when 'spend back' then
    return points_refund_spend(v_key, '', v_of.transaction_id, v_points, v_body ->> 'reason', 'engawa');
  when 'hold' then
    return points_hold(v_key, '', v_member, null, v_points, v_body ->> 'currency', (v_body ->> 'expires_in')::interval,
      v_body ->> 'reason', 'engawa');
  when 'capture' then
    return points_capture(v_key, '', (v_of.outcome ->> 'hold')::uuid, v_points, 'engawa');
  when 'void' then
    return points_void(v_key, '', (v_of.outcome ->> 'hold')::uuid, 'engawa');
  when 'transfer' then
    return points_transfer(v_key, '', v_member, null, (v_body ->> 'to')::uuid, null, v_points, v_body ->> 'currency',
      v_body ->> 'reason', 'engawa');
  when 'adjust' then
    return back_test_adjust(v_key, v_body);
  when 'decide' then
    return points_adjustment_decide(v_key, '', (v_of.outcome ->> 'adjustment')::uuid, (v_body ->> 'is_approved')::boolean,
      v_body ->> 'note', v_body ->> 'actor');
  when 'redeem' then
    return reward_redeem(v_key, '', v_member, null, v_body ->> 'reward', (v_body ->> 'quantity')::int, 'engawa');
  when 'fulfil' then
    return reward_fulfil(v_key, '', (v_of.outcome ->> 'redemption')::uuid, v_body ->> 'reference', 'engawa');
  when 'cancel' then
    return reward_cancel(v_key, '', (v_of.outcome ->> 'redemption')::uuid, (v_body ->> 'only')::uuid, v_body ->> 'reason',
      'engawa');
  when 'coupon' then
    return back_test_coupon(v_key, v_body);
  when 'coupon back' then
    return coupon_release(v_key, '', (v_of.outcome ->> 'redemption')::uuid, null, (v_body ->> 'takes_back')::boolean,
      v_body ->> 'reason', 'engawa');
  when 'benefit' then
    return benefit_give_by_hand(v_key, '', v_member, null, v_body -> 'benefit', v_body ->> 'reason', 'engawa');
  when 'benefit back' then
    return benefit_take_back_by_hand(v_key, '', (v_of.outcome ->> 'benefit')::uuid, v_body ->> 'reason', 'engawa');
  when 'referral' then
    return referral_claim(v_key, '', v_member, null, v_body ->> 'code', v_body ->> 'program', '[]', 'engawa');
  when 'suspect' then
    return back_test_suspect(v_member, v_body ->> 'state');
  when 'review' then
    return referral_decide(v_key, '', (select r.id from referral r where r.tenant_id = v_tenant and r.friend_id = v_member),
      (v_body ->> 'is_approved')::boolean, v_body ->> 'reason', 'engawa');
  end case;
end $$;

/*
 * What time it is for a tenant. A shadow's clock is a setting of its transaction: a row that is written for each of many
 * facts in one transaction leaves as many versions, and every look at it passes them all.
 */
create or replace function tenant_now(p_tenant uuid) returns timestamptz language plpgsql stable as $$
declare
  v_clock text := current_setting('app.clock', true);
begin
  if v_clock <> '' and left(v_clock, 36) = p_tenant::text then
    return substr(v_clock, 38)::timestamptz;
  end if;
  return coalesce((select t.clock_at from tenant t where t.id = p_tenant), now());
end $$;

/* Sets the clock of the current tenant, a shadow. */
create function back_test_set_clock(p_at timestamptz) returns void language sql as $$
  select set_config('app.clock', current_tenant() || ' ' || p_at, true)
$$;

/*
 * Moves the clock of the current tenant, a shadow, on; every message on the way arrives. What happened at one instant
 * happened without anything in between.
 */
create or replace function back_test_clock(p_to timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_next timestamptz;
begin
  loop
    exit when purchase_replay_due(1000) = 0;
  end loop;
  if p_to <= v_now then
    return;
  end if;
  loop
    v_next := clock_next(v_tenant);
    if (v_next > p_to) is not false then
      -- Nothing falls due on the way: looking at every room would be most of the work.
      perform back_test_set_clock(p_to);
      return;
    end if;
    if v_next > v_now then
      v_now := v_next;
      perform back_test_set_clock(v_now);
    end if;
    perform clock_settle();
    update touchpoint p set state = 'DELIVERED', settled_at = v_now
    where p.tenant_id = v_tenant and p.state = 'PLANNED' and p.due_at <= v_now;
  end loop;
end $$;

-- ── A run, in slices of one transaction ──────────────────────────────────────────────────────────

/* The shadow of a back-test is never kept, whoever asks. */
create constraint trigger shadow_is_undone after insert on tenant deferrable initially deferred
  for each row when (new.key = 'back-test-' || new.id) execute function refuse_change('a back-test is undone');

drop function back_test(jsonb, text[], timestamptz, int, int);

/*
 * Begins to try a draft (p_entries, a whole program) from p_from on, in a transaction that the caller undoes. A shadow of
 * the tenant is made on a clock of its own; everything that happened to the members is told to it again in order, by the
 * same functions, first under the program as it was, from p_from on under the draft. Answers what back_test_go_on takes,
 * {"is": "begun", …}, or too_many {facts}, of which p_most may be.
 */
create function back_test_begin(p_entries jsonb, p_kinds text[], p_from timestamptz, p_sample int, p_most int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant tenant := (select t from tenant t where t.id = current_tenant());
  v_to timestamptz := tenant_now(v_tenant.id);
  v_shadow uuid := uuid_v7();
  v_members uuid[];
  v_facts refcursor := 'back_test';
  v_first back_test_fact;
  v_n int;
  v_start timestamptz;
  v_begun jsonb;
begin
  v_members := array(select m.id from member m where m.tenant_id = v_tenant.id order by md5(m.id::text) limit p_sample);
  v_n := (select count(*) from purchase p where p.tenant_id = v_tenant.id and p.member_id = any (v_members))
    + (select count(*) from activity a where a.tenant_id = v_tenant.id and a.member_id = any (v_members));
  if v_n <= p_most then
    -- In the order in which it was recorded, as far as that is known: a test clock does not say when, nor does an import.
    open v_facts scroll for
      with fact as (
        select * from back_test_frame(v_members, p_kinds, p_from, p_entries) union all select * from back_test_done(v_members)
        union all select * from back_test_moved(v_members) union all select * from back_test_taken(v_members)
        union all select * from back_test_referred(v_members)
      )
      select f.at, x.told_at, f.kind, f.body from fact f
      cross join lateral (select case when v_tenant.clock_at is not null or f.kind in ('import', 'draft') then f.at
        else f.booked_at end as told_at) x
      order by x.told_at, f.booked_at;
    move forward all in v_facts;
    get diagnostics v_n = row_count;
  end if;
  if v_n > p_most then
    return jsonb_build_object('is', 'too_many', 'facts', v_n);
  end if;
  move absolute 0 in v_facts;
  fetch v_facts into v_first;
  move absolute 0 in v_facts;
  v_begun := jsonb_build_object('is', 'begun', 'shadow', v_shadow, 'from', p_from, 'to', v_to, 'n', 0, 'is_told', false,
    'refused', '{}'::jsonb, 'members', cardinality(v_members), 'not_told', back_test_not_told(v_members),
    'actual', back_test_measure(v_members, p_from, v_to + interval '1 microsecond'));
  v_start := least(p_from, v_first.at, v_first.booked_at,
      (select min(m.registered_at) from member m where m.tenant_id = v_tenant.id and m.id = any (v_members)),
      (select min(p.purchased_at) from purchase p where p.tenant_id = v_tenant.id and p.member_id = any (v_members)));
  perform set_config('app.tenant', v_shadow::text, true);
  insert into tenant (id, key, name, time_zone, locale, clock_at)
  values (v_shadow, 'back-test-' || v_shadow, v_tenant.name, v_tenant.time_zone, v_tenant.locale, v_start);
  perform back_test_set_clock(v_start);
  insert into touch_plan (tenant_id, key, version, touches)
  select p.tenant_id, p.key, max(p.version) + 1, '[]' from touch_plan p where p.tenant_id = v_shadow group by p.tenant_id, p.key;
  perform set_config('app.tenant', v_tenant.id::text, true);
  return v_begun;
end $$;
grant execute on function back_test_begin(jsonb, text[], timestamptz, int, int) to engawa_app;

/*
 * Goes on with a run for p_for; what it answers is what the next call takes. Once everything is told (is_told), the answer
 * has "facts", "draft": see back_test_measure, and "refused": {"<kind> <is>": count}. Thousands of operations in one
 * session: plans are made once.
 */
create function back_test_go_on(p_begun jsonb, p_for interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  v_tenant uuid := current_tenant();
  v_shadow uuid := (p_begun ->> 'shadow')::uuid;
  v_to timestamptz := (p_begun ->> 'to')::timestamptz;
  v_facts refcursor := 'back_test';
  v_fact back_test_fact;
  v_until timestamptz := clock_timestamp() + p_for;
  v_n int := (p_begun ->> 'n')::int;
  v_refused jsonb := p_begun -> 'refused';
  v_answer jsonb;
  v_what text;
begin
  perform set_config('app.tenant', v_shadow::text, true);
  loop
    fetch v_facts into v_fact;
    exit when not found;
    v_n := v_n + 1;
    perform back_test_clock(greatest(v_fact.booked_at, tenant_now(v_shadow)));
    v_answer := back_test_tell(v_fact, v_n, case when v_fact.body ? 'kinds'
      then array(select jsonb_array_elements_text(v_fact.body -> 'kinds')) end);
    if v_answer ->> 'is' <> 'done' then
      v_what := v_fact.kind || ' ' || (v_answer ->> 'is');
      v_refused := v_refused || jsonb_build_object(v_what, coalesce((v_refused ->> v_what)::int, 0) + 1);
    end if;
    if clock_timestamp() >= v_until then
      perform set_config('app.tenant', v_tenant::text, true);
      return p_begun || jsonb_build_object('n', v_n, 'refused', v_refused);
    end if;
  end loop;
  perform back_test_clock(v_to);
  perform clock_settle();
  -- The draft itself is no fact.
  v_answer := p_begun || jsonb_build_object('is_told', true, 'facts', v_n - 1, 'refused', v_refused, 'draft',
    back_test_measure(array(select m.id from member m where m.tenant_id = v_shadow), (p_begun ->> 'from')::timestamptz,
      v_to + interval '1 microsecond'));
  perform set_config('app.tenant', v_tenant::text, true);
  return v_answer;
end $$;
grant execute on function back_test_go_on(jsonb, interval) to engawa_app;

-- ── Plans ────────────────────────────────────────────────────────────────────────────────────────

/*
 * Points that these members earned since an instant, and what claw-backs took of them; spending takes nothing. From the
 * wallets to their lots and from these to what they were for, whatever the planner knows of a tenant's tables: with
 * little knowledge it read all lots of the tenant, for each purchase.
 */
create or replace function tier_points(p_members uuid[], p_currency text, p_with_grants boolean, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, amount bigint)
language sql stable as $$
  with held as materialized (
    select w.id, w.member_id from wallet w
    where w.tenant_id = current_tenant() and w.member_id = any(p_members) and w.currency = p_currency
  ), earned as materialized (
    select h.member_id, l.id as lot_id, o.at, l.granted
    from held h
    cross join lateral (
      select * from lot x
      where x.tenant_id = current_tenant() and x.wallet_id = h.id and x.available_at >= p_since offset 0) l
    cross join lateral (
      select x.at, x.kind from op x
      where x.tenant_id = current_tenant() and x.transaction_id = l.transaction_id offset 0) o
    left join lateral (
      select x.lot_id from earn_basis x
      where x.tenant_id = current_tenant() and x.source_type = l.source_type and x.source_id = l.source_id
        and x.line = l.line and x.rule = l.rule and x.lot_id = l.id offset 0) b on true
    where b.lot_id is not null or (p_with_grants and o.kind = 'GRANT')
  )
  select e.member_id, e.at, e.at, e.granted from earned e
  union all
  select e.member_id, e.at, r.at, -r.points
  from earned e join tier_revocation r on r.tenant_id = current_tenant() and r.lot_id = e.lot_id
$$;
