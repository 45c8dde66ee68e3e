-- What the room of purchases tells the tiers: its facts, and what refunds took back of them.

set local role engawa_owner;

create or replace function tier_purchases(p_members uuid[], p_currency text, p_since timestamptz)
returns table (member_id uuid, at timestamptz, known_at timestamptz, spent numeric, bought int)
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
  with made as materialized (
    select p.* from purchase p
    where p.tenant_id = current_tenant() and p.member_id = any(p_members) and p.purchased_at >= p_since
      and (p_currency is null or p.currency = p_currency)
  )
  select m.member_id, m.purchased_at, m.purchased_at, m.total::numeric, 1 from made m
  union all
  select m.member_id, m.purchased_at, r.at, -r.amount::numeric, 0
  from made m join refund r on r.tenant_id = current_tenant() and r.purchase_id = m.id
  where m.state <> 'COMPLETED'
  union all
  select m.member_id, m.purchased_at, m.refunded_at, 0, -1 from made m where m.state = 'REFUNDED';
end $$;
