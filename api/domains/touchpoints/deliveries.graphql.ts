import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { type Capabilities, channelsPort, FaultCauseType, ReceiptKind } from '../channels/index.ts'
import { deliverySettled, touchpointPutOff } from './events.ts'
import { Touchpoint, touchpointOf } from './graphql.ts'
import { TouchReason } from './reasons.graphql.ts'
import type { Reason } from './reasons.ts'

const scope = { lists: 'touchpoints:read' }

const DeliveryState = builder.enumType('DeliveryState', {
  description: 'How far a delivery has come.',
  values: {
    CLAIMED: { description: 'It is being sent.' },
    WAITING: { description: 'It is tried again later.' },
    ACCEPTED: { description: 'The channel took it.' },
    DELIVERED: { description: 'The channel said that it arrived.' },
    REFUSED: { description: 'The channel said no.' },
    UNKNOWN: { description: 'Nobody can tell whether it arrived.' },
    CANCELLED: { description: 'It was given up before it went out.' },
  },
})

const DeliveryDoubt = builder.enumType('DeliveryDoubt', {
  description: 'What may have happened to a message, when nobody can tell.',
  values: {
    POSSIBLE_MISS: { description: 'It may never have arrived.' },
    POSSIBLE_DUPLICATE: { description: 'It may have arrived twice.' },
  },
})

interface Cost {
  readonly amount: string
  readonly currency: string
  readonly units?: number
}

const DeliveryCost = builder.objectRef<Cost>('DeliveryCost').implement({
  description: 'What a provider charged for a message.',
  fields: (t) => ({
    price: t.exposeString('amount', { description: 'In major units, as a decimal: `3.3`.' }),
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'The currency of the price.' }),
    units: t.int({
      nullable: true,
      description: "In the provider's own units, such as segments, where it counts in some.",
      resolve: ({ units }) => units ?? null,
    }),
  }),
})

/** The carrying of a touch through one channel to one address. */
export const Delivery = builder.prismaNode('Delivery', {
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, { db }) => ({ tenantId_id: { tenantId: db.tenantId, id } }),
  authScopes: scope,
  select: { id: true },
  fields: (t) => ({
    touchpoint: t.relation('touchpoint', { nullable: true, description: 'The touch that it carries.' }),
    channel: t.exposeString('channel', { description: 'The id of the channel.' }),
    state: t.field({
      type: DeliveryState,
      description: 'How far it has come.',
      select: { state: true },
      resolve: ({ state }) => state as typeof DeliveryState.$inferType, // a check constraint holds it
    }),
    attempts: t.exposeInt('attempt', { description: 'How often it was tried.' }),
    doubt: t.field({
      type: DeliveryDoubt,
      nullable: true,
      description: 'What may have happened, when nobody can tell; null when somebody can.',
      select: { doubt: true },
      resolve: ({ doubt }) => doubt as typeof DeliveryDoubt.$inferType | null, // likewise
    }),
    cause: t.field({
      type: FaultCauseType,
      nullable: true,
      description: 'What was wrong, when the last attempt was refused.',
      select: { outcome: true },
      resolve: ({ outcome }) => factOfFault(outcome, 'cause') as typeof FaultCauseType.$inferType | null, // as the core stored it
    }),
    code: t.string({
      nullable: true,
      description: "The provider's own code of that refusal.",
      select: { outcome: true },
      resolve: ({ outcome }) => factOfFault(outcome, 'code'),
    }),
    cost: t.field({
      type: DeliveryCost,
      nullable: true,
      description: 'What the provider charged; null when it did not say.',
      select: { cost: true },
      resolve: ({ cost }) => cost as Cost | null, // as the SDK's Accepted has it
    }),
    firstAttemptAt: t.expose('firstAttemptAt', {
      type: 'DateTime',
      description: 'When it was first tried.',
    }),
    dueAt: t.expose('dueAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again, while it waits.',
    }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it came to an end.',
    }),
    canKnow: t.field({
      type: [ReceiptKind],
      nullable: true,
      description:
        'What this channel can ever report back; whatever is not among it will not be known. Null while the channel cannot be used. At most 16.',
      select: { channel: true },
      resolve: ({ channel }, _args, context) => receiptsOf(context, channel),
    }),
  }),
})

function factOfFault(outcome: unknown, name: 'cause' | 'code'): string | null {
  const fact: unknown = Reflect.get(Object(Reflect.get(Object(outcome), 'fault')), name)
  return typeof fact === 'string' ? fact : null
}

/** Asked once for each channel of an answer: a channel reads its settings to tell. */
const known = new WeakMap<Context, Map<string, Promise<Capabilities['receipts'] | null>>>()

function receiptsOf(context: Context, channel: string): Promise<Capabilities['receipts'] | null> {
  const asked = known.get(context) ?? new Map<string, Promise<Capabilities['receipts'] | null>>()
  known.set(context, asked)
  const receipts = asked.get(channel) ?? ask(context, channel)
  asked.set(channel, receipts)
  return receipts
}

async function ask({ use, db }: Context, channel: string): Promise<Capabilities['receipts'] | null> {
  const opened = await use(channelsPort).get(channel)?.open(db.tenantId)
  return opened?.ok ? opened.channel.capabilities.receipts : null
}

const TouchDecisionKind = builder.enumType('TouchDecisionKind', {
  description: 'What was decided about a touch.',
  values: {
    DEFERRED: { description: 'To send it later.' },
    NEXT_CHANNEL: { description: 'To try the next channel.' },
    NOT_SENT: { description: 'Not to send it.' },
    HELD: { description: 'To keep it until the channel is put right.' },
  },
})

/** One decision not to send, or not yet, or not this way. */
export const TouchDecision = builder.prismaObject('TouchDecision', {
  select: { id: true },
  fields: (t) => ({
    channel: t.exposeString('channel', { description: 'The id of the channel that it was about.' }),
    decision: t.field({
      type: TouchDecisionKind,
      description: 'What was decided.',
      select: { decision: true },
      resolve: ({ decision }) => decision as typeof TouchDecisionKind.$inferType, // a check constraint holds it
    }),
    reason: t.field({
      type: TouchReason,
      description: 'Why.',
      select: { reason: true },
      resolve: ({ reason }) => reason as Reason, // likewise
    }),
    resumesAt: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it was put off.',
    }),
    since: t.expose('since', { type: 'DateTime', description: 'When it was first decided.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was last decided.' }),
    times: t.exposeInt('times', { description: 'How often it was decided.' }),
    code: t.string({
      nullable: true,
      description: "The provider's, or the channel's, own code for it.",
      select: { detail: true },
      resolve: ({ detail }) => {
        const code: unknown = Reflect.get(Object(detail), 'code')
        return typeof code === 'string' ? code : null
      },
    }),
  }),
})

const DeliveryConnection = connectionOf(Delivery, 'Delivery')

builder.prismaObjectFields(Touchpoint, (t) => ({
  deliveries: t.relation('deliveries', {
    nullable: true,
    description: 'How it was carried: one for each channel and address that was tried. At most 100.',
    authScopes: scope,
    query: { orderBy: { id: 'asc' }, take: 100 },
  }),
  decisions: t.relation('decisions', {
    nullable: true,
    description: 'Why it was not sent, or not yet, or not this way, in the order of deciding. At most 190.',
    authScopes: scope,
    query: { orderBy: [{ at: 'asc' }, { id: 'asc' }], take: 190 },
  }),
}))

builder.queryField('doubtfulDeliveries', (t) =>
  t.prismaConnection(
    {
      type: Delivery,
      nullable: true,
      description: 'Deliveries that may have been missed, or may have arrived twice, newest first.',
      authScopes: scope,
      cursor: 'tenantId_id',
      args: { doubt: t.arg({ type: DeliveryDoubt, description: 'Only these; both when left out.' }) },
      resolve: (query, _root, { doubt }, { db }) =>
        read(db).delivery.findMany({
          ...query,
          where: { doubt: { in: doubt ? [doubt] : ['POSSIBLE_MISS', 'POSSIBLE_DUPLICATE'] } },
          orderBy: [{ firstAttemptAt: 'desc' }, { id: 'desc' }],
        }),
    },
    DeliveryConnection,
  ),
)

eventType(deliverySettled, (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) => ({
  delivery: t.prismaField({
    type: Delivery,
    nullable: true,
    description: 'The delivery, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).delivery.findFirst({ ...query, where: { id: factOf(event, 'delivery') } }),
  }),
  touchpoint: touchpointOf(t),
  channel: t.string({
    description: 'The id of the channel.',
    resolve: (event) => factOf(event, 'channel'),
  }),
  state: t.field({
    type: DeliveryState,
    description: 'How it ended.',
    resolve: (event) => factOf(event, 'state') as typeof DeliveryState.$inferType, // as the database wrote it
  }),
}))

eventType(touchpointPutOff, (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) => ({
  touchpoint: touchpointOf(t),
  reason: t.field({
    type: TouchReason,
    description: 'Why.',
    resolve: (event) => factOf(event, 'reason') as Reason, // likewise
  }),
}))
