export { consentPredicate } from './audience.ts'
export { Links, linksPort } from './links.ts'
export { memberPages } from './pages.ts'
export { MessageClass } from './purposes.graphql.ts'
