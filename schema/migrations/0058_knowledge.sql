-- What staff know of members: notes that whoever serves a member shares.

set local role engawa_owner;

/* What staff wrote down about a member, for each other. */
create table member_note (
  tenant_id  uuid not null,
  id         uuid not null default uuid_v7(),
  member_id  uuid not null,
  /* Null: it was taken away. */
  body       text check (length(body) between 1 and 5000),
  revision   int not null default 1,
  /* Who wrote it, and when. */
  actor      text not null,
  at         timestamptz not null,
  /* Who changed it last or took it away, and when. */
  changed_by text,
  changed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check ((revision > 1) = (changed_at is not null) and (changed_at is null) = (changed_by is null)),
  check (body is not null or revision > 1)
);
create index member_note_newest on member_note (tenant_id, member_id, at desc, id desc);
call protect('member_note');

/* What a note said before: a revision for each change, as it stood until then. */
create table member_note_revision (
  tenant_id uuid not null,
  note_id   uuid not null,
  revision  int not null,
  body      text not null,
  /* Who said so, and when. */
  actor     text not null,
  at        timestamptz not null,
  primary key (tenant_id, note_id, revision),
  foreign key (tenant_id, note_id) references member_note (tenant_id, id)
);
call protect('member_note_revision');

-- No member sees them, its own neither.
create policy sight on member_note as restrictive for select to engawa_app using ((select app_member()) is null);
create policy sight on member_note_revision as restrictive for select to engawa_app using ((select app_member()) is null);
grant select on member_note, member_note_revision to engawa_app;

/*
 * Writes a note about a member, who may have left. Outcomes: done {note, member}, not_found, membership_ended (it was
 * erased), key_reused. Announces note.added, for staff alone.
 */
create function note_add(p_key text, p_hash bytea, p_member uuid, p_external_id text, p_body text, p_actor text)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_member member := member_hold(p_member, p_external_id);
  v_replay jsonb;
  v_note uuid;
begin
  if v_member.id is null then
    return jsonb_build_object('is', 'not_found', 'what', 'member');
  end if;
  select b.replay into v_replay from op_begin(p_key, p_hash, 'NOTE', p_actor, v_now) b;
  if v_replay is not null then
    return v_replay;
  elsif v_member.erased_at is not null then
    return op_finish(p_key, membership_ended(v_member));
  end if;
  insert into member_note (tenant_id, member_id, body, actor, at) values (v_tenant, v_member.id, p_body, p_actor, v_now)
  returning id into v_note;
  perform announce('note.added', null, jsonb_build_object('note', v_note), v_now);
  return op_finish(p_key, jsonb_build_object('is', 'done', 'note', v_note, 'member', v_member.id));
end $$;

/*
 * Lets a note say something else, or takes it away (p_body null); what it said is kept. What changes nothing is no
 * change. Outcomes: done {note, member}, not_found (a note that was taken away says nothing more). Announces
 * note.changed.
 */
create function note_change(p_note uuid, p_body text, p_actor text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_note member_note;
begin
  -- The member before the note, as erasing goes.
  perform member_hold((select n.member_id from member_note n where n.tenant_id = v_tenant and n.id = p_note), null);
  select * into v_note from member_note n where n.tenant_id = v_tenant and n.id = p_note for no key update;
  if v_note.id is null or (v_note.body is null and p_body is not null) then
    return jsonb_build_object('is', 'not_found', 'what', 'note');
  elsif v_note.body is distinct from p_body then
    insert into member_note_revision (tenant_id, note_id, revision, body, actor, at)
    values (v_tenant, p_note, v_note.revision, v_note.body, coalesce(v_note.changed_by, v_note.actor),
      coalesce(v_note.changed_at, v_note.at));
    update member_note n set body = p_body, revision = n.revision + 1, changed_by = p_actor, changed_at = v_now
    where n.tenant_id = v_tenant and n.id = p_note;
    perform announce('note.changed', null, jsonb_build_object('note', p_note), v_now);
  end if;
  return jsonb_build_object('is', 'done', 'note', p_note, 'member', v_note.member_id);
end $$;

grant execute on function note_add(text, bytea, uuid, text, text, text), note_change(uuid, text, text) to engawa_app;
