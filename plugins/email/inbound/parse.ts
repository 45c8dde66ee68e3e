import { createHash } from 'node:crypto'
import type { Signal, VerifiedRequest } from '@engawa/sdk'
import type { Finding } from './finding.ts'
import { readMail } from './read.ts'

/** Reads a received message as signals. The same message gives the same dedupe keys, whichever way it came. */
export function parse(request: VerifiedRequest): Signal[] {
  return readMail(request.body).map((finding, place) => {
    const { at, ...signal } = finding
    return { ...signal, dedupeKey: dedupeKeyOf(finding, place), occurredAt: timely(at, request.receivedAt) }
  })
}

/** Fields that relays add do not count, nor do line ends: only what was read. */
function dedupeKeyOf(finding: Finding, place: number): string {
  return createHash('sha256')
    .update(JSON.stringify([place, finding]))
    .digest('base64url')
}

/** A message that says no date, or one that is not yet, happened when it came. */
function timely(at: Date | undefined, receivedAt: Date): Date {
  return at && at.getTime() <= receivedAt.getTime() ? at : receivedAt
}
