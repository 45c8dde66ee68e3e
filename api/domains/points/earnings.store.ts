import type { Tx } from '../../platform/db.ts'

/** What one rule made of one fact, or of one of its lines. Points and money as decimal text. */
export interface EarningFacts {
  /** The id of the fact that it was about. */
  readonly source: string
  /** The line of a purchase; null for the fact as a whole. */
  readonly line: number | null
  readonly rule: string
  readonly version: number
  /** Texts by language; null for a rule that is no earn rule. */
  readonly name: unknown
  /** Why it gave nothing; null when it gave points. */
  readonly why: string | null
  readonly base: string
  readonly multipliers: readonly string[]
  /** By the rule, before limits. */
  readonly points: string
  readonly cutCap: string
  readonly cutBudget: string
  readonly granted: string
  readonly returned: string
}

/** Everything that rules made of these facts, in the order in which rules are asked; one statement for all. */
export async function earningsOf(
  tx: Tx,
  sourceType: string,
  sources: readonly string[],
): Promise<ReadonlyMap<string, readonly EarningFacts[]>> {
  const rows = await tx.query<EarningFacts>({
    name: 'earnings_of',
    text: `select x.source_id as source, nullif(x.line, '')::int as line, x.rule, x.version, d.body -> 'name' as name,
        x.why, x.base_minor::text as base, x.multipliers, x.points::text as points, x.cut_cap::text as "cutCap",
        x.cut_budget::text as "cutBudget", x.granted::text as granted, x.returned::text as returned
      from (
        select e.tenant_id, e.source_id, e.line, e.rule, e.version, e.why, e.base_minor, e.multipliers, e.points,
               e.cut_cap, e.cut_budget, e.granted, e.returned
        from earning e where own(e) and e.source_type = $1 and e.source_id = any($2)
        union all
        select l.tenant_id, l.source_id, l.line, l.rule, l.rule_version, null, b.base_minor, '[]', b.granted, 0, 0,
               b.granted, b.revoked
        from lot l
        join earn_basis b on (b.tenant_id, b.source_type, b.source_id, b.line, b.rule)
                           = (l.tenant_id, l.source_type, l.source_id, l.line, l.rule)
        where own(l) and l.source_type = $1 and l.source_id = any($2) and not exists (
          select from earning e where (e.tenant_id, e.source_type, e.source_id, e.line, e.rule)
                                    = (l.tenant_id, l.source_type, l.source_id, l.line, l.rule))
      ) x
      join definition d on d.tenant_id = x.tenant_id and d.kind = 'earnRule' and d.key = x.rule and d.version = x.version
      order by coalesce((d.body ->> 'order')::int, 0), x.rule, length(x.line), x.line`,
    values: [sourceType, sources],
  })
  return Map.groupBy(rows, ({ source }) => source)
}

/** The names of earn rules, each asked for as `<version> <key>`; texts by language. */
export async function ruleNames(tx: Tx, rules: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const rows = await tx.query<{ rule: string; name: unknown }>({
    name: 'earn_rule_names',
    text: `select r.version || ' ' || r.key as rule, r.name from earn_rule r
           where own(r) and r.version || ' ' || r.key = any($1)
             and r.key = any(select substr(x, strpos(x, ' ') + 1) from unnest($1::text[]) x)`,
    values: [rules],
  })
  return new Map(rows.map(({ rule, name }) => [rule, name]))
}

/** An earn rule in force. */
export interface EarnRuleFacts {
  readonly key: string
  readonly version: number
  readonly name: unknown
  readonly source: string
  readonly sourceKey: string | null
  readonly body: unknown
  /** Points as decimal text. */
  readonly budget: string | null
  readonly budgetUsed: string | null
}

/** The earn rules in force, in the order in which they are asked; at most 100. */
export function readEarnRules(tx: Tx): Promise<EarnRuleFacts[]> {
  return tx.query<EarnRuleFacts>({
    name: 'earn_rules',
    text: `select r.key, r.version, r.name, r.source, r.source_key as "sourceKey", d.body, b.budget::text as budget,
             case when r.budget is not null then b.used::text end as "budgetUsed"
           from definition d
           join earn_rule r on (r.tenant_id, r.key, r.version) = (d.tenant_id, d.key, d.version)
           left join earn_budget b on b.tenant_id = r.tenant_id and b.rule = r.key and r.budget is not null
           where own(d) and d.kind = 'earnRule' and d.is_live
           order by r.position, r.key limit 100`,
    values: [],
  })
}

/** A label of products. */
export interface LabelFacts {
  readonly key: string
  readonly version: number
  readonly name: unknown
  readonly skus: readonly string[]
}

/** The labels in force, by their keys; at most 100. */
export function readLabels(tx: Tx): Promise<LabelFacts[]> {
  return tx.query<LabelFacts>({
    name: 'labels',
    text: `select d.key, d.version, d.body -> 'name' as name, d.body -> 'skus' as skus from definition d
           where own(d) and d.kind = 'label' and d.is_live order by d.key limit 100`,
    values: [],
  })
}
