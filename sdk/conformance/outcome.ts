import type { Outcome } from '../outcome.ts'
import { cannotHaveArrived } from './network.ts'

/** What a call of the plugin came to in the end, and what it threw, if it did. */
export interface Answered {
  readonly outcome: Outcome
  readonly thrown?: unknown
}

/** How long a call may take, in milliseconds, unless the deadline is to pass when something else has happened. */
const longestCall = 5_000

/**
 * Runs a call of the plugin as the core does: at the deadline the signal aborts, 100 ms later nobody waits any more;
 * what is thrown is unknown, unless it is sure that nothing arrived.
 */
export async function inTime(
  call: (signal: AbortSignal) => Promise<Outcome>,
  deadline: Promise<unknown> = new Promise(() => {}),
): Promise<Answered> {
  const abort = new AbortController()
  const late = Promise.withResolvers<Outcome>()
  const end = () => {
    abort.abort(new DOMException('The attempt took too long.', 'TimeoutError'))
    setTimeout(() => late.resolve({ is: 'unknown', evidence: 'timeout' }), 100)
  }
  const timer = setTimeout(end, longestCall)
  deadline.then(end)
  try {
    const outcome = await Promise.race([call(abort.signal), late.promise])
    return { outcome: isOutcome(outcome) ? outcome : { is: 'unknown', evidence: 'crash' } }
  } catch (thrown) {
    return { outcome: fromThrown(thrown), thrown }
  } finally {
    clearTimeout(timer)
  }
}

function fromThrown(thrown: unknown): Outcome {
  if (!cannotHaveArrived(thrown)) return { is: 'unknown', evidence: 'crash' }
  const isForbidden = thrown.reason === 'refused'
  const disposition = isForbidden ? ({ do: 'never' } as const) : ({ do: 'later' } as const)
  return { is: 'refused', fault: { cause: isForbidden ? 'policy' : 'network', disposition } }
}

/** A plugin may be plain JavaScript. */
function isOutcome(outcome: Outcome | undefined): outcome is Outcome {
  if (outcome?.is === 'accepted') return outcome.at instanceof Date
  return (
    outcome?.is === 'unknown' ||
    (outcome?.is === 'refused' && typeof outcome.fault?.disposition?.do === 'string')
  )
}

/** An outcome in words. */
export function inWords({ outcome, thrown }: Answered): string {
  const threw = thrown instanceof Error ? `, thrown as ${thrown.name}: ${thrown.message}` : ''
  switch (outcome.is) {
    case 'accepted':
      return 'accepted'
    case 'unknown':
      return `unknown (${outcome.evidence}${threw})`
    case 'refused': {
      const { cause, disposition, suppress } = outcome.fault
      const until = 'notBefore' in disposition ? ` not before ${disposition.notBefore?.toISOString()}` : ''
      const stops = suppress ? `, suppress ${suppress.scope}` : ''
      return `refused (${cause}, ${disposition.do}${until}${stops}${threw})`
    }
  }
}
