-- One order of locks, for all who write, judge and vote: in a thread what was written last first, then what it answers;
-- contributions before members; members by their ids (member_lock, members_lock, thread_lock). Whoever takes them in that
-- order waits for others, and is turned away by none.

set local role engawa_owner;

/* Takes all that a change of a contribution's state needs, and a member who is about to cause one, in that order. */
create function contribution_hold(p_contribution uuid, p_member uuid) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
begin
  perform thread_lock(p_contribution);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_contribution for no key update;
  perform from contribution c where c.tenant_id = v_tenant and c.id = v_row.parent_id for no key update;
  perform members_lock(contribution_members(v_row) || p_member);
end $$;

/*
 * A member says that something should not be there; once for each thing. From a score on it is hidden until somebody
 * looks (before: 0035_moderation.sql). Outcomes: done {flag, contribution}, not_found, access_denied {OWN, TOO_OFTEN},
 * key_reused.
 */
create or replace function contribution_flag(
  p_key text, p_hash bytea, p_id uuid, p_member uuid, p_actor text, p_reason text, p_note text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_op record;
  v_row contribution;
  v_flag uuid;
  v_wait int;
  v_trust int;
  v_weight double precision;
  v_score double precision;
begin
  select * into v_op from op_begin(p_key, p_hash, 'FLAG', p_actor, v_now);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  perform contribution_hold(p_id, p_member);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id;
  if v_row.id is null or not contribution_seen(p_id, p_member) then
    return op_finish(p_key, jsonb_build_object('is', 'not_found', 'what', lower(coalesce(v_row.kind, 'contribution'))));
  elsif v_row.author_id = p_member then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'OWN', 'unlock', null));
  end if;
  select f.id into v_flag from moderation_flag f
  where f.tenant_id = v_tenant and f.contribution_id = p_id and f.member_id = p_member;
  if v_flag is not null then
    return op_finish(p_key, jsonb_build_object('is', 'done', 'flag', v_flag, 'contribution', p_id));
  end if;
  v_trust := trust_settle(p_member);
  v_wait := moderation_wait(p_member, 'FLAG', v_trust);
  if v_wait is not null then
    return op_finish(p_key, jsonb_build_object('is', 'access_denied', 'reason', 'TOO_OFTEN', 'unlock', null,
      'retry_after', v_wait));
  end if;
  v_weight := greatest(moderation_weight(p_member, v_trust), 0.1);
  perform moderation_open(p_id, 'FLAGGED', p_actor, p_reason, v_now);
  insert into moderation_flag (tenant_id, contribution_id, member_id, reason, note, weight, at)
  values (v_tenant, p_id, p_member, p_reason, p_note, v_weight, v_now) returning id into v_flag;
  update moderation_case m set score = m.score + v_weight, version = m.version + 1
  where m.tenant_id = v_tenant and m.contribution_id = p_id returning m.score into v_score;
  perform moderation_note(p_id, 'FLAGGED', p_actor, p_reason, v_now);
  perform announce('contribution.flagged', p_member, jsonb_build_object('flag', v_flag), v_now);
  if v_row.state = 'PUBLISHED' and v_score >= (moderation_policy() ->> 'hideAt')::double precision then
    perform contribution_set_state(p_id, null, 'PENDING', 'engawa');
    perform moderation_note(p_id, 'HIDDEN', 'engawa', null, v_now);
  end if;
  return op_finish(p_key, jsonb_build_object('is', 'done', 'flag', v_flag, 'contribution', p_id));
end $$;

/*
 * Staff (p_by null) or a moderator decides a case: KEPT, REMOVED or SPAM (before: 0035_moderation.sql). Outcomes: done
 * {contribution}, not_found, case_changed {version, state} when somebody was there first.
 */
create or replace function moderation_decide(
  p_id uuid, p_by uuid, p_actor text, p_version int, p_decision text, p_note text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_row contribution;
  v_case moderation_case;
begin
  perform thread_lock(p_id);
  select * into v_row from contribution c where c.tenant_id = v_tenant and c.id = p_id for no key update;
  select * into v_case from moderation_case m where m.tenant_id = v_tenant and m.contribution_id = p_id for no key update;
  if v_case.contribution_id is null or (p_by is not null and not v_row.space_id = any (moderated_by(p_by))) then
    return jsonb_build_object('is', 'not_found', 'what', 'case');
  elsif v_case.version <> p_version or v_case.state <> 'OPEN' then
    return jsonb_build_object('is', 'case_changed', 'version', v_case.version, 'state', v_case.state);
  end if;
  perform set_config('app.moderator_note', coalesce(p_note, ''), true);
  if v_row.state in ('PENDING', 'PUBLISHED', 'SPAM', 'REMOVED') then
    perform contribution_set_state(p_id, null, case p_decision when 'KEPT' then 'PUBLISHED' else p_decision end, p_actor);
  end if;
  -- What stays in its state was not closed by the change of it.
  perform moderation_close(p_id, p_decision, p_actor, p_note, tenant_now(v_tenant));
  perform set_config('app.moderator_note', '', true);
  return jsonb_build_object('is', 'done', 'contribution', p_id);
end $$;
