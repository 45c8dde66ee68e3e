export { entitlementPredicate } from './audience.ts'
export { Benefit } from './benefit.ts'
export { BenefitInput } from './benefit-input.graphql.ts'
export { entitlementPart } from './parts.ts'
