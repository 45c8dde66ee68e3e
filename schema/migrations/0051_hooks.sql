-- What happens when a contribution becomes visible, changes its state or gets a reaction, what falls due, and what is known of
-- members: each room has its line (before: 0044_hooks.sql).

set local role engawa_owner;

/* Something has just become visible. */
create or replace function contribution_published(p_contribution contribution) returns void language plpgsql as $$
begin
  -- An entry of the FAQ that stayed a draft is no news.
  if p_contribution.state = 'DRAFT' then
    return;
  end if;
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
  perform questions_state_changed(p_contribution, p_before);
  perform notifications_judged(p_contribution, p_before);
end $$;

/* A member's reaction changed. */
create or replace function contribution_reacted(
  p_contribution contribution, p_member uuid, p_kind text, p_is_on boolean
) returns void language plpgsql as $$
begin
  perform reputation_reacted(p_contribution, p_member, p_kind, p_is_on);
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
     or exists (select from member m where m.tenant_id = t.id and m.paused_until <= coalesce(t.clock_at, now()))
     or exists (select from member m where m.tenant_id = t.id and m.renewal_stopped_at is not null
                and m.membership <> 'ENDED' and m.paid_through <= coalesce(t.clock_at, now()))
     or exists (select from badge_look b where b.tenant_id = t.id) or exists (select from badge_pass b where b.tenant_id = t.id)
     or exists (select from question q where q.tenant_id = t.id and q.escalates_at <= coalesce(t.clock_at, now()))
     or exists (select from faq_entry f where f.tenant_id = t.id and f.due_at <= coalesce(t.clock_at, now()))
     or exists (select from profile p where p.tenant_id = t.id and p.derives_at <= coalesce(t.clock_at, now()))
     or exists (select from outreach o where o.tenant_id = t.id and o.due_at <= coalesce(t.clock_at, now()))
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
    (select min(m.paused_until) from member m where m.tenant_id = p_tenant and m.paused_until is not null),
    (select min(m.paid_through) from member m
     where m.tenant_id = p_tenant and m.renewal_stopped_at is not null and m.membership <> 'ENDED'),
    (select tenant_now(p_tenant) where exists (select from badge_look b where b.tenant_id = p_tenant)
       or exists (select from badge_pass b where b.tenant_id = p_tenant)),
    (select min(q.escalates_at) from question q where q.tenant_id = p_tenant and q.escalates_at is not null),
    (select min(f.due_at) from faq_entry f where f.tenant_id = p_tenant and f.due_at is not null),
    (select min(p.derives_at) from profile p where p.tenant_id = p_tenant and p.derives_at is not null),
    (select min(o.due_at) from outreach o where o.tenant_id = p_tenant and o.due_at is not null),
    -- Rooms: a line each.
    (select min(b.due_at) from broadcast b where b.tenant_id = p_tenant and b.due_at is not null));
end $$;

/* Books, in order, what is due at the instant where the clock stands, until a look finds nothing. */
create or replace function clock_settle() returns void language plpgsql as $$
declare
  v_settled int;
begin
  loop
    v_settled := memberships_settle_due(1000);
    v_settled := v_settled + lifecycle_settle_due(1000);
    v_settled := v_settled + points_settle_due(1000);
    v_settled := v_settled + expiry_settle_due(500);
    v_settled := v_settled + tiers_settle_due(1000);
    v_settled := v_settled + segments_settle_due(100);
    v_settled := v_settled + offers_settle_due(1000);
    v_settled := v_settled + rewards_settle_due(1000);
    v_settled := v_settled + coupons_settle_due(1000);
    v_settled := v_settled + activities_settle_due(1000);
    v_settled := v_settled + referrals_settle_due(100);
    v_settled := v_settled + interests_settle_due(100);
    v_settled := v_settled + notifications_settle_due(100);
    v_settled := v_settled + digests_settle_due(1000);
    v_settled := v_settled + content_settle_due(1000);
    v_settled := v_settled + badges_settle_due(500);
    v_settled := v_settled + views_settle_due(1000);
    v_settled := v_settled + questions_settle_due(1000);
    v_settled := v_settled + faq_settle_due(1000);
    v_settled := v_settled + outreach_settle_due(1000);
    -- Rooms: a line each, in the order of the rooms.
    exit when v_settled = 0;
  end loop;
end $$;

-- ── What the product knows of members ────────────────────────────────────────────────────────────

/*
 * Every table that tells something of a member: which rows (t, of tenant $1 and member $2), to whom an export tells
 * them (ALL: also the member; STAFF; NONE), and what an erasure does with them: delete, the columns that it sets, or
 * null for what names nobody (ids, amounts, instants; columns of who acted are emptied everywhere); erased_words() is
 * for what it wrote in spaces, which goes only when its texts are to go. In an order in
 * which rows may go; a table that is not there is passed over. test/schema/places.test.ts holds it against the catalogue. Rooms: a line each for each table.
 */
create or replace function member_places() returns table (name text, mine text, told text, erase text)
language sql stable as $places$
  select p.* from (values
  ('member', 't.id = $2', 'ALL', null),
  ('membership_change', 't.member_id = $2', 'ALL', 'reason = null'),
  -- Where members are found, and what they agreed to.
  ('confirmation', 't.member_id = $2', 'ALL', null),
  ('address', 't.member_id = $2', 'ALL', 'removed_at = coalesce(removed_at, tenant_now($1))'),
  ('consent_event', 't.member_id = $2', 'ALL', $$source = 'erased', text_version = case when text_version is not null then '–' end, proof = '{}'$$),
  ('consent', 't.member_id = $2', 'ALL', $$source = 'erased', text_version = case when text_version is not null then '–' end$$),
  ('preference', 't.member_id = $2', 'ALL', 'delete'),
  ('suppression', 't.member_id = $2', 'ALL', $$detail = '{}', lift_reason = null$$),
  ('touch_pause', 't.member_id = $2', 'ALL', 'delete'),
  -- What was said to them.
  ('signal', $$t.member_id = $2 or t.delivery_id in (select d.id from delivery d where d.tenant_id = $1 and d.member_id = $2)$$, 'STAFF',
    $$reply_text = null, raw = null, provider_id = null, key = null, status = null, dedupe_key = 'erased:' || id$$),
  ('touch_decision', $$t.touchpoint_id in (select p.id from touchpoint p where p.tenant_id = $1 and p.member_id = $2)$$, 'STAFF', $$detail = json_blank(detail)$$),
  ('task', 't.member_id = $2', 'STAFF', $$note = null$$),
  ('outreach', 't.member_id = $2', 'STAFF', null),
  ('member_note_revision', $$t.note_id in (select n.id from member_note n where n.tenant_id = $1 and n.member_id = $2)$$, 'STAFF', 'delete'),
  ('member_note', 't.member_id = $2', 'STAFF', 'delete'),
  ('delivery', 't.member_id = $2', 'STAFF',
    $$content = json_blank(content), outcome = json_blank(outcome), unknown = json_blank(unknown), identity = null, provider_id = null$$),
  ('touchpoint', 't.member_id = $2', 'ALL', $$content = json_blank(content), intent = null$$),
  -- What they bought, did and have.
  ('lifecycle_state', 't.member_id = $2', 'ALL', null),
  ('stage_change', 't.member_id = $2', 'ALL', $$reason = case when reason is not null then '–' end$$),
  ('purchase_line', $$t.purchase_id in (select p.id from purchase p where p.tenant_id = $1 and p.member_id = $2)$$, 'ALL', 'name = null'),
  ('refund', $$t.purchase_id in (select p.id from purchase p where p.tenant_id = $1 and p.member_id = $2)$$, 'ALL', 'reason = null'),
  ('purchase', 't.member_id = $2', 'ALL', null),
  ('activity', 't.member_id = $2', 'ALL', $$properties = '{}', key = 'erased:' || id$$),
  ('earning', 't.member_id = $2', 'ALL', $$inputs = json_blank(inputs)$$),
  ('earn_basis', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)$$, 'NONE', null),
  ('earn_usage', 't.member_id = $2', 'NONE', null),
  ('hold', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)$$, 'ALL', $$reason = '–'$$),
  ('lot', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)$$, 'ALL', null),
  ('lot_date', $$t.lot_id in (select l.id from lot l join wallet w on w.tenant_id = l.tenant_id and w.id = l.wallet_id
    where l.tenant_id = $1 and w.member_id = $2)$$, 'ALL', null),
  ('posting', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)$$, 'ALL', null),
  ('debt_posting', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)$$, 'ALL', null),
  ('tier_revocation', $$t.lot_id in (select l.id from lot l join wallet w on w.tenant_id = l.tenant_id and w.id = l.wallet_id
    where l.tenant_id = $1 and w.member_id = $2)$$, 'NONE', null),
  ('expiry_warning', 't.member_id = $2', 'ALL', null),
  ('op', $$t.wallet_id in (select w.id from wallet w where w.tenant_id = $1 and w.member_id = $2)
    or t.actor = 'member:' || (select m.external_id from member m where m.tenant_id = $1 and m.id = $2)
    or t.outcome @> jsonb_build_object('member', $2)$$, 'ALL',
    $$idempotency_key = case when idempotency_key like 'engawa:%' then idempotency_key else 'erased:' || transaction_id end,
      hash = '', reason = case when reason is not null then '–' end, outcome = outcome_ids(outcome),
      actor = case when actor like 'member:%' then 'member:–' else actor end$$),
  ('wallet', 't.member_id = $2', 'ALL', null),
  ('adjustment', 't.member_id = $2', 'STAFF', $$reason = '–', note = null$$),
  ('tier_standing', 't.member_id = $2', 'ALL', null),
  ('tier_decision', 't.member_id = $2', 'ALL', $$reason = case when reason is not null then '–' end$$),
  ('tier_nudge', 't.member_id = $2', 'NONE', null),
  ('segment_entry', 't.member_id = $2', 'NONE', null),
  ('segment_stay', 't.member_id = $2', 'STAFF', null),
  ('benefit_grant', 't.member_id = $2', 'ALL', $$reason = '–', settled_reason = null, used_order = null$$),
  ('entitlement_use_part', 't.member_id = $2', 'NONE', null),
  ('entitlement_use', 't.member_id = $2', 'ALL', $$returned_reason = case when returned_reason is not null then '–' end$$),
  ('entitlement_usage', 't.member_id = $2', 'ALL', null),
  ('coupon_slot', 't.member_id = $2', 'NONE', null),
  ('coupon_redemption', 't.member_id = $2', 'ALL', 'reason = null'),
  ('coupon_code', 't.member_id = $2', 'ALL', null),
  ('reward_slot', 't.member_id = $2', 'NONE', null),
  ('reward_redemption_change', $$t.redemption_id in (select r.id from reward_redemption r where r.tenant_id = $1 and r.member_id = $2)$$, 'ALL', 'reason = null'),
  ('reward_redemption', 't.member_id = $2', 'ALL', 'reference = null, reason = null'),
  ('offer_completion', $$t.receipt_id in (select r.id from offer_receipt r where r.tenant_id = $1 and r.member_id = $2)$$, 'ALL', null),
  ('offer_receipt', 't.member_id = $2', 'ALL', $$key = 'erased:' || id$$),
  ('referral_change', $$t.referral_id in (select r.id from referral r where r.tenant_id = $1 and $2 in (r.referrer_id, r.friend_id))$$, 'STAFF', 'reason = null'),
  ('referral', '$2 in (t.referrer_id, t.friend_id)', 'ALL', 'reason = null'),
  ('referral_signal', 't.member_id = $2', 'NONE', 'delete'),
  ('thread_invite', 't.member_id = $2', 'ALL', 'delete'),
  ('partner_return', $$t.movement_id in (select p.id from partner_movement p where p.tenant_id = $1 and p.member_id = $2)$$, 'STAFF', null),
  ('partner_movement', 't.member_id = $2', 'STAFF', null),
  ('cost_entry', 't.member_id = $2', 'STAFF', $$measure = '–'$$),
  -- What they wrote, and how they stand in spaces.
  ('space_member', 't.member_id = $2', 'ALL', $$state = 'LEFT', role = 'MEMBER'$$),
  ('member_block', 't.member_id = $2', 'ALL', 'delete'),
  ('member_block', 't.other_id = $2', 'NONE', 'delete'),
  ('thread_reader', 't.member_id = $2', 'ALL', 'delete'),
  ('contribution_revision', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('search_document', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'NONE', null),
  ('contribution', 't.author_id = $2', 'ALL', null),
  ('mention', 't.member_id = $2', 'ALL', null),
  ('teaser_view', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'NONE', null),
  ('public_teaser', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'delete'),
  ('reaction', 't.member_id = $2', 'ALL', null),
  ('follow', 't.member_id = $2', 'ALL', 'delete'),
  ('follow', $$t.kind = 'MEMBER' and t.target = $2::text$$, 'NONE', 'delete'),
  ('read_mark', 't.member_id = $2', 'ALL', 'delete'),
  -- Posts, ideas, polls, gatherings, research.
  ('post_facts', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('idea', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'note = erased_words(note)'),
  ('poll', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('poll_option', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'label = erased_words(label)'),
  ('gathering', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'place = erased_words(place)'),
  ('cross_post', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'delete'),
  ('bridged_text', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('idea_vote', 't.member_id = $2', 'ALL', null),
  ('poll_vote', 't.member_id = $2', 'ALL', null),
  ('gathering_guest', 't.member_id = $2', 'ALL', null),
  ('complaint', 't.member_id = $2', 'ALL', $$reason = case when reason is not null then '–' end$$),
  ('stumble', 't.member_id = $2', 'ALL', $$feature = '–', note = case when note is not null then '–' end$$),
  ('research_answer', 't.member_id = $2', 'ALL', $$words = case when words is not null then '–' end$$),
  ('research_order', 't.member_id = $2', 'ALL', null),
  -- Questions and answers.
  ('question', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('answer', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('accepted_answer', $$t.question_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('question_duplicate', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('me_too', 't.member_id = $2', 'ALL', null),
  ('answer_thanks', 't.member_id = $2', 'ALL', null),
  ('answer_request', 't.member_id = $2', 'ALL', null),
  ('acceptance', 't.answerer_id = $2', 'ALL', null),
  ('contribution_move', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  ('faq_entry', $$t.answer_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', null),
  ('composer_opening', 't.member_id = $2', 'ALL', 'delete'),
  ('composer_session', 't.member_id = $2', 'ALL', 'delete'),
  ('imported_vote', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', null),
  -- Moderation and trust.
  ('moderation_flag', 't.member_id = $2', 'ALL', $$note = case when note is not null then '–' end$$),
  ('moderation_step', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', 'note = null'),
  ('moderation_case', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', 'note = null, appeal = null'),
  ('trust_day', 't.member_id = $2', 'ALL', null),
  ('trust', 't.member_id = $2', 'ALL', null),
  -- Reputation and badges.
  ('reputation_entry', 't.member_id = $2', 'ALL', null),
  ('reputation_entry', 't.giver_id = $2', 'NONE', null),
  ('reputation', 't.member_id = $2', 'ALL', null),
  ('content_check_run', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', 'reason = null'),
  ('contribution_original', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL', 'delete'),
  ('badge_award', 't.member_id = $2', 'ALL', null),
  ('badge_look', 't.member_id = $2', 'NONE', 'delete'),
  ('prospect', 't.member_id = $2', 'ALL', null),
  -- Content and courses.
  ('content_rating', 't.member_id = $2', 'ALL', 'comment = null'),
  ('content', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'ALL',
    'title = erased_words(title), teaser = erased_words(teaser), need = erased_words(need)'),
  ('content_evidence', $$t.contribution_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', $$note = case when note is not null then '–' end$$),
  ('content_idea', $$t.content_id in (select c.id from contribution c where c.tenant_id = $1 and c.author_id = $2)$$, 'STAFF', null),
  ('member_checklist', 't.member_id = $2', 'ALL', null),
  ('asset_progress', 't.member_id = $2', 'ALL', null),
  ('asset', 't.member_id = $2', 'ALL', $$name = '–', state = case when contribution_id is null or erased_words(name) <> name then 'GONE' else state end,
      due_at = case when contribution_id is null or erased_words(name) <> name then tenant_now($1) else due_at end$$),
  ('lesson_progress', 't.member_id = $2', 'ALL', null),
  ('enrolment', 't.member_id = $2', 'ALL', null),
  -- What they looked at.
  ('page_view', 't.member_id = $2', 'ALL', 'delete'),
  ('contribution_view', 't.member_id = $2', 'ALL', null),
  -- Notifications and digests.
  ('touch_saying', $$t.touchpoint_id in (select p.id from touchpoint p where p.tenant_id = $1 and p.member_id = $2)$$, 'NONE', null),
  ('digest', 't.member_id = $2', 'ALL', null),
  ('digest_setting', 't.member_id = $2', 'ALL', 'delete'),
  ('notification_choice', 't.member_id = $2', 'ALL', 'delete'),
  ('space_notice', 't.member_id = $2', 'ALL', 'delete'),
  ('notification_part', 't.member_id = $2', 'NONE', 'delete'),
  ('notification_fact', 't.recipient_id = $2', 'NONE', 'due_at = null'),
  ('notification', 't.member_id = $2', 'ALL', 'delete'),
  -- How they show themselves, and what they wrote to one another.
  ('member_identity', 't.member_id = $2', 'ALL', 'delete'),
  ('presence', 't.member_id = $2', 'NONE', 'delete'),
  ('profile_field', 't.member_id = $2', 'ALL', 'delete'),
  ('interest', 't.member_id = $2', 'ALL', 'delete'),
  ('interest_refusal', 't.member_id = $2', 'ALL', 'delete'),
  ('profile', 't.member_id = $2', 'ALL', 'delete'),
  ('contact_offer', '$2 in (t.member_id, t.other_id)', 'ALL', 'delete'),
  ('conversation_post', 't.member_id = $2', 'ALL', null),
  ('introduction', '$2 in (t.one_id, t.other_id)', 'ALL', $$note = case when note is not null then '–' end$$),
  ('message', $$t.conversation_id in (select c.id from conversation c where c.tenant_id = $1 and $2 in (c.one_id, c.other_id))$$, 'ALL', $$body = '–'$$),
  ('conversation', '$2 in (t.one_id, t.other_id)', 'ALL', null),
  -- What was told of them: ids alone, but for the feature over which one stumbled.
  ('event_log', 't.member_id = $2', 'NONE', $$payload = case when type = 'stumble.reported' then json_blank(payload) else payload end$$),
  ('outbox', 't.member_id = $2', 'NONE', $$payload = case when type = 'stumble.reported' then json_blank(payload) else payload end$$),
  ('webhook_failure', 't.member_id = $2', 'NONE', 'last_failure = json_blank(last_failure)')
  ) p (name, mine, told, erase)
  where to_regclass('public.' || p.name) is not null
$places$;
