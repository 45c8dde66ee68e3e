import type { Preparation } from '@engawa/sdk'
import { z } from 'zod'

/** The most that LINE takes in one text, in UTF-16 code units. */
export const longestText = 5_000
/** The most message objects in one message. */
export const mostMessages = 5

const altText = z.string().min(1).max(1_500)
const link = z.url({ protocol: /^https$/ }).max(2_000)
const media = { originalContentUrl: link, previewImageUrl: link }

/** Message objects as LINE documents them: what it refuses most often is refused here, the rest passes through. */
const message = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal(['text', 'textV2']), text: z.string().min(1) }),
  z.looseObject({ type: z.literal('sticker'), packageId: z.string(), stickerId: z.string() }),
  z.looseObject({ type: z.literal(['image', 'video']), ...media }),
  z.looseObject({ type: z.literal('audio'), originalContentUrl: link, duration: z.number().positive() }),
  z.looseObject({
    type: z.literal('location'),
    title: z.string().min(1).max(100),
    address: z.string().min(1).max(100),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  }),
  z.looseObject({ type: z.literal('imagemap'), baseUrl: link, altText }),
  z.looseObject({ type: z.literal('template'), altText, template: z.looseObject({ type: z.string() }) }),
  z.looseObject({ type: z.literal('flex'), altText, contents: z.looseObject({ type: z.string() }) }),
])

/** Title, body and address as one text; or, in `data`, one to five message objects that say it all. */
export const content = z.object({
  title: z.string().trim(),
  body: z.string().trim(),
  url: z.url().optional(),
  data: z.array(message).min(1).max(mostMessages).optional(),
})

/** What goes out: to whom, and one to five message objects. */
export interface LineMessage {
  readonly to: string
  readonly messages: ReadonlyArray<z.infer<typeof message>>
}

/** Makes the message objects; `size` is the longest text of them. */
export function prepare(said: z.infer<typeof content>, to: string): Preparation<LineMessage> {
  const messages = said.data ?? [{ type: 'text' as const, text: textOf(said) }]
  const size = Math.max(0, ...messages.map(({ text }) => (typeof text === 'string' ? text.length : 0)))
  if (!said.data && size === 0) return refused('There is nothing to say.')
  if (size > longestText) return refused(`${size} of ${longestText} UTF-16 code units`)
  return { ok: true, prepared: { to, messages }, size }
}

function textOf({ title, body, url = '' }: z.infer<typeof content>): string {
  const isSaid = body.includes(url)
  return [title, body, isSaid ? '' : url].filter(Boolean).join('\n')
}

function refused(detail: string): Preparation<never> {
  return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
}
