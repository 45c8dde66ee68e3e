import { z } from 'zod'
import type { Tx } from '../../platform/db.ts'
import { definePart, duration, publish, readBody, secondsOf, text } from '../program/index.ts'

const body = z.strictObject({
  name: text,
  audience: z.json(),
  every: duration
    .nullish()
    .transform((every) => every ?? 'PT1H')
    .refine((every) => secondsOf(every) >= 60, 'must be a minute or longer.'),
})

/** What a segment is: a named audience, and how often it is looked at. */
export type SegmentBody = z.infer<typeof body>

/** `segments` of a program. */
export const segmentPart = definePart<SegmentBody>({
  kind: 'segment',
  section: 'segments',
  read: (given, field) => readBody(body, given, field),
  audiences: ({ audience }) => ({ audience }),
})

/** Puts a segment in force, or a new version of it. Who is in it is looked at within a second. */
export async function defineSegment(
  tx: Tx,
  { key, segment }: { readonly key: string; readonly segment: SegmentBody },
  actor: string,
): Promise<void> {
  await publish(tx, [{ kind: 'segment', key, body: segment }], { actor })
}

/** Looks at up to `segments` of this tenant that are due; how many those were. */
export async function settleSegments(tx: Tx, segments: number): Promise<number> {
  const [row] = await tx.query<{ looked: number }>({
    name: 'segments_settle_due',
    text: 'select segments_settle_due($1) as looked',
    values: [segments],
  })
  return row?.looked ?? 0
}
