import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql'
import type { Answer } from './engine.ts'

/** The two media types of an answer in JSON. */
export type MediaType = 'application/json' | 'application/graphql-response+json'

/** Yoga's word for what an error says to HTTP; `present` writes it. */
interface HttpOfError {
  readonly status: number
  readonly spec?: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** An answer as HTTP carries it. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

/** Turns an answer into HTTP exactly as Yoga does, without its detours. */
export function httpAnswer(answer: Answer, mediaType: MediaType): HttpAnswer {
  const headers: Record<string, string> = {
    'content-type': `${mediaType}; charset=utf-8`,
    'x-content-type-options': 'nosniff',
  }
  if (!answer.errors) return { status: 200, headers, body: JSON.stringify(answer) }
  let status = 0
  for (const { extensions } of answer.errors) {
    const http = extensions.http as HttpOfError | undefined // Written by `present`.
    if (!http) continue
    Object.assign(headers, http.headers)
    if (!(http.spec && mediaType === 'application/json')) status = Math.max(status, http.status)
  }
  return { status: status || 200, headers, body: JSON.stringify(withoutHttp(answer)) }
}

/** The answer as callers see it: what its errors say to HTTP is no business of theirs. */
export function withoutHttp(answer: Answer): FormattedExecutionResult {
  const { errors, ...rest } = answer
  return errors ? { errors: errors.map(plainError), ...rest } : rest
}

function plainError(error: GraphQLError): GraphQLFormattedError {
  const { extensions = {}, ...rest } = error.toJSON()
  const { http: _, ...told } = extensions
  return { ...rest, extensions: told }
}

const negotiated = new Map<string, MediaType | null>()

/** The media type to answer with; null when only Yoga knows what to do. The first that is listed wins. */
export function mediaTypeOf(accept: string | undefined): MediaType | null {
  if (accept === undefined) return 'application/json'
  let known = negotiated.get(accept)
  if (known === undefined) {
    known = negotiate(accept)
    if (negotiated.size < 1_000) negotiated.set(accept, known)
  }
  return known
}

function negotiate(accept: string): MediaType | null {
  const types = accept
    .toLowerCase()
    .split(',')
    .map((part) => part.replace(/\s/g, ''))
  for (const type of types) {
    if (!/^[\w*]+\/[\w*.+-]+(;q=[\d.]+|;charset=utf-8)?$/.test(type)) return null
    if (type.startsWith('text/event-stream') || type.startsWith('multipart/')) return null
  }
  const first = types.map((type) => type.split(';')[0]).find((type) => type !== undefined && type in TYPES)
  return first === undefined ? null : (TYPES[first] ?? null)
}

const TYPES: Readonly<Record<string, MediaType>> = {
  'application/json': 'application/json',
  'application/graphql-response+json': 'application/graphql-response+json',
  'application/*': 'application/json',
  '*/*': 'application/json',
}
