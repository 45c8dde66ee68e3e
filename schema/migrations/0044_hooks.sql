-- What happens when a contribution becomes visible, changes its state or gets a reaction: each room has its line.

set local role engawa_owner;

/* Something has just become visible. */
create or replace function contribution_published(p_contribution contribution) returns void language plpgsql as $$
begin
  update contribution c set activity_at = greatest(c.activity_at, p_contribution.published_at)
  where p_contribution.parent_id is not null and c.tenant_id = p_contribution.tenant_id and c.id = p_contribution.root_id;
  if p_contribution.author_id is not null then
    insert into follow (tenant_id, member_id, kind, target, since)
    values (p_contribution.tenant_id, p_contribution.author_id, 'THREAD', p_contribution.root_id::text,
            p_contribution.published_at)
    on conflict do nothing;
  end if;
  perform posts_published(p_contribution);
  perform questions_published(p_contribution);
  if p_contribution.kind = 'COMMENT' then
    perform announce('comment.published', p_contribution.author_id,
      jsonb_build_object('contribution', p_contribution.id), p_contribution.published_at);
  end if;
  perform notifications_published(p_contribution);
end $$;

/* A contribution went from one state to another. */
create or replace function contribution_state_changed(p_contribution contribution, p_before text) returns void
language plpgsql as $$
begin
  perform posts_state_changed(p_contribution, p_before);
end $$;

/* A member's reaction changed. */
create or replace function contribution_reacted(
  p_contribution contribution, p_member uuid, p_kind text, p_is_on boolean
) returns void language plpgsql as $$
begin
  return;
end $$;

-- ── The clock (before: 0028_clock.sql); each room adds its lines where they are marked ────────────

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
     or exists (select from notification_fact f where f.tenant_id = t.id and f.due_at <= coalesce(t.clock_at, now()))
     or exists (select from digest d where d.tenant_id = t.id and d.state = 'OPEN' and d.due_at <= coalesce(t.clock_at, now()))
     or exists (select from content_series s where s.tenant_id = t.id and s.due_at <= coalesce(t.clock_at, now()))
     or exists (select from member_checklist m where m.tenant_id = t.id and m.due_at <= coalesce(t.clock_at, now()))
     or exists (select from asset a where a.tenant_id = t.id and a.due_at <= coalesce(t.clock_at, now()))
     or exists (select from view_delta v where v.tenant_id = t.id)
  -- Rooms: a line each.
  ;
end $$;

/* The next instant at which something of the current tenant falls due; null: none does. */
create or replace function clock_next(p_tenant uuid) returns timestamptz language plpgsql stable as $$
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
    (select min(f.due_at) from notification_fact f where f.tenant_id = p_tenant and f.due_at is not null),
    (select min(d.due_at) from digest d where d.tenant_id = p_tenant and d.state = 'OPEN'),
    (select min(m.due_at) from member_checklist m where m.tenant_id = p_tenant and m.due_at is not null),
    (select min(s.due_at) from content_series s where s.tenant_id = p_tenant and s.due_at is not null),
    (select tenant_now(p_tenant) where exists (select from view_delta v where v.tenant_id = p_tenant)),
    -- Rooms: a line each.
    (select min(b.due_at) from broadcast b where b.tenant_id = p_tenant and b.due_at is not null));
end $$;

/* Books, in order, what is due at the instant where the clock stands, until a look finds nothing. */
create or replace function clock_settle() returns void language plpgsql as $$
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
    v_settled := v_settled + notifications_settle_due(100);
    v_settled := v_settled + digests_settle_due(1000);
    v_settled := v_settled + content_settle_due(1000);
    v_settled := v_settled + views_settle_due(1000);
    -- Rooms: a line each, in the order of the rooms.
    exit when v_settled = 0;
  end loop;
end $$;
