-- What members find of one another, page by page from either end.

set local role engawa_owner;

drop function directory_page(uuid, text, text, text, uuid, int);
drop function introductions_of(uuid, uuid, int);
drop function conversations_of(uuid, uuid, timestamptz, uuid, int);
drop function messages_of(uuid, uuid, uuid, uuid, int);

/*
 * The listed members whom another may find, by name, behind a place (before it, and in the opposite order, when backward);
 * of some interest, with a part of the name, folded.
 */
create function directory_page(
  p_viewer uuid, p_search text, p_interest text, p_name text, p_from uuid, p_is_backward boolean, p_limit int
) returns table (id uuid, name text) language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_near uuid[];
begin
  if not exists (select from member_entitled(array[p_viewer])) then
    return;
  elsif p_interest is not null then
    v_near := array(select space_companions(p_viewer, array(
      select i.member_id from interest i
      join profile p on p.tenant_id = v_tenant and p.member_id = i.member_id and p.interests_sight = 'SHARED'
      where i.tenant_id = v_tenant and i.interest = p_interest)));
  end if;
  return query
  select m.id, n.name from profile p
  join member m on m.tenant_id = v_tenant and m.id = p.member_id
    and membership_opens(m.membership, m.paused_until, m.paid_through, v_now)
  cross join lateral (select coalesce(p.folded_name, lower(normalize(m.display_name, nfkc))) collate "C" as name) n
  where p.tenant_id = v_tenant and p.is_listed
    and (p_search is null or strpos(n.name, p_search) > 0)
    and (p_interest is null or (
      exists (select from interest i where i.tenant_id = v_tenant and i.member_id = m.id and i.interest = p_interest)
      and (p.interests_sight = 'MEMBERS' or (p.interests_sight = 'SHARED' and m.id = any (v_near)))))
    and not exists (select from blocks_of(p_viewer) b (id) where b.id = m.id)
    and (p_from is null or case when p_is_backward then (n.name, m.id) < (p_name collate "C", p_from)
                                else (n.name, m.id) > (p_name collate "C", p_from) end)
  order by case when p_is_backward then n.name end desc, case when p_is_backward then m.id end desc, n.name, m.id
  limit p_limit;
end $$;

/*
 * The introductions of a member, the newest first, or the one; behind a place (before it, the oldest first, when backward):
 * with whom, and how it stands as far as the member may know.
 */
create function introductions_of(p_member uuid, p_id uuid, p_from uuid, p_is_backward boolean, p_limit int)
returns table (id uuid, other_id uuid, note text, state text, is_asked boolean, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select x.id, case when x.one_id = p_member then x.other_id else x.one_id end, x.note,
    -- Nobody is told of another's no.
    case when x.state = 'DECLINED' and p_member is distinct from coalesce(x.declined_by, x.other_id) then 'PROPOSED'
      else x.state end,
    x.other_id = p_member or x.is_by_staff, x.proposed_at
  from introduction x
  where x.tenant_id = current_tenant() and p_member in (x.one_id, x.other_id) and (p_id is null or x.id = p_id)
    and (p_from is null or case when p_is_backward then x.id > p_from else x.id < p_from end)
    and exists (select from member_entitled(array[p_member]))
  order by case when p_is_backward then x.id end, x.id desc limit p_limit
$$;

/* With whom a member writes, the newest message first; pages likewise. */
create function conversations_of(p_member uuid, p_at timestamptz, p_from uuid, p_is_backward boolean, p_limit int)
returns table (id uuid, other_id uuid, last_at timestamptz, unread int)
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id, case when c.one_id = p_member then c.other_id else c.one_id end, c.last_at,
    case when c.one_id = p_member then c.one_unread else c.other_unread end
  from conversation c
  where c.tenant_id = current_tenant() and p_member in (c.one_id, c.other_id)
    and (p_from is null or case when p_is_backward then (c.last_at, c.id) > (p_at, p_from)
                                else (c.last_at, c.id) < (p_at, p_from) end)
    and exists (select from member_entitled(array[p_member]))
  order by case when p_is_backward then c.last_at end, case when p_is_backward then c.id end,
    c.last_at desc, c.id desc
  limit p_limit
$$;

/* What two members wrote to each other, the newest first, as one of them may see it; pages likewise. */
create function messages_of(p_member uuid, p_other uuid, p_from uuid, p_is_backward boolean, p_limit int)
returns table (id uuid, author_id uuid, body text, at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_conversation uuid := (select c.id from conversation c where c.tenant_id = v_tenant
    and c.one_id = least(p_member, p_other) and c.other_id = greatest(p_member, p_other));
begin
  if not exists (select from member_entitled(array[p_member])) then
    return;
  elsif p_is_backward then
    return query
    select m.id, m.author_id, m.body, m.at from message m
    where m.tenant_id = v_tenant and m.conversation_id = v_conversation and (p_from is null or m.id > p_from)
    order by m.id limit p_limit;
  else
    return query
    select m.id, m.author_id, m.body, m.at from message m
    where m.tenant_id = v_tenant and m.conversation_id = v_conversation and (p_from is null or m.id < p_from)
    order by m.id desc limit p_limit;
  end if;
end $$;

/* A message, for one of the two between whom it was sent. */
create function message_of(p_member uuid, p_id uuid) returns table (id uuid, author_id uuid, body text, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id, m.author_id, m.body, m.at from message m
  join conversation c on c.tenant_id = m.tenant_id and c.id = m.conversation_id and p_member in (c.one_id, c.other_id)
  where m.tenant_id = current_tenant() and m.id = p_id and exists (select from member_entitled(array[p_member]))
$$;

grant execute on function directory_page(uuid, text, text, text, uuid, boolean, int),
  introductions_of(uuid, uuid, uuid, boolean, int), conversations_of(uuid, timestamptz, uuid, boolean, int),
  messages_of(uuid, uuid, uuid, boolean, int), message_of(uuid, uuid) to engawa_app;
