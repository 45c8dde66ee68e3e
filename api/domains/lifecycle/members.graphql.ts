import { compileRule, parseRule, scopesOf } from '../audiences/index.ts'
import { AudienceInput } from '../audiences/graphql.ts'
