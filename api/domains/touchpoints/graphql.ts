import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { NotFoundError } from '../../platform/errors/index.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Member } from '../members/index.ts'
import { touchpointPlanned, touchpointSettled } from './events.ts'
import { markInboxRead } from './service.ts'

/** `TouchpointState` of the API. */
export const TouchpointState = builder.enumType('TouchpointState', {
  description: 'How far a touch has come.',
  values: {
    PLANNED: { description: 'It waits for its time.' },
    CLAIMED: { description: 'It is due, and being sent.' },
    ACCEPTED: { description: 'The channel took it.' },
    DELIVERED: { description: 'The channel said that it arrived.' },
    REFUSED: { description: 'The channel said no.' },
    UNKNOWN: { description: 'Nobody can tell whether it arrived.' },
    NOT_SENT: { description: 'It was decided not to send it.' },
    CANCELLED: { description: 'It was called off before its time.' },
  },
})

/** One planned contact with a member. */
export const Touchpoint = builder.prismaNode('Touchpoint', {
  id: { resolve: ({ id }) => id },
  // An id of nothing that the viewer may see is null, and no error.
  nullable: true,
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'touchpoints:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Whom it is for.' }),
    channel: t.exposeString('channel'),
    channels: t.exposeStringList('channels', {
      description:
        'The ids of the channels that may carry it, in the order in which they are tried. At most 10.',
    }),
    purpose: t.exposeString('purpose'),
    priority: t.exposeInt('priority'),
    state: t.field({
      type: TouchpointState,
      description: 'How far it has come.',
      select: { state: true },
      resolve: ({ state }) => state as typeof TouchpointState.$inferType, // a check constraint holds it
    }),
    plannedAt: t.expose('plannedAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    settledAt: t.expose('settledAt', { type: 'DateTime', nullable: true }),
  }),
})

const NoTouchReason = builder.enumType('NoTouchReason', {
  description: 'Why no touch is planned for a member.',
  values: {
    NOTHING_PLANNED: { description: 'Nothing is planned.' },
    NO_CONSENT: { description: 'The member has agreed to nothing that could be sent.' },
    COMPLAINT_OPEN: { description: 'A complaint is to be settled first.' },
    UNREACHABLE: { description: 'No channel reaches the member.' },
    PAUSED_BY_STAFF: { description: 'Staff paused every touch.' },
    MEMBERSHIP_ENDED: { description: 'The membership has ended.' },
  },
})

interface Planned {
  readonly is: 'planned'
  readonly touch: typeof Touchpoint.$inferType & Awaiting
}
interface None {
  readonly is: 'none'
  readonly reason: 'NOTHING_PLANNED' | 'NO_CONSENT' | 'PAUSED_BY_STAFF' | 'MEMBERSHIP_ENDED'
}
interface Awaiting {
  readonly dueAt: Date
  readonly channel: string
  readonly purpose: string
}

const PlannedTouch = builder.objectRef<Planned>('PlannedTouch').implement({
  description: 'The touch that comes next.',
  fields: (t) => ({
    touchpoint: t.field({
      type: Touchpoint,
      description: 'The touch itself.',
      resolve: ({ touch }) => touch,
    }),
    at: t.field({
      type: 'DateTime',
      description: 'When it is due, or tried again.',
      resolve: ({ touch }) => touch.dueAt,
    }),
    channel: t.string({
      description: 'The id of the channel that carries it.',
      resolve: ({ touch }) => touch.channel,
    }),
    purpose: t.string({
      description: 'What it is for, such as thank-you.',
      resolve: ({ touch }) => touch.purpose,
    }),
  }),
})

const NoTouch = builder.objectRef<None>('NoTouch').implement({
  description: 'No touch is planned.',
  fields: (t) => ({
    reason: t.expose('reason', { type: NoTouchReason, description: 'Why not.' }),
  }),
})

const NextTouchType = builder.unionType('NextTouch', {
  description: 'The next touch of a member, or why there is none.',
  types: [PlannedTouch, NoTouch],
  resolveType: ({ is }) => (is === 'planned' ? PlannedTouch : NoTouch),
})

/** What arrived in a member's inbox: an accepted delivery of that channel. */
const InboxItem = builder.prismaNode('Delivery', {
  variant: 'InboxItem',
  description: "A message in a member's inbox.",
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    ...isItem,
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { $any: { member: true, staff: 'touchpoints:read' } },
  select: { id: true },
  fields: (t) => ({
    title: t.string({
      description: 'What it is about, in the language of the member.',
      select: { content: true },
      resolve: ({ content }) => textOf(content, 'title'),
    }),
    body: t.string({
      description: 'What it says: plain text, lines apart.',
      select: { content: true },
      resolve: ({ content }) => textOf(content, 'body'),
    }),
    receivedAt: t.field({
      type: 'DateTime',
      description: 'When it arrived.',
      select: { acceptedAt: true, firstAttemptAt: true },
      resolve: ({ acceptedAt, firstAttemptAt }) => acceptedAt ?? firstAttemptAt,
    }),
    readAt: t.expose('readAt', { type: 'DateTime', nullable: true, description: 'When it was first read.' }),
    touchpoint: t.relation('touchpoint', { nullable: true, description: 'The touch that it came by.' }),
  }),
})

const isItem = { channel: 'inbox', state: 'ACCEPTED' }

/** A text of what the channel inbox took: its schema made sure that both are there. */
function textOf(content: unknown, name: 'title' | 'body'): string {
  return String(Reflect.get(Object(content), name) ?? '')
}

const InboxConnection = connectionOf(InboxItem, 'Inbox')

builder.prismaObjectFields(Member, (t) => ({
  nextTouch: t.field({
    type: NextTouchType,
    description: 'The next touch that is planned for the member, or why there is none.',
    authScopes: { reads: 'touchpoints:read' },
    // The first of what is not settled; it comes with the member, and with it what is asked of it.
    select: (_args: object, _context: unknown, nested: (query: object, path: object[]) => object) => ({
      membership: true,
      pauses: { where: { pausedBy: 'STAFF' }, select: { until: true } },
      touchpoints: nested(
        {
          where: { settledAt: null },
          orderBy: [{ dueAt: 'asc' }, { id: 'asc' }],
          take: 1,
          select: { id: true, dueAt: true, channel: true, purpose: true },
        },
        [{ type: 'PlannedTouch', name: 'touchpoint' }],
      ),
      // Why there may be none.
      consents: { select: { state: true } },
    }),
    resolve: (
      {
        membership,
        consents,
        pauses: [pause],
        touchpoints: [touch],
      }: {
        membership: string
        consents: { state: string }[]
        pauses: { until: Date | null }[]
        touchpoints: Planned['touch'][]
      },
      _args: object,
      context: Context,
    ) => {
      if (membership === 'ENDED') return { is: 'none', reason: 'MEMBERSHIP_ENDED' } as const
      // Who was never asked for consent has refused none.
      const hasRefused = consents.length > 0 && consents.every(({ state }) => state !== 'LIVE')
      const next = touch
        ? ({ is: 'planned', touch } as const)
        : ({ is: 'none', reason: hasRefused ? 'NO_CONSENT' : 'NOTHING_PLANNED' } as const)
      if (!pause) return next
      const paused = { is: 'none', reason: 'PAUSED_BY_STAFF' } as const
      const { until } = pause
      // Only who is paused for a time has to know what time it is.
      return until ? completeValue(context.now(), (now) => (until > now ? paused : next)) : paused
    },
  }),
  inbox: t.relatedConnection(
    'deliveries',
    {
      type: InboxItem,
      description: "The member's messages, newest first. For the member itself and for staff.",
      nullable: true,
      authScopes: { $any: { member: true, staff: 'touchpoints:read' } },
      cursor: 'tenantId_id',
      query: { where: isItem, orderBy: { acceptedAt: 'desc' } },
    },
    InboxConnection,
  ),
}))

mutation('markInboxRead', {
  description:
    "Marks a message of one's own inbox read; once read, it keeps its instant. Needs: a member's token. Emits: nothing.",
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({ item: t.id({ required: true, description: 'Which message.' }) }),
  resolve: async ({ item }, { db, viewer }) => {
    const id = idOf('InboxItem', item, 'input.item')
    if (!viewer?.memberId) throw new NotFoundError('inbox item')
    await markInboxRead(db, id, viewer.memberId)
    return { item: id }
  },
  payload: (t) => ({
    item: t.prismaField({
      type: InboxItem,
      nullable: true,
      description: 'The message, as it is now.',
      resolve: (query, { item }, _args, { db }) =>
        read(db).delivery.findFirst({ ...query, where: { id: item } }),
    }),
  }),
})

/** The field `touchpoint` of an event about one. */
export const touchpointOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Touchpoint,
    nullable: true,
    description: 'The touch, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).touchpoint.findFirst({ ...query, where: { id: factOf(event, 'touchpoint') } }),
  })

eventType(touchpointPlanned, (t) => ({ touchpoint: touchpointOf(t) }))
eventType(touchpointSettled, (t) => ({ touchpoint: touchpointOf(t) }))
