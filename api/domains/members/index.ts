export { attributePredicate, membershipPredicate } from './audience.ts'
export {
  MEMBERSHIP_FACTS,
  Member,
  MemberByInput,
  MemberConnection,
  Membership,
  memberOf,
  memberRef,
} from './graphql.ts'
export { MemberNote } from './notes.graphql.ts'
export type { MemberBy, MembershipEnd, NewMember } from './service.ts'
export { registerMember } from './service.ts'
export { MembershipWatch, standingMember } from './standing.ts'
export { namesOf, settleMemberships } from './store.ts'
export { onlyOf, ownOrWrites, subjectOf } from './subject.graphql.ts'
