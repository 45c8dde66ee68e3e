-- A word for a coupon is taken or not by the constraint alone: who asks twenty times at once is answered alike.

set local role engawa_owner;

/*
 * Keeps codes by their hashes. p_kind BULK: as many as there are; WORD: one that is known to everybody. A null key: the
 * command line's. Outcomes: done {coupon, made}, bad_input, not_found, key_reused.
 */
create or replace function coupon_make(
  p_key text, p_hash bytea, p_coupon text, p_kind text, p_hashes bytea[], p_actor text
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_coupon coupon := coupon_live(p_coupon);
  v_refusal jsonb;
  v_replay jsonb;
  v_made int;
begin
  if p_key is not null then
    select b.replay into v_replay from op_begin(p_key, p_hash, 'MAKE_COUPONS', p_actor, v_now) b;
    if v_replay is not null then
      return v_replay;
    end if;
  end if;
  if v_coupon.key is null then
    v_refusal := jsonb_build_object('is', 'not_found', 'what', 'coupon');
  else
    insert into coupon_code (tenant_id, coupon, kind, hash, cap, issued_at)
    select v_tenant, p_coupon, p_kind, h, case p_kind when 'BULK' then v_coupon.per_code else 9223372036854775807 end, v_now
    from unnest(p_hashes) h
    on conflict on constraint coupon_code_once do nothing;
    get diagnostics v_made = row_count;
    if v_made < cardinality(p_hashes) and p_kind = 'WORD' then
      v_refusal := bad_input('word', 'This word opens a coupon already.');
    elsif v_made < cardinality(p_hashes) then
      raise exception 'of % codes % were there already', cardinality(p_hashes), cardinality(p_hashes) - v_made;
    end if;
  end if;
  if v_refusal is not null then
    -- What was not judged is not remembered.
    delete from op o where o.tenant_id = v_tenant and o.idempotency_key = p_key;
    return v_refusal;
  elsif p_key is not null then
    -- Whoever asks again is told how many there are, and not which.
    perform op_finish(p_key, jsonb_build_object('is', 'done', 'coupon', p_coupon, 'made', v_made, 'is_new', false));
  end if;
  return jsonb_build_object('is', 'done', 'coupon', p_coupon, 'made', v_made, 'is_new', true);
end $$;
