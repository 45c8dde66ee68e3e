export { reputationPart } from './part.ts'
