-- Invites from a thread: a member brings others by a code of its own for what is talked about there; a claim keeps the
-- thread by which the friend came.

set local role engawa_owner;

/* The code by which a member invites from a thread; the first that was made for both. */
create table thread_invite (
  tenant_id uuid not null,
  member_id uuid not null,
  thread_id uuid not null,
  /* Written as those of referral_code() are, and drawn by lot: it tells nothing of the thread. */
  code      text not null check (code ~ '^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$'),
  made_at   timestamptz not null,
  primary key (tenant_id, member_id, thread_id),
  constraint thread_invite_code unique (tenant_id, code),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  foreign key (tenant_id, thread_id) references contribution (tenant_id, id)
);
create index thread_invite_of on thread_invite (tenant_id, thread_id);
call protect('thread_invite');
call sight_own('thread_invite');

/* By which thread the friend came; null: by the referrer's own code. */
alter table referral
  add column thread_id uuid,
  add foreign key (tenant_id, thread_id) references contribution (tenant_id, id);
create index referral_of_thread on referral (tenant_id, thread_id) where thread_id is not null;
create trigger same_thread before update of thread_id on referral
  for each row execute function refuse_change('a referral stays by the thread that it came by');

/*
 * Gives a member its code for the thread of something that it sees: the same one however often, and however many ask at
 * once. Outcomes: done {code, member}, not_found.
 */
create function thread_invite_of(p_contribution uuid, p_member uuid, p_external_id text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_member member := member_find(p_member, p_external_id);
  v_thread uuid;
  v_code text;
begin
  if v_member.id is null then
    return points_not_found('member');
  end if;
  select r.id into v_thread from contribution c
  join contribution r on r.tenant_id = c.tenant_id and r.id = c.root_id
  where c.tenant_id = v_tenant and c.id = p_contribution and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
    and contribution_seen(c.id, v_member.id) and contribution_seen(r.id, v_member.id);
  if v_thread is null then
    return points_not_found('contribution');
  end if;
  insert into thread_invite (tenant_id, member_id, thread_id, code, made_at)
  values (v_tenant, v_member.id, v_thread, referral_code(gen_random_uuid()), tenant_now(v_tenant))
  on conflict (tenant_id, member_id, thread_id) do nothing;
  select i.code into v_code from thread_invite i
  where i.tenant_id = v_tenant and i.member_id = v_member.id and i.thread_id = v_thread;
  return jsonb_build_object('is', 'done', 'code', v_code, 'member', v_member.id);
end $$;

/*
 * Who came by the thread of a contribution: claims, those of them that stand, and those of these who were still members 90
 * days after, by the tenant's clock and its calendar. For a member: by its own code, and no row when it does not see the
 * thread; p_member null: by all codes.
 */
create function thread_arrivals(p_contribution uuid, p_member uuid) returns table (code text, claimed int, joined int, stayed int)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
begin
  return query
  select (select i.code from thread_invite i where i.tenant_id = v_tenant and i.member_id = p_member and i.thread_id = r.id),
    x.claimed, x.joined, x.stayed
  from contribution c
  join contribution r on r.tenant_id = c.tenant_id and r.id = c.root_id
  cross join lateral (
    select count(*)::int as claimed, (count(*) filter (where y.stands))::int as joined,
      (count(*) filter (where y.stands and y.later <= v_now and not exists (
        select from membership_change g where g.tenant_id = v_tenant and g.member_id = y.friend_id
          and g.kind in ('ENDED', 'ERASED') and g.at <= y.later and not exists (
            select from membership_change b where b.tenant_id = v_tenant and b.member_id = y.friend_id
              and b.kind = 'RETURNED' and b.id > g.id and b.at <= y.later))))::int as stayed
    from (
      select f.friend_id, f.state not in ('REVIEW', 'REJECTED') as stands,
        (f.claimed_at at time zone v_zone + interval '90 days') at time zone v_zone as later
      from referral f
      where f.tenant_id = v_tenant and f.thread_id = r.id and (p_member is null or f.referrer_id = p_member)
    ) y
  ) x
  where c.tenant_id = v_tenant and c.id = p_contribution
    and contribution_seen(c.id, p_member) and contribution_seen(r.id, p_member);
end $$;

/*
 * What of a table's row is not told: whose tenant it is, who of the staff did it, what requests were called, digests, seals,
 * and by which thread a friend came, which it may not see (before: 0040_people.sql).
 */
create or replace function told_columns(p_table text) returns text[] language sql stable as $$
  select array_agg(a.attname::text) from pg_attribute a
  where a.attrelid = to_regclass('public.' || p_table) and a.attnum > 0
    and (a.attname in ('tenant_id', 'actor', 'requested_by', 'decided_by', 'assignee', 'fence', 'idempotency_key')
         or p_table = 'referral' and a.attname = 'thread_id' or a.atttypid = 'bytea'::regtype)
$$;

grant execute on function thread_invite_of(uuid, uuid, text), thread_arrivals(uuid, uuid) to engawa_app;

/*
 * Ties a new member, the friend, to the member whose code it gives: its own, or that of a thread, which the claim keeps.
 * p_program null: the program in force with the first key (before: 0024_referrals.sql). Outcomes: done {referral, member},
 * not_found, key_reused, membership_ended, referral_refused {reason}.
 */
create or replace function referral_claim(
  p_key text, p_hash bytea, p_member uuid, p_external_id text, p_code text, p_program text, p_signals jsonb, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_id uuid := uuid_v7();
  v_friend member := member_find(p_member, p_external_id);
  v_referrer member;
  v_invite thread_invite;
  v_program referral_program;
  v_op record;
  v_reason text;
  v_suspicions text[];
  v_state text;
begin
  if v_friend.id is null then
    return points_not_found('member');
  end if;
  select m.* into v_referrer from member m
  where m.tenant_id = v_tenant and referral_code(m.id) = referral_code_read(p_code);
  if v_referrer.id is null then
    select i.* into v_invite from thread_invite i where i.tenant_id = v_tenant and i.code = referral_code_read(p_code);
    v_referrer := member_find(v_invite.member_id, null);
  end if;
  if v_referrer.id is null then
    return points_not_found('referral code');
  end if;
  select p.* into v_program from referral_program p
  join definition d on d.tenant_id = p.tenant_id and d.kind = p.kind and d.key = p.key and d.version = p.version
  where p.tenant_id = v_tenant and d.is_live and p.key = coalesce(p_program, p.key)
  order by (p.starts_at <= v_now) is not false and (p.ends_at > v_now) is not false desc, p.key limit 1;
  if v_program.key is null and not exists (select from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key) then
    return points_not_found('referral program');
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'CLAIM_REFERRAL', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform referral_lock(array[v_friend.id, v_referrer.id]);
  v_friend := member_find(v_friend.id, null);
  v_referrer := member_find(v_referrer.id, null);
  if v_friend.membership = 'ENDED' then
    return op_finish(p_key, membership_ended(v_friend));
  end if;
  v_reason := case
    when v_friend.id = v_referrer.id then 'SELF'
    when exists (select from referral r where r.tenant_id = v_tenant and r.friend_id = v_friend.id) then 'ALREADY_REFERRED'
    when exists (select from purchase p where p.tenant_id = v_tenant and p.member_id = v_friend.id)
      or v_friend.registered_at + v_program.new_for <= v_now then 'NOT_NEW'
    when v_referrer.id > v_friend.id then 'KNOWN_BEFORE'
    when v_program.starts_at > v_now or v_program.ends_at <= v_now or v_referrer.membership = 'ENDED' then 'CLOSED'
    when (select count(*) from referral r where r.tenant_id = v_tenant and r.referrer_id = v_referrer.id
          and r.key = v_program.key and r.claimed_at > v_now - v_program.velocity_within) >= v_program.velocity
      then 'TOO_MANY_CLAIMS'
    when (select count(*) from referral r where r.tenant_id = v_tenant and r.referrer_id = v_referrer.id
          and r.key = v_program.key and r.state not in ('REJECTED', 'REVERSED')
          and (v_program.per_period is null or r.claimed_at >= referral_period(v_program.per_period, v_now)))
         >= v_program.per_referrer then 'LIMIT_REACHED' end;
  if v_reason is not null then
    return op_finish(p_key, jsonb_build_object('is', 'referral_refused', 'reason', v_reason));
  end if;
  perform referral_signals_keep(v_friend.id, p_signals);
  v_suspicions := referral_suspicions(v_referrer.id, v_friend.id);
  v_state := case when referral_is_blocked(v_suspicions) then 'REJECTED' when v_suspicions <> '{}' then 'REVIEW' else 'CLAIMED' end;
  insert into referral (tenant_id, id, key, version, referrer_id, friend_id, state, claimed_at, closed_at, suspicions, actor,
                        thread_id)
  values (v_tenant, v_id, v_program.key, v_program.version, v_referrer.id, v_friend.id, v_state, v_now,
          case when v_state = 'REJECTED' then v_now end, v_suspicions, p_actor, v_invite.thread_id);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'referral', v_id, 'member', v_friend.id));
end $$;
