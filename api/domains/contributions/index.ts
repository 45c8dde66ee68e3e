export {
  Author,
  Contribution,
  ContributionKind,
  ContributionState,
  contributionKinds,
  contributionOf,
  contributionRef,
  contributionType,
  known,
  TextFormat,
} from './graphql.ts'
export { type Format, plainText, safeHtml } from './html.ts'
export { ContributionConnection } from './members.graphql.ts'
export { Seers } from './seers.ts'
export { addComment, type Kept, react, type State, type Writer } from './service.ts'
export { tagged, tagOf } from './tags.ts'
export { selfOf, writerOf } from './writer.graphql.ts'
export { type Draft, type Written, written } from './written.ts'
