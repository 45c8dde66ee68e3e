import type { Db, Tx } from '../../platform/db.ts'
import { compileRule, conditionText } from './compile.ts'
import { parseRule, type Rule, readRule, type StoredRule, storedRule } from './language.ts'

/** Ids (uuid) of the members who match now, in the order of their ids. */
export async function membersMatching(tx: Tx, rule: Rule): Promise<string[]> {
  const { text, values } = compileRule(rule)
  const rows = await tx.query<{ id: string }>({
    text: `select m.id from member m where own(m) and (${text}) order by m.id`,
    values,
  })
  return rows.map(({ id }) => id)
}

/** Whether this member (uuid) matches now. False for an id of nobody. */
export async function isMatching(tx: Tx, rule: Rule, memberId: string): Promise<boolean> {
  const { text, values } = compileRule(rule, 2)
  const rows = await tx.query({
    text: `select m.id from member m where own(m) and m.id = $1 and (${text})`,
    values: [memberId, ...values],
  })
  return rows.length > 0
}

/** Rises with every change of what a word of the language compiles to. */
const COMPILER = 1

/** A rule as the database keeps it, with the condition that it asks. */
export interface CompiledRule {
  readonly rule: StoredRule
  readonly condition: string
  readonly compiler: number
}

/** Checks a rule that came from outside, and compiles it for the database. Throws BadInputError naming the field. */
export function compiledRule(given: unknown, field: string): CompiledRule {
  const rule = parseRule(given, field)
  return { rule: storedRule(rule), condition: conditionText(rule), compiler: COMPILER }
}

/** Keeps a rule for the database to ask; gives its id (a uuid), the same for the same rule. */
export async function saveAudience(tx: Tx, { rule, condition, compiler }: CompiledRule): Promise<string> {
  const [saved] = await tx.query<{ id: string }>({
    text: 'select audience_save($1::jsonb, $2, $3) as id',
    values: [JSON.stringify(rule), condition, compiler],
  })
  if (!saved) throw new TypeError('audience_save answered no row')
  return saved.id
}

/** Compiles anew what an older product left, in every tenant; how many rules those were. */
export async function recompileOutdated(db: Db): Promise<number> {
  const { rows } = await db.system.query<{ id: string }>(
    'select distinct a.tenant_id as id from audience a where a.compiler < $1',
    [COMPILER],
  )
  let count = 0
  for (const { id } of rows) count += await recompile(db.tenant(id))
  return count
}

async function recompile(tx: Tx): Promise<number> {
  const outdated = await tx.query<{ rule: StoredRule }>({
    text: 'select a.rule from audience a where own(a) and a.compiler < $1',
    values: [COMPILER],
  })
  const rules = outdated.map(({ rule }) => ({
    rule,
    condition: conditionText(readRule(rule)),
    compiler: COMPILER,
  }))
  await tx.query({
    text: `select audience_save(r -> 'rule', r ->> 'condition', (r ->> 'compiler')::int)
           from jsonb_array_elements($1) r`,
    values: [JSON.stringify(rules)],
  })
  return rules.length
}
