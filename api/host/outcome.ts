import type { Fault, Outcome } from '@engawa/sdk'
import { EgressError } from '../platform/egress.ts'
import { PluginLateError } from './time-limit.ts'

/** Plugins may be plain JavaScript; what is none of the three answers tells nothing. */
export function isOutcome(answer: Outcome | undefined): answer is Outcome {
  if (answer?.is === 'accepted') return answer.at instanceof Date
  return answer?.is === 'unknown' || (answer?.is === 'refused' && isFault(answer.fault))
}

/** Whether it says what to do. */
export function isFault(fault: Fault | undefined): fault is Fault {
  return typeof fault?.disposition?.do === 'string' && typeof fault.cause === 'string'
}

/** What an attempt came to whose call threw. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof PluginLateError) return { is: 'unknown', evidence: 'timeout' }
  if (!(error instanceof EgressError)) return { is: 'unknown', evidence: 'crash', detail: threw(error) }
  if (!error.mayHaveArrived) return { is: 'refused', fault: unreached(error) }
  const evidence = error.reason === 'network' ? 'reset' : 'timeout'
  return { is: 'unknown', evidence, detail: error.message }
}

/** Why a question to the provider, which may be asked again at any time, was not answered. */
export function faultOf(error: unknown): Fault {
  if (error instanceof EgressError) return unreached(error)
  const detail = error instanceof PluginLateError ? error.message : threw(error)
  return { cause: 'provider', disposition: { do: 'later' }, detail }
}

function unreached({ reason, message: detail }: EgressError): Fault {
  if (reason === 'refused') return { cause: 'policy', disposition: { do: 'never' }, detail }
  return { cause: 'network', disposition: { do: 'later' }, detail }
}

/** What was thrown, by its kind alone: a message may quote an address or a secret. */
export function threw(error: unknown): string {
  return `The plugin threw ${error instanceof Error ? error.constructor.name : typeof error}.`
}

/** A fault whose texts are fit to be stored and shown. */
export function cleanFault(fault: Fault, clean: (text: string) => string): Fault {
  const { code, detail, ...rest } = fault
  return {
    ...rest,
    ...(code !== undefined && { code: short(code, clean, 100) }),
    ...(detail !== undefined && { detail: short(detail, clean, 500) }),
  }
}

/** An outcome whose texts are fit to be stored and shown. */
export function cleanOutcome(outcome: Outcome, clean: (text: string) => string): Outcome {
  if (outcome.is === 'refused') return { ...outcome, fault: cleanFault(outcome.fault, clean) }
  if (outcome.is === 'accepted' || outcome.detail === undefined) return outcome
  return { ...outcome, detail: short(outcome.detail, clean, 500) }
}

function short(text: unknown, clean: (text: string) => string, most: number): string {
  return clean(String(text)).slice(0, most)
}
