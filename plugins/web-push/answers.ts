import { type Fault, type Outcome, retryAfter } from '@engawa/sdk'

/** What the refusals of push services mean. The first line that fits counts; another 4xx is refused for good. */
const refusals: readonly Refusal[] = [
  { status: 404, cause: 'address', do: 'elsewhere', isGone: true },
  { status: 410, cause: 'address', do: 'elsewhere', isGone: true },
  // Subscribed with a key that is no longer ours: this browser only, while 401 and 403 otherwise mean everybody.
  { status: 400, says: /VapidPkHashMismatch/, cause: 'address', do: 'elsewhere', isGone: true },
  { status: 401, says: /public key mismatch/i, cause: 'address', do: 'elsewhere', isGone: true },
  {
    status: 403,
    says: /do not correspond to the credentials|VapidPkHashMismatch/,
    ...{ cause: 'address', do: 'elsewhere', isGone: true },
  },
  { status: 401, cause: 'auth', do: 'hold' },
  { status: 403, cause: 'auth', do: 'hold' },
  { status: 429, cause: 'rate', do: 'later' },
]

interface Refusal {
  readonly status: number
  /** In the body; only the text tells some apart. */
  readonly says?: RegExp
  readonly cause: Fault['cause']
  readonly do: 'elsewhere' | 'hold' | 'later'
  /** Nothing more goes to the address. */
  readonly isGone?: boolean
}

/** The outcome of a push. */
export async function outcomeOf(response: Response, now: Date): Promise<Outcome> {
  const { status, headers } = response
  const said = { code: String(status), detail: `The push service answered ${status}` }
  if (response.ok) return { is: 'accepted', at: now }
  const notBefore = retryAfter(headers, now)
  if (status === 503 && notBefore) {
    // It says when to come back, so it has not taken it.
    return { is: 'refused', fault: { cause: 'provider', disposition: { do: 'later', notBefore }, ...said } }
  }
  if (status >= 500) return { is: 'unknown', evidence: 'server-error', detail: said.detail }
  const text = await response.text()
  const refusal = refusals.find((line) => line.status === status && (line.says?.test(text) ?? true))
  if (!refusal) return { is: 'refused', fault: { cause: 'content', disposition: { do: 'never' }, ...said } }
  const { cause, isGone } = refusal
  const disposition = refusal.do === 'later' && notBefore ? { do: refusal.do, notBefore } : { do: refusal.do }
  const suppress = isGone && ({ suppress: { scope: 'address' } } as const)
  return { is: 'refused', fault: { cause, disposition, ...suppress, ...said } }
}
