-- Search: Japanese and mixed text on plain PostgreSQL, found by the characters and pairs of them that a text has.

set local role engawa_owner;

/*
 * What a text of a tenant is looked up by: its characters, pairs and beginnings of words, and its whole words, each as
 * one number that is the tenant's own. So one index serves all tenants, and none reads what others wrote.
 */
create function search_keys(p_tenant uuid, p_grams text[], p_words text[]) returns bigint[]
language sql immutable parallel safe cost 1000000 as $$
  select coalesce(array_agg(hashtextextended(x.token, hashtextextended(p_tenant::text, 0))), '{}')
  from (select unnest(p_grams) as token union all select '=' || unnest(p_words)) x
$$;

create index search_document_keys on search_document using gin (search_keys(tenant_id, grams, words))
  with (gin_pending_list_limit = 512);
-- No other barrier than the functions' own conditions may stand before that index, see search_find.
create policy reader on search_document for select to engawa_owner using (true);
create index search_document_version on search_document (tenant_id, version, contribution_id);
-- What the planner knows of such an index are its most common keys.
alter index search_document_keys alter column 1 set statistics 500;

/* In how many texts a key stands, for those that stand in a few at least. Counted once a day. */
create table search_frequency (
  tenant_id uuid not null,
  key       bigint not null,
  documents int not null check (documents > 0),
  primary key (tenant_id, key),
  foreign key (tenant_id) references tenant
);
call protect('search_frequency');

/* When a tenant's texts were last counted, and how many there were. */
create table search_count (
  tenant_id  uuid not null,
  documents  int not null,
  counted_at timestamptz not null,
  primary key (tenant_id),
  foreign key (tenant_id) references tenant
);
call protect('search_count');

/*
 * Counts in how many of the newest p_most texts each key stands, unless that was done less than a day ago; how many
 * texts there are, or null when nothing was due. What stands in fewer than three is rare, and not kept.
 */
create function search_recount(p_most int, p_is_forced boolean) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_all int;
  v_counted int;
begin
  perform pg_advisory_xact_lock(hashtextextended('engawa.search.' || v_tenant, 0));
  if not p_is_forced and exists (
    select from search_count c where c.tenant_id = v_tenant and c.counted_at > clock_timestamp() - interval '1 day') then
    return null;
  end if;
  select count(*) into v_all from search_document d where d.tenant_id = v_tenant;
  v_counted := least(v_all, p_most);
  delete from search_frequency f where f.tenant_id = v_tenant;
  insert into search_frequency (tenant_id, key, documents)
  select v_tenant, k.key, (count(*) * v_all / v_counted)::int
  from (
    select d.grams, d.words from search_document d where d.tenant_id = v_tenant
    order by d.contribution_id desc limit p_most) n,
  unnest(search_keys(v_tenant, n.grams, n.words)) k (key)
  group by k.key having count(*) >= 3;
  insert into search_count as c (tenant_id, documents, counted_at) values (v_tenant, v_all, clock_timestamp())
  on conflict (tenant_id) do update set documents = excluded.documents, counted_at = excluded.counted_at;
  return v_all;
end $$;

/* How much it says that a text has this key: more the fewer have it. */
create function search_weight(p_documents int, p_of int) returns double precision language sql immutable parallel safe as
$$ select ln(1 + greatest(p_of, p_documents, 1)::double precision / p_documents) $$;

/* For each of these keys, how many texts have it; 1 for those that are rare. */
create function search_rarity(p_keys bigint[]) returns table (key bigint, documents int) language sql stable as $$
  select k.key, coalesce(f.documents, 1)
  from unnest(p_keys) k (key)
  left join search_frequency f on f.tenant_id = current_tenant() and f.key = k.key
$$;

/* How many texts the viewer's tenant had when they were counted. */
create function search_size() returns int language sql stable as $$
  select coalesce((select c.documents from search_count c where c.tenant_id = current_tenant()), 1)
$$;

create function jsonb_texts(p_list jsonb) returns text[] language sql immutable parallel safe as
$$ select array(select jsonb_array_elements_text(p_list)) $$;

/*
 * What is published, in sight of the viewer and has all that p_query asks for: {"pieces": [{"text", "grams"}],
 * "patterns", "words"}, as searchQuery of the application makes it. Of more than 500, the 500 that were written last.
 * The best come first:
 *
 *   score = sum over the pieces of w × (1 + ln(how often it stands there) + 3 when it stands in the title)
 *         + 2 × mean of w × (share of the asked words that stand there as whole words)
 *         + 1 when it is, or answers, a question that was solved
 *         + 0.25 for each year after 2020 in which it was published
 *
 * where w = ln(1 + texts of the tenant / texts that have the rarest pair of the piece). Row-level security would keep
 * PostgreSQL from using the index, since the operators of arrays might tell of what they compare; so this runs as the
 * owner, and applies the tenant and the rule of sight by itself.
 */
create function search_find(p_query jsonb, p_kinds text[], p_space uuid, p_sku text, p_tag text)
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
  v_keys bigint[] := search_keys(v_tenant, array(
    select distinct jsonb_array_elements_text(p -> 'grams') from jsonb_array_elements(p_query -> 'pieces') p), '{}');
  v_pieces text[] := array(select p ->> 'text' from jsonb_array_elements(p_query -> 'pieces') p);
  v_patterns text[] := jsonb_texts(p_query -> 'patterns');
  v_words text[] := jsonb_texts(p_query -> 'words');
  v_weights double precision[];
begin
  select s.member_id, s.keys, s.moderated, s.blocked into v_sight from sights(array[v_member]) s where v_member is not null;
  if cardinality(v_keys) = 0 or (v_member is not null and v_sight.member_id is null) then
    return;
  end if;
  v_weights := array(
    select search_weight(
      (select coalesce(min(r.documents), 1) from search_rarity(search_keys(v_tenant, jsonb_texts(p.piece -> 'grams'), '{}')) r),
      search_size())
    from jsonb_array_elements(p_query -> 'pieces') with ordinality p (piece, place) order by p.place);
  return query
  with found as materialized (
    select c.id, c.root_id, c.published_at, d.title, d.norm, d.words
    from (
      select s.contribution_id from search_document s
      where s.tenant_id = v_tenant and search_keys(s.tenant_id, s.grams, s.words) @> v_keys
      order by s.contribution_id desc) f
    join contribution c on c.tenant_id = v_tenant and c.id = f.contribution_id
      and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
      and (p_kinds is null or c.kind = any (p_kinds))
      and (p_space is null or c.space_id = p_space)
      and (p_sku is null or c.sku = p_sku)
      and (p_tag is null or p_tag = any (c.tags))
      and (v_member is null or in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, v_sight.keys,
                                        v_sight.moderated, v_sight.blocked, v_member))
    join search_document d on d.tenant_id = v_tenant and d.contribution_id = f.contribution_id
      and (select coalesce(bool_and(strpos(d.norm, p) > 0), true) from unnest(v_pieces) p)
      and (select coalesce(bool_and(d.norm ~ p), true) from unnest(v_patterns) p)
    order by f.contribution_id desc
    limit 500
  )
  select f.id,
    (select sum(p.weight * (1 + ln((length(f.norm) - length(replace(f.norm, p.piece, ''))) / length(p.piece))
                            + case when strpos(f.title, p.piece) > 0 then 3 else 0 end))
     from unnest(v_pieces, v_weights) p (piece, weight))
    + case when cardinality(v_words) = 0 then 0 else
        2 * (select avg(w) from unnest(v_weights) w)
          * (select count(*) from unnest(v_words) w where w = any (f.words)) / cardinality(v_words) end
    + coalesce((select 1 from accepted_answer a where a.tenant_id = v_tenant and a.question_id = f.root_id), 0)
    + 0.25 * extract(epoch from f.published_at - timestamptz '2020-01-01T00:00:00Z')::double precision / 31557600
  from found f
  order by 2 desc, 1 desc;
end $$;

/*
 * What is published, in sight of the viewer and like a text: {"grams": pairs of characters, "words"}. Looked up by the
 * 12 rarest pairs and the 8 rarest words that are known, and by those that are too rare to be counted; the score is
 * the sum of ln(1 + texts of the tenant / texts that have it) of what they have in common. What shares less than
 * a fifth of what the text was looked up by is not like it.
 */
create function search_like(p_text jsonb, p_kinds text[], p_space uuid, p_limit int)
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
  v_keys bigint[];
  v_weights double precision[];
  v_least double precision;
begin
  select s.member_id, s.keys, s.moderated, s.blocked into v_sight from sights(array[v_member]) s where v_member is not null;
  if v_member is not null and v_sight.member_id is null then
    return;
  end if;
  with asked as (
    select r.key, r.documents, false as is_word
    from search_rarity(search_keys(v_tenant, jsonb_texts(p_text -> 'grams'), '{}')) r
    union
    select r.key, r.documents, true
    from search_rarity(search_keys(v_tenant, '{}', jsonb_texts(p_text -> 'words'))) r
  ), ranked as (
    select a.*, row_number() over (partition by a.is_word, a.documents > 1 order by a.documents, a.key) as place,
      sum(a.documents) over (order by a.documents, a.key) as cost
    from asked a
  ), chosen as (
    select r.key, search_weight(r.documents, search_size()) as weight from ranked r
    where r.place <= case when r.documents = 1 then 40 when r.is_word then 8 else 12 end and r.cost <= 20000
  )
  select array_agg(c.key), array_agg(c.weight) into v_keys, v_weights from chosen c;
  return query
  with hit as materialized (
    select s.contribution_id, sum(k.weight) as score
    from unnest(v_keys, v_weights) k (key, weight),
      lateral (
        select d.contribution_id from search_document d
        where d.tenant_id = v_tenant and search_keys(d.tenant_id, d.grams, d.words) @> array[k.key] offset 0) s
    group by s.contribution_id
  )
  select c.id, h.score
  from hit h
  join contribution c on c.tenant_id = v_tenant and c.id = h.contribution_id
    and c.state = 'PUBLISHED' and c.root_state = 'PUBLISHED'
    and (p_kinds is null or c.kind = any (p_kinds))
    and (p_space is null or c.space_id = p_space)
    and (v_member is null or in_sight(c.needs, c.state, c.root_state, c.space_id, c.author_id, v_sight.keys,
                                      v_sight.moderated, v_sight.blocked, v_member))
  where h.score >= 0.2 * (select sum(w) from unnest(v_weights) w)
  order by 2 desc, 1 desc
  limit p_limit;
end $$;

-- ── When the folding changes ─────────────────────────────────────────────────────────────────────

/* Up to p_limit contributions whose text was made ready by an older version; nobody edits them meanwhile. */
create function search_outdated(p_version int, p_limit int) returns table (id uuid, title text, html text)
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return query
  select c.id, c.title, c.html from contribution c
  where c.tenant_id = current_tenant() and c.id in (
    select d.contribution_id from search_document d
    where d.tenant_id = current_tenant() and d.version < p_version order by d.version, d.contribution_id limit p_limit)
  for no key update;
end $$;

/* Keeps texts that were made ready anew: [{"id", "search"}]. */
create function search_reput(p_texts jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform search_put((t ->> 'id')::uuid, t -> 'search') from jsonb_array_elements(p_texts) t;
end $$;

grant execute on function
  search_recount(int, boolean), search_find(jsonb, text[], uuid, text, text), search_like(jsonb, text[], uuid, int),
  search_outdated(int, int), search_reput(jsonb) to engawa_app;
