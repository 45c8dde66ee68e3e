-- Insight: what measures cost, and which level of support members are entitled to.

set local role engawa_owner;

/* What was paid to win members, to keep them, or to serve one. Append-only; a correction is an entry of its own. */
create table cost_entry (
  tenant_id uuid not null references tenant,
  id        uuid not null default uuid_v7(),
  purpose   text not null check (purpose in ('ACQUISITION', 'RETENTION', 'SERVICE')),
  /* What it was paid for, in the tenant's words: a campaign, an agency, a parcel. */
  measure   text not null check (length(measure) between 1 and 100),
  /* Minor units; negative for a correction. */
  amount    bigint not null check (amount <> 0),
  currency  text not null check (currency ~ '^[A-Z]{3}$'),
  at        timestamptz not null,
  booked_at timestamptz not null default clock_timestamp(),
  /* Whom it was paid for; null: not for one alone. */
  member_id uuid,
  actor     text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (purpose <> 'SERVICE' or member_id is not null)
);
create index cost_entry_time on cost_entry (tenant_id, currency, at);
create index cost_entry_of_member on cost_entry (tenant_id, member_id, at) where member_id is not null;
call protect('cost_entry');
grant select on cost_entry to engawa_app;
create trigger append_only before update or delete or truncate on cost_entry
  for each statement execute function refuse_change('costs are corrected by entries of their own');

/* Books a cost. Outcomes: done {entry}, not_found, key_reused. */
create function cost_record(
  p_key text, p_hash bytea, p_purpose text, p_measure text, p_amount bigint, p_currency text, p_at timestamptz,
  p_member uuid, p_external_id text, p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_at timestamptz := coalesce(p_at, tenant_now(v_tenant));
  v_member member;
  v_op record;
  v_id uuid := uuid_v7();
begin
  if p_member is not null or p_external_id is not null then
    v_member := member_find(p_member, p_external_id);
    if v_member.id is null then
      return jsonb_build_object('is', 'not_found', 'what', 'member');
    end if;
  end if;
  select * into v_op from op_begin(p_key, p_hash, 'COST', p_actor, v_at);
  if v_op.replay is not null then
    return v_op.replay;
  end if;
  insert into cost_entry (tenant_id, id, purpose, measure, amount, currency, at, member_id, actor)
  values (v_tenant, v_id, p_purpose, p_measure, p_amount, p_currency, v_at, v_member.id, p_actor);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'entry', v_id));
end $$;
grant execute on function cost_record(text, bytea, text, text, bigint, text, timestamptz, uuid, text, text) to engawa_app;

/* A level of support, and who is entitled to it. */
create table support_level (
  tenant_id       uuid not null,
  kind            text not null generated always as ('supportLevel') stored,
  key             text not null,
  version         int not null,
  /* Texts by language: {"en": …, "ja": …}. */
  name            jsonb not null,
  /* The highest that a member is entitled to holds. */
  rank            int not null check (rank >= 0),
  audience_id     uuid,
  /* Within which time an answer is promised, ISO 8601. */
  answered_within text not null,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id)
);
call protect('support_level');
grant select on support_level to engawa_app;

create function support_level_of_definition() returns trigger language plpgsql as $$
begin
  insert into support_level (tenant_id, key, version, name, rank, audience_id, answered_within)
  values (new.tenant_id, new.key, new.version, new.body -> 'name', (new.body ->> 'rank')::int,
    (new.audiences ->> 'audience')::uuid, new.body ->> 'answeredWithin');
  return null;
end $$;
create trigger support_level after insert on definition for each row when (new.kind = 'supportLevel')
  execute function support_level_of_definition();

/* The level each of these members is entitled to now: the one of the highest rank, then of the first key. */
create function support_levels_of(p_members uuid[]) returns table (member_id uuid, key text)
language sql stable security definer set search_path = public, pg_temp as $$
  select distinct on (x.id) x.id, s.key
  from support_level s
  join definition d on (d.tenant_id, d.kind, d.key, d.version) = (s.tenant_id, s.kind, s.key, s.version) and d.is_live
  cross join lateral audience_matches(s.audience_id, p_members) x (id)
  where s.tenant_id = current_tenant()
  order by x.id, s.rank desc, s.key
$$;
grant execute on function support_levels_of(uuid[]) to engawa_app;
