import { type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql'

/**
 * How long an operation may take when that is longer than others may, in milliseconds; 0 for all others. A top-level field
 * says so in `extensions.milliseconds`, and is heard where it is asked for outside of fragments.
 */
export function patienceOf(schema: GraphQLSchema, operation: OperationDefinitionNode): number {
  const fields = schema.getRootType(operation.operation)?.getFields() ?? {}
  return operation.selectionSet.selections.reduce((longest, node) => {
    const told = node.kind === Kind.FIELD ? fields[node.name.value]?.extensions.milliseconds : 0
    return typeof told === 'number' ? Math.max(longest, told) : longest
  }, 0)
}
