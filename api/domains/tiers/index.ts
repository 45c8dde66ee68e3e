export { tierPredicate } from './audience.ts'
export { Tier } from './graphql.ts'
export { ladderPart } from './ladder.ts'
export { settleTiers } from './service.ts'
