export { Space, spaceOf } from './graphql.ts'
export { spacePart } from './part.ts'
export { viewAs } from './view-as.ts'
