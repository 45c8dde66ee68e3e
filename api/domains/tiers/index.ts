export { tierPredicate } from './audience.ts'
export { ladderPart } from './ladder.ts'
export { settleTiers } from './service.ts'
