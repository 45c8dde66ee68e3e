import { PothosError, PothosValidationError } from '@pothos/core'
import {
  type DocumentNode,
  GraphQLEnumType,
  GraphQLError,
  type GraphQLErrorExtensions,
  type GraphQLSchema,
} from 'graphql'
import {
  BadInputError,
  CODES,
  type Code,
  DomainError,
  RequestError,
  TooCostlyError,
  UnavailableError,
} from '../platform/errors/index.ts'
import { isOutage, isTimeout, isUnstorable } from '../platform/outage.ts'
import { locate } from './locate.ts'

/** What presenting an error needs to know of the request. */
export interface Presenting {
  readonly schema: GraphQLSchema
  readonly requestId: string
  /** The document, as far as it could be read. */
  readonly document?: DocumentNode | undefined
  /** True when the operation did not run at all, so that HTTP may answer with a status of failure. */
  readonly isRefused: boolean
  /** Called for every fault of ours, once each. */
  onFault(error: unknown, path: string | undefined): void
}

/**
 * Any error as the caller may see it: a code of the table, its facts, and nothing else. Faults of ours become
 * INTERNAL with the request id; outages become UNAVAILABLE. `extensions.http` is for the HTTP lanes, which
 * take it away before they answer.
 */
export function present(error: unknown, about: Presenting): GraphQLError {
  const located = error instanceof GraphQLError ? error : undefined
  const cause = causeOf(error)
  const told = tell(cause, about, located?.path?.join('.'))
  return new GraphQLError(told.message, {
    nodes: located?.nodes ?? null,
    source: located?.source ?? null,
    positions: located?.positions ?? null,
    path: located?.path ?? null,
    extensions: { ...told.extensions, ...(about.isRefused && { http: http(told.extensions, cause) }) },
  })
}

/** What was thrown at first. An error of graphql's own that wraps another such error says more: it stays. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof GraphQLError) || !error.originalError) return error
  const cause = causeOf(error.originalError)
  return cause instanceof GraphQLError && !(cause instanceof PothosError) && !cause.extensions.code
    ? error
    : cause
}

interface Told {
  message: string
  extensions: GraphQLErrorExtensions & { code: Code; retryAfter?: number }
}

function tell(error: unknown, about: Presenting, path: string | undefined): Told {
  if (error instanceof RequestError || error instanceof DomainError) {
    return { message: error.message, extensions: { code: error.code, ...facts(error) } }
  }
  if (error instanceof PothosValidationError) {
    if (/cursor/i.test(error.message)) {
      return {
        message: 'after must be a cursor of this connection.',
        extensions: { code: 'BAD_INPUT', field: 'after' },
      }
    }
    const field = path?.split('.').at(-1) ?? 'input'
    return { message: error.message, extensions: { code: 'BAD_INPUT', field } }
  }
  if (error instanceof GraphQLError && !(error instanceof PothosError)) return badDocument(error, about)
  if (isUnstorable(error)) {
    return {
      message: 'Text must not contain zero characters.',
      extensions: { code: 'BAD_INPUT', field: 'input' },
    }
  }
  about.onFault(error, path)
  if (isTimeout(error)) {
    return { message: 'This took longer than is allowed.', extensions: { code: 'TOO_COSTLY' } }
  }
  if (isOutage(error)) {
    const { message, retryAfter } = new UnavailableError()
    return { message, extensions: { code: 'UNAVAILABLE', retryAfter } }
  }
  return {
    message: `Something went wrong on our side. Please name the request ${about.requestId} when you report it.`,
    extensions: { code: 'INTERNAL', requestId: about.requestId },
  }
}

function facts(error: RequestError | DomainError): object {
  if (error instanceof BadInputError) return { field: error.field }
  if (error instanceof TooCostlyError || error instanceof UnavailableError) {
    return error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }
  }
  return {}
}

/** A mutation came by GET, which must not change anything. */
export class NotByGetError extends BadInputError {
  constructor() {
    super('query', 'A mutation must be sent by POST.')
  }
}

/** What Yoga calls `http`: with `spec`, the status counts only for application/graphql-response+json. */
function http({ code, retryAfter }: Told['extensions'], error: unknown): object {
  if (error instanceof NotByGetError) return { status: 405, headers: { allow: 'POST' } }
  const status = code === 'TOO_COSTLY' && retryAfter === undefined ? 400 : CODES[code].status
  const always = code === 'UNAUTHENTICATED' || code === 'UNAVAILABLE' || code === 'INTERNAL'
  return {
    status,
    ...(!always && { spec: true }),
    headers: {
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer' }),
    },
  }
}

/** Errors that graphql itself made: the text, a variable or a literal is wrong. */
function badDocument(error: GraphQLError, { schema, document }: Presenting): Told {
  const { code } = error.extensions
  if (typeof code === 'string' && code in CODES) {
    return { message: error.message, extensions: { ...error.extensions, code: code as Code } }
  }
  const { message, field } = document ? locate(error, document) : { message: error.message, field: 'query' }
  return {
    message: withChoices(withoutValues(message), schema).slice(0, LONGEST),
    extensions: { code: 'BAD_INPUT', field },
  }
}

/** Longest message, in characters: the caller's own text may be quoted in it. */
const LONGEST = 500

/** What graphql says of a wrong value quotes it, and it may be personal: the field says enough. */
function withoutValues(message: string): string {
  return message
    .replace(/( cannot represent [^:]*): .*$/s, '$1.')
    .replace(/^Value ".*" does not exist in "(\w+)" enum\..*$/s, 'This value does not exist in "$1" enum.')
    .replace(/^(Expected value of type "[^"]*"), found .*$/s, '$1.')
}

/** An unknown value of an enum is told which values there are. */
function withChoices(message: string, schema: GraphQLSchema): string {
  const type = schema.getType(/ does not exist in "(\w+)" enum/.exec(message)?.[1] ?? '')
  if (!(type instanceof GraphQLEnumType)) return message
  const values = type.getValues().map(({ name }) => name)
  return `${message} It is one of ${values.join(', ')}.`
}
