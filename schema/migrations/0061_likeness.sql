-- What is like a text: its title first, and what else it says behind that (before: 0039_search.sql).

set local role engawa_owner;

/*
 * What is published, in sight of the viewer and like a text: {"grams": pairs of characters, "words"} of its title,
 * {"bodyGrams", "bodyWords"} of what else it says. Looked up by the 12 rarest pairs and the 8 rarest words of the title
 * that are known, those that are too rare to be counted, and the 12 rarest pairs and 24 rarest words of the rest that are
 * known. The score is the sum of ln(1 + texts of the tenant / texts that have it) of what they have in common, by seven
 * tenths what stands in the rest alone, and three times what stands in the title of both. What shares less than a fifth
 * of what the title was looked up by is not like it.
 */
create or replace function search_like(p_text jsonb, p_kinds text[], p_space uuid, p_limit int)
returns table (id uuid, score double precision)
language plpgsql stable security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
set join_collapse_limit = 1 set jit = off
as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_member uuid := app_member();
  v_sight record;
  v_grams text[] := jsonb_texts(p_text -> 'grams');
  v_words text[] := jsonb_texts(p_text -> 'words');
  v_body_grams text[] := jsonb_texts(p_text -> 'bodyGrams');
  v_body_words text[] := jsonb_texts(p_text -> 'bodyWords');
  v_keys bigint[];
  v_weights double precision[];
  v_title_texts text[];
  v_title_weights double precision[];
begin
  select s.member_id, s.keys, s.moderated, s.blocked into v_sight from sights(array[v_member]) s where v_member is not null;
  if v_member is not null and v_sight.member_id is null then
    return;
  end if;
  with given as (
    select g.text, g.key, false as is_word, true as is_title
    from rows from (unnest(v_grams), unnest(search_keys(v_tenant, v_grams, '{}'))) g (text, key)
    union all
    select w.text, w.key, true, true
    from rows from (unnest(v_words), unnest(search_keys(v_tenant, '{}', v_words))) w (text, key)
    union all
    select null, g.key, false, false from unnest(search_keys(v_tenant, v_body_grams, '{}')) g (key)
    union all
    select null, w.key, true, false from unnest(search_keys(v_tenant, '{}', v_body_words)) w (key)
  ), asked as (
    select g.*, coalesce(f.documents, 1) as documents
    from given g left join search_frequency f on f.tenant_id = v_tenant and f.key = g.key
  ), ranked as (
    select a.*,
      row_number() over (partition by a.is_title, a.is_word, a.documents > 1 order by a.documents, a.key) as place,
      sum(a.documents) over (order by a.is_title desc, a.documents, a.key) as cost
    from asked a where a.is_title or a.documents > 1
  ), chosen as (
    select r.key, r.text, r.is_title,
      search_weight(r.documents, search_size()) * case when r.is_title then 1 else 0.7 end as weight
    from ranked r
    where r.cost <= 20000
      and r.place <= case when r.documents = 1 then 40 when not r.is_word then 12 when r.is_title then 8 else 24 end
  )
  select array_agg(c.key), array_agg(c.weight), array_agg(c.text) filter (where c.is_title),
    array_agg(c.weight) filter (where c.is_title)
  into v_keys, v_weights, v_title_texts, v_title_weights from chosen c;
  return query
  with hit as materialized (
    select s.contribution_id, sum(k.weight) as score
    from unnest(v_keys, v_weights) k (key, weight),
      lateral (
        select d.contribution_id from search_document d
        where d.tenant_id = v_tenant and search_keys(d.tenant_id, d.grams, d.words) @> array[k.key] offset 0) s
    group by s.contribution_id
  ), found as materialized (
    select c.id, h.score
    from hit h
    join contribution c on c.tenant_id = v_tenant and c.id = h.contribution_id
      and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
      and (p_kinds is null or c.kind = any (p_kinds))
      and (p_space is null or c.space_id = p_space)
      and (v_member is null or in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, v_sight.keys,
                                        v_sight.moderated, v_sight.blocked, v_member))
    where h.score >= 0.2 * (select sum(w) from unnest(v_title_weights) w)
    order by 2 desc, 1 desc
    limit p_limit + 100
  )
  select f.id, f.score + 2 * coalesce((
      select sum(t.weight) from unnest(v_title_texts, v_title_weights) t (text, weight)
      where strpos(d.title, t.text) > 0), 0)
  from found f
  join search_document d on d.tenant_id = v_tenant and d.contribution_id = f.id
  order by 2 desc, 1 desc
  limit p_limit;
end $$;
