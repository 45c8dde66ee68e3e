import { builder } from '../../graph/builder.ts'
import type { FaultCause } from './port.ts'

/** `FaultCause` of the API. */
export const FaultCauseType = builder.enumType('FaultCause', {
  description: 'What was wrong when a channel refused a message.',
  values: {
    ADDRESS: { value: 'address', description: 'The address.' },
    RECIPIENT: { value: 'recipient', description: 'The person behind it does not want it.' },
    CONTENT: { value: 'content', description: 'What was said.' },
    POLICY: { value: 'policy', description: 'A rule of the provider, or of ours.' },
    AUTH: { value: 'auth', description: 'The credentials.' },
    CONFIG: { value: 'config', description: 'The settings of the channel.' },
    QUOTA: { value: 'quota', description: "The provider's budget." },
    RATE: { value: 'rate', description: 'The pace.' },
    PROVIDER: { value: 'provider', description: 'The provider itself.' },
    NETWORK: { value: 'network', description: 'The way to it.' },
  } satisfies Record<string, { value: FaultCause; description: string }>,
})
