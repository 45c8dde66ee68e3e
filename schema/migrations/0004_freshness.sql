-- Freshness: the arithmetic of the model MBG/CNBD-k, for bookings and for ordering. The twin of
-- api/domains/lifecycle/numeric.ts: the same steps, equal to 1e-9. Spans are in weeks; p_a and p_b of a rhythm are
-- A = r + k·x and B = alpha + t_x. exp() and multiplication raise errors on underflow here, hence the guards.

set local role engawa_owner;

/* The share of active members with this rhythm that stays silent for at least p_silence weeks: 1 down to 0. */
create function freshness_score(p_a float8, p_b float8, p_k int, p_silence float8) returns float8
language plpgsql immutable strict parallel safe as $$
declare
  v_y float8;
  v_w float8;
  v_exponent float8;
  v_z float8;
  v_term float8 := 1;
  v_sum float8 := 1;
begin
  if p_silence <= 1e-9 then
    return 1;
  end if;
  v_y := p_silence / p_b;
  v_w := 1 + v_y;
  -- ln(1 + y) without losing a small y.
  v_exponent := -p_a * case when v_w = 1 then v_y else ln(v_w) * v_y / (v_w - 1) end;
  if p_k > 1 then
    v_z := p_silence / (p_b + p_silence);
    for j in 1 .. p_k - 1 loop
      v_term := v_term * ((p_a + j - 1) / j) * v_z;
      v_sum := v_sum + v_term;
    end loop;
    v_exponent := v_exponent + ln(v_sum);
  end if;
  return case when v_exponent < -700 then 0 else least(1, exp(v_exponent)) end;
end $$;

/* The chance that a member with this freshness is still active: F / (F + a/(b+x)). */
create function freshness_alive(p_a float8, p_b float8, p_x int, p_score float8) returns float8
language sql immutable strict parallel safe as
$$ select p_score / (p_score + p_a / (p_b + p_x)) $$;

/*
 * The weeks of silence after which freshness is down to p_edge, to the last digits of a float8: closed for k = 1,
 * by bisection otherwise. Null when they are more than 100,000.
 */
create function freshness_crossing(p_a float8, p_b float8, p_k int, p_edge float8) returns float8
language plpgsql immutable strict parallel safe as $$
declare
  v_power float8 := -ln(p_edge) / p_a;
  v_e float8;
  v_low float8;
  v_high float8;
  v_middle float8;
begin
  if v_power > 700 then
    return null;
  end if;
  -- exp(power) - 1 without losing a small power.
  v_e := exp(v_power);
  v_low := p_b * case when v_e = 1 then v_power else (v_e - 1) * v_power / ln(v_e) end;
  if v_low > 100000 then
    return null;
  end if;
  if p_k = 1 then
    return v_low;
  end if;
  -- Regular buyers stay fresh longer than the closed form says: it is a lower bound for them.
  if freshness_score(p_a, p_b, p_k, 100000) > p_edge then
    return null;
  end if;
  v_high := v_low;
  while freshness_score(p_a, p_b, p_k, v_high) > p_edge loop
    v_high := 2 * v_high + 1e-9;
  end loop;
  for step in 1 .. 60 loop
    exit when v_high - v_low <= 1e-15 * v_high;
    v_middle := (v_low + v_high) / 2;
    if freshness_score(p_a, p_b, p_k, v_middle) > p_edge then
      v_low := v_middle;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_high;
end $$;

/*
 * The first whole millisecond at which silence since p_last has taken freshness down to p_edge; null when that is
 * some 1,900 years away. Bands go by this instant, never by a score: so a stored instant and the band agree.
 */
create function freshness_crossing_at(p_last timestamptz, p_a float8, p_b float8, p_k int, p_edge float8)
returns timestamptz language sql stable strict parallel safe as $$
  select date_trunc('milliseconds', p_last)
    + make_interval(secs => ceil(freshness_crossing(p_a, p_b, p_k, p_edge) * 604800000) / 1000)
$$;

/* The band of a score; p_edges are the scores at which COOLING, STALE and COLD begin. */
create function freshness_band(p_score float8, p_edges float8[] default '{0.5,0.2,0.05}') returns text
language sql immutable strict parallel safe as $$
  select case when p_score > p_edges[1] then 'FRESH' when p_score > p_edges[2] then 'COOLING'
              when p_score > p_edges[3] then 'STALE' else 'COLD' end
$$;

/* The band that a rhythm stands in at an instant. */
create function freshness_band_at(
  p_last timestamptz, p_a float8, p_b float8, p_k int, p_edges float8[], p_at timestamptz
) returns text language sql stable strict parallel safe as $$
  select case
    when freshness_crossing_at(p_last, p_a, p_b, p_k, p_edges[3]) <= p_at then 'COLD'
    when freshness_crossing_at(p_last, p_a, p_b, p_k, p_edges[2]) <= p_at then 'STALE'
    when freshness_crossing_at(p_last, p_a, p_b, p_k, p_edges[1]) <= p_at then 'COOLING'
    else 'FRESH' end
$$;

/*
 * Purchases expected within p_horizon weeks after age p_t_age, given p_x repeat purchases of which the last came
 * p_t_x weeks after the first; P(alive) included. The formulas, and why they are written so, stand beside
 * expectedPurchases in numeric.ts.
 */
create function freshness_expected(
  p_r float8, p_alpha float8, p_a float8, p_b float8, p_k int, p_x int, p_t_x float8, p_t_age float8,
  p_horizon float8
) returns float8 language plpgsql immutable strict parallel safe as $$
declare
  v_silence float8 := case when p_t_age - p_t_x > 1e-9 then p_t_age - p_t_x else 0 end;
  v_scale float8 := p_alpha + p_t_x + v_silence;
  v_shape float8 := p_r + p_k * p_x;
  v_horizon float8 := least(p_horizon, 999 * v_scale);
  v_score float8 := freshness_score(v_shape, p_alpha + p_t_x, p_k, v_silence);
  v_alive float8 := freshness_alive(p_a, p_b, p_x, v_score);
  v_weight float8 := 1;
  v_weights float8 := 0;
  v_sum float8 := 0;
begin
  if v_horizon <= 1e-9 or v_alive < 1e-200 then
    return 0;
  end if;
  if p_k = 1 and p_a <= 20 then
    return v_alive * freshness_expected_closed(p_r, p_a, p_b, p_x, v_horizon / v_scale);
  end if;
  for j in 0 .. p_k - 1 loop
    v_weights := v_weights + v_weight;
    v_sum := v_sum
      + v_weight * freshness_expected_sum(p_a, p_b, p_k, p_x, v_shape + j, j, v_horizon / v_scale);
    exit when v_silence = 0;
    v_weight := v_weight * ((v_shape + j) / (j + 1)) * (v_silence / v_scale);
  end loop;
  return v_alive * v_sum / v_weights;
end $$;

/* Of an active member and k = 1: the closed form with a − 1 divided out. p_s is the horizon over B + u. */
create function freshness_expected_closed(p_r float8, p_a float8, p_b float8, p_x int, p_s float8) returns float8
language plpgsql immutable strict parallel safe as $$
declare
  v_c float8 := p_a + p_b + p_x;
  v_d float8 := p_a + p_b - p_r;
  v_e float8 := p_a - 1;
  v_z float8 := p_s / (1 + p_s);
  v_w float8 := 1 + p_s;
  v_log_rest float8 := -case when v_w = 1 then p_s else ln(v_w) * p_s / (v_w - 1) end;
  v_term float8 := v_d / v_c * v_z;
  v_g float8 := v_term;
  v_ratio float8;
  v_power float8;
  v_exp float8;
  v_quotient float8;
begin
  for n in 1 .. 999999 loop
    v_ratio := (v_d + n) * (v_e + n) / ((v_c + n) * (n + 1)) * v_z;
    v_term := v_term * v_ratio;
    v_g := v_g + v_term;
    exit when abs(v_ratio) < 1 and abs(v_term) <= 1e-16 * abs(v_g) * (1 - greatest(abs(v_ratio), v_z));
  end loop;
  if p_a = 1 then
    return greatest(0, v_c * (-v_log_rest - v_g));
  end if;
  v_power := v_e * v_log_rest;
  v_exp := exp(v_power);
  v_quotient := -case when v_exp = 1 then v_power else (v_exp - 1) * v_power / ln(v_exp) end / v_e;
  return greatest(0, v_c * (v_quotient - v_exp * v_g));
end $$;

/* Of an active member whose next gap has p_phase of its k phases behind it: the exact sum over purchases. */
create function freshness_expected_sum(
  p_a float8, p_b float8, p_k int, p_x int, p_shape float8, p_phase int, p_s float8
) returns float8 language plpgsql immutable strict parallel safe as $$
declare
  v_z float8 := p_s / (1 + p_s);
  v_w float8 := 1 + p_s;
  v_log_scale float8 := -p_shape * case when v_w = 1 then p_s else ln(v_w) * p_s / (v_w - 1) end;
  v_chance float8 := 1;
  v_sum float8 := 0;
  v_phase int := p_phase;
  v_made int := 0;
  v_purchases float8 := 0;
  v_survival float8 := 1;
  v_ratio float8;
begin
  for i in 0 .. 50000000 loop
    v_sum := v_sum + v_chance * v_purchases;
    v_ratio := (p_shape + i) / (i + 1) * v_z;
    exit when v_sum > 0 and v_ratio < 1
      and v_chance * (v_purchases + 1) <= 1e-16 * v_sum * (1 - greatest(v_ratio, v_z));
    v_chance := v_chance * v_ratio;
    if v_chance > 1e200 then
      v_chance := v_chance * 1e-200;
      v_sum := v_sum * 1e-200;
      v_log_scale := v_log_scale + 200 * ln(10::float8);
    end if;
    v_phase := v_phase + 1;
    if v_phase = p_k then
      v_phase := 0;
      v_made := v_made + 1;
      v_purchases := v_purchases + v_survival;
      v_survival := v_survival * (p_b + p_x + v_made) / (p_a + p_b + p_x + v_made);
    end if;
  end loop;
  return exp(greatest(-700, ln(v_sum) + v_log_scale));
end $$;

grant execute on function
  freshness_score(float8, float8, int, float8),
  freshness_alive(float8, float8, int, float8),
  freshness_crossing(float8, float8, int, float8),
  freshness_crossing_at(timestamptz, float8, float8, int, float8),
  freshness_band(float8, float8[]),
  freshness_band_at(timestamptz, float8, float8, int, float8[], timestamptz),
  freshness_expected(float8, float8, float8, float8, int, int, float8, float8, float8),
  freshness_expected_closed(float8, float8, float8, int, float8),
  freshness_expected_sum(float8, float8, int, int, float8, int, float8) to engawa_app, engawa_system;
