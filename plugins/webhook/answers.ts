import { type Fault, type Outcome, retryAfter } from '@engawa/sdk'

/** What a receiver's answer comes to. Its words are left out: they may quote what was sent. */
export function outcomeOf(response: Response, now: Date): Outcome {
  const { status, headers } = response
  if (response.ok) return { is: 'accepted', at: now }
  const said = { code: String(status), detail: `The address answered ${status}` }
  if (slowDown.includes(status)) {
    const notBefore = retryAfter(headers, now)
    const cause = status === 429 ? 'rate' : 'provider'
    const disposition = { do: 'later', ...(notBefore && { notBefore }) } as const
    return { is: 'refused', fault: { cause, disposition, ...said } }
  }
  if (status >= 500) return { is: 'unknown', evidence: 'server-error', detail: said.detail }
  return { is: 'refused', fault: { ...verdictOf(status), ...said } }
}

/** It takes nothing now; an id that it has taken after all, it knows. */
const slowDown = [429, 502, 503, 504]

function verdictOf(status: number): Pick<Fault, 'cause' | 'disposition'> {
  // Moved, or gone for good: nothing goes out before somebody has put the address right.
  if (status < 400 || status === 410) return { cause: 'config', disposition: { do: 'hold' } }
  return { cause: 'content', disposition: { do: 'never' } }
}
