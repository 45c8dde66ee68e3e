export { ladderPart } from './ladder.ts'
export { settleTiers } from './service.ts'
