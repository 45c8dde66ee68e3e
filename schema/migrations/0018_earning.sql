-- Earn rules: what a fact gives in points. Rules are definitions; here each version is a row with columns, and the
-- evaluation. Amounts are computed as fractions of exact numbers, and rounded once.

set local role engawa_owner;

-- ── Product labels ───────────────────────────────────────────────────────────────────────────────

create table label (
  tenant_id uuid not null,
  kind      text not null generated always as ('label') stored,
  key       text not null,
  version   int not null,
  /* Texts by language; null: its key. */
  name      jsonb,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version)
);
call protect('label');
grant select on label to engawa_app;

create table label_sku (
  tenant_id uuid not null,
  key       text not null,
  version   int not null,
  sku       text not null check (length(sku) between 1 and 100),
  primary key (tenant_id, key, version, sku),
  foreign key (tenant_id, key, version) references label (tenant_id, key, version)
);
create index label_sku_sku on label_sku (tenant_id, sku);
call protect('label_sku');
grant select on label_sku to engawa_app;

create function label_of_definition() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.body is null then
    return null;
  end if;
  insert into label (tenant_id, key, version, name) values (new.tenant_id, new.key, new.version, new.body -> 'name');
  insert into label_sku (tenant_id, key, version, sku)
  select distinct new.tenant_id, new.key, new.version, s from jsonb_array_elements_text(new.body -> 'skus') s;
  return null;
end $$;
create trigger label_of_definition after insert on definition for each row when (new.kind = 'label')
  execute function label_of_definition();

-- ── Rules ────────────────────────────────────────────────────────────────────────────────────────

drop trigger earn_rule_of_new_tenant on tenant;
drop function earn_rule_of_new_tenant(), import_points(import_row[], earn_rule, text, text), earn_rule_in_force();
alter table earn_rule rename to earn_rule_before;
alter table earn_rule_before rename constraint earn_rule_pkey to earn_rule_before_pkey;

create table earn_rule (
  tenant_id    uuid not null,
  kind         text not null generated always as ('earnRule') stored,
  key          text not null,
  version      int not null,
  /* What the member is told the points are for; texts by language. */
  name         jsonb not null,
  /* What it looks at, and which: the key of a label, stage or segment, the name of an activity. */
  source       text not null check (source in ('purchase', 'line', 'label', 'activity', 'stage', 'segment')),
  source_key   text,
  /* How much: a number of points, points for each so many minor units, or a formula in postfix order. */
  fixed        bigint check (fixed > 0),
  per_minor    bigint check (per_minor > 0),
  per_points   bigint check (per_points > 0),
  formula      text[] check (cardinality(formula) > 0),
  /* [{"by": "1.5", "audience": its id or null}]; those that match are multiplied. */
  multipliers  jsonb not null default '[]',
  rounding     text not null check (rounding in ('DOWN', 'UP', 'HALF_UP', 'HALF_EVEN')),
  audience_id  uuid,
  from_at      timestamptz,
  until_at     timestamptz,
  /* Only purchases in this currency of money. */
  money        text check (money ~ '^[A-Z]{3}$'),
  cap          bigint check (cap > 0),
  cap_period   text check (cap_period in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER')),
  cooldown     interval check (cooldown > interval '0'),
  times        int check (times > 0),
  times_period text check (times_period in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER')),
  budget       bigint check (budget > 0),
  match_group  text,
  match        text not null check (match in ('FIRST', 'ALL')),
  position     int not null,
  currency     text not null check (currency ~ '^[A-Z][A-Z0-9_]{0,31}$'),
  pending      jsonb,
  /* Null: as the currency has it. */
  expiry       jsonb,
  priority     smallint not null check (priority between 0 and 100),
  class        lot_class not null,
  /* Nothing but points for money of every purchase: many can be earned in one statement, and explain themselves. */
  is_plain     boolean not null generated always as (
    source = 'purchase' and per_minor is not null and multipliers = '[]' and audience_id is null and from_at is null
    and until_at is null and money is null and cap is null and cooldown is null and times is null and budget is null
    and match_group is null and currency = 'POINTS' and pending is null and priority = 50 and class = 'EARNED'
  ) stored,
  primary key (tenant_id, key, version),
  foreign key (tenant_id, kind, key, version) references definition (tenant_id, kind, key, version),
  foreign key (tenant_id, audience_id) references audience (tenant_id, id),
  check ((source in ('purchase', 'line')) = (source_key is null)),
  check (num_nonnulls(fixed, per_minor, formula) = 1 and (per_minor is null) = (per_points is null)),
  check (until_at > from_at),
  check ((cap is null) = (cap_period is null) and (times is null) = (times_period is null)),
  check (match = 'ALL' or match_group is not null)
);
create index earn_rule_source on earn_rule (tenant_id, source, source_key);
call protect('earn_rule');
grant select on earn_rule to engawa_app;

/* What a rule has given of its budget, over all its versions. */
create table earn_budget (
  tenant_id uuid not null references tenant,
  rule      text not null,
  budget    bigint not null,
  used      bigint not null default 0 check (used >= 0),
  primary key (tenant_id, rule),
  check (used <= budget)
);
call protect('earn_budget');
grant select on earn_budget to engawa_app;

/* What a rule has given a member in a period, in points and in times. */
create table earn_usage (
  tenant_id uuid not null,
  member_id uuid not null,
  rule      text not null,
  what      text not null check (what in ('POINTS', 'TIMES')),
  /* As in "MONTH 2026-04-01", by the tenant's calendar. */
  period    text not null,
  cap       bigint not null,
  used      bigint not null default 0 check (used >= 0),
  primary key (tenant_id, member_id, rule, what, period),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (used <= cap)
);
call protect('earn_usage');
grant select on earn_usage to engawa_app;

/*
 * What a rule made of a fact, where the lot alone does not tell it: how it came to so many points, what was cut, or
 * why it gave nothing. A plain rule that gave points has no row.
 */
create table earning (
  tenant_id    uuid not null,
  source_type  text not null,
  source_id    text not null,
  line         text not null default '',
  rule         text not null,
  version      int not null,
  member_id    uuid not null,
  at           timestamptz not null,
  /* Null: it gave points. */
  why          text check (why in ('TOO_LITTLE', 'WINDOW', 'CURRENCY', 'AUDIENCE', 'FIRST_MATCH', 'COOLDOWN', 'MAX_TIMES',
                                   'CAP', 'BUDGET', 'DIVISION_BY_ZERO', 'OVERFLOW')),
  /* What a refund is measured by: minor units, 1 where there is no money. */
  base_minor   bigint not null check (base_minor > 0),
  /* The lines that make up the base of a rule for a label. */
  lines        int[],
  /* What went in: {"total", "amount", "quantity", …}, as text. */
  inputs       jsonb not null,
  /* The multipliers that matched: ["1.5"]. */
  multipliers  jsonb not null default '[]',
  /* Points by the rule, before the cuts. */
  points       bigint not null check (points >= 0),
  cut_cap      bigint not null default 0 check (cut_cap >= 0),
  cut_budget   bigint not null default 0 check (cut_budget >= 0),
  granted      bigint not null check (granted >= 0),
  /* How many of the granted points were taken back, and with them given back to cap and budget. */
  returned     bigint not null default 0,
  cap_period   text,
  times_period text,
  has_budget   boolean not null default false,
  primary key (tenant_id, source_type, source_id, line, rule),
  foreign key (tenant_id, member_id) references member (tenant_id, id),
  check (granted = points - cut_cap - cut_budget),
  check (returned between 0 and granted),
  check ((granted = 0) = (why is not null))
);
create index earning_of_member on earning (tenant_id, member_id, rule, at) where why is null;
call protect('earning');
grant select on earning to engawa_app;

-- ── Formulas ─────────────────────────────────────────────────────────────────────────────────────

/*
 * A formula in postfix order: numbers, "$name", operators, "neg", "@floor", "@min:3". The text was checked when the
 * definition was read; what is no formula is a fault here.
 */
create function earn_formula_compile(p_text text) returns text[] language plpgsql immutable as $$
declare
  v_out text[] := '{}';
  v_stack text[] := '{}';
  v_counts int[] := '{}';
  v_token text;
  v_top text;
  v_before text;
  v_rank constant jsonb := '{"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3}';
begin
  if p_text !~ '^(\s*([0-9]+(\.[0-9]+)?|[A-Za-z][A-Za-z0-9_]*|[-+*/(),]))+\s*$' then
    raise exception '% is no formula', p_text using errcode = '22023';
  end if;
  for v_token in
    select m[1] from regexp_matches(p_text, '([0-9]+(?:\.[0-9]+)?|[A-Za-z][A-Za-z0-9_]*|[-+*/(),])', 'g') m
  loop
    if v_token ~ '^[0-9]' then
      v_out := v_out || v_token;
    elsif v_token in ('floor', 'ceil', 'round', 'min', 'max') then
      v_stack := v_stack || ('@' || v_token);
      v_counts := v_counts || 1;
    elsif v_token ~ '^[A-Za-z]' then
      v_out := v_out || ('$' || v_token);
    elsif v_token = '(' then
      v_stack := v_stack || v_token;
    elsif v_token in (')', ',') then
      loop
        v_top := v_stack[cardinality(v_stack)];
        if v_top is null then
          raise exception '% is no formula', p_text using errcode = '22023';
        end if;
        exit when v_top = '(';
        v_out := v_out || v_top;
        v_stack := trim_array(v_stack, 1);
      end loop;
      if v_token = ',' then
        v_counts[cardinality(v_counts)] := v_counts[cardinality(v_counts)] + 1;
      else
        v_stack := trim_array(v_stack, 1);
        v_top := v_stack[cardinality(v_stack)];
        if v_top like '@%' then
          v_out := v_out || (v_top || ':' || v_counts[cardinality(v_counts)]);
          v_stack := trim_array(v_stack, 1);
          v_counts := trim_array(v_counts, 1);
        end if;
      end if;
    else
      if v_token = '-' and (v_before is null or v_before in ('(', ',', '+', '-', '*', '/', 'neg')) then
        v_token := 'neg';
      else
        loop
          v_top := v_stack[cardinality(v_stack)];
          exit when v_top is null or coalesce((v_rank ->> v_top)::int, 0) < (v_rank ->> v_token)::int;
          v_out := v_out || v_top;
          v_stack := trim_array(v_stack, 1);
        end loop;
      end if;
      v_stack := v_stack || v_token;
    end if;
    v_before := v_token;
  end loop;
  for i in reverse cardinality(v_stack) .. 1 loop
    v_out := v_out || v_stack[i];
  end loop;
  return v_out;
end $$;

/* The whole number at or below a fraction with a denominator above 0. */
create function fraction_floor(p_num numeric, p_den numeric) returns numeric language plpgsql immutable as $$
declare
  v_whole numeric := div(p_num, p_den);
begin
  return case when p_num < 0 and v_whole * p_den <> p_num then v_whole - 1 else v_whole end;
end $$;

/* The one rounding of a rule. Below nothing is nothing. */
create function earn_round(p_num numeric, p_den numeric, p_mode text) returns numeric language plpgsql immutable as $$
declare
  v_whole numeric;
  v_twice numeric;
begin
  if p_num <= 0 then
    return 0;
  end if;
  v_whole := div(p_num, p_den);
  v_twice := 2 * (p_num - v_whole * p_den);
  return v_whole + case p_mode
    when 'DOWN' then 0
    when 'UP' then (v_twice > 0)::int
    when 'HALF_UP' then (v_twice >= p_den)::int
    when 'HALF_EVEN' then (v_twice > p_den or v_twice = p_den and mod(v_whole, 2) = 1)::int
  end;
end $$;

/*
 * What a formula in postfix order makes of the facts ({"total": 1200, …}; a name that is missing is 0): an exact
 * fraction, or null with the fault DIVISION_BY_ZERO.
 */
create function earn_formula(p_formula text[], p_facts jsonb, out num numeric, out den numeric, out fault text)
language plpgsql immutable as $$
declare
  v_nums numeric[] := '{}';
  v_dens numeric[] := '{}';
  v_top int := 0;
  v_token text;
  v_a numeric;
  v_b numeric;
  v_count int;
begin
  foreach v_token in array p_formula loop
    if v_token ~ '^[0-9]' or v_token like '$%' then
      v_top := v_top + 1;
      v_nums[v_top] := case when v_token like '$%' then coalesce((p_facts ->> substr(v_token, 2))::numeric, 0)
                            else v_token::numeric end;
      v_dens[v_top] := 1;
      continue;
    end if;
    num := v_nums[v_top];
    den := v_dens[v_top];
    if v_token = 'neg' then
      v_nums[v_top] := -num;
    elsif v_token like '@min:%' or v_token like '@max:%' then
      v_count := substr(v_token, 6)::int;
      for i in 1 .. v_count - 1 loop
        v_a := v_nums[v_top - i] * den;
        v_b := num * v_dens[v_top - i];
        if (v_token like '@min:%' and v_a < v_b) or (v_token like '@max:%' and v_a > v_b) then
          num := v_nums[v_top - i];
          den := v_dens[v_top - i];
        end if;
      end loop;
      v_top := v_top - v_count + 1;
      v_nums[v_top] := num;
      v_dens[v_top] := den;
    elsif v_token like '@%' then
      v_nums[v_top] := case split_part(v_token, ':', 1)
        when '@floor' then fraction_floor(num, den)
        when '@ceil' then -fraction_floor(-num, den)
        else sign(num) * fraction_floor(2 * abs(num) + den, 2 * den) end;
      v_dens[v_top] := 1;
    else
      v_top := v_top - 1;
      v_a := v_nums[v_top];
      v_b := v_dens[v_top];
      if v_token = '/' then
        if num = 0 then
          num := null;
          den := null;
          fault := 'DIVISION_BY_ZERO';
          return;
        end if;
        v_nums[v_top] := v_a * den * sign(num);
        v_dens[v_top] := v_b * abs(num);
      elsif v_token = '*' then
        v_nums[v_top] := v_a * num;
        v_dens[v_top] := v_b * den;
      else
        v_nums[v_top] := v_a * den + case v_token when '-' then -num else num end * v_b;
        v_dens[v_top] := v_b * den;
      end if;
    end if;
  end loop;
  num := v_nums[1];
  den := v_dens[1];
end $$;

create function earn_rule_of_definition() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_source text;
  v_b jsonb := new.body;
begin
  if v_b is null then
    return null;
  end if;
  v_source := (select k from jsonb_object_keys(v_b -> 'on') k limit 1);
  insert into earn_rule (tenant_id, key, version, name, source, source_key, fixed, per_minor, per_points, formula,
    multipliers, rounding, audience_id, from_at, until_at, money, cap, cap_period, cooldown, times, times_period, budget,
    match_group, match, position, currency, pending, expiry, priority, class)
  values (new.tenant_id, new.key, new.version, v_b -> 'name', v_source,
    case when v_source not in ('purchase', 'line') then v_b -> 'on' ->> v_source end,
    (v_b -> 'points' ->> 'fixed')::bigint, (v_b -> 'points' -> 'per' ->> 'minor')::bigint,
    (v_b -> 'points' -> 'per' ->> 'points')::bigint,
    case when v_b -> 'points' ? 'formula' then earn_formula_compile(v_b -> 'points' ->> 'formula') end,
    (select coalesce(jsonb_agg(jsonb_build_object('by', m ->> 'by',
       'audience', new.audiences ->> format('multipliers.%s', n - 1)) order by n), '[]')
     from jsonb_array_elements(coalesce(v_b -> 'multipliers', '[]')) with ordinality x (m, n)),
    coalesce(v_b ->> 'rounding', 'DOWN'), (new.audiences ->> 'audience')::uuid,
    (v_b -> 'window' ->> 'from')::timestamptz, (v_b -> 'window' ->> 'until')::timestamptz, v_b ->> 'purchaseCurrency',
    (v_b -> 'caps' -> 'perMember' ->> 'points')::bigint, v_b -> 'caps' -> 'perMember' ->> 'per',
    (v_b ->> 'cooldown')::interval, (v_b -> 'maxTimes' ->> 'times')::int, v_b -> 'maxTimes' ->> 'per',
    (v_b ->> 'budget')::bigint, v_b ->> 'group', coalesce(v_b ->> 'match', 'ALL'), coalesce((v_b ->> 'order')::int, 0),
    coalesce(v_b ->> 'currency', 'POINTS'), v_b -> 'pending', v_b -> 'expiry', coalesce((v_b ->> 'priority')::int, 50),
    coalesce(v_b ->> 'class', 'EARNED')::lot_class);
  -- A budget below what is given already gives no more.
  insert into earn_budget (tenant_id, rule, budget)
  select new.tenant_id, new.key, (v_b ->> 'budget')::bigint where v_b ->> 'budget' is not null
  on conflict (tenant_id, rule) do update set budget = greatest(excluded.budget, earn_budget.used);
  return null;
end $$;
create trigger earn_rule_of_definition after insert on definition for each row when (new.kind = 'earnRule')
  execute function earn_rule_of_definition();

-- ── What a tenant begins with ────────────────────────────────────────────────────────────────────

/* Points for the money of every purchase, as a definition. */
create function earn_rule_body(p_minor bigint, p_name jsonb) returns jsonb language sql immutable as $$
  select jsonb_build_object('name', p_name, 'on', '{"purchase": true}'::jsonb,
    'points', jsonb_build_object('per', jsonb_build_object('minor', p_minor::text, 'points', '1')))
$$;

create function earn_rule_of_new_tenant() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform definition_preset(new.id, 'earnRule', 'purchase',
    earn_rule_body(100, '{"en": "Purchase", "ja": "お買い物"}'));
  return null;
end $$;
create trigger earn_rule_of_new_tenant after insert on tenant
  for each row execute function earn_rule_of_new_tenant();

do $$
declare
  v_tenant uuid;
  v_rule earn_rule_before;
begin
  for v_tenant in select every_tenant() loop
    perform set_config('app.tenant', v_tenant::text, true);
    for v_rule in select * from earn_rule_before b where b.tenant_id = v_tenant order by b.key, b.version loop
      perform definition_publish(jsonb_build_array(jsonb_build_object('kind', 'earnRule', 'key', v_rule.key, 'body',
        earn_rule_body(v_rule.minor_per_point, jsonb_build_object('en', v_rule.reason, 'ja',
          case v_rule.reason when 'Purchase' then 'お買い物' else v_rule.reason end))
        || case when v_rule.expires_months = 12 then '{}' else jsonb_build_object('expiry',
          case when v_rule.expires_months is null then '{"never": true}'::jsonb
          else jsonb_build_object('rolling', jsonb_build_object('months', v_rule.expires_months, 'endOf', 'MONTH')) end)
          end)), null, 'engawa');
    end loop;
  end loop;
  perform set_config('app.tenant', '', true);
end $$;
drop table earn_rule_before;

-- ── Evaluating ───────────────────────────────────────────────────────────────────────────────────

/* A text in the member's language, else the tenant's, else English, else any. */
create function text_for(p_texts jsonb, p_member uuid) returns text language plpgsql stable as $$
declare
  v_locales text[] := array[
    (select m.locale from member m where m.tenant_id = current_tenant() and m.id = p_member),
    (select t.locale from tenant t where t.id = current_tenant()), 'en'];
  v_locale text;
begin
  foreach v_locale in array v_locales loop
    if p_texts ? v_locale then
      return p_texts ->> v_locale;
    elsif p_texts ? split_part(v_locale, '-', 1) then
      return p_texts ->> split_part(v_locale, '-', 1);
    end if;
  end loop;
  return (select t.value from jsonb_each_text(p_texts) t order by t.key limit 1);
end $$;

/* The period of the tenant's calendar that an instant lies in, as in "MONTH 2026-04-01". Weeks begin on Monday. */
create function earn_period(p_unit text, p_at timestamptz, p_zone text) returns text language sql stable as $$
  select case p_unit when 'EVER' then 'EVER'
    else p_unit || ' ' || to_char(date_trunc(p_unit, p_at at time zone p_zone), 'YYYY-MM-DD') end
$$;

/* Something that happened to a member, for rules to look at. */
create type earn_fact as (
  -- Its operation; when null, one is opened under op_key once there is something to give.
  transaction_id uuid, op_key text,
  source_type text, source_id text, member_id uuid, at timestamptz,
  -- purchase, activity, stage or segment; and which activity, stage or segment.
  word text, word_key text,
  -- Of a purchase: its currency, its total and lines [{"line", "sku", "quantity", "amount"}] in minor units.
  money text, total bigint, lines jsonb,
  -- Of an activity: its properties, of which formulas see the numbers.
  properties jsonb
);

/* One lot to be granted. */
create type earn_lot as (
  currency text, line text, rule text, version int, name jsonb, base_minor bigint, points bigint, priority smallint,
  class lot_class, pending jsonb, expiry jsonb
);

/*
 * What the rules in force look at in a fact: the fact as a whole (line ''), or each of its lines; in the order in
 * which rules are asked.
 */
create function earn_items(p_fact earn_fact) returns table (
  rule earn_rule, line text, amount bigint, quantity bigint, lines int[]
) language plpgsql stable as $$
begin
  return query
  with live as materialized (
    select r from earn_rule r
    join definition d on d.tenant_id = r.tenant_id and d.kind = r.kind and d.key = r.key and d.version = r.version
    where r.tenant_id = current_tenant() and d.is_live
      and (r.source = p_fact.word and r.source_key is not distinct from p_fact.word_key
           or p_fact.word = 'purchase' and r.source in ('line', 'label'))
  ), bought as (
    select x.* from jsonb_to_recordset(p_fact.lines) x (line int, sku text, quantity bigint, amount bigint)
  )
  select i.rule, i.line, i.amount, i.quantity, i.lines
  from (
    select l.r as rule, '' as line, coalesce(p_fact.total, 0) as amount,
           coalesce((select sum(b.quantity) from bought b), 0)::bigint as quantity, null::int[] as lines
    from live l where (l.r).source not in ('line', 'label')
    union all
    select l.r, b.line::text, b.amount, b.quantity, null
    from live l, bought b where (l.r).source = 'line'
    union all
    select l.r, '', sum(b.amount)::bigint, sum(b.quantity)::bigint, array_agg(b.line order by b.line)
    from live l
    join definition d on d.tenant_id = (l.r).tenant_id and d.kind = 'label' and d.key = (l.r).source_key and d.is_live
    join label_sku s on s.tenant_id = d.tenant_id and s.key = d.key and s.version = d.version
    join bought b on b.sku = s.sku
    where (l.r).source = 'label'
    group by l.r
  ) i
  order by (i.rule).position, (i.rule).key, length(i.line), i.line;
end $$;

/* Why a rule is closed to a fact as a whole; null: it is open. The member is locked. */
create function earn_closed(p_rule earn_rule, p_fact earn_fact, p_zone text) returns text language plpgsql stable as $$
begin
  if p_fact.at < p_rule.from_at or p_fact.at >= p_rule.until_at then
    return 'WINDOW';
  elsif p_rule.money <> coalesce(p_fact.money, '') then
    return 'CURRENCY';
  elsif p_rule.audience_id is not null and not audience_has(p_rule.audience_id, p_fact.member_id) then
    return 'AUDIENCE';
  elsif p_rule.cooldown is not null and exists (
    select from earning e
    where e.tenant_id = p_rule.tenant_id and e.member_id = p_fact.member_id and e.rule = p_rule.key and e.why is null
      and e.returned < e.granted
      and e.at > (p_fact.at at time zone p_zone - p_rule.cooldown) at time zone p_zone
      and e.at < (p_fact.at at time zone p_zone + p_rule.cooldown) at time zone p_zone) then
    return 'COOLDOWN';
  elsif p_rule.times <= (
    select u.used from earn_usage u
    where u.tenant_id = p_rule.tenant_id and u.member_id = p_fact.member_id and u.rule = p_rule.key
      and u.what = 'TIMES' and u.period = earn_period(p_rule.times_period, p_fact.at, p_zone)) then
    return 'MAX_TIMES';
  end if;
  return null;
end $$;

/* The numbers that formulas see: those of the fact, the rule's own amount and quantity, numbers of an activity. */
create function earn_inputs(p_fact earn_fact, p_amount bigint, p_quantity bigint) returns jsonb
language plpgsql immutable as $$
begin
  if p_fact.word = 'purchase' then
    return jsonb_build_object('total', p_fact.total, 'amount', p_amount, 'quantity', p_quantity);
  end if;
  return (select coalesce(jsonb_object_agg(p.key, p.value), '{}') from jsonb_each(p_fact.properties) p
          where jsonb_typeof(p.value) = 'number');
end $$;

/* Takes from a guarded row of usage; what is over the cap is refused by the row itself. */
create function earn_take(
  p_member uuid, p_rule text, p_what text, p_period text, p_cap bigint, p_take bigint
) returns void language sql as $$
  insert into earn_usage as u (tenant_id, member_id, rule, what, period, cap, used)
  values (current_tenant(), p_member, p_rule, p_what, p_period, p_cap, p_take)
  on conflict (tenant_id, member_id, rule, what, period)
  do update set used = u.used + p_take, cap = greatest(excluded.cap, u.used)
$$;

/*
 * Gives what the rules in force give for a fact, and keeps how they came to it. The caller has locked the member.
 * Returns the points transaction of the first currency, null when nothing was given. A rule of more than 10^17 points
 * gives none.
 */
create function earn(p_fact earn_fact, p_actor text) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_zone text := (select t.time_zone from tenant t where t.id = v_tenant);
  v_item record;
  v_rule earn_rule;
  v_before text;
  v_closed text;
  v_by numeric;
  v_factors jsonb;
  v_has_time boolean;
  v_matched text[] := '{}';
  v_lots earn_lot[] := '{}';
  v_told earning[] := '{}';
  v_inputs jsonb;
  v_num numeric;
  v_den numeric;
  v_why text;
  v_points bigint;
  v_left bigint;
  v_cut_cap bigint;
  v_cut_budget bigint;
  v_cap_period text;
  v_has_budgets boolean := false;
begin
  for v_item in select * from earn_items(p_fact) loop
    v_rule := v_item.rule;
    -- What is the same for every line of a rule.
    if v_rule.key is distinct from v_before then
      v_before := v_rule.key;
      v_closed := case when not v_rule.is_plain then earn_closed(v_rule, p_fact, v_zone) end;
      v_has_time := false;
      v_by := 1;
      v_factors := '[]';
      if v_closed is null and v_rule.multipliers <> '[]' then
        select coalesce(jsonb_agg(m.by order by m.n), '[]') into v_factors
        from (select x.m ->> 'by' as by, x.n from jsonb_array_elements(v_rule.multipliers) with ordinality x (m, n)
              where audience_has((x.m ->> 'audience')::uuid, p_fact.member_id)) m;
        for v_num in select f::numeric from jsonb_array_elements_text(v_factors) f loop
          v_by := v_by * v_num;
        end loop;
      end if;
    end if;

    v_why := coalesce(v_closed, case
      when v_rule.match = 'FIRST' and (v_rule.match_group || '/' || v_item.line) = any (v_matched) then 'FIRST_MATCH' end);
    v_points := 0;
    v_cut_cap := 0;
    v_cut_budget := 0;
    v_cap_period := null;
    v_inputs := earn_inputs(p_fact, v_item.amount, v_item.quantity);
    if v_why is null then
      if v_rule.match_group is not null then
        v_matched := v_matched || (v_rule.match_group || '/' || v_item.line);
      end if;
      if v_rule.fixed is not null then
        v_num := v_rule.fixed;
        v_den := 1;
      elsif v_rule.per_minor is not null then
        v_num := v_item.amount::numeric * v_rule.per_points;
        v_den := v_rule.per_minor;
      else
        select f.num, f.den, f.fault into v_num, v_den, v_why from earn_formula(v_rule.formula, v_inputs) f;
      end if;
      if v_why is null then
        v_num := earn_round(v_num * v_by, v_den, v_rule.rounding);
        v_why := case when v_num > 1e17 then 'OVERFLOW' when v_num = 0 then 'TOO_LITTLE' end;
        v_points := case when v_why is null then v_num else 0 end;
      end if;
    end if;

    v_left := v_points;
    if v_left > 0 and v_rule.cap is not null then
      v_cap_period := earn_period(v_rule.cap_period, p_fact.at, v_zone);
      v_left := least(v_left, greatest(0, v_rule.cap - coalesce((
        select u.used from earn_usage u where u.tenant_id = v_tenant and u.member_id = p_fact.member_id
          and u.rule = v_rule.key and u.what = 'POINTS' and u.period = v_cap_period), 0)));
      v_cut_cap := v_points - v_left;
      v_why := case when v_left = 0 then 'CAP' end;
    end if;
    if v_left > 0 and v_rule.budget is not null then
      if not v_has_budgets then
        -- All that may be asked, in the order of their keys.
        perform from earn_budget b where b.tenant_id = v_tenant and b.rule in (
          select (i.rule).key from earn_items(p_fact) i where (i.rule).budget is not null)
        order by b.rule for no key update;
        v_has_budgets := true;
      end if;
      update earn_budget b set used = b.used + least(v_left, b.budget - b.used)
      from (select b.rule, b.used from earn_budget b where b.tenant_id = v_tenant and b.rule = v_rule.key) o
      where b.tenant_id = v_tenant and b.rule = v_rule.key
      returning b.used - o.used into v_num;
      v_cut_budget := v_left - v_num;
      v_left := v_num;
      v_why := case when v_left = 0 then 'BUDGET' end;
    end if;
    if v_left > 0 then
      if v_rule.cap is not null then
        perform earn_take(p_fact.member_id, v_rule.key, 'POINTS', v_cap_period, v_rule.cap, v_left);
      end if;
      if v_rule.times is not null and not v_has_time then
        perform earn_take(p_fact.member_id, v_rule.key, 'TIMES', earn_period(v_rule.times_period, p_fact.at, v_zone),
          v_rule.times, 1);
        v_has_time := true;
      end if;
      v_lots := v_lots || (v_rule.currency, v_item.line, v_rule.key, v_rule.version, v_rule.name,
        greatest(v_item.amount, 1), v_left, v_rule.priority, v_rule.class, v_rule.pending, v_rule.expiry)::earn_lot;
    end if;
    if not v_rule.is_plain or v_why is not null then
      v_told := v_told || (v_tenant, p_fact.source_type, p_fact.source_id, v_item.line, v_rule.key, v_rule.version,
        p_fact.member_id, p_fact.at, v_why, greatest(v_item.amount, 1), v_item.lines, v_inputs, v_factors, v_points,
        v_cut_cap, v_cut_budget, v_left, 0, v_cap_period,
        case when v_rule.times is not null then earn_period(v_rule.times_period, p_fact.at, v_zone) end,
        v_rule.budget is not null)::earning;
    end if;
  end loop;

  if cardinality(v_told) > 0 then
    insert into earning select * from unnest(v_told);
  end if;
  return earn_lots(p_fact, v_lots, p_actor);
end $$;

/* Grants lots, those of each currency in a transaction: the first in the fact's own, each other in one of its own. */
create function earn_lots(p_fact earn_fact, p_lots earn_lot[], p_actor text) returns uuid language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_currency text;
  v_key text;
  v_op record;
  v_first uuid;
begin
  if cardinality(p_lots) = 0 then
    return null;
  end if;
  perform points_wallet_made(v_tenant, p_fact.member_id, c.currency)
  from (select distinct l.currency from unnest(p_lots) l) c
  where not exists (select from wallet w where w.tenant_id = v_tenant and w.member_id = p_fact.member_id
                    and w.currency = c.currency);
  perform from wallet w where w.tenant_id = v_tenant and w.member_id = p_fact.member_id
    and w.currency in (select l.currency from unnest(p_lots) l)
  order by w.id for no key update;
  for v_currency in select l.currency from unnest(p_lots) l group by l.currency order by l.currency <> 'POINTS', l.currency
  loop
    if v_first is null and p_fact.transaction_id is not null then
      v_first := p_fact.transaction_id;
      perform points_earn_lots(v_first, p_fact, v_currency, p_lots);
    else
      v_key := case when v_first is null then p_fact.op_key
        else format('engawa:earn:%s:%s:%s', p_fact.source_type, p_fact.source_id, v_currency) end;
      select * into v_op from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'EARN', p_actor, p_fact.at);
      if v_op.replay is not null then
        raise exception 'the key % is taken', v_key;
      end if;
      perform points_earn_lots(v_op.transaction_id, p_fact, v_currency, p_lots);
      perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_op.transaction_id));
      v_first := coalesce(v_first, v_op.transaction_id);
    end if;
  end loop;
  return v_first;
end $$;

/* Grants the lots of one currency as one transaction of the member's wallet. */
create function points_earn_lots(p_transaction uuid, p_fact earn_fact, p_currency text, p_lots earn_lot[]) returns void
language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet := points_wallet_made(v_tenant, p_fact.member_id, p_currency);
begin
  with given as materialized (
    select l.*, uuid_v7() as lot_id, w.available_at, w.awaits, points_policy(l.expiry, p_currency) as policy,
           w.awaits is not null or l.pending is not null and w.available_at > v_now as is_pending
    from unnest(p_lots) with ordinality l
    cross join lateral points_pending(l.pending, p_fact.at) w
    where l.currency = p_currency order by l.ordinality
  ), born as (
    insert into lot (tenant_id, id, wallet_id, transaction_id, wallet_version, source_type, source_id, line, rule,
                     rule_version, priority, class, available_at, awaits, expires_at, expiry, granted, pending, available)
    select v_tenant, g.lot_id, v_wallet.id, p_transaction, v_wallet.version + 1, p_fact.source_type, p_fact.source_id,
           g.line, g.rule, g.version, g.priority, g.class, g.available_at, g.awaits,
           case when g.awaits is null then points_expiry(g.policy, p_currency, g.available_at) end,
           case when g.awaits is not null or g.policy ? 'sliding' then g.policy end, g.points,
           case when g.is_pending then g.points else 0 end, case when g.is_pending then 0 else g.points end
    from given g
  )
  insert into earn_basis (tenant_id, source_type, source_id, line, rule, wallet_id, lot_id, base_minor, granted)
  select v_tenant, p_fact.source_type, p_fact.source_id, g.line, g.rule, v_wallet.id, g.lot_id, g.base_minor, g.points
  from given g;
  perform points_repay(v_wallet, p_transaction, v_now);
  perform points_close(v_wallet, p_transaction, (select sum(l.points)::bigint from unnest(p_lots) l where l.currency = p_currency),
    (select string_agg(n.name, ', ' order by n.place)
     from (select text_for(l.name, p_fact.member_id) as name, min(l.ordinality) as place
           from unnest(p_lots) with ordinality l where l.currency = p_currency group by 1) n), null);
end $$;

-- ── Taking back ──────────────────────────────────────────────────────────────────────────────────

/*
 * Takes back, within the caller's operation, what a fact earned in one wallet, in proportion to what was given back of
 * each basis: p_targets is [{"line", "rule", "refunded"}], refunded being the total so far and not the step. From the
 * lot's pending, its available, what of it had expired counts as taken, then the wallet's other lots in burn order,
 * then debt up to the limit; the rest is lost. Returns how much was revoked, owed and lost.
 */
create function points_claw_back_from(
  p_transaction uuid, p_wallet uuid, p_source_type text, p_source_id text, p_targets jsonb, p_reason text,
  out revoked bigint, out owed bigint, out lost bigint
) language plpgsql as $$
#variable_conflict use_column
declare
  v_tenant uuid := current_tenant();
  v_now timestamptz := tenant_now(v_tenant);
  v_wallet wallet := points_settle(p_wallet);
  v_basis record;
  v_lot lot;
  v_left bigint;
  v_seq int := 0;
  v_pending bigint;
  v_available bigint;
  v_expired bigint;
  v_owed bigint;
begin
  revoked := 0;
  owed := 0;
  lost := 0;
  for v_basis in
    select b.*, least(t.refunded, b.base_minor) as target
    from earn_basis b join jsonb_to_recordset(p_targets) t (line text, rule text, refunded bigint)
      on t.line = b.line and t.rule = b.rule
    where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id
      and b.wallet_id = v_wallet.id
    order by b.rule, length(b.line), b.line
  loop
    v_left := case when v_basis.base_minor = 0 then 0
      else greatest(div(v_basis.granted::numeric * v_basis.target, v_basis.base_minor) - v_basis.revoked, 0) end;
    select * into strict v_lot from lot l where l.tenant_id = v_tenant and l.id = v_basis.lot_id;
    v_pending := least(v_left, v_lot.pending);
    v_available := least(v_left - v_pending, v_lot.available);
    v_expired := least(v_left - v_pending - v_available, greatest(v_lot.expired - v_basis.expired_counted, 0));
    insert into posting
      (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
    select v_tenant, p_transaction, v_seq + row_number() over (order by m.n), v_wallet.id, v_wallet.version + 1,
           v_lot.id, m.from_bucket, 'REVOKED', m.amount
    from (values (1, 'PENDING'::bucket, v_pending), (2, 'AVAILABLE', v_available)) m (n, from_bucket, amount)
    where m.amount > 0;
    v_seq := v_seq + (v_pending > 0)::int + (v_available > 0)::int;
    revoked := revoked + v_pending + v_available;
    update earn_basis b set
      refunded_minor = greatest(b.refunded_minor, v_basis.target), revoked = b.revoked + v_left,
      expired_counted = b.expired_counted + v_expired
    where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id
      and b.line = v_basis.line and b.rule = v_basis.rule;
    v_left := v_left - v_pending - v_available - v_expired;
    if v_left > 0 then
      v_available := points_burn(v_wallet, p_transaction, v_seq, v_left, 'REVOKED', v_now, v_lot.id);
      v_seq := points_seq(v_tenant, p_transaction);
      revoked := revoked + v_available;
      v_left := v_left - v_available;
      v_owed := least(v_left, v_wallet.debt_limit - v_wallet.debt - owed);
      owed := owed + v_owed;
      lost := lost + v_left - v_owed;
    end if;
  end loop;
  insert into debt_posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, kind, amount)
  select v_tenant, p_transaction, row_number() over (order by m.n), v_wallet.id, v_wallet.version + 1, m.kind, m.amount
  from (values (1, 'RAISED', owed), (2, 'LOST', lost)) m (n, kind, amount)
  where m.amount > 0;
  if revoked + owed + lost > 0 then
    perform points_close(v_wallet, p_transaction, revoked + owed, p_reason, null);
  end if;
end $$;

/*
 * The same for all rules of one line of a fact, p_refunded_minor being the total given back so far. Returns the
 * wallet, null when nothing moved.
 */
create or replace function points_claw_back(
  p_transaction uuid, p_source_type text, p_source_id text, p_line text, p_refunded_minor bigint, p_at timestamptz,
  p_reason text, out wallet_id uuid, out revoked bigint, out owed bigint, out lost bigint
) language plpgsql as $$
#variable_conflict use_column
declare
  v_wallet uuid;
  v_targets jsonb;
begin
  revoked := 0;
  owed := 0;
  lost := 0;
  for v_wallet, v_targets in
    select b.wallet_id, jsonb_agg(jsonb_build_object('line', b.line, 'rule', b.rule, 'refunded', p_refunded_minor))
    from earn_basis b
    where b.tenant_id = current_tenant() and b.source_type = p_source_type and b.source_id = p_source_id
      and b.line = p_line
    group by b.wallet_id
  loop
    if wallet_id is not null then
      raise exception 'one operation moves the points of one wallet';
    end if;
    wallet_id := v_wallet;
    select c.revoked, c.owed, c.lost into revoked, owed, lost
    from points_claw_back_from(p_transaction, v_wallet, p_source_type, p_source_id, v_targets, p_reason) c;
  end loop;
  if revoked + owed + lost = 0 then
    wallet_id := null;
  end if;
end $$;

/*
 * Takes back what a fact earned, rule by rule: p_total is the money given back of the whole so far, p_lines what was
 * given back of each line so far ([{"line", "refunded", "is_back": all of it}]); p_is_whole: nothing of it stands. What was taken back is
 * room again under caps, times and budgets. The caller has locked the member. Wallets after the first have
 * transactions of their own.
 */
create function earn_take_back(
  p_transaction uuid, p_source_type text, p_source_id text, p_total bigint, p_lines jsonb, p_is_whole boolean,
  p_at timestamptz, p_reason text, p_actor text
) returns void language plpgsql as $$
declare
  v_tenant uuid := current_tenant();
  v_wallet uuid;
  v_targets jsonb;
  v_key text;
  v_transaction uuid := p_transaction;
begin
  perform from earn_budget b where b.tenant_id = v_tenant and b.rule in (
    select e.rule from earning e where e.tenant_id = v_tenant and e.source_type = p_source_type
      and e.source_id = p_source_id and e.has_budget)
  order by b.rule for no key update;
  for v_wallet, v_targets in
    select b.wallet_id, jsonb_agg(jsonb_build_object('line', b.line, 'rule', b.rule, 'refunded', case
      when p_is_whole then b.base_minor
      when b.line = '' and e.lines is null then p_total
      else (select case when bool_and(l.is_back) then b.base_minor else coalesce(sum(l.refunded), 0) end
            from jsonb_to_recordset(p_lines) l (line int, refunded bigint, is_back boolean)
            where l.line = any (coalesce(e.lines, array[nullif(b.line, '')::int])))
      end))
    from earn_basis b
    left join earning e on (e.tenant_id, e.source_type, e.source_id, e.line, e.rule)
                         = (b.tenant_id, b.source_type, b.source_id, b.line, b.rule)
    where b.tenant_id = v_tenant and b.source_type = p_source_type and b.source_id = p_source_id
    group by b.wallet_id order by b.wallet_id
  loop
    if v_transaction is null then
      v_key := format('engawa:earn:back:%s:%s', p_transaction, v_wallet);
      v_transaction := (select b.transaction_id
        from op_begin(v_key, sha256(convert_to(v_key, 'UTF8')), 'REFUND_EARN', p_actor, p_at) b);
      perform op_finish(v_key, jsonb_build_object('is', 'done', 'transaction', v_transaction));
    end if;
    perform points_claw_back_from(v_transaction, v_wallet, p_source_type, p_source_id, v_targets, p_reason);
    v_transaction := null;
  end loop;

  with step as materialized (
    select e.rule, e.line, e.member_id, e.cap_period, e.times_period, e.has_budget, e.granted, b.revoked,
           b.revoked - e.returned as back
    from earning e
    join earn_basis b on (b.tenant_id, b.source_type, b.source_id, b.line, b.rule)
                       = (e.tenant_id, e.source_type, e.source_id, e.line, e.rule)
    where e.tenant_id = v_tenant and e.source_type = p_source_type and e.source_id = p_source_id
  ), room as (
    select s.member_id, s.rule, 'POINTS' as what, s.cap_period as period, sum(s.back) as back
    from step s where s.cap_period is not null group by 1, 2, 4
    union all
    -- A time is given back with the last point of it.
    select s.member_id, s.rule, 'TIMES', s.times_period, 1
    from step s where s.times_period is not null group by 1, 2, 4
    having sum(s.back) > 0 and sum(s.revoked) = sum(s.granted)
  ), used as (
    update earn_usage u set used = u.used - r.back from room r
    where u.tenant_id = v_tenant and (u.member_id, u.rule, u.what, u.period) = (r.member_id, r.rule, r.what, r.period)
      and r.back > 0
  ), spent as (
    update earn_budget b set used = b.used - r.back
    from (select s.rule, sum(s.back) as back from step s where s.has_budget group by 1) r
    where b.tenant_id = v_tenant and b.rule = r.rule and r.back > 0
  )
  update earning e set returned = s.revoked
  from step s
  where e.tenant_id = v_tenant and e.source_type = p_source_type and e.source_id = p_source_id
    and (e.line, e.rule) = (s.line, s.rule) and s.back > 0;
end $$;
