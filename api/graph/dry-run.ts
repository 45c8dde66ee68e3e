import {
  DirectiveLocation,
  GraphQLDirective,
  type OperationDefinitionNode,
  specifiedDirectives,
} from 'graphql'

const dryRun = new GraphQLDirective({
  name: 'dryRun',
  description:
    'Does the whole operation by the same code, in one transaction of the database that is rolled back in the end. Each mutation sees what those before it did, and is answered as it would be; nothing is kept, announced or sent. The response says `extensions.dryRun: true`. A mutation that reaches beyond the database is refused with BAD_INPUT. At most 10 seconds.',
  locations: [DirectiveLocation.MUTATION],
})

/** The directives of the API. */
export const directives = [...specifiedDirectives, dryRun]

/** Whether the operation is to be undone. */
export function isDryRun({ directives: given = [] }: OperationDefinitionNode): boolean {
  return given.some(({ name }) => name.value === dryRun.name)
}
