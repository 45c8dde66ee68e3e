import { type Fault, type Outcome, retryAfter } from '@engawa/sdk'

/** What LINE's refusals mean. The first line that fits counts; another 4xx is refused for good. */
const refusals: readonly Refusal[] = [
  { status: 400, says: /^The property, '?to'?,/i, cause: 'address', do: 'elsewhere', isGone: true },
  // Whom it does not know, or cannot reach: not told apart, so the address is kept.
  { status: 400, says: /^Failed to send messages/i, cause: 'address', do: 'elsewhere' },
  { status: 401, cause: 'auth', do: 'hold' },
  { status: 403, cause: 'auth', do: 'hold' },
  { status: 429, says: /monthly limit|limit for additional messages/i, cause: 'quota', do: 'nextMonth' },
  { status: 429, cause: 'rate', do: 'later' },
]

interface Refusal {
  readonly status: number
  /** In the message; only the message tells some apart. */
  readonly says?: RegExp
  readonly cause: Fault['cause']
  readonly do: 'elsewhere' | 'hold' | 'later' | 'nextMonth'
  /** Nothing more goes to the address. */
  readonly isGone?: boolean
}

/** What LINE answered, as far as it can be read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly message: string
  readonly sentId: string | undefined
  /** Where in the request the fault is, such as `messages[0].text`. */
  readonly place: string | undefined
}

/** Reads an answer. A body that is none of LINE's tells nothing. */
export async function readAnswer(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => undefined)
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const place = text(field(field(field(body, 'details'), '0'), 'property'))
  return {
    status: response.status,
    headers: response.headers,
    message: text(field(body, 'message')) ?? '',
    sentId: text(field(field(field(body, 'sentMessages'), '0'), 'id')),
    place: /^[\w.[\]]{1,80}$/.test(place ?? '') ? place : undefined,
  }
}

/** The outcome of a push or a reply. */
export function outcomeOf(answer: Answer, now: Date): Outcome {
  const { status, sentId } = answer
  if ((status >= 200 && status < 300) || status === 409) {
    const isReplay = status === 409
    return {
      is: 'accepted',
      at: now,
      ...(sentId && { providerId: sentId }),
      ...(isReplay && { replay: true }),
    }
  }
  if (status >= 500) return { is: 'unknown', evidence: 'server-error', detail: detailOf(answer) }
  return { is: 'refused', fault: faultOf(answer, now) }
}

/** Why LINE refused. Its own words are left out: they may quote what was sent. */
export function faultOf(answer: Answer, now: Date): Fault {
  const { status, message, headers } = answer
  const found = refusals.find((line) => line.status === status && (line.says?.test(message) ?? true))
  const said = { code: String(status), detail: detailOf(answer) }
  if (!found) {
    const isProviders = status >= 500
    const disposition = isProviders ? ({ do: 'later' } as const) : ({ do: 'never' } as const)
    return { cause: isProviders ? 'provider' : 'content', disposition, ...said }
  }
  const { cause, isGone } = found
  const suppress = isGone && ({ suppress: { scope: 'address' } } as const)
  if (found.do === 'nextMonth') {
    return { cause, disposition: { do: 'later', notBefore: nextMonthInJapan(now) }, ...said }
  }
  if (found.do === 'later') {
    const notBefore = retryAfter(headers, now)
    return { cause, disposition: { do: 'later', ...(notBefore && { notBefore }) }, ...said }
  }
  return { cause, disposition: { do: found.do }, ...suppress, ...said }
}

/** When LINE's monthly budget begins anew: midnight in Japan, which knows no summer time. */
export function nextMonthInJapan(now: Date): Date {
  const ahead = 9 * 3_600_000
  const there = new Date(now.getTime() + ahead)
  return new Date(Date.UTC(there.getUTCFullYear(), there.getUTCMonth() + 1, 1) - ahead)
}

/** The request's id is what LINE's support asks for. */
function detailOf({ status, headers, place }: Answer): string {
  const id = headers.get('x-line-request-id') ?? ''
  const request = /^[\w-]{1,64}$/.test(id) ? `, request ${id}` : ''
  return `LINE answered ${status}${request}${place ? `, about ${place}` : ''}`
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
