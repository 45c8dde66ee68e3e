export { partnerPart } from './part.ts'
