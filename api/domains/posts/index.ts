export { Post, PostConnection, postOf } from './graphql.ts'
