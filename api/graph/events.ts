import type { ObjectFieldsShape } from '@pothos/core'
import type { LoggedEvent } from '../platform/events.ts'
import { builder, type Types } from './builder.ts'
import type { ContextViewer } from './context.ts'
import { encodeId } from './ids.ts'

/** A fact that a domain announces. */
export interface Fact {
  /** The type in the log; the GraphQL type is named by the same words. */
  readonly type: string
  /** The scope whose holders see it. */
  readonly scope: string
  /** The payload's name that holds the id of something written: then every member who may see that sees it as well. */
  readonly sight?: string
  readonly description: string
}

const facts = new Map<string, Fact & { readonly name: string }>()

/** `interface Event`: what every fact in the tenant's log says. The owner of members adds `member`. */
export const EventInterface = builder.interfaceRef<LoggedEvent>('Event').implement({
  description: "A fact in the tenant's log.",
  resolveType: ({ type }) => facts.get(type)?.name ?? null,
  fields: (t) => ({
    id: t.id({
      description: 'The same wherever this event is told; tell repeated ones apart by it.',
      resolve: ({ id }) => encodeId('Event', id),
    }),
    type: t.exposeString('type', { description: 'What happened, as in `purchase.recorded`.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    bookedAt: t.expose('bookedAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
})

/** Gives a fact its GraphQL type: `purchase.recorded` becomes PurchaseRecorded, with the fields it adds. */
export function eventType(fact: Fact, fields?: EventFields): void {
  const name = fact.type
    .split(/[._]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  facts.set(fact.type, { ...fact, name })
  builder.objectType(builder.objectRef<LoggedEvent>(name), {
    name,
    description: fact.description,
    interfaces: [EventInterface],
    fields: fields ?? (() => ({})),
  })
}
type EventFields = ObjectFieldsShape<Types, LoggedEvent>

/** The types of the log that the schema knows. */
export function eventTypes(): readonly string[] {
  return [...facts.keys()].sort()
}

/** The scope that each type of the log needs. */
export function eventScopes(): Readonly<Record<string, string>> {
  return Object.fromEntries([...facts].map(([type, { scope }]) => [type, scope]))
}

/** The name of a type's GraphQL type; undefined for a type that the schema does not know. */
export function eventTypeName(type: string): string | undefined {
  return facts.get(type)?.name
}

/** Whether the scopes of a staff or integration token cover an event. */
export function coversEvent(viewer: ContextViewer, { type }: LoggedEvent): boolean {
  const fact = facts.get(type)
  return fact !== undefined && viewer.can(fact.scope)
}

/** What was written that an event is about (a uuid); undefined for events that only its member and staff see. */
export function sightOf(event: LoggedEvent): string | undefined {
  const { sight } = facts.get(event.type) ?? {}
  return sight === undefined ? undefined : factOf(event, sight)
}

/** A text of an event's payload, where ids and amounts stand. Throws for an event that lacks it. */
export function factOf({ payload, type }: LoggedEvent, name: string): string {
  const value = payload[name]
  if (typeof value !== 'string') throw new TypeError(`${type} says no ${name}`)
  return value
}
