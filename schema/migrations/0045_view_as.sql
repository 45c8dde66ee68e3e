-- Seeing with the eyes of a member, or of one who is thought up: inside a transaction that is rolled back.

set local role engawa_owner;

/*
 * Makes this transaction such as a member would find it: one that exists (p_external_id), else one who has just
 * registered; with these attributes besides its own, in this stage, at this instant. Nothing of it may be committed.
 * Outcomes: done {member, external_id}, not_found, bad_input, membership_ended.
 */
create function view_as(p_external_id text, p_stage text, p_attributes jsonb, p_at timestamptz) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_external_id text := coalesce(p_external_id, 'engawa:view-as');
  v_member member;
begin
  if p_at is not null then
    update tenant set clock_at = p_at where id = v_tenant;
  end if;
  if p_external_id is null then
    perform member_register(null, null, v_external_id, '—', null, null, null, coalesce(p_attributes, '{}'), 'engawa');
  end if;
  v_member := member_find(null, v_external_id);
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  elsif v_member.membership = 'ENDED' then
    return membership_ended(v_member);
  end if;
  if p_attributes is not null then
    update member m set attributes = jsonb_strip_nulls(m.attributes || p_attributes)
    where m.tenant_id = v_tenant and m.id = v_member.id;
  end if;
  if p_stage is not null then
    if not exists (select from stage s where s.tenant_id = v_tenant and s.key = p_stage) then
      return bad_input('stage', format('stage %s is none of this tenant''s.', p_stage));
    end if;
    update lifecycle_state s set stage = p_stage, silent_at = null, silent_stage = null
    where s.tenant_id = v_tenant and s.member_id = v_member.id;
  end if;
  return jsonb_build_object('is', 'done', 'member', v_member.id, 'external_id', v_external_id);
end $$;
grant execute on function view_as(text, text, jsonb, timestamptz) to engawa_app;
