export { Member, MemberByInput, MemberConnection, memberOf, memberRef } from './graphql.ts'
export type { MemberBy, MembershipEnd, NewMember } from './service.ts'
export { endMembership, registerMember, updateMember } from './service.ts'
export { namesOf } from './store.ts'
