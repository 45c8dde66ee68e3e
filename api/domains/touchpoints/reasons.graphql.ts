import { builder } from '../../graph/builder.ts'
import type { Reason } from './reasons.ts'

/** `TouchReason` of the API: why a touch is not sent, or not yet, or not this way. */
export const TouchReason = builder.enumType('TouchReason', {
  description: 'Why a touch is not sent, or not yet, or not through this channel.',
  values: {
    NO_CONSENT: { description: 'The member has not agreed to this purpose on this channel.' },
    SUPPRESSED: { description: 'Nothing goes to the address any more, or to the member on this channel.' },
    UNREACHABLE: { description: 'No address of the member is known for this channel.' },
    PAUSED: { description: 'The member, or staff, asked for a pause.' },
    QUIET_HOURS: { description: 'It is a quiet hour where the member lives.' },
    FREQUENCY_CAP: { description: 'The member got as many messages as the tenant allows itself.' },
    TOO_SOON: { description: 'The last message is not long enough ago.' },
    STAGE_POLICY: { description: "The member's stage allows no such message." },
    IGNORED: { description: 'The member did not react to the last ones on this channel.' },
    OUTRANKED: { description: 'Another message to the member is more important.' },
    QUOTA: { description: "The provider's budget is used up, or kept for more urgent messages." },
    CIRCUIT_OPEN: { description: 'The channel failed too often in a row, and rests.' },
    CHANNEL_DISABLED: { description: 'The channel is switched off, or cannot be used as it is configured.' },
    CHANNEL_MISSING: { description: 'The channel is no part of this deployment, or was never configured.' },
    CONTENT: { description: 'The template could not be written out for this channel.' },
    EXPIRED: { description: 'Nobody wants the message any more, such as of an offer that is over.' },
    MEMBERSHIP_ENDED: { description: 'The membership has ended.' },
    PROVIDER: { description: 'The channel, or the provider behind it, did not take it.' },
    CANCELLED: { description: 'It was called off.' },
    NOT_IN_AUDIENCE: { description: 'The member did not match the audience when the broadcast was sent.' },
    NO_ACCESS: { description: 'The member may no longer see what it tells of.' },
    NOTHING_TO_SAY: { description: 'Nothing was left to tell: it was read, taken back, or may not be seen.' },
  } satisfies Record<Reason, { description: string }>,
})
