export { badgePart, reputationPart } from './part.ts'
export { settleBadges } from './service.ts'
