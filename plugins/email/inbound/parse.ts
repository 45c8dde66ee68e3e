import { createHash } from 'node:crypto'
import type { Signal, VerifiedRequest } from '@engawa/sdk'
import { classify } from './classify.ts'
import type { Finding } from './finding.ts'

/** Reads a received message as signals. The same message gives the same dedupe keys, whichever way it came. */
export function parse(request: VerifiedRequest): Signal[] {
  return classify(request.body).findings.map((finding, place) => {
    const { at, ...signal } = finding
    return { ...signal, dedupeKey: dedupeKeyOf(finding, place), occurredAt: timely(at, request.receivedAt) }
  })
}

/** Fields that relays add do not count, nor do line ends: only what the sender of the message said. */
function dedupeKeyOf({ kind, about, bounce, reply, at, raw }: Finding, place: number): string {
  const said = [
    raw.messageId,
    raw.subject,
    at?.toISOString(),
    kind,
    place,
    about,
    bounce,
    reply?.text,
    raw.text,
  ]
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url')
}

/** A message that says no date, or one that is not yet, happened when it came. */
function timely(at: Date | undefined, receivedAt: Date): Date {
  return at && at.getTime() <= receivedAt.getTime() ? at : receivedAt
}
