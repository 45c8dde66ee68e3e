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
end $$;

/* A contribution went from one state to another. */
create or replace function contribution_state_changed(p_contribution contribution, p_before text) returns void
language plpgsql as $$
begin
  return;
end $$;

/* A member's reaction changed. */
create or replace function contribution_reacted(
  p_contribution contribution, p_member uuid, p_kind text, p_is_on boolean
) returns void language plpgsql as $$
begin
  return;
end $$;
