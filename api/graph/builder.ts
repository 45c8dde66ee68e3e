import SchemaBuilder from '@pothos/core'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import ErrorsPlugin from '@pothos/plugin-errors'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin, { type AuthFailure, AuthScopeFailureType } from '@pothos/plugin-scope-auth'
import type PrismaTypes from '../generated/pothos.ts'
import { getDatamodel } from '../generated/pothos.ts'
import { ForbiddenError, UnauthenticatedError } from '../platform/errors/index.ts'
import type { Context } from './context.ts'
import { decodeId, encodeId } from './ids.ts'
import './id-field.ts'
import './lazy-cursors.ts'
import './loaded-rows.ts'
import './pages.ts'
import { read } from './read.ts'
import * as relayWords from './relay-words.ts'
import {
  Amount,
  CurrencyCode,
  Cursor,
  DateTime,
  Duration,
  Json,
  LocalDate,
  LocalTime,
  Minor,
  Points,
  type Scalars,
  TimeZone,
} from './scalars.ts'

/** Who may use a field or see a type; several together must all hold, `$any` wants one of its own. */
export type AuthScopes = {
  /** Any token. */
  signedIn: boolean
  /** A member's token, whatever its scopes: which rows it sees is decided where rows are read. */
  member: boolean
  /** A member's token, or a staff or integration token that has this scope. */
  reads: string
  /** A staff or integration token that has this scope, for lists of what is everybody's. */
  lists: string
  /** A staff or integration token that has this scope. */
  writes: string
  /** A staff token that has this scope. */
  staff: string
}

/** The one builder. Fields are non-null unless they say `nullable: true`. */
export const builder = new SchemaBuilder<{
  Context: Context
  Scalars: Scalars
  PrismaTypes: PrismaTypes
  AuthScopes: AuthScopes
  DefaultAuthStrategy: 'all'
  DefaultFieldNullability: false
  DefaultNodeNullability: false
  DefaultEdgesNullability: false
}>({
  plugins: [
    ScopeAuthPlugin,
    ErrorsPlugin,
    RelayPlugin,
    DataloaderPlugin,
    'loadedRows',
    PrismaPlugin,
    'pages',
    'lazyCursors',
    'idField',
  ],
  defaultFieldNullability: false,
  scopeAuth: {
    defaultStrategy: 'all',
    authorizeOnSubscribe: true,
    // Once for each object instead of once for each of its fields; the whole object is refused.
    runScopesOnType: true,
    unauthorizedError: (_parent, context, _info, { failure }) =>
      context.viewer ? new ForbiddenError(missing(failure)) : new UnauthenticatedError(),
    authScopes: ({ viewer }) => ({
      signedIn: viewer !== null,
      member: viewer?.kind === 'MEMBER',
      reads: (scope) => viewer !== null && (viewer.kind === 'MEMBER' || viewer.can(scope)),
      lists: (scope) => viewer !== null && viewer.kind !== 'MEMBER' && viewer.can(scope),
      writes: (scope) => viewer !== null && viewer.kind !== 'MEMBER' && viewer.can(scope),
      staff: (scope) => viewer?.kind === 'STAFF' && viewer.can(scope),
    }),
  },
  errors: {
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capital(fieldName)}Result` },
  },
  relay: { ...relayWords, encodeGlobalID: encodeId, decodeGlobalID: (id) => decodeId(id, 'id') },
  prisma: {
    client: ({ db }) => read(db),
    dmmf: getDatamodel(),
    exposeDescriptions: { models: true, fields: true },
    // Hot screens read with one statement of their own and leave the plan unused.
    onUnusedQuery: null,
    defaultConnectionSize: 20,
    maxConnectionSize: 100,
  },
})

builder.addScalarType('DateTime', DateTime)
builder.addScalarType('LocalDate', LocalDate)
builder.addScalarType('LocalTime', LocalTime)
builder.addScalarType('Duration', Duration)
builder.addScalarType('TimeZone', TimeZone)
builder.addScalarType('Points', Points)
builder.addScalarType('Amount', Amount)
builder.addScalarType('Minor', Minor)
builder.addScalarType('CurrencyCode', CurrencyCode)
builder.addScalarType('Cursor', Cursor)
builder.addScalarType('JSON', Json)

builder.queryType({ description: 'What can be asked.' })
builder.mutationType({ description: 'What can be done. Each mutation is one transaction, all or nothing.' })
builder.subscriptionType({ description: 'What can be followed live.' })

/** The types that the builder knows, for functions that are given one of its field builders. */
export type Types = typeof builder.$inferSchemaTypes

/** What a token lacks, in a sentence; undefined when it is more than a scope. */
function missing(failure: AuthFailure): string | undefined {
  if (failure.kind === AuthScopeFailureType.AllAuthScopes) {
    return failure.failures.map(missing).find((message) => message !== undefined)
  }
  if (failure.kind !== AuthScopeFailureType.AuthScope || typeof failure.parameter !== 'string')
    return undefined
  const token = failure.scope === 'staff' ? 'a staff token' : 'a token'
  return `This needs ${token} with the scope ${failure.parameter}.`
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
