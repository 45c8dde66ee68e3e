import {
  DirectiveLocation,
  GraphQLDirective,
  GraphQLError,
  GraphQLSchema,
  GraphQLString,
  getDirectiveValues,
  isScalarType,
  type OperationDefinitionNode,
} from 'graphql'
import type { Viewer } from '../platform/auth/viewer.ts'
import { BadInputError, ForbiddenError, UnauthenticatedError } from '../platform/errors/index.ts'
import type { Variables } from './cost.ts'

/** Whose eyes an operation sees with. */
export interface ViewAs {
  /** The external id of a member; null: somebody who has just registered. */
  readonly member: string | null
  /** The key of the stage that the member is taken to stand in; null: its own. */
  readonly stage: string | null
  /** Attributes besides its own. */
  readonly attributes: Readonly<Record<string, unknown>> | null
  /** When; null: now. */
  readonly at: Date | null
}

const NAME = 'viewAs'

/** The schema with `@viewAs` on queries, whose arguments have the schema's own scalars. */
export function withViewAs(schema: GraphQLSchema): GraphQLSchema {
  const scalar = (name: string) => {
    const type = schema.getType(name)
    if (isScalarType(type)) return type
    throw new TypeError(`the schema has no scalar ${name}`)
  }
  const viewAs = new GraphQLDirective({
    name: NAME,
    description:
      'Answers the whole query as a member would get it: one that exists, or one who has just registered, in another stage, with other attributes, at another time. It is done in one transaction that is rolled back in the end. The response says `extensions.viewAs: true`. Needs: a staff token with `members:read` and `community:read`.',
    locations: [DirectiveLocation.QUERY],
    args: {
      member: {
        type: GraphQLString,
        description: 'The external id of a member; left out: somebody who has just registered.',
      },
      stage: { type: GraphQLString, description: 'The key of the stage it is taken to stand in.' },
      attributes: { type: scalar('JSON'), description: 'Attributes besides its own; null takes one away.' },
      at: { type: scalar('DateTime'), description: 'When; now when left out.' },
    },
  })
  return new GraphQLSchema({ ...schema.toConfig(), directives: [...schema.getDirectives(), viewAs] })
}

/** What an operation's `@viewAs` says; null without one. Throws BadInputError for a value that is none. */
export function viewAsOf(
  schema: GraphQLSchema,
  { directives = [] }: OperationDefinitionNode,
  variables: Variables,
): ViewAs | null {
  const directive = schema.getDirective(NAME)
  if (!directive || !directives.some(({ name }) => name.value === NAME)) return null
  try {
    const given = getDirectiveValues(directive, { directives }, variables) ?? {}
    const { member = null, stage = null, attributes = null, at = null } = given as Partial<ViewAs> // as declared above
    if (attributes !== null && (typeof attributes !== 'object' || Array.isArray(attributes)))
      throw new BadInputError('@viewAs', '@viewAs attributes must be an object.')
    return { member, stage, attributes, at }
  } catch (error) {
    if (error instanceof GraphQLError) throw new BadInputError('@viewAs', `@viewAs: ${error.message}`)
    throw error
  }
}

/** Whoever may see with others' eyes. Throws ForbiddenError, UnauthenticatedError. */
export function mayViewAs(viewer: Viewer | null): asserts viewer is Viewer {
  if (!viewer) throw new UnauthenticatedError()
  if (viewer.kind === 'STAFF' && viewer.can('members:read') && viewer.can('community:read')) return
  throw new ForbiddenError('@viewAs needs a staff token with the scopes members:read and community:read.')
}
