import { type GraphQLOutputType, type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql'
import { eventTypeName } from './events.ts'
import { encodeId } from './ids.ts'

/** A fact of the log, for telling. Instants are ISO 8601. */
export interface LoggedFact {
  readonly event: string
  readonly type: string
  readonly member: string | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: string
  readonly bookedAt: string
}

/** A fact as it is told outside of GraphQL. */
export interface EventBody {
  readonly type: string
  readonly timestamp: string
  readonly data: { readonly id: string; readonly [fact: string]: unknown }
}

/**
 * Tells facts of the log as the schema shows them: the same fields under the same names, where a thing with a life of
 * its own stands by its id alone. What the schema does not show is not told.
 */
export function eventBodies(schema: GraphQLSchema): (fact: LoggedFact) => EventBody {
  const common = new Set(Object.keys(fieldsOf(schema, 'Event')))
  return ({ event, type, member, payload, at, bookedAt }) => {
    const own = Object.entries(fieldsOf(schema, eventTypeName(type) ?? '')).filter(
      ([name]) => !common.has(name),
    )
    const facts = own.flatMap(([name, field]) => {
      const value = payload[name] === undefined ? undefined : told(field.type, payload[name])
      return value === undefined ? [] : [[name, value]]
    })
    const data = {
      id: encodeId('Event', event),
      bookedAt: new Date(bookedAt).toISOString(),
      member: member === null ? null : encodeId('Member', member),
      ...Object.fromEntries(facts),
    }
    return { type, timestamp: new Date(at).toISOString(), data }
  }
}

function fieldsOf(
  schema: GraphQLSchema,
  name: string,
): Readonly<Record<string, { type: GraphQLOutputType }>> {
  const type = schema.getType(name)
  return type && 'getFields' in type ? (type.getFields() as Record<string, { type: GraphQLOutputType }>) : {} // no input type is named by an event
}

/** Undefined for what is neither a plain value nor a thing with an id of its own. */
function told(type: GraphQLOutputType, value: unknown): unknown {
  const named = getNamedType(type)
  if (value === null || isLeafType(named)) return value
  const isNode = isObjectType(named) && named.getInterfaces().some(({ name }) => name === 'Node')
  return isNode && typeof value === 'string' ? encodeId(named.name, value) : undefined
}
