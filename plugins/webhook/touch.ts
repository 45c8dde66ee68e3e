import type { Message, Preparation } from '@engawa/sdk'
import { z } from 'zod'

/** The most that a webhook's body has, in bytes. */
export const longestBody = 20_000

/** What is said; all of it goes out. */
export const content = z.object({
  title: z.string().trim(),
  body: z.string().trim().min(1),
  html: z.string().optional(),
  url: z.url().optional(),
  data: z.unknown().optional(),
})

/** What the receiver is told of a touch. */
export interface Touch extends z.infer<typeof content> {
  /** The id of the member, as the API gives it. */
  readonly member: string
  /** The delivery's key, which is the webhook's id too. */
  readonly key: string
  readonly locale: string
  readonly unsubscribeUrl?: string
  /** ISO 8601. */
  readonly expiresAt?: string
}

/** Refuses what would be too large; every timestamp is as long as any other. */
export function prepare(
  said: z.infer<typeof content>,
  member: string,
  { key, locale, unsubscribeUrl, expiresAt }: Message,
): Preparation<Touch> {
  const touch: Touch = {
    member: Buffer.from(`Member:${member}`).toString('base64url'),
    ...{ key, locale, ...said },
    ...(unsubscribeUrl !== undefined && { unsubscribeUrl }),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
  }
  const size = Buffer.byteLength(bodyAt(new Date(0), touch))
  if (size <= longestBody) return { ok: true, prepared: touch, size }
  const detail = `${size} of ${longestBody} bytes`
  return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
}

/** The body of an attempt at this instant. */
export function bodyAt(timestamp: Date, data: Touch): string {
  return JSON.stringify({ type: 'touchpoint', timestamp: timestamp.toISOString(), data })
}
