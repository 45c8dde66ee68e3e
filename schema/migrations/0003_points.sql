-- The points ledger. A grant of points is a lot; a posting moves an amount between two buckets of one lot; the
-- same statement keeps the wallet. What must hold is a constraint here, not a habit of the code above.

set local role engawa_owner;

-- ── Tables ───────────────────────────────────────────────────────────────────────────────────────

create type bucket as enum ('ISSUE', 'PENDING', 'AVAILABLE', 'HELD', 'SPENT', 'EXPIRED', 'REVOKED');
/* In burn order: promotional points go first, paid ones last. */
create type lot_class as enum ('PROMOTIONAL', 'EARNED', 'PAID');

/* The legal moves, each with its debit and credit account for finance. The foreign key to it is the state machine. */
create table bucket_edge (
  from_bucket    bucket not null,
  to_bucket      bucket not null,
  debit_account  text not null,
  credit_account text not null,
  primary key (from_bucket, to_bucket)
);
insert into bucket_edge values
  ('ISSUE',     'PENDING',   'issued',            'liability_pending'),
  ('ISSUE',     'AVAILABLE', 'issued',            'liability'),
  ('PENDING',   'AVAILABLE', 'liability_pending', 'liability'),
  ('PENDING',   'REVOKED',   'liability_pending', 'revoked'),
  ('PENDING',   'EXPIRED',   'liability_pending', 'breakage'),
  ('AVAILABLE', 'HELD',      'liability',         'liability_held'),
  ('AVAILABLE', 'SPENT',     'liability',         'redeemed'),
  ('AVAILABLE', 'EXPIRED',   'liability',         'breakage'),
  ('AVAILABLE', 'REVOKED',   'liability',         'revoked'),
  ('HELD',      'AVAILABLE', 'liability_held',    'liability'),
  ('HELD',      'SPENT',     'liability_held',    'redeemed'),
  ('HELD',      'EXPIRED',   'liability_held',    'breakage'),
  ('SPENT',     'AVAILABLE', 'redeemed',          'liability'),
  ('SPENT',     'EXPIRED',   'redeemed',          'breakage'),
  ('EXPIRED',   'AVAILABLE', 'breakage',          'liability');
grant select on bucket_edge to engawa_app;

/*
 * A member's points of one currency. Every amount appears in a sum that the row itself checks, so that no amount can
 * change alone; amounts change only through the triggers of posting and debt_posting.
 */
create table wallet (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  member_id   uuid not null,
  currency    text not null default 'POINTS' check (currency ~ '^[A-Z][A-Z0-9_]{0,31}$'),
  /* What was ever granted; the next six are where it is now. */
  issued      bigint not null default 0 check (issued >= 0),
  pending     bigint not null default 0 check (pending >= 0),
  available   bigint not null default 0 check (available >= 0),
  held        bigint not null default 0 check (held >= 0),
  spent       bigint not null default 0 check (spent >= 0),
  expired     bigint not null default 0 check (expired >= 0),
  revoked     bigint not null default 0 check (revoked >= 0),
  /* What a claw-back could not take; new points repay it first. */
  debt        bigint not null default 0 check (debt >= 0),
  debt_raised bigint not null default 0 check (debt_raised >= 0),
  debt_repaid bigint not null default 0 check (debt_repaid >= 0),
  /* Null: no limit. What a claw-back cannot take beyond it is booked as lost. */
  debt_limit  bigint check (debt_limit >= 0),
  /* Transactions so far, and the hash of the last one, which covers all before it. */
  version     bigint not null default 0 check (version >= 0),
  head_hash   bytea,
  /*
   * An instant no later than the next one at which the amounts above stop being true: an activation, the death of
   * a lot, the lapse of a hold. Null: never.
   */
  due_at      timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, member_id, currency),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  constraint wallet_balanced check (pending + available + held + spent + expired + revoked = issued),
  constraint wallet_debt_balanced check (debt_raised - debt_repaid = debt),
  constraint wallet_debt_limited check (debt <= debt_limit),
  constraint wallet_chained check ((version = 0) = (head_hash is null))
) with (fillfactor = 70);
create index wallet_due on wallet (tenant_id, due_at) where due_at is not null;
call protect('wallet');
grant select on wallet to engawa_app;

/* One grant of points. Born issued: pending or available equals granted, and its posting writes itself. */
create table lot (
  tenant_id       uuid not null,
  id              uuid not null default uuid_v7(),
  wallet_id       uuid not null,
  /* The operation that granted it, and the wallet's version after that. */
  transaction_id  uuid not null,
  wallet_version  bigint not null,
  /* The business fact that it was granted for. One grant for each fact and rule. */
  source_type     text not null,
  source_id       text not null,
  line            text not null default '',
  rule            text not null default '',
  rule_version    int,
  parent_lot_id   uuid,
  /* Lower burns first. */
  priority        smallint not null default 50,
  class           lot_class not null default 'EARNED',
  available_at    timestamptz not null,
  /* Exclusive: at this instant it is dead. Null: never. */
  expires_at      timestamptz,
  /* What one point costs the tenant, in millionths of a minor unit. */
  unit_cost_micro bigint check (unit_cost_micro >= 0),
  granted         bigint not null check (granted > 0),
  pending         bigint not null default 0 check (pending >= 0),
  available       bigint not null default 0 check (available >= 0),
  held            bigint not null default 0 check (held >= 0),
  spent           bigint not null default 0 check (spent >= 0),
  expired         bigint not null default 0 check (expired >= 0),
  revoked         bigint not null default 0 check (revoked >= 0),
  /* The burn index needs a stored boolean: an index on the amount itself would make no spend a cheap update. */
  open            boolean generated always as (available > 0) stored,
  primary key (tenant_id, id),
  unique (tenant_id, wallet_id, id),
  constraint lot_once unique (tenant_id, source_type, source_id, line, rule),
  foreign key (tenant_id, wallet_id) references wallet (tenant_id, id),
  foreign key (tenant_id, parent_lot_id) references lot (tenant_id, id),
  constraint lot_balanced check (pending + available + held + spent + expired + revoked = granted),
  constraint lot_lives check (expires_at > available_at)
) with (fillfactor = 80);
create index lot_burn on lot (tenant_id, wallet_id, priority, expires_at, class, available_at, id) where open;
create index lot_pending on lot (tenant_id, wallet_id, available_at) where pending > 0;
call protect('lot');
grant select on lot to engawa_app;

create table posting (
  tenant_id      uuid not null,
  transaction_id uuid not null,
  seq            int not null check (seq > 0),
  wallet_id      uuid not null,
  /* The wallet's version after this transaction: the order of a wallet's history. */
  wallet_version bigint not null,
  lot_id         uuid not null,
  from_bucket    bucket not null,
  to_bucket      bucket not null,
  amount         bigint not null check (amount > 0),
  /* The spending that this gives back. */
  refunds        uuid,
  primary key (tenant_id, transaction_id, seq),
  foreign key (tenant_id, wallet_id, lot_id) references lot (tenant_id, wallet_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  foreign key (tenant_id, refunds) references op (tenant_id, transaction_id),
  foreign key (from_bucket, to_bucket) references bucket_edge,
  constraint posting_refunds_spending check (refunds is null or from_bucket = 'SPENT')
);
create index posting_history on posting (tenant_id, wallet_id, wallet_version, seq);
create unique index posting_issue on posting (tenant_id, lot_id) where from_bucket = 'ISSUE';
create index posting_refunds on posting (tenant_id, refunds) where refunds is not null;
call protect('posting');
grant select on posting to engawa_app;

create table debt_posting (
  tenant_id      uuid not null,
  transaction_id uuid not null,
  seq            int not null check (seq > 0),
  wallet_id      uuid not null,
  wallet_version bigint not null,
  /* LOST never was debt: a claw-back beyond the wallet's limit. */
  kind           text not null check (kind in ('RAISED', 'REPAID', 'LOST')),
  amount         bigint not null check (amount > 0),
  primary key (tenant_id, transaction_id, seq),
  foreign key (tenant_id, wallet_id) references wallet (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred
);
create index debt_posting_history on debt_posting (tenant_id, wallet_id, wallet_version, seq);
call protect('debt_posting');
grant select on debt_posting to engawa_app;

/* Points reserved. What it reserved, lot by lot, are the postings of the transaction that opened it. */
create table hold (
  tenant_id               uuid not null,
  id                      uuid not null default uuid_v7(),
  wallet_id               uuid not null,
  transaction_id          uuid not null,
  amount                  bigint not null check (amount > 0),
  captured                bigint not null default 0 check (captured >= 0),
  released                bigint not null default 0 check (released >= 0),
  /* Exclusive: at this instant it lapses. */
  expires_at              timestamptz not null,
  state                   text not null default 'OPEN' check (state in ('OPEN', 'CAPTURED', 'VOIDED', 'EXPIRED')),
  resolved_transaction_id uuid,
  reason                  text not null,
  primary key (tenant_id, id),
  unique (tenant_id, transaction_id),
  foreign key (tenant_id, wallet_id) references wallet (tenant_id, id),
  foreign key (tenant_id, transaction_id) references op (tenant_id, transaction_id) deferrable initially deferred,
  foreign key (tenant_id, resolved_transaction_id) references op (tenant_id, transaction_id)
    deferrable initially deferred,
  constraint hold_balanced check (captured + released = case when state = 'OPEN' then 0 else amount end),
  constraint hold_captured check ((state = 'CAPTURED') = (captured > 0)),
  constraint hold_resolved check ((state = 'OPEN') = (resolved_transaction_id is null))
);
create index hold_open on hold (tenant_id, wallet_id, expires_at) where state = 'OPEN';
call protect('hold');
grant select on hold to engawa_app;

/* What proportional claw-back computes from: one row for each rule that granted points for a business fact. */
create table earn_basis (
  tenant_id       uuid not null,
  source_type     text not null,
  source_id       text not null,
  line            text not null default '',
  rule            text not null,
  wallet_id       uuid not null,
  lot_id          uuid not null,
  /* Money, in minor units of the source's currency. */
  base_minor      bigint not null check (base_minor >= 0),
  refunded_minor  bigint not null default 0,
  granted         bigint not null check (granted > 0),
  /* Points asked back so far, wherever they came from, and how many of them had expired already. */
  revoked         bigint not null default 0,
  expired_counted bigint not null default 0,
  primary key (tenant_id, source_type, source_id, line, rule),
  foreign key (tenant_id, wallet_id, lot_id) references lot (tenant_id, wallet_id, id),
  check (refunded_minor between 0 and base_minor),
  check (revoked between 0 and granted),
  check (expired_counted between 0 and revoked)
);
call protect('earn_basis');
grant select on earn_basis to engawa_app;

-- ── What the tables do by themselves ─────────────────────────────────────────────────────────────

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% of % is refused: %', lower(tg_op), tg_table_name, tg_argv[0] using errcode = '23514';
end $$;

create trigger append_only before update or delete or truncate on posting
  for each statement execute function refuse_change('postings are append-only');
create trigger append_only before update or delete or truncate on debt_posting
  for each statement execute function refuse_change('debt postings are append-only');
create trigger kept before delete or truncate on wallet
  for each statement execute function refuse_change('wallets stay');
create trigger kept before delete or truncate on lot
  for each statement execute function refuse_change('lots stay');
create trigger kept before delete or truncate on hold
  for each statement execute function refuse_change('holds stay');
create trigger kept before delete or truncate on earn_basis
  for each statement execute function refuse_change('what was earned stays');

create trigger born_empty before insert on wallet for each row
  when (new.issued <> 0 or new.debt_raised <> 0 or new.debt_repaid <> 0 or new.version <> 0)
  execute function refuse_change('a wallet is born empty');
create trigger same_wallet before update of tenant_id, id, member_id, currency on wallet
  for each row execute function refuse_change('a wallet stays whose it is');
/* Nothing moves an expiry yet. What will (sliding, extension) books it as a row of its own. */
create trigger same_lot before update of tenant_id, id, wallet_id, transaction_id, wallet_version, source_type,
    source_id, line, rule, rule_version, parent_lot_id, priority, class, available_at, expires_at on lot
  for each row execute function refuse_change('a lot stays what it was granted as');
create trigger born_open before insert on hold for each row when (new.state <> 'OPEN')
  execute function refuse_change('a hold is born open');
create trigger resolved_once before update on hold for each row when (old.state <> 'OPEN' or new.amount <> old.amount
    or new.wallet_id <> old.wallet_id or new.transaction_id <> old.transaction_id or new.expires_at <> old.expires_at)
  execute function refuse_change('a hold resolves once');

/* What a move changes in one bucket. */
create function bucket_delta(p_bucket bucket, p_from bucket, p_to bucket, p_amount bigint) returns bigint
language sql immutable as
$$ select case p_bucket when p_to then p_amount when p_from then -p_amount else 0 end $$;

/* Writes the postings of new lots. */
create function lot_issue() returns trigger language plpgsql as $$
begin
  if exists (select from new_lot l where l.pending + l.available <> l.granted or l.pending not in (0, l.granted)) then
    raise exception 'a lot is born issued: its granted amount is pending or available' using errcode = '23514';
  end if;
  insert into posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
  select l.tenant_id, l.transaction_id, row_number() over (partition by l.transaction_id order by l.id),
         l.wallet_id, l.wallet_version, l.id, 'ISSUE',
         (case when l.pending > 0 then 'PENDING' else 'AVAILABLE' end)::bucket, l.granted
  from new_lot l;
  return null;
end $$;
create trigger issue after insert on lot referencing new table as new_lot
  for each statement execute function lot_issue();

/* Applies new postings to their lots (an issue is in its lot already) and to their wallets. */
create function posting_apply() returns trigger language plpgsql as $$
begin
  update lot l set
    pending = l.pending + d.pending, available = l.available + d.available, held = l.held + d.held,
    spent = l.spent + d.spent, expired = l.expired + d.expired, revoked = l.revoked + d.revoked
  from (
    select p.tenant_id, p.lot_id,
      sum(bucket_delta('PENDING', p.from_bucket, p.to_bucket, p.amount))::bigint as pending,
      sum(bucket_delta('AVAILABLE', p.from_bucket, p.to_bucket, p.amount))::bigint as available,
      sum(bucket_delta('HELD', p.from_bucket, p.to_bucket, p.amount))::bigint as held,
      sum(bucket_delta('SPENT', p.from_bucket, p.to_bucket, p.amount))::bigint as spent,
      sum(bucket_delta('EXPIRED', p.from_bucket, p.to_bucket, p.amount))::bigint as expired,
      sum(bucket_delta('REVOKED', p.from_bucket, p.to_bucket, p.amount))::bigint as revoked
    from new_posting p
    where p.from_bucket <> 'ISSUE'
    group by p.tenant_id, p.lot_id
  ) d
  where l.tenant_id = d.tenant_id and l.id = d.lot_id;

  if exists (
    select from new_posting p join lot l on l.tenant_id = p.tenant_id and l.id = p.lot_id
    where p.from_bucket = 'AVAILABLE' and p.to_bucket in ('SPENT', 'HELD') and l.expires_at <= tenant_now(p.tenant_id))
  then
    raise exception 'a lot past its date cannot be spent or held' using errcode = '23514';
  end if;

  update wallet w set
    issued = w.issued + d.issued, pending = w.pending + d.pending, available = w.available + d.available,
    held = w.held + d.held, spent = w.spent + d.spent, expired = w.expired + d.expired,
    revoked = w.revoked + d.revoked, due_at = least(w.due_at, d.due_at)
  from (
    select p.tenant_id, p.wallet_id,
      sum(case when p.from_bucket = 'ISSUE' then p.amount else 0 end)::bigint as issued,
      sum(bucket_delta('PENDING', p.from_bucket, p.to_bucket, p.amount))::bigint as pending,
      sum(bucket_delta('AVAILABLE', p.from_bucket, p.to_bucket, p.amount))::bigint as available,
      sum(bucket_delta('HELD', p.from_bucket, p.to_bucket, p.amount))::bigint as held,
      sum(bucket_delta('SPENT', p.from_bucket, p.to_bucket, p.amount))::bigint as spent,
      sum(bucket_delta('EXPIRED', p.from_bucket, p.to_bucket, p.amount))::bigint as expired,
      sum(bucket_delta('REVOKED', p.from_bucket, p.to_bucket, p.amount))::bigint as revoked,
      min(case p.to_bucket when 'PENDING' then l.available_at when 'AVAILABLE' then l.expires_at end) as due_at
    from new_posting p
    left join lot l on p.to_bucket in ('PENDING', 'AVAILABLE') and l.tenant_id = p.tenant_id and l.id = p.lot_id
    group by p.tenant_id, p.wallet_id
  ) d
  where w.tenant_id = d.tenant_id and w.id = d.wallet_id;
  return null;
end $$;
create trigger apply after insert on posting referencing new table as new_posting
  for each statement execute function posting_apply();

create function debt_posting_apply() returns trigger language plpgsql as $$
begin
  update wallet w set debt = w.debt + d.raised - d.repaid, debt_raised = w.debt_raised + d.raised,
                      debt_repaid = w.debt_repaid + d.repaid
  from (
    select p.tenant_id, p.wallet_id,
      sum(case when p.kind = 'RAISED' then p.amount else 0 end)::bigint as raised,
      sum(case when p.kind = 'REPAID' then p.amount else 0 end)::bigint as repaid
    from new_posting p
    group by p.tenant_id, p.wallet_id
  ) d
  where w.tenant_id = d.tenant_id and w.id = d.wallet_id;
  return null;
end $$;
create trigger apply after insert on debt_posting referencing new table as new_posting
  for each statement execute function debt_posting_apply();

/* A new hold lapses some day. */
create function hold_due() returns trigger language plpgsql as $$
begin
  update wallet w set due_at = least(w.due_at, new.expires_at)
  where w.tenant_id = new.tenant_id and w.id = new.wallet_id and (w.due_at is null or w.due_at > new.expires_at);
  return null;
end $$;
create trigger due after insert on hold for each row execute function hold_due();

-- ── The chain: each transaction of a wallet covers the one before it ─────────────────────────────

/* The text of one transaction that is hashed: its op, its postings and its debt postings, each in order. */
create function points_leaf(
  p_version bigint, p_transaction uuid, p_kind text, p_at timestamptz, p_postings text, p_debts text
) returns text language sql stable as $$
  select p_version || ' ' || p_transaction || ' ' || p_kind || ' ' || (extract(epoch from p_at) * 1000000)::bigint
    || coalesce(e'\n' || p_postings, '') || coalesce(e'\n' || p_debts, '')
$$;
create function points_leaf_line(p_seq bigint, p_lot uuid, p_from bucket, p_to bucket, p_amount bigint)
returns text language sql stable as $$
  select p_seq || ' ' || p_lot || ' ' || p_from || ' ' || p_to || ' ' || p_amount
$$;
create function points_leaf_debt(p_seq bigint, p_kind text, p_amount bigint) returns text language sql immutable as $$
  select 'debt ' || p_seq || ' ' || p_kind || ' ' || p_amount
$$;

create function points_link(p_head bytea, p_leaf text) returns bytea language plpgsql immutable as $$
begin
  return sha256(coalesce(p_head, ''::bytea) || convert_to(p_leaf, 'UTF8'));
end $$;
create function points_link_step(p_state bytea, p_head bytea, p_leaf text) returns bytea language plpgsql immutable as $$
begin
  return sha256(coalesce(p_state, p_head, ''::bytea) || convert_to(p_leaf, 'UTF8'));
end $$;
/* The chain over rows in order; as a window function it gives every link. */
create aggregate points_chain(bytea, text) (sfunc = points_link_step, stype = bytea);

/*
 * Ends the one points transaction of an operation: its link in the chain, its facts on the op, its event.
 * p_wallet is the wallet as it was locked. A null outcome leaves the op's own.
 */
create function points_close(
  p_wallet wallet, p_transaction uuid, p_points bigint, p_reason text, p_outcome jsonb
) returns void language plpgsql as $$
declare
  v_version bigint := p_wallet.version + 1;
  v_hash bytea;
  v_at timestamptz;
begin
  select o.at, points_link(p_wallet.head_hash, points_leaf(v_version, p_transaction, o.kind, o.at,
    (select string_agg(points_leaf_line(p.seq, p.lot_id, p.from_bucket, p.to_bucket, p.amount), e'\n' order by p.seq)
     from posting p
     where p.tenant_id = o.tenant_id and p.transaction_id = p_transaction),
    (select string_agg(points_leaf_debt(p.seq, p.kind, p.amount), e'\n' order by p.seq)
     from debt_posting p
     where p.tenant_id = o.tenant_id and p.transaction_id = p_transaction)))
  into strict v_at, v_hash
  from op o where o.tenant_id = p_wallet.tenant_id and o.transaction_id = p_transaction;
  update wallet w set version = v_version, head_hash = v_hash
  where w.tenant_id = p_wallet.tenant_id and w.id = p_wallet.id and w.version = p_wallet.version;
  if not found then
    raise exception 'wallet % was not locked at version %', p_wallet.id, p_wallet.version;
  end if;
  update op o set wallet_id = p_wallet.id, points = p_points, reason = p_reason, wallet_version = v_version,
                  chain_hash = v_hash, outcome = coalesce(p_outcome, o.outcome)
  where o.tenant_id = p_wallet.tenant_id and o.transaction_id = p_transaction and o.wallet_id is null;
  if not found then
    raise exception 'transaction % is closed', p_transaction;
  end if;
  perform announce('points.posted', p_wallet.member_id,
    jsonb_build_object('transaction', p_transaction, 'wallet', p_wallet.id), v_at);
end $$;

-- ── Burning, repaying, releasing ─────────────────────────────────────────────────────────────────

/*
 * Moves p_points out of AVAILABLE in burn order, from lots that live at p_at and are not p_except; returns how many
 * it moved, which is less when there are fewer.
 */
create function points_burn(
  p_wallet wallet, p_transaction uuid, p_seq int, p_points bigint, p_to bucket, p_at timestamptz, p_except uuid
) returns bigint language plpgsql as $$
declare
  v_moved bigint;
begin
  with burn as (
    select l.id, l.available, row_number() over b as n, sum(l.available) over b - l.available as before
    from lot l
    where l.tenant_id = p_wallet.tenant_id and l.wallet_id = p_wallet.id and l.open
      and (l.expires_at is null or l.expires_at > p_at) and l.id is distinct from p_except
    window b as (order by l.priority, l.expires_at, l.class, l.available_at, l.id rows unbounded preceding)
  ), moved as (
    insert into posting
      (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
    select p_wallet.tenant_id, p_transaction, p_seq + b.n, p_wallet.id, p_wallet.version + 1, b.id, 'AVAILABLE', p_to,
           least(b.available, p_points - b.before)
    from burn b where b.before < p_points
    returning amount
  )
  select coalesce(sum(amount), 0)::bigint into v_moved from moved;
  return v_moved;
end $$;

/* The last sequence number of a transaction's postings. */
create function points_seq(p_tenant uuid, p_transaction uuid) returns int language plpgsql as $$
begin
  return (select coalesce(max(p.seq), 0) from posting p
          where p.tenant_id = p_tenant and p.transaction_id = p_transaction);
end $$;

/*
 * Repays debt with what is available at p_at. It runs whenever points become available, so that nothing can be spent
 * while something is owed.
 */
create function points_repay(p_wallet wallet, p_transaction uuid, p_at timestamptz) returns void
language plpgsql as $$
declare
  v_repaid bigint;
begin
  if p_wallet.debt = 0 then
    return;
  end if;
  v_repaid := points_burn(p_wallet, p_transaction, points_seq(p_wallet.tenant_id, p_transaction), p_wallet.debt,
    'REVOKED', p_at, null);
  if v_repaid > 0 then
    insert into debt_posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, kind, amount)
    values (p_wallet.tenant_id, p_transaction, 1, p_wallet.id, p_wallet.version + 1, 'REPAID', v_repaid);
  end if;
end $$;

/* Tells of points that died in a transaction of another kind. */
create function points_tell_expired(p_wallet wallet, p_transaction uuid, p_at timestamptz) returns void
language plpgsql as $$
begin
  if exists (select from posting p where p.tenant_id = p_wallet.tenant_id and p.transaction_id = p_transaction
             and p.to_bucket = 'EXPIRED') then
    perform announce('points.expired', p_wallet.member_id, jsonb_build_object('transaction', p_transaction), p_at);
  end if;
end $$;

/*
 * Resolves a hold: spends p_captured from its lots in the order they were taken, gives the rest back; what comes back
 * to a lot past its date dies at once.
 */
create function points_resolve(
  p_wallet wallet, p_hold hold, p_transaction uuid, p_state text, p_captured bigint, p_at timestamptz,
  p_reason text
) returns jsonb language plpgsql as $$
declare
  v_outcome jsonb := jsonb_build_object('is', 'done', 'hold', p_hold.id, 'wallet', p_wallet.id,
                                        'transaction', p_transaction);
begin
  with taken as (
    select p.lot_id, p.seq, p.amount, sum(p.amount) over (order by p.seq) - p.amount as before, l.expires_at
    from posting p join lot l on l.tenant_id = p.tenant_id and l.id = p.lot_id
    where p.tenant_id = p_wallet.tenant_id and p.transaction_id = p_hold.transaction_id and p.to_bucket = 'HELD'
  ), part as (
    select t.lot_id, t.seq, 1 as part, 'SPENT'::bucket as to_bucket, least(t.amount, p_captured - t.before) as amount
    from taken t where t.before < p_captured
    union all
    select t.lot_id, t.seq, 2, case when t.expires_at <= p_at then 'EXPIRED'::bucket else 'AVAILABLE' end,
           t.before + t.amount - greatest(t.before, p_captured)
    from taken t where t.before + t.amount > p_captured
  )
  insert into posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
  select p_wallet.tenant_id, p_transaction, row_number() over (order by m.seq, m.part), p_wallet.id,
         p_wallet.version + 1, m.lot_id, 'HELD', m.to_bucket, m.amount
  from part m;
  update hold h set state = p_state, captured = p_captured, released = h.amount - p_captured,
                    resolved_transaction_id = p_transaction
  where h.tenant_id = p_wallet.tenant_id and h.id = p_hold.id;
  perform points_repay(p_wallet, p_transaction, p_at);
  perform points_close(p_wallet, p_transaction,
    case when p_state = 'CAPTURED' then p_captured else p_hold.amount end, p_reason, v_outcome);
  perform points_tell_expired(p_wallet, p_transaction, p_at);
  return v_outcome;
end $$;

-- ── Settling: booking what the clock has done already ────────────────────────────────────────────

/* The exact next instant at which the stored amounts of a wallet stop being true; null: never. */
create function points_next_due(p_tenant uuid, p_wallet uuid) returns timestamptz language plpgsql as $$
begin
  return least(
    (select min(l.available_at) from lot l where l.tenant_id = p_tenant and l.wallet_id = p_wallet and l.pending > 0),
    (select min(l.expires_at) from lot l where l.tenant_id = p_tenant and l.wallet_id = p_wallet and l.open),
    (select min(h.expires_at) from hold h where h.tenant_id = p_tenant and h.wallet_id = p_wallet and h.state = 'OPEN'));
end $$;

/* Opens an operation of the clock's own. */
create function points_clock_op(p_wallet wallet, p_kind text, p_at timestamptz) returns uuid language plpgsql as $$
declare
  v_key text := format('engawa:%s:%s:%s', lower(p_kind), p_wallet.id, p_wallet.version + 1);
  v_op record;
begin
  select * into v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), p_kind, 'engawa', p_at);
  if v_op.replay is not null then
    raise exception 'the key % is taken', v_key;
  end if;
  return v_op.transaction_id;
end $$;

create function points_locked(p_tenant uuid, p_wallet uuid) returns wallet language plpgsql as $$
declare
  v_wallet wallet;
begin
  select * into strict v_wallet from wallet w where w.tenant_id = p_tenant and w.id = p_wallet for no key update;
  return v_wallet;
end $$;

/*
 * Books what fell due at p_at in one wallet, which is locked: activations, lapsed holds, deaths, in this order, each
 * as a transaction of that instant.
 */
create function points_settle_instant(p_wallet wallet, p_at timestamptz) returns void language plpgsql as $$
declare
  v_wallet wallet := p_wallet;
  v_transaction uuid;
  v_points bigint;
  v_hold hold;
begin
  if exists (select from lot l where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id
             and l.pending > 0 and l.available_at <= p_at) then
    v_transaction := points_clock_op(v_wallet, 'ACTIVATE', p_at);
    with moved as (
      insert into posting
        (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
      select l.tenant_id, v_transaction, row_number() over (order by l.id), l.wallet_id, v_wallet.version + 1, l.id,
             'PENDING', 'AVAILABLE', l.pending
      from lot l
      where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id and l.pending > 0 and l.available_at <= p_at
      returning amount
    )
    select sum(amount) into v_points from moved;
    perform points_repay(v_wallet, v_transaction, p_at);
    perform points_close(v_wallet, v_transaction, v_points, 'activation',
      jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_transaction));
    v_wallet := points_locked(v_wallet.tenant_id, v_wallet.id);
  end if;

  for v_hold in
    select * from hold h
    where h.tenant_id = v_wallet.tenant_id and h.wallet_id = v_wallet.id and h.state = 'OPEN' and h.expires_at <= p_at
    order by h.id
  loop
    v_transaction := points_clock_op(v_wallet, 'VOID', p_at);
    perform points_resolve(v_wallet, v_hold, v_transaction, 'EXPIRED', 0, p_at, v_hold.reason);
    v_wallet := points_locked(v_wallet.tenant_id, v_wallet.id);
  end loop;

  if exists (select from lot l where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id
             and l.open and l.expires_at <= p_at) then
    v_transaction := points_clock_op(v_wallet, 'EXPIRE', p_at);
    with moved as (
      insert into posting
        (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
      select l.tenant_id, v_transaction, row_number() over (order by l.id), l.wallet_id, v_wallet.version + 1, l.id,
             'AVAILABLE', 'EXPIRED', l.available
      from lot l
      where l.tenant_id = v_wallet.tenant_id and l.wallet_id = v_wallet.id and l.open and l.expires_at <= p_at
      returning amount
    )
    select sum(amount) into v_points from moved;
    perform points_close(v_wallet, v_transaction, v_points, 'expiry',
      jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_transaction));
    perform points_tell_expired(v_wallet, v_transaction, p_at);
  end if;
end $$;

/* Locks a wallet and books all that is due in it, instant by instant; returns it as it is then. */
create function points_settle(p_wallet uuid) returns wallet language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet := points_locked(v_tenant, p_wallet);
  v_at timestamptz;
begin
  while v_wallet.due_at <= v_now loop
    v_at := points_next_due(v_tenant, p_wallet);
    if v_at <= v_now then
      perform points_settle_instant(v_wallet, v_at);
    else
      update wallet w set due_at = v_at where w.tenant_id = v_tenant and w.id = p_wallet;
    end if;
    v_wallet := points_locked(v_tenant, p_wallet);
  end loop;
  return v_wallet;
end $$;

/* The member's wallet, locked and settled; a row of nulls when there is none. */
create function points_wallet(p_tenant uuid, p_member uuid, p_currency text) returns wallet language plpgsql as $$
declare
  v_wallet wallet;
begin
  select * into v_wallet from wallet w
  where w.tenant_id = p_tenant and w.member_id = p_member and w.currency = coalesce(p_currency, 'POINTS')
  for no key update;
  if v_wallet.due_at <= tenant_now(p_tenant) then
    v_wallet := points_settle(v_wallet.id);
  end if;
  return v_wallet;
end $$;

/* The same, made when there is none. */
create function points_wallet_made(p_tenant uuid, p_member uuid, p_currency text) returns wallet
language plpgsql as $$
declare
  v_wallet wallet := points_wallet(p_tenant, p_member, p_currency);
begin
  if v_wallet.id is null then
    insert into wallet (tenant_id, member_id, currency) values (p_tenant, p_member, coalesce(p_currency, 'POINTS'))
    on conflict (tenant_id, member_id, currency) do nothing;
    v_wallet := points_wallet(p_tenant, p_member, p_currency);
  end if;
  return v_wallet;
end $$;

-- ── Operations ───────────────────────────────────────────────────────────────────────────────────

/* What a value that cannot be right answers; such an answer is not remembered. Null: nothing is wrong. */
create function points_bad_input(p_points bigint, p_currency text) returns jsonb language plpgsql immutable as $$
begin
  if p_points <= 0 then
    return jsonb_build_object('is', 'bad_input', 'field', 'points', 'message', 'Points must be 1 or more.');
  end if;
  if p_currency !~ '^[A-Z][A-Z0-9_]{0,31}$' then
    return jsonb_build_object('is', 'bad_input', 'field', 'currency', 'message',
      'A currency of points is written in capitals, as in POINTS.');
  end if;
  return null;
end $$;
create function points_not_found(p_what text) returns jsonb language sql immutable as
$$ select jsonb_build_object('is', 'not_found', 'what', p_what) $$;
create function points_insufficient(p_available bigint, p_required bigint) returns jsonb language sql immutable as $$
  select jsonb_build_object('is', 'insufficient_points', 'available', coalesce(p_available, 0)::text,
                            'required', p_required::text)
$$;

/*
 * Grants points; pending until p_available_at when that lies ahead. Outcomes: done {wallet, transaction}, bad_input,
 * not_found, key_reused, membership_ended.
 */
create function points_grant(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_points bigint, p_currency text, p_reason text,
  p_available_at timestamptz, p_expires_at timestamptz, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_at timestamptz := coalesce(p_available_at, v_now);
  v_member member;
  v_op record;
  v_wallet wallet;
  v_outcome jsonb := points_bad_input(p_points, p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return points_not_found('member');
  end if;
  -- A replay is answered even when its date has passed since.
  if p_expires_at <= greatest(v_at, v_now)
      and not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    return jsonb_build_object('is', 'bad_input', 'field', 'expiresAt', 'message',
      'Points expire after they become available, and later than now.');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'GRANT', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_wallet(v_tenant, v_member.id, p_currency);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  if v_wallet.id is null then
    v_wallet := points_wallet_made(v_tenant, v_member.id, p_currency);
  end if;
  insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, available_at,
                   expires_at, granted, pending, available)
  values (v_tenant, v_wallet.id, v_op.transaction_id, v_wallet.version + 1, 'grant', v_op.transaction_id::text, v_at,
          p_expires_at, p_points, case when v_at > v_now then p_points else 0 end,
          case when v_at > v_now then 0 else p_points end);
  perform points_repay(v_wallet, v_op.transaction_id, v_now);
  v_outcome := jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_op.transaction_id);
  perform points_close(v_wallet, v_op.transaction_id, p_points, p_reason, v_outcome);
  return v_outcome;
end $$;

/*
 * Spends points in burn order. Outcomes: done {wallet, transaction}, bad_input, not_found, key_reused,
 * membership_ended, insufficient_points {available, required}.
 */
create function points_spend(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_points bigint, p_currency text, p_reason text,
  p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member;
  v_op record;
  v_wallet wallet;
  v_outcome jsonb := points_bad_input(p_points, p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return points_not_found('member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'SPEND', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_wallet(v_tenant, v_member.id, p_currency);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  if coalesce(v_wallet.available, 0) < p_points then
    return op_finish(p_key, points_insufficient(v_wallet.available, p_points));
  end if;
  if points_burn(v_wallet, v_op.transaction_id, 0, p_points, 'SPENT', v_now, null) <> p_points then
    raise exception 'the lots of wallet % hold less than the wallet', v_wallet.id;
  end if;
  v_outcome := jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_op.transaction_id);
  perform points_close(v_wallet, v_op.transaction_id, p_points, p_reason, v_outcome);
  return v_outcome;
end $$;

/*
 * Reserves points for p_expires_in. Outcomes: done {hold, wallet, transaction}, bad_input, not_found, key_reused,
 * membership_ended, insufficient_points {available, required}.
 */
create function points_hold(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_points bigint, p_currency text,
  p_expires_in interval, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_until timestamptz := v_now + p_expires_in;
  v_member member;
  v_op record;
  v_wallet wallet;
  v_hold uuid := uuid_v7();
  v_outcome jsonb := points_bad_input(p_points, p_currency);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  if v_until <= v_now then
    return jsonb_build_object('is', 'bad_input', 'field', 'expiresIn', 'message', 'A hold lasts longer than no time.');
  end if;
  v_member := member_find(p_member, p_external_id);
  if v_member.id is null then
    return points_not_found('member');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'HOLD', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_wallet(v_tenant, v_member.id, p_currency);
  if v_member.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  if coalesce(v_wallet.available, 0) < p_points then
    return op_finish(p_key, points_insufficient(v_wallet.available, p_points));
  end if;
  if points_burn(v_wallet, v_op.transaction_id, 0, p_points, 'HELD', v_now, null) <> p_points then
    raise exception 'the lots of wallet % hold less than the wallet', v_wallet.id;
  end if;
  insert into hold (tenant_id, id, wallet_id, transaction_id, amount, expires_at, reason)
  values (v_tenant, v_hold, v_wallet.id, v_op.transaction_id, p_points, v_until, p_reason);
  v_outcome := jsonb_build_object('is', 'done', 'hold', v_hold, 'wallet', v_wallet.id,
                                  'transaction', v_op.transaction_id);
  perform points_close(v_wallet, v_op.transaction_id, p_points, p_reason, v_outcome);
  perform announce('points.held', v_member.id, jsonb_build_object('hold', v_hold), v_now);
  return v_outcome;
end $$;
/* What a hold that is not open answers. */
create function points_hold_closed(p_hold hold) returns jsonb language sql immutable as $$
  select case when (p_hold).state = 'EXPIRED'
    then jsonb_build_object('is', 'hold_expired', 'expired_at', (p_hold).expires_at)
    else jsonb_build_object('is', 'hold_resolved', 'state', (p_hold).state) end
$$;

/*
 * Spends what a hold reserved, or a part, and gives the rest back. Null points: all. Outcomes: done {hold, wallet,
 * transaction}, bad_input, not_found, key_reused, hold_resolved {state}, hold_expired {expired_at}.
 */
create function points_capture(p_key text, p_hash bytea, p_hold uuid, p_points bigint, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_hold hold;
  v_op record;
  v_wallet wallet;
  v_outcome jsonb := points_bad_input(p_points, null);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  select * into v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  if v_hold.id is null then
    return points_not_found('hold');
  end if;
  if p_points > v_hold.amount then
    return jsonb_build_object('is', 'bad_input', 'field', 'points', 'message',
      format('This hold reserves %s points.', v_hold.amount));
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'CAPTURE', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_settle(v_hold.wallet_id);
  select * into strict v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  if v_hold.state <> 'OPEN' then
    return op_finish(p_key, points_hold_closed(v_hold));
  end if;
  return points_resolve(v_wallet, v_hold, v_op.transaction_id, 'CAPTURED',
    coalesce(p_points, v_hold.amount), v_now, v_hold.reason);
end $$;

/*
 * Gives back what a hold reserved. Outcomes: done {hold, wallet, transaction}, not_found, key_reused,
 * hold_resolved {state}, hold_expired {expired_at}.
 */
create function points_void(p_key text, p_hash bytea, p_hold uuid, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_hold hold;
  v_op record;
  v_wallet wallet;
begin
  select * into v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  if v_hold.id is null then
    return points_not_found('hold');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'VOID', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_settle(v_hold.wallet_id);
  select * into strict v_hold from hold h where h.tenant_id = v_tenant and h.id = p_hold;
  if v_hold.state <> 'OPEN' then
    return op_finish(p_key, points_hold_closed(v_hold));
  end if;
  return points_resolve(v_wallet, v_hold, v_op.transaction_id, 'VOIDED', 0, v_now, v_hold.reason);
end $$;

/*
 * Gives spent points back to the lots they came from, the last taken first; what comes back to a lot past its date
 * dies at once. p_transaction is a spend or a capture; null points: the rest. Outcomes: done {wallet, transaction},
 * bad_input, not_found, key_reused, refund_exceeds_purchase {refundable}.
 */
create function points_refund_spend(
  p_key text, p_hash bytea, p_transaction uuid, p_points bigint, p_reason text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_spend op;
  v_op record;
  v_wallet wallet;
  v_refundable bigint;
  v_points bigint;
  v_outcome jsonb := points_bad_input(p_points, null);
begin
  if v_outcome is not null then
    return v_outcome;
  end if;
  select * into v_spend from op o
  where o.tenant_id = v_tenant and o.transaction_id = p_transaction and o.kind in ('SPEND', 'CAPTURE')
    and o.wallet_id is not null;
  if v_spend.wallet_id is null then
    return points_not_found('transaction');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'REFUND_SPEND', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  v_wallet := points_settle(v_spend.wallet_id);
  v_refundable := v_spend.points - (select coalesce(sum(p.amount), 0) from posting p
                                    where p.tenant_id = v_tenant and p.refunds = p_transaction);
  v_points := coalesce(p_points, v_refundable);
  if v_refundable = 0 or v_points > v_refundable then
    return op_finish(p_key, jsonb_build_object('is', 'refund_exceeds_purchase', 'refundable', v_refundable::text));
  end if;
  with taken as (
    select p.lot_id, p.seq, p.amount - coalesce((
      select sum(r.amount) from posting r
      where r.tenant_id = v_tenant and r.refunds = p_transaction and r.lot_id = p.lot_id), 0)::bigint as amount
    from posting p
    where p.tenant_id = v_tenant and p.transaction_id = p_transaction and p.to_bucket = 'SPENT'
  ), back as (
    select t.*, sum(t.amount) over (order by t.seq desc) - t.amount as before from taken t where t.amount > 0
  )
  insert into posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount,
                       refunds)
  select v_tenant, v_op.transaction_id, row_number() over (order by b.seq desc), v_wallet.id, v_wallet.version + 1,
         b.lot_id, 'SPENT', case when l.expires_at <= v_now then 'EXPIRED'::bucket else 'AVAILABLE' end,
         least(b.amount, v_points - b.before), p_transaction
  from back b join lot l on l.tenant_id = v_tenant and l.id = b.lot_id
  where b.before < v_points;
  perform points_repay(v_wallet, v_op.transaction_id, v_now);
  v_outcome := jsonb_build_object('is', 'done', 'wallet', v_wallet.id, 'transaction', v_op.transaction_id);
  perform points_close(v_wallet, v_op.transaction_id, v_points, p_reason, v_outcome);
  perform points_tell_expired(v_wallet, v_op.transaction_id, v_now);
  return v_outcome;
end $$;

-- ── For the rooms above: earning and taking back inside their own operation ──────────────────────

/* The end, in the zone, of the month that lies p_months after p_at: an exclusive instant. Null months: never. */
create function points_expiry_month_end(p_at timestamptz, p_months int, p_zone text) returns timestamptz
language sql stable as $$
  select (date_trunc('month', p_at at time zone p_zone) + make_interval(months => p_months + 1)) at time zone p_zone
$$;

/*
 * Earns points for a fact, within the caller's operation, which becomes a points transaction; returns the wallet, or
 * null when there is nothing to earn. The same fact, line and rule a second time is an error (lot_once).
 */
create function points_earn(
  p_transaction uuid, p_member uuid, p_currency text, p_source_type text, p_source_id text, p_line text, p_rule text,
  p_rule_version int, p_base_minor bigint, p_points bigint, p_at timestamptz, p_expires_at timestamptz, p_reason text
) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet;
  v_lot uuid := uuid_v7();
begin
  if p_points = 0 then
    return null;
  end if;
  v_wallet := points_wallet_made(v_tenant, p_member, p_currency);
  insert into lot (tenant_id, id, wallet_id, transaction_id, wallet_version, source_type, source_id, line, rule,
                   rule_version, available_at, expires_at, granted, available)
  values (v_tenant, v_lot, v_wallet.id, p_transaction, v_wallet.version + 1, p_source_type, p_source_id, p_line, p_rule,
          p_rule_version, p_at, p_expires_at, p_points, p_points);
  insert into earn_basis (tenant_id, source_type, source_id, line, rule, wallet_id, lot_id, base_minor, granted)
  values (v_tenant, p_source_type, p_source_id, p_line, p_rule, v_wallet.id, v_lot, p_base_minor, p_points);
  perform points_repay(v_wallet, p_transaction, v_now);
  perform points_close(v_wallet, p_transaction, p_points, p_reason, null);
  return v_wallet.id;
end $$;

/*
 * Takes back, within the caller's operation, what a fact earned, in proportion to the money given back so far
 * (p_refunded_minor is the total, not the step): from the lot's pending, its available, what of it had expired counts
 * as taken, then the wallet's other lots in burn order, then debt up to the limit; the rest is lost. Each rule of the
 * line has its own basis. Returns the wallet, null when nothing moved, and how much was revoked, owed and lost.
 */
create function points_claw_back(
  p_transaction uuid, p_source_type text, p_source_id text, p_line text, p_refunded_minor bigint, p_at timestamptz,
  p_reason text, out wallet_id uuid, out revoked bigint, out owed bigint, out lost bigint
) language plpgsql as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet;
  v_basis earn_basis;
  v_lot lot;
  v_target bigint;
  v_left bigint;
  v_seq int := 0;
  v_pending bigint;
  v_available bigint;
  v_expired bigint;
  v_owed bigint;
begin
  revoked := 0;
  owed := 0;
  lost := 0;
  select b.* into v_basis from earn_basis b
  where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id and b.line = p_line
  limit 1;
  if v_basis.wallet_id is null then
    return;
  end if;
  v_wallet := points_settle(v_basis.wallet_id);
  for v_basis in
    select b.* from earn_basis b
    where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id and b.line = p_line
    order by b.rule
  loop
    if v_basis.wallet_id <> v_wallet.id then
      raise exception 'one operation moves the points of one wallet';
    end if;
    v_target := case when v_basis.base_minor = 0 then 0
      else div(v_basis.granted::numeric * least(p_refunded_minor, v_basis.base_minor), v_basis.base_minor) end;
    v_left := greatest(v_target - v_basis.revoked, 0);
    select * into strict v_lot from lot l where l.tenant_id = v_tenant and l.id = v_basis.lot_id;
    v_pending := least(v_left, v_lot.pending);
    v_available := least(v_left - v_pending, v_lot.available);
    v_expired := least(v_left - v_pending - v_available, greatest(v_lot.expired - v_basis.expired_counted, 0));
    insert into posting
      (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
    select v_tenant, p_transaction, v_seq + row_number() over (order by m.n), v_wallet.id, v_wallet.version + 1,
           v_lot.id, m.from_bucket, 'REVOKED', m.amount
    from (values (1, 'PENDING'::bucket, v_pending), (2, 'AVAILABLE', v_available)) m (n, from_bucket, amount)
    where m.amount > 0;
    v_seq := v_seq + (v_pending > 0)::int + (v_available > 0)::int;
    revoked := revoked + v_pending + v_available;
    update earn_basis b set
      refunded_minor = greatest(b.refunded_minor, least(p_refunded_minor, b.base_minor)),
      revoked = b.revoked + v_left, expired_counted = b.expired_counted + v_expired
    where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id and b.line = p_line
      and b.rule = v_basis.rule;
    v_left := v_left - v_pending - v_available - v_expired;
    if v_left > 0 then
      v_available := points_burn(v_wallet, p_transaction, v_seq, v_left, 'REVOKED', v_now, v_lot.id);
      v_seq := points_seq(v_tenant, p_transaction);
      revoked := revoked + v_available;
      v_left := v_left - v_available;
      v_owed := least(v_left, v_wallet.debt_limit - v_wallet.debt - owed);
      owed := owed + v_owed;
      lost := lost + v_left - v_owed;
    end if;
  end loop;
  insert into debt_posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, kind, amount)
  select v_tenant, p_transaction, row_number() over (order by m.n), v_wallet.id, v_wallet.version + 1, m.kind, m.amount
  from (values (1, 'RAISED', owed), (2, 'LOST', lost)) m (n, kind, amount)
  where m.amount > 0;
  if revoked + owed + lost > 0 then
    wallet_id := v_wallet.id;
    perform points_close(v_wallet, p_transaction, revoked + owed, p_reason, null);
  end if;
end $$;

/*
 * Looks at tables that have grown and were never analysed. All keys here begin with the tenant, so that to a planner
 * without statistics any index of a small table is as good as any other; such a plan, kept by a session, reads the
 * whole tenant once the table has grown. One caller at a time; the others pass by.
 */
create function analyze_new_tables() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_table regclass;
begin
  for v_table in
    select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relowner = current_user::regrole
      and c.reltuples <= 0 and pg_relation_size(c.oid) >= 16 * 8192
      and pg_try_advisory_xact_lock(hashtext('engawa.analyze_new_tables'))
    order by c.oid
  loop
    execute format('analyze %s', v_table);
  end loop;
end $$;
grant execute on function analyze_new_tables() to engawa_app, engawa_system;

/*
 * Earns for many facts at once, one lot each, within operations the caller has just made. p_rows is [{"transaction",
 * "member", "source", "base", "points", "at", "expires_at"}]. Wallets that owe are left out: their transactions are
 * returned, for points_earn to do one by one. Settles nothing: in a wallet without debt a birth is the same before and
 * after what is due.
 */
create function points_earn_import(
  p_rows jsonb, p_currency text, p_source_type text, p_rule text, p_rule_version int, p_reason text
) returns table (transaction_id uuid) language plpgsql as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_members uuid[] := array(
    select distinct (r ->> 'member')::uuid from jsonb_array_elements(p_rows) r where (r ->> 'points')::bigint > 0);
begin
  perform analyze_new_tables();
  insert into wallet (tenant_id, member_id, currency)
  select v_tenant, m.id, p_currency from unnest(v_members) m (id)
  where not exists (
    select from wallet w where w.tenant_id = v_tenant and w.member_id = m.id and w.currency = p_currency)
  order by m.id
  on conflict (tenant_id, member_id, currency) do nothing;
  perform from wallet w
  where w.tenant_id = v_tenant and w.member_id = any(v_members) and w.currency = p_currency
  order by w.id for no key update;

  return query
  with given as materialized (
    select w.id as wallet_id, w.member_id, w.head_hash, w.version, w.debt > 0 as is_owing, g.*
    from jsonb_to_recordset(p_rows) g (transaction uuid, member uuid, source text, base bigint, points bigint,
                                       at timestamptz, expires_at timestamptz)
    join wallet w on w.tenant_id = v_tenant and w.member_id = g.member and w.currency = p_currency
    where g.points > 0
  ), taken as materialized (
    select g.*, uuid_v7() as lot_id, o.idempotency_key, o.kind, o.at as op_at,
      g.version + row_number() over w as next_version,
      row_number() over (partition by g.wallet_id order by o.at desc, g.transaction desc) = 1 as is_last
    from given g join op o on o.tenant_id = v_tenant and o.transaction_id = g.transaction
    where not g.is_owing
    window w as (partition by g.wallet_id order by o.at, g.transaction)
  ), chained as materialized (
    select t.*, points_chain(t.head_hash, points_leaf(t.next_version, t.transaction, t.kind, t.op_at,
        points_leaf_line(1, t.lot_id, 'ISSUE', 'AVAILABLE', t.points), null))
      over (partition by t.wallet_id order by t.next_version) as chain_hash
    from taken t
  ), born as (
    insert into lot (tenant_id, id, wallet_id, transaction_id, wallet_version, source_type, source_id, rule,
                     rule_version, available_at, expires_at, granted, available)
    select v_tenant, c.lot_id, c.wallet_id, c.transaction, c.next_version, p_source_type, c.source, p_rule,
           p_rule_version, c.at, c.expires_at, c.points, c.points
    from chained c
  ), based as (
    insert into earn_basis (tenant_id, source_type, source_id, rule, wallet_id, lot_id, base_minor, granted)
    select v_tenant, p_source_type, c.source, p_rule, c.wallet_id, c.lot_id, c.base, c.points
    from chained c
  ), stamped as (
    update op o set wallet_id = c.wallet_id, points = c.points, reason = p_reason, wallet_version = c.next_version,
                    chain_hash = c.chain_hash
    from chained c
    where o.tenant_id = v_tenant and o.idempotency_key = c.idempotency_key
  ), headed as (
    update wallet w set version = c.next_version, head_hash = c.chain_hash
    from chained c
    where w.tenant_id = v_tenant and w.id = c.wallet_id and c.is_last
  ), told as (
    insert into outbox (tenant_id, type, member_id, payload, at)
    select v_tenant, 'points.posted', c.member_id,
           jsonb_build_object('transaction', c.transaction, 'wallet', c.wallet_id), c.op_at
    from chained c order by c.op_at, c.transaction
  )
  select g.transaction from given g where g.is_owing;
end $$;

-- ── Booking what is due in many wallets ──────────────────────────────────────────────────────────

/*
 * Books, for up to p_limit wallets of this tenant that nobody else works on, all that the clock has done already,
 * just as points_settle does one by one. Returns how many wallets it settled; 0: nothing is left to do here.
 */
create function points_settle_due(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallets uuid[];
  v_owing uuid[];
  v_wallet uuid;
begin
  perform analyze_new_tables();
  select coalesce(array_agg(x.id) filter (where x.debt = 0), '{}'),
         coalesce(array_agg(x.id) filter (where x.debt > 0), '{}')
  into v_wallets, v_owing
  from (
    select w.id, w.debt from wallet w
    where w.tenant_id = v_tenant and w.due_at <= v_now and w.id = any(array(
      select d.id from wallet d where d.tenant_id = v_tenant and d.due_at <= v_now order by d.due_at limit p_limit))
    order by w.id for no key update skip locked
  ) x;
  -- Debt makes the order of events matter within a wallet; the others are booked together.
  foreach v_wallet in array v_owing loop
    perform points_settle(v_wallet);
  end loop;
  if cardinality(v_wallets) = 0 then
    return cardinality(v_owing);
  end if;

  with activated as (
    select l.wallet_id, l.id as lot_id, l.available_at as at, l.pending as amount, l.expires_at
    from lot l
    where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.pending > 0 and l.available_at <= v_now
  ), lapsed as (
    select h.wallet_id, h.id as hold_id, h.expires_at as at, h.reason, p.lot_id, p.seq, p.amount, l.expires_at,
      case when l.expires_at <= h.expires_at then 'EXPIRED'::bucket else 'AVAILABLE' end as to_bucket
    from hold h
    join posting p on p.tenant_id = v_tenant and p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'
    join lot l on l.tenant_id = v_tenant and l.id = p.lot_id
    where h.tenant_id = v_tenant and h.wallet_id = any(v_wallets) and h.state = 'OPEN' and h.expires_at <= v_now
  ), dead as (
    select d.wallet_id, d.lot_id, d.expires_at as at, sum(d.amount)::bigint as amount
    from (
      select l.wallet_id, l.id as lot_id, l.expires_at, l.available as amount from lot l
      where l.tenant_id = v_tenant and l.wallet_id = any(v_wallets) and l.open and l.expires_at <= v_now
      union all
      select a.wallet_id, a.lot_id, a.expires_at, a.amount from activated a where a.expires_at <= v_now
      union all
      select h.wallet_id, h.lot_id, h.expires_at, h.amount from lapsed h
      where h.to_bucket = 'AVAILABLE' and h.expires_at <= v_now
    ) d
    group by d.wallet_id, d.lot_id, d.expires_at
  ), move as (
    select m.*, row_number() over (partition by m.wallet_id, m.at, m.step, m.hold_id order by m.seq, m.lot_id) as n
    from (
      select a.wallet_id, a.at, 1 as step, null::uuid as hold_id, 'activation' as reason, 0 as seq, a.lot_id,
             'PENDING'::bucket as from_bucket, 'AVAILABLE'::bucket as to_bucket, a.amount
      from activated a
      union all
      select h.wallet_id, h.at, 2, h.hold_id, h.reason, h.seq, h.lot_id, 'HELD', h.to_bucket, h.amount from lapsed h
      union all
      select d.wallet_id, d.at, 3, null, 'expiry', 0, d.lot_id, 'AVAILABLE', 'EXPIRED', d.amount from dead d
    ) m
  ), done as materialized (
    select m.wallet_id, m.at, m.step, m.hold_id, m.reason, (array['ACTIVATE', 'VOID', 'EXPIRE'])[m.step] as kind,
      sum(m.amount)::bigint as points, bool_or(m.to_bucket = 'EXPIRED') as has_expired, uuid_v7() as transaction_id,
      row_number() over (partition by m.wallet_id order by m.at, m.step, m.hold_id) as n,
      string_agg(points_leaf_line(m.n, m.lot_id, m.from_bucket, m.to_bucket, m.amount), e'\n' order by m.n) as postings
    from move m
    group by m.wallet_id, m.at, m.step, m.hold_id, m.reason
  ), chained as materialized (
    select d.*, w.member_id, w.version + d.n as version, format('engawa:%s:%s:%s', lower(d.kind), w.id, w.version + d.n) as key,
      points_chain(w.head_hash, points_leaf(w.version + d.n, d.transaction_id, d.kind, d.at, d.postings, null))
        over (partition by d.wallet_id order by d.n) as chain_hash
    from done d join wallet w on w.tenant_id = v_tenant and w.id = d.wallet_id
  ), opened as (
    insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, outcome, actor, at, wallet_id, points, reason,
                    wallet_version, chain_hash)
    select v_tenant, c.key, sha256(convert_to(c.key, 'UTF8')), c.transaction_id, c.kind,
           jsonb_build_object('is', 'done', 'wallet', c.wallet_id, 'transaction', c.transaction_id)
             || case when c.hold_id is null then '{}' else jsonb_build_object('hold', c.hold_id) end,
           'engawa', c.at, c.wallet_id, c.points, c.reason, c.version, c.chain_hash
    from chained c
  ), posted as (
    insert into posting
      (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
    select v_tenant, c.transaction_id, m.n, m.wallet_id, c.version, m.lot_id, m.from_bucket, m.to_bucket, m.amount
    from move m
    join chained c on (c.wallet_id, c.at, c.step) = (m.wallet_id, m.at, m.step) and c.hold_id is not distinct from m.hold_id
  ), resolved as (
    update hold h set state = 'EXPIRED', released = h.amount, resolved_transaction_id = c.transaction_id
    from chained c
    where h.tenant_id = v_tenant and h.id = c.hold_id
  )
  insert into outbox (tenant_id, type, member_id, payload, at)
  select v_tenant, e.type, c.member_id, e.payload, c.at
  from chained c cross join lateral (values
    (1, 'points.posted', jsonb_build_object('transaction', c.transaction_id, 'wallet', c.wallet_id)),
    (2, 'points.expired', jsonb_build_object('transaction', c.transaction_id))
  ) e (n, type, payload)
  where e.n = 1 or c.has_expired
  order by c.at, c.wallet_id, c.n, e.n;

  update wallet w set version = coalesce(d.version, w.version), head_hash = coalesce(d.head_hash, w.head_hash),
                      due_at = points_next_due(v_tenant, w.id)
  from unnest(v_wallets) x (id)
  left join lateral (
    select o.wallet_version as version, o.chain_hash as head_hash from op o
    where o.tenant_id = v_tenant and o.wallet_id = x.id order by o.wallet_version desc limit 1
  ) d on true
  where w.tenant_id = v_tenant and w.id = x.id;
  return cardinality(v_wallets) + cardinality(v_owing);
end $$;

/* The due scan looks across tenants, at nothing but who has something due. */
create policy system on wallet for select to engawa_system using (true);
grant select (tenant_id, due_at) on wallet to engawa_system;

-- ── Reading what is true now, booked or not ──────────────────────────────────────────────────────

/*
 * Where the points of these wallets are at p_now, as if all that is due were booked: a row for each lot, and for each
 * amount that an activation or a lapsed hold adds to one, after what of it repays debt.
 */
create function points_parts_now(p_tenant uuid, p_wallets uuid[], p_now timestamptz)
returns table (wallet_id uuid, expires_at timestamptz, available bigint, activated bigint, lapsed bigint, repaid bigint)
language plpgsql stable as $$
begin
  return query
  with arrival as (
    select l.wallet_id, l.available_at as at, 1 as step, null::uuid as hold_id, l.priority, l.expires_at, l.class,
           l.available_at, l.id, l.pending as amount
    from lot l
    where l.tenant_id = p_tenant and l.wallet_id = any(p_wallets) and l.pending > 0 and l.available_at <= p_now
    union all
    select h.wallet_id, h.expires_at, 2, h.id, l.priority, l.expires_at, l.class, l.available_at, l.id, p.amount
    from hold h
    join posting p on p.tenant_id = p_tenant and p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'
    join lot l on l.tenant_id = p_tenant and l.id = p.lot_id
    where h.tenant_id = p_tenant and h.wallet_id = any(p_wallets) and h.state = 'OPEN' and h.expires_at <= p_now
  ), live as (
    select a.*, a.expires_at is null or a.expires_at > a.at as is_live from arrival a
  ), taken as (
    select a.*, case when a.is_live then least(a.amount, greatest(0, w.debt
      - (sum(case when a.is_live then a.amount else 0 end) over (
           partition by a.wallet_id
           order by a.at, a.step, a.hold_id, a.priority, a.expires_at, a.class, a.available_at, a.id
           rows unbounded preceding) - a.amount)))::bigint else 0 end as repaid
    from live a join wallet w on w.tenant_id = p_tenant and w.id = a.wallet_id
  )
  select t.wallet_id, t.expires_at, case when t.is_live then t.amount - t.repaid else 0 end,
         case when t.step = 1 then t.amount else 0 end, case when t.step = 2 then t.amount else 0 end, t.repaid
  from taken t
  union all
  select l.wallet_id, l.expires_at, l.available, 0, 0, 0
  from lot l
  where l.tenant_id = p_tenant and l.wallet_id = any(p_wallets) and l.open;
end $$;

/*
 * The amounts of these wallets as they are now, whether booked or not. The plan is made once: for an array it would
 * otherwise be made at each call, which costs ten times the work itself.
 */
create function wallets_now(p_wallets uuid[])
returns table (wallet_id uuid, available bigint, pending bigint, held bigint, debt bigint)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_due uuid[] := array(
    select w.id from wallet w where w.tenant_id = v_tenant and w.id = any(p_wallets) and w.due_at <= v_now);
begin
  return query
  select w.id, w.available, w.pending, w.held, w.debt
  from wallet w
  where w.tenant_id = v_tenant and w.id = any(p_wallets) and (w.due_at > v_now) is not false;
  if cardinality(v_due) > 0 then
    return query
    select w.id, coalesce(p.available, 0)::bigint, (w.pending - coalesce(p.activated, 0))::bigint,
           (w.held - coalesce(p.lapsed, 0))::bigint, (w.debt - coalesce(p.repaid, 0))::bigint
    from wallet w
    left join (
      select n.wallet_id, sum(n.available) filter (where n.expires_at is null or n.expires_at > v_now) as available,
             sum(n.activated) as activated, sum(n.lapsed) as lapsed, sum(n.repaid) as repaid
      from points_parts_now(v_tenant, v_due, v_now) n
      group by n.wallet_id
    ) p on p.wallet_id = w.id
    where w.tenant_id = v_tenant and w.id = any(v_due);
  end if;
end $$;

/* What of these wallets dies within the interval from now, soonest first, at most 50 instants a wallet. */
create function wallet_expiring(p_wallets uuid[], p_within interval)
returns table (wallet_id uuid, points bigint, expires_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
begin
  return query
  select x.wallet_id, x.points::bigint, x.expires_at
  from (
    select n.wallet_id, n.expires_at, sum(n.available) as points,
           row_number() over (partition by n.wallet_id order by n.expires_at) as place
    from points_parts_now(v_tenant, p_wallets, v_now) n
    where n.expires_at > v_now and n.expires_at <= v_now + p_within and n.available > 0
    group by n.wallet_id, n.expires_at
  ) x
  where x.place <= 50
  order by x.wallet_id, x.expires_at;
end $$;

-- ── Verifying ────────────────────────────────────────────────────────────────────────────────────

/*
 * Recomputes the wallets of this tenant from what is append-only, and their chains; returns each difference. No rows:
 * the books are right. Takes the wallets with ids after p_after up to p_through; all by default.
 */
create function points_verify(
  p_after uuid default '00000000-0000-0000-0000-000000000000', p_through uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
) returns table (wallet_id uuid, expected text, found text)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  v_tenant uuid := current_tenant();
begin
  return query
  with moved as (
    select p.wallet_id, p.lot_id,
      sum(case when p.from_bucket = 'ISSUE' then p.amount else 0 end) as issued,
      sum(bucket_delta('PENDING', p.from_bucket, p.to_bucket, p.amount)) as pending,
      sum(bucket_delta('AVAILABLE', p.from_bucket, p.to_bucket, p.amount)) as available,
      sum(bucket_delta('HELD', p.from_bucket, p.to_bucket, p.amount)) as held,
      sum(bucket_delta('SPENT', p.from_bucket, p.to_bucket, p.amount)) as spent,
      sum(bucket_delta('EXPIRED', p.from_bucket, p.to_bucket, p.amount)) as expired,
      sum(bucket_delta('REVOKED', p.from_bucket, p.to_bucket, p.amount)) as revoked
    from posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.wallet_id, p.lot_id
  ), owed as (
    select p.wallet_id, sum(case when p.kind = 'RAISED' then p.amount else 0 end) as raised,
           sum(case when p.kind = 'REPAID' then p.amount else 0 end) as repaid
    from debt_posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.wallet_id
  ), reserved as (
    select h.wallet_id, sum(h.amount) as held from hold h
    where h.tenant_id = v_tenant and h.state = 'OPEN' and h.wallet_id > p_after and h.wallet_id <= p_through
    group by h.wallet_id
  ), posted as (
    select p.transaction_id, min(p.wallet_version) as version, bool_and(p.wallet_id = o.wallet_id) as is_one,
           max(p.wallet_version) = min(p.wallet_version) and min(p.wallet_version) = o.wallet_version as is_version,
           string_agg(points_leaf_line(p.seq, p.lot_id, p.from_bucket, p.to_bucket, p.amount), e'\n' order by p.seq) as leaf,
           min(p.wallet_id::text)::uuid as wallet_id
    from posting p
    join op o on o.tenant_id = v_tenant and o.transaction_id = p.transaction_id
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.transaction_id, o.wallet_version
  ), debts as (
    select p.transaction_id, string_agg(points_leaf_debt(p.seq, p.kind, p.amount), e'\n' order by p.seq) as leaf
    from debt_posting p
    where p.tenant_id = v_tenant and p.wallet_id > p_after and p.wallet_id <= p_through
    group by p.transaction_id
  ), chain as (
    select o.wallet_id, o.transaction_id, o.wallet_version, o.chain_hash,
      row_number() over w as n,
      points_link(lag(o.chain_hash) over w,
        points_leaf(o.wallet_version, o.transaction_id, o.kind, o.at, p.leaf, d.leaf)) as link
    from op o
    left join posted p on p.transaction_id = o.transaction_id
    left join debts d on d.transaction_id = o.transaction_id
    where o.tenant_id = v_tenant and o.wallet_id > p_after and o.wallet_id <= p_through
    window w as (partition by o.wallet_id order by o.wallet_version)
  ), difference as (
    -- Wallets against their postings, debt postings, open holds and transactions.
    select w.id as wallet_id, v.what, v.expected, v.found
    from wallet w
    left join (
      select m.wallet_id, sum(m.issued) as issued, sum(m.pending) as pending, sum(m.available) as available,
             sum(m.held) as held, sum(m.spent) as spent, sum(m.expired) as expired, sum(m.revoked) as revoked
      from moved m group by m.wallet_id
    ) m on m.wallet_id = w.id
    left join owed d on d.wallet_id = w.id
    left join reserved r on r.wallet_id = w.id
    left join (select c.wallet_id, count(*) as n from chain c group by c.wallet_id) c on c.wallet_id = w.id
    cross join lateral (values
      ('issued', coalesce(m.issued, 0)::text, w.issued::text),
      ('pending', coalesce(m.pending, 0)::text, w.pending::text),
      ('available', coalesce(m.available, 0)::text, w.available::text),
      ('held', coalesce(m.held, 0)::text, w.held::text),
      ('held by open holds', coalesce(r.held, 0)::text, w.held::text),
      ('spent', coalesce(m.spent, 0)::text, w.spent::text),
      ('expired', coalesce(m.expired, 0)::text, w.expired::text),
      ('revoked', coalesce(m.revoked, 0)::text, w.revoked::text),
      ('debt raised', coalesce(d.raised, 0)::text, w.debt_raised::text),
      ('debt repaid', coalesce(d.repaid, 0)::text, w.debt_repaid::text),
      ('version', coalesce(c.n, 0)::text, w.version::text)
    ) v (what, expected, found)
    where w.tenant_id = v_tenant and w.id > p_after and w.id <= p_through
    union all
    -- What is due must not be forgotten: too early costs a look, too late would show dead points.
    select w.id, 'due no later than', d.due_at::text, w.due_at::text
    from wallet w
    join (
      select x.wallet_id, min(x.due_at) as due_at
      from (
        select l.wallet_id, l.available_at as due_at from lot l
        where l.tenant_id = v_tenant and l.pending > 0 and l.wallet_id > p_after and l.wallet_id <= p_through
        union all
        select l.wallet_id, l.expires_at from lot l
        where l.tenant_id = v_tenant and l.open and l.wallet_id > p_after and l.wallet_id <= p_through
        union all
        select h.wallet_id, h.expires_at from hold h
        where h.tenant_id = v_tenant and h.state = 'OPEN' and h.wallet_id > p_after and h.wallet_id <= p_through
      ) x
      group by x.wallet_id
    ) d on d.wallet_id = w.id
    where w.tenant_id = v_tenant and (w.due_at <= d.due_at) is not true and d.due_at is not null
    union all
    -- Lots against their postings.
    select l.wallet_id, format('lot %s: %s', l.id, v.what), v.expected::text, v.found::text
    from lot l
    left join moved m on m.lot_id = l.id
    cross join lateral (values
      ('granted', m.issued, l.granted), ('pending', m.pending, l.pending), ('available', m.available, l.available),
      ('held', m.held, l.held), ('spent', m.spent, l.spent), ('expired', m.expired, l.expired),
      ('revoked', m.revoked, l.revoked)
    ) v (what, expected, found)
    where l.tenant_id = v_tenant and l.wallet_id > p_after and l.wallet_id <= p_through
    union all
    -- What was asked back against the money given back.
    select b.wallet_id, format('%s %s %s %s: %s', b.source_type, b.source_id, b.line, b.rule, v.what),
           v.expected::text, v.found::text
    from earn_basis b
    join lot l on l.tenant_id = v_tenant and l.id = b.lot_id
    cross join lateral (values
      ('granted', l.granted::numeric, b.granted),
      ('revoked', case when b.base_minor = 0 then 0
                  else div(b.granted::numeric * b.refunded_minor, b.base_minor) end, b.revoked)
    ) v (what, expected, found)
    where b.tenant_id = v_tenant and b.wallet_id > p_after and b.wallet_id <= p_through
    union all
    -- Holds against what they reserved and how they ended.
    select h.wallet_id, format('hold %s: %s', h.id, v.what), v.expected::text, v.found::text
    from hold h
    cross join lateral (
      select coalesce(sum(p.amount) filter (where p.transaction_id = h.transaction_id and p.to_bucket = 'HELD'), 0) as held,
             coalesce(sum(p.amount) filter (where p.transaction_id = h.resolved_transaction_id
                                            and p.from_bucket = 'HELD' and p.to_bucket = 'SPENT'), 0) as captured,
             coalesce(sum(p.amount) filter (where p.transaction_id = h.resolved_transaction_id
                                            and p.from_bucket = 'HELD' and p.to_bucket <> 'SPENT'), 0) as released
      from posting p
      where p.tenant_id = v_tenant and p.transaction_id in (h.transaction_id, h.resolved_transaction_id)
    ) p
    cross join lateral (values
      ('amount', p.held, h.amount), ('captured', p.captured, h.captured), ('released', p.released, h.released)
    ) v (what, expected, found)
    where h.tenant_id = v_tenant and h.wallet_id > p_after and h.wallet_id <= p_through
    union all
    -- The chain, link by link, and its head.
    select c.wallet_id, format('transaction %s: version', c.transaction_id), c.n::text, c.wallet_version::text from chain c
    union all
    select c.wallet_id, format('transaction %s: link', c.transaction_id), encode(c.link, 'hex'), encode(c.chain_hash, 'hex')
    from chain c
    union all
    select w.id, 'head', encode(c.chain_hash, 'hex'), encode(w.head_hash, 'hex')
    from wallet w left join chain c on c.wallet_id = w.id and c.wallet_version = w.version
    where w.tenant_id = v_tenant and w.id > p_after and w.id <= p_through
    union all
    select p.wallet_id, format('transaction %s: of one wallet and version', p.transaction_id), 'true',
           coalesce(p.is_one and p.is_version, false)::text
    from posted p
  )
  select d.wallet_id, d.what || ' ' || coalesce(d.expected, 'none'), d.what || ' ' || coalesce(d.found, 'none')
  from difference d
  where d.expected is distinct from d.found
  order by d.wallet_id, d.what;
end $$;

grant execute on function
  points_grant(text, bytea, uuid, text, bigint, text, text, timestamptz, timestamptz, text),
  points_spend(text, bytea, uuid, text, bigint, text, text, text),
  points_refund_spend(text, bytea, uuid, bigint, text, text),
  points_hold(text, bytea, uuid, text, bigint, text, interval, text, text),
  points_capture(text, bytea, uuid, bigint, text),
  points_void(text, bytea, uuid, text),
  points_settle_due(int), points_verify(uuid, uuid), wallets_now(uuid[]), wallet_expiring(uuid[], interval) to engawa_app;

-- ── What a new member begins with ────────────────────────────────────────────────────────────────

/* Every member has a wallet of the usual points from the first day, so that its balance can be shown. */
create function wallets_of_new_members() returns trigger language plpgsql as $$
begin
  insert into wallet (tenant_id, member_id, currency)
  select m.tenant_id, m.id, 'POINTS' from new_member m order by m.id;
  return null;
end $$;
create trigger wallets_of_new_members after insert on member
  referencing new table as new_member for each statement execute function wallets_of_new_members();
