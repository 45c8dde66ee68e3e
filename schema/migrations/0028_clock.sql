-- What the clock brings, once more: each room adds its lines where they are marked.

set local role engawa_owner;

/* Tenants with something due by their own clocks. */
create or replace function due_tenants() returns setof uuid language plpgsql stable as $$
begin
  return query
  select t.id from tenant t
  where exists (select from lifecycle_state s where s.tenant_id = t.id and s.due_at < coalesce(t.clock_at, now()))
     or (select max(s.replay_after) < now() from lifecycle_state s where s.tenant_id = t.id and s.replay_after is not null)
     or exists (select from wallet w where w.tenant_id = t.id and w.due_at <= coalesce(t.clock_at, now()))
     or exists (select from expiry_look e where e.tenant_id = t.id and e.due_at <= coalesce(t.clock_at, now()))
     or exists (select from broadcast b where b.tenant_id = t.id and b.due_at <= coalesce(t.clock_at, now()))
     or exists (select from tier_pass p where p.tenant_id = t.id) or exists (select from tier_nudge n where n.tenant_id = t.id)
     or exists (select from tier_standing s where s.tenant_id = t.id and s.due_at <= coalesce(t.clock_at, now()))
     or exists (select from segment_look s where s.tenant_id = t.id and s.due_at <= coalesce(t.clock_at, now()))
     or exists (select from offer_receipt r where r.tenant_id = t.id and r.due_at <= coalesce(t.clock_at, now()))
     or exists (select from reward_redemption r where r.tenant_id = t.id and r.state = 'RESERVED'
                and r.reserved_until <= coalesce(t.clock_at, now()))
     or exists (select from campaign_run r where r.tenant_id = t.id and r.due_at <= coalesce(t.clock_at, now()))
     or exists (select from coupon_redemption r
                where r.tenant_id = t.id and r.state = 'RESERVED' and r.expires_at <= coalesce(t.clock_at, now()))
     or exists (select from coupon_counter c where c.tenant_id = t.id and c.is_stale)
     or exists (select from budget b where b.tenant_id = t.id and b.is_stale)
     or exists (select from segment_entry e where e.tenant_id = t.id)
     or exists (select from referral r where r.tenant_id = t.id and r.due_at <= coalesce(t.clock_at, now()))
     or exists (select from referral_signal s where s.tenant_id = t.id and s.expires_at <= coalesce(t.clock_at, now()))
  -- Rooms: a line each.
  ;
end $$;

/* The next instant at which something of the current tenant falls due; null: none does. */
create function clock_next(p_tenant uuid) returns timestamptz language plpgsql stable as $$
begin
  return least(
    (select least(s.silent_at + interval '1 millisecond', s.next_band_at) from lifecycle_state s
     where s.tenant_id = p_tenant and s.due_at is not null order by s.due_at limit 1),
    (select w.due_at from wallet w where w.tenant_id = p_tenant and w.due_at is not null order by w.due_at limit 1),
    (select min(e.due_at) from expiry_look e where e.tenant_id = p_tenant),
    (select p.due_at from touchpoint p where p.tenant_id = p_tenant and p.state = 'PLANNED' order by p.due_at limit 1),
    (select min(p.due_at) from touchpoint p where p.tenant_id = p_tenant and p.state = 'CLAIMED'),
    (select tenant_now(p_tenant) where exists (select from tier_pass p where p.tenant_id = p_tenant)
       or exists (select from tier_nudge n where n.tenant_id = p_tenant)),
    (select min(s.due_at) from tier_standing s where s.tenant_id = p_tenant),
    (select min(s.due_at) from segment_look s where s.tenant_id = p_tenant and s.due_at is not null),
    (select r.due_at from offer_receipt r where r.tenant_id = p_tenant and r.due_at is not null order by r.due_at limit 1),
    (select min(r.reserved_until) from reward_redemption r where r.tenant_id = p_tenant and r.state = 'RESERVED'),
    (select min(r.due_at) from campaign_run r where r.tenant_id = p_tenant and r.due_at is not null),
    (select min(r.expires_at) from coupon_redemption r where r.tenant_id = p_tenant and r.state = 'RESERVED'),
    (select tenant_now(p_tenant) where exists (select from segment_entry e where e.tenant_id = p_tenant)),
    (select min(r.due_at) from referral r where r.tenant_id = p_tenant and r.due_at is not null),
    (select min(s.expires_at) from referral_signal s where s.tenant_id = p_tenant),
    -- Rooms: a line each.
    (select min(b.due_at) from broadcast b where b.tenant_id = p_tenant and b.due_at is not null));
end $$;

/* Books, in order, what is due at the instant where the clock stands, until a look finds nothing. */
create function clock_settle() returns void language plpgsql as $$
declare
  v_settled int;
begin
  loop
    v_settled := lifecycle_settle_due(1000);
    v_settled := v_settled + points_settle_due(1000);
    v_settled := v_settled + expiry_settle_due(500);
    v_settled := v_settled + tiers_settle_due(1000);
    v_settled := v_settled + segments_settle_due(100);
    v_settled := v_settled + offers_settle_due(1000);
    v_settled := v_settled + rewards_settle_due(1000);
    v_settled := v_settled + coupons_settle_due(1000);
    v_settled := v_settled + activities_settle_due(1000);
    v_settled := v_settled + referrals_settle_due(100);
    -- Rooms: a line each, in the order of the rooms.
    exit when v_settled = 0;
  end loop;
end $$;

/*
 * Moves the test clock of the current tenant towards p_to, stopping at each instant on the way at which something is
 * due and booking it there, at most p_steps instants. Answers {"now", "is_there", "touches": whether touches are due
 * where it stopped, which the caller delivers before it goes on}. Refuses a tenant without a test clock, and the past.
 */
create or replace function clock_advance(p_to timestamptz, p_steps int) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz;
  v_next timestamptz;
begin
  select t.clock_at into v_now from tenant t where t.id = v_tenant for no key update;
  if v_now is null then
    return bad_input('tenant', 'This tenant lives on the real clock; only a tenant created with --clock has a test clock.');
  elsif p_to < v_now then
    return bad_input('to', format('A test clock only moves forward; it stands at %s.',
      to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
  end if;
  loop
    exit when purchase_replay_due(1000) = 0;
  end loop;
  for i in 1 .. p_steps loop
    v_next := least(p_to, clock_next(v_tenant));
    if v_next > v_now then
      v_now := v_next;
      update tenant set clock_at = v_now where id = v_tenant;
    end if;
    perform clock_settle();
    if exists (select from touchpoint p where p.tenant_id = v_tenant and p.state in ('PLANNED', 'CLAIMED') and p.due_at <= v_now)
       or exists (select from broadcast b where b.tenant_id = v_tenant and b.due_at <= v_now) then
      return jsonb_build_object('is', 'done', 'now', v_now, 'is_there', false, 'touches', true);
    end if;
    exit when v_now = p_to;
  end loop;
  return jsonb_build_object('is', 'done', 'now', v_now, 'is_there', v_now = p_to, 'touches', false);
end $$;
