-- The community, looked at again: what a viewer may do.

set local role engawa_owner;

/*
 * Whether a member may do something with what is written; null for staff. p_action: edit, or those of space_may. Null
 * when it may; else the refusal that whoever tries is answered.
 */
create function contribution_may(p_row contribution, p_member uuid, p_action text) returns jsonb language plpgsql stable as $$
begin
  if not contribution_seen(p_row.id, p_member) then
    return jsonb_build_object('is', 'not_found', 'what', lower(p_row.kind));
  elsif p_action = 'see' then
    return null;
  elsif p_action <> 'edit' then
    return space_may(p_row.space_id, p_member, p_action);
  end if;
  return coalesce(contribution_may_edit(p_row, p_member),
    case when p_row.state in ('REMOVED', 'DELETED', 'SPAM') then denied('LOCKED') end);
end $$;

/*
 * What a member (null: staff) would be answered for each of these wishes: [{"action": as contribution_may has it,
 * "resource": the id of a space or of something written}], in their order. Outcomes: done, not_found, space_not_enabled,
 * access_denied.
 */
create function permissions(p_member uuid, p_wishes jsonb) returns setof jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(
    case when c.id is not null then contribution_may(c, p_member, w.wish ->> 'action')
         when w.wish ->> 'action' <> 'edit' then space_may((w.wish ->> 'resource')::uuid, p_member, w.wish ->> 'action')
         else jsonb_build_object('is', 'not_found', 'what', 'contribution') end,
    '{"is": "done"}')
  from jsonb_array_elements(p_wishes) with ordinality w (wish, n)
  left join contribution c on c.tenant_id = current_tenant() and c.id = (w.wish ->> 'resource')::uuid
  order by w.n
$$;
grant execute on function permissions(uuid, jsonb) to engawa_app;
