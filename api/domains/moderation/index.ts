export { trustPredicate } from './audience.ts'
export {
  checksPort,
  type DeployedCheck,
  type DeployedChecks,
  type Judgement,
  type OpenCheck,
  type OpenedCheck,
} from './checks.port.ts'
export { type CheckLoop, startChecks } from './checks.ts'
export { contributionNoticePart, moderationPart, watchedWordsPart } from './part.ts'
