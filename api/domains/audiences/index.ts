export { count, isStorable, listOf, objectOf, oneOf, word } from './checks.ts'
export { compileRule } from './compile.ts'
export { AudienceInput, addAudienceWords } from './graphql.ts'
export { parseRule, type Rule, readRule, type StoredRule, scopesOf, storedRule } from './language.ts'
export { definePredicate, type Predicate, registerPredicates } from './predicates.ts'
export {
  type CompiledRule,
  compiledRule,
  isMatching,
  membersMatching,
  recompileOutdated,
  saveAudience,
} from './service.ts'
export { type Fragment, joined, now, sql } from './sql.ts'
