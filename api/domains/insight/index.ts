export {
  type BackTest,
  type BackTestInput,
  type Beside,
  backTest,
  type MemberDifference,
} from './back-test.ts'
export { type LintContext, lint, type Warning, type WarningCode } from './lint.ts'
export { supportLevelPart } from './service.ts'
