import type { SchemaIssue } from '@engawa/sdk'
import type { AddressReading } from '../domains/channels/index.ts'
import { validate } from './config.ts'
import type { AnyDefinition } from './definition.ts'
import { textsIn } from './redaction.ts'

/** Reads an address by the plugin's own schema, in its one spelling and with what it is known by. Never throws. */
export async function readAddress(
  { address }: Pick<AnyDefinition, 'address'>,
  given: unknown,
): Promise<AddressReading> {
  try {
    const result = await validate(address.schema, given)
    if (!result.ok) return { ok: false, issues: result.issues.map((issue) => told(issue, given)) }
    const value = address.normalise(result.value)
    return { ok: true, value, identity: address.identity(value) }
  } catch {
    // What was thrown may quote the address.
    return { ok: false, issues: [{ path: [], message: 'cannot be read by the channel' }] }
  }
}

/** Where and what; a message that quotes the address is not repeated. */
function told({ path = [], message }: SchemaIssue, given: unknown) {
  const isQuoting = textsIn(given).some((text) => text.length > 2 && message.includes(text))
  return {
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)),
    message: isQuoting ? 'is not as the channel wants it' : message,
  }
}
