import type { Events, FollowOptions, Frame } from '../../api/platform/events.ts'

/** A follower that sees everything, unless told otherwise. */
export function follow(
  events: Events,
  tenantId: string,
  options: Partial<FollowOptions> = {},
): AsyncGenerator<Frame, void, undefined> {
  return events.follow({ tenantId, sees: () => true, ...options })
}

/** The next frame; a stream that ended throws. */
export async function next(stream: AsyncGenerator<Frame, void, undefined>): Promise<Frame> {
  const { value, done } = await stream.next()
  if (done) throw new Error('The stream ended.')
  return value
}

/** The next frames, written short: `#1 {…}` for a position and its payload, else the kind or the reason. */
export async function take(stream: AsyncGenerator<Frame, void, undefined>, count: number): Promise<string[]> {
  const frames: string[] = []
  while (frames.length < count) frames.push(short(await next(stream)))
  return frames
}

/** One frame in a few letters. */
export function short(frame: Frame): string {
  if (frame.kind === 'event') return `#${frame.event.pos} ${JSON.stringify(frame.event.payload)}`
  return frame.kind === 'reset' ? frame.reason : frame.kind
}

/** Where a follower would go on after a frame. */
export function placeOf(frame: Frame): string {
  return frame.kind === 'reset' ? frame.resumeFrom : frame.cursor
}
