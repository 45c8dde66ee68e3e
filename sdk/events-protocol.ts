/** One frame of `Subscription.events`. */
export type Frame<E> =
  | { readonly __typename: 'EventDelivered'; readonly cursor: string; readonly event: E }
  | { readonly __typename: 'Checkpoint'; readonly cursor: string }
  | {
      readonly __typename: 'StreamReset'
      readonly reason: 'EXPIRED' | 'FUTURE' | 'EPOCH'
      readonly resumeFrom: string
    }

/** One connection to be made. */
export interface Request {
  readonly url: string
  readonly token: string | undefined
  readonly body: { readonly query: string; readonly variables: Readonly<Record<string, unknown>> }
  /** Milliseconds of silence after which the connection counts as dead. */
  readonly patience: number
  readonly signal: AbortSignal
}

/** What the server said when it would not serve. */
export interface Refusal {
  readonly code: string | number
  readonly message: string
}

/** A connection ended. Without a refusal it is simply tried again; a refusal that is not final asks for a fresh token. */
export class Gone extends Error {
  readonly refusal: Refusal | undefined
  readonly isFinal: boolean
  constructor(message: string, refusal?: Refusal, isFinal = false) {
    super(message)
    this.refusal = refusal
    this.isFinal = isFinal
  }
}

/** One result of the subscription as both protocols carry it. */
export interface Result<E> {
  readonly data?: { readonly events?: Frame<E> | null } | null
  readonly errors?: readonly ResultError[]
}

export interface ResultError {
  readonly message: string
  readonly extensions?: { readonly code?: string }
}

/** The frame of a result. Throws `Gone` for a result of errors. */
export function frameOf<E>(result: Result<E>): Frame<E> {
  const frame = result.data?.events
  if (frame) return frame
  throw failed(result.errors ?? [])
}

/** What errors of the operation mean for the stream. */
export function failed(errors: readonly ResultError[]): Gone {
  const [error] = errors
  const code = error?.extensions?.code ?? 'UNKNOWN'
  const message = error?.message ?? 'The server answered without data.'
  if (code === 'UNAVAILABLE' || code === 'INTERNAL' || code === 'TOO_COSTLY') return new Gone(message)
  return new Gone(message, { code, message }, code !== 'UNAUTHENTICATED')
}
