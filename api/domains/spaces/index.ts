export { Space, SpaceConnection, SpaceKind, spaceOf } from './graphql.ts'
export { spacePart } from './part.ts'
export { viewAs } from './view-as.ts'
