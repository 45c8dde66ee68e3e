import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import type { Variables } from './cost.ts'
import { checkPage } from './pages.ts'

/**
 * Checks the page arguments of lists inside other things before anything is read. The Prisma plugin reads them while
 * it plans the thing around them: refused there, they would take it away and be named by its name. `tenantId` is the
 * viewer's. Throws BadInputError naming the argument.
 */
export type PageCheck = (variables: Variables, tenantId: string | undefined) => void

/** The check of one operation of a valid document; undefined when it asks for no such list. */
export function pageCheckOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): PageCheck | undefined {
  const lists = listsIn(schema, document, operation)
  if (lists.length === 0) return undefined
  const defaults: Variables = Object.fromEntries(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue && valueFromASTUntyped(defaultValue),
    ]),
  )
  return (variables, tenantId) => {
    const known = { ...defaults, ...variables }
    for (const list of lists) {
      const args = (list.arguments ?? []).map(({ name, value }) => [
        name.value,
        valueFromASTUntyped(value, known),
      ])
      checkPage(withoutOddTypes(Object.fromEntries(args)), tenantId)
    }
  }
}

/** The fields of the operation, and of every fragment, that take page arguments and were given some. */
function listsIn(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): FieldNode[] {
  const types = new TypeInfo(schema)
  const lists: FieldNode[] = []
  const visitor = visitWithTypeInfo(types, {
    OperationDefinition: (node) => (node === operation ? undefined : false),
    Field(node) {
      const names = types.getFieldDef()?.args.map(({ name }) => name) ?? []
      const isList = names.includes('first') && names.includes('last')
      if (isList && node.arguments?.length && types.getParentType() !== schema.getQueryType())
        lists.push(node)
    },
  })
  visit(document, visitor)
  return lists
}

/** Numbers and text as such; anything else is left to the checks of types. */
function withoutOddTypes({ first, last, after, before }: Variables) {
  return {
    first: typeof first === 'number' ? first : null,
    last: typeof last === 'number' ? last : null,
    after: typeof after === 'string' ? after : null,
    before: typeof before === 'string' ? before : null,
  }
}
