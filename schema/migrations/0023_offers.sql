-- Offers: what members are given or take, what completes it, and what it is worth. Every receipt of an offer counts
-- on its own and keeps the version of the offer that it began with.

set local role engawa_owner;

/* The order in which purchases were recorded: it decides among those of one instant. */
alter table purchase add column recorded bigint generated always as identity;

-- ── What is offered: one row for each version, as published ─────────────────────────────────────

create table offer (
  tenant_id   uuid not null references tenant,
  kind        text not null generated always as ('offer') stored,
  key         text not null,
  version     int not null check (version > 0),
  id          uuid not null default uuid_v7(),
  /* {"en": …, "ja": …}; null: it goes by its key. */
  name        jsonb,
  type        text not null check (type in ('SPEND_TOTAL', 'SINGLE_PURCHASE', 'PRODUCT_SET', 'INFORMATION')),
  /* Minor units; is_above: a purchase of exactly so much is not enough. */
  threshold   bigint check (threshold between 0 and 1000000000000000),
  is_above    boolean not null default false,
  /* The only currency that counts. Null: each is added up for itself. */
  currency    text check (currency ~ '^[A-Z]{3}$'),
  /* What a PRODUCT_SET is made of: products by sku, and products by label; how many of them are needed. */
  skus        text[] not null default '{}',
  labels      text[] not null default '{}',
  needed      int check (needed > 0),
  benefits    jsonb not null default '[]' check (jsonb_typeof(benefits) = 'array'),
  /* ISO 8601, from the receipt on. */
  valid_for   text,
  opens_at    timestamptz,
  closes_at   timestamptz,
  is_end_inclusive boolean not null default false,
  audience_id uuid,
  stock       int check (stock >= 0),
  per_member  int check (per_member > 0),
  how_given   text not null check (how_given in ('RECEIVED', 'CLAIMED', 'ON_STAGE')),
  stages      text[] not null default '{}',
  label       text,
  campaign    text,
  primary key (tenant_id, key, version),
  unique (tenant_id, id),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check ((threshold is not null) = (type in ('SPEND_TOTAL', 'SINGLE_PURCHASE'))),
  check ((type = 'PRODUCT_SET') = (needed is not null)),
  check (needed is null or needed <= cardinality(skus) + cardinality(labels)),
  check (opens_at < closes_at),
  check ((how_given = 'ON_STAGE') = (cardinality(stages) > 0))
);
call protect('offer');
grant select on offer to engawa_app;

/* How many of an offer there are, and how many are taken; only of offers with a stock. Counts from when it was set. */
create table offer_stock (
  tenant_id uuid not null references tenant,
  key       text not null,
  stock     int not null,
  taken     int not null default 0 check (taken >= 0),
  primary key (tenant_id, key),
  check (taken <= stock)
);
call protect('offer_stock');
grant select on offer_stock to engawa_app;

create function offer_of_definition() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_taken int;
begin
  perform benefit_check(b.benefit, 'offer.benefits.' || b.n - 1)
  from jsonb_array_elements(coalesce(new.body -> 'benefits', '[]')) with ordinality b (benefit, n);
  insert into offer (tenant_id, key, version, name, type, threshold, is_above, currency, skus, labels, needed, benefits,
    valid_for, opens_at, closes_at, is_end_inclusive, audience_id, stock, per_member, how_given, stages, label, campaign)
  select new.tenant_id, new.key, new.version, b.name, b.type, b.threshold, coalesce(b."thresholdIs" = 'ABOVE', false),
    b.currency, coalesce(b.skus, '{}'), coalesce(b.labels, '{}'),
    case when b.type = 'PRODUCT_SET'
      then coalesce(b.needed, coalesce(cardinality(b.skus), 0) + coalesce(cardinality(b.labels), 0)) end,
    coalesce(b.benefits, '[]'), b."validFor", b."from", b.until, coalesce(b."endIs" = 'INCLUSIVE', false),
    (new.audiences ->> 'audience')::uuid, b.stock,
    -- What a stage gives, it gives once, ever.
    coalesce(b."perMember", case when b."howGiven" = 'ON_STAGE' then 1 end),
    coalesce(b."howGiven", 'RECEIVED'), coalesce(b.stages, '{}'), b.label, b.campaign
  from jsonb_to_record(new.body) b (
    name jsonb, type text, threshold bigint, "thresholdIs" text, currency text, skus text[], labels text[], needed int,
    benefits jsonb, "validFor" text, "from" timestamptz, until timestamptz, "endIs" text, stock int, "perMember" int,
    "howGiven" text, stages text[], label text, campaign text);
  if new.body ? 'stock' then
    insert into offer_stock (tenant_id, key, stock) values (new.tenant_id, new.key, (new.body ->> 'stock')::int)
    on conflict (tenant_id, key) do update set stock = greatest(excluded.stock, offer_stock.taken)
    returning taken into v_taken;
    perform announce('offer.stock_changed', null, jsonb_build_object('offer', new.key, 'remaining',
      greatest((new.body ->> 'stock')::int - v_taken, 0)::text), tenant_now(new.tenant_id));
  else
    delete from offer_stock s where s.tenant_id = new.tenant_id and s.key = new.key;
  end if;
  return null;
end $$;
create trigger offer_of_definition after insert on definition
  for each row when (new.kind = 'offer') execute function offer_of_definition();

/* The version of an offer that is given now; its key is null when there is none. */
create function offer_live(p_key text) returns offer language sql stable as $$
  select o.* from definition d
  join offer o on o.tenant_id = d.tenant_id and o.key = d.key and o.version = d.version
  where d.tenant_id = current_tenant() and d.kind = 'offer' and d.key = p_key and d.is_live
$$;

-- ── What a member has of it ─────────────────────────────────────────────────────────────────────

create table offer_receipt (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  member_id   uuid not null,
  /* What the giver calls it; a second receipt of this key is the same one. */
  key         text not null check (length(key) between 1 and 250),
  offer       text not null,
  version     int not null,
  way         text not null check (way in ('RECEIVED', 'CLAIMED', 'ON_STAGE')),
  /* The first, second … of this offer for this member, and how many there may be. */
  nth         int not null check (nth > 0),
  per_member  int,
  received_at timestamptz not null,
  /* Null: it does not end. */
  ends_at     timestamptz,
  /* The first instant that no longer counts: ends_at, or the microsecond after it when the end counts as well. */
  over_at     timestamptz,
  viewed_at   timestamptz,
  used_at     timestamptz,
  state       text not null default 'ISSUED'
    check (state in ('ISSUED', 'VIEWED', 'COMPLETED', 'USED', 'EXPIRED', 'REVERSED')),
  due_at      timestamptz generated always as (case when state in ('ISSUED', 'VIEWED') then over_at end) stored,
  booked_at   timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  unique (tenant_id, key),
  /* The limit for each member is this key, and the check below. */
  unique (tenant_id, member_id, offer, nth),
  foreign key (tenant_id, offer, version) references offer (tenant_id, key, version),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  constraint offer_receipt_limit check (nth <= per_member),
  check ((ends_at is null) = (over_at is null)),
  check (state not in ('VIEWED') or viewed_at is not null),
  check (state not in ('USED') or used_at is not null)
);
create index offer_receipt_due on offer_receipt (tenant_id, due_at) where due_at is not null;
call protect('offer_receipt');
create policy system on offer_receipt for select to engawa_system using (true);
grant select on offer_receipt to engawa_app, engawa_system;

/* The legal moves of a receipt. */
create function offer_receipt_moves() returns trigger language plpgsql as $$
begin
  if (old.state, new.state) not in (
    ('ISSUED', 'VIEWED'), ('ISSUED', 'COMPLETED'), ('ISSUED', 'EXPIRED'), ('VIEWED', 'COMPLETED'), ('VIEWED', 'EXPIRED'),
    ('COMPLETED', 'USED'), ('COMPLETED', 'REVERSED'), ('USED', 'REVERSED'),
    -- A purchase that was made in time and recorded late; and one after what was bought before was given back.
    ('EXPIRED', 'COMPLETED'), ('REVERSED', 'COMPLETED'))
  then
    raise exception 'a receipt does not go from % to %', old.state, new.state using errcode = '23514';
  end if;
  return null;
end $$;
create trigger moves after update of state on offer_receipt for each row when (old.state <> new.state)
  execute function offer_receipt_moves();
create trigger same_receipt before update on offer_receipt for each row
  when ((old.id, old.member_id, old.key, old.offer, old.version, old.way, old.nth, old.received_at, old.ends_at, old.over_at)
    is distinct from
    (new.id, new.member_id, new.key, new.offer, new.version, new.way, new.nth, new.received_at, new.ends_at, new.over_at))
  execute function refuse_change('a receipt stays what was given');
create trigger kept before delete or truncate on offer_receipt
  for each statement execute function refuse_change('receipts stay');

/* A purchase completed a receipt. What was recorded as completion stays, also when earlier purchases come later. */
create table offer_completion (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  receipt_id  uuid not null,
  purchase_id uuid not null,
  /* When the purchase was. */
  at          timestamptz not null,
  booked_at   timestamptz not null default clock_timestamp(),
  /* When a refund left too little. */
  reversed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, receipt_id) references offer_receipt (tenant_id, id),
  foreign key (tenant_id, purchase_id) references purchase (tenant_id, id)
);
/* A receipt is completed at most once. */
create unique index offer_completion_stands on offer_completion (tenant_id, receipt_id) where reversed_at is null;
create index offer_completion_of_receipt on offer_completion (tenant_id, receipt_id, id);
create index offer_completion_at on offer_completion (tenant_id, at);
call protect('offer_completion');
grant select on offer_completion to engawa_app;
create trigger same_completion before update on offer_completion for each row
  when (old.reversed_at is not null or (old.id, old.receipt_id, old.purchase_id, old.at)
    is distinct from (new.id, new.receipt_id, new.purchase_id, new.at))
  execute function refuse_change('a completion stays what it was');
create trigger kept before delete or truncate on offer_completion
  for each statement execute function refuse_change('completions stay');

-- ── The rule ────────────────────────────────────────────────────────────────────────────────────

/*
 * Which of these receipts are reached, and by which purchase, whatever has been recorded of it. A purchase counts when
 * it was made at or after the receipt and before its end; what was given back counts no more. p_purchases are those
 * that arrive now, in their order: what is true once the first of them that is enough has come is the answer, so that
 * many at once complete what one at a time would.
 */
create function offers_reached(p_receipts uuid[], p_purchases uuid[])
returns table (receipt_id uuid, purchase_id uuid, at timestamptz) language plpgsql stable as $$
begin
  return query
  with asked as materialized (
    select r.id as receipt, r.member_id, r.received_at, coalesce(r.over_at, 'infinity') as over_at, o.type, o.currency,
           o.threshold + case when o.is_above then 1 else 0 end as needs
    from offer_receipt r
    join offer o on o.tenant_id = r.tenant_id and o.key = r.offer and o.version = r.version
    where r.tenant_id = current_tenant() and r.id = any(p_receipts) and o.type in ('SPEND_TOTAL', 'SINGLE_PURCHASE')
  ), pool as materialized (
    select a.receipt, a.type, a.needs, p.id as purchase, p.currency, p.purchased_at, p.recorded,
           p.total - p.refunded as amount, coalesce(n.n, 0) as n
    from asked a
    join purchase p on p.tenant_id = current_tenant() and p.member_id = a.member_id
      and p.purchased_at >= a.received_at and p.purchased_at < a.over_at
    left join unnest(p_purchases) with ordinality n (id, n) on n.id = p.id
    where p.state <> 'REFUNDED' and (a.currency is null or a.currency = p.currency)
  ), enough as (
    select x.receipt, min(x.n) as n
    from (select l.receipt, l.n, l.needs, case l.type when 'SPEND_TOTAL'
            then sum(l.amount) over (partition by l.receipt, l.currency order by l.n) else l.amount end as reaches
          from pool l) x
    where x.reaches >= x.needs group by x.receipt
  ), counted as (
    select l.*, case l.type when 'SPEND_TOTAL'
      then sum(l.amount) over (partition by l.receipt, l.currency order by l.purchased_at, l.recorded)
      else l.amount end as reaches
    from pool l join enough e on e.receipt = l.receipt and l.n <= e.n
  )
  select distinct on (c.receipt) c.receipt, c.purchase, c.purchased_at from counted c
  where c.reaches >= c.needs order by c.receipt, c.purchased_at, c.recorded;

  if exists (select from offer_receipt r
             join offer o on o.tenant_id = r.tenant_id and o.key = r.offer and o.version = r.version
             where r.tenant_id = current_tenant() and r.id = any(p_receipts) and o.type = 'PRODUCT_SET') then
    return query select * from offers_reached_sets(p_receipts, p_purchases);
  end if;
end $$;

/* What labels a product has now. */
create function offer_labels_of(p_sku text) returns text[] language sql stable as $$
  select array(select l.key from label_sku l
               join definition d on d.tenant_id = l.tenant_id and d.kind = 'label' and d.key = l.key and d.version = l.version
               where l.tenant_id = current_tenant() and l.sku = p_sku and d.is_live)
$$;

/* The same for sets of products: what is reached is enough different items, each by its first purchase that still stands. */
create function offers_reached_sets(p_receipts uuid[], p_purchases uuid[])
returns table (receipt_id uuid, purchase_id uuid, at timestamptz) language sql stable as $$
  with pool as materialized (
    select r.id as receipt, o.needed, i.item, p.id as purchase, p.purchased_at, p.recorded, coalesce(n.n, 0) as n
    from offer_receipt r
    join offer o on o.tenant_id = r.tenant_id and o.key = r.offer and o.version = r.version
    join purchase p on p.tenant_id = r.tenant_id and p.member_id = r.member_id
      and p.purchased_at >= r.received_at and p.purchased_at < coalesce(r.over_at, 'infinity')
    join purchase_line l on l.tenant_id = p.tenant_id and l.purchase_id = p.id and l.refunded_quantity < l.quantity
    cross join lateral (
      select 'sku ' || l.sku where l.sku = any(o.skus)
      union all
      select 'label ' || x from unnest(o.labels) x where x = any(offer_labels_of(l.sku))) i (item)
    left join unnest(p_purchases) with ordinality n (id, n) on n.id = p.id
    where r.tenant_id = current_tenant() and r.id = any(p_receipts) and o.type = 'PRODUCT_SET' and p.state <> 'REFUNDED'
  ), enough as (
    select x.receipt, min(x.n) as n
    from (select f.receipt, f.needed, f.n, row_number() over (partition by f.receipt order by f.n) as items
          from (select l.receipt, l.needed, l.item, min(l.n) as n from pool l group by l.receipt, l.needed, l.item) f) x
    where x.items >= x.needed group by x.receipt
  ), firsts as (
    select distinct on (l.receipt, l.item) l.* from pool l join enough e on e.receipt = l.receipt and l.n <= e.n
    order by l.receipt, l.item, l.purchased_at, l.recorded
  )
  select c.receipt, c.purchase, c.purchased_at
  from (select f.*, row_number() over (partition by f.receipt order by f.purchased_at, f.recorded, f.item) as items
        from firsts f) c
  where c.items = c.needed
$$;

/*
 * Completes those of these receipts that are reached, and gives what they are worth; how many. The callers hold the
 * locks of the members.
 */
create function offers_complete(p_receipts uuid[], p_purchases uuid[]) returns int language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_given record;
  v_completions uuid[];
begin
  with reached as materialized (
    select * from offers_reached(p_receipts, p_purchases)
  ), completed as (
    insert into offer_completion (tenant_id, receipt_id, purchase_id, at)
    select v_tenant, e.receipt_id, e.purchase_id, e.at from reached e order by e.at, e.receipt_id
    returning id, receipt_id, purchase_id, at
  ), moved as (
    update offer_receipt r set state = 'COMPLETED'
    from completed c where r.tenant_id = v_tenant and r.id = c.receipt_id
  ), told as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'offer.completed', r.member_id,
           jsonb_build_object('receipt', r.id, 'offer', r.offer, 'purchase', c.purchase_id), c.at
    from completed c join offer_receipt r on r.tenant_id = v_tenant and r.id = c.receipt_id
    order by c.at, c.receipt_id
  )
  select array_agg(c.id order by c.at, c.receipt_id) into v_completions from completed c;

  for v_given in
    select c.id || '.' || b.n as source, r.member_id, c.at, left(coalesce(o.name ->> t.locale, o.name ->> 'en', o.key), 200) as reason,
      -- Money without a currency is in that of the purchase.
      case when b.benefit ? 'money' and not b.benefit -> 'money' ? 'currency'
        then jsonb_set(b.benefit, '{money,currency}', to_jsonb(p.currency)) else b.benefit end as benefit
    from unnest(v_completions) with ordinality v (id, place)
    join offer_completion c on c.tenant_id = v_tenant and c.id = v.id
    join offer_receipt r on r.tenant_id = v_tenant and r.id = c.receipt_id
    join offer o on o.tenant_id = v_tenant and o.key = r.offer and o.version = r.version
    join purchase p on p.tenant_id = v_tenant and p.id = c.purchase_id
    join tenant t on t.id = v_tenant
    cross join jsonb_array_elements(o.benefits) with ordinality b (benefit, n)
    order by v.place, b.n
  loop
    perform benefit_give(v_given.member_id, v_given.benefit, 'offer', v_given.source, v_given.at, v_given.reason, 'engawa');
  end loop;
  return coalesce(cardinality(v_completions), 0);
end $$;

/* What purchases that were recorded just now complete, given in the order in which they were. For any members. */
create function offers_of_purchases(p_purchases uuid[]) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_receipts uuid[];
begin
  -- Costs next to nothing where nobody ever received an offer.
  if not exists (select from offer_receipt r where r.tenant_id = v_tenant) then
    return;
  end if;
  v_receipts := array(
    select distinct r.id from purchase p
    join offer_receipt r on r.tenant_id = p.tenant_id and r.member_id = p.member_id
      and p.purchased_at >= r.received_at and p.purchased_at < coalesce(r.over_at, 'infinity')
    where p.tenant_id = v_tenant and p.id = any(p_purchases) and r.state in ('ISSUED', 'VIEWED', 'EXPIRED', 'REVERSED'));
  if cardinality(v_receipts) > 0 then
    perform offers_complete(v_receipts, p_purchases);
  end if;
end $$;

create function offers_of_purchase(p_purchase uuid) returns void language sql as $$
  select offers_of_purchases(array[p_purchase])
$$;

/*
 * A purchase was given back, or a part of it: completions that what remains does not reach are reversed, and what they
 * were worth is taken back.
 */
create function offers_of_refund(p_purchase uuid, p_at timestamptz) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_receipts uuid[];
  v_gone record;
begin
  v_receipts := array(
    select r.id from purchase p
    join offer_receipt r on r.tenant_id = p.tenant_id and r.member_id = p.member_id
      and p.purchased_at >= r.received_at and p.purchased_at < coalesce(r.over_at, 'infinity')
    where p.tenant_id = v_tenant and p.id = p_purchase and r.state in ('COMPLETED', 'USED'));
  for v_gone in
    update offer_completion c set reversed_at = p_at
    where c.tenant_id = v_tenant and c.reversed_at is null and c.receipt_id = any(v_receipts)
      and c.receipt_id not in (select e.receipt_id from offers_reached(v_receipts, '{}') e)
    returning c.id, c.receipt_id
  loop
    perform announce('offer.reversed', r.member_id, jsonb_build_object('receipt', r.id, 'offer', r.offer), p_at)
    from offer_receipt r where r.tenant_id = v_tenant and r.id = v_gone.receipt_id;
    perform benefit_take_back('offer', v_gone.id || '.' || b.n, p_at, 'Refund')
    from offer_receipt r
    join offer o on o.tenant_id = r.tenant_id and o.key = r.offer and o.version = r.version
    cross join generate_series(1, jsonb_array_length(o.benefits)) b (n)
    where r.tenant_id = v_tenant and r.id = v_gone.receipt_id;
    update offer_receipt r set state = 'REVERSED' where r.tenant_id = v_tenant and r.id = v_gone.receipt_id;
  end loop;
end $$;

-- ── Given, and taken ────────────────────────────────────────────────────────────────────────────

/*
 * When a receipt ends. Days and times are lengths (a day is 24 hours), so that a window is as long at a change of the
 * clocks as at any other time; months and years go by the calendar of the tenant.
 */
create function offer_end(p_offer offer, p_at timestamptz) returns timestamptz language plpgsql stable as $$
declare
  v_for interval := p_offer.valid_for::interval;
  v_months int := extract(year from v_for) * 12 + extract(month from v_for);
  v_zone text;
  v_end timestamptz := p_at;
begin
  if v_months > 0 then
    v_zone := (select t.time_zone from tenant t where t.id = p_offer.tenant_id);
    v_end := ((p_at at time zone v_zone) + make_interval(months => v_months)) at time zone v_zone;
  end if;
  -- Null without a duration: least passes it over.
  return least(p_offer.closes_at, v_end + (v_for - make_interval(months => v_months) - make_interval(days => extract(day from v_for)::int))
    + make_interval(hours => 24 * extract(day from v_for)::int));
end $$;

/* Why these members would not be given this offer at an instant; no row for those who would. */
create function offer_refusals(p_offer offer, p_members uuid[], p_at timestamptz, p_way text)
returns table (member_id uuid, reason text) language sql stable as $$
  select m.id, x.reason
  from unnest(p_members) m (id)
  cross join lateral (select case
    when p_way = 'CLAIMED' and p_offer.how_given <> 'CLAIMED' then 'NOT_CLAIMABLE'
    when p_offer.audience_id is not null
      and m.id not in (select audience_matches(p_offer.audience_id, p_members)) then 'NOT_ELIGIBLE'
    when p_at < p_offer.opens_at then 'NOT_YET'
    when p_at > p_offer.closes_at or (p_at = p_offer.closes_at and not p_offer.is_end_inclusive) then 'OVER'
    when p_offer.per_member <= (select count(*) from offer_receipt r where r.tenant_id = p_offer.tenant_id
                                and r.member_id = m.id and r.offer = p_offer.key) then 'LIMIT_REACHED'
    when p_offer.stock is not null and exists (select from offer_stock s where s.tenant_id = p_offer.tenant_id
      and s.key = p_offer.key and s.taken >= s.stock) then 'OUT_OF_STOCK' end) x (reason)
  where x.reason is not null
$$;

/*
 * Gives an offer to a member whose lock the caller holds: the receipt, and null; or null, and why not. What the member
 * bought already may complete it at once.
 */
create function offer_give(
  p_offer offer, p_member uuid, p_key text, p_at timestamptz, p_way text, out receipt_id uuid, out refusal text
) language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid := uuid_v7();
  v_end timestamptz := offer_end(p_offer, p_at);
  v_left int;
begin
  refusal := (select x.reason from offer_refusals(p_offer, array[p_member], p_at, p_way) x);
  if refusal is not null then
    return;
  end if;
  if p_offer.stock is not null then
    update offer_stock s set taken = s.taken + 1
    where s.tenant_id = v_tenant and s.key = p_offer.key and s.taken < s.stock
    returning s.stock - s.taken into v_left;
    if not found then
      refusal := 'OUT_OF_STOCK';
      return;
    end if;
    perform announce('offer.stock_changed', null, jsonb_build_object('offer', p_offer.key, 'remaining', v_left::text), v_now);
  end if;
  insert into offer_receipt (tenant_id, id, member_id, key, offer, version, way, nth, per_member, received_at, ends_at, over_at)
  values (v_tenant, v_id, p_member, coalesce(p_key, v_id::text), p_offer.key, p_offer.version, p_way,
    1 + (select count(*) from offer_receipt r where r.tenant_id = v_tenant and r.member_id = p_member and r.offer = p_offer.key),
    p_offer.per_member, p_at, v_end,
    v_end + case when p_offer.is_end_inclusive then interval '1 microsecond' else interval '0' end);
  perform announce(case p_way when 'CLAIMED' then 'offer.claimed' else 'offer.issued' end, p_member,
    jsonb_build_object('receipt', v_id, 'offer', p_offer.key), p_at);
  perform offers_complete(array[v_id], '{}');
  receipt_id := v_id;
end $$;

/*
 * A member receives an offer (p_way RECEIVED) or takes it (CLAIMED). p_receipt is what the giver calls the receipt.
 * Outcomes: done {receipt, member}, bad_input, not_found, key_reused, membership_ended, offer_refused {reason}.
 */
create function offer_receive(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_offer text, p_receipt text, p_at timestamptz, p_way text,
  p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_at timestamptz := coalesce(p_at, v_now);
  v_member member;
  v_offer offer;
  v_known offer_receipt;
  v_op record;
  v_given record;
begin
  if v_at > v_now + interval '5 minutes' then
    return bad_input('at', format('An offer is not received in the future; the tenant''s clock says %s.',
      to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  v_offer := offer_live(p_offer);
  if v_offer.key is null then
    return jsonb_build_object('is', 'not_found', 'what', 'offer');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'OFFER', p_actor, v_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_member.id);
  v_member := member_find(v_member.id, null);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  select * into v_known from offer_receipt r where r.tenant_id = v_tenant and r.key = p_receipt;
  if v_known.id is null then
    select * into v_given from offer_give(v_offer, v_member.id, p_receipt, v_at, p_way);
  elsif (v_known.member_id, v_known.offer) is distinct from (v_member.id, p_offer) then
    return op_finish(p_key, jsonb_build_object('is', 'offer_refused', 'reason', 'RECEIPT_EXISTS'));
  else
    select v_known.id as receipt_id, null as refusal into v_given;
  end if;
  if v_given.refusal is not null then
    return op_finish(p_key, jsonb_build_object('is', 'offer_refused', 'reason', v_given.refusal));
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'receipt', v_given.receipt_id, 'member', v_member.id));
end $$;

/*
 * What entering a stage gives, once ever. It counts from the microsecond after, so that the purchase which brought the
 * stage does not complete it.
 */
create function offers_of_stage(p_member uuid, p_stage text, p_at timestamptz) returns void language plpgsql as $$
declare
  v_offer offer;
begin
  for v_offer in
    select o.* from definition d
    join offer o on o.tenant_id = d.tenant_id and o.key = d.key and o.version = d.version
    where d.tenant_id = current_tenant() and d.kind = 'offer' and d.is_live and p_stage = any(o.stages)
    order by o.key
  loop
    perform member_lock(p_member);
    if not exists (select from offer_receipt r where r.tenant_id = v_offer.tenant_id and r.member_id = p_member
                   and r.offer = v_offer.key and r.way = 'ON_STAGE') then
      perform offer_give(v_offer, p_member, format('engawa:stage:%s:%s', p_member, v_offer.key),
        p_at + interval '1 microsecond', 'ON_STAGE');
    end if;
  end loop;
end $$;

/* A member saw a receipt; the first time counts. p_only: whose it has to be. Outcomes: done {receipt, member}, not_found. */
create function offer_view(p_receipt uuid, p_only uuid, p_at timestamptz) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_receipt offer_receipt;
begin
  select * into v_receipt from offer_receipt r
  where r.tenant_id = v_tenant and r.id = p_receipt and (p_only is null or r.member_id = p_only);
  if v_receipt.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'receipt');
  end if;
  if p_at > v_now + interval '5 minutes' or p_at < v_receipt.received_at then
    return bad_input('at', 'An offer is seen between its receipt and the tenant''s present.');
  end if;
  perform offers_seen(jsonb_build_array(jsonb_build_object('receipt', p_receipt, 'at', coalesce(p_at, v_now))));
  return jsonb_build_object('is', 'done', 'receipt', v_receipt.id, 'member', v_receipt.member_id);
end $$;

/* Marks receipts [{"receipt", "at"}] as seen that were not before; how many. */
create function offers_seen(p_views jsonb) returns int language sql as $$
  with seen as (
    update offer_receipt r set viewed_at = v.at, state = case r.state when 'ISSUED' then 'VIEWED' else r.state end
    from (select x.receipt, min(x.at) as at from jsonb_to_recordset(p_views) x (receipt uuid, at timestamptz) group by x.receipt) v
    where r.tenant_id = current_tenant() and r.id = v.receipt and r.viewed_at is null
    returning r.id, r.member_id, r.offer, r.viewed_at
  ), told as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select current_tenant(), 'offer.viewed', s.member_id, jsonb_build_object('receipt', s.id, 'offer', s.offer), s.viewed_at
    from seen s order by s.viewed_at, s.id
  )
  select count(*)::int from seen
$$;

/*
 * What a completed offer was worth has been used. p_only: whose it has to be. Outcomes: done {receipt, member},
 * not_found, key_reused, offer_refused {NOT_COMPLETED, USED, REVERSED}.
 */
create function offer_use(p_key text, p_hash bytea, p_receipt uuid, p_only uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_receipt offer_receipt;
  v_op record;
begin
  select * into v_receipt from offer_receipt r
  where r.tenant_id = v_tenant and r.id = p_receipt and (p_only is null or r.member_id = p_only);
  if v_receipt.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'receipt');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'OFFER', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform member_lock(v_receipt.member_id);
  update offer_receipt r set state = 'USED', used_at = v_now
  where r.tenant_id = v_tenant and r.id = p_receipt and r.state = 'COMPLETED';
  if not found then
    return op_finish(p_key, jsonb_build_object('is', 'offer_refused', 'reason', (select case r.state
      when 'USED' then 'USED' when 'REVERSED' then 'REVERSED' else 'NOT_COMPLETED' end
      from offer_receipt r where r.tenant_id = v_tenant and r.id = p_receipt)));
  end if;
  perform announce('offer.used', v_receipt.member_id,
    jsonb_build_object('receipt', v_receipt.id, 'offer', v_receipt.offer), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'receipt', v_receipt.id, 'member', v_receipt.member_id));
end $$;

/* Books receipts that are over by the tenant's clock, at most p_limit; how many. */
create function offers_settle_due(p_limit int) returns int
language sql security definer set search_path = public, pg_temp as $$
  with due as materialized (
    select r.id from offer_receipt r
    where r.tenant_id = current_tenant() and r.due_at <= tenant_now(current_tenant())
    order by r.due_at, r.id limit p_limit for no key update skip locked
  ), over as (
    update offer_receipt r set state = 'EXPIRED' from due d where r.tenant_id = current_tenant() and r.id = d.id
    returning r.id, r.member_id, r.offer, r.ends_at
  ), told as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select current_tenant(), 'offer.expired', o.member_id, jsonb_build_object('receipt', o.id, 'offer', o.offer), o.ends_at
    from over o order by o.ends_at, o.id
  )
  select count(*)::int from over
$$;

-- ── Read ────────────────────────────────────────────────────────────────────────────────────────

/* The live offers that members may take, or would be given, or have had; and why not when they cannot take one now. */
create function offers_for(p_members uuid[])
returns table (member_id uuid, offer_id uuid, key text, refusal text)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id, o.id, o.key, x.reason
  from definition d
  join offer o on o.tenant_id = d.tenant_id and o.key = d.key and o.version = d.version
  cross join unnest(p_members) m (id)
  left join lateral offer_refusals(o, p_members, tenant_now(o.tenant_id), 'CLAIMED') x on x.member_id = m.id
  where d.tenant_id = current_tenant() and d.kind = 'offer' and d.is_live
$$;

/*
 * How far receipts have come: of totals and single purchases the most of each currency, of sets the number of items.
 */
create function offers_progress(p_receipts uuid[])
returns table (receipt_id uuid, currency text, reached bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select r.id, p.currency,
    (case o.type when 'SPEND_TOTAL' then sum(p.total - p.refunded) else max(p.total - p.refunded) end)::bigint
  from offer_receipt r
  join offer o on o.tenant_id = r.tenant_id and o.key = r.offer and o.version = r.version
  join purchase p on p.tenant_id = r.tenant_id and p.member_id = r.member_id
    and p.purchased_at >= r.received_at and p.purchased_at < coalesce(r.over_at, 'infinity')
  where r.tenant_id = current_tenant() and r.id = any(p_receipts) and o.type in ('SPEND_TOTAL', 'SINGLE_PURCHASE')
    and p.state <> 'REFUNDED' and (o.currency is null or o.currency = p.currency)
  group by r.id, o.type, p.currency
$$;
grant execute on function
  offer_receive(text, bytea, uuid, text, text, text, timestamptz, text, text), offer_view(uuid, uuid, timestamptz),
  offer_use(text, bytea, uuid, uuid, text), offers_settle_due(int), offers_for(uuid[]), offers_progress(uuid[])
to engawa_app;

-- ── Import ──────────────────────────────────────────────────────────────────────────────────────

/* Ids are made in great numbers by an import. Where PostgreSQL makes them itself, it does so in a fifth of the time. */
do $$
begin
  if current_setting('server_version_num')::int >= 180000 then
    execute 'create or replace function uuid_v7() returns uuid language sql volatile parallel safe as ''select uuidv7()''';
  end if;
end $$;

/* Moves a test clock on, so that what comes now does not lie in the future; never back. What falls due waits. */
create function import_clock(p_at timestamptz) returns void
language sql security definer set search_path = public, pg_temp as $$
  update tenant set clock_at = p_at where id = current_tenant() and clock_at < p_at
$$;
grant execute on function import_clock(timestamptz) to engawa_app;

/* One receipt or view of a log. `line` is where it stands there. */
create type offer_import_row as (
  line int, external_id text, offer text, key text, at timestamptz,
  /* The key may be one of the view itself. */
  loose boolean,
  -- Filled in on the way.
  member_id uuid, receipt_id uuid
);

/*
 * Takes a batch of receipts, p_rows as an array of offer_import_row objects. Members not known yet are registered;
 * receipts known already are passed over. Answers {"members", "receipts", "known", "rejected": [{"line", "reason"}]}.
 */
create function offers_import_receipts(p_rows jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_members int;
  v_rejected jsonb;
  v_rows offer_import_row[];
  v_plain offer_import_row[];
  v_row offer_import_row;
  v_given record;
  v_taken int := 0;
begin
  v_members := import_members(array(
    select jsonb_populate_record(null::import_row, jsonb_build_object('line', r.line, 'external_id', r.external_id))
    from jsonb_populate_recordset(null::offer_import_row, p_rows) r), v_now);
  -- One writer at a time for one member, in one order.
  perform from lifecycle_state s
  where s.tenant_id = v_tenant and s.member_id in (
    select m.id from member m where m.tenant_id = v_tenant
    and m.external_id in (select r.external_id from jsonb_populate_recordset(null::offer_import_row, p_rows) r))
  order by s.member_id for no key update;

  with given as materialized (
    select r.line, r.external_id, r.offer, r.key, r.at, m.id as member_id, m.membership,
           first_value(r.line) over (partition by r.key order by r.line) as first_line,
           first_value((m.id, r.offer, r.at)) over (partition by r.key order by r.line) as first_row,
           k.id as known_id, (k.member_id, k.offer, k.received_at) as known_row, d.key is not null as is_live
    from jsonb_populate_recordset(null::offer_import_row, p_rows) r
    join member m on m.tenant_id = v_tenant and m.external_id = r.external_id
    left join offer_receipt k on k.tenant_id = v_tenant and k.key = r.key
    left join definition d on d.tenant_id = v_tenant and d.kind = 'offer' and d.key = r.offer and d.is_live
  ), judged as (
    select g.*, case
      when g.known_id is not null and g.known_row is distinct from (g.member_id, g.offer, g.at)
        then format('receipt %s is recorded already, with other contents', g.key)
      when g.known_id is not null then null
      when not g.is_live then format('there is no offer %s', g.offer)
      when g.at > v_now + interval '5 minutes' then 'at lies in the future'
      when g.membership = 'ENDED' then format('the membership of %s has ended', g.external_id)
      when g.line > g.first_line and g.first_row is distinct from (g.member_id, g.offer, g.at)
        then format('receipt %s stands in the file twice, with different contents', g.key) end as reason
    from given g
  )
  select coalesce(jsonb_agg(jsonb_build_object('line', j.line, 'reason', j.reason) order by j.line)
           filter (where j.reason is not null), '[]'),
         array_agg((j.line, j.external_id, j.offer, j.key, j.at, null, j.member_id, uuid_v7())::offer_import_row order by j.line)
           filter (where j.reason is null and j.known_id is null and j.line = j.first_line)
  into v_rejected, v_rows from judged j;

  -- Offers that are anybody's and without end of stock go all at once, the others one by one.
  select array_agg(r order by r.line) into v_plain
  from unnest(v_rows) r
  join definition d on d.tenant_id = v_tenant and d.kind = 'offer' and d.key = r.offer and d.is_live
  join offer o on o.tenant_id = v_tenant and o.key = d.key and o.version = d.version
  where num_nonnulls(o.stock, o.per_member, o.audience_id, o.opens_at, o.closes_at) = 0;
  with born as (
    insert into offer_receipt (tenant_id, id, member_id, key, offer, version, way, nth, received_at, ends_at, over_at)
    select v_tenant, r.receipt_id, r.member_id, r.key, r.offer, o.version, 'RECEIVED',
      (select count(*) from offer_receipt x where x.tenant_id = v_tenant and x.member_id = r.member_id and x.offer = r.offer)
        + row_number() over (partition by r.member_id, r.offer order by r.line),
      r.at, e.ends_at, e.ends_at + case when o.is_end_inclusive then interval '1 microsecond' else interval '0' end
    from unnest(v_plain) r
    join (select l.* from (select distinct p.offer from unnest(v_plain) p) k cross join lateral offer_live(k.offer) l) o on o.key = r.offer
    cross join lateral (select offer_end(o, r.at) as ends_at) e
    order by r.line
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, 'offer.issued', r.member_id, jsonb_build_object('receipt', r.receipt_id, 'offer', r.offer), r.at
  from unnest(v_plain) r order by r.line;
  perform offers_complete(array(select r.receipt_id from unnest(v_plain) r order by r.line), '{}');

  for v_row in select * from unnest(v_rows) r where r.line not in (select p.line from unnest(v_plain) p)
    -- Stock is locked in the order of its keys.
    order by r.offer, r.line
  loop
    select * into v_given from offer_give(offer_live(v_row.offer), v_row.member_id, v_row.key, v_row.at, 'RECEIVED');
    if v_given.refusal is null then
      v_taken := v_taken + 1;
    else
      v_rejected := v_rejected || jsonb_build_object('line', v_row.line, 'reason', format('offer %s: %s', v_row.offer, v_given.refusal));
    end if;
  end loop;
  v_taken := v_taken + coalesce(cardinality(v_plain), 0);
  return jsonb_build_object('members', v_members, 'receipts', v_taken, 'rejected', v_rejected,
    'known', jsonb_array_length(p_rows) - v_taken - jsonb_array_length(v_rejected));
end $$;
grant execute on function offers_import_receipts(jsonb) to engawa_app;

/*
 * Takes a batch of views: by the key of a receipt, or of the receipt of an offer that the member had received last by
 * then. Answers {"views", "known", "rejected": [{"line", "reason"}]}.
 */
create function offers_import_views(p_rows jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_rejected jsonb;
  v_seen jsonb;
  v_views int;
begin
  with given as (
    select r.*, coalesce(k.id, l.id) as receipt
    from jsonb_populate_recordset(null::offer_import_row, p_rows) r
    left join member m on m.tenant_id = v_tenant and m.external_id = r.external_id
    left join offer_receipt k on k.tenant_id = v_tenant and k.key = r.key and k.received_at <= r.at
      and (r.external_id is null or k.member_id = m.id) and (r.offer is null or k.offer = r.offer)
    left join lateral (
      select x.id from offer_receipt x
      where x.tenant_id = v_tenant and x.member_id = m.id and x.offer = r.offer and x.received_at <= r.at
      -- What was seen at this instant is this view come again.
      order by x.viewed_at is not distinct from r.at desc, x.received_at desc, x.nth desc limit 1) l on k.id is null and (r.key is null or r.loose)
  ), judged as (
    select g.*, case
      when g.receipt is null and g.offer is not null and (g.key is null or g.loose)
        then format('%s had not received offer %s by then', g.external_id, g.offer)
      when g.receipt is null then format('receipt %s is not one of this member at this time', g.key)
      when g.at > v_now + interval '5 minutes' then 'at lies in the future' end as reason
    from given g
  )
  select coalesce(jsonb_agg(jsonb_build_object('line', j.line, 'reason', j.reason) order by j.line)
           filter (where j.reason is not null), '[]'),
         coalesce(jsonb_agg(jsonb_build_object('receipt', j.receipt, 'at', j.at)) filter (where j.reason is null), '[]')
  into v_rejected, v_seen from judged j;
  v_views := offers_seen(v_seen);
  return jsonb_build_object('views', v_views, 'rejected', v_rejected,
    'known', jsonb_array_length(p_rows) - v_views - jsonb_array_length(v_rejected));
end $$;
grant execute on function offers_import_views(jsonb) to engawa_app;

/* Completions that stand, in the order of the purchases, members and receipts; those behind a place, at most p_limit. */
create function offer_completions(p_at timestamptz, p_member text, p_receipt text, p_limit int)
returns table (member text, offer text, receipt text, at timestamptz, order_id text)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.external_id, r.offer, r.key, c.at, p.order_id
  from offer_completion c
  join offer_receipt r on r.tenant_id = c.tenant_id and r.id = c.receipt_id
  join member m on m.tenant_id = c.tenant_id and m.id = r.member_id
  join purchase p on p.tenant_id = c.tenant_id and p.id = c.purchase_id
  where c.tenant_id = current_tenant() and c.reversed_at is null
    and (p_at is null or (c.at, coalesce(m.external_id, '') collate "C", r.key collate "C") > (p_at, p_member, p_receipt))
    and (p_at is null or c.at >= p_at)
  order by c.at, coalesce(m.external_id, '') collate "C", r.key collate "C" limit p_limit
$$;
grant execute on function offer_completions(timestamptz, text, text, int) to engawa_app;

/* Tells the planner how large the tables have become, as import_statistics does for those of purchases. */
create function offers_import_statistics() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  analyze offer, offer_receipt, offer_completion;
end $$;
grant execute on function offers_import_statistics() to engawa_app;
