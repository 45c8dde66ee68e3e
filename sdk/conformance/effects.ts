import type { Capabilities } from '../capabilities.ts'
import type { Taken } from '../fakes/provider.ts'

/** Under which header a provider, or who receives from it, knows a repetition. */
export function repetitionField({ idempotency }: Capabilities): string | undefined {
  if (idempotency.mode === 'native') return idempotency.header
  return idempotency.mode === 'collapse' ? idempotency.field : undefined
}

/** How many effects the messages have had: one for each value of the field, and one for each message without it. */
export function effectsOf(taken: readonly Taken[], capabilities: Capabilities): number {
  const field = repetitionField(capabilities)
  const values = taken.map((message) => (field === undefined ? undefined : message.field(field)))
  return new Set(values.map((value, n) => value ?? n)).size
}
