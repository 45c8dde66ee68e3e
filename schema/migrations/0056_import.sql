-- Votes that a site counts in a post's score and that its export does not list.

set local role engawa_owner;

alter table imported_vote add votes int not null default 1 check (votes > 0);
create index imported_vote_of on imported_vote (tenant_id, contribution_id);

/*
 * Makes the imported votes of posts come to the site's own score, [{"id", "score"}]: what the listed ones lack is kept as
 * one row more of each post, and counted. Run again with another export, it follows. Answers those posts,
 * [{"post", "votes": how many more for it than are listed; less than zero: against it}].
 */
create function question_import_unlisted(p_source text, p_rows jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_found jsonb;
begin
  -- Two imports at once count one after the other.
  perform from contribution c
  where c.tenant_id = v_tenant
    and c.source_key = any (select p_source || ':post:' || (r ->> 'id') from jsonb_array_elements(p_rows) r)
  order by c.id for update;
  with counted as (
    select c.id, c.created_at, r.id as post, r.score - coalesce(sum(v.ups) filter (where v.is_listed), 0) as lacks,
           coalesce(sum(v.ups) filter (where not v.is_listed), 0) as kept
    from (select distinct on (x.id) x.id, x.score from jsonb_to_recordset(p_rows) x (id text, score bigint)
          where x.score is not null order by x.id) r
    join contribution c on c.tenant_id = v_tenant and c.source_key = p_source || ':post:' || r.id
    left join lateral (
      select case when i.is_up then i.votes else -i.votes end as ups, i.key <> 'unlisted:' || r.id as is_listed
      from imported_vote i where i.tenant_id = v_tenant and i.contribution_id = c.id and i.source = p_source) v on true
    group by c.id, c.created_at, r.id, r.score
  ), put as (
    insert into imported_vote as i (tenant_id, source, key, contribution_id, is_up, at, votes)
    select v_tenant, p_source, 'unlisted:' || n.post, n.id, n.lacks > 0, n.created_at, abs(n.lacks)
    from counted n where n.lacks <> 0
    on conflict (tenant_id, source, key) do update set is_up = excluded.is_up, votes = excluded.votes
  ), dropped as (
    delete from imported_vote i using counted n
    where i.tenant_id = v_tenant and i.source = p_source and i.key = 'unlisted:' || n.post and n.lacks = 0
  ), recounted as (
    update contribution c set up_votes = c.up_votes + greatest(n.lacks, 0) - greatest(n.kept, 0),
      down_votes = c.down_votes + greatest(-n.lacks, 0) - greatest(-n.kept, 0)
    from counted n where c.tenant_id = v_tenant and c.id = n.id and n.lacks <> n.kept
  )
  select jsonb_agg(jsonb_build_object('post', n.post, 'votes', n.lacks)) filter (where n.lacks <> 0) into v_found
  from counted n;
  return coalesce(v_found, '[]');
end $$;

grant execute on function question_import_unlisted(text, jsonb) to engawa_app;

-- An answer stands under a question and nothing else (before: 0037_questions.sql).

/*
 * Takes what was written elsewhere, all of one kind: QUESTION (into p_space), ANSWER or COMMENT (under what they say is
 * their parent). It is published as it was; nothing is announced, and nobody earns by it. Answers {"new", "known",
 * "orphans": the ids of those whose parent is not there}.
 */
create or replace function question_import_texts(p_source text, p_kind text, p_space uuid, p_rows jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_given int := jsonb_array_length(p_rows);
  v_prefix text := p_source || case p_kind when 'COMMENT' then ':comment:' else ':post:' end;
  v_rows question_import_row[];
  v_orphans text[];
  v_new uuid[];
begin
  select array_agg((r.id, r.title, r.body, r.format, r.html, r.tags, r.owner, r.created, r.edited, r.active, r.closed,
    r.views, r.up, r.down, r.search, uuid_v7(), p.id, p.root_id, coalesce(p.space_id, p_space), p.root_state,
    p.is_private, p.gate_id)::question_import_row order by r.ordinality)
  into v_rows
  from rows from (jsonb_to_recordset(p_rows) as (
    id text, parent text, title text, body text, format text, html text, tags text[], owner text, created timestamptz,
    edited timestamptz, active timestamptz, closed timestamptz, views bigint, up int, down int, search jsonb))
    with ordinality r
  left join contribution p on p.tenant_id = v_tenant and p.source_key = p_source || ':post:' || r.parent
    and (p_kind <> 'ANSWER' or p.kind = 'QUESTION')
  where not exists (select from contribution k where k.tenant_id = v_tenant and k.source_key = v_prefix || r.id);
  v_orphans := array(select i.id from unnest(v_rows) i where p_kind <> 'QUESTION' and i.parent_id is null);
  v_rows := array(select i from unnest(v_rows) i where i.id <> all (v_orphans));

  with written as (
    insert into contribution (tenant_id, id, kind, space_id, root_id, parent_id, author_id, is_by_staff, actor, state,
      root_state, is_private, gate_id, title, body, format, html, tags, source_key, created_at, published_at, edited_at,
      activity_at, up_votes, down_votes, view_count)
    select v_tenant, i.contribution_id, p_kind, i.space_id, coalesce(i.root_id, i.contribution_id), i.parent_id, m.id,
           false, p_actor, 'PUBLISHED', coalesce(i.root_state, 'PUBLISHED'),
           coalesce(i.is_private, false), i.gate_id, i.title, i.body,
           i.format, i.html, coalesce(i.tags, '{}'), v_prefix || i.id, i.created, i.created, i.edited, coalesce(i.active, i.created),
           coalesce(i.up, 0), coalesce(i.down, 0), coalesce(i.views, 0)
    from unnest(v_rows) i
    left join member m on m.tenant_id = v_tenant and m.external_id = p_source || '-' || i.owner
    on conflict do nothing
    returning id
  )
  select array_agg(w.id) into v_new from written w;
  insert into search_document (tenant_id, contribution_id, title, norm, grams, words, version)
  select v_tenant, i.contribution_id, coalesce(i.search ->> 'title', ''), i.search ->> 'norm',
         array(select jsonb_array_elements_text(i.search -> 'grams')),
         array(select jsonb_array_elements_text(i.search -> 'words')), (i.search ->> 'version')::int
  from unnest(v_rows) i where i.contribution_id = any (v_new) and i.search is not null;
  if p_kind = 'QUESTION' then
    insert into question (tenant_id, contribution_id, state, closed_at, closed_reason, closed_by)
    select v_tenant, i.contribution_id, case when i.closed is null then 'OPEN' else 'CLOSED' end, i.closed,
           case when i.closed is not null then 'OTHER' end, case when i.closed is not null then p_actor end
    from unnest(v_rows) i where i.contribution_id = any (v_new);
  elsif p_kind = 'ANSWER' then
    insert into answer (tenant_id, contribution_id, question_id)
    select v_tenant, i.contribution_id, i.parent_id from unnest(v_rows) i where i.contribution_id = any (v_new);
  end if;
  return jsonb_build_object('new', coalesce(cardinality(v_new), 0), 'orphans', to_jsonb(v_orphans),
    'known', v_given - coalesce(cardinality(v_new), 0) - cardinality(v_orphans));
end $$;
