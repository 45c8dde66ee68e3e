import type { Statement } from '../../platform/db.ts'
import { literal } from '../../platform/literal.ts'
import type { Rule } from './language.ts'
import { type Fragment, joined, rendered, sql } from './sql.ts'

/**
 * Compiles a rule to a condition on `m`, a row of `member`; its placeholders are numbered from `first`. The
 * condition is true for members who match, false or null for others, so it belongs in a `where`. A set is the
 * query, one member the same query with that member's id; who asks brings the tenant: `own(m)`.
 */
export function compileRule(rule: Rule, first = 1): Statement {
  return rendered(condition(rule), first)
}

/** The same condition with its values in the text, for the database to keep and ask by itself. */
export function conditionText(rule: Rule): string {
  const { texts, values } = condition(rule)
  return texts.reduce((all, piece, i) => `${all}${literal(values[i - 1])}${piece}`)
}

function condition(rule: Rule): Fragment {
  switch (rule.is) {
    case 'all':
      return joined(rule.rules.map(condition), 'and', sql`true`)
    case 'any':
      return joined(rule.rules.map(condition), 'or', sql`false`)
    case 'not':
      // Unknown counts as no match: whoever the rule does not match, `not` does.
      return sql`(${condition(rule.rule)}) is not true`
    case 'predicate':
      return rule.condition.sql()
  }
}
