import { BadInputError, ForbiddenError } from '../platform/errors/index.ts'
import type { Frame, LoggedEvent } from '../platform/events.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { coversEvent, EventInterface, eventTypeName, eventTypes, sightOf } from './events.ts'
import { idOf } from './ids.ts'

type FrameOf<Kind extends Frame['kind']> = Extract<Frame, { kind: Kind }>

const EventDelivered = builder.objectRef<FrameOf<'event'>>('EventDelivered').implement({
  description: 'An event, and the place behind it.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Go on after this.' }),
    event: t.field({ type: EventInterface, description: 'What happened.', resolve: ({ event }) => event }),
  }),
})

const Checkpoint = builder.objectRef<FrameOf<'checkpoint'>>('Checkpoint').implement({
  description:
    'Everything up to here was delivered, or is not for this viewer. Comes at once and every 15 seconds.',
  fields: (t) => ({ cursor: t.expose('cursor', { type: 'Cursor', description: 'Go on after this.' }) }),
})

const StreamResetReason = builder.enumType('StreamResetReason', {
  description: 'Why a stream cannot go on.',
  values: {
    EXPIRED: { description: 'Events after the cursor are no longer kept.' },
    FUTURE: { description: 'The cursor is ahead of the log.' },
    EPOCH: { description: 'The log was restored from a backup since.' },
  },
})

const StreamReset = builder.objectRef<FrameOf<'reset'>>('StreamReset').implement({
  description: 'The stream ends here. Read the present state anew, then follow from `resumeFrom`.',
  fields: (t) => ({
    reason: t.expose('reason', { type: StreamResetReason, description: 'Why.' }),
    resumeFrom: t.expose('resumeFrom', { type: 'Cursor', description: 'Where to follow from.' }),
  }),
})

const EventFrame = builder.unionType('EventFrame', {
  description: 'One frame of a live stream. Keep the cursor of the last frame, and go on after it.',
  types: [EventDelivered, Checkpoint, StreamReset],
  resolveType: ({ kind }) =>
    kind === 'event' ? 'EventDelivered' : kind === 'checkpoint' ? 'Checkpoint' : 'StreamReset',
})

builder.subscriptionField('events', (t) =>
  t.field({
    type: EventFrame,
    description:
      "Live events of the viewer's tenant. Resumes after a cursor; without one it starts at the head. Members see what is about them and what was written where they may read, others what their scopes cover.",
    authScopes: { signedIn: true },
    args: {
      after: t.arg({ type: 'Cursor', description: 'The cursor of the last frame that was received.' }),
      types: t.arg.stringList({ description: 'Only events of these types. At most 50.' }),
      member: t.arg.id({ description: 'Only events about this member.' }),
    },
    subscribe: (_root, { after, types, member }, context) => {
      const wanted = types == null ? null : new Set(types)
      const unknown = types?.find((type) => !eventTypes().includes(type))
      if (unknown !== undefined)
        throw new BadInputError('types', `types may hold ${eventTypes().join(', ')}.`)
      const about = member == null ? null : idOf('Member', member, 'member')
      const mine = ownEvents(context, about !== null)
      return context.follow({
        after: after ?? null,
        sees: async (event) =>
          (await mine(event)) &&
          (wanted === null || wanted.has(event.type)) &&
          (about === null || event.memberId === about),
      })
    },
    resolve: (frame) => frame,
  }),
)

/**
 * Judges whether an event is the viewer's to see, in the order of the log. A member's own membership ending ends the
 * stream with ForbiddenError; a member that is registered while the stream is open is found then.
 */
function ownEvents(
  context: Context,
  isAboutOne: boolean,
): (event: LoggedEvent) => boolean | Promise<boolean> {
  const { viewer } = context
  if (!viewer) return () => false
  if (viewer.kind !== 'MEMBER') return (event) => coversEvent(viewer, event)
  let memberId = viewer.memberId
  return async (event) => {
    if (memberId === null && event.type === 'member.registered') memberId = await context.ownMember()
    if (memberId === null) return false
    if (event.memberId !== memberId) {
      // Who else it is about is none of the viewer's business.
      if (isAboutOne) return false
      const written = sightOf(event)
      return written !== undefined && context.sees(written, memberId)
    }
    if (event.type === 'membership.ended') throw new ForbiddenError('This membership has ended.')
    // What a newer version of the product announced cannot be told by this one.
    return eventTypeName(event.type) !== undefined
  }
}
