export {
  BACK_TEST,
  type BackTest,
  type BackTestInput,
  type BackTestLimits,
  type Beside,
  backTest,
  type MemberDifference,
} from './back-test.ts'
export { type LintContext, lint, type Warning, type WarningCode } from './lint.ts'
export { outreachPart, settleOutreach } from './outreach.ts'
export { supportLevelPart } from './service.ts'
export { settleViews } from './sessions.service.ts'
