import { builder } from '../../graph/builder.ts'
import type { Capabilities } from './port.ts'

/** The words of the API for what a channel can report back. */
const RECEIPTS = {
  ACCEPTED: { value: 'accepted', description: 'The provider took it.' },
  DELIVERED: { value: 'delivered', description: 'It arrived.' },
  DEFERRED: { value: 'deferred', description: 'The provider is still trying.' },
  FAILED: { value: 'failed', description: 'The provider gave up.' },
  BOUNCED: { value: 'bounced', description: 'It came back.' },
  COMPLAINED: { value: 'complained', description: 'The member called it unwanted.' },
  SEEN: { value: 'seen', description: 'The member saw it, as the channel itself knows.' },
  OPENED: { value: 'opened', description: 'Something in it was loaded, by a person or a machine.' },
  CLICKED: { value: 'clicked', description: 'A link in it was followed.' },
  REPLIED: { value: 'replied', description: 'The member wrote.' },
  UNSUBSCRIBED: { value: 'unsubscribed', description: 'The member wants no more of it.' },
  RESUBSCRIBED: { value: 'resubscribed', description: 'The provider takes messages to the member again.' },
  BLOCKED: { value: 'blocked', description: 'The member blocked the sender.' },
  UNBLOCKED: { value: 'unblocked', description: 'The member blocks the sender no more.' },
  ADDRESS_GONE: { value: 'addressGone', description: 'The address exists no more.' },
  ADDRESS_CHANGED: { value: 'addressChanged', description: 'The member has another address.' },
} as const satisfies Record<string, { value: Capabilities['receipts'][number]; description: string }>

/** What a channel can report back. */
export const ReceiptKind = builder.enumType('ReceiptKind', {
  description: 'What a channel can report back of a message or a member.',
  values: RECEIPTS,
})

const ChannelIdempotency = builder.enumType('ChannelIdempotency', {
  description: 'What keeps a message that is sent again from having a second effect.',
  values: {
    NATIVE: { value: 'native', description: 'The provider knows the key of a delivery.' },
    LOOKUP: { value: 'lookup', description: 'The provider can be asked what became of a key.' },
    COLLAPSE: { value: 'collapse', description: 'Where it arrives, the second replaces the first.' },
    NONE: {
      value: 'none',
      description: 'Nothing: when nobody can tell whether it arrived, the wish of the message decides.',
    },
  } as const satisfies Record<string, { value: Capabilities['idempotency']['mode']; description: string }>,
})

const TextUnit = builder.enumType('TextUnit', {
  description: 'What the length of a text is counted in.',
  values: {
    UTF16: { value: 'utf16', description: 'Units of UTF-16, as JavaScript counts.' },
    CODEPOINT: { value: 'codepoint', description: 'Code points of Unicode.' },
    GSM7_UCS2: { value: 'gsm7/ucs2', description: 'Characters of GSM-7, or UCS-2 where one needs it.' },
  } as const,
})

/** What a channel can do. */
export const ChannelCapabilities = builder.objectRef<Capabilities>('ChannelCapabilities').implement({
  description: 'What a channel can do, as its plugin says.',
  fields: (t) => ({
    idempotency: t.field({
      type: ChannelIdempotency,
      description: 'What keeps a message that is sent again from having a second effect.',
      resolve: ({ idempotency }) => idempotency.mode,
    }),
    receipts: t.field({
      type: [ReceiptKind],
      description:
        'Everything that can ever be reported back; about the rest, this channel cannot know. At most 16.',
      resolve: ({ receipts }) => receipts.slice(0, 16),
    }),
    maxBytes: t.int({
      nullable: true,
      description: 'The most bytes that a message may have.',
      resolve: ({ limits }) => limits.bytes ?? null,
    }),
    maxLength: t.int({
      nullable: true,
      description: 'The longest that the text may be, in lengthUnit.',
      resolve: ({ limits }) => limits.chars?.max ?? null,
    }),
    lengthUnit: t.field({
      type: TextUnit,
      nullable: true,
      description: 'What maxLength is counted in.',
      resolve: ({ limits }) => limits.chars?.unit ?? null,
    }),
    maxParts: t.int({
      nullable: true,
      description: 'The most parts that a message may have.',
      resolve: ({ limits }) => limits.parts ?? null,
    }),
    canReply: t.boolean({
      description: 'Whether a message can go out as the reply to one of the member.',
      resolve: ({ exclusiveReplyToken }) => exclusiveReplyToken !== undefined,
    }),
    hasQuota: t.boolean({
      description: "Whether the provider's budget can be asked for.",
      resolve: ({ quota }) => quota === 'introspectable',
    }),
  }),
})
